#include "lightclient/exec/state.h"

#include "base/crypto/hash.h"

#define SLOT_NAME (sizeof(addr_t) + sizeof(hash32_t))

rc_t ex_state_init(ex_state_t *s, arena_t *mem, ex_cache_t *cache, const hash32_t *state_root, size_t keys_max)
{
    *s = (ex_state_t){ .mem = mem, .cache = cache, .state_root = *state_root, .keys_max = keys_max };
    if (cache)
        ex_cache_seed(cache, s->seed);
    rc_t rc = map_init(&s->accts, mem, s->seed, sizeof(addr_t), sizeof(ex_acct_t));
    return rc ? rc : map_init(&s->slots, mem, s->seed, SLOT_NAME, sizeof(ex_slot_t));
}

/* A new entry under a name that is not in the map. RC_NOMEM; RC_LIMIT: keys_max. */
static rc_t enter(void **out, ex_state_t *s, map_t *map, const void *name, uint64_t hash)
{
    if (s->keys >= s->keys_max)
        return RC_LIMIT;
    void *entry = map_insert(map, name, hash);
    if (!entry)
        return RC_NOMEM;
    s->keys++;
    *out = entry;
    return RC_OK;
}

rc_t ex_state_acct(ex_acct_t **out, ex_state_t *s, const addr_t *addr)
{
    uint64_t h = map_hash(&s->accts, addr->b, sizeof addr->b);
    void *entry = map_find(&s->accts, addr->b, sizeof addr->b, h);
    if (!entry) {
        rc_t rc = enter(&entry, s, &s->accts, addr->b, h);
        if (rc)
            return rc;
        ex_acct_t *a = entry;
        a->addr = *addr;
        a->slots_end = &a->slots;
        a->has_guess = s->cache && ex_cache_guess_account(s->cache, &a->guess, addr);
    }
    *out = entry;
    return RC_OK;
}

rc_t ex_state_slot(ex_slot_t **out, ex_state_t *s, ex_acct_t *acct, const hash32_t *key)
{
    uint8_t name[SLOT_NAME];
    memcpy(name, acct->addr.b, sizeof(addr_t));
    memcpy(name + sizeof(addr_t), key->b, sizeof(hash32_t));
    uint64_t h = map_hash(&s->slots, name, sizeof name);
    void *entry = map_find(&s->slots, name, sizeof name, h);
    if (!entry) {
        rc_t rc = enter(&entry, s, &s->slots, name, h);
        if (rc)
            return rc;
        ex_slot_t *t = entry;
        t->acct = acct;
        t->key = *key;
        *acct->slots_end = t;
        acct->slots_end = &t->next;
    }
    *out = entry;
    return RC_OK;
}

rc_t ex_state_want(ex_state_t *s, unsigned mark, const addr_t *addr, const hash32_t *slots, size_t slot_count,
                   bool code)
{
    ex_acct_t *a;
    ex_slot_t *slot;
    rc_t rc = ex_state_acct(&a, s, addr);
    if (rc)
        return rc;
    a->wanted = mark;
    if (code)
        a->code_wanted = mark;
    for (size_t i = 0; i < slot_count && !rc; i++) {
        rc = ex_state_slot(&slot, s, a, &slots[i]);
        if (!rc)
            slot->wanted = mark;
    }
    return rc;
}

bool ex_acct_known(ex_state_t *s, ex_acct_t *acct)
{
    if (!acct->proven && s->cache)
        acct->proven = ex_cache_follow_account(s->cache, &acct->value, &acct->rooted, &s->state_root, &acct->addr);
    return acct->proven && (acct->rooted || !(s->wants_roots || acct->wants_root));
}

bool ex_slot_known(ex_state_t *s, ex_slot_t *slot)
{
    if (slot->proven || !ex_acct_known(s, slot->acct))
        return slot->proven;
    const ex_acct_t *acct = slot->acct;
    const mpt_account_t *a = &acct->value;
    if (!a->exists || hash32_eq(&a->storage_root, &EMPTY_TRIE_ROOT)) {
        slot->value = u256_of(0); /* an empty trie holds nothing: proven by its root alone */
        slot->proven = true;
    } else if (s->cache)
        slot->proven = (acct->rooted && ex_cache_get_slot(s->cache, &slot->value, &a->storage_root, &slot->key)) ||
                       ex_cache_follow_slot(s->cache, &slot->value, &s->state_root, &acct->addr, &slot->key);
    return slot->proven;
}

u256_t ex_slot_guess(ex_state_t *s, const ex_slot_t *slot)
{
    u256_t value = u256_of(0);
    if (slot->acct->has_guess && !ex_cache_get_slot(s->cache, &value, &slot->acct->guess.storage_root, &slot->key))
        value = u256_of(0);
    return value;
}

static ex_code_t *code_add(ex_state_t *s, const hash32_t *hash, view_t bytes, bool shared)
{
    ex_code_t *c = arena_calloc(s->mem, 1, sizeof *c);
    if (!c)
        return NULL;
    *c = (ex_code_t){ s->codes, *hash, bytes, shared };
    s->codes = c;
    return c;
}

const ex_code_t *ex_code_known(ex_state_t *s, ex_acct_t *acct, const hash32_t *code_hash)
{
    if (acct->code && hash32_eq(&acct->code->hash, code_hash))
        return acct->code;
    ex_code_t *c = s->codes;
    view_t bytes;
    while (c && !hash32_eq(&c->hash, code_hash))
        c = c->next;
    if (!c && s->cache && ex_cache_get_code(s->cache, &bytes, s->mem, code_hash))
        c = code_add(s, code_hash, bytes, true);
    if (c && acct->proven) { /* an account has this code: worth keeping */
        if (!c->shared && s->cache)
            ex_cache_put_code(s->cache, code_hash, c->bytes);
        c->shared = true;
        acct->code = c;
    }
    return c;
}

void ex_state_prove_acct(ex_state_t *s, ex_acct_t *acct, const mpt_account_t *value)
{
    acct->value = *value;
    acct->proven = acct->rooted = true;
    if (s->cache)
        ex_cache_put_account(s->cache, &s->state_root, &acct->addr, value);
}

void ex_state_prove_slot(ex_state_t *s, ex_slot_t *slot, const u256_t *value)
{
    const mpt_account_t *a = &slot->acct->value;
    slot->value = *value;
    slot->proven = true;
    if (s->cache && a->exists)
        ex_cache_put_slot(s->cache, &a->storage_root, &slot->key, value);
}

rc_t ex_state_add_code(ex_state_t *s, const hash32_t *hash, view_t code)
{
    for (const ex_code_t *c = s->codes; c; c = c->next)
        if (hash32_eq(&c->hash, hash))
            return RC_OK;
    view_t copy = arena_dup(s->mem, code);
    return copy.p && code_add(s, hash, copy, false) ? RC_OK : RC_NOMEM;
}
