/* vm.h - inside of the virtual machine: frames, memory, and what the instruction bodies share.
 *
 * A frame is one call or creation. Frames are a stack in the arena, reused by depth; the interpreter's loop leaves a
 * frame by changing vm->frame and never calls itself. The memories of all frames are a stack too: only the newest
 * frame's memory grows, so the others never move.
 *
 * Floor:  2, evm. No I/O, clock, thread or global state.
 * Tests:  tests/unit/test_evm.c
 */
#ifndef EVM_VM_H
#define EVM_VM_H

#include "lightclient/evm/evm.h"
#include "lightclient/evm/gas.h"
#include "lightclient/evm/precompile.h"
#include "lightclient/evm/state.h"

/* What an instruction body answers: VM_GO_ON; VM_SWITCH: vm->frame is another one, or ended with vm->frame NULL;
 * VM_HALT(reason): the frame fails; any other value is an rc_t, which ends the whole call. */
typedef int vm_step_t;
#define VM_GO_ON 0
#define VM_SWITCH 0x100
#define VM_HALT(reason) (0x200 | (int)(reason))
#define VM_IS_HALT(step) ((step) >= 0x200)

typedef enum { VM_CALL, VM_CALLCODE, VM_DELEGATECALL, VM_STATICCALL, VM_CREATE, VM_CREATE2 } vm_kind_t;

/* A piece of the stack of memories. */
typedef struct vm_chunk {
    struct vm_chunk *next; /* larger than this one; kept for reuse */
    size_t cap, used;
    uint8_t *data;
} vm_chunk_t;

typedef struct vm_frame {
    struct vm_frame *parent, *child; /* child: kept for reuse */
    const evm_code_t *code;
    const uint8_t *pc; /* next instruction, while the frame does not run */
    u256_t *sp;        /* top item, while the frame does not run; stack[0] is below the first item */
    int64_t gas;
    int64_t spilled; /* state gas that was taken from gas, for the reservoir was empty (EIP-8037) */
    int64_t charged; /* state gas that the parent has paid for this frame, given back to it when the frame fails */
    uint8_t *memory;
    size_t memory_len;  /* bytes in use, a multiple of 32 */
    size_t memory_cap;  /* bytes that it has, zero from memory_len on; the running frame's end with the top chunk's */
    size_t words_end;   /* offsets below it have a whole word of memory */
    int64_t memory_gas; /* paid for the memory */
    view_t input;
    st_account_t *self; /* whose storage and balance */
    addr_t caller;
    u256_t value;
    vm_kind_t kind;
    unsigned depth;
    bool is_static;
    st_mark_t mark;          /* state to return to when the frame fails */
    vm_chunk_t *start_chunk; /* memories to return to when the frame ends */
    size_t start_used;
    size_t out_at, out_len;           /* where the parent wants the output in its memory */
    evm_code_t init_code;             /* of a creation */
    u256_t *stack;                    /* EVM_STACK_MAX + 1 items */
    u256_t *full;                     /* the last of them */
    u256_t *floor[EVM_TAKES_MAX + 1]; /* floor[n]: item n, which sp must not be below where n are taken */
} vm_frame_t;

typedef struct {
    st_t state;
    arena_t *arena;
    const evm_params_t *params;
    const evm_state_gas_t *state_gas;
    const evm_rules_t *rules;
    const evm_block_t *block;
    const evm_tx_t *tx;
    bool traces;          /* shows transfers as logs */
    u256_t gas_price;     /* what GASPRICE returns */
    u256_t blob_base_fee; /* what BLOBBASEFEE returns */
    vm_frame_t *frame;    /* that runs; NULL when the call has ended */
    vm_frame_t *frames;   /* the one of depth 0, kept for reuse */
    vm_chunk_t *chunk;    /* top of the stack of memories */
    uint8_t *ret;         /* return data of the last call of the running frame */
    size_t ret_len, ret_cap;
    int64_t until_poll; /* gas until the host is asked about its deadline, while no frame runs */
    struct {
        evm_status_t status;
        evm_halt_t halt;
        uint8_t halt_opcode; /* of the last frame that halted */
        uint16_t halt_stack;
        int64_t gas_left;
        addr_t created_addr; /* of a creation */
    } end;                   /* of the outermost frame; its output is ret */
} vm_t;

/* Makes the calls of a block, and the logs of EIP-7708. */
extern const addr_t EVM_SYSTEM_ADDRESS;

#define VM_POLL_GAS 250000                /* gas: the host is asked about its deadline when so much work was done */
#define VM_POLL_CALL_GAS 1000             /* what beginning a call counts as, beside what its caller did */
#define VM_MEMORY_MAX ((uint64_t)1 << 32) /* bytes; costs 3.5e13 gas, more than any block has */

/* One call or creation to begin. */
typedef struct {
    vm_kind_t kind;
    bool is_static;
    unsigned depth;
    int64_t gas;
    int64_t charged; /* as in vm_frame_t */
    st_account_t *self;
    const st_account_t *target;     /* CALLCODE: whose code it is; else NULL */
    const precompile_t *precompile; /* calls: NULL for ordinary code */
    const evm_code_t *code;         /* calls of ordinary code */
    addr_t caller;
    u256_t value;
    st_account_t *payer; /* pays value to self, both loaded; NULL: nothing moves */
    view_t input;        /* calls: call data; creations: init code */
    size_t out_at, out_len;
} vm_message_t;

/* Prepares an empty machine for rules whose fork is known. RC_NOMEM. */
NODISCARD rc_t vm_init(vm_t *vm, arena_t *arena, const evm_host_t *host, const evm_rules_t *rules,
                       const evm_block_t *block, const evm_tx_t *tx);

/* The precompile that a call to an address runs, or NULL. */
const precompile_t *vm_precompile(const vm_t *vm, const addr_t *addr);

/* The code that runs at an account: its own, or the one that it delegates to (EIP-7702), which is then warmed.
 *   f  pays for touching the delegate; NULL: nobody does */
vm_step_t vm_resolve_code(vm_t *vm, vm_frame_t *f, const evm_code_t **out, st_account_t *acc);

/* Asks the host about its deadline: RC_TIMEOUT once it has passed. */
vm_step_t vm_poll_now(vm_t *vm);

/* Counts work; vm_poll_now once it is VM_POLL_GAS. The loop does the same at each JUMPDEST with what a frame has spent,
 * so that only bodies that can take long need this. */
static inline vm_step_t vm_poll(vm_t *vm, int64_t gas)
{
    vm->until_poll -= gas;
    return vm->until_poll > 0 ? VM_GO_ON : vm_poll_now(vm);
}

/* Begins m under the running frame: pushes a frame (VM_SWITCH), or is done at once (precompile, no code, collision):
 * VM_GO_ON, the result given to the running frame. With no frame running, the result is in vm->end. */
vm_step_t vm_begin(vm_t *vm, const vm_message_t *m);

/* Ends the running frame: takes its result to the parent, rolls back unless EVM_SUCCESS. output may lie in the frame's
 * memory. VM_SWITCH, or an rc_t. */
vm_step_t vm_end(vm_t *vm, evm_status_t status, evm_halt_t halt, int64_t gas_left, view_t output);

/* Runs until vm->frame is NULL. */
NODISCARD rc_t vm_run(vm_t *vm);

/* Pays from *gas for a memory of so many words, more than it is long; false: it has not so much. */
static inline bool vm_memory_pay(vm_frame_t *f, int64_t *gas, uint64_t words)
{
    const int64_t due = (int64_t)(GAS_MEMORY_WORD * words + words * words / GAS_MEMORY_SQUARE);
    *gas -= due - f->memory_gas;
    f->memory_gas = due;
    return *gas >= 0;
}

/* Memory is so many words long, which it has. */
static inline void vm_memory_longer(vm_frame_t *f, uint64_t words)
{
    f->memory_len = (size_t)words * 32;
    f->words_end = f->memory_len - 31;
}

/* Makes memory reach over len bytes (at most VM_MEMORY_MAX, not 0) at offset, where it does not yet, paid from f->gas.
 */
vm_step_t vm_memory_reach(vm_t *vm, vm_frame_t *f, uint64_t offset, uint64_t len);

/* Makes memory reach to offset + len, paid from f->gas; a no-op when len is 0. On VM_GO_ON both fit size_t. */
static inline vm_step_t vm_memory(vm_t *vm, vm_frame_t *f, const u256_t *offset, const u256_t *len)
{
    if (u256_is_zero(len))
        return VM_GO_ON;
    if (!u256_fits_u64(offset) || !u256_fits_u64(len) || offset->w[0] > VM_MEMORY_MAX || len->w[0] > VM_MEMORY_MAX)
        return VM_HALT(EVM_HALT_OUT_OF_GAS);
    return offset->w[0] + len->w[0] <= f->memory_len ? VM_GO_ON : vm_memory_reach(vm, f, offset->w[0], len->w[0]);
}

static inline view_t vm_memory_view(const vm_frame_t *f, const u256_t *offset, const u256_t *len)
{
    return u256_is_zero(len) ? (view_t){ NULL, 0 } : view_of(f->memory + offset->w[0], (size_t)len->w[0]);
}

static inline int64_t vm_words(uint64_t bytes)
{
    return (int64_t)((bytes + 31) / 32);
}

static inline addr_t vm_to_addr(const u256_t *w)
{
    uint8_t b[32];
    addr_t a;
    u256_to_be32(b, w);
    memcpy(a.b, b + 12, sizeof a.b);
    return a;
}

static inline u256_t vm_of_addr(const addr_t *a)
{
    return u256_from_be(view_of(a->b, sizeof a->b));
}

/* Pays for touching an account: the cold price at the first time in a transaction, else the warm one; base of it was
 * paid already. */
vm_step_t vm_touch_account(vm_t *vm, vm_frame_t *f, st_account_t **out, const u256_t *addr, int64_t base);

static inline vm_step_t vm_pay(vm_frame_t *f, int64_t gas)
{
    f->gas -= gas;
    return f->gas < 0 ? VM_HALT(EVM_HALT_OUT_OF_GAS) : VM_GO_ON;
}

/* Pays state gas (EIP-8037): from the reservoir, the rest from f->gas. */
static inline vm_step_t vm_pay_state(vm_t *vm, vm_frame_t *f, int64_t gas)
{
    int64_t held = vm->state.reservoir < gas ? vm->state.reservoir : gas;
    if (gas - held > f->gas)
        return VM_HALT(EVM_HALT_OUT_OF_GAS);
    vm->state.reservoir -= held;
    vm->state.state_gas += gas;
    f->gas -= gas - held;
    f->spilled += gas - held;
    return VM_GO_ON;
}

/* Gives state gas back, in the opposite order. */
static inline void vm_refill(vm_t *vm, vm_frame_t *f, int64_t gas)
{
    int64_t back = f->spilled < gas ? f->spilled : gas;
    f->gas += back;
    f->spilled -= back;
    vm->state.reservoir += gas - back;
    vm->state.state_gas -= gas;
}

/* Pays the state gas of a new account where acc is an empty one; *charged is set to what was paid. */
vm_step_t vm_pay_new_account(vm_t *vm, vm_frame_t *f, int64_t *charged, st_account_t *acc);

/* Moves value, not zero, between loaded accounts; the payer has it. Logs that where the fork does (EIP-7708). */
NODISCARD rc_t vm_transfer(vm_t *vm, st_account_t *from, st_account_t *to, const u256_t *value);

/* Shows a transfer as a log, where that is asked for (evm_simulate) and the value is not zero. */
NODISCARD rc_t vm_trace(vm_t *vm, const addr_t *from, const addr_t *to, const u256_t *value);

/* Pays for long work, such as a copy of len bytes: per_word for each begun word of 32. */
vm_step_t vm_pay_words(vm_t *vm, vm_frame_t *f, uint64_t len, int64_t per_word);

/* Instruction bodies that are not written in the loop. sp is the top item on entry; the loop then moves it. Results are
 * written where the loop expects the new top. Gas is paid from f->gas beyond the base cost. */
vm_step_t op_exp(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_keccak256(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_copy(vm_t *vm, vm_frame_t *f, u256_t *sp, view_t source);
vm_step_t op_returndatacopy(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_mcopy(vm_t *vm, vm_frame_t *f, u256_t *sp);
void op_calldataload(const vm_frame_t *f, u256_t *sp);
vm_step_t op_balance(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_selfbalance(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_extcodesize(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_extcodecopy(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_extcodehash(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_blockhash(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_sload(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_sstore(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_tstore(vm_t *vm, vm_frame_t *f, u256_t *sp);
vm_step_t op_log(vm_t *vm, vm_frame_t *f, u256_t *sp, unsigned topics);
vm_step_t op_call(vm_t *vm, vm_frame_t *f, u256_t *sp, vm_kind_t kind);
vm_step_t op_create(vm_t *vm, vm_frame_t *f, u256_t *sp, vm_kind_t kind);
vm_step_t op_return(vm_t *vm, vm_frame_t *f, u256_t *sp, evm_status_t status);
vm_step_t op_selfdestruct(vm_t *vm, vm_frame_t *f, u256_t *sp);

/* The address of a contract that creator makes with this nonce, and of one made with CREATE2. */
void vm_create_address(addr_t *out, const addr_t *creator, uint64_t nonce);
void vm_create2_address(addr_t *out, const addr_t *creator, const u256_t *salt, view_t init_code);

#endif
