/* party.h - who waits for which needs, and within which bounds they are asked for (node/query/flight.h).
 *
 * Floor:  5, node/query. Types only.
 * Tests:  tests/unit/test_ask.c, tests/unit/test_ask_shared.c
 */
#ifndef NODE_QUERY_PARTY_H
#define NODE_QUERY_PARTY_H

#include <stdatomic.h>

#include "base/os/clock.h"
#include "http/client.h"
#include "node/query/batch.h"
#include "node/query/pool.h"
#include "rpc/upstream/endpoints.h"

#define BATCH_MAX CAP_BATCH_MAX
#define BATCH_SLOTS_MAX 512u /* slots in one batch */
#define BATCHES_MAX 8u       /* batches of one party side by side, */
#define SMALL_MAX 64u        /* when the endpoint takes small ones only */
#define IN_AIR_MAX 200u      /* batches of all at one endpoint side by side; more wait for their turn here */

#define FLIGHT_BYTES_MAX ((size_t)48 << 20)

/* One need that a party waits for. */
typedef struct seat {
    struct seat *prev, *next; /* on the same flight */
    struct party *party;
    flight_t *flight; /* while it waits */
    hash32_t key;     /* flight_key of need */
    const need_t *need;
    size_t index;   /* of the need, as its owner counts, */
    size_t at;      /* ... and the first of its slots that this is about */
    size_t from;    /* where the answer's proof begins to be about them: others ask for slots of the account, too */
    bool own;       /* the party asked for it; else it joined another's */
    batch_t *batch; /* once it has landed, with a reference; NULL: it was left */
    size_t element; /* which of the batch's */
} seat_t;

typedef struct party {
    seat_t *seats;
    size_t count;
    hs_client_t *client;             /* for whom; NULL: the program itself. Borrowed while it is in the air */
    size_t left;                     /* seats whose answer is still to come */
    bool sending;                    /* flights_send runs */
    atomic_bool here;                /* all have come since it was sent off */
    void (*landed)(struct party *p); /* here is set: called once, on any thread, must not block or call flight.h */
    void *owner;
} party_t;

/* Everything borrowed until flights_free. upstream's endpoints are told how long they took, and nothing of what
 * they answered: whoever judges that does so. */
typedef struct {
    hc_t *http;
    up_t *upstream;
    pool_t *pool;
    clock_fn now_ms;      /* of the endpoints' pace */
    uint32_t time_max_ms; /* of one batch */
    uint32_t gather_ms;   /* for which a batch waits for others, at most; 0: it does not */
    unsigned in_air_max;  /* 0: IN_AIR_MAX */
    size_t bytes_max;     /* of the bodies of answers on their way and in use; 0: FLIGHT_BYTES_MAX */
    uint64_t per_minute;  /* questions; 0: as many as there are */
} flights_config_t;

/* Needs that were asked for, and that found another's question in the air; batches in the air now, and that wait for
 * their turn; questions that are left of a minute's. */
typedef struct {
    uint64_t asked, joined, in_air, waiting, left;
} flights_counts_t;

#endif
