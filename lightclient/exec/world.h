/* world.h - a whole state that is known: accounts, code and storage in writable tries. For state that is made up
 * (genesis, tests, simulation), and its root.
 *
 * A copy of the struct is a snapshot, as with mpt_trie_t.
 *
 * Spec:   Yellow Paper section 4.1 (world state)
 * Floor:  2, exec. May include base/, rlp/, mpt/, evm/. Memory comes from the arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_block.c, vectors kinds state, blockchain
 */
#ifndef EXEC_WORLD_H
#define EXEC_WORLD_H

#include "lightclient/evm/evm.h"
#include "lightclient/mpt/trie.h"

/* The empty state: { .accounts.arena = a }. */
typedef struct {
    mpt_trie_t accounts;
} ex_world_t;

/* Takes over what a transaction or block changed. RC_NOMEM, RC_BUG: the world is unchanged. */
NODISCARD rc_t ex_world_apply(ex_world_t *w, const evm_change_t *changes, size_t count);

/* The state root. RC_NOMEM. */
NODISCARD rc_t ex_world_root(hash32_t *out, const ex_world_t *w);

/* Callbacks over w, which must outlive them. block_hash is NULL: the caller sets its own, and may wrap ctx. */
evm_host_t ex_world_host(ex_world_t *w);

#endif
