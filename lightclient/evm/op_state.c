#include "base/crypto/hash.h"
#include "lightclient/evm/vm.h"

/* Bodies of the instructions that look at accounts, storage and blocks, and of LOG. Prices are paid before the host is
 * asked, so that a frame that cannot pay does not ask. */

#define BLOCK_HASH_WINDOW 256u

vm_step_t vm_touch_account(vm_t *vm, vm_frame_t *f, st_account_t **out, const u256_t *addr, int64_t base)
{
    addr_t a = vm_to_addr(addr);
    const evm_host_t *host = vm->state.host;
    bool was_cold;
    if (host->touched)
        host->touched(host->ctx, &a, NULL);
    st_account_t *acc = st_account(&vm->state, &a);
    rc_t rc = acc ? st_warm(&vm->state, &was_cold, acc) : RC_NOMEM;
    if (rc)
        return (vm_step_t)rc;
    *out = acc;
    return was_cold && !precompile_at(&a, vm->rules->fork) ? vm_pay(f, vm->params->cold_account - base) : VM_GO_ON;
}

/* vm_touch_account for an instruction whose base cost is the warm price, and the account's content. */
static vm_step_t look_at_account(vm_t *vm, vm_frame_t *f, st_account_t **out, const u256_t *addr)
{
    vm_step_t step = vm_touch_account(vm, f, out, addr, vm->params->warm);
    return step ? step : (vm_step_t)st_load(&vm->state, *out);
}

vm_step_t op_balance(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    st_account_t *acc;
    vm_step_t step = look_at_account(vm, f, &acc, &sp[0]);
    if (!step)
        sp[0] = acc->core.balance;
    return step;
}

vm_step_t op_selfbalance(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    rc_t rc = st_load(&vm->state, f->self);
    if (!rc)
        sp[1] = f->self->core.balance;
    return (vm_step_t)rc;
}

vm_step_t op_extcodesize(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    st_account_t *acc;
    const evm_code_t *code;
    vm_step_t step = vm_touch_account(vm, f, &acc, &sp[0], vm->params->warm);
    if (!step)
        step = vm_pay(f, vm->params->code_read);
    if (!step)
        step = (vm_step_t)st_code(&vm->state, &code, acc);
    if (!step)
        sp[0] = u256_of(code->len);
    return step;
}

/* sp: address, offset in memory, offset in code, length */
vm_step_t op_extcodecopy(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    st_account_t *acc;
    const evm_code_t *code;
    vm_step_t step = vm_memory(vm, f, &sp[-1], &sp[-3]);
    if (!step)
        step = vm_touch_account(vm, f, &acc, &sp[0], vm->params->warm);
    if (!step)
        step = vm_pay(f, vm->params->code_read);
    if (!step && f->gas < GAS_COPY_WORD * vm_words(sp[-3].w[0]))
        step = VM_HALT(EVM_HALT_OUT_OF_GAS);
    if (step || u256_is_zero(&sp[-3]))
        return step;
    step = (vm_step_t)st_code(&vm->state, &code, acc);
    return step ? step : op_copy(vm, f, sp - 1, view_of(code->bytes, code->len));
}

vm_step_t op_extcodehash(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    st_account_t *acc;
    vm_step_t step = look_at_account(vm, f, &acc, &sp[0]);
    if (!step)
        sp[0] = st_is_empty(acc) ? u256_of(0) : u256_from_be32(acc->core.code_hash.b);
    return step;
}

vm_step_t op_blockhash(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    (void)f;
    hash32_t hash = { { 0 } };
    uint64_t now = vm->block->number, asked = sp[0].w[0];
    if (u256_fits_u64(&sp[0]) && asked < now && now - asked <= BLOCK_HASH_WINDOW) {
        rc_t rc = vm->state.host->block_hash(vm->state.host->ctx, &hash, asked);
        if (rc)
            return (vm_step_t)rc;
    }
    sp[0] = u256_from_be32(hash.b);
    return VM_GO_ON;
}

static void touch_slot(const vm_t *vm, const vm_frame_t *f, const u256_t *key)
{
    const evm_host_t *host = vm->state.host;
    if (host->touched)
        host->touched(host->ctx, &f->self->addr, key);
}

vm_step_t op_sload(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    st_slot_t *slot;
    bool was_cold;
    touch_slot(vm, f, &sp[0]);
    vm_step_t step = (vm_step_t)st_slot(&vm->state, &slot, &was_cold, f->self, &sp[0]);
    if (!step && was_cold)
        step = vm_pay(f, vm->params->cold_slot - vm->params->warm);
    if (!step)
        step = (vm_step_t)st_slot_load(&vm->state, slot);
    if (!step)
        sp[0] = slot->value;
    return step;
}

/* What storing value costs (EIP-2200 with the prices of EIP-2929), and what it changes in the refund counter. */
static int64_t sstore_gas(const evm_params_t *p, const st_slot_t *slot, const u256_t *value, int64_t *refund)
{
    bool clears = u256_is_zero(value);
    bool was_clear = u256_is_zero(&slot->value), began_clear = u256_is_zero(&slot->original);
    *refund = 0;
    if (u256_eq(&slot->value, value))
        return p->warm;
    if (u256_eq(&slot->original, &slot->value)) {
        if (clears) /* and began not clear, for the value changes */
            *refund = p->sstore_clear_refund;
        return began_clear ? p->sstore_set : p->sstore_reset;
    }
    if (!began_clear && was_clear)
        *refund -= p->sstore_clear_refund;
    if (!began_clear && clears)
        *refund += p->sstore_clear_refund;
    if (u256_eq(&slot->original, value))
        *refund += (began_clear ? p->sstore_set : p->sstore_reset) - p->warm;
    return p->warm;
}

/* Pays for a slot that begins to be used, or gives that back when it ends as it began (EIP-8037). */
static vm_step_t sstore_state_gas(vm_t *vm, vm_frame_t *f, const st_slot_t *slot, const u256_t *value)
{
    bool was_clear = u256_is_zero(&slot->value), clears = u256_is_zero(value);
    if (was_clear == clears || !u256_is_zero(&slot->original))
        return VM_GO_ON;
    if (was_clear)
        return vm_pay_state(vm, f, vm->state_gas->slot);
    vm_refill(vm, f, vm->state_gas->slot);
    return VM_GO_ON;
}

vm_step_t op_sstore(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    st_slot_t *slot;
    bool was_cold;
    int64_t refund;
    if (f->is_static)
        return VM_HALT(EVM_HALT_STATIC);
    if (f->gas <= GAS_CALL_STIPEND) /* EIP-2200 */
        return VM_HALT(EVM_HALT_OUT_OF_GAS);
    touch_slot(vm, f, &sp[0]);
    vm_step_t step = (vm_step_t)st_slot(&vm->state, &slot, &was_cold, f->self, &sp[0]);
    if (!step && was_cold)
        step = vm_pay(f, vm->params->cold_sstore);
    if (!step)
        step = (vm_step_t)st_slot_load(&vm->state, slot);
    if (!step)
        step = vm_pay(f, sstore_gas(vm->params, slot, &sp[-1], &refund));
    if (!step)
        step = sstore_state_gas(vm, f, slot, &sp[-1]);
    if (step)
        return step;
    vm->state.refund += refund;
    return u256_eq(&slot->value, &sp[-1]) ? VM_GO_ON : (vm_step_t)st_slot_set(&vm->state, slot, &sp[-1]);
}

vm_step_t op_tstore(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    if (f->is_static)
        return VM_HALT(EVM_HALT_STATIC);
    return (vm_step_t)st_transient_set(&vm->state, f->self, &sp[0], &sp[-1]);
}

/* sp: offset, length, topics */
vm_step_t op_log(vm_t *vm, vm_frame_t *f, u256_t *sp, unsigned topic_count)
{
    hash32_t topics[4];
    if (f->is_static)
        return VM_HALT(EVM_HALT_STATIC);
    vm_step_t step = vm_memory(vm, f, &sp[0], &sp[-1]);
    if (!step)
        step = vm_pay(f, GAS_LOG_BYTE * (int64_t)sp[-1].w[0]);
    if (step)
        return step;
    for (unsigned i = 0; i < topic_count; i++)
        u256_to_be32(topics[i].b, sp - 2 - i);
    view_t data = vm_memory_view(f, &sp[0], &sp[-1]);
    return (vm_step_t)st_log(&vm->state, &f->self->addr, topics, (uint8_t)topic_count, data);
}
