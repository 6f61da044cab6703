/* quic_line.c - datagrams to and from a socket, many in one call of the system where it can cut and join them
 * (UDP_SEGMENT, UDP_GRO). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include "overlay/net/quic_inside.h"

/* One datagram; when the system takes none, it is lost, as on the way. */
static void send_one(int fd, const sock_addr_t *to, view_t datagram)
{
    while (sendto(fd, datagram.p, datagram.n, 0, (const struct sockaddr *)&to->a, to->n) < 0 && errno == EINTR)
        ;
}

static void send_each(const quic_batch_t *b)
{
    for (size_t at = 0; at < b->n; at += b->segment)
        send_one(b->end->watch.fd, &b->to, view_of(b->bytes + at, b->n - at < b->segment ? b->n - at : b->segment));
}

/* All at once. False: the system does not cut for this socket, or this way out. */
static bool send_all(quic_batch_t *b)
{
    union {
        struct cmsghdr head;
        uint8_t room[CMSG_SPACE(sizeof(uint16_t))];
    } control = { .room = { 0 } };
    struct iovec bytes = { b->bytes, b->n };
    struct msghdr m = { .msg_name = &b->to.a,
                        .msg_namelen = b->to.n,
                        .msg_iov = &bytes,
                        .msg_iovlen = 1,
                        .msg_control = control.room,
                        .msg_controllen = sizeof control.room };
    const uint16_t segment = (uint16_t)b->segment;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof segment);
    memcpy(CMSG_DATA(c), &segment, sizeof segment);
    ssize_t n;
    while ((n = sendmsg(b->end->watch.fd, &m, 0)) < 0 && errno == EINTR)
        ;
    return n >= 0 || errno == EAGAIN || errno == ENOBUFS; /* no room: lost */
}

void quic_flush(quic_t *t)
{
    quic_batch_t *b = &t->out;
    if (b->n && (b->n <= b->segment || b->uncut || !send_all(b))) {
        b->uncut = b->uncut || b->n > b->segment;
        send_each(b);
    }
    b->n = 0;
}

void quic_send(quic_end_t *end, const struct sockaddr *to, socklen_t to_n, view_t datagram)
{
    quic_t *t = end->quic;
    quic_batch_t *b = &t->out;
    const bool fits = b->n && b->end == end && b->to.n == to_n && memcmp(&b->to.a, to, to_n) == 0 && !b->ended &&
                      datagram.n <= b->segment && b->n + datagram.n <= sizeof b->bytes;
    if (!fits)
        quic_flush(t);
    if (!b->n) {
        b->end = end;
        memcpy(&b->to.a, to, to_n);
        b->to.n = to_n;
        b->segment = datagram.n;
    }
    memcpy(b->bytes + b->n, datagram.p, datagram.n);
    b->n += datagram.n;
    b->ended = datagram.n < b->segment; /* only the last may be shorter */
}

void quic_joins(int fd)
{
    const int on = 1;
    (void)setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on); /* without it they come one by one */
}

bool quic_receive(quic_t *t, int fd, sock_addr_t *from, view_t *all, size_t *each)
{
    union {
        struct cmsghdr head;
        uint8_t room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec bytes = { t->in, sizeof t->in };
    struct msghdr m = { .msg_name = &from->a,
                        .msg_namelen = sizeof from->a,
                        .msg_iov = &bytes,
                        .msg_iovlen = 1,
                        .msg_control = control.room,
                        .msg_controllen = sizeof control.room };
    ssize_t n;
    while ((n = recvmsg(fd, &m, 0)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return false;
    int segment = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(c), sizeof segment);
    from->n = m.msg_namelen;
    *all = view_of(t->in, (size_t)n);
    *each = segment > 0 ? (size_t)segment : (size_t)n;
    return true;
}
