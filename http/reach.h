/* reach.h - which addresses a request may lead to, by what an address is for: so that whoever names a URL does not look
 * into a network that is not theirs.
 *
 * Floor:  2, http. No I/O.
 * Tests:  tests/unit/test_reach.c
 */
#ifndef HTTP_REACH_H
#define HTTP_REACH_H

#include <stdbool.h>

struct sockaddr;

/* How far a request may go; from REACH_PUBLIC on each may what those before it may. */
typedef enum {
    REACH_ALL,     /* wherever its URL leads */
    REACH_PUBLIC,  /* to addresses of the public Internet */
    REACH_PRIVATE, /* to those of private networks as well: RFC 1918, RFC 4193, and of carriers (RFC 6598) */
    REACH_LOCAL    /* and to this machine: loopback */
} reach_t;

/* Whether a request may be sent to an address. Link-local ones, multicast, what is reserved, and whatever is no address
 * of IP: to REACH_ALL alone. An IPv6 address that carries an IPv4 one (mapped, compatible, translated by NAT64, 6to4)
 * is as far away as that one. */
bool reach_allows(reach_t reach, const struct sockaddr *at);

#endif
