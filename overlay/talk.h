/* talk.h - messages of applications (messages.h) over the connections of peers: /kettle/msg/1 on framed streams. A
 * line's number is its connection's.
 *
 * Spec:   overlay-facts-more J (/kettle/msg/1)
 * Floor:  4, overlay. No socket, clock or thread. All calls on the net's thread.
 * Tests:  tests/unit/test_overlay_app.c
 */
#ifndef OVERLAY_TALK_H
#define OVERLAY_TALK_H

#include "overlay/messages.h"
#include "overlay/net/net.h"

typedef struct talk talk_t;

typedef struct {
    messages_config_t messages; /* send, ready and ctx are filled in here; random's ctx is the one below */
    /* A peer can be sent messages, on its first connection that can; on none any more. */
    void (*peer)(void *ctx, const uint8_t key[33], bool is_there);
    /* All that was written to a peer has left. NULL: not wanted. */
    void (*writable)(void *ctx, const uint8_t key[33]);
    void *ctx;
} talk_config_t;

/* RC_NOMEM. */
NODISCARD rc_t talk_new(talk_t **out, const talk_config_t *config);

/* After net_free. NULL allowed. */
void talk_free(talk_t *t);

/* For the net's configuration. */
void talk_protocol(talk_t *t, net_protocol_t *out);

/* Where types and groups are registered, and lines are told apart. */
messages_t *talk_messages(talk_t *t);

/* The peer of a connection is attested, judged and runs our order; is that no more; the connection is over. RC_NOMEM;
 * RC_LIMIT: too many. */
NODISCARD rc_t talk_peer(talk_t *t, net_conn_t *c, const uint8_t key[33]);
void talk_hold(talk_t *t, net_conn_t *c);
void talk_closed(talk_t *t, net_conn_t *c);

/* The peers that can be sent messages, each once, at most cap of them; their number. */
size_t talk_peers(const talk_t *t, uint8_t (*keys)[33], size_t cap);

/* Offers again what a message_fn did not want. */
void talk_resume(talk_t *t);

/* When the next turn is due. */
uint64_t talk_turn(talk_t *t, uint64_t now_ms);

#endif
