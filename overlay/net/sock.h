/* sock.h - addresses between multiaddr and the system's form, and sockets bound to one.
 *
 * Floor:  4, overlay/net. For transports.
 * Tests:  tests/unit/test_sockets.c
 */
#ifndef OVERLAY_NET_SOCK_H
#define OVERLAY_NET_SOCK_H

#include <sys/socket.h>

#include "overlay/wire/multiaddr.h"

typedef struct {
    struct sockaddr_storage a;
    socklen_t n;
} sock_addr_t;

/* Is it a bare address with numbers, of this transport: what a socket can have? */
bool sock_speaks(const maddr_t *m, maddr_transport_t transport);

/* From and to multiaddr; only host, transport and port are written. */
void sock_addr(sock_addr_t *out, const maddr_t *m);
void sock_maddr(maddr_t *out, const sock_addr_t *from, maddr_transport_t transport);

/* A socket that never waits, bound to an address; *at gets the port that it really has. The caller closes it. RC_IO. */
NODISCARD rc_t sock_bound(int *fd, maddr_t *at, err_t *e);

/* The same without an address, of the kind that the address needs. RC_IO. */
NODISCARD rc_t sock_new(int *fd, err_t *e, const maddr_t *of);

#endif
