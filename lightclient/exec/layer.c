#include "lightclient/exec/layer.h"

#include "base/crypto/hash.h"

#define SLOT_NAME (sizeof(addr_t) + sizeof(hash32_t))

typedef struct ex_layer_slot ex_layer_slot_t;

typedef struct {
    evm_change_t now;    /* without slots */
    unsigned generation; /* counted up when the storage is cleared: older slots are gone */
    ex_layer_slot_t *slots;
} ex_layer_acct_t;

struct ex_layer_slot {
    ex_layer_slot_t *next; /* of the same account */
    unsigned generation;
    evm_slot_t now;
};

rc_t ex_layer_init(ex_layer_t *o, arena_t *arena, const evm_host_t *below)
{
    *o = (ex_layer_t){ .arena = arena, .below = below };
    rc_t rc = map_init(&o->accts, arena, below->seed, sizeof(addr_t), sizeof(ex_layer_acct_t));
    return rc ? rc : map_init(&o->slots, arena, below->seed, SLOT_NAME, sizeof(ex_layer_slot_t));
}

static ex_layer_acct_t *acct_find(const ex_layer_t *o, const addr_t *addr)
{
    return map_get(&o->accts, addr->b, sizeof addr->b);
}

static void slot_name(uint8_t name[SLOT_NAME], const addr_t *addr, const hash32_t *key)
{
    memcpy(name, addr->b, sizeof addr->b);
    memcpy(name + sizeof addr->b, key->b, sizeof key->b);
}

static ex_layer_slot_t *slot_find(const ex_layer_t *o, const addr_t *addr, const hash32_t *key)
{
    uint8_t name[SLOT_NAME];
    slot_name(name, addr, key);
    return map_get(&o->slots, name, sizeof name);
}

static rc_t set_slot(ex_layer_t *o, ex_layer_acct_t *acct, const evm_slot_t *value)
{
    uint8_t name[SLOT_NAME];
    bool is_new;
    slot_name(name, &acct->now.addr, &value->key);
    ex_layer_slot_t *slot = map_put(&o->slots, &is_new, name, sizeof name);
    if (!slot)
        return RC_NOMEM;
    if (is_new) {
        slot->next = acct->slots;
        acct->slots = slot;
    }
    slot->generation = acct->generation;
    slot->now = *value;
    return RC_OK;
}

static rc_t apply_one(ex_layer_t *o, const evm_change_t *c)
{
    ex_layer_acct_t *acct = map_put(&o->accts, NULL, c->addr.b, sizeof c->addr.b);
    if (!acct)
        return RC_NOMEM;
    acct->now.addr = c->addr;
    acct->now.deleted = c->deleted;
    if (c->deleted || c->storage_cleared) {
        acct->now.storage_cleared = true;
        acct->generation++;
    }
    if (c->deleted) {
        acct->now.account = (evm_account_t){ .code_hash = KECCAK_EMPTY };
        acct->now.code_changed = false;
        return RC_OK;
    }
    acct->now.account = c->account;
    if (c->code_changed) {
        acct->now.code_changed = true;
        acct->now.code = arena_dup(o->arena, c->code);
        if (c->code.n && !acct->now.code.p)
            return RC_NOMEM;
    }
    for (size_t i = 0; i < c->slot_count; i++) {
        rc_t rc = set_slot(o, acct, &c->slots[i]);
        if (rc)
            return rc;
    }
    return RC_OK;
}

rc_t ex_layer_apply(ex_layer_t *o, const evm_change_t *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rc_t rc = apply_one(o, &changes[i]);
        if (rc)
            return rc;
    }
    return RC_OK;
}

rc_t ex_layer_changes(const evm_change_t **out, size_t *count, ex_layer_t *o)
{
    evm_change_t *all = arena_calloc(o->arena, o->accts.count, sizeof *all);
    size_t n = 0;
    if (!all)
        return RC_NOMEM;
    for (const ex_layer_acct_t *acct = map_first(&o->accts); acct; acct = map_next(acct), n++) {
        all[n] = acct->now;
        size_t slots = 0;
        for (const ex_layer_slot_t *s = acct->slots; s; s = s->next)
            slots += s->generation == acct->generation;
        evm_slot_t *list = arena_calloc(o->arena, slots, sizeof *list);
        if (!list)
            return RC_NOMEM;
        all[n].slots = list;
        for (const ex_layer_slot_t *s = acct->slots; s; s = s->next)
            if (s->generation == acct->generation)
                list[all[n].slot_count++] = s->now;
    }
    *out = all;
    *count = n;
    return RC_OK;
}

/* --- callbacks --- */

static rc_t host_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    const ex_layer_t *o = ctx;
    const ex_layer_acct_t *acct = acct_find(o, addr);
    if (!acct)
        return o->below->account(o->below->ctx, out, addr);
    *out = acct->now.account;
    return RC_OK;
}

static rc_t host_storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    const ex_layer_t *o = ctx;
    const ex_layer_acct_t *acct = acct_find(o, addr);
    const ex_layer_slot_t *slot = acct ? slot_find(o, addr, key) : NULL;
    if (slot && slot->generation == acct->generation) {
        *out = slot->now.value;
        return RC_OK;
    }
    if (!acct || !acct->now.storage_cleared)
        return o->below->storage(o->below->ctx, out, addr, key);
    *out = u256_of(0);
    return RC_OK;
}

static rc_t host_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    const ex_layer_t *o = ctx;
    const ex_layer_acct_t *acct = acct_find(o, addr);
    if (!acct || !acct->now.code_changed)
        return o->below->code(o->below->ctx, out, addr, code_hash);
    *out = acct->now.code;
    return RC_OK;
}

static rc_t host_block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    const ex_layer_t *o = ctx;
    return o->block_hash ? o->block_hash(o->hook_ctx, out, number) : o->below->block_hash(o->below->ctx, out, number);
}

static bool host_expired(void *ctx)
{
    const ex_layer_t *o = ctx;
    return o->below->expired && o->below->expired(o->below->ctx);
}

/* Storage that is left below counts even when every slot of it was set to zero since: without nonce and code, which is
 * when this is asked, nothing can have set it. */
static rc_t host_storage_empty(void *ctx, bool *out, const addr_t *addr)
{
    const ex_layer_t *o = ctx;
    const ex_layer_acct_t *acct = acct_find(o, addr);
    for (const ex_layer_slot_t *s = acct ? acct->slots : NULL; s; s = s->next)
        if (s->generation == acct->generation && !u256_is_zero(&s->now.value)) {
            *out = false;
            return RC_OK;
        }
    *out = true;
    if ((acct && acct->now.storage_cleared) || !o->below->storage_empty)
        return RC_OK;
    return o->below->storage_empty(o->below->ctx, out, addr);
}

static unsigned host_precompile(void *ctx, const addr_t *addr)
{
    const ex_layer_t *o = ctx;
    return o->precompile ? o->precompile(o->hook_ctx, addr) : o->below->precompile(o->below->ctx, addr);
}

static void host_touched(void *ctx, const addr_t *addr, const u256_t *slot)
{
    const ex_layer_t *o = ctx;
    if (o->touched)
        o->touched(o->hook_ctx, addr, slot);
    else
        o->below->touched(o->below->ctx, addr, slot);
}

evm_host_t ex_layer_host(ex_layer_t *o)
{
    return (evm_host_t){ .ctx = o,
                         .account = host_account,
                         .storage = host_storage,
                         .code = host_code,
                         .block_hash = host_block_hash,
                         .expired = host_expired,
                         .storage_empty = host_storage_empty,
                         .seed = { o->below->seed[0], o->below->seed[1] },
                         .precompile = o->precompile || o->below->precompile ? host_precompile : NULL,
                         .touched = o->touched || o->below->touched ? host_touched : NULL };
}
