/* framed.h - a protocol of whole messages, each behind its length, on the connections of peers: each end opens one
 * stream for what it says. Flood, agreed broadcast and applications' messages run on it.
 *
 *     framed_open -> (our stream is agreed) up -> framed_write; take for each message of the peer
 *     framed_hold -> down, nothing is taken or written until framed_open again
 *
 * A peer that does not serve the protocol is asked again, later each time. A stream that ends before its connection,
 * and a message that is refused, end the connection: what was lost on a stream is made good on the next connection.
 *
 * A message stays in the receiver's memory, and what is behind it at the sender, while take says "not now": so a slow
 * reader slows its writers, whose framed_write then says RC_LIMIT.
 *
 * Spec:   overlay-facts-more J (varint length, then the message); F5 (served to peers of our order only)
 * Floor:  4, overlay. No socket, clock or thread. All calls on the net's thread.
 * Tests:  tests/unit/test_framed.c
 */
#ifndef OVERLAY_FRAMED_H
#define OVERLAY_FRAMED_H

#include "overlay/net/net.h"

#define FRAMED_AGAIN_MS 100u /* before a peer that does not serve the protocol is asked again; doubles, */
#define FRAMED_AGAIN_MAX_MS 30000u
#define FRAMED_LENGTH_MAX 4u /* bytes of a message's length */

typedef struct framed framed_t;

typedef struct {
    const char *name;
    size_t max; /* bytes of a message, below 2^27 */
    /* The connection carries messages now, or no more; down also when it is over. */
    void (*up)(void *ctx, net_conn_t *c);
    void (*down)(void *ctx, net_conn_t *c);
    /* One message. RC_OK: used; RC_NEED_DATA: not now, it comes again after framed_resume; else the connection is ended
     * with e. */
    rc_t (*take)(void *ctx, err_t *e, net_conn_t *c, view_t message);
    /* All that was written has left. NULL: not wanted. */
    void (*writable)(void *ctx, net_conn_t *c);
    void *ctx;
} framed_config_t;

/* RC_NOMEM. */
NODISCARD rc_t framed_new(framed_t **out, const framed_config_t *config);

/* After net_free. NULL allowed. */
void framed_free(framed_t *f);

/* For the net's configuration. */
void framed_protocol(framed_t *f, net_protocol_t *out);

/* The peer of a connection may be talked to from now on; not for now; never again, as the connection is over. Known and
 * unknown connections may be given at any time. RC_NOMEM. */
NODISCARD rc_t framed_open(framed_t *f, net_conn_t *c);
void framed_hold(framed_t *f, net_conn_t *c);
void framed_closed(framed_t *f, net_conn_t *c);

/* Writes a message, whole or not at all. RC_REFUSED: it is not up; RC_LIMIT: too long, or too much waits; RC_NOMEM. */
NODISCARD rc_t framed_write(framed_t *f, net_conn_t *c, view_t message);

/* Offers again what take did not want. */
void framed_resume(framed_t *f, net_conn_t *c);

/* Asks again whom it is time to; when the next turn is due (UINT64_MAX: none). */
uint64_t framed_turn(framed_t *f, uint64_t now_ms);

#endif
