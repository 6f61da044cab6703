/* objects.h - headers, blocks, transactions, receipts and logs as JSON, from verified bytes, in geth's form.
 *
 * Spec:   ethereum/execution-apis, src/schemas (block, transaction, receipt, log)
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_receipt.c, vectors kinds rpc-mainnet, rpc-hive, rpc-hive-derived
 */
#ifndef RPC_API_OBJECTS_H
#define RPC_API_OBJECTS_H

#include "base/json.h"
#include "lightclient/exec/block.h"
#include "lightclient/exec/receipt.h"

/* A verified block, with what of it is known. */
typedef struct {
    const evm_chain_t *chain;
    const ex_full_block_t *block; /* its header and hash always hold, the rest when has_body */
    bool has_body;
    const ex_receipt_t *receipts; /* one for each transaction; NULL: not known */
    const addr_t *senders;        /* of transactions that nobody signed; NULL: their signatures say */
} api_block_t;

/* A header object, as newHeads and eth_getHeaderBy* have it. */
void api_put_header(jw_t *w, const char *key, const ex_header_t *h, const hash32_t *hash);

/* All below take an arena for decoding, which must not be the writer's and is as before afterwards. */

/* A block object; has_body must hold. whole: transactions as objects, else their hashes. A transaction that does not
 * decode ends the writer: RC_UNSUPPORTED. */
void api_put_block(jw_t *w, const char *key, arena_t *a, const api_block_t *b, bool whole);

/* Its members, into an object that is open. */
void api_put_block_members(jw_t *w, arena_t *a, const api_block_t *b, bool whole);

/* Transaction i; has_body must hold. */
void api_put_transaction(jw_t *w, const char *key, arena_t *a, const api_block_t *b, size_t i);

/* A transaction that nobody signed, from its encoding; it is in no block. gasPrice is the most that it would pay. */
void api_put_unsigned(jw_t *w, const char *key, arena_t *a, view_t raw, uint64_t chain_id);

/* The receipt of transaction i, and all of them as a list; body and receipts must be known. */
void api_put_receipt(jw_t *w, const char *key, arena_t *a, const api_block_t *b, size_t i);
void api_put_receipts(jw_t *w, const char *key, arena_t *a, const api_block_t *b);

/* Where a log stands. */
typedef struct {
    const ex_full_block_t *block; /* header and hash */
    const hash32_t *tx_hash;
    size_t tx_index, log_index;
    bool removed;
} api_log_place_t;

/* Writes it as eth_getLogs does, blockTimestamp included. */
void api_put_log(jw_t *w, const char *key, const evm_log_t *log, const api_log_place_t *at);

#endif
