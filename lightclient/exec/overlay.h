/* overlay.h - changes of several transactions on top of a host, and a host again. Internal to exec/.
 *
 * Floor:  4, exec. May include base/, evm/. Memory comes from the arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_block.c, vectors kind blockchain
 */
#ifndef EXEC_OVERLAY_H
#define EXEC_OVERLAY_H

#include "base/arena.h"
#include "lightclient/evm/evm.h"

#define EX_OVERLAY_BUCKETS 4096u /* of each table; a power of two */

typedef struct ex_over_acct ex_over_acct_t;
typedef struct ex_over_slot ex_over_slot_t;

typedef struct {
    arena_t *arena;
    const evm_host_t *below;
    ex_over_acct_t **accts; /* tables of lists */
    ex_over_slot_t **slots;
    ex_over_acct_t *first, **end; /* all accounts, in the order of their first change */
    size_t count;
} ex_overlay_t;

/* No change yet. below must outlive the overlay. RC_NOMEM. */
NODISCARD rc_t ex_overlay_init(ex_overlay_t *o, arena_t *arena, const evm_host_t *below);

/* Adds what a transaction changed; everything is copied. RC_NOMEM: the overlay is of no use any more. */
NODISCARD rc_t ex_overlay_apply(ex_overlay_t *o, const evm_change_t *changes, size_t count);

/* Callbacks that see the changes. */
evm_host_t ex_overlay_host(ex_overlay_t *o);

/* All changes so far, each account once; in the arena. RC_NOMEM. */
NODISCARD rc_t ex_overlay_changes(const evm_change_t **out, size_t *count, ex_overlay_t *o);

#endif
