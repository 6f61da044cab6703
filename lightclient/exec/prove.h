/* prove.h - the proofs of an account and of slots of it at a block, as a query: checked, and kept to be shown.
 *
 * Of the nodes only those are kept that a trie's reader needs: no empty ones, and none that stands inside its parent.
 *
 * Spec:   EIP-1186
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_prove.c
 */
#ifndef EXEC_PROVE_H
#define EXEC_PROVE_H

#include "lightclient/exec/cache.h"
#include "lightclient/exec/query.h"

#define EX_PROVE_SLOTS_MAX 1024u /* slots of one query */

typedef struct {
    ex_cache_t *cache; /* proofs are looked up and kept there; may be NULL */
    const ex_block_t *block;
    addr_t addr;
    const hash32_t *slots; /* one may be named twice */
    size_t slot_count;
    size_t proof_slots_max; /* slots of one NEED_PROOF; 0: NEED_SLOTS_MAX, and never more */
} ex_prove_config_t;

typedef struct {
    u256_t value;
    ex_nodes_t proof;
} ex_proven_slot_t;

/* What was proven, and how. */
typedef struct {
    mpt_account_t account;
    ex_nodes_t proof;              /* of the account */
    const ex_proven_slot_t *slots; /* in their order */
} ex_prove_result_t;

/* Makes the query. Block and slots are borrowed until query_free. RC_LIMIT: more than EX_PROVE_SLOTS_MAX slots;
 * RC_NOMEM. */
NODISCARD rc_t ex_prove_new(query_t **out, err_t *e, const ex_prove_config_t *config);

/* The outcome of a query that ex_prove_new made, after RC_OK; NULL before. Lives as long as the query. */
const ex_prove_result_t *ex_prove_result(const query_t *q);

#endif
