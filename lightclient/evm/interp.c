#include "lightclient/evm/vm.h"

/* The loop. An instruction's generic part (gas and stack limits, from opcode.def) comes first, then its body: the short
 * ones here, the others in op_*.c. Registers of the running frame live in locals and are stored in the frame before a
 * body elsewhere is called. */

enum {
#define OP(byte, name, takes, gives, gas, fork) TAKES_##name = takes, GROWS_##name = gives > takes, BASE_##name = gas,
#define NONE(byte)
#include "lightclient/evm/opcode.def"
#undef OP
#undef NONE
};

/* The n bytes of a PUSH as a word. Reads up to 8 bytes from p on, which the code's padding allows. */
static inline __attribute__((always_inline)) u256_t push_word(const uint8_t *p, unsigned n)
{
    u256_t r = { { 0 } };
    unsigned full = n / 8, rest = n % 8;
    for (unsigned i = 0; i < full; i++)
        r.w[i] = load_u64be(p + n - 8 * (i + 1));
    if (rest)
        r.w[full] = load_u64be(p) >> (64 - 8 * rest);
    return r;
}

static inline __attribute__((always_inline)) void swap_words(u256_t *a, u256_t *b)
{
    const uint64_t a0 = a->w[0], a1 = a->w[1], a2 = a->w[2], a3 = a->w[3];
    u256_copy(a, b);
    b->w[0] = a0;
    b->w[1] = a1;
    b->w[2] = a2;
    b->w[3] = a3;
}

/* EIP-8024: the depth that the immediate byte of DUPN or SWAPN stands for, 17 to 235; false where it looks like a
 * JUMPDEST or a PUSH, which is invalid. */
static inline bool one_depth(unsigned *depth, uint8_t x)
{
    *depth = (uint8_t)(x + 145);
    return x < 0x5b || x >= 0x80;
}

/* EIP-8024: the depths of EXCHANGE, the first one less. */
static inline bool two_depths(unsigned *depth, unsigned *deeper, uint8_t x)
{
    unsigned k = x ^ 143u, q = k / 16, r = k % 16;
    *depth = q < r ? q + 1 : r + 1;
    *deeper = q < r ? r + 1 : 29 - q;
    return x < 0x52 || x >= 0x80;
}

/* A shift count as a number: 256 stands for all that is larger. */
static inline unsigned shift_count(const u256_t *n)
{
    return u256_fits_u64(n) && n->w[0] < 256 ? (unsigned)n->w[0] : 256;
}

#define NEXT                                                                                                           \
    do {                                                                                                               \
        pc++;                                                                                                          \
        goto *table[pc[-1]];                                                                                           \
    } while (0)

/* Begins the instruction: base gas and stack limits. */
#define BEGIN(name)                                                                                                    \
    at_##name : if ((gas -= BASE_##name) < 0) goto out_of_gas;                                                         \
    if (TAKES_##name > 0 && sp < f->floor[TAKES_##name])                                                               \
        goto bad_stack;                                                                                                \
    if (GROWS_##name == 1 && sp >= f->full)                                                                            \
        goto bad_stack;

/* A PUSH of up to 8 bytes before an instruction that takes its word at once, or before a DUP, goes on as both in one,
 * and the stack does not move twice. What such a pair cannot do, for lack of gas, items or memory or for a bad jump,
 * push_small leaves to the instruction by itself, which then finds what is wrong. */
#define AFTER_PUSH 256     /* in a fork's table, above the instructions: what follows such a PUSH */
#define SMALL (sp[1].w[0]) /* its word */

#define BEGIN_PAIR(name, more_takes, possible)                                                                         \
    push_##name                                                                                                        \
        : if (gas < BASE_##name || ((more_takes) > 0 && sp < f->floor[more_takes]) || !(possible)) goto push_small;    \
    gas -= BASE_##name;

#define NEXT_PAIR                                                                                                      \
    do {                                                                                                               \
        pc += 2;                                                                                                       \
        goto *table[pc[-1]];                                                                                           \
    } while (0)

#define PAIR(byte, name) [AFTER_PUSH + (byte)] = &&push_##name
#define NO_PAIRS(first, last) [AFTER_PUSH + (first)... AFTER_PUSH + (last)] = &&push_small
#define PAIR_DUP(n) , PAIR(0x7f + (n), DUP##n)
#define PAIRS                                                                                                          \
    NO_PAIRS(0x00, 0x00), PAIR(0x01, ADD), PAIR(0x02, MUL), NO_PAIRS(0x03, 0x15), PAIR(0x16, AND),                     \
        NO_PAIRS(0x17, 0x1a), PAIR(0x1b, SHL), PAIR(0x1c, SHR), NO_PAIRS(0x1d, 0x50), PAIR(0x51, MLOAD),               \
        PAIR(0x52, MSTORE), NO_PAIRS(0x53, 0x55), PAIR(0x56, JUMP), PAIR(0x57, JUMPI),                                 \
        NO_PAIRS(0x58, 0x7f) EACH_16(PAIR_DUP), NO_PAIRS(0x90, 0xff)

#define SAVE (f->gas = gas, f->sp = sp, f->pc = pc)

/* Before another frame may run: what this one has spent counts. */
#define COUNT_WORK (vm->until_poll = gas - poll_at)

/* Calls a body elsewhere, then goes on with the stack moved by `moves` items. */
#define CALL_BODY(call, moves)                                                                                         \
    SAVE;                                                                                                              \
    step = (call);                                                                                                     \
    if (step)                                                                                                          \
        goto stopped;                                                                                                  \
    gas = f->gas;                                                                                                      \
    sp += (moves);                                                                                                     \
    NEXT

/* Makes memory reach over n bytes at the offset on top of the stack, where only offsets below end surely do. */
#define REACH(n, end)                                                                                                  \
    if (!u256_fits_u64(sp))                                                                                            \
        goto out_of_gas;                                                                                               \
    if (sp->w[0] >= (end)) {                                                                                           \
        if (sp->w[0] < f->memory_cap && sp->w[0] + (n) <= f->memory_cap) {                                             \
            words = (sp->w[0] + (n) + 31) / 32;                                                                        \
            if (!vm_memory_pay(f, &gas, words))                                                                        \
                goto out_of_gas;                                                                                       \
            vm_memory_longer(f, words);                                                                                \
        } else {                                                                                                       \
            f->gas = gas;                                                                                              \
            step = vm_memory_reach(vm, f, sp->w[0], n);                                                                \
            if (step)                                                                                                  \
                goto stopped;                                                                                          \
            gas = f->gas;                                                                                              \
        }                                                                                                              \
    }

#define BINARY(name, fn)                                                                                               \
    BEGIN(name)                                                                                                        \
    sp--;                                                                                                              \
    sp[0] = fn(&sp[1], &sp[0]);                                                                                        \
    NEXT;

#define COMPARE(name, condition)                                                                                       \
    BEGIN(name)                                                                                                        \
    sp--;                                                                                                              \
    sp[0] = u256_of(condition);                                                                                        \
    NEXT;

#define PUSH_VALUE(name, value)                                                                                        \
    BEGIN(name)                                                                                                        \
    *++sp = (value);                                                                                                   \
    NEXT;

#define PUSH(n)                                                                                                        \
    BEGIN(PUSH##n)                                                                                                     \
    if ((n) <= 8) {                                                                                                    \
        sp[1].w[0] = push_word(pc, n).w[0];                                                                            \
        pc += (n);                                                                                                     \
        goto *table[AFTER_PUSH + pc[0]];                                                                               \
    }                                                                                                                  \
    *++sp = push_word(pc, n);                                                                                          \
    pc += (n) + 1;                                                                                                     \
    goto *table[pc[-1]];

#define DUP(n)                                                                                                         \
    BEGIN(DUP##n)                                                                                                      \
    sp++;                                                                                                              \
    u256_copy(sp, sp - (n));                                                                                           \
    NEXT;

#define PUSH_DUP(n)                                                                                                    \
    BEGIN_PAIR(DUP##n, (n)-1, sp + 1 < f->full)                                                                        \
    sp += 2;                                                                                                           \
    sp[-1].w[1] = sp[-1].w[2] = sp[-1].w[3] = 0;                                                                       \
    u256_copy(sp, sp - (n));                                                                                           \
    NEXT_PAIR;

#define SWAP(n)                                                                                                        \
    BEGIN(SWAP##n)                                                                                                     \
    swap_words(sp, sp - (n));                                                                                          \
    NEXT;

#define LOG(n)                                                                                                         \
    BEGIN(LOG##n)                                                                                                      \
    CALL_BODY(op_log(vm, f, sp, n), -2 - (n));

#define COPY(name, source)                                                                                             \
    BEGIN(name)                                                                                                        \
    CALL_BODY(op_copy(vm, f, sp, source), -3);

#define EACH_16(M) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15) M(16)
#define EACH_32(M)                                                                                                     \
    EACH_16(M) M(17) M(18) M(19) M(20) M(21) M(22) M(23) M(24) M(25) M(26) M(27) M(28) M(29) M(30) M(31) M(32)

/* Labels as values are a GNU extension that both supported compilers have. */
#pragma GCC diagnostic ignored "-Wpedantic"

rc_t vm_run(vm_t *vm)
{
#define OP(byte, name, takes, gives, gas, fork) [byte] = FORK >= fork ? &&at_##name : &&at_unassigned,
#define NONE(byte) [byte] = &&at_unassigned,
    static const void *const tables[][512] = {
#define FORK EVM_BERLIN
        {
#include "lightclient/evm/opcode.def"
            PAIRS },
#undef FORK
#define FORK EVM_LONDON
        {
#include "lightclient/evm/opcode.def"
            PAIRS },
#undef FORK
#define FORK EVM_PARIS
        {
#include "lightclient/evm/opcode.def"
            PAIRS },
#undef FORK
#define FORK EVM_SHANGHAI
        {
#include "lightclient/evm/opcode.def"
            PAIRS },
#undef FORK
#define FORK EVM_CANCUN
        {
#include "lightclient/evm/opcode.def"
            PAIRS },
#undef FORK
#define FORK EVM_PRAGUE
        {
#include "lightclient/evm/opcode.def"
            PAIRS },
#undef FORK
#define FORK EVM_OSAKA
        {
#include "lightclient/evm/opcode.def"
            PAIRS },
#undef FORK
#define FORK EVM_AMSTERDAM
        {
#include "lightclient/evm/opcode.def"
            PAIRS },
#undef FORK
    };
#undef OP
#undef NONE
    _Static_assert(sizeof tables / sizeof tables[0] == EVM_FORKS, "each known fork has its instructions");
    const void *const *table = tables[vm->rules->fork];
    vm_frame_t *f;
    const uint8_t *pc;
    u256_t *sp;
    int64_t gas, poll_at; /* a JUMPDEST with less gas asks the host about its deadline */
    vm_step_t step;
    unsigned depth, deeper;
    uint64_t words;
    u256_t word;

enter: /* the frame that runs has changed, or one has ended */
    f = vm->frame;
    if (!f)
        return RC_OK;
    pc = f->pc;
    sp = f->sp;
    gas = f->gas;
    poll_at = gas - vm->until_poll;
    NEXT;

    BEGIN(STOP)
    COUNT_WORK;
    step = vm_end(vm, EVM_SUCCESS, EVM_HALT_NONE, gas, view_of(NULL, 0));
    goto stopped;

    /* --- arithmetic --- */
    BINARY(ADD, u256_add)
    BINARY(MUL, u256_mul)
    BINARY(SUB, u256_sub)
    BEGIN(DIV)
    u256_divmod(&sp[-1], NULL, &sp[0], &sp[-1]);
    sp--;
    NEXT;
    BEGIN(SDIV)
    u256_sdivmod(&sp[-1], NULL, &sp[0], &sp[-1]);
    sp--;
    NEXT;
    BEGIN(MOD)
    u256_divmod(NULL, &sp[-1], &sp[0], &sp[-1]);
    sp--;
    NEXT;
    BEGIN(SMOD)
    u256_sdivmod(NULL, &sp[-1], &sp[0], &sp[-1]);
    sp--;
    NEXT;
    BEGIN(ADDMOD)
    word = u256_addmod(&sp[0], &sp[-1], &sp[-2]);
    u256_copy(&sp[-2], &word);
    sp -= 2;
    NEXT;
    BEGIN(MULMOD)
    word = u256_mulmod(&sp[0], &sp[-1], &sp[-2]);
    u256_copy(&sp[-2], &word);
    sp -= 2;
    NEXT;
    BEGIN(EXP)
    CALL_BODY(op_exp(vm, f, sp), -1);
    BEGIN(SIGNEXTEND)
    sp[-1] = u256_signextend(&sp[-1], &sp[0]);
    sp--;
    NEXT;
    COMPARE(LT, u256_lt(&sp[1], &sp[0]))
    COMPARE(GT, u256_lt(&sp[0], &sp[1]))
    COMPARE(SLT, u256_slt(&sp[1], &sp[0]))
    COMPARE(SGT, u256_slt(&sp[0], &sp[1]))
    COMPARE(EQ, u256_eq(&sp[1], &sp[0]))
    BEGIN(ISZERO)
    sp[0] = u256_of(u256_is_zero(&sp[0]));
    NEXT;
    BINARY(AND, u256_and)
    BINARY(OR, u256_or)
    BINARY(XOR, u256_xor)
    BEGIN(NOT)
    sp[0] = u256_not(&sp[0]);
    NEXT;
    BEGIN(BYTE)
    sp[-1] = u256_byte(&sp[-1], &sp[0]);
    sp--;
    NEXT;
    BEGIN(SHL)
    sp--;
    sp[0] = u256_shl(&sp[0], shift_count(&sp[1]));
    NEXT;
    BEGIN(SHR)
    sp--;
    sp[0] = u256_shr(&sp[0], shift_count(&sp[1]));
    NEXT;
    BEGIN(SAR)
    sp--;
    sp[0] = u256_sar(&sp[0], shift_count(&sp[1]));
    NEXT;
    BEGIN(CLZ)
    sp[0] = u256_of(u256_clz(&sp[0]));
    NEXT;
    BEGIN(KECCAK256)
    CALL_BODY(op_keccak256(vm, f, sp), -1);

    /* --- the call and its block --- */
    PUSH_VALUE(ADDRESS, vm_of_addr(&f->self->addr))
    BEGIN(BALANCE)
    CALL_BODY(op_balance(vm, f, sp), 0);
    PUSH_VALUE(ORIGIN, vm_of_addr(&vm->tx->from))
    PUSH_VALUE(CALLER, vm_of_addr(&f->caller))
    PUSH_VALUE(CALLVALUE, f->value)
    BEGIN(CALLDATALOAD)
    if (u256_fits_u64(&sp[0]) && f->input.n >= 32 && sp[0].w[0] <= f->input.n - 32)
        sp[0] = u256_from_be32(f->input.p + sp[0].w[0]);
    else
        op_calldataload(f, sp);
    NEXT;
    PUSH_VALUE(CALLDATASIZE, u256_of(f->input.n))
    COPY(CALLDATACOPY, f->input)
    PUSH_VALUE(CODESIZE, u256_of(f->code->len))
    COPY(CODECOPY, view_of(f->code->bytes, f->code->len))
    PUSH_VALUE(GASPRICE, vm->gas_price)
    BEGIN(EXTCODESIZE)
    CALL_BODY(op_extcodesize(vm, f, sp), 0);
    BEGIN(EXTCODECOPY)
    CALL_BODY(op_extcodecopy(vm, f, sp), -4);
    PUSH_VALUE(RETURNDATASIZE, u256_of(vm->ret_len))
    BEGIN(RETURNDATACOPY)
    CALL_BODY(op_returndatacopy(vm, f, sp), -3);
    BEGIN(EXTCODEHASH)
    CALL_BODY(op_extcodehash(vm, f, sp), 0);
    BEGIN(BLOCKHASH)
    CALL_BODY(op_blockhash(vm, f, sp), 0);
    PUSH_VALUE(COINBASE, vm_of_addr(&vm->block->coinbase))
    PUSH_VALUE(TIMESTAMP, u256_of(vm->block->timestamp))
    PUSH_VALUE(NUMBER, u256_of(vm->block->number))
    PUSH_VALUE(PREVRANDAO, u256_from_be32(vm->block->prev_randao.b))
    PUSH_VALUE(GASLIMIT, u256_of(vm->block->gas_limit))
    PUSH_VALUE(CHAINID, u256_of(vm->block->chain_id))
    BEGIN(SELFBALANCE)
    CALL_BODY(op_selfbalance(vm, f, sp), 1);
    PUSH_VALUE(BASEFEE, vm->block->base_fee)
    BEGIN(BLOBHASH)
    sp[0] = u256_fits_u64(&sp[0]) && sp[0].w[0] < vm->tx->blob_count ? u256_from_be32(vm->tx->blob_hashes[sp[0].w[0]].b)
                                                                     : u256_of(0);
    NEXT;
    PUSH_VALUE(BLOBBASEFEE, vm->blob_base_fee)
    PUSH_VALUE(SLOTNUM, u256_of(vm->block->slot_number))

    /* --- stack, memory, storage, jumps --- */
    BEGIN(POP)
    sp--;
    NEXT;
    BEGIN(MLOAD)
    REACH(32, f->words_end)
    sp[0] = u256_from_be32(f->memory + sp[0].w[0]);
    NEXT;
    BEGIN(MSTORE)
    REACH(32, f->words_end)
    u256_to_be32(f->memory + sp[0].w[0], &sp[-1]);
    sp -= 2;
    NEXT;
    BEGIN(MSTORE8)
    REACH(1, f->memory_len)
    f->memory[sp[0].w[0]] = (uint8_t)sp[-1].w[0];
    sp -= 2;
    NEXT;
    BEGIN(SLOAD)
    CALL_BODY(op_sload(vm, f, sp), 0);
    BEGIN(SSTORE)
    CALL_BODY(op_sstore(vm, f, sp), -2);
    BEGIN(JUMP)
    if (!u256_fits_u64(&sp[0]) || !code_is_dest(f->code, sp[0].w[0]))
        goto bad_jump;
    pc = f->code->bytes + sp[0].w[0] + 1;
    sp--;
    goto at_JUMPDEST;
    BEGIN(JUMPI)
    sp -= 2;
    if (u256_is_zero(&sp[1]))
        NEXT;
    if (!u256_fits_u64(&sp[2]) || !code_is_dest(f->code, sp[2].w[0]))
        goto bad_jump;
    pc = f->code->bytes + sp[2].w[0] + 1;
    goto at_JUMPDEST;
    PUSH_VALUE(PC, u256_of((uint64_t)(pc - 1 - f->code->bytes)))
    PUSH_VALUE(MSIZE, u256_of(f->memory_len))
    PUSH_VALUE(GAS, u256_of((uint64_t)gas))
    BEGIN(JUMPDEST) /* every loop passes here */
    if (gas < poll_at) {
        poll_at = gas - VM_POLL_GAS;
        step = vm_poll_now(vm);
        if (step)
            goto stopped;
    }
    NEXT;
    BEGIN(TLOAD)
    sp[0] = st_transient(&vm->state, f->self, &sp[0]);
    NEXT;
    BEGIN(TSTORE)
    CALL_BODY(op_tstore(vm, f, sp), -2);
    BEGIN(MCOPY)
    CALL_BODY(op_mcopy(vm, f, sp), -3);
    PUSH_VALUE(PUSH0, u256_of(0))
    EACH_32(PUSH)
push_small:
    sp++;
    sp[0].w[1] = sp[0].w[2] = sp[0].w[3] = 0;
    NEXT;
    BEGIN_PAIR(ADD, 1, true)
    word = u256_of(SMALL);
    sp[0] = u256_add(&word, &sp[0]);
    NEXT_PAIR;
    BEGIN_PAIR(MUL, 1, true)
    sp[0] = u256_mul_small(&sp[0], SMALL);
    NEXT_PAIR;
    BEGIN_PAIR(AND, 1, true)
    sp[0] = u256_of(sp[0].w[0] & SMALL);
    NEXT_PAIR;
    BEGIN_PAIR(SHL, 1, true)
    sp[0] = u256_shl(&sp[0], SMALL < 256 ? (unsigned)SMALL : 256);
    NEXT_PAIR;
    BEGIN_PAIR(SHR, 1, true)
    sp[0] = u256_shr(&sp[0], SMALL < 256 ? (unsigned)SMALL : 256);
    NEXT_PAIR;
    BEGIN_PAIR(MLOAD, 0, SMALL < f->words_end)
    sp[1] = u256_from_be32(f->memory + SMALL);
    sp++;
    NEXT_PAIR;
    BEGIN_PAIR(MSTORE, 1, SMALL < f->words_end)
    u256_to_be32(f->memory + SMALL, &sp[0]);
    sp--;
    NEXT_PAIR;
    BEGIN_PAIR(JUMP, 0, code_is_dest(f->code, SMALL))
    pc = f->code->bytes + SMALL + 1;
    goto at_JUMPDEST;
    BEGIN_PAIR(JUMPI, 1, code_is_dest(f->code, SMALL))
    sp--;
    if (u256_is_zero(&sp[1]))
        NEXT_PAIR;
    pc = f->code->bytes + sp[2].w[0] + 1;
    goto at_JUMPDEST;
    EACH_16(PUSH_DUP)
    EACH_16(DUP)
    EACH_16(SWAP)
    BEGIN(DUPN)
    if (!one_depth(&depth, pc[0]))
        goto at_unassigned;
    if (sp < f->stack + depth)
        goto bad_stack;
    u256_copy(sp + 1, sp + 1 - depth);
    sp++;
    pc++;
    NEXT;
    BEGIN(SWAPN)
    if (!one_depth(&depth, pc[0]))
        goto at_unassigned;
    if (sp < f->stack + depth + 1)
        goto bad_stack;
    swap_words(sp, sp - depth);
    pc++;
    NEXT;
    BEGIN(EXCHANGE)
    if (!two_depths(&depth, &deeper, pc[0]))
        goto at_unassigned;
    if (sp < f->stack + deeper + 1)
        goto bad_stack;
    swap_words(sp - depth, sp - deeper);
    pc++;
    NEXT;
    LOG(0)
    LOG(1)
    LOG(2)
    LOG(3)
    LOG(4)

    /* --- calls and ends; these bodies set f->sp themselves --- */
    BEGIN(CREATE)
    SAVE;
    COUNT_WORK;
    step = op_create(vm, f, sp, VM_CREATE);
    goto after_call;
    BEGIN(CALL)
    SAVE;
    COUNT_WORK;
    step = op_call(vm, f, sp, VM_CALL);
    goto after_call;
    BEGIN(CALLCODE)
    SAVE;
    COUNT_WORK;
    step = op_call(vm, f, sp, VM_CALLCODE);
    goto after_call;
    BEGIN(RETURN)
    SAVE;
    COUNT_WORK;
    step = op_return(vm, f, sp, EVM_SUCCESS);
    goto stopped;
    BEGIN(DELEGATECALL)
    SAVE;
    COUNT_WORK;
    step = op_call(vm, f, sp, VM_DELEGATECALL);
    goto after_call;
    BEGIN(CREATE2)
    SAVE;
    COUNT_WORK;
    step = op_create(vm, f, sp, VM_CREATE2);
    goto after_call;
    BEGIN(STATICCALL)
    SAVE;
    COUNT_WORK;
    step = op_call(vm, f, sp, VM_STATICCALL);
    goto after_call;
    BEGIN(REVERT)
    SAVE;
    COUNT_WORK;
    step = op_return(vm, f, sp, EVM_REVERT);
    goto stopped;
    BEGIN(SELFDESTRUCT)
    SAVE;
    COUNT_WORK;
    step = op_selfdestruct(vm, f, sp);
    goto stopped;

after_call:
    if (step)
        goto stopped;
    goto enter;

at_unassigned:
    step = VM_HALT(EVM_HALT_INVALID_OPCODE);
    goto stopped;
out_of_gas:
    step = VM_HALT(EVM_HALT_OUT_OF_GAS);
    goto stopped;
bad_stack:
    step = VM_HALT(EVM_HALT_STACK);
    goto stopped;
bad_jump:
    step = VM_HALT(EVM_HALT_BAD_JUMP);
stopped:
    if (VM_IS_HALT(step)) {
        COUNT_WORK;
        vm->end.halt_opcode = pc[-1];
        vm->end.halt_stack = (uint16_t)(sp - f->stack);
        step = vm_end(vm, EVM_HALT, (evm_halt_t)(step & 0xff), 0, view_of(NULL, 0));
    }
    if (step == VM_SWITCH)
        goto enter;
    return (rc_t)step;
}
