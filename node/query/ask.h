/* ask.h - the engine that answers queries from what untrusted endpoints prove: drives any query_t, many at the same
 * time.
 *
 *     step on the pool -> needs -> one endpoint (node/query/flight.h) -> give -> the next endpoint for what is
 *     still open,
 *                         or the next step -> ... -> done
 *
 * A query that waits for an upstream holds no thread. What two queries need at the same time is asked once. What one
 * endpoint has not keeps it from being asked for nothing else, and a bad endpoint behind a good one stops no query that
 * can go on without it: as long as somebody answered honestly, and what the query has met is there.
 *
 * Endpoints are told apart by what they did (rpc/upstream/endpoints.h): an answer that is false or broken is reported
 * once, however many queries wait for it; what only a guess asked for, an endpoint need not have.
 *
 * Floor:  5, node/query. Any thread.
 * Tests:  tests/unit/test_ask.c, tests/unit/test_ask_shared.c, tests/e2e (live, roundtrips, offline, lies, load)
 */
#ifndef NODE_QUERY_ASK_H
#define NODE_QUERY_ASK_H

#include "base/os/clock.h"
#include "http/client.h"
#include "lightclient/exec/query.h"
#include "node/query/flight.h"
#include "node/query/pool.h"
#include "rpc/upstream/endpoints.h"

#define ASK_TIME_MAX_MS 30000u  /* a whole query, upstream included */
#define ASK_BATCH_MAX_MS 10000u /* one batch, so that a slow endpoint leaves time for the next ones */
#define ASK_RUN_MAX_MS 10000u   /* all steps of a query together */

#define ASK_SLICE_MS 20u /* a step that takes longer begins anew behind the short ones of all */

#define ASK_CANCELLED 1 /* code of an err_t: the engine stops, and nothing was wrong with the query */

typedef struct ask ask_t;

/* Everything borrowed until ask_free. */
typedef struct {
    hc_t *http;
    up_t *upstream;
    pool_t *pool;          /* where queries run */
    clock_fn now_ms;       /* of the endpoints' back-off */
    clock_fn monotonic_ms; /* of limits; NULL: the system's */
    uint64_t chain_id;     /* endpoints are asked once whether they are of it; 0: they are not asked */
    uint32_t gather_ms;    /* for which needs of different queries are gathered into one batch; 0: they are not */
    size_t bytes_max;      /* of the answers on their way and in use; 0: FLIGHT_BYTES_MAX */
    uint64_t per_minute;   /* questions to all endpoints; 0: as many as there are */
    unsigned in_air_max;   /* batches at one endpoint side by side; 0: IN_AIR_MAX of node/query/flight.h */
} ask_config_t;

typedef struct {
    uint32_t time_max_ms; /* 0: ASK_TIME_MAX_MS */
    uint32_t run_max_ms;  /* 0: ASK_RUN_MAX_MS */
    hs_client_t *client;  /* on whose turns it runs; NULL: the program's own */
    /* Asked now and then, with the ctx of done, until done is called: whether nobody waits for the query any more. It
     * is then ended as one that is cancelled. Must not call this file. NULL: somebody always does. */
    bool (*unwanted)(void *ctx);
} ask_limits_t;

/* A query has ended: called once, on a thread of the pool; must not wait for anything. The query is the receiver's
 * to free.
 * RC_OK: it has its result. RC_REFUSED: the request itself; RC_IO: no endpoint gave an answer that could be proven,
 * and e names the last one; RC_TIMEOUT: too long, or e's code is ASK_CANCELLED; RC_LIMIT: it is too large, or e's code
 * is QUERY_OVER_BUDGET and its client has asked too much; RC_UNSUPPORTED, RC_NOMEM. */
typedef void (*ask_done_fn)(void *ctx, rc_t rc, const err_t *e, query_t *take_q);

/* RC_NOMEM, RC_IO: no thread. */
NODISCARD rc_t ask_new(ask_t **out, err_t *e, const ask_config_t *config);

/* Asks all endpoints whether they are of the chain, as at the start: there are others. */
void ask_probe(ask_t *a);

/* Starts a query. limits may be NULL and is copied. RC_NOMEM: the query is freed, and done is not called. */
NODISCARD rc_t ask_submit(ask_t *a, query_t *take_q, const ask_limits_t *limits, ask_done_fn done, void *ctx);

/* What is under way: queries, and what they ask. */
typedef struct {
    uint64_t queries;
    flights_counts_t flights;
} ask_counts_t;
void ask_counts(ask_t *a, ask_counts_t *out);

/* Ends all queries, present and to come, soon: RC_TIMEOUT with ASK_CANCELLED. Does not wait. */
void ask_cancel(ask_t *a);

/* The same, waits until every done has returned, and frees. NULL is allowed. */
void ask_free(ask_t *a);

#endif
