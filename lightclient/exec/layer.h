/* layer.h - changes of several transactions on top of a host, and a host again. Internal to exec/.
 *
 * Floor:  2, exec. May include base/, evm/. Memory comes from the arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_block.c, vectors kind blockchain
 */
#ifndef EXEC_LAYER_H
#define EXEC_LAYER_H

#include "base/arena.h"
#include "base/map.h"
#include "lightclient/evm/evm.h"

typedef struct {
    arena_t *arena;
    const evm_host_t *below;
    map_t accts; /* by address, in the order of their first change */
    map_t slots; /* by address and key */
    /* Functions of the host that the owner sets in place of those below; NULL: he does not. */
    void *hook_ctx;
    unsigned (*precompile)(void *ctx, const addr_t *addr);
    void (*touched)(void *ctx, const addr_t *addr, const u256_t *slot);
    rc_t (*block_hash)(void *ctx, hash32_t *out, uint64_t number);
} ex_layer_t;

/* No change yet. below must outlive the layer. RC_NOMEM. */
NODISCARD rc_t ex_layer_init(ex_layer_t *o, arena_t *arena, const evm_host_t *below);

/* Adds what a transaction changed; everything is copied. RC_NOMEM: the layer is of no use any more. */
NODISCARD rc_t ex_layer_apply(ex_layer_t *o, const evm_change_t *changes, size_t count);

/* Callbacks that see the changes. */
evm_host_t ex_layer_host(ex_layer_t *o);

/* All changes so far, each account once; in the arena. RC_NOMEM. */
NODISCARD rc_t ex_layer_changes(const evm_change_t **out, size_t *count, ex_layer_t *o);

#endif
