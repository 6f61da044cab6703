/* ask.h - the publisher's end of the three protocols: one request on a stream of an open connection, and its answer.
 *
 * Spec:   overlay-facts 13
 * Floor:  4, overlay/tpod. No socket, clock or thread. All calls on the net's thread.
 * Tests:  tests/unit/test_tpod_serve.c
 */
#ifndef OVERLAY_TPOD_ASK_H
#define OVERLAY_TPOD_ASK_H

#include "base/arena.h"
#include "overlay/net/net.h"
#include "overlay/tpod/names.h"

/* The protocols of this end's streams: lives as long as they do. */
typedef struct {
    net_protocol_t protocols[TPOD_PROTOCOLS];
} tpod_asker_t;

/* Never fails. */
void tpod_asker_init(tpod_asker_t *a);

/* The answer, once. message: the response's bytes, good during the call; for tpod_read.
 * RC_UNSUPPORTED: the peer does not serve it (now); RC_MALFORMED, RC_LIMIT: it answered nonsense; RC_REFUSED: it ended
 * without an answer; RC_TIMEOUT. */
typedef void (*tpod_answered_fn)(void *ctx, rc_t rc, view_t message);

/* Asks, by the seed's name of the call. request: its struct. RC_REFUSED: the connection is not open; RC_LIMIT: the
 * request is longer than it may be, or there are too many streams; RC_NOMEM: done is not called. */
NODISCARD rc_t tpod_ask(tpod_asker_t *a, net_conn_t *c, tpod_call_t call, const void *request, tpod_answered_fn done,
                        void *ctx);

#endif
