/* proxy.h - what proxies say of the clients behind them: PROXY protocol v1 and v2 in front of a connection, Forwarded
 * or X-Forwarded-For in a request. Only those that are listed are believed.
 *
 * Spec:   haproxy doc/proxy-protocol.txt, 2.1 and 2.2; RFC 7239
 * Floor:  2, http. No I/O, clock, heap.
 * Tests:  tests/unit/test_proxy.c, tests/fuzz/fuzz_proxy.c
 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include <netinet/in.h>

#include "base/bytes.h"
#include "base/rc.h"

#define PROXIES_MAX 16u
#define PROXY_HEADER_MAX 1024u /* bytes of a PROXY header with its extensions */

/* An address as IPv6; IPv4 as ::ffff:a.b.c.d. */
typedef struct {
    uint8_t b[16];
} ip_t;

/* Networks that are believed. */
typedef struct {
    struct {
        ip_t net;
        unsigned bits; /* of net that count, 0 to 128 */
    } rows[PROXIES_MAX];
    size_t count;
} proxies_t;

/* "192.0.2.1", "10.0.0.0/8", "2001:db8::/32". RC_MALFORMED; RC_LIMIT: PROXIES_MAX are there. */
NODISCARD rc_t proxies_add(proxies_t *p, view_t text);
bool proxies_have(const proxies_t *p, const ip_t *at);

/* Reads an address; numbers only. False: it is none. */
bool ip_read(ip_t *out, view_t text);
/* The address of a socket; family AF_INET or AF_INET6. False: another one. */
bool ip_of(ip_t *out, const struct sockaddr *at);

/* Reads the PROXY header that a connection begins with.
 *   from   whom the connection is from, when *known
 *   known  false: the proxy speaks for itself, or does not say
 *   len    of the header
 * RC_NEED_DATA: more is to come, at most PROXY_HEADER_MAX bytes in all. RC_MALFORMED: it begins otherwise. */
NODISCARD rc_t proxy_header(struct sockaddr_in6 *from, bool *known, size_t *len, view_t in);

/* What a request says of its client, in the order of its fields; zeroed at first but for the first two. */
typedef struct {
    const proxies_t *proxies;
    bool standard; /* they say it by Forwarded; else by X-Forwarded-For. The other one is whatever a client sent */
    bool known;
    bool other;  /* it has the other one */
    ip_t client; /* the last that is not itself listed; the same one, nobody's, for all that cannot be read */
} forwarded_t;

/* Takes a field; those of other names say nothing. */
void forwarded_field(forwarded_t *f, view_t name, view_t value);

#endif
