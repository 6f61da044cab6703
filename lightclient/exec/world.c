#include "lightclient/exec/world.h"

#include "base/crypto/hash.h"
#include "lightclient/rlp/rlp.h"

#define ACCOUNT_RLP_MAX 128u
#define SLOT_RLP_MAX 33u

/* What stands beside an account's value in the trie. Never changed once it is there. */
typedef struct {
    evm_account_t account;
    view_t code;
    mpt_trie_t storage;
} entry_t;

static const entry_t *find(const ex_world_t *w, const addr_t *addr)
{
    hash32_t key;
    const void *entry;
    keccak256(&key, view_of(addr->b, sizeof addr->b));
    (void)mpt_trie_get(&w->accounts, &entry, view_of(key.b, sizeof key.b));
    return entry;
}

static rc_t set_slot(mpt_trie_t *storage, const evm_slot_t *slot)
{
    hash32_t key;
    uint8_t buf[SLOT_RLP_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    keccak256(&key, view_of(slot->key.b, sizeof slot->key.b));
    if (u256_is_zero(&slot->value))
        return mpt_trie_remove(storage, view_of(key.b, sizeof key.b));
    rlp_put_u256(&w, &slot->value);
    return mpt_trie_put(storage, view_of(key.b, sizeof key.b), wr_view(&w), NULL);
}

static rc_t put_entry(ex_world_t *w, view_t key, const entry_t *e)
{
    hash32_t root;
    uint8_t buf[ACCOUNT_RLP_MAX];
    wr_t o = wr_of(buf, sizeof buf);
    rc_t rc = mpt_trie_root(&root, &e->storage);
    if (rc)
        return rc;
    rlp_put_u64(&o, e->account.nonce);
    rlp_put_u256(&o, &e->account.balance);
    rlp_put_bytes(&o, view_of(root.b, sizeof root.b));
    rlp_put_bytes(&o, view_of(e->account.code_hash.b, sizeof e->account.code_hash.b));
    rlp_wrap_list(&o, 0);
    return o.bad ? RC_BUG : mpt_trie_put(&w->accounts, key, wr_view(&o), e);
}

static rc_t apply_one(ex_world_t *w, const evm_change_t *c)
{
    hash32_t hash;
    keccak256(&hash, view_of(c->addr.b, sizeof c->addr.b));
    view_t key = view_of(hash.b, sizeof hash.b);
    if (c->deleted)
        return mpt_trie_remove(&w->accounts, key);
    arena_t *a = w->accounts.arena;
    const entry_t *old = find(w, &c->addr);
    entry_t *e = arena_alloc(a, sizeof *e);
    if (!e)
        return RC_NOMEM;
    *e = old ? *old : (entry_t){ .storage.arena = a };
    e->account = c->account;
    if (c->storage_cleared)
        e->storage = (mpt_trie_t){ .arena = a };
    if (c->code_changed)
        e->code = arena_dup(a, c->code);
    if (c->code_changed && c->code.n && !e->code.p)
        return RC_NOMEM;
    for (size_t i = 0; i < c->slot_count; i++) {
        rc_t rc = set_slot(&e->storage, &c->slots[i]);
        if (rc)
            return rc;
    }
    return put_entry(w, key, e);
}

rc_t ex_world_apply(ex_world_t *w, const evm_change_t *changes, size_t count)
{
    ex_world_t after = *w;
    for (size_t i = 0; i < count; i++) {
        rc_t rc = apply_one(&after, &changes[i]);
        if (rc)
            return rc;
    }
    *w = after;
    return RC_OK;
}

rc_t ex_world_root(hash32_t *out, const ex_world_t *w)
{
    return mpt_trie_root(out, &w->accounts);
}

/* --- callbacks --- */

static rc_t host_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    const entry_t *e = find(ctx, addr);
    *out = e ? e->account : (evm_account_t){ .code_hash = KECCAK_EMPTY };
    return RC_OK;
}

static rc_t host_storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *slot)
{
    hash32_t key;
    rlp_item_t item;
    const entry_t *e = find(ctx, addr);
    keccak256(&key, view_of(slot->b, sizeof slot->b));
    view_t value = e ? mpt_trie_get(&e->storage, NULL, view_of(key.b, sizeof key.b)) : view_of(NULL, 0);
    *out = u256_of(0);
    if (value.n == 0)
        return RC_OK;
    return rlp_decode(&item, value) || rlp_u256(out, &item) ? RC_BUG : RC_OK;
}

static rc_t host_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    const entry_t *e = find(ctx, addr);
    if (!e || !hash32_eq(&e->account.code_hash, code_hash))
        return RC_BUG;
    *out = e->code;
    return RC_OK;
}

static rc_t host_storage_empty(void *ctx, bool *out, const addr_t *addr)
{
    const entry_t *e = find(ctx, addr);
    *out = !e || !e->storage.root;
    return RC_OK;
}

evm_host_t ex_world_host(ex_world_t *w)
{
    return (evm_host_t){ .ctx = w,
                         .account = host_account,
                         .storage = host_storage,
                         .code = host_code,
                         .storage_empty = host_storage_empty };
}
