/* call.h - eth_call over proven state, as a machine: runs, says what is missing, takes proofs, runs again.
 *
 *     ex_call_new -> ex_call_step -> RC_NEED_DATA: ask for ex_call_needs in ONE batch, give each answer, step again
 *                                 -> RC_OK: ex_call_result
 *
 * Rounds equal the depth of dependencies: a run that meets an unknown key notes it, goes on with a guess (discovery) to
 * collect as many unknown keys as one pass can show, and its outcome is thrown away. Only a run in which nothing was
 * missing gives a result.
 *
 * With an access list that is two rounds at most, but for BLOCKHASH: no list names what it reads. A number that the request's
 * data names is foreseen; one that is computed by code which comes only with the list's answers takes a third round.
 *
 * Needs may be left unanswered, as long as those that a run has met (NEED_MET) are answered: the next step asks again for what
 * is still missing, slot by slot where an answer failed to come, because one slot that an upstream cannot prove makes it
 * refuse a whole need.
 *
 * Spec:   execution-apis eth_call, EIP-1186; semantics of geth's eth_call (default sender zero, gas cap, base fee zero
 *         when no gas price is given)
 * Floor:  2, exec. May include base/, rlp/, mpt/, evm/. No I/O, clock or thread.
 * Tests:  tests/unit/test_call.c, vectors kind mainnet-calls, devnet
 */
#ifndef EXEC_CALL_H
#define EXEC_CALL_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "lightclient/exec/cache.h"
#include "lightclient/exec/query.h"

#define EX_ROUNDS_MAX 64u               /* rounds of one call */
#define EX_KEYS_MAX 20000u              /* accounts and slots that one call may need */
#define EX_GAS_CAP 50000000u            /* as geth's --rpc.gascap default */
#define EX_HINT_ACCOUNTS_MAX 256u       /* entries taken from a hint; the rest is ignored */
#define EX_HINT_KEYS_MAX 2048u          /* accounts and slots taken from a hint; the rest is ignored */
#define EX_CODE_MAX (128u << 10)        /* bytes of one contract's code */
#define EX_CALL_MEMORY_MAX (256u << 20) /* bytes of one call's arena */

typedef struct ex_call ex_call_t;

typedef struct {
    const evm_chain_t *chain;
    ex_cache_t *cache; /* may be NULL */
    const ex_block_t *block;
    const ex_request_t *request;
    uint64_t gas_cap;       /* 0: EX_GAS_CAP */
    bool use_hint;          /* ask for an access list when nothing is learned about the request */
    size_t proof_slots_max; /* slots of one NEED_PROOF; 0: NEED_SLOTS_MAX, and never more */
    bool keep_base_fee; /* BASEFEE is the block's also when no gas price is given (not geth's way; some recordings) */
    bool (*expired)(void *ctx); /* deadline; may be NULL */
    void *expired_ctx;
} ex_call_config_t;

/* Everything a call holds lives in its own arena. NULL: out of memory. What config points to is borrowed until
 * ex_call_free. */
ex_call_t *ex_call_new(const ex_call_config_t *config);
void ex_call_free(ex_call_t *c);

/* Runs as far as proven state goes.
 *   why  static text on anything but RC_OK and RC_NEED_DATA
 * RC_NEED_DATA: ask for the needs; RC_OK: the result is there; RC_LIMIT: EX_ROUNDS_MAX or EX_KEYS_MAX passed;
 * RC_REFUSED: the request itself is at fault (balance below value, gas below intrinsic, gas price below the base fee,
 * another chain's id); RC_UNSUPPORTED, RC_TIMEOUT, RC_NOMEM. */
NODISCARD rc_t ex_call_step(ex_call_t *c, const char **why);

/* What the last step wants, all to be asked in one batch. Valid until the next step. */
size_t ex_call_needs(const ex_call_t *c, const need_t **out);

/* Answers to need number i of the last step. Anything but RC_OK accuses the upstream, with a static text in why; the
 * call is unchanged and the same need may be answered by another upstream. Bytes are copied. */
NODISCARD rc_t ex_call_give_hint(ex_call_t *c, size_t i, const evm_access_t *list, size_t count); /* count 0: none */
NODISCARD rc_t ex_call_give_proof(ex_call_t *c, size_t i, const ex_proof_answer_t *answer, const char **why);
NODISCARD rc_t ex_call_give_code(ex_call_t *c, size_t i, view_t code, const char **why);
NODISCARD rc_t ex_call_give_header(ex_call_t *c, size_t i, const ex_header_t *header, const char **why);

/* After RC_OK. Lives as long as the call. Gas used includes the intrinsic gas. */
const evm_result_t *ex_call_result(const ex_call_t *c);

/* Rounds asked so far (batches), for tests and metrics. */
unsigned ex_call_rounds(const ex_call_t *c);

#endif
