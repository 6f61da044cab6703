/* objects.h - light-client objects that the follower accepted, kept as bytes for members who ask (overlay/lcdata.h),
 * and why its endpoints give no newer ones. Only what this node's own store has verified is in here.
 *
 * Floor:  5, node/chain. Any thread: it has its own lock.
 * Tests:  tests/unit/test_follow_members.c
 */
#ifndef NODE_CHAIN_OBJECTS_H
#define NODE_CHAIN_OBJECTS_H

#include "base/arena.h"
#include "lightclient/consensus/sync.h"
#include "overlay/lcdata.h"

#define OBJECTS_UPDATES_MAX 16u /* the newest periods, */
#define OBJECTS_BOOTSTRAPS_MAX 4u
#define OBJECTS_SHOWN_MAX 192u /* objects that show heads: more than the slots from a head to the finalized one */

typedef struct objects objects_t;

/* network: borrowed until objects_free. NULL: out of memory. */
objects_t *objects_new(const lc_network_t *network);
void objects_free(objects_t *o);

/* Keeps an object that was accepted; of finality and optimistic updates the last one, of updates one a period. root: of
 * a bootstrap, its block's. What does not fit LCDATA_OBJECT_MAX, or memory, is left out. */
void objects_note(objects_t *o, lc_kind_t kind, lc_fork_t fork, view_t ssz, const hash32_t *root);

/* Grows with everything that is kept. */
uint64_t objects_version(objects_t *o);

/* What there is of a want, as lcdata_answer_t has it, copied into the arena: fork digest and SSZ. The number of
 * objects: of updates those from want->period on without a gap. */
size_t objects_get(objects_t *o, view_t out[LCDATA_OBJECTS_MAX], arena_t *a, const lc_want_t *want);

/* The object that shows a head: its attested header, or with finalized its finalized one, signed by so many members.
 * Copied into the arena, fork digest and SSZ. False: it is not there any more, or memory is short. */
bool objects_show(objects_t *o, view_t *out, lc_kind_t *kind, arena_t *a, const hash32_t *beacon_root, bool finalized,
                  uint32_t participants);

/* The root of the first bootstrap that was kept: this node's own checkpoint. False: there is none. */
bool objects_checkpoint(objects_t *o, hash32_t *root);

/* One object as it goes out. RC_LIMIT: too long; RC_NOMEM. */
NODISCARD rc_t objects_pack(view_t *out, arena_t *a, const lc_network_t *network, lc_fork_t fork, view_t ssz);

/* What its endpoints do wrong; empty: nothing. */
void objects_say(objects_t *o, const char *text);
void objects_said(objects_t *o, char out[LCDATA_WHY_MAX]);

#endif
