#include "lightclient/evm/vm.h"

#define CHUNK_FIRST ((size_t)32 << 10) /* bytes; */
#define CHUNK_FAR ((size_t)2 << 20)    /* up to here each further one is eight times larger, then four */
#define MEMORY_AHEAD ((size_t)512)     /* bytes that a memory which grows is given beyond what it needs */

const addr_t EVM_SYSTEM_ADDRESS = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe } };

rc_t vm_init(vm_t *vm, arena_t *arena, const evm_host_t *host, const evm_rules_t *rules, const evm_block_t *block,
             const evm_tx_t *tx)
{
    *vm = (vm_t){ .arena = arena,
                  .params = evm_params(rules->fork),
                  .state_gas = evm_state_gas(rules),
                  .rules = rules,
                  .block = block,
                  .tx = tx,
                  .gas_price = tx->gas_price,
                  .until_poll = VM_POLL_GAS };
    vm->blob_base_fee =
        block->has_blob_base_fee ? block->blob_base_fee : evm_blob_base_fee(rules, block->excess_blob_gas);
    return st_init(&vm->state, arena, host);
}

vm_step_t vm_poll_now(vm_t *vm)
{
    vm->until_poll = VM_POLL_GAS;
    const evm_host_t *host = vm->state.host;
    return host->expired && host->expired(host->ctx) ? RC_TIMEOUT : VM_GO_ON;
}

/* --- memory and return data --- */

/* memory_extend where the top chunk is full. */
static uint8_t *memory_move(vm_t *vm, size_t held, size_t n)
{
    vm_chunk_t *c = vm->chunk;
    size_t need = held + n, cap = c ? c->cap * (c->cap < CHUNK_FAR ? 8 : 4) : CHUNK_FIRST;
    vm_chunk_t *next = c ? c->next : NULL;
    if (!next || next->cap < need) {
        if (cap < need * 2)
            cap = need * 2;
        next = arena_alloc(vm->arena, sizeof *next);
        uint8_t *data = next ? arena_alloc(vm->arena, cap) : NULL;
        if (!data)
            return NULL;
        *next = (vm_chunk_t){ .cap = cap, .data = data };
        if (c)
            c->next = next;
    }
    if (held) {
        c->used -= held;
        memcpy(next->data, c->data + c->used, held);
    }
    next->used = need;
    vm->chunk = next;
    return next->data;
}

/* Makes n more bytes usable at the top of the stack of memories, which the last `held` bytes there move along with when
 * another chunk is needed. The place where the held bytes begin; NULL: out of memory. */
static inline uint8_t *memory_extend(vm_t *vm, size_t held, size_t n)
{
    vm_chunk_t *c = vm->chunk;
    if (!c || n > c->cap - c->used)
        return memory_move(vm, held, n);
    uint8_t *at = c->data + c->used - held;
    c->used += n;
    return at;
}

/* The frame's memory has len bytes, and some more where there is room, so that programs that write word by word seldom
 * come here. */
static rc_t memory_add(vm_t *vm, vm_frame_t *f, size_t len)
{
    const size_t need = len - f->memory_cap, left = vm->chunk->cap - vm->chunk->used;
    const size_t n = left >= need + MEMORY_AHEAD ? need + MEMORY_AHEAD : need;
    uint8_t *at = memory_extend(vm, f->memory_cap, n);
    if (!at)
        return RC_NOMEM;
    memset(at + f->memory_cap, 0, n);
    f->memory = at;
    f->memory_cap += n;
    return RC_OK;
}

vm_step_t vm_memory_reach(vm_t *vm, vm_frame_t *f, uint64_t offset, uint64_t len)
{
    if (offset > VM_MEMORY_MAX)
        return VM_HALT(EVM_HALT_OUT_OF_GAS);
    const uint64_t words = (offset + len + 31) / 32;
    if (!vm_memory_pay(f, &f->gas, words))
        return VM_HALT(EVM_HALT_OUT_OF_GAS);
    const rc_t rc = words * 32 > f->memory_cap ? memory_add(vm, f, (size_t)words * 32) : RC_OK;
    if (!rc)
        vm_memory_longer(f, words);
    return (vm_step_t)rc;
}

/* Sets the return data to a copy of data. */
static rc_t set_ret(vm_t *vm, view_t data)
{
    if (data.n > vm->ret_cap) {
        size_t cap = data.n > vm->ret_cap * 2 ? data.n : vm->ret_cap * 2;
        uint8_t *p = arena_alloc(vm->arena, cap);
        if (!p)
            return RC_NOMEM;
        vm->ret = p;
        vm->ret_cap = cap;
    }
    vm->ret_len = data.n;
    if (data.n)
        memcpy(vm->ret, data.p, data.n);
    return RC_OK;
}

/* --- frames --- */

/* A frame on top of the running one, with room_len bytes of the stack of memories at *room. */
static vm_frame_t *frame_push(vm_t *vm, uint8_t **room, size_t room_len)
{
    vm_frame_t **place = vm->frame ? &vm->frame->child : &vm->frames;
    vm_frame_t *f = *place;
    if (!f) {
        f = arena_alloc(vm->arena, sizeof *f);
        u256_t *stack = f ? arena_alloc(vm->arena, (EVM_STACK_MAX + 1) * sizeof *stack) : NULL;
        if (!stack)
            return NULL;
        f->stack = stack;
        f->full = stack + EVM_STACK_MAX;
        for (unsigned i = 0; i <= EVM_TAKES_MAX; i++)
            f->floor[i] = stack + i;
        f->child = NULL;
        *place = f;
    }
    f->parent = vm->frame;
    f->start_chunk = vm->chunk;
    f->start_used = vm->chunk ? vm->chunk->used : 0;
    *room = memory_extend(vm, 0, room_len);
    if (!*room)
        return NULL;
    f->memory = vm->chunk->data + vm->chunk->used;
    f->memory_len = 0;
    f->memory_cap = 0;
    f->words_end = 0;
    f->memory_gas = 0;
    f->sp = f->stack;
    f->spilled = 0;
    vm->frame = f;
    vm->ret_len = 0;
    return f;
}

static void frame_pop(vm_t *vm)
{
    vm_frame_t *f = vm->frame;
    if (f->start_chunk) { /* the outermost frame leaves its chunk to nobody */
        vm->chunk = f->start_chunk;
        vm->chunk->used = f->start_used;
    }
    vm->frame = f->parent;
}

/* Takes over what a child that has ended had spilled, and what its parent had paid for it (EIP-8037). */
static inline void settle_state_gas(vm_t *vm, vm_frame_t *f, bool success, int64_t spilled, int64_t charged)
{
    if (!success) {
        vm_refill(vm, f, charged);
        return;
    }
    f->spilled += spilled;
    int64_t back = vm->state.reservoir < f->spilled ? vm->state.reservoir : f->spilled;
    if (back && vm->state_gas->repays) {
        f->gas += back;
        f->spilled -= back;
        vm->state.reservoir -= back;
    }
}

/* Gives the result of a call or creation to the frame that asked for it, which is running again; or keeps the
 * outermost one. The output is in vm->ret. */
static void deliver(vm_t *vm, const vm_message_t *m, evm_status_t status, evm_halt_t halt, int64_t gas_left,
                    int64_t spilled)
{
    vm_frame_t *f = vm->frame;
    if (!f) {
        vm->end.status = status;
        vm->end.halt = halt;
        vm->end.gas_left = gas_left;
        return;
    }
    f->gas += gas_left;
    settle_state_gas(vm, f, status == EVM_SUCCESS, spilled, m->charged);
    if (m->kind >= VM_CREATE) {
        *f->sp = status == EVM_SUCCESS ? vm_of_addr(&m->self->addr) : u256_of(0);
        return;
    }
    *f->sp = u256_of(status == EVM_SUCCESS);
    size_t n = vm->ret_len < m->out_len ? vm->ret_len : m->out_len;
    if (n)
        memcpy(f->memory + m->out_at, vm->ret, n);
}

/* Whether output may become the code of a contract; pays for it. */
static evm_halt_t pay_code(vm_t *vm, vm_frame_t *f, view_t output)
{
    const evm_params_t *p = vm->params;
    if (output.n > p->code_max)
        return EVM_HALT_CODE_SIZE;
    if (p->reject_ef_code && output.n && output.p[0] == 0xef)
        return EVM_HALT_CODE_PREFIX;
    int64_t len = (int64_t)output.n;
    if (vm_pay(f, p->code_byte * len + p->code_word * vm_words(output.n)) ||
        vm_pay_state(vm, f, vm->state_gas->byte * len))
        return EVM_HALT_OUT_OF_GAS;
    return EVM_HALT_NONE;
}

vm_step_t vm_end(vm_t *vm, evm_status_t status, evm_halt_t halt, int64_t gas_left, view_t output)
{
    vm_frame_t *f = vm->frame;
    bool create = f->kind >= VM_CREATE;
    if (create && status == EVM_SUCCESS) {
        f->gas = gas_left;
        halt = pay_code(vm, f, output);
        gas_left = f->gas;
        if (halt)
            status = EVM_HALT;
    }
    if (create && status == EVM_SUCCESS && output.n) {
        rc_t rc = st_set_code(&vm->state, f->self, output);
        if (rc)
            return (vm_step_t)rc;
    }
    if (status != EVM_SUCCESS) {
        st_rollback(&vm->state, f->mark);
        gas_left += f->spilled;
    }
    if (status == EVM_HALT)
        gas_left = 0;
    bool keeps_output = status == EVM_REVERT || (status == EVM_SUCCESS && (!create || !f->parent));
    rc_t rc = set_ret(vm, keeps_output ? output : view_of(NULL, 0));
    if (rc)
        return (vm_step_t)rc;
    frame_pop(vm);
    const vm_message_t m = {
        .kind = f->kind, .charged = f->charged, .self = f->self, .out_at = f->out_at, .out_len = f->out_len
    };
    deliver(vm, &m, status, halt, gas_left, f->spilled);
    return VM_SWITCH;
}

/* A result without a frame. */
static vm_step_t done_at_once(vm_t *vm, const vm_message_t *m, st_mark_t mark, evm_halt_t halt, int64_t gas_left,
                              view_t output)
{
    if (halt)
        st_rollback(&vm->state, mark);
    rc_t rc = set_ret(vm, output);
    if (rc)
        return (vm_step_t)rc;
    deliver(vm, m, halt ? EVM_HALT : EVM_SUCCESS, halt, gas_left, 0);
    return VM_GO_ON;
}

static vm_step_t run_precompile(vm_t *vm, const vm_message_t *m, st_mark_t mark)
{
    view_t output = { NULL, 0 };
    int64_t cost = m->precompile->gas(vm->rules->fork, m->input);
    if (cost > m->gas)
        return done_at_once(vm, m, mark, EVM_HALT_OUT_OF_GAS, 0, output);
    vm_step_t step = vm_poll(vm, cost);
    if (step)
        return step;
    rc_t rc = m->precompile->run(vm->arena, &output, vm->rules->fork, m->input, vm->state.host);
    if (rc == RC_REFUSED)
        return done_at_once(vm, m, mark, EVM_HALT_PRECOMPILE, 0, view_of(NULL, 0));
    return rc ? (vm_step_t)rc : done_at_once(vm, m, mark, EVM_HALT_NONE, m->gas - cost, output);
}

/* What precedes the init code: the account must be free, and gets nonce 1. */
static vm_step_t begin_create(vm_t *vm, const vm_message_t *m, bool *collides)
{
    rc_t rc = st_collides(&vm->state, collides, m->self, vm->params->storage_collides);
    if (rc || *collides)
        return (vm_step_t)rc;
    rc = st_change(&vm->state, m->self);
    if (rc)
        return (vm_step_t)rc;
    m->self->core.created = true;
    m->self->core.nonce = 1;
    return VM_GO_ON;
}

/* keccak256("Transfer(address,address,uint256)") */
static const hash32_t TRANSFER = { { 0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
                                     0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4,
                                     0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef } };

static void put_word(uint8_t out[32], const addr_t *addr)
{
    memset(out, 0, 32);
    memcpy(out + 12, addr->b, sizeof addr->b);
}

static rc_t log_transfer(vm_t *vm, const addr_t *by, const addr_t *from, const addr_t *to, const u256_t *value)
{
    hash32_t topics[3] = { TRANSFER };
    uint8_t data[32];
    put_word(topics[1].b, from);
    put_word(topics[2].b, to);
    u256_to_be32(data, value);
    return st_log(&vm->state, by, topics, 3, view_of(data, sizeof data));
}

rc_t vm_trace(vm_t *vm, const addr_t *from, const addr_t *to, const u256_t *value)
{
    static const addr_t ether = { { 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
                                    0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee } };
    if (!vm->traces || u256_is_zero(value))
        return RC_OK;
    const rc_t rc = log_transfer(vm, &ether, from, to, value);
    if (!rc)
        vm->state.logs[vm->state.log_count - 1].traced = true;
    return rc;
}

vm_step_t vm_begin(vm_t *vm, const vm_message_t *m)
{
    bool create = m->kind >= VM_CREATE, collides = false;
    st_mark_t mark = st_mark(&vm->state);
    uint8_t *room;
    vm_step_t step = vm_poll(vm, VM_POLL_CALL_GAS);
    if (!step && vm->traces && m->kind != VM_DELEGATECALL)
        step = (vm_step_t)vm_trace(vm, &m->caller, m->target ? &m->target->addr : &m->self->addr, &m->value);
    if (!step && create)
        step = begin_create(vm, m, &collides);
    if (!step && collides)
        return done_at_once(vm, m, mark, EVM_HALT_CREATE_COLLISION, 0, view_of(NULL, 0));
    if (!step && m->payer && !u256_is_zero(&m->value))
        step = (vm_step_t)vm_transfer(vm, m->payer, m->self, &m->value);
    else if (!step)
        step = (vm_step_t)st_touch(&vm->state, m->self);
    if (step)
        return step;
    if (m->precompile)
        return run_precompile(vm, m, mark);
    if (!create && m->code->len == 0)
        return done_at_once(vm, m, mark, EVM_HALT_NONE, m->gas, view_of(NULL, 0));

    vm_frame_t *f = frame_push(vm, &room, create ? code_room(m->input.n) : 0);
    if (!f)
        return RC_NOMEM;
    if (create) {
        code_prepare(&f->init_code, room, m->input);
        f->code = &f->init_code;
        f->input = view_of(NULL, 0);
    } else {
        f->code = m->code;
        f->input = m->input;
    }
    f->pc = f->code->bytes;
    f->gas = m->gas;
    f->charged = m->charged;
    f->self = m->self;
    f->caller = m->caller;
    f->value = m->value;
    f->kind = m->kind;
    f->depth = m->depth;
    f->is_static = m->is_static;
    f->mark = mark;
    f->out_at = m->out_at;
    f->out_len = m->out_len;
    return VM_SWITCH;
}

vm_step_t vm_pay_new_account(vm_t *vm, vm_frame_t *f, int64_t *charged, st_account_t *acc)
{
    *charged = 0;
    if (!vm->state_gas->account)
        return VM_GO_ON;
    rc_t rc = st_load(&vm->state, acc);
    if (rc || !st_is_empty(acc))
        return (vm_step_t)rc;
    *charged = vm->state_gas->account;
    return vm_pay_state(vm, f, *charged);
}

rc_t vm_transfer(vm_t *vm, st_account_t *from, st_account_t *to, const u256_t *value)
{
    rc_t rc = st_transfer(&vm->state, from, to, value);
    if (rc || !vm->params->transfer_logs || from == to)
        return rc;
    return log_transfer(vm, &EVM_SYSTEM_ADDRESS, &from->addr, &to->addr, value);
}

const precompile_t *vm_precompile(const vm_t *vm, const addr_t *addr)
{
    const evm_host_t *h = vm->state.host;
    if (!h->precompile)
        return precompile_at(addr, vm->rules->fork);
    addr_t at = { { 0 } };
    const unsigned index = h->precompile(h->ctx, addr);
    at.b[18] = (uint8_t)(index >> 8);
    at.b[19] = (uint8_t)index;
    return precompile_at(&at, vm->rules->fork);
}

vm_step_t vm_resolve_code(vm_t *vm, vm_frame_t *f, const evm_code_t **out, st_account_t *acc)
{
    addr_t target;
    bool was_cold;
    rc_t rc = st_code(&vm->state, out, acc);
    if (rc || !vm->params->has_delegation || !code_delegation(&target, view_of((*out)->bytes, (*out)->len)))
        return (vm_step_t)rc;
    st_account_t *delegate = st_account(&vm->state, &target);
    if (!delegate)
        return RC_NOMEM;
    rc = st_warm(&vm->state, &was_cold, delegate);
    if (rc)
        return (vm_step_t)rc;
    bool native = precompile_at(&target, vm->rules->fork);
    if (f) {
        vm_step_t step = vm_pay(f, was_cold && !native ? vm->params->cold_account : vm->params->warm);
        if (step)
            return step;
    }
    if (native) { /* the code of a precompile's account is empty */
        *out = &CODE_NONE;
        return VM_GO_ON;
    }
    return (vm_step_t)st_code(&vm->state, out, delegate);
}
