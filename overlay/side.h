/* side.h - a protocol of an owner's own beside the cluster's: short messages that he says to each peer, on connections
 * that are attested, judged and run our order, and on no others.
 *
 *     a connection is a peer's -> say, at once and at each turn, until the connection is that no more -> gone
 *     the peer says something  -> take
 *
 * Each time with what the connection is: EX, which only its two ends know, and the address at its other end.
 *
 * Floor:  4, overlay. No socket, clock or thread. All calls on the net's thread.
 * Tests:  tests/unit/test_side.c
 */
#ifndef OVERLAY_SIDE_H
#define OVERLAY_SIDE_H

#include "overlay/net/net.h"

typedef struct join join_t; /* overlay/join.h */

/* A connection of a peer, during a call. */
typedef struct {
    uint64_t number;           /* never used twice */
    const uint8_t *static_key; /* of the peer, 33 bytes */
    const uint8_t *own_key;    /* ours */
    const uint8_t *channel;    /* EX, 32 bytes */
    int64_t expires_s;         /* of its attestation */
    const maddr_t *addr;
    bool relayed; /* addr is the relay's */
} side_line_t;

/* What an owner brings; all but name on the net's thread. */
typedef struct {
    const char *name;
    size_t max; /* bytes of a message */
    /* Writes what is to be said on this connection now, of at most max bytes. False: nothing. */
    bool (*say)(void *ctx, wr_t *out, const side_line_t *l);
    /* RC_OK, or the connection is ended with e. */
    rc_t (*take)(void *ctx, err_t *e, const side_line_t *l, view_t message);
    void (*gone)(void *ctx, uint64_t number);
    void *ctx;
} side_owner_t;

typedef struct side side_t;

/* owner, and our static key: copied; what it points to and join are borrowed. RC_NOMEM. */
NODISCARD rc_t side_new(side_t **out, join_t *join, const side_owner_t *owner, const uint8_t own_key[33]);

/* After net_free, and before join_free. NULL allowed. */
void side_free(side_t *s);

/* For the net's configuration. */
void side_protocol(side_t *s, net_protocol_t *out);

/* Looks at the members anew, and says what is to be said: at each turn, and whenever members have changed; when the
 * next turn is due. */
uint64_t side_turn(side_t *s, uint64_t now_ms);

/* The connection is over. */
void side_closed(side_t *s, net_conn_t *c);

#endif
