/* quic_guard.h - how much of a datagram a dialler lets ngtcp2 see before its handshake is behind it.
 *
 * In 1.11 a listener that retires the connection's first id early, in packets that it sends before the handshake's
 * end, makes the library's own assert end the dialler's process (ngtcp2 bf5a8812, first released in 1.22.0). Those
 * are short-header packets: a listener sends them again, so a dialler may pass over them until it left the handshake.
 *
 * Spec:   RFC 9000, sections 12.2, 17.2; overlay-facts section 2
 * Floor:  4, overlay/net. No I/O, heap, clock or thread.
 * Tests:  tests/unit/test_quic.c
 */
#ifndef OVERLAY_NET_QUIC_GUARD_H
#define OVERLAY_NET_QUIC_GUARD_H

#include "base/bytes.h"

/* The bytes at the front of a datagram that are whole packets of the handshake; all of one that begins with Retry or
 * Version Negotiation. 0: it does not parse, or begins with a short header. */
size_t quic_guard_cut(view_t datagram);

#endif
