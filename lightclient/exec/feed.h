/* feed.h - what happens to the chain, as a sequence of events without gaps: blocks that came, and blocks that a
 * reorganisation took away.
 *
 *     feed_seed -> on each new head: feed_want -> fetch these blocks of the head's chain (exec/history.h) -> feed_give
 *               -> events from the last read sequence number on: feed_event
 *
 * Heads of a light client may leave blocks out, and may be on another branch than the one before. Nothing is announced
 * before the chain from what was announced last to the new block is whole: where the branches part is found by parent
 * hashes. Of a reorganisation first all blocks of the old branch are told as removed, lowest first (as geth does),
 * then those of the new one.
 *
 * Memory is bounded: the oldest blocks go first, together with their events. Who reads events more slowly than they go
 * is told so by feed_first.
 *
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_feed.c
 */
#ifndef EXEC_FEED_H
#define EXEC_FEED_H

#include "lightclient/exec/logged.h"

#define FEED_CHAIN_MAX 8192u /* blocks that are remembered, */
#define FEED_EVENTS_MAX 16384u
#define FEED_STEP_MAX 256u /* and that are wanted at once */

/* A block of the chain as it was announced. */
typedef struct {
    uint64_t number;
    hash32_t hash;
    ex_logged_t *logged; /* NULL: it is the seed, or below it */
} feed_link_t;

typedef struct {
    bool removed;
    ex_logged_t *logged;
} feed_event_t;

typedef struct {
    size_t bytes_max, bytes;
    feed_link_t *chain; /* a ring of FEED_CHAIN_MAX */
    size_t bottom, count;
    feed_event_t *events; /* a ring of FEED_EVENTS_MAX */
    uint64_t first, next; /* sequence numbers of the oldest event, and of the one to come */
    uint64_t depth;       /* blocks below the newest at which the branches were looked for, and did not meet */
} feed_t;

/* An empty feed. RC_NOMEM. */
NODISCARD rc_t feed_init(feed_t *f, size_t bytes_max);
void feed_clear(feed_t *f);

#define FEED_BELOW_MAX 8u

/* Begins at a block, which itself is no event. Everything before is forgotten; sequence numbers go on.
 *   below  its ancestors, the parent first, as far as they are known, at most FEED_BELOW_MAX: when it is taken away,
 *          what comes on top of the highest of them that stands is announced */
void feed_seed(feed_t *f, uint64_t number, const hash32_t *hash, const hash32_t *below, size_t count);

/* Whether it has begun, and the newest block that was announced (or the seed). */
bool feed_tip(const feed_t *f, uint64_t *number, hash32_t *hash);

/* Which blocks of the chain of a head are wanted next: at most FEED_STEP_MAX, or up to the head when it is looked for
 * where the branches part. False: the head is the newest announced. */
bool feed_want(const feed_t *f, uint64_t *from, uint64_t *to, uint64_t head, const hash32_t *hash);

/* Takes blocks that feed_want named, verified to be ancestors of that head (or the head itself), lowest first.
 *   blocks  referenced as needed; the caller keeps its own references
 * RC_OK: events were added; RC_NEED_DATA: the branches part deeper, want again; RC_LIMIT: they part below all that is
 * remembered, so that there is a gap, and it needs a new seed; RC_MALFORMED: they do not follow each other. */
NODISCARD rc_t feed_give(feed_t *f, ex_logged_t *const *blocks, size_t count);

/* The sequence number of the oldest event that is there, and of the next one to come. */
static inline uint64_t feed_first(const feed_t *f)
{
    return f->first;
}

static inline uint64_t feed_next(const feed_t *f)
{
    return f->next;
}

/* An event; first <= seq < next. */
const feed_event_t *feed_event(const feed_t *f, uint64_t seq);

/* The announced block of a number; NULL: it is not remembered, or is the seed or below it. */
ex_logged_t *feed_block(const feed_t *f, uint64_t number);

/* The sequence number behind the event that announced a block which still stands, so that reading goes on after it;
 * *seq is untouched and the result false when the block is not announced, or does not stand. The seed, and what is
 * below it, stands before the first event after it. */
bool feed_after(const feed_t *f, uint64_t *seq, uint64_t number, const hash32_t *hash);

#endif
