#include "base/crypto/hash.h"
#include "lightclient/evm/vm.h"
#include "lightclient/rlp/rlp.h"

/* Bodies of the calls, creations and ends of frames. */

void vm_create_address(addr_t *out, const addr_t *creator, uint64_t nonce)
{
    uint8_t buf[40];
    hash32_t digest;
    wr_t w = wr_of(buf, sizeof buf);
    rlp_put_bytes(&w, view_of(creator->b, sizeof creator->b));
    rlp_put_u64(&w, nonce);
    rlp_wrap_list(&w, 0);
    keccak256(&digest, wr_view(&w));
    memcpy(out->b, digest.b + 12, sizeof out->b);
}

void vm_create2_address(addr_t *out, const addr_t *creator, const u256_t *salt, view_t init_code)
{
    uint8_t buf[85] = { 0xff }; /* EIP-1014: 0xff, creator, salt, hash of the init code */
    hash32_t digest;
    memcpy(buf + 1, creator->b, sizeof creator->b);
    u256_to_be32(buf + 21, salt);
    keccak256(&digest, init_code);
    memcpy(buf + 53, digest.b, sizeof digest.b);
    keccak256(&digest, view_of(buf, sizeof buf));
    memcpy(out->b, digest.b + 12, sizeof out->b);
}

/* A call or creation that fails before it begins: nothing is spent. f->sp is where the result goes. */
static vm_step_t refuse(vm_t *vm, vm_frame_t *f, const u256_t *value)
{
    vm->state.logged += vm->traces && !u256_is_zero(value);
    *f->sp = u256_of(0);
    vm->ret_len = 0;
    return VM_GO_ON;
}

/* All but one 64th (EIP-150). */
static int64_t most_of(int64_t gas)
{
    return gas - gas / 64;
}

/* Operands of a call, on the stack. */
typedef struct {
    vm_kind_t kind;
    const u256_t *gas, *addr, *in_at, *in_len, *out_at, *out_len;
    u256_t *result; /* the last operand's place */
    u256_t value;   /* zero where the kind has none */
} call_args_t;

static call_args_t call_args(u256_t *sp, vm_kind_t kind)
{
    bool has_value = kind == VM_CALL || kind == VM_CALLCODE;
    u256_t *rest = has_value ? sp - 3 : sp - 2;
    return (call_args_t){ .kind = kind,
                          .gas = sp,
                          .addr = sp - 1,
                          .in_at = rest,
                          .in_len = rest - 1,
                          .out_at = rest - 2,
                          .out_len = rest - 3,
                          .result = rest - 3,
                          .value = has_value ? sp[-2] : u256_of(0) };
}

/* Pays for the call itself and loads what the price depends on. code stays NULL where the price does not need it. */
static vm_step_t call_price(vm_t *vm, vm_frame_t *f, const call_args_t *a, vm_message_t *m, st_account_t **target)
{
    bool has_value = !u256_is_zero(&a->value), makes_account = has_value && a->kind == VM_CALL;
    addr_t addr = vm_to_addr(a->addr);
    vm_step_t step = vm_memory(vm, f, a->in_at, a->in_len);
    if (!step)
        step = vm_memory(vm, f, a->out_at, a->out_len);
    if (!step)
        step = vm_touch_account(vm, f, target, a->addr, vm->params->warm);
    if (!step && has_value)
        step = vm_pay(f, vm->params->call_value);
    if (!step && makes_account) {
        step = (vm_step_t)st_load(&vm->state, *target);
        if (!step && st_is_empty(*target))
            step = vm_pay(f, vm->params->new_account);
    }
    m->precompile = vm_precompile(vm, &addr);
    if (!step && !m->precompile && vm->params->has_delegation)
        step = vm_resolve_code(vm, f, &m->code, *target);
    if (!step && makes_account)
        step = vm_pay_new_account(vm, f, &m->charged, *target);
    return step;
}

vm_step_t op_call(vm_t *vm, vm_frame_t *f, u256_t *sp, vm_kind_t kind)
{
    call_args_t a = call_args(sp, kind);
    bool has_value = !u256_is_zero(&a.value);
    vm_message_t m = { .kind = kind, .is_static = f->is_static || kind == VM_STATICCALL, .depth = f->depth + 1 };
    st_account_t *target;
    if (kind == VM_CALL && has_value && f->is_static)
        return VM_HALT(EVM_HALT_STATIC);
    vm_step_t step = call_price(vm, f, &a, &m, &target);
    if (step)
        return step;
    m.gas = most_of(f->gas);
    if (u256_fits_u64(a.gas) && a.gas->w[0] < (uint64_t)m.gas)
        m.gas = (int64_t)a.gas->w[0];
    f->gas -= m.gas;
    if (has_value)
        m.gas += GAS_CALL_STIPEND;

    bool own_context = kind == VM_CALL || kind == VM_STATICCALL;
    m.self = own_context ? target : f->self;
    m.target = own_context ? NULL : target;
    m.caller = kind == VM_DELEGATECALL ? f->caller : f->self->addr;
    m.value = kind == VM_DELEGATECALL ? f->value : a.value;
    m.payer = kind == VM_CALL && has_value ? f->self : NULL;
    m.input = vm_memory_view(f, a.in_at, a.in_len);
    m.out_at = (size_t)a.out_at->w[0];
    m.out_len = (size_t)a.out_len->w[0];
    f->sp = a.result;
    if (has_value)
        step = (vm_step_t)st_load(&vm->state, f->self);
    if (step)
        return step;
    if (m.depth > EVM_DEPTH_MAX || (has_value && u256_lt(&f->self->core.balance, &a.value))) {
        f->gas += m.gas;
        vm_refill(vm, f, m.charged);
        return refuse(vm, f, &a.value);
    }
    if (!m.precompile && !m.code)
        step = (vm_step_t)st_code(&vm->state, &m.code, target);
    return step ? step : vm_begin(vm, &m);
}

/* sp: value, offset, length, and for CREATE2 the salt */
vm_step_t op_create(vm_t *vm, vm_frame_t *f, u256_t *sp, vm_kind_t kind)
{
    const u256_t *value = &sp[0], *at = &sp[-1], *len = &sp[-2];
    int64_t word_gas = vm->params->initcode_word_gas + (kind == VM_CREATE2 ? GAS_KECCAK_WORD : 0);
    vm_message_t m = { .kind = kind, .depth = f->depth + 1, .value = *value };
    addr_t addr;
    bool was_cold;
    if (f->is_static)
        return VM_HALT(EVM_HALT_STATIC);
    if (!u256_fits_u64(len) || len->w[0] > vm->params->initcode_max)
        return VM_HALT(EVM_HALT_OUT_OF_GAS); /* EIP-3860 */
    vm_step_t step = vm_pay(f, vm->params->create);
    if (!step)
        step = vm_memory(vm, f, at, len);
    if (!step)
        step = vm_pay_words(vm, f, len->w[0], word_gas);
    if (!step)
        step = (vm_step_t)st_load(&vm->state, f->self);
    if (step)
        return step;
    f->sp = kind == VM_CREATE2 ? sp - 3 : sp - 2;
    u256_t salt = *f->sp;
    if (m.depth > EVM_DEPTH_MAX || u256_lt(&f->self->core.balance, value) || f->self->core.nonce == UINT64_MAX)
        return refuse(vm, f, value);
    m.input = vm_memory_view(f, at, len);
    if (kind == VM_CREATE2)
        vm_create2_address(&addr, &f->self->addr, &salt, m.input);
    else
        vm_create_address(&addr, &f->self->addr, f->self->core.nonce);
    m.self = st_account(&vm->state, &addr);
    if (!m.self)
        return RC_NOMEM;
    rc_t rc = st_change(&vm->state, f->self);
    if (!rc)
        rc = st_warm(&vm->state, &was_cold, m.self);
    if (rc)
        return (vm_step_t)rc;
    f->self->core.nonce++;
    step = vm_pay_new_account(vm, f, &m.charged, m.self);
    if (step)
        return step;
    m.gas = most_of(f->gas);
    f->gas -= m.gas;
    m.caller = f->self->addr;
    m.payer = f->self;
    return vm_begin(vm, &m);
}

vm_step_t op_return(vm_t *vm, vm_frame_t *f, u256_t *sp, evm_status_t status)
{
    vm_step_t step = vm_memory(vm, f, &sp[0], &sp[-1]);
    return step ? step : vm_end(vm, status, EVM_HALT_NONE, f->gas, vm_memory_view(f, &sp[0], &sp[-1]));
}

/* What SELFDESTRUCT pays for an heir that gets a balance. */
static vm_step_t pay_heir(vm_t *vm, vm_frame_t *f, st_account_t *heir)
{
    int64_t charged; /* never given back */
    rc_t rc = st_load(&vm->state, heir);
    if (rc || !st_is_empty(heir))
        return (vm_step_t)rc;
    vm_step_t step = vm_pay(f, vm->params->new_heir);
    return step ? step : vm_pay_new_account(vm, f, &charged, heir);
}

vm_step_t op_selfdestruct(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    st_account_t *heir, *self = f->self;
    if (f->is_static)
        return VM_HALT(EVM_HALT_STATIC);
    vm_step_t step = vm_touch_account(vm, f, &heir, &sp[0], 0);
    if (!step)
        step = (vm_step_t)st_load(&vm->state, self);
    bool moves = !step && !u256_is_zero(&self->core.balance);
    if (moves)
        step = pay_heir(vm, f, heir);
    if (step)
        return step;
    step = (vm_step_t)vm_trace(vm, &self->addr, &heir->addr, &self->core.balance);
    if (step)
        return step;
    bool destroys = self->core.created || !vm->params->destroy_only_created;
    if (moves && heir != self) {
        u256_t all = self->core.balance;
        step = (vm_step_t)vm_transfer(vm, self, heir, &all);
    } else {
        step = (vm_step_t)st_touch(&vm->state, heir);
    }
    if (!step && destroys)
        step = (vm_step_t)st_change(&vm->state, self);
    if (step)
        return step;
    if (destroys) {
        if (!self->core.destroyed)
            vm->state.refund += vm->params->selfdestruct_refund;
        self->core.destroyed = true;
        if (!vm->params->destroy_keeps_balance)
            self->core.balance = u256_of(0);
    }
    return vm_end(vm, EVM_SUCCESS, EVM_HALT_NONE, f->gas, view_of(NULL, 0));
}
