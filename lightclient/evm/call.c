#include "lightclient/evm/tx.h"

const char *evm_halt_name(evm_halt_t halt)
{
    static const char *const names[] = {
        [EVM_HALT_NONE] = "none",
        [EVM_HALT_OUT_OF_GAS] = "out of gas",
        [EVM_HALT_INVALID_OPCODE] = "invalid opcode",
        [EVM_HALT_STACK] = "stack underflow or overflow",
        [EVM_HALT_BAD_JUMP] = "invalid jump destination",
        [EVM_HALT_STATIC] = "state change in a static call",
        [EVM_HALT_CREATE_COLLISION] = "contract address collision",
        [EVM_HALT_CODE_SIZE] = "code size limit exceeded",
        [EVM_HALT_CODE_PREFIX] = "code starts with 0xef",
        [EVM_HALT_PRECOMPILE] = "precompile failed",
        [EVM_HALT_RETURN_DATA] = "return data out of bounds",
    };
    return (size_t)halt < sizeof names / sizeof names[0] ? names[halt] : "unknown";
}

rc_t evm_call(evm_result_t *out, arena_t *a, const evm_host_t *host, const evm_rules_t *rules, const evm_block_t *block,
              const evm_tx_t *tx)
{
    tx_gas_t gas;
    rc_t rc = tx_gas(&gas, rules, tx);
    if (rc)
        return rc;
    vm_t *vm = arena_alloc(a, sizeof *vm);
    rc = vm ? vm_init(vm, a, host, rules, block, tx) : RC_NOMEM;
    if (rc)
        return rc;
    st_account_t *sender = st_account(&vm->state, &tx->from);
    rc = sender ? tx_count_nonce(vm, sender) : RC_NOMEM;
    if (!rc)
        rc = tx_run(vm, sender, &gas);
    if (!rc)
        tx_result(out, vm, &gas);
    return rc;
}
