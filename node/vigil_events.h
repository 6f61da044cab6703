/* vigil_events.h - what came of standing calls, for whoever listens: the last events, and streams of server-sent events
 * that read them.
 *
 *     id: EPOCH-NUMBER         of the last event that a listener has had; EPOCH is another one after a restart
 *     event: open              first; {}: from here on
 *     event: gap               {"events": N}: so many are not kept any more, or, 0, nobody knows how many
 *     event: statement         {"ids": ["0x...", ...], "head": N, "statement": {...}}
 *
 * A listener that comes again with Last-Event-ID goes on behind it, and is told of a gap rather than missing anything.
 * A slow one holds nothing: it finds a gap, too.
 *
 * A session of a WebSocket is pushed the same: notifications of its subscription whose result is {"id", "event",
 * "data"}. What is pushed to it counts as sent; one that takes nothing is ended (http/websocket.h).
 *
 * Floor:  5, node. Any thread.
 * Tests:  tests/unit/test_vigil.c
 */
#ifndef NODE_VIGIL_EVENTS_H
#define NODE_VIGIL_EVENTS_H

#include "base/err.h"
#include "http/stream.h"
#include "rpc/api/methods.h"
#include "rpc/api/standing.h"

#define VIGIL_EVENTS_MAX 4096u                   /* that are kept, */
#define VIGIL_EVENTS_BYTES_MAX ((size_t)8 << 20) /* in so many bytes */
#define VIGIL_IDS_MAX STANDING_MAX               /* standing calls that one listener listens for */
#define VIGIL_WATCHES_MAX 8u                     /* subscriptions of one session, */
#define VIGIL_WATCHED_MAX 262144u                /* and standing calls of all subscriptions, once for each: */
#define VIGIL_WATCHED_PART 8u                    /* one has at most a part in so many of what is left */
#define VIGIL_AGAIN_MAX 512u                     /* events that one is pushed again at its beginning; more are a gap */

typedef struct vigil_events vigil_events_t;

/* How a session is reached; must not wait. Called with these events' lock held. */
typedef struct {
    void (*push)(void *session, view_t text);
    void (*end)(void *session); /* what it was to be told is lost */
} vigil_sessions_t;

/* turn: as for jobs_t; what was put in a former one is not sent any more: who has not had it finds a gap, and the
 * stream of who is in the midst of it ends there. NULL: out of memory. */
vigil_events_t *vigil_events_new(uint64_t (*turn)(void *ctx), void *ctx, const vigil_sessions_t *sessions);

/* Once no server runs that has streams of it. NULL is allowed. */
void vigil_events_free(vigil_events_t *v);

/* A call has a new statement, signed in this turn: what listens for it is told, unless that turn is over. */
void vigil_events_put(vigil_events_t *v, uint64_t turn, const hash32_t *call, view_t statement, uint64_t head);

/* Answers a request by a stream of what comes of these, which are put in order. */
void vigil_events_listen(vigil_events_t *v, hs_response_t *r, const hs_request_t *request, standing_ref_t *refs,
                         size_t count);

/* Begins a subscription of a session to these, which are put in order; last: the id of the event that it has had, or
 * empty. Nothing is pushed before vigil_events_begin. RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t vigil_events_watch(vigil_events_t *v, char id[API_WATCH_ID_LEN + 1], err_t *e, const api_asker_t *by,
                                  standing_ref_t *refs, size_t count, const char *last);

/* Ends one. False: the session has none of this id. */
bool vigil_events_unwatch(vigil_events_t *v, void *session, view_t id);

/* The answer to a message, which tells a session the ids of the subscriptions that it asked for, is on its way; and:
 * the session is over. */
void vigil_events_begin(vigil_events_t *v, void *session, const void *message);
void vigil_events_over(vigil_events_t *v, void *session);

/* How many listen now. */
uint64_t vigil_events_listeners(vigil_events_t *v);

#endif
