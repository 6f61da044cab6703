#include "meta-dstack-patch/image/dhcp.h"

#define OPTIONS_AT 240u /* after the fixed part and the cookie */
#define COOKIE 0x63825363u
#define BOOT_REQUEST 1
#define BOOT_REPLY 2
#define BROADCAST 0x80 /* answers to all: the kernel drops those to an address that it does not have yet */

enum {
    OPT_PAD = 0,
    OPT_MASK = 1,
    OPT_ROUTER = 3,
    OPT_NAME_SERVERS = 6,
    OPT_MTU = 26,
    OPT_WANTED = 50,
    OPT_LEASE = 51,
    OPT_TYPE = 53,
    OPT_SERVER = 54,
    OPT_ASKED = 55,
    OPT_END = 255,
};

static uint8_t *put_u32(uint8_t *p, uint32_t x)
{
    for (unsigned i = 4; i-- > 0;)
        *p++ = (uint8_t)(x >> 8 * i);
    return p;
}

static uint8_t *put_address(uint8_t *p, uint8_t option, uint32_t address)
{
    *p++ = option;
    *p++ = 4;
    return put_u32(p, address);
}

void dhcp_write(uint8_t out[DHCP_SENT_LEN], dhcp_type_t type, uint32_t transaction, const uint8_t mac[6],
                const dhcp_answer_t *wanted)
{
    static const uint8_t asked[] = { OPT_ASKED, 4, OPT_MASK, OPT_ROUTER, OPT_NAME_SERVERS, OPT_MTU };
    memset(out, 0, DHCP_SENT_LEN);
    out[0] = BOOT_REQUEST;
    out[1] = 1; /* Ethernet */
    out[2] = 6; /* bytes of its addresses */
    put_u32(out + 4, transaction);
    out[10] = BROADCAST;
    memcpy(out + 28, mac, 6);
    uint8_t *p = put_u32(out + OPTIONS_AT - 4, COOKIE);
    *p++ = OPT_TYPE;
    *p++ = 1;
    *p++ = (uint8_t)type;
    memcpy(p, asked, sizeof asked);
    p += sizeof asked;
    if (wanted) {
        p = put_address(p, OPT_WANTED, wanted->address);
        p = put_address(p, OPT_SERVER, wanted->server);
    }
    *p = OPT_END;
}

static uint32_t first_u32(view_t v)
{
    rd_t r = rd_of(v);
    return (uint32_t)rd_be(&r, 4);
}

/* Ones, then zeros. */
static bool is_mask(uint32_t x)
{
    const uint32_t hosts = ~x;
    return x && !(hosts & (hosts + 1));
}

/* An address that one machine can have: not of 0/8, 127/8, multicast or above. */
static bool is_unicast(uint32_t x)
{
    const uint32_t net = x >> 24;
    return net && net != 127 && net < 224;
}

static uint32_t within(uint32_t x, uint32_t min, uint32_t max)
{
    return x < min ? min : x > max ? max : x;
}

static bool take_name_servers(dhcp_answer_t *a, view_t v)
{
    if (!v.n || v.n % 4)
        return false;
    for (size_t i = 0; i < v.n / 4 && a->name_server_count < DHCP_NAME_SERVERS_MAX; i++) {
        const uint32_t server = first_u32(view_of(v.p + 4 * i, 4));
        if (is_unicast(server))
            a->name_servers[a->name_server_count++] = server;
    }
    return true;
}

/* false: it has not the length or range that it must have. */
static bool take_option(dhcp_answer_t *a, uint8_t option, view_t v)
{
    const uint32_t x = v.n >= 4 ? first_u32(v) : 0;
    switch (option) {
    case OPT_TYPE:
        a->type = v.n == 1 ? (dhcp_type_t)v.p[0] : 0;
        return a->type == DHCP_OFFER || a->type == DHCP_ACK || a->type == DHCP_NAK;
    case OPT_MASK: a->mask = x; return v.n == 4 && is_mask(x);
    case OPT_ROUTER: a->router = x; return v.n >= 4 && v.n % 4 == 0 && is_unicast(x);
    case OPT_SERVER: a->server = x; return v.n == 4 && is_unicast(x);
    case OPT_LEASE: a->lease_s = within(x, DHCP_LEASE_MIN_S, DHCP_LEASE_MAX_S); return v.n == 4;
    case OPT_MTU:
        a->mtu = v.n == 2 ? within((uint32_t)(v.p[0] << 8 | v.p[1]), DHCP_MTU_MIN, DHCP_MTU_MAX) : 0;
        return v.n == 2;
    case OPT_NAME_SERVERS: a->name_server_count = 0; return take_name_servers(a, v);
    default: return true;
    }
}

static bool take_options(dhcp_answer_t *a, rd_t *r)
{
    while (!r->bad) {
        const uint8_t option = rd_u8(r);
        if (option == OPT_END && !r->bad)
            return true;
        if (option == OPT_PAD)
            continue;
        const view_t v = rd_take(r, rd_u8(r));
        if (r->bad || !take_option(a, option, v))
            return false;
    }
    return false; /* no end */
}

bool dhcp_read(dhcp_answer_t *out, view_t packet, uint32_t transaction, const uint8_t mac[6])
{
    dhcp_answer_t a = { .lease_s = DHCP_LEASE_MIN_S };
    rd_t r = rd_of(packet);
    if (packet.n > DHCP_RECEIVED_MAX || rd_be(&r, 3) != (BOOT_REPLY << 16 | 1 << 8 | 6))
        return false;
    rd_take(&r, 1);
    const bool same = rd_be(&r, 4) == transaction;
    rd_take(&r, 8);
    a.address = (uint32_t)rd_be(&r, 4);
    rd_take(&r, 8);
    const view_t hardware = rd_take(&r, 16);
    rd_take(&r, 64 + 128);
    if (rd_be(&r, 4) != COOKIE || !same || hardware.n != 16 || memcmp(hardware.p, mac, 6) || !take_options(&a, &r))
        return false;
    if (a.type != DHCP_NAK && (a.type == 0 || !a.server || !a.mask || !is_unicast(a.address)))
        return false;
    *out = a;
    return a.type != 0;
}
