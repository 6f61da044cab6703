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
} tx_gas_t;

/* Both, whether the gas limit covers them or not. */
tx_gas_t tx_price(const evm_params_t *params, const evm_tx_t *tx);

/* Computes both. RC_UNSUPPORTED: params is NULL, the fork is not known.
 * RC_REFUSED: the gas limit does not cover them, or the init code is too long (EIP-3860). */
NODISCARD rc_t tx_gas(tx_gas_t *out, const evm_params_t *params, const evm_tx_t *tx);

/* Counts the sender's nonce up, as every transaction does before it runs. */
NODISCARD rc_t tx_count_nonce(vm_t *vm, st_account_t *sender);

/* Warms what a transaction names, applies the authorizations, runs the outermost frame.
 * The result is in vm->end and vm->ret. RC_REFUSED: the sender's balance does not cover the value. */
NODISCARD rc_t tx_run(vm_t *vm, st_account_t *sender, const tx_gas_t *gas);

/* Gas used after refunds and the floor, logs, output. */
void tx_result(evm_result_t *out, const vm_t *vm, const tx_gas_t *gas);

#endif
