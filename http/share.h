/* share.h - whose turn it is: a queue for each client, served round robin, so that no client waits behind another's
 * flood.
 *
 * Work-conserving: who is alone may use every place. A share binds only while others wait. Then a client has at most a
 * quarter of the places (one at least), and whoever used more than others waits until they have had as much.
 *
 *     share_push(&s, &client->turn, &task->item);         // something to do
 *     item = share_next(&s, &turn);                       // whoever is next; NULL: nobody waits
 *     ... do it ...
 *     share_done(&s, turn, cost_us);                      // what it cost
 *
 * Floor:  2, http. No I/O, clock, heap or lock: the owner holds its own.
 * Tests:  tests/unit/test_share.c
 */
#ifndef HTTP_SHARE_H
#define HTTP_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARE_PART 4u             /* a client has one part in so many, while others wait */
#define SHARE_DEBT_MAX_US 1000000 /* what a client used more than others is remembered up to this */

/* Something that waits, inside whatever it is about. */
typedef struct share_item {
    struct share_item *next;
} share_item_t;

/* A client's place in one scheduler; zeroed at first. Must outlive all of its items, run ones included. */
typedef struct share_turn {
    struct share_turn *prev, *next; /* in the ring of those that wait */
    share_item_t *first, *last;
    unsigned waiting, running;
    int64_t debt_us;               /* used beyond what others had; not below 0 */
    bool exempt;                   /* stands for many clients that it does not tell apart: has turns, but no bounds */
    const struct share_turn *twin; /* its client's at another scheduler of the same places, which count; NULL: none */
} share_turn_t;

typedef struct {
    share_turn_t ring;         /* of the turns with something that waits; next is who is asked first */
    unsigned places;           /* that can be worked on side by side */
    unsigned waiting, running; /* items of all */
} share_t;

/* Begins with no turn; places: at least 1. */
void share_init(share_t *s, unsigned places);

/* The most of places that one client has while others want some: a quarter, but one. */
unsigned share_part(unsigned places);

/* Queues an item behind its client's others. */
void share_push(share_t *s, share_turn_t *t, share_item_t *item);

/* Takes the next item, of *turn. NULL: nothing waits. The number of places is for the caller to keep. */
share_item_t *share_next(share_t *s, share_turn_t **turn);

/* Whether a turn has its share of the places. */
bool share_is_bound(const share_t *s, const share_turn_t *t);

/* What share_next would take, which stays there. NULL: nothing waits. */
share_item_t *share_peek(const share_t *s);

/* An item of the turn has been worked on. cost_us: what it used, processor time or whatever is scarce. */
void share_done(share_t *s, share_turn_t *t, uint64_t cost_us);

/* More was used on a client's behalf. */
void share_charge(share_t *s, share_turn_t *t, uint64_t cost_us);

/* Takes back an item that waits. */
void share_remove(share_t *s, share_turn_t *t, share_item_t *item);

/* Takes back the item of a turn that came last. NULL: none waits. */
share_item_t *share_take_last(share_t *s, share_turn_t *t);

/* Of the turns that are not exempt the one with the most items that wait; NULL: none. */
share_turn_t *share_longest(const share_t *s);

#endif
