/* block_run.h - the parts of which executing a block is made: what happens before, with and after its transactions.
 * Internal to exec/.
 *
 * Spec:   EIP-4788, EIP-2935 (before), EIP-6110 (deposits), EIP-4895, EIP-7002, EIP-7251, EIP-8282, EIP-7685 (after)
 * Floor:  2, exec. May include base/, evm/. Memory comes from the caller's arenas. No I/O, clock or thread.
 * Tests:  tests/unit/test_block.c, vectors kinds blockchain, mainnet-blocks, rpc-hive
 */
#ifndef EXEC_BLOCK_RUN_H
#define EXEC_BLOCK_RUN_H

#include "lightclient/exec/block.h"
#include "lightclient/exec/bloom.h"
#include "lightclient/exec/layer.h"

#define EX_REQUEST_KINDS 5u

/* Of config, host, chain's id and deposit contract are used; of block the header, the withdrawals and how many
 * transactions there are. The caller sets what stands above env, with rules of a fork that is known. */
typedef struct {
    arena_t *arena, *scratch;
    const ex_block_config_t *config;
    const ex_full_block_t *block;
    const evm_rules_t *rules;
    err_t *e;
    evm_block_t env;
    ex_layer_t layer;
    evm_host_t host;                   /* over the layer */
    uint64_t gas_used;                 /* what the senders paid for, as receipts tell */
    uint64_t execution_gas, state_gas; /* what the block has used, by kind (EIP-7778, EIP-8037) */
    uint64_t blobs;
    uint8_t bloom[EX_BLOOM_LEN];
    view_t *receipts;
    ex_outcome_t *outcomes;
    struct ex_deposits *deposits, **deposits_end;
    view_t requests[EX_REQUEST_KINDS];
} ex_block_run_t;

/* The environment from the header, and no change yet. RC_NOMEM. All that follow: RC_REFUSED with e, and as
 * evm_system_call. */
NODISCARD rc_t ex_block_run_init(ex_block_run_t *r);

/* The system calls before the transactions. */
NODISCARD rc_t ex_block_run_begin(ex_block_run_t *r);

/* Takes over what transaction `index` did; gas_used has been counted up. */
NODISCARD rc_t ex_block_run_add(ex_block_run_t *r, size_t index, uint8_t type, const evm_receipt_t *receipt);

/* The withdrawals. */
NODISCARD rc_t ex_block_run_withdraw(ex_block_run_t *r);

/* The hash over the block's requests, from Prague on; with the system calls that give them. */
NODISCARD rc_t ex_block_run_requests(hash32_t *out, ex_block_run_t *r);

#endif
