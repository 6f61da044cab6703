/* override.h - accounts that a request wants to be otherwise than they are, and precompiles that it wants elsewhere.
 *
 * Spec:   execution-apis eth_call (state overrides); go-ethereum internal/ethapi/override: applied in the order of
 *         addresses, after which it is as if a transaction before the call had made it so
 * Floor:  2, exec. May include base/, evm/. Memory comes from the arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods_call.c, tests/fuzz/fuzz_overrides.c
 */
#ifndef EXEC_OVERRIDE_H
#define EXEC_OVERRIDE_H

#include "base/err.h"
#include "lightclient/evm/evm.h"
#include "lightclient/exec/layer.h"

#define EX_PRECOMPILES_MAX 0x101u /* one more than the highest index */

typedef struct {
    addr_t addr;
    bool has_nonce, has_code, has_balance;
    bool has_state; /* slots are all that the account's storage holds */
    bool moves;     /* the precompile at addr to move_to */
    uint64_t nonce;
    view_t code;
    u256_t balance;
    const evm_slot_t *slots;
    size_t slot_count;
    addr_t move_to;
} ex_override_t;

/* All of a request: in the order of their addresses, each once. */
typedef struct {
    const ex_override_t *rows;
    size_t count;
} ex_overrides_t;

/* Where precompiles stand. All zero: where the fork has them. */
typedef struct {
    bool gone[EX_PRECOMPILES_MAX]; /* not at its own address */
    struct {
        addr_t at;
        unsigned index;
    } moved[EX_PRECOMPILES_MAX];
    size_t moved_count;
} ex_precompiles_t;

/* Makes the moves. RC_REFUSED: no precompile there, or its new place is overridden too: e in geth's words. */
NODISCARD rc_t ex_overrides_move(ex_precompiles_t *p, err_t *e, const ex_overrides_t *o, evm_fork_t fork);

/* Puts the accounts into a layer, over what the host below it says of them. RC_NOMEM, and what the host answers. */
NODISCARD rc_t ex_overrides_apply(ex_layer_t *layer, const ex_overrides_t *o);

/* The precompile that stands at an address (evm_host_t precompile); ctx is an ex_scene_t with fork and precompiles. */
unsigned ex_scene_precompile(void *ctx, const addr_t *addr);

/* A state with its overrides. */
typedef struct {
    evm_host_t host; /* what is to be run on; lives as long as the scene does not move */
    ex_layer_t layer;
    evm_fork_t fork;
    ex_precompiles_t precompiles;
} ex_scene_t;

/* Makes one of a host, for rules whose fork is known. o: NULL or empty: host is below itself. As the two above. */
NODISCARD rc_t ex_scene_init(ex_scene_t *s, err_t *e, arena_t *a, const evm_host_t *below, const ex_overrides_t *o,
                             evm_fork_t fork);

#endif
