/* tcp.h - the transport over TCP: a session (session.h) for each socket.
 *
 * Spec:   libp2p/specs connections/README.md; overlay-facts section 6
 * Floor:  4, overlay/net.
 * Tests:  tests/unit/test_sockets.c, tests/unit/test_tcp.c, tests/fuzz/fuzz_tcp.c
 */
#ifndef OVERLAY_NET_TCP_H
#define OVERLAY_NET_TCP_H

#include "overlay/net/net.h"
#include "overlay/net/watch.h"

/* Adds the transport to a node; its sockets are watched by ws, which lives as long. RC_NOMEM. */
NODISCARD rc_t tcp_add(net_t *n, err_t *e, watches_t *ws);

#endif
