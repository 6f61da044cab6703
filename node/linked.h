/* linked.h - what was proven before a block holds after it, as its block access list says: the lists of new heads, and
 * of the blocks that were no head here.
 *
 * A head's list counts from its parent on. Where that was no head (a slot whose head had too few signatures, or that no
 * endpoint showed), the blocks between it and the newest head before are fetched by hash, one after another, each with
 * its list. Nobody waits for that.
 *
 * Spec:   EIP-7928
 * Floor:  5, node. Thread-safe; asks by node/query/ask.h.
 * Tests:  tests/unit/test_linked.c
 */
#ifndef NODE_LINKED_H
#define NODE_LINKED_H

#include <stdatomic.h>

#include "lightclient/exec/cache.h"
#include "lightclient/exec/header.h"
#include "node/chain/held.h"
#include "node/query/ask.h"

#define LINKED_MAX 16u /* blocks in a row that are fetched */

typedef struct {
    ask_t *ask; /* borrowed, as the next two, until linked_busy says that nothing is under way */
    ex_cache_t *cache;
    held_t *held;
    atomic_uint without; /* heads of Amsterdam in a row that came without their list */
    atomic_uint walks;   /* through blocks that were no heads */
    atomic_bool lost;    /* the last header that was asked for with its list did not come */
} linked_t;

/* Before anything else. */
void linked_init(linked_t *l, ask_t *ask, ex_cache_t *cache, held_t *held);

/* Whether a head's list is worth asking for: somebody has it, or may have it by now. Not right after linked_lost. */
bool linked_asks(linked_t *l);

/* A header that was asked for with its list did not come: the next one is asked for alone, as that may be why. */
void linked_lost(linked_t *l);

/* Takes a new head's header, whose hash is proven, and its list, of which nothing is; rlp.p NULL: it did not come. */
void linked_take(linked_t *l, const ex_header_t *h, view_t rlp);

/* Whether blocks are being fetched. */
bool linked_busy(const linked_t *l);

#endif
