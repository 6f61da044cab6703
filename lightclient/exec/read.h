/* read.h - reading an account, slots of it and its code at a block, as a query.
 *
 * All is asked for in one batch, code by its address before its hash is known. What the cache has proven before is
 * not asked for. Missing is never zero: an account is absent, a slot zero only when a proof shows it.
 *
 * Spec:   EIP-1186
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_read.c, tests/fuzz/fuzz_read.c, vectors kinds mainnet-calls, devnet
 */
#ifndef EXEC_READ_H
#define EXEC_READ_H

#include "lightclient/exec/cache.h"
#include "lightclient/exec/query.h"

#define EX_READ_SLOTS_MAX 4096u /* slots of one query */
#define EX_READ_ROUNDS_MAX 8u   /* batches: needs that had no answer are asked for again, in smaller pieces */

typedef struct {
    ex_cache_t *cache; /* may be NULL */
    const ex_block_t *block;
    addr_t addr;
    const hash32_t *slots; /* one may be named twice */
    size_t slot_count;
    size_t proof_slots_max; /* slots of one NEED_PROOF; 0: NEED_SLOTS_MAX, and never more */
    bool code;              /* read its code too */
} ex_read_config_t;

/* What was read; all of it is proven. */
typedef struct {
    mpt_account_t account; /* exists false: absent, and all else is an empty account's */
    const u256_t *values;  /* of the slots, in their order */
    size_t value_count;
    view_t code; /* when it was asked for; empty when there is none */
} ex_read_result_t;

/* Makes the query. Block, cache and slots are borrowed until query_free. RC_LIMIT: more than EX_READ_SLOTS_MAX slots;
 * RC_NOMEM. */
NODISCARD rc_t ex_read_new(query_t **out, err_t *e, const ex_read_config_t *config);

/* What a query that ex_read_new made has read, after RC_OK; NULL before. Lives as long as the query. */
const ex_read_result_t *ex_read_result(const query_t *q);

#endif
