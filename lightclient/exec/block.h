/* block.h - whole blocks: decoding, validity of the header after its parent, execution of everything in the block.
 *
 * Spec:   ethereum/execution-specs, Paris to Amsterdam: EIP-1559 (base fee), EIP-4788, EIP-2935, EIP-7002, EIP-7251,
 *         EIP-8282 (system calls), EIP-4844, EIP-7691, EIP-7892, EIP-7918 (blobs), EIP-4895 (withdrawals), EIP-6110,
 *         EIP-7685 (requests), EIP-7778, EIP-8037 (gas of the block)
 * Floor:  2, exec. May include base/, rlp/, mpt/, evm/. Memory comes from the caller's arenas. No I/O, clock or thread.
 * Tests:  tests/unit/test_block.c, tests/fuzz/fuzz_block.c, vectors kinds blockchain, mainnet-blocks,
 *         rpc-mainnet
 */
#ifndef EXEC_BLOCK_H
#define EXEC_BLOCK_H

#include "lightclient/evm/evm.h"
#include "lightclient/exec/header.h"

#define EX_BLOCK_RLP_MAX ((size_t)10 << 20)      /* bytes that are looked at at all */
#define EX_BLOCK_RLP_MAX_OSAKA ((size_t)8 << 20) /* EIP-7934 */

typedef struct {
    uint64_t index;
    uint64_t validator;
    addr_t addr;
    uint64_t amount; /* gwei */
} ex_withdrawal_t;

typedef struct {
    ex_header_t header;
    hash32_t hash;              /* of the header */
    size_t rlp_len;             /* bytes of the whole block; 0 when it did not come as RLP */
    const view_t *transactions; /* each as ex_transaction_decode takes it */
    size_t transaction_count;
    bool has_withdrawals;
    const ex_withdrawal_t *withdrawals;
    size_t withdrawal_count;
} ex_full_block_t;

/* Decodes a block: [header, transactions, ommers, withdrawals]. Nothing of it is proven.
 *   out  written only on RC_OK; borrows rlp, lists are in the arena
 * RC_MALFORMED; RC_LIMIT: longer than EX_BLOCK_RLP_MAX; RC_REFUSED: it has ommers; RC_NOMEM. */
NODISCARD rc_t ex_block_decode(ex_full_block_t *out, err_t *e, arena_t *a, view_t rlp);

/* RC_OK when the transactions and the withdrawals have the roots that the header says. RC_REFUSED otherwise: ommers too
 * count as others than those that are given (none); RC_NOMEM.
 *   scratch  given back before return */
NODISCARD rc_t ex_body_verify(err_t *e, arena_t *scratch, const ex_full_block_t *block);

/* The root of its withdrawals (EIP-4895). scratch is given back before return. RC_NOMEM. */
NODISCARD rc_t ex_withdrawals_root(hash32_t *out, arena_t *scratch, const ex_full_block_t *block);

/* Appends the RLP form of a block without ommers. */
void ex_block_encode(wr_t *w, const ex_full_block_t *block);

/* Bytes of that form. */
size_t ex_block_len(const ex_full_block_t *block);

/* RC_OK when the header may follow its parent, whose hash the caller knows to be right: number, time, gas limit, base
 * fee, blob gas, and the fields that the fork has. RC_REFUSED otherwise; RC_UNSUPPORTED: rules newer than this
 * build. */
NODISCARD rc_t ex_header_follows(err_t *e, const ex_header_t *h, const ex_header_t *parent, const hash32_t *parent_hash,
                                 const evm_chain_t *chain);

/* The base fee of the block after one of London or later (EIP-1559). A gas limit below 2 gives zero. */
u256_t ex_base_fee_after(const u256_t *base_fee, uint64_t gas_limit, uint64_t gas_used);

/* The excess blob gas of the block after, by the rules of its time (EIP-4844, EIP-7918); 0 after a block without blobs
 * (a fork before Cancun). */
uint64_t ex_excess_blob_gas_after(const ex_header_t *parent, const evm_rules_t *rules);

/* Whether the excess blob gas of a proven block follows from its proven parent's by the rules that the schedule has at
 * its time. Of the parent tail, base_fee, excess_blob_gas and blob_gas_used are read. RC_UNSUPPORTED: it does not, so
 * that the chain's blob parameters are not the schedule's, which e says. Of a fork without blobs, or one that is known
 * by its time alone, nothing can be said. */
NODISCARD rc_t ex_excess_fits(err_t *e, uint64_t excess_blob_gas, uint64_t timestamp, const ex_header_t *parent,
                              const evm_chain_t *chain);

typedef struct {
    uint64_t gas_used;
    bool success;
} ex_outcome_t; /* of one transaction */

typedef struct {
    const ex_outcome_t *outcomes; /* one for each transaction */
    const evm_change_t *changes;  /* the block's, each account once */
    size_t change_count;
} ex_executed_t;

typedef struct {
    const evm_chain_t *chain;
    addr_t deposit_contract; /* EIP-6110 */
    const evm_host_t *host;  /* the state after the parent */
    /* state_root: the root once these changes are made, asked last. NULL: it is not compared, for a state of which only
     * parts are known. */
    rc_t (*state_root)(void *ctx, hash32_t *out, const evm_change_t *changes, size_t count);
} ex_block_config_t;

/* Executes a block whose header follows its parent, and compares everything that the header says about it: transactions
 * root, withdrawals root, gas used, blob gas used, receipts root, logs bloom, requests hash, state root.
 *   out, changes  in the arena a; written only on RC_OK
 *   scratch       memory of one transaction at a time; given back before return
 * RC_REFUSED or RC_MALFORMED: an invalid block; otherwise as evm_transact. */
NODISCARD rc_t ex_block_execute(ex_executed_t *out, err_t *e, arena_t *a, arena_t *scratch,
                                const ex_block_config_t *config, const ex_full_block_t *block);

#endif
