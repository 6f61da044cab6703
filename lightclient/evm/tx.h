/* tx.h - what evm_call and evm_transact share: intrinsic gas, warm sets, authorizations, the outermost frame.
 *
 * Floor:  2, evm. No I/O, clock, thread or global state.
 * Tests:  tests/unit/test_evm.c, vectors kind state
 */
#ifndef EVM_TX_H
#define EVM_TX_H

#include "lightclient/evm/vm.h"

typedef struct {
    int64_t intrinsic; /* gas due before the first instruction */
    int64_t floor;     /* least gas used (EIP-7623) */
    int64_t
        execution; /* at most this, intrinsic gas included, is for execution; the rest is for the state (EIP-8037) */
} tx_gas_t;

/* All of it for rules whose fork is known, whether the gas limit covers it or not. */
tx_gas_t tx_price(const evm_rules_t *rules, const evm_tx_t *tx);

/* tx_price with its checks. RC_UNSUPPORTED: the fork is not known.
 * RC_REFUSED: the gas limit, or the gas for execution, does not cover intrinsic gas and floor, or the init code is too
 * long (EIP-3860). */
NODISCARD rc_t tx_gas(tx_gas_t *out, const evm_rules_t *rules, const evm_tx_t *tx);

/* Counts the sender's nonce up, as every transaction does before it runs. */
NODISCARD rc_t tx_count_nonce(vm_t *vm, st_account_t *sender);

/* Warms what a transaction names, applies the authorizations, pays for what its accounts begin with, runs the outermost
 * frame. The result is in vm->end and vm->ret. RC_REFUSED: the sender's balance does not cover the value. */
NODISCARD rc_t tx_run(vm_t *vm, st_account_t *sender, const tx_gas_t *gas);

/* Gas used after refunds and the floor, logs, output. */
void tx_result(evm_result_t *out, const vm_t *vm, const tx_gas_t *gas);

#endif
