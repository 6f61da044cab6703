#include <emmintrin.h>

#include "lightclient/evm/tx.h"

static uint64_t count_zeros(view_t v)
{
    const __m128i none = _mm_setzero_si128();
    __m128i sums = none;
    size_t i = 0;
    for (; v.n - i >= 16; i += 16) {
        __m128i is_zero = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)(v.p + i)), none);
        sums = _mm_add_epi64(sums, _mm_sad_epu8(_mm_sub_epi8(none, is_zero), none));
    }
    uint64_t lanes[2];
    _mm_storeu_si128((__m128i *)(void *)lanes, sums);
    uint64_t zeros = lanes[0] + lanes[1];
    for (; i < v.n; i++)
        zeros += v.p[i] == 0;
    return zeros;
}

tx_gas_t tx_price(const evm_params_t *params, const evm_tx_t *tx)
{
    uint64_t zeros = count_zeros(tx->data), total = GAS_TX;
    uint64_t others = tx->data.n - zeros;
    total += GAS_TX_DATA_ZERO * zeros + GAS_TX_DATA_NONZERO * others;
    if (tx->create)
        total += GAS_TX_CREATE + (uint64_t)(params->initcode_word_gas * vm_words(tx->data.n));
    for (size_t i = 0; i < tx->access_count; i++)
        total += GAS_TX_ACCESS_ADDRESS + GAS_TX_ACCESS_KEY * tx->access[i].key_count;
    total += GAS_TX_AUTHORIZATION * tx->authorization_count;
    uint64_t tokens = zeros + 4 * others; /* EIP-7623 */
    uint64_t floor = params->floor_token_gas ? GAS_TX + (uint64_t)params->floor_token_gas * tokens : 0;
    return (tx_gas_t){ (int64_t)total, (int64_t)floor };
}

rc_t tx_gas(tx_gas_t *out, const evm_params_t *params, const evm_tx_t *tx)
{
    if (!params)
        return RC_UNSUPPORTED;
    if (tx->gas > INT64_MAX || (tx->create && tx->data.n > params->initcode_max))
        return RC_REFUSED;
    tx_gas_t gas = tx_price(params, tx);
    if (gas.intrinsic > (int64_t)tx->gas || gas.floor > (int64_t)tx->gas)
        return RC_REFUSED;
    *out = gas;
    return RC_OK;
}

static rc_t warm(vm_t *vm, const addr_t *addr, st_account_t **out)
{
    bool was_cold;
    st_account_t *acc = st_account(&vm->state, addr);
    if (acc && out)
        *out = acc;
    return acc ? st_warm(&vm->state, &was_cold, acc) : RC_NOMEM;
}

/* EIP-2929, EIP-2930, EIP-3651. Precompiles are warm by their address. */
static rc_t warm_all(vm_t *vm)
{
    const evm_tx_t *tx = vm->tx;
    rc_t rc = warm(vm, &tx->from, NULL);
    if (!rc && !tx->create)
        rc = warm(vm, &tx->to, NULL);
    if (!rc && vm->params->warm_coinbase)
        rc = warm(vm, &vm->block->coinbase, NULL);
    for (size_t i = 0; !rc && i < tx->access_count; i++) {
        st_account_t *acc;
        st_slot_t *slot;
        rc = warm(vm, &tx->access[i].addr, &acc);
        for (size_t k = 0; !rc && k < tx->access[i].key_count; k++) {
            u256_t key = u256_from_be32(tx->access[i].keys[k].b);
            rc = st_slot(&vm->state, &slot, NULL, acc, &key);
        }
    }
    return rc;
}

/* EIP-7702: one authorization; what does not hold is passed over. */
static rc_t authorize(vm_t *vm, const evm_authorization_t *a)
{
    const evm_code_t *code;
    st_account_t *signer;
    uint8_t designator[DELEGATION_LEN];
    addr_t target;
    u256_t chain_id = u256_of(vm->block->chain_id);
    if (!u256_is_zero(&a->chain_id) && !u256_eq(&a->chain_id, &chain_id))
        return RC_OK;
    if (a->nonce == UINT64_MAX || !a->signer_valid)
        return RC_OK;
    rc_t rc = warm(vm, &a->signer, &signer);
    if (!rc)
        rc = st_code(&vm->state, &code, signer);
    if (rc)
        return rc;
    if (code->len && !code_delegation(&target, view_of(code->bytes, code->len)))
        return RC_OK;
    if (signer->core.nonce != a->nonce)
        return RC_OK;
    if (signer->core.exists)
        vm->state.refund += GAS_AUTHORIZATION_REFUND;
    static const addr_t nobody;
    bool clears = addr_eq(&a->address, &nobody);
    code_delegate(designator, &a->address);
    rc = st_set_code(&vm->state, signer, clears ? view_of(NULL, 0) : view_of(designator, sizeof designator));
    if (!rc)
        signer->core.nonce++;
    return rc;
}

/* The outermost frame's message. sender has its nonce counted up already. */
static rc_t message(vm_t *vm, vm_message_t *m, st_account_t *sender)
{
    const evm_tx_t *tx = vm->tx;
    bool has_value = !u256_is_zero(&tx->value);
    addr_t to = tx->to;
    rc_t rc = has_value || tx->create ? st_load(&vm->state, sender) : RC_OK;
    if (rc)
        return rc;
    if (has_value && u256_lt(&sender->core.balance, &tx->value))
        return RC_REFUSED;
    if (tx->create)
        vm_create_address(&to, &tx->from, sender->core.nonce - 1);
    rc = warm(vm, &to, &m->self);
    if (rc)
        return rc;
    m->kind = tx->create ? VM_CREATE : VM_CALL;
    m->caller = tx->from;
    m->value = tx->value;
    m->payer = has_value ? sender : NULL;
    m->input = tx->data;
    m->precompile = tx->create ? NULL : precompile_at(&to, vm->rules->fork);
    if (has_value)
        rc = st_load(&vm->state, m->self);
    if (!rc && !tx->create && !m->precompile) /* the delegate is warmed, but touching it costs nothing here */
        rc = (rc_t)vm_resolve_code(vm, NULL, &m->code, m->self);
    return rc;
}

rc_t tx_count_nonce(vm_t *vm, st_account_t *sender)
{
    if (!sender->loaded) {
        sender->nonce_ahead = true;
        return RC_OK;
    }
    rc_t rc = st_change(&vm->state, sender);
    sender->core.nonce++;
    return rc;
}

rc_t tx_run(vm_t *vm, st_account_t *sender, const tx_gas_t *gas)
{
    vm_message_t m = { 0 };
    rc_t rc = warm_all(vm);
    for (size_t i = 0; !rc && i < vm->tx->authorization_count; i++)
        rc = authorize(vm, &vm->tx->authorizations[i]);
    if (!rc)
        rc = message(vm, &m, sender);
    if (rc)
        return rc;
    vm->end.created_addr = m.self->addr;
    m.gas = (int64_t)vm->tx->gas - gas->intrinsic;
    vm_step_t step = vm_begin(vm, &m);
    return step == VM_SWITCH ? vm_run(vm) : (rc_t)step;
}

void tx_result(evm_result_t *out, const vm_t *vm, const tx_gas_t *gas)
{
    int64_t used = (int64_t)vm->tx->gas - vm->end.gas_left;
    int64_t refund = vm->state.refund, refund_max = used / vm->params->refund_divisor;
    used -= refund < refund_max ? refund : refund_max;
    if (used < gas->floor)
        used = gas->floor;
    *out = (evm_result_t){ .status = vm->end.status,
                           .halt = vm->end.halt,
                           .gas_used = (uint64_t)used,
                           .output = view_of(vm->ret, vm->ret_len),
                           .logs = vm->state.logs,
                           .log_count = vm->state.log_count };
    if (vm->tx->create && vm->end.status == EVM_SUCCESS) {
        out->created = true;
        out->created_addr = vm->end.created_addr;
    }
}
