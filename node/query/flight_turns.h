/* flight_turns.h - in which order the batches to one endpoint go: what is asked again first, then the clients' turns
 * (http/share.h), each with a batch of his.
 *
 * Floor:  5, node/query. Under the lock of node/query/flight.c.
 * Tests:  tests/unit/test_flight_turns.c, tests/unit/test_ask.c, tests/unit/test_ask_shared.c
 */
#ifndef NODE_QUERY_FLIGHT_TURNS_H
#define NODE_QUERY_FLIGHT_TURNS_H

#include "node/query/batch.h"

#define TURNS_SORTS 2u /* of batches that go side by side, each with turns of its own */

typedef struct {
    unsigned in_air;
    batch_t *first;        /* what is asked again goes before all turns */
    share_t queue;         /* of what waits for its turn */
    struct guest **guests; /* who has turns, at all sorts */
    unsigned sort;
    batch_t *open; /* takes more on board before it waits; NULL: none does */
} turns_t;

/* Begins with nothing that waits. guests: one place for all sorts at an endpoint, NULL at first; places: batches side
 * by side, of all of them. */
void turns_init(turns_t *t, struct guest **guests, unsigned sort, unsigned places);

/* Puts a batch before all that wait for their turn. */
void turns_first(turns_t *t, batch_t *b);

/* Lets a batch wait for its client's turn; without memory for that it goes first. */
void turns_queue(turns_t *t, batch_t *b);

/* What goes next. NULL: nothing waits. */
batch_t *turns_peek(const turns_t *t);

/* Takes what goes next; something waits. */
batch_t *turns_take(turns_t *t);

/* A batch has landed; cost: to whose turn it was. */
void turns_end(turns_t *t, batch_t *b, uint64_t cost);

/* Takes a batch back that waits. False: it does not. */
bool turns_remove(turns_t *t, batch_t *b);

/* Whether one sort lets another go first: whoever is next has his share of the places already, and who is next there
 * has not. */
bool turns_yields(const turns_t *t, const turns_t *to);

/* How many wait. */
size_t turns_waiting(const turns_t *t);

#endif
