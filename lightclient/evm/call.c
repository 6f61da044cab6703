#include "lightclient/evm/tx.h"

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
