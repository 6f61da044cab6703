/* receipt.h - receipts: consensus encoding of every type, the receipts root, and what follows for each transaction.
 *
 * A receipt is bound to its transaction by its place alone: both tries have the same keys. Nothing that an answer says
 * beside the encoding is used; gas used, price, created address and indices follow from what the roots prove.
 *
 * Spec:   EIP-2718, EIP-658 (status), EIP-1559, EIP-4844; Yellow Paper section 4.3.1
 * Floor:  2, exec. Memory comes from the caller's arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_receipt.c, tests/fuzz/fuzz_receipt.c, vectors kind rpc-mainnet
 */
#ifndef EXEC_RECEIPT_H
#define EXEC_RECEIPT_H

#include "base/err.h"
#include "lightclient/exec/bloom.h"
#include "lightclient/exec/header.h"
#include "lightclient/exec/transaction.h"

#define EX_RECEIPT_MAX ((size_t)8 << 20) /* bytes of one encoding: a log's byte costs 8 gas */
#define EX_RECEIPTS_MAX 32768u           /* receipts of one block, */
#define EX_TX_GAS_MIN 12000u             /* ... each of a transaction that costs so much (EIP-2780; before, 21,000), */
#define EX_BLOCK_GAS_MAX ((uint64_t)EX_RECEIPTS_MAX * EX_TX_GAS_MIN) /* ... of a block of so much gas at most */

typedef struct {
    uint8_t type;  /* EIP-2718, 0 to 4 */
    bool has_root; /* before Byzantium: the state root stands in place of the status */
    hash32_t root;
    bool success;
    uint64_t cumulative_gas; /* of the block, up to and with this transaction */
    uint8_t bloom[EX_BLOOM_LEN];
    const evm_log_t *logs;
    size_t log_count;
} ex_receipt_t;

/* Decodes one receipt. Its bloom must be that of its logs.
 *   out  written only on RC_OK; borrows raw, lists are in the arena
 * RC_MALFORMED: not exactly one receipt in strict RLP; RC_LIMIT: longer than EX_RECEIPT_MAX; RC_REFUSED: another bloom;
 * RC_NOMEM. */
NODISCARD rc_t ex_receipt_decode(ex_receipt_t *out, err_t *e, arena_t *a, view_t raw);

/* The encoding, in the arena. The bloom is written as it stands. RC_NOMEM. */
NODISCARD rc_t ex_receipt_encode(view_t *out, arena_t *a, const ex_receipt_t *r);

/* Receipts of a whole block, from their encodings: the root and the bloom must be the header's, whose hash is known to
 * be right.
 *   out  count of them, in the arena; borrows raw; written only on RC_OK
 * RC_REFUSED: another root or bloom; RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t ex_receipts_verify(const ex_receipt_t **out, err_t *e, arena_t *a, const ex_header_t *header,
                                  const view_t *raw, size_t count);

/* What of a transaction's outcome is not in its receipt. */
typedef struct {
    uint64_t gas_used;
    u256_t gas_price; /* that was paid: EIP-1559's for types 2 to 4 */
    bool to_nobody;   /* a creation, also a failed one: */
    addr_t contract;  /* the address that its sender and nonce give */
    size_t log_index; /* of its first log in the block */
    uint64_t blob_gas_used;
    u256_t blob_gas_price; /* of the block; holds for type 3 */
} ex_outcome_of_t;

/* The price that a transaction pays for gas in a block with this base fee. */
u256_t ex_gas_price(const evm_tx_t *tx, const u256_t *base_fee);

/* For transaction i of a verified block.
 *   receipts  of the whole block */
void ex_receipt_derive(ex_outcome_of_t *out, const ex_receipt_t *receipts, size_t i, const evm_tx_t *tx,
                       const ex_header_t *header, const evm_rules_t *rules);

#endif
