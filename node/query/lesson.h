/* lesson.h - what the answer to a batch teaches of its endpoint, and what is to be blamed on it.
 *
 *     lesson_read -> lesson_note: how long it took, where it was led, what was asked
 *                 -> lesson_elements, lesson_refusal, lesson_busy or lesson_silence: what it can do
 *                    (rpc/upstream/capability.h), and what is to be asked again
 *                 -> of each need in it: query_give -> lesson_is_numbered, lesson_is_limit, lesson_blames -> up_report
 *
 * A fault of a batch is told once, whoever waits for it; which counter it goes to is its result (up_report in
 * rpc/upstream/endpoints.h): RC_REFUSED a lie, RC_NEED_DATA late, RC_UNSUPPORTED newer, all else unusable; RC_REPLAY of
 * that is what came by number and is not of the block, nor of a branch that the endpoint says to be on.
 *
 * Floor:  5, node/query. Any thread.
 * Tests:  tests/unit/test_ask.c, tests/unit/test_providers.c
 */
#ifndef NODE_QUERY_LESSON_H
#define NODE_QUERY_LESSON_H

#include "node/query/batch.h"
#include "rpc/upstream/endpoints.h"

/* Decodes the answer, before anybody else sees it: fills in heard, rc, why, retry_after_ms and answers. */
void lesson_read(batch_t *b);

/* Notes how long it took or was waited for, where it was led (takes response.led), what was asked, what came, and for
 * how long the endpoint is to be left alone. */
void lesson_note(up_t *u, batch_t *b, uint64_t now_ms);

/* Whether a hint is asked for in it. */
bool lesson_has_hint(const batch_t *b);

/* Learns from a batch that was answered, and marks those of its flights that are to be asked again: how many. Flights
 * are under the lock of node/query/flight.c. */
int lesson_elements(up_t *u, batch_t *b);

/* Learns from one that was refused as a whole: what to do with it. */
cap_next_t lesson_refusal(up_t *u, batch_t *b);

/* Learns from one that was refused as too often. */
void lesson_busy(up_t *u, batch_t *b);

/* Learns from one to which nothing came. */
void lesson_silence(up_t *u, const batch_t *b);

/* How much a fault says: memory is ours, a lie outranks what is broken, and that what is only missing. */
unsigned lesson_rank(rc_t rc);

/* Whether a fault of a batch is to be told: nobody has told one that says as much. A lie is, though something broken
 * came before it. */
bool lesson_blames(batch_t *b, rc_t rc);

/* Whether a need in it was asked for by a block's number, and that block is not long final: the answer may be of
 * another branch. */
bool lesson_is_numbered(const batch_t *b, const need_t *need);

/* What an endpoint answered to the question which block has the number of need's. */
typedef enum {
    BRANCH_UNASKED,
    BRANCH_OURS,
    BRANCH_OTHER,  /* another one: e says so */
    BRANCH_UNSAID, /* it cannot or does not say */
    BRANCH_NOT_NOW /* nothing for now, for the reason in e; *passes: but it may a little later */
} lesson_branch_t;
lesson_branch_t lesson_branch(err_t *e, bool *passes, const batch_t *b, size_t element, const need_t *need);

/* Whether an answer is a proof that contradicts itself: from whatever root its nodes begin with it shows something
 * else than it says, or nothing. Then it is of no branch. */
bool lesson_is_false(arena_t *scratch, const batch_t *b, size_t element);

/* Learns that it was. */
void lesson_other_branch(up_t *u, size_t endpoint);

/* Learns from what became of the access lists that an endpoint gave for a query. */
void lesson_hinted(up_t *u, size_t endpoint, hinted_t hinted);

/* Whether what was refused of it goes beyond what the endpoint can do, which is no fault: the age of a block. */
bool lesson_is_limit(up_t *u, const batch_t *b, const need_t *need, size_t element);

#endif
