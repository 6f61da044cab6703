/* quic.h - the transport over QUIC version 1: ngtcp2 and GnuTLS, libp2p's certificates both ways.
 *
 * One UDP socket for each address that is listened on; dials go out of one that fits, so that peers see the address
 * under which they can dial back. Above QUIC_RETRY_FROM open handshakes an address has to show that it receives
 * (Retry); unknown connections are answered with a stateless reset, unknown versions with ours. No early data, no
 * tickets, no datagrams, no streams in one direction, no migration on purpose; an address that changes under NAT is
 * followed.
 *
 * Spec:   RFC 9000, 9001; libp2p/specs quic/README.md, tls/tls.md; overlay-facts section 5
 * Floor:  4, overlay/net. The only door to ngtcp2.
 * Tests:  tests/unit/test_sockets.c, tests/unit/test_quic.c, tests/fuzz/fuzz_quic.c
 */
#ifndef OVERLAY_NET_QUIC_H
#define OVERLAY_NET_QUIC_H

#include "overlay/net/net.h"
#include "overlay/net/watch.h"

#define QUIC_RETRY_FROM 16u

/* Adds the transport to a node; its sockets are watched by ws, which lives as long. RC_NOMEM; what the identity's sign
 * returned. */
NODISCARD rc_t quic_add(net_t *n, err_t *e, watches_t *ws);

#endif
