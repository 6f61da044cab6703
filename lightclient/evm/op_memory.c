#include "base/crypto/hash.h"
#include "lightclient/evm/vm.h"

/* Bodies of EXP, KECCAK256, CALLDATALOAD and the copies. */

vm_step_t vm_pay_words(vm_t *vm, vm_frame_t *f, uint64_t len, int64_t per_word)
{
    int64_t gas = per_word * vm_words(len);
    vm_step_t step = vm_pay(f, gas);
    return step ? step : vm_poll(vm, gas);
}

vm_step_t op_exp(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    int64_t gas = GAS_EXP_BYTE * (int64_t)u256_byte_len(&sp[-1]);
    vm_step_t step = vm_pay(f, gas);
    if (!step)
        step = vm_poll(vm, gas);
    if (!step)
        sp[-1] = u256_exp(&sp[0], &sp[-1]);
    return step;
}

vm_step_t op_keccak256(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    hash32_t digest;
    vm_step_t step = vm_memory(vm, f, &sp[0], &sp[-1]);
    if (!step)
        step = vm_pay_words(vm, f, sp[-1].w[0], GAS_KECCAK_WORD);
    if (step)
        return step;
    keccak256(&digest, vm_memory_view(f, &sp[0], &sp[-1]));
    sp[-1] = u256_from_be32(digest.b);
    return VM_GO_ON;
}

/* source[at .. at + n), zeros beyond its end. */
static void copy_padded(uint8_t *out, view_t source, const u256_t *at, size_t n)
{
    size_t have = u256_fits_u64(at) && at->w[0] < source.n ? source.n - (size_t)at->w[0] : 0;
    if (have > n)
        have = n;
    if (have)
        memcpy(out, source.p + at->w[0], have);
    memset(out + have, 0, n - have);
}

void op_calldataload(const vm_frame_t *f, u256_t *sp)
{
    uint8_t word[32];
    copy_padded(word, f->input, &sp[0], sizeof word);
    sp[0] = u256_from_be32(word);
}

/* sp: offset in memory, offset in source, length */
vm_step_t op_copy(vm_t *vm, vm_frame_t *f, u256_t *sp, view_t source)
{
    vm_step_t step = vm_memory(vm, f, &sp[0], &sp[-2]);
    if (!step)
        step = vm_pay_words(vm, f, sp[-2].w[0], GAS_COPY_WORD);
    if (step || u256_is_zero(&sp[-2]))
        return step;
    copy_padded(f->memory + sp[0].w[0], source, &sp[-1], (size_t)sp[-2].w[0]);
    return VM_GO_ON;
}

vm_step_t op_returndatacopy(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    if (!u256_fits_u64(&sp[-1]) || !u256_fits_u64(&sp[-2]) || sp[-1].w[0] > vm->ret_len ||
        sp[-2].w[0] > vm->ret_len - sp[-1].w[0])
        return VM_HALT(EVM_HALT_RETURN_DATA);
    return op_copy(vm, f, sp, view_of(vm->ret, vm->ret_len));
}

vm_step_t op_mcopy(vm_t *vm, vm_frame_t *f, u256_t *sp)
{
    const u256_t *farther = u256_lt(&sp[0], &sp[-1]) ? &sp[-1] : &sp[0];
    vm_step_t step = vm_memory(vm, f, farther, &sp[-2]);
    if (!step)
        step = vm_pay_words(vm, f, sp[-2].w[0], GAS_COPY_WORD);
    if (step || u256_is_zero(&sp[-2]))
        return step;
    memmove(f->memory + sp[0].w[0], f->memory + sp[-1].w[0], (size_t)sp[-2].w[0]);
    return VM_GO_ON;
}
