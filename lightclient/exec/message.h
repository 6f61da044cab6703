/* message.h - one call object applied to a state, with the checks that geth makes of it and in its words. Internal to
 * exec/.
 *
 * Spec:   go-ethereum core/state_transition.go as eth_call uses it: nonce, sender's code and the gas limit of EIP-7825
 *         are not checked; without a price there is no base fee; without a blob fee no blob base fee
 * Floor:  2, exec. May include base/, evm/. Memory comes from the arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_call_request.c, tests/unit/test_call.c
 */
#ifndef EXEC_MESSAGE_H
#define EXEC_MESSAGE_H

#include "base/err.h"
#include "lightclient/exec/request.h"

/* Codes of an err_t: what was wrong with it. */
enum {
    EX_MESSAGE_INTRINSIC = 1, /* with more gas it might run */
    EX_MESSAGE_FEE,           /* below the base fee */
    EX_MESSAGE_FUNDS,
    EX_MESSAGE_NONCE_LOW,
    EX_MESSAGE_NONCE_HIGH,
    EX_MESSAGE_INITCODE,
    EX_MESSAGE_TIP /* above the fee cap */
};

typedef struct {
    const evm_rules_t *rules;
    const evm_block_t *env;
    const ex_request_t *request;
    uint64_t gas; /* its limit; at most INT64_MAX */
    bool keep_base_fee;
    bool strict;    /* eth_simulateV1's validation: the nonce counts, and the base fee also when no price is given */
    uint64_t nonce; /* then */
} ex_message_t;

/* Checks it, and gives what is to be run, in which environment.
 *   tx, env  written only on RC_OK
 * Otherwise as below. */
NODISCARD rc_t ex_message_check(evm_tx_t *tx, evm_block_t *env, err_t *e, const evm_host_t *host, const bool *guessed,
                                const ex_message_t *m);

/* Runs it.
 *   out      written only on RC_OK; in the arena
 *   guessed  the host sets it when it has answered with a guess: what hangs on that is not refused
 * RC_REFUSED: the request itself, e says why; otherwise as evm_call. */
NODISCARD rc_t ex_message_run(evm_result_t *out, err_t *e, arena_t *a, const evm_host_t *host, const bool *guessed,
                              const ex_message_t *m);

/* What the request pays for one unit of gas in a block with this base fee. */
u256_t ex_message_price(const ex_request_t *q, const u256_t *base_fee);

#define EX_ADDR_TEXT_MAX 43u    /* bytes, with the NUL */
#define EX_DECIMAL_TEXT_MAX 79u /* the same */

/* An address with the checksum of EIP-55; a number in decimal. Both return out. */
const char *ex_addr_text(char out[EX_ADDR_TEXT_MAX], const addr_t *addr);
const char *ex_decimal_text(char out[EX_DECIMAL_TEXT_MAX], const u256_t *x);

#endif
