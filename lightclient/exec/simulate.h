/* simulate.h - whole blocks that nobody has made, on top of a verified one: calls as transactions, with their receipts,
 * roots and hashes, as a program of exec/call.h.
 *
 * Spec:   execution-apis eth_simulateV1; go-ethereum internal/ethapi/simulate.go
 * Floor:  2, exec. May include base/, mpt/, evm/. No I/O, clock or thread.
 * Tests:  tests/unit/test_simulate.c, vectors kind rpc-hive
 */
#ifndef EXEC_SIMULATE_H
#define EXEC_SIMULATE_H

#include "lightclient/exec/call.h"
#include "lightclient/exec/roots.h"

#define EX_SIMULATE_BLOCKS_MAX 256u /* with those that fill gaps */
#define EX_SIMULATE_STEP_S 12u      /* between blocks whose time is not given */

/* Codes of an err_t, which are JSON-RPC's without the sign. */
enum {
    EX_SIMULATE_CODE_MIN = 38010,
    EX_SIMULATE_NONCE_LOW = 38010,
    EX_SIMULATE_NONCE_HIGH = 38011,
    EX_SIMULATE_FEE_LOW = 38012,
    EX_SIMULATE_INTRINSIC = 38013,
    EX_SIMULATE_FUNDS = 38014,
    EX_SIMULATE_BLOCK_GAS = 38015,
    EX_SIMULATE_NUMBERS = 38020,
    EX_SIMULATE_TIMES = 38021,
    EX_SIMULATE_INITCODE = 38025,
    EX_SIMULATE_LIMIT = 38026,
    EX_SIMULATE_CODE_MAX = 38026,
    EX_SIMULATE_INVALID = 32603 /* another fault of a transaction */
};

/* What of a block is given. */
enum {
    EX_SIMULATE_HAS_NUMBER = 1,
    EX_SIMULATE_HAS_TIME = 2,
    EX_SIMULATE_HAS_GAS_LIMIT = 4,
    EX_SIMULATE_HAS_COINBASE = 8,
    EX_SIMULATE_HAS_BASE_FEE = 16
};

typedef struct {
    unsigned given;
    evm_block_t env;      /* of it what is given, prev_randao, and the blob base fee if that is */
    hash32_t beacon_root; /* zero when it is not given */
    const ex_withdrawal_t *withdrawals;
    size_t withdrawal_count;
    ex_overrides_t overrides; /* before the block */
    const ex_request_t *calls;
    size_t call_count;
} ex_simulate_block_t;

/* What came of a call. */
typedef struct {
    evm_result_t result; /* transfers that are traced are among the logs */
    hash32_t hash;       /* of its transaction */
    size_t first_log;    /* the block's logs before it */
} ex_simulated_call_t;

typedef struct {
    ex_full_block_t block;
    const addr_t *senders; /* of its transactions, which nobody signed */
    const ex_simulated_call_t *calls;
} ex_simulated_t;

typedef struct {
    ex_program_t program; /* EX_SIMULATE */
    ex_simulate_block_t *blocks;
    size_t block_count;
    bool validates, traces;
    addr_t deposit_contract; /* EIP-6110; zero: none */

    /* The result; in the query's memory. */
    const ex_simulated_t *results;
    size_t result_count;

    /* Of the program. */
    bool began;
    arena_t nodes, scratch;
    ex_roots_t roots;
    need_t *wanted;
} ex_simulate_t;

/* Completes numbers and times, and puts blocks into gaps, on top of a block. RC_REFUSED with a code and geth's words;
 * RC_NOMEM. */
NODISCARD rc_t ex_simulate_plan(ex_simulate_t *s, err_t *e, arena_t *a, const ex_block_t *base);

/* The functions of the program. RC_REFUSED with a code of above: a call that is no transaction. Also blocks
 * before the merge, whose rewards, and from Amsterdam on, whose access lists are not made here. */
rc_t ex_simulate_run(ex_program_t *p, err_t *e, const ex_run_t *on);
size_t ex_simulate_wants(ex_program_t *p, const need_t **out);
rc_t ex_simulate_proven(ex_program_t *p, const ex_proof_answer_t *proof);
void ex_simulate_clear(ex_program_t *p);

#define EX_SIMULATE                                                                                                    \
    {                                                                                                                  \
        .run = ex_simulate_run, .wants = ex_simulate_wants, .proven = ex_simulate_proven, .clear = ex_simulate_clear   \
    }

#endif
