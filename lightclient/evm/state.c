#include "lightclient/evm/state.h"

#include "base/crypto/hash.h"

#define JOURNAL_FIRST 64u
#define LOGS_FIRST 8u

typedef enum { UNDO_ACCOUNT, UNDO_ACCOUNT_WARM, UNDO_TOUCH, UNDO_SLOT, UNDO_SLOT_WARM } undo_kind_t;

struct st_undo {
    undo_kind_t kind;
    union {
        st_account_t *account;
        st_slot_t *slot;
    } at;
    union {
        const st_core_t *core;
        u256_t value;
    } was;
};

/* What a slot is found by. No padding. */
typedef struct {
    const st_account_t *account;
    uint64_t transient;
    u256_t key;
} slot_key_t;

rc_t st_init(st_t *s, arena_t *arena, const evm_host_t *host)
{
    *s = (st_t){ .arena = arena, .host = host };
    s->journal_cap = JOURNAL_FIRST;
    s->journal = arena_alloc(arena, s->journal_cap * sizeof *s->journal);
    rc_t rc = map_init(&s->accounts, arena, host->seed, sizeof(addr_t), sizeof(st_account_t));
    if (!rc)
        rc = map_init(&s->slots, arena, host->seed, sizeof(slot_key_t), sizeof(st_slot_t));
    return rc ? rc : s->journal ? RC_OK : RC_NOMEM;
}

/* A larger copy of an array that has reached its capacity; the old one stays in the arena (at most as much again). */
static void *grown(arena_t *arena, const void *old, size_t *cap, size_t first, size_t size)
{
    size_t more = *cap ? *cap * 2 : first;
    void *p = arena_alloc(arena, more * size);
    if (p && *cap)
        memcpy(p, old, *cap * size);
    if (p)
        *cap = more;
    return p;
}

/* --- journal --- */

static st_undo_t *undo_new(st_t *s, undo_kind_t kind)
{
    if (s->journal_len == s->journal_cap) {
        st_undo_t *more = grown(s->arena, s->journal, &s->journal_cap, JOURNAL_FIRST, sizeof *more);
        if (!more)
            return NULL;
        s->journal = more;
    }
    st_undo_t *u = &s->journal[s->journal_len++];
    u->kind = kind;
    return u;
}

st_mark_t st_mark(const st_t *s)
{
    return (st_mark_t){ s->journal_len, s->log_count, s->refund, s->reservoir, s->state_gas };
}

void st_rollback(st_t *s, st_mark_t mark)
{
    while (s->journal_len > mark.journal_len) {
        const st_undo_t *u = &s->journal[--s->journal_len];
        switch (u->kind) {
        case UNDO_ACCOUNT: u->at.account->core = *u->was.core; break;
        case UNDO_ACCOUNT_WARM: u->at.account->core.warm = false; break;
        case UNDO_TOUCH: u->at.account->core.touched = false; break;
        case UNDO_SLOT: u->at.slot->value = u->was.value; break;
        case UNDO_SLOT_WARM: u->at.slot->warm = false; break;
        }
    }
    s->log_count = mark.log_count;
    s->refund = mark.refund;
    s->reservoir = mark.reservoir;
    s->state_gas = mark.state_gas;
}

/* --- accounts --- */

/* Spreads a word over 64 bits; the constants are odd numbers without structure. Under a known seed the second
 * factor can be made zero, and then all keys with such a word meet in one bucket. */
static uint64_t mix(const uint64_t seed[2], uint64_t h, uint64_t x)
{
    u128_t p = (u128_t)(h ^ x ^ seed[0] ^ 0xa0761d6478bd642fu) * (x ^ seed[1] ^ 0xe7037ed1a0b428dbu);
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t hash_addr(const uint64_t seed[2], const addr_t *a)
{
    return mix(seed, mix(seed, load_u64le(a->b), load_u64le(a->b + 8)), load_u64le(a->b + 12));
}

st_account_t *st_account(st_t *s, const addr_t *addr)
{
    uint64_t h = hash_addr(s->host->seed, addr);
    st_account_t *acc = map_find(&s->accounts, addr->b, sizeof addr->b, h);
    if (!acc && (acc = map_insert(&s->accounts, addr->b, h)))
        acc->addr = *addr;
    return acc;
}

rc_t st_load(st_t *s, st_account_t *acc)
{
    evm_account_t got = { .code_hash = KECCAK_EMPTY };
    if (acc->loaded)
        return RC_OK;
    rc_t rc = s->host->account(s->host->ctx, &got, &acc->addr);
    if (rc)
        return rc;
    if (!got.exists)
        got = (evm_account_t){ .code_hash = KECCAK_EMPTY };
    acc->core.exists = got.exists || acc->nonce_ahead;
    acc->core.nonce = got.nonce + acc->nonce_ahead;
    acc->core.balance = got.balance;
    acc->core.code_hash = got.code_hash;
    acc->loaded = true;
    return RC_OK;
}

rc_t st_code(st_t *s, const evm_code_t **out, st_account_t *acc)
{
    view_t bytes;
    rc_t rc = st_load(s, acc);
    if (rc)
        return rc;
    if (!acc->core.code && hash32_eq(&acc->core.code_hash, &KECCAK_EMPTY))
        acc->core.code = &CODE_NONE;
    evm_code_t **list = &s->codes[acc->core.code_hash.b[0]];
    for (evm_code_t *c = *list; c && !acc->core.code; c = c->next)
        if (hash32_eq(&c->hash, &acc->core.code_hash))
            acc->core.code = c;
    if (!acc->core.code) {
        rc = s->host->code(s->host->ctx, &bytes, &acc->addr, &acc->core.code_hash);
        if (rc)
            return rc;
        evm_code_t *c = arena_alloc(s->arena, sizeof *c);
        void *room = arena_alloc(s->arena, code_room(bytes.n));
        if (!c || !room)
            return RC_NOMEM;
        code_prepare(c, room, bytes);
        c->hash = acc->core.code_hash;
        c->next = *list;
        *list = c;
        acc->core.code = c;
    }
    *out = acc->core.code;
    return RC_OK;
}

bool st_is_empty(const st_account_t *acc)
{
    return acc->core.nonce == 0 && u256_is_zero(&acc->core.balance) && hash32_eq(&acc->core.code_hash, &KECCAK_EMPTY);
}

rc_t st_warm(st_t *s, bool *was_cold, st_account_t *acc)
{
    *was_cold = !acc->core.warm;
    if (acc->core.warm)
        return RC_OK;
    st_undo_t *u = undo_new(s, UNDO_ACCOUNT_WARM);
    if (!u)
        return RC_NOMEM;
    u->at.account = acc;
    acc->core.warm = true;
    return RC_OK;
}

rc_t st_change(st_t *s, st_account_t *acc)
{
    st_core_t *copy = arena_alloc(s->arena, sizeof *copy);
    st_undo_t *u = copy ? undo_new(s, UNDO_ACCOUNT) : NULL;
    if (!u)
        return RC_NOMEM;
    *copy = acc->core;
    u->at.account = acc;
    u->was.core = copy;
    acc->core.touched = true;
    acc->core.exists = true;
    return RC_OK;
}

rc_t st_touch(st_t *s, st_account_t *acc)
{
    if (acc->core.touched)
        return RC_OK;
    st_undo_t *u = undo_new(s, UNDO_TOUCH);
    if (!u)
        return RC_NOMEM;
    u->at.account = acc;
    acc->core.touched = true;
    return RC_OK;
}

rc_t st_transfer(st_t *s, st_account_t *from, st_account_t *to, const u256_t *value)
{
    rc_t rc = st_change(s, from);
    if (rc)
        return rc;
    rc = st_change(s, to);
    if (rc)
        return rc;
    from->core.balance = u256_sub(&from->core.balance, value);
    to->core.balance = u256_add(&to->core.balance, value);
    return RC_OK;
}

rc_t st_set_code(st_t *s, st_account_t *acc, view_t code)
{
    evm_code_t *c = arena_alloc(s->arena, sizeof *c);
    void *room = arena_alloc(s->arena, code_room(code.n));
    if (!c || !room)
        return RC_NOMEM;
    code_prepare(c, room, code);
    keccak256(&c->hash, code);
    rc_t rc = st_change(s, acc);
    if (rc)
        return rc;
    acc->core.code = c;
    acc->core.code_hash = c->hash;
    acc->core.code_changed = true;
    return RC_OK;
}

rc_t st_collides(st_t *s, bool *out, st_account_t *acc, bool by_storage)
{
    bool empty = true;
    rc_t rc = st_load(s, acc);
    if (rc)
        return rc;
    bool used = acc->core.nonce != 0 || !hash32_eq(&acc->core.code_hash, &KECCAK_EMPTY);
    if (!used && by_storage && acc->core.exists && !acc->core.created && s->host->storage_empty)
        rc = s->host->storage_empty(s->host->ctx, &empty, &acc->addr);
    if (rc)
        return rc;
    *out = used || !empty;
    return RC_OK;
}

/* --- slots --- */

static uint64_t hash_slot(const uint64_t seed[2], const st_account_t *acc, const u256_t *key, bool transient)
{
    uint64_t low = mix(seed, mix(seed, hash_addr(seed, &acc->addr) + transient, key->w[0]), key->w[1]);
    return mix(seed, low, mix(seed, key->w[2], key->w[3]));
}

static st_slot_t *slot_get(st_t *s, st_account_t *acc, const u256_t *key, bool transient)
{
    const slot_key_t k = { acc, transient, *key };
    uint64_t h = hash_slot(s->host->seed, acc, key, transient);
    st_slot_t *slot = map_find(&s->slots, &k, sizeof k, h);
    if (slot || !(slot = map_insert(&s->slots, &k, h)))
        return slot;
    slot->account = acc;
    slot->key = *key;
    slot->transient = transient;
    slot->loaded = transient;
    slot->next = acc->slots;
    acc->slots = slot;
    return slot;
}

rc_t st_slot(st_t *s, st_slot_t **out, bool *was_cold, st_account_t *acc, const u256_t *key)
{
    st_slot_t *slot = slot_get(s, acc, key, false);
    if (!slot)
        return RC_NOMEM;
    if (was_cold)
        *was_cold = !slot->warm;
    if (!slot->warm) {
        st_undo_t *u = undo_new(s, UNDO_SLOT_WARM);
        if (!u)
            return RC_NOMEM;
        u->at.slot = slot;
        slot->warm = true;
    }
    *out = slot;
    return RC_OK;
}

rc_t st_slot_load(st_t *s, st_slot_t *slot)
{
    hash32_t key;
    if (slot->loaded)
        return RC_OK;
    if (!slot->account->core.created) { /* what this call created has no storage before it: original stays zero */
        u256_to_be32(key.b, &slot->key);
        u256_t got = { { 0 } };
        rc_t rc = s->host->storage(s->host->ctx, &got, &slot->account->addr, &key);
        if (rc)
            return rc;
        slot->original = slot->value = got;
    }
    slot->loaded = true;
    return RC_OK;
}

rc_t st_slot_set(st_t *s, st_slot_t *slot, const u256_t *value)
{
    st_undo_t *u = undo_new(s, UNDO_SLOT);
    if (!u)
        return RC_NOMEM;
    u->at.slot = slot;
    u->was.value = slot->value;
    slot->value = *value;
    return RC_OK;
}

u256_t st_transient(st_t *s, st_account_t *acc, const u256_t *key)
{
    const slot_key_t k = { acc, true, *key };
    const st_slot_t *slot = map_find(&s->slots, &k, sizeof k, hash_slot(s->host->seed, acc, key, true));
    return slot ? slot->value : u256_of(0);
}

rc_t st_transient_set(st_t *s, st_account_t *acc, const u256_t *key, const u256_t *value)
{
    st_slot_t *slot = slot_get(s, acc, key, true);
    return slot ? st_slot_set(s, slot, value) : RC_NOMEM;
}

/* --- logs --- */

rc_t st_log(st_t *s, const addr_t *addr, const hash32_t *topics, uint8_t topic_count, view_t data)
{
    if (s->log_count == s->log_cap) {
        evm_log_t *more = grown(s->arena, s->logs, &s->log_cap, LOGS_FIRST, sizeof *more);
        if (!more)
            return RC_NOMEM;
        s->logs = more;
    }
    evm_log_t *log = &s->logs[s->log_count];
    log->addr = *addr;
    log->topic_count = topic_count;
    log->traced = false;
    log->order = s->logged++;
    memcpy(log->topics, topics, topic_count * sizeof *topics);
    log->data = arena_dup(s->arena, data);
    if (data.n && !log->data.p)
        return RC_NOMEM;
    s->log_count++;
    return RC_OK;
}
