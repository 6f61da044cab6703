/* round.h - one step's needs, asked of one endpoint after the other until nothing is left to ask for. A machine:
 * whoever drives it sends its party off and takes the answers (node/query/ask.c).
 *
 *     round_begin -> round_next -> ROUND_WAIT: the party is off; when it has landed round_take, then round_next again
 *                               -> ROUND_LATER: nothing is to be done before again_ms; then round_next
 *                               -> ROUND_ENDED: round_end tells what came of it
 *
 * Who says "too often" or does not know the block yet is asked again within the query's time, others first; nobody is
 * asked before the time that he named. When a whole pass over all has brought nothing for ROUND_VAIN_MAX_MS, that ends.
 *
 * Floor:  5, node/query. One thread at a time.
 * Tests:  tests/unit/test_ask.c, tests/unit/test_ask_shared.c, tests/unit/test_providers.c
 */
#ifndef NODE_QUERY_ROUND_H
#define NODE_QUERY_ROUND_H

#include "base/os/clock.h"
#include "lightclient/exec/query.h"
#include "node/query/flight.h"

#define ROUND_VAIN_MAX_MS 10000u /* a round in which nothing more is answered, before it is told who gives nothing */

/* What is wrong with answers: the first fault, unless a later one accuses its sender, or memory was short. */
typedef struct {
    rc_t rc;
    bool passes; /* the same may be answered a little later */
    err_t why;
} fault_t;

typedef struct {
    query_t *query;
    up_t *upstream;
    flights_t *flights;
    clock_fn now_ms;
    arena_t arena;

    const need_t *needs;
    size_t count;
    hash32_t *keys;
    bool *answered;
    bool honest; /* an endpoint answered, and had not everything */
    rc_t rc;     /* of the last endpoint; RC_OK: nothing is left that another one should be asked for */
    err_t why;

    size_t order[UP_ENDPOINTS_MAX], endpoints, at; /* at: which of order is asked */
    unsigned passes;                               /* how often all were asked in vain, */
    uint64_t since_ms;                             /* ... since then: by now_ms, when the last need was answered */
    bool soon;                                     /* one of them may have it a little later: */
    uint64_t again_ms;                             /* ... then, by now_ms */
    bool told_late[UP_ENDPOINTS_MAX]; /* that an endpoint does not know the block yet, once for all passes */

    /* of the endpoint that is asked */
    bool *asked;       /* ... for this need: it has had its say */
    bool begun;        /* it has been asked for something */
    bool heard;        /* it answered a batch, if only with errors */
    bool own;          /* we asked it for something ourselves, */
    fault_t all, mine; /* what its answers were, all, and those that are ours to report */
    bool stopped;      /* asking it for more makes no sense */
    bool late;         /* the party left before its answer came */
    uint32_t retry_after_ms;

    party_t party;
} round_t;

/* Begins with the needs of the query's last step. RC_NOMEM. round_free it in any case. */
NODISCARD rc_t round_begin(round_t *r, query_t *query, up_t *upstream, flights_t *flights, clock_fn now_ms,
                           void (*landed)(party_t *p));

typedef enum { ROUND_WAIT, ROUND_LATER, ROUND_ENDED } round_state_t;

/* Sends the next party off, to the next endpoint where the present one has had its say. */
round_state_t round_next(round_t *r);

/* Gives the query what the party brought. */
void round_take(round_t *r);

/* What came of it. RC_OK: the query can go on; RC_IO: it cannot, e names the last endpoint; RC_NOMEM. */
rc_t round_end(const round_t *r, err_t *e);

/* The query's time is over, and the party taken: reports the endpoint that was asked. */
void round_late(round_t *r);

/* Lets go of what it holds. */
void round_free(round_t *r);

#endif
