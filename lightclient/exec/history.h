/* history.h - verified blocks of the past of a head, with their transactions and receipts, as a query.
 *
 *     head --EIP-2935 proof--> the newest block asked for --parent hashes--> the others
 *
 * A block up to LINKED_MAX below the head (or below a header that the cache leads to) is linked to it by the headers
 * between; one inside the window is anchored by one proof of the history contract at the head; an older one by as many
 * jumps of a window, for which an upstream must prove old states. Proof, headers, blocks and receipts of a range go out
 * in one batch. A slot of the contract that is proven zero says nothing about the block: the headers between are asked
 * for then, if they are few enough.
 *
 * Blocks before Paris may have had ommers, of which nothing but the hash over all is known here.
 *
 * A transaction list is shown only from whole transactions under the header's root, receipts only under theirs.
 *
 * Spec:   EIP-2935; api-facts sections 5, 9, 10
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_history.c, vectors kinds rpc-hive, rpc-hive-derived
 */
#ifndef EXEC_HISTORY_H
#define EXEC_HISTORY_H

#include "lightclient/exec/cache.h"
#include "lightclient/exec/query.h"
#include "lightclient/exec/receipt.h"

#define EX_HISTORY_WINDOW 8191u /* blocks that the history contract knows (EIP-2935) */
#define EX_HISTORY_MAX 8192u    /* blocks of one query */
#define EX_HISTORY_FIRST 1024u  /* ... that are asked for before the others, where these may be too many */

#define EX_HISTORY_PRUNED 4444 /* code of an err_t: the block is older than can be proven */

enum { EX_WANT_BODY = 1, EX_WANT_RECEIPTS = 2 };

/* A block of the chain. What is not known is zero. */
typedef struct {
    unsigned wants;
    bool has_header, has_body, has_receipts;
    ex_full_block_t block;        /* header and hash hold with has_header, the rest with has_body */
    const ex_receipt_t *receipts; /* one for each transaction; without the body: receipt_count of them */
    size_t receipt_count;
} ex_past_t;

typedef enum { EX_BY_NUMBER, EX_BY_HASH, EX_BY_TRANSACTION } ex_by_t;

typedef struct {
    uint64_t chain_id;
    ex_cache_t *cache;      /* may be NULL */
    const ex_block_t *head; /* verified */
    uint64_t final_number;  /* nobody honest shows another block with this number or a lower one */
    ex_by_t by;
    uint64_t from, to; /* EX_BY_NUMBER: at most the head's */
    hash32_t hash;     /* of the block, or of the transaction */
    unsigned wants;    /* of every block */
    /* Looks at the blocks, lowest first, when all that they want is there, and may want more of them. NULL: nothing
     * more. Anything but RC_OK ends the query. */
    rc_t (*plan)(void *ctx, err_t *e, ex_past_t *blocks, size_t count);
    /* Looks at the highest of more than EX_HISTORY_FIRST blocks, as far as their headers are known, before the others
     * are asked for. The context is the plan's. NULL: all are asked for at once. Likewise. */
    rc_t (*first)(void *ctx, err_t *e, const ex_past_t *blocks, size_t count, uint64_t from);
    void *plan_ctx;
} ex_history_config_t;

typedef struct {
    const ex_past_t *blocks; /* lowest first */
    size_t count;            /* 0: the hash is of no block or transaction of this chain that an upstream knows; one that
                                names a block where the transaction is not, or that is younger, does not know it */
    size_t tx_index;         /* EX_BY_TRANSACTION */
} ex_history_result_t;

/* Makes the query. The head is borrowed until query_free. query_step also gives: RC_REFUSED with EX_HISTORY_PRUNED.
 * RC_LIMIT: more than EX_HISTORY_MAX blocks; RC_REFUSED: a block
 * beyond the head; RC_NOMEM. */
NODISCARD rc_t ex_history_new(query_t **out, err_t *e, const ex_history_config_t *config);

/* The outcome after RC_OK; NULL before. Lives as long as the query. */
const ex_history_result_t *ex_history_result(const query_t *q);

/* The block that a verified header describes, to ask about. */
void ex_block_of_header(ex_block_t *out, const ex_header_t *h, const hash32_t *hash, uint64_t chain_id);

#endif
