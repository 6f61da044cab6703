/* batch.h - one request that carries needs to an endpoint, from its making to its end (node/query/flight.h).
 *
 * Floor:  5, node/query. Under the lock of node/query/flight.c until it has landed.
 * Tests:  tests/unit/test_ask.c, tests/unit/test_ask_shared.c
 */
#ifndef NODE_QUERY_BATCH_H
#define NODE_QUERY_BATCH_H

#include <stdatomic.h>

#include "base/arena.h"
#include "http/client.h"
#include "http/clients.h"
#include "node/query/pool.h"
#include "rpc/upstream/jsonrpc.h"

typedef struct flights flights_t;
typedef struct flight flight_t;

/* One need that a batch asks for, and whoever waits for it. */
struct flight {
    flight_t *next; /* of its bucket */
    hash32_t key;
    struct batch *batch;
    size_t element;
    bool again;         /* it is to be asked again */
    bool wide;          /* slots that others need were added to its proof */
    struct seat *seats; /* whoever waits for it */
};

/* A request and what came of it: constant once landed. */
typedef struct batch {
    flights_t *flights;
    size_t endpoint;
    atomic_uint refs;
    arena_t arena;
    const need_t **needs;               /* copies with all they point to, so that whoever asked may be gone */
    const ex_block_t *block_of, *block; /* the last block that was copied, and its copy */
    flight_t **list;
    size_t count, slots, hints;
    size_t passengers; /* seats of all its flights; without any it is cancelled */
    bool sent, landed;
    bool emptied;        /* all who waited for it have changed to smaller ones */
    bool tall;           /* it asks for one block alone, which may be as long as its gas permits */
    bool again;          /* it asks for what was refused as a whole */
    cap_form_t form;     /* in which it was written */
    uint64_t close_ms;   /* while it is open: by the monotonic clock, when it is no more */
    hs_client_t *client; /* who asked for the first of them; NULL: the program itself */
    struct guest *guest; /* whose turn it waits for, or had; NULL: nobody's */
    bool waits;          /* for that turn */
    share_item_t item;
    struct batch *next; /* of those that go before all turns */
    pool_task_t task;
    hc_group_t group;
    hc_request_t request;
    hc_response_t response;

    bool heard; /* HTTP status 200: the endpoint answered, if only with errors */
    rc_t rc;    /* of the batch as a whole; why says more */
    err_t why;
    uint32_t retry_after_ms;
    jr_answer_t *answers; /* of each need, when rc is RC_OK */
    atomic_uint blamed;   /* the most that somebody has told of its faults, as lesson.h ranks them; 0: nothing */
} batch_t;

#endif
