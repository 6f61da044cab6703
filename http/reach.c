#include "http/reach.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

typedef struct {
    uint8_t prefix[16];
    unsigned bits;
    reach_t needs;   /* REACH_ALL: no other will do */
    unsigned inside; /* offset of the IPv4 address within; 0: none */
} range_t;

/* The most special first; what is in none is public. The IANA registries of special-purpose addresses, and addresses
 * at which clouds serve their machines' secrets. */
static const range_t V4[] = {
    { { 127 }, 8, REACH_LOCAL, 0 },
    { { 10 }, 8, REACH_PRIVATE, 0 },
    { { 172, 16 }, 12, REACH_PRIVATE, 0 },
    { { 192, 168 }, 16, REACH_PRIVATE, 0 },
    { { 100, 100, 100, 200 }, 32, REACH_ALL, 0 }, /* Alibaba Cloud */
    { { 100, 64 }, 10, REACH_PRIVATE, 0 },
    { { 168, 63, 129, 16 }, 32, REACH_ALL, 0 }, /* Azure */
    { { 0 }, 8, REACH_ALL, 0 },
    { { 169, 254 }, 16, REACH_ALL, 0 }, /* link-local */
    { { 192, 0, 0 }, 24, REACH_ALL, 0 },
    { { 192, 0, 2 }, 24, REACH_ALL, 0 },
    { { 192, 88, 99 }, 24, REACH_ALL, 0 }, /* relays of 6to4 */
    { { 198, 18 }, 15, REACH_ALL, 0 },
    { { 198, 51, 100 }, 24, REACH_ALL, 0 },
    { { 203, 0, 113 }, 24, REACH_ALL, 0 },
    { { 224 }, 3, REACH_ALL, 0 }, /* multicast, reserved, broadcast */
};

static const range_t V6[] = {
    { { [15] = 1 }, 128, REACH_LOCAL, 0 },
    { { 0 }, 128, REACH_ALL, 0 },
    { { [10] = 0xff, [11] = 0xff }, 96, REACH_PUBLIC, 12 },       /* mapped */
    { { [8] = 0xff, [9] = 0xff }, 96, REACH_PUBLIC, 12 },         /* RFC 2765 */
    { { 0 }, 96, REACH_PUBLIC, 12 },                              /* compatible */
    { { 0x00, 0x64, 0xff, 0x9b }, 96, REACH_PUBLIC, 12 },         /* NAT64 */
    { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48, REACH_ALL, 0 }, /* NAT64 of a network's own */
    { { 0x20, 0x02 }, 16, REACH_PUBLIC, 2 },                      /* 6to4 */
    { { 0x20, 0x01, 0x00, 0x00 }, 32, REACH_ALL, 0 },             /* Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, REACH_ALL, 0 },             /* for documents */
    { { 0x20, 0x01 }, 23, REACH_ALL, 0 },                         /* of protocols */
    { { 0x3f, 0xff }, 20, REACH_ALL, 0 },                         /* for documents */
    { { 0xfd, 0x00, 0x0e, 0xc2 }, 64, REACH_ALL, 0 },             /* Amazon Web Services */
    { { 0xfc }, 7, REACH_PRIVATE, 0 },
    { { 0x20 }, 3, REACH_PUBLIC, 0 }, /* what is given out at all */
    { { 0 }, 0, REACH_ALL, 0 },       /* link-local, site-local, multicast, and what is not given out */
};

static bool is_in(const range_t *r, const uint8_t *address)
{
    const unsigned whole = r->bits / 8, rest = r->bits % 8;
    return !memcmp(r->prefix, address, whole) && (!rest || (r->prefix[whole] ^ address[whole]) >> (8 - rest) == 0);
}

static const range_t *range_of(const range_t *rows, size_t count, const uint8_t *address)
{
    for (size_t i = 0; i < count; i++)
        if (is_in(&rows[i], address))
            return &rows[i];
    return NULL;
}

static bool is_within(reach_t reach, reach_t needs)
{
    return needs != REACH_ALL && reach >= needs;
}

static bool allows_v4(reach_t reach, const uint8_t address[4])
{
    const range_t *r = range_of(V4, sizeof V4 / sizeof V4[0], address);
    return is_within(reach, r ? r->needs : REACH_PUBLIC);
}

static bool allows_v6(reach_t reach, const uint8_t address[16])
{
    const range_t *r = range_of(V6, sizeof V6 / sizeof V6[0], address);
    return r && is_within(reach, r->needs) && (!r->inside || allows_v4(reach, address + r->inside));
}

bool reach_allows(reach_t reach, const struct sockaddr *at)
{
    if (reach == REACH_ALL)
        return true;
    if (at->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, at, sizeof v4);
        return allows_v4(reach, (const uint8_t *)&v4.sin_addr.s_addr);
    }
    if (at->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, at, sizeof v6);
        return allows_v6(reach, v6.sin6_addr.s6_addr);
    }
    return false;
}
