/* call.h - eth_call over proven state, as a query: runs, says what is missing, takes proofs, runs again.
 *
 * Rounds equal the depth of dependencies: a run that meets an unknown key notes it, goes on with a guess (discovery) to
 * collect as many unknown keys as one pass can show, and its outcome is thrown away. Only a run in which nothing was
 * missing gives a result.
 *
 * With an access list that is two rounds at most, but for BLOCKHASH: no list names what it reads. A number that the
 * request's data names is foreseen; one that is computed by code which comes only with the list's answers takes a
 * third round.
 *
 * Spec:   execution-apis eth_call, EIP-1186; semantics of geth's eth_call (default sender zero, gas cap, base fee zero
 *         when no gas price is given)
 * Floor:  2, exec. May include base/, rlp/, mpt/, evm/. No I/O, clock or thread.
 * Tests:  tests/unit/test_call.c, vectors kind mainnet-calls, devnet
 */
#ifndef EXEC_CALL_H
#define EXEC_CALL_H

#include "lightclient/exec/cache.h"
#include "lightclient/exec/override.h"
#include "lightclient/exec/query.h"

#define EX_ROUNDS_MAX 64u               /* rounds of one call, unless it says otherwise */
#define EX_KEYS_MAX 20000u              /* accounts and slots that one call may need */
#define EX_GAS_CAP 50000000u            /* as geth's --rpc.gascap default */
#define EX_HINT_ACCOUNTS_MAX 256u       /* entries taken from a hint; the rest is ignored */
#define EX_HINT_KEYS_MAX 2048u          /* accounts and slots taken from a hint; the rest is ignored */
#define EX_OUTPUT_MAX (1u << 20)        /* bytes that one call may give back */
#define EX_CALL_MEMORY_MAX (256u << 20) /* bytes of one call's arena */

typedef struct ex_call_config ex_call_config_t;

/* What a program runs on. It is run again, from the beginning, whenever more of the state is known; what it comes to
 * after a guess is thrown away, so that it may end then with any result. */
typedef struct {
    const ex_call_config_t *config;
    const evm_host_t *host; /* the state, with overrides */
    const evm_block_t *env;
    const evm_rules_t *rules;
    const bool *guessed;
    arena_t *arena; /* of this run; that of the last one lives as long as the query */
} ex_run_t;

/* What is done with the state: a struct that begins with this, and has room for its result. */
typedef struct ex_program {
    /* RC_NEED_DATA without a guess: what it wants beside the state. */
    rc_t (*run)(struct ex_program *p, err_t *e, const ex_run_t *on);
    /* The rest may be NULL. Proofs that it wants itself: needs of addr and slots in a list, until the next run. */
    size_t (*wants)(struct ex_program *p, const need_t **out);
    /* Every proof that came and holds. RC_NOMEM. */
    rc_t (*proven)(struct ex_program *p, const ex_proof_answer_t *proof);
    void (*clear)(struct ex_program *p); /* with the query's end */
} ex_program_t;

struct ex_call_config {
    const evm_chain_t *chain;
    ex_cache_t *cache; /* may be NULL */
    const ex_block_t *block;
    const ex_request_t *request;
    const evm_block_t *env;          /* what the block's environment is taken for; NULL: its own */
    const ex_overrides_t *overrides; /* may be NULL */
    ex_program_t *program;           /* NULL: runs the request, as eth_call does */
    uint64_t gas_cap;                /* 0: EX_GAS_CAP */
    bool use_hint;                   /* ask for an access list when nothing is learned about the request */
    size_t proof_slots_max;          /* slots of one NEED_PROOF; 0: NEED_SLOTS_MAX, and never more */
    unsigned rounds_max;             /* 0: EX_ROUNDS_MAX */
    bool keep_base_fee; /* BASEFEE is the block's also when no gas price is given (not geth's way; some recordings) */
};

/* Makes the query of one call. What config points to is borrowed until query_free; everything a call holds lives in its
 * own arena. query_step also gives RC_LIMIT for rounds_max and EX_KEYS_MAX, and RC_REFUSED for a balance below the
 * value, gas below intrinsic, a gas price below the base fee, another chain's id. RC_NOMEM. */
NODISCARD rc_t ex_call_new(query_t **out, err_t *e, const ex_call_config_t *config);

/* The gas that a request runs with: at most the configuration's cap. */
uint64_t ex_call_gas(const ex_call_config_t *config);

/* The outcome of a query that ex_call_new made without a program, after RC_OK; NULL before. Lives as long as the query.
 * Gas used includes the intrinsic gas. */
const evm_result_t *ex_call_result(const query_t *q);

/* Rounds that such a query asked so far (batches), for tests and metrics. */
unsigned ex_call_rounds(const query_t *q);

#endif
