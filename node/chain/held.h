/* held.h - the newest verified heads, so that a block can be asked for again by number or hash: those that were the
 * latest or the finalized head while this node followed. What a newer head or a finalized one shows to be no ancestor
 * is forgotten; what is left may still be none: heads may leave blocks out, and a reorganisation may begin there. So a
 * block is given only as an ancestor of a head, by the parent hashes of held blocks, or as a final one.
 *
 * Floor:  5, node/chain. Thread-safe. No I/O or clock.
 * Tests:  tests/unit/test_held.c
 */
#ifndef NODE_CHAIN_HELD_H
#define NODE_CHAIN_HELD_H

#include <pthread.h>

#include "lightclient/consensus/sync.h"
#include "lightclient/exec/request.h"

#define HELD_MAX 128u /* more than the slots from a head to the finalized one when all is well */

/* A verified block, and what is signed about it. */
typedef struct {
    ex_block_t block;
    uint64_t slot; /* of the beacon block that proves it: its own, from Gloas on a later one */
    hash32_t beacon_root, beacon_state_root;
    uint32_t participants; /* of the aggregate that it rests on */
    bool finalized;
} held_head_t;

typedef struct {
    pthread_mutex_t lock;
    held_head_t rows[HELD_MAX]; /* no order */
    size_t count;
    uint64_t newest_slot; /* of all that were noted */
} held_t;

/* What a light client's head says of a block. Only for heads that prove an execution header. */
held_head_t held_head_of(const lc_head_t *h, uint64_t chain_id, bool finalized);

void held_init(held_t *h);  /* never fails */
void held_clear(held_t *h); /* ends it */

/* Remembers the present heads; of a finalized one that is not there yet NULL. What comes late, from another thread, is
 * passed over. */
void held_note(held_t *h, const held_head_t *latest, const held_head_t *finalized);

/* The ancestor of a verified head with a number or a hash; false: it is not held, or nothing ties it to the head. */
bool held_by_number(held_t *h, held_head_t *out, const ex_block_t *of, uint64_t number);
bool held_by_hash(held_t *h, held_head_t *out, const ex_block_t *of, const hash32_t *block_hash);

/* The block of a hash on whatever branch: never to be answered or signed as one of the chain. */
bool held_anywhere(held_t *h, held_head_t *out, const hash32_t *block_hash);

/* Whether there is one on whatever branch whose number is from..to. */
bool held_has_between(held_t *h, uint64_t from, uint64_t to);

/* All of them, by their slots; says how many. */
size_t held_list(held_t *h, held_head_t out[HELD_MAX]);

#endif
