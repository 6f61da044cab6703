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

/* What the sender's and the receiver's accounts cost in any case, without a creation (EIP-2780). */
static int64_t base_price(const evm_params_t *p, const evm_tx_t *tx)
{
    if (tx->create || addr_eq(&tx->from, &tx->to))
        return p->tx_base;
    return p->tx_base + p->tx_recipient + (u256_is_zero(&tx->value) ? 0 : p->tx_value);
}

tx_gas_t tx_price(const evm_rules_t *rules, const evm_tx_t *tx)
{
    const evm_params_t *p = evm_params(rules->fork);
    int64_t zeros = (int64_t)count_zeros(tx->data), others = (int64_t)tx->data.n - zeros;
    int64_t base = base_price(p, tx), list = 0, listed = 0;
    for (size_t i = 0; i < tx->access_count; i++) {
        int64_t keys = (int64_t)tx->access[i].key_count;
        list += p->tx_access_address + p->tx_access_key * keys;
        listed += p->tx_access_byte * ((int64_t)sizeof(addr_t) + (int64_t)sizeof(hash32_t) * keys);
    }
    int64_t total = base + list + listed + p->tx_authorization * (int64_t)tx->authorization_count;
    total += GAS_TX_DATA_ZERO * zeros + GAS_TX_DATA_NONZERO * others;
    if (tx->create)
        total += p->tx_create + p->initcode_word_gas * vm_words(tx->data.n);
    int64_t floor = base + listed + p->floor_zero * zeros + p->floor_other * others; /* EIP-7623 */
    if (tx->create)
        floor += p->floor_create;
    return (tx_gas_t){ total, p->floor_other ? floor : 0, evm_state_gas(rules)->execution_max };
}

rc_t tx_gas(tx_gas_t *out, const evm_rules_t *rules, const evm_tx_t *tx)
{
    const evm_params_t *params = evm_params(rules->fork);
    if (!params)
        return RC_UNSUPPORTED;
    if (tx->gas > INT64_MAX || (tx->create && tx->data.n > params->initcode_max))
        return RC_REFUSED;
    tx_gas_t gas = tx_price(rules, tx);
    int64_t due = gas.floor > gas.intrinsic ? gas.floor : gas.intrinsic;
    if (due > (int64_t)tx->gas || due > gas.execution)
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

/* What an authorization that holds pays for its signer's account, which is loaded (EIP-2780). */
static vm_step_t pay_authorization(vm_t *vm, vm_frame_t *payer, st_account_t *signer, bool delegates, bool clears)
{
    const evm_tx_t *tx = vm->tx;
    vm_step_t step = VM_GO_ON;
    if (!signer->authorized) {
        signer->authorized = true;
        signer->delegation_paid = delegates;
        bool written = addr_eq(&signer->addr, &tx->from) ||
                       (addr_eq(&signer->addr, &tx->to) && !u256_is_zero(&tx->value)); /* in any case */
        step = vm_pay(payer, written ? 0 : vm->params->authorization_write);
    }
    int64_t gas = st_is_empty(signer) ? vm->state_gas->account : 0;
    if (!clears && !signer->delegation_paid) {
        signer->delegation_paid = true;
        gas += vm->state_gas->delegation;
    }
    return step ? step : vm_pay_state(vm, payer, gas);
}

/* EIP-7702: one authorization; what does not hold is passed over. */
static vm_step_t authorize(vm_t *vm, vm_frame_t *payer, const evm_authorization_t *a)
{
    const evm_code_t *code;
    st_account_t *signer;
    uint8_t designator[DELEGATION_LEN];
    addr_t target;
    u256_t chain_id = u256_of(vm->block->chain_id);
    if (!u256_is_zero(&a->chain_id) && !u256_eq(&a->chain_id, &chain_id))
        return VM_GO_ON;
    if (a->nonce == UINT64_MAX || !a->signer_valid)
        return VM_GO_ON;
    rc_t rc = warm(vm, &a->signer, &signer);
    if (!rc)
        rc = st_code(&vm->state, &code, signer);
    if (rc)
        return (vm_step_t)rc;
    bool delegates = code_delegation(&target, view_of(code->bytes, code->len));
    if (code->len && !delegates)
        return VM_GO_ON;
    if (signer->core.nonce != a->nonce)
        return VM_GO_ON;
    if (signer->core.exists)
        vm->state.refund += vm->params->authorization_refund;
    static const addr_t nobody;
    bool clears = addr_eq(&a->address, &nobody);
    vm_step_t step = pay_authorization(vm, payer, signer, delegates, clears);
    if (step)
        return step;
    code_delegate(designator, &a->address);
    rc = st_set_code(&vm->state, signer, clears ? view_of(NULL, 0) : view_of(designator, sizeof designator));
    if (!rc)
        signer->core.nonce++;
    return (vm_step_t)rc;
}

/* RC_REFUSED: the sender cannot pay the value. */
static rc_t check_value(vm_t *vm, st_account_t *sender)
{
    if (u256_is_zero(&vm->tx->value))
        return RC_OK;
    rc_t rc = st_load(&vm->state, sender);
    return rc || !u256_lt(&sender->core.balance, &vm->tx->value) ? rc : RC_REFUSED;
}

/* The outermost frame's message, but for its gas; pays for the receiver (EIP-2780). sender has its nonce counted up
 * already. */
static vm_step_t message(vm_t *vm, vm_message_t *m, vm_frame_t *payer, st_account_t *sender)
{
    const evm_tx_t *tx = vm->tx;
    bool has_value = !u256_is_zero(&tx->value);
    addr_t to = tx->to;
    rc_t rc = tx->create ? st_load(&vm->state, sender) : RC_OK;
    if (rc)
        return (vm_step_t)rc;
    if (tx->create)
        vm_create_address(&to, &tx->from, sender->core.nonce - 1);
    rc = warm(vm, &to, &m->self);
    if (rc)
        return (vm_step_t)rc;
    m->kind = tx->create ? VM_CREATE : VM_CALL;
    m->caller = tx->from;
    m->value = tx->value;
    m->payer = has_value ? sender : NULL;
    m->input = tx->data;
    m->precompile = tx->create ? NULL : vm_precompile(vm, &to);
    vm_step_t step = has_value ? (vm_step_t)st_load(&vm->state, m->self) : VM_GO_ON;
    if (!step && (has_value || tx->create))
        step = vm_pay_new_account(vm, payer, &m->charged, m->self);
    if (!step && !tx->create && !m->precompile)
        step = vm_resolve_code(vm, vm->params->delegate_paid ? payer : NULL, &m->code, m->self);
    return step;
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

/* What precedes the outermost frame, paid by the transaction itself. A halt leaves of it only the nonce, and of the gas
 * only the reservoir. */
static vm_step_t prepare(vm_t *vm, vm_message_t *m, vm_frame_t *payer, st_account_t *sender)
{
    st_mark_t mark = st_mark(&vm->state);
    vm_step_t step = VM_GO_ON;
    for (size_t i = 0; !step && i < vm->tx->authorization_count; i++)
        step = authorize(vm, payer, &vm->tx->authorizations[i]);
    payer->spilled = 0; /* an authorization's price is not given back */
    if (!step)
        step = message(vm, m, payer, sender);
    if (VM_IS_HALT(step)) {
        st_rollback(&vm->state, mark);
        vm->end.status = EVM_HALT;
        vm->end.halt = (evm_halt_t)(step & 0xff);
    }
    return step;
}

rc_t tx_run(vm_t *vm, st_account_t *sender, const tx_gas_t *gas)
{
    vm_message_t m = { 0 };
    vm_frame_t payer = { .gas = (int64_t)vm->tx->gas < gas->execution ? (int64_t)vm->tx->gas : gas->execution };
    vm->state.reservoir = (int64_t)vm->tx->gas - payer.gas;
    payer.gas -= gas->intrinsic;
    rc_t rc = warm_all(vm);
    if (!rc)
        rc = check_value(vm, sender);
    if (rc)
        return rc;
    vm_step_t step = prepare(vm, &m, &payer, sender);
    if (VM_IS_HALT(step))
        return RC_OK;
    if (step)
        return (rc_t)step;
    vm->end.created_addr = m.self->addr;
    m.gas = payer.gas;
    payer.gas = 0;
    step = vm_begin(vm, &m);
    rc = step == VM_SWITCH ? vm_run(vm) : (rc_t)step;
    if (rc || vm->end.status == EVM_SUCCESS)
        return rc;
    vm_refill(vm, &payer, m.charged);
    if (vm->end.status == EVM_REVERT)
        vm->end.gas_left += payer.gas;
    return RC_OK;
}

void tx_result(evm_result_t *out, const vm_t *vm, const tx_gas_t *gas)
{
    int64_t spent = (int64_t)vm->tx->gas - vm->end.gas_left - vm->state.reservoir;
    int64_t refund = vm->state.refund, refund_max = spent / vm->params->refund_divisor;
    int64_t used = spent - (refund < refund_max ? refund : refund_max);
    int64_t for_state = vm->state.state_gas > 0 ? vm->state.state_gas : 0;
    int64_t for_execution = (vm->params->block_counts_refund ? used : spent) - for_state;
    used = used < gas->floor ? gas->floor : used;
    const int64_t peak = spent < gas->floor ? gas->floor : spent;
    for_execution = for_execution < gas->floor ? gas->floor : for_execution;
    *out = (evm_result_t){ .status = vm->end.status,
                           .halt = vm->end.halt,
                           .halt_opcode = vm->end.halt_opcode,
                           .halt_stack = vm->end.halt_stack,
                           .gas_used = (uint64_t)used,
                           .gas_peak = (uint64_t)peak,
                           .block_execution_gas = (uint64_t)for_execution,
                           .block_state_gas = (uint64_t)for_state,
                           .output = view_of(vm->ret, vm->ret_len),
                           .logs = vm->state.logs,
                           .log_count = vm->state.log_count,
                           .logged = vm->state.logged };
    if (vm->tx->create && vm->end.status == EVM_SUCCESS) {
        out->created = true;
        out->created_addr = vm->end.created_addr;
    }
}
