/* blocks.h - blocks, transactions and receipts of Ethereum's execution APIs as the bytes that roots are made of: claims
 * of whoever wrote them, nothing proven yet. What an answer says beside those bytes is not looked at.
 *
 * Spec:   ethereum/execution-apis, src/schemas (block, transaction, receipt, withdrawal)
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/fuzz/fuzz_blocks.c, vectors kind rpc-mainnet
 */
#ifndef RPC_UPSTREAM_BLOCKS_H
#define RPC_UPSTREAM_BLOCKS_H

#include "base/json.h"
#include "lightclient/exec/block.h"
#include "lightclient/exec/receipt.h"

#define JR_TRANSACTIONS_MAX EX_RECEIPTS_MAX /* of one block */
#define JR_WITHDRAWALS_MAX 1024u            /* of one block: the consensus layer makes at most 16 */

/* All read the object or list o, whose document keeps the first fault and names its field; unknown members are passed
 * over. On a fault out is undefined; results are in the arena. */

/* A transaction object: its envelope. */
NODISCARD rc_t jr_read_transaction(view_t *out, arena_t *a, const jo_t *o);

/* A block object with whole transactions. hash and rlp_len stay zero. Ommers, of which JSON has only the hashes, are
 * passed over: whether there are any the header says. */
NODISCARD rc_t jr_read_block(ex_full_block_t *out, arena_t *a, const jo_t *o);

/* The list of a block's receipts: their encodings. */
NODISCARD rc_t jr_read_receipts(const view_t **out, size_t *count, arena_t *a, const jo_t *o);

#endif
