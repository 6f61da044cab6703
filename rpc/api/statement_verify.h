/* statement_verify.h - whether a statement holds: signed by an accepted key, about this chain, setup, request and
 * block, at this time. What is expected goes in, and is compared inside.
 *
 * Spec:   api-facts section 12; sdk/README.md
 * Floor:  3, rpc/api. No heap, I/O, clock or thread: the time is the caller's.
 * Tests:  tests/unit/test_statement.c, tests/fuzz/fuzz_statement.c
 */
#ifndef RPC_API_STATEMENT_VERIFY_H
#define RPC_API_STATEMENT_VERIFY_H

#include "rpc/api/statement.h"

/* What was asked. */
typedef struct {
    statement_kind_t kind; /* not STATEMENT_BLOCK, not STATEMENT_CHECKPOINT */
    statement_call_t call;
    addr_t account;
    hash32_t slot;
    uint64_t from_number; /* of logs */
    hash32_t filter_hash;
    view_t method; /* of STATEMENT_RPC */
    hash32_t params_hash;
} statement_request_t;

/* What the caller demands. Zeroed: nothing holds. */
typedef struct {
    uint64_t chain_id;
    const addr_t *signers; /* whose signature is accepted */
    size_t signer_count;
    const hash32_t *setup; /* NULL: any */
    bool has_kind;
    statement_kind_t kind;
    const statement_request_t *request; /* NULL: there was none, or */
    bool any_request;                   /* it does not matter */
    bool has_max_age, any_age;          /* one of them must be true, unless the block is demanded */
    uint64_t max_age_s;                 /* that the block (of a checkpoint: issuedAt) may lie from now_s, both ways */
    bool has_number;
    uint64_t number;            /* of the block */
    const hash32_t *block_hash; /* NULL: any */
    bool has_min_number;
    uint64_t min_number;
    uint8_t min_finality;
    bool allow_failed; /* calls that reverted or halted too */
    uint64_t now_s;
} statement_demand_t;

/* RC_OK: s holds, and so does the result beside it, if there is one. Otherwise e has the code and the member at fault:
 * RC_REFUSED; RC_BUG (STATEMENT_BAD_OPTION): the caller does not say what it demands. */
NODISCARD rc_t statement_verify(const statement_t *s, err_t *e, const statement_demand_t *want);

#endif
