/* relayed.h - the transport through relays: a session (session.h) on a stream of another connection, which a relay
 * hands on. Its owner has the relay asked, and brings what comes on the stream.
 *
 *     dial:    net_dial of /.../p2p/RELAY/p2p-circuit/p2p/TARGET -> the owner's dial -> relayed_carry, relayed_take ...
 *     accept:  a relay's stream -> relayed_accept, relayed_take ...
 *
 * Both ends prove themselves to each other inside, so the relay learns of nothing but lengths and times. The address of
 * such a connection has a circuit: its peer is the relay, its target who is at the other end. A connection whose stream
 * ends is over, and with the connection its stream is ended or reset.
 *
 * Spec:   libp2p/specs relay/circuit-v2.md; overlay-facts-more I
 * Floor:  4, overlay/net. No socket, clock or thread.
 * Tests:  tests/unit/test_circuits.c
 */
#ifndef OVERLAY_NET_RELAYED_H
#define OVERLAY_NET_RELAYED_H

#include "overlay/net/net.h"

typedef struct relayed relayed_t;

typedef struct {
    /* Opens a stream for c to the relay of this address, and has it asked for the target: relayed_carry follows, or
     * relayed_lost. RC_IO: there is no connection to the relay; RC_REFUSED, RC_LIMIT, RC_NOMEM. */
    rc_t (*dial)(void *ctx, net_stream_t **out, err_t *e, net_conn_t *c, const maddr_t *to);
    /* The connection of this stream is over: what still comes on it is nobody's. */
    void (*left)(void *ctx, net_stream_t *s);
    void *ctx;
} relayed_config_t;

/* Adds the transport to a node, which frees it. RC_NOMEM. */
NODISCARD rc_t relayed_add(relayed_t **out, net_t *n, const relayed_config_t *config);

/* Makes a connection of a stream that a relay opened.
 *   from  a circuit's address, whose target is who asked for it: nobody else is taken
 * RC_LIMIT: too many are in HANDSHAKE, or from is not accepted; RC_NOMEM. */
NODISCARD rc_t relayed_accept(relayed_t *t, net_conn_t **out, net_stream_t *s, const maddr_t *from);

/* The relay has joined the stream of a dialled connection to its target. */
void relayed_carry(net_conn_t *c);

/* Bytes came on the stream, which gives the room back itself; what was written has left; the stream is gone. */
void relayed_take(net_conn_t *c, view_t bytes);
void relayed_writable(net_conn_t *c);
void relayed_lost(net_conn_t *c, const err_t *why);

#endif
