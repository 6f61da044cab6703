/* flight_work.h - what node/query/flight.c, flight_again.c and flight_length.c share: the batches in the air.
 *
 * Floor:  5, node/query. Inside of flight.h only; under the lock of node/query/flight.c.
 * Tests:  tests/unit/test_ask.c, tests/unit/test_ask_shared.c, tests/unit/test_ask_long.c
 */
#ifndef NODE_QUERY_FLIGHT_WORK_H
#define NODE_QUERY_FLIGHT_WORK_H

#include <pthread.h>

#include "base/os/worker.h"
#include "http/budget.h"
#include "node/query/flight_turns.h"
#include "node/query/party.h"

#define BUCKETS 4096u

struct flights {
    flights_config_t config;
    pthread_mutex_t lock; /* all below, and seats and parties that wait */
    pthread_cond_t empty;
    flight_t *buckets[BUCKETS];
    turns_t at[UP_ENDPOINTS_MAX], wide[UP_ENDPOINTS_MAX]; /* wide: of what may have long answers */
    bool wide_is_next[UP_ENDPOINTS_MAX];                  /* of the two, when both wait */
    struct guest *guests[UP_ENDPOINTS_MAX];               /* of both */
    budget_t budget;
    budget_use_t own; /* of it, by the program itself */
    size_t held;      /* bytes that the answers on their way and in use may have */
    worker_t *gate;   /* closes what is open; NULL: nothing ever is */
    bool tall;        /* one answer that may be longer than they are is on its way, beside them */
    size_t batches;   /* that are not freed yet */
    flights_counts_t counts;
};

/* A flight with that need that is in the air, to that endpoint. NULL: none is. */
flight_t *flight_find(flights_t *f, const hash32_t *key, size_t endpoint);

/* NULL: no memory. */
batch_t *batch_new(flights_t *f, size_t endpoint, hs_client_t *client);

/* Puts a need into a batch, on a flight of its own that others may join. NULL: no memory. */
flight_t *batch_add(flights_t *f, batch_t *b, const hash32_t *key, const need_t *asked);

/* Whether one more need may go with it, as far as the endpoint can. */
bool batch_has_room(const batch_t *b, const need_t *need, const cap_t *can);

/* Gives somebody his place, and takes it. */
void seat_sit_down(seat_t *s, flight_t *x);
void seat_stand_up(seat_t *s);

/* Where a batch waits, and is counted while it is in the air. It has all its needs. */
turns_t *batch_turns(flights_t *f, const batch_t *b);

/* ---- flight_length.c: how long answers may be ---- */

/* The answer to a batch, at most. */
size_t batch_body_max(const batch_t *b);

/* That about one block alone which is longer than blocks mostly are; 0: not of a block. */
size_t batch_tall_max(const need_t *need);

/* Whether the answer may be long, as blocks mostly are. */
bool batch_is_wide(const batch_t *b);

/* Whether the answers of an honest endpoint may be longer together than those of a batch may be. */
bool batch_may_be_too_long(const batch_t *b);

/* ---- flight_again.c: asked again ---- */

/* Marks all flights of a batch. */
void batch_mark_all(batch_t *b, bool again);

/* Moves the flights of a batch that are marked and that somebody waits for into new ones, as large as the endpoint
 * takes them, which go first. alone: hints do not travel with others. parts: nor do those who share a proof. */
void batch_rebook(flights_t *f, batch_t *b, bool alone, bool parts);

/* Learns from what came, and asks again what may be had in another way. The flights are off board. */
void batch_ask_again(flights_t *f, batch_t *b);

#endif
