#include "meta-dstack-patch/image/network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "meta-dstack-patch/image/dhcp.h"

#define DEVICE "eth0"
#define ANSWER_WAIT_MS 3000
#define RESOLV_CONF "/run/resolv.conf"

typedef struct {
    int fd;
    uint8_t mac[6];
} card_t;

static struct sockaddr_in address_of(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip) };
}

static struct ifreq request_of(const char *device)
{
    struct ifreq q = { .ifr_flags = 0 };
    snprintf(q.ifr_name, sizeof q.ifr_name, "%s", device);
    return q;
}

static bool bring_up(int fd, const char *device)
{
    struct ifreq q = request_of(device);
    if (ioctl(fd, SIOCGIFFLAGS, &q))
        return false;
    q.ifr_flags = (short)(q.ifr_flags | IFF_UP);
    return !ioctl(fd, SIOCSIFFLAGS, &q);
}

void network_open(void)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !bring_up(fd, "lo"))
        puts("init: the loopback device does not come up");
    close(fd);
}

bool network_wait(int told, int seconds)
{
    struct pollfd p = { .fd = told, .events = POLLIN };
    char byte;
    return poll(&p, 1, 1000 * seconds) == 1 && read(told, &byte, 1) == 1;
}

/* Waits for the card; false: this machine has no socket for it. */
static bool open_card(card_t *card)
{
    const int on = 1;
    const struct sockaddr_in here = address_of(INADDR_ANY, 68);
    struct ifreq q = request_of(DEVICE);
    card->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (card->fd < 0)
        return false;
    for (unsigned i = 0; !bring_up(card->fd, DEVICE); i++) {
        if (i == 20)
            puts("init: there is no network card " DEVICE);
        usleep(100000);
    }
    if (ioctl(card->fd, SIOCGIFHWADDR, &q))
        return false;
    memcpy(card->mac, q.ifr_hwaddr.sa_data, sizeof card->mac);
    return !setsockopt(card->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) &&
           !setsockopt(card->fd, SOL_SOCKET, SO_BINDTODEVICE, DEVICE, sizeof DEVICE - 1) &&
           !bind(card->fd, (const struct sockaddr *)&here, sizeof here);
}

/* Sends one message and waits for its answer; an offer or the acknowledgement, as type says. */
static bool ask(dhcp_answer_t *out, const card_t *card, dhcp_type_t type, const dhcp_answer_t *wanted)
{
    uint8_t sent[DHCP_SENT_LEN], got[DHCP_RECEIVED_MAX + 1];
    const struct sockaddr_in all = address_of(INADDR_BROADCAST, 67);
    struct pollfd p = { .fd = card->fd, .events = POLLIN };
    uint32_t transaction;
    if (getrandom(&transaction, sizeof transaction, 0) != sizeof transaction)
        return false;
    dhcp_write(sent, type, transaction, card->mac, wanted);
    if (sendto(card->fd, sent, sizeof sent, 0, (const struct sockaddr *)&all, sizeof all) != sizeof sent)
        return false;
    for (unsigned tries = 0; tries < 64 && poll(&p, 1, ANSWER_WAIT_MS) == 1; tries++) {
        const ssize_t n = recv(card->fd, got, sizeof got, 0);
        if (n > 0 && dhcp_read(out, view_of(got, (size_t)n), transaction, card->mac))
            return out->type == (type == DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK);
    }
    return false;
}

static bool set_address(int fd, unsigned long what, uint32_t ip)
{
    struct ifreq q = request_of(DEVICE);
    const struct sockaddr_in a = address_of(ip, 0);
    memcpy(&q.ifr_addr, &a, sizeof a);
    return !ioctl(fd, what, &q);
}

static void add_route(int fd, uint32_t to, uint32_t mask, uint32_t router)
{
    struct rtentry r = { .rt_flags = RTF_UP, .rt_dev = (char[]){ DEVICE } };
    const struct sockaddr_in target = address_of(to, 0), ones = address_of(mask, 0), by = address_of(router, 0);
    memcpy(&r.rt_dst, &target, sizeof target);
    memcpy(&r.rt_genmask, &ones, sizeof ones);
    memcpy(&r.rt_gateway, &by, sizeof by);
    r.rt_flags = (unsigned short)(r.rt_flags | (router ? RTF_GATEWAY : 0) | (mask == UINT32_MAX ? RTF_HOST : 0));
    ioctl(fd, SIOCADDRT, &r); /* it is there already at a renewal */
}

static const char *text_of(char out[INET_ADDRSTRLEN], uint32_t ip)
{
    const struct in_addr a = { .s_addr = htonl(ip) };
    return inet_ntop(AF_INET, &a, out, INET_ADDRSTRLEN);
}

static void write_name_servers(const dhcp_answer_t *a)
{
    char text[INET_ADDRSTRLEN];
    FILE *f = fopen(RESOLV_CONF, "we");
    if (!f)
        return;
    for (size_t i = 0; i < a->name_server_count; i++)
        fprintf(f, "nameserver %s\n", text_of(text, a->name_servers[i]));
    fclose(f);
}

static bool configure(const card_t *card, const dhcp_answer_t *a)
{
    struct ifreq q = request_of(DEVICE);
    q.ifr_mtu = (int)a->mtu;
    if (a->mtu && ioctl(card->fd, SIOCSIFMTU, &q))
        puts("init: the card does not take the MTU that DHCP says");
    if (!set_address(card->fd, SIOCSIFADDR, a->address) || !set_address(card->fd, SIOCSIFNETMASK, a->mask))
        return false;
    if (a->router && (a->router & a->mask) != (a->address & a->mask))
        add_route(card->fd, a->router, UINT32_MAX, 0); /* clouds give a network of one address */
    if (a->router)
        add_route(card->fd, 0, 0, a->router);
    write_name_servers(a);
    return true;
}

void network_keep(int told)
{
    card_t card;
    dhcp_answer_t offer, lease;
    char text[INET_ADDRSTRLEN];
    signal(SIGPIPE, SIG_IGN);
    if (!open_card(&card))
        return;
    for (bool first = true, said = false;;) {
        if (!ask(&offer, &card, DHCP_DISCOVER, NULL) || !ask(&lease, &card, DHCP_REQUEST, &offer)) {
            if (!said)
                puts("init: no answer from DHCP");
            said = true;
            fflush(stdout);
            sleep(1);
            continue;
        }
        if (!configure(&card, &lease))
            return;
        if (first) {
            printf("init: address %s\n", text_of(text, lease.address));
            fflush(stdout);
            (void)!write(told, "", 1); /* whoever waited may have given up */
        }
        first = said = false;
        sleep(lease.lease_s / 2);
    }
}
