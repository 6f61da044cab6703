#include "lightclient/exec/cache.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/map.h"

#define KEY_LEN 65u   /* kind and at most two 32-byte names */
#define SHORT_LEN 32u /* bytes of data that lie in the entry itself: a slot's value, a hash */

enum {
    KIND_ACCOUNT,
    KIND_SLOT,
    KIND_CODE,
    KIND_PARENT,
    KIND_GUESS,
    KIND_LEARNED,
    KIND_CHANGES,
    KIND_ANCESTOR,
    KIND_PART,
    KIND_WHERE,
    KIND_PROOF,
    KINDS
};

typedef struct {
    size_t len; /* bytes of data */
    union {
        uint8_t here[SHORT_LEN];
        uint8_t *heap; /* longer than SHORT_LEN */
    } data;
} entry_t;

struct ex_cache {
    ex_cache_config_t config;
    arena_t arena;
    map_t map; /* entry_t by key, in order of use: the oldest first */
    size_t bytes;
    ex_cache_counts_t counts[KINDS];
};

static void lock(ex_cache_t *c)
{
    if (c->config.lock)
        c->config.lock(c->config.lock_ctx);
}

static void unlock(ex_cache_t *c)
{
    if (c->config.unlock)
        c->config.unlock(c->config.lock_ctx);
}

static void key_of(uint8_t key[KEY_LEN], uint8_t kind, view_t a, view_t b)
{
    wr_t w = wr_of(key, KEY_LEN);
    memset(key, 0, KEY_LEN);
    wr_u8(&w, kind);
    wr_bytes(&w, a.p, a.n);
    wr_bytes(&w, b.p, b.n);
}

static view_t hash_view(const hash32_t *h)
{
    return view_of(h->b, sizeof h->b);
}

static const uint8_t *entry_data(const entry_t *e)
{
    return e->len > SHORT_LEN ? e->data.heap : e->data.here;
}

static size_t entry_size(size_t len)
{
    size_t heap = len > SHORT_LEN ? len + 16 : 0; /* with the allocator's share, as that of the buckets below */
    return sizeof(map_node_t) + sizeof(entry_t) + KEY_LEN + 2 * sizeof(map_node_t *) + heap;
}

ex_cache_t *ex_cache_new(const ex_cache_config_t *config)
{
    ex_cache_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->config = *config;
    arena_init(&c->arena, SIZE_MAX); /* bounded by bytes_max */
    if (map_init(&c->map, &c->arena, config->seed, KEY_LEN, sizeof(entry_t))) {
        ex_cache_free(c);
        return NULL;
    }
    return c;
}

/* Sets the data of an entry aside, so that it holds none. */
static void empty(ex_cache_t *c, entry_t *e)
{
    c->bytes -= entry_size(e->len);
    if (e->len > SHORT_LEN)
        free(e->data.heap);
    e->len = 0;
}

static void drop_oldest(ex_cache_t *c)
{
    entry_t *e = map_first(&c->map);
    empty(c, e);
    map_remove(&c->map, e);
}

void ex_cache_free(ex_cache_t *c)
{
    if (!c)
        return;
    for (entry_t *e = map_first(&c->map); e; e = map_next(e))
        if (e->len > SHORT_LEN)
            free(e->data.heap);
    arena_free(&c->arena);
    free(c);
}

/* The entry under key, now the most recently used; NULL when there is none. The caller holds the lock. */
static entry_t *get(ex_cache_t *c, const uint8_t key[KEY_LEN])
{
    entry_t *e = map_get(&c->map, key, KEY_LEN);
    if (e)
        map_refresh(&c->map, e);
    return e;
}

/* A place for data under key, the most recently used one; NULL when memory is short. */
static entry_t *place(ex_cache_t *c, const uint8_t key[KEY_LEN], size_t len)
{
    entry_t *e = get(c, key);
    if (e) {
        empty(c, e);
        map_remove(&c->map, e);
    }
    while (c->map.count && c->bytes + entry_size(len) > c->config.bytes_max)
        drop_oldest(c);
    return map_put(&c->map, NULL, key, KEY_LEN);
}

static void put(ex_cache_t *c, const uint8_t key[KEY_LEN], view_t data)
{
    if (entry_size(data.n) > c->config.bytes_max / 8)
        return;
    uint8_t *heap = data.n > SHORT_LEN ? malloc(data.n) : NULL;
    if (data.n > SHORT_LEN && !heap)
        return;
    lock(c);
    entry_t *e = place(c, key, data.n);
    if (e) {
        e->len = data.n;
        if (heap)
            e->data.heap = heap;
        if (data.n)
            memcpy(heap ? heap : e->data.here, data.p, data.n);
        c->bytes += entry_size(data.n);
    } else
        free(heap);
    unlock(c);
}

/* Copies an entry of exactly n bytes out. */
static bool get_fixed(ex_cache_t *c, void *out, size_t n, uint8_t kind, view_t a, view_t b)
{
    uint8_t key[KEY_LEN];
    key_of(key, kind, a, b);
    lock(c);
    entry_t *e = get(c, key);
    bool found = e && e->len == n;
    *(found ? &c->counts[kind].hits : &c->counts[kind].misses) += 1;
    if (found)
        memcpy(out, entry_data(e), n);
    unlock(c);
    return found;
}

static void put_named(ex_cache_t *c, uint8_t kind, view_t a, view_t b, view_t data)
{
    uint8_t key[KEY_LEN];
    key_of(key, kind, a, b);
    put(c, key, data);
}

bool ex_cache_get_account(ex_cache_t *c, mpt_account_t *out, const hash32_t *state_root, const addr_t *addr)
{
    return get_fixed(c, out, sizeof *out, KIND_ACCOUNT, hash_view(state_root), view_of(addr->b, sizeof addr->b));
}

void ex_cache_put_account(ex_cache_t *c, const hash32_t *state_root, const addr_t *addr, const mpt_account_t *account)
{
    view_t name = view_of(addr->b, sizeof addr->b), data = view_of(account, sizeof *account);
    put_named(c, KIND_ACCOUNT, hash_view(state_root), name, data);
    put_named(c, KIND_GUESS, name, (view_t){ NULL, 0 }, data);
}

bool ex_cache_guess_account(ex_cache_t *c, mpt_account_t *out, const addr_t *addr)
{
    return get_fixed(c, out, sizeof *out, KIND_GUESS, view_of(addr->b, sizeof addr->b), (view_t){ NULL, 0 });
}

bool ex_cache_get_slot(ex_cache_t *c, u256_t *out, const hash32_t *storage_root, const hash32_t *key)
{
    return get_fixed(c, out, sizeof *out, KIND_SLOT, hash_view(storage_root), hash_view(key));
}

void ex_cache_put_slot(ex_cache_t *c, const hash32_t *storage_root, const hash32_t *key, const u256_t *value)
{
    put_named(c, KIND_SLOT, hash_view(storage_root), hash_view(key), view_of(value, sizeof *value));
}

bool ex_cache_get_parent(ex_cache_t *c, hash32_t *parent, const hash32_t *block)
{
    return get_fixed(c, parent, sizeof *parent, KIND_PARENT, hash_view(block), (view_t){ NULL, 0 });
}

void ex_cache_put_parent(ex_cache_t *c, const hash32_t *block, const hash32_t *parent)
{
    put_named(c, KIND_PARENT, hash_view(block), (view_t){ NULL, 0 }, hash_view(parent));
}

/* Copies an entry of any length into the arena; p is NULL when there is none or memory is short. */
static view_t get_copy(ex_cache_t *c, arena_t *a, uint8_t kind, view_t name, view_t name2)
{
    uint8_t key[KEY_LEN];
    view_t out = { NULL, 0 };
    key_of(key, kind, name, name2);
    lock(c);
    entry_t *e = get(c, key);
    *(e ? &c->counts[kind].hits : &c->counts[kind].misses) += 1;
    if (e)
        out = arena_dup(a, view_of(entry_data(e), e->len));
    unlock(c);
    return out;
}

bool ex_cache_get_code(ex_cache_t *c, view_t *out, arena_t *a, const hash32_t *code_hash)
{
    *out = get_copy(c, a, KIND_CODE, hash_view(code_hash), (view_t){ NULL, 0 });
    return out->p != NULL;
}

void ex_cache_put_code(ex_cache_t *c, const hash32_t *code_hash, view_t code)
{
    put_named(c, KIND_CODE, hash_view(code_hash), (view_t){ NULL, 0 }, code);
}

bool ex_cache_get_part(ex_cache_t *c, view_t *out, arena_t *a, ex_part_t part, const hash32_t *block)
{
    const uint8_t name = (uint8_t)part;
    *out = get_copy(c, a, KIND_PART, hash_view(block), view_of(&name, 1));
    return out->p != NULL;
}

void ex_cache_put_part(ex_cache_t *c, ex_part_t part, const hash32_t *block, view_t bytes)
{
    const uint8_t name = (uint8_t)part;
    put_named(c, KIND_PART, hash_view(block), view_of(&name, 1), bytes);
}

bool ex_cache_get_ancestor(ex_cache_t *c, hash32_t *out, const hash32_t *block, uint64_t number)
{
    uint8_t name[8];
    store_u64be(name, number);
    return get_fixed(c, out, sizeof *out, KIND_ANCESTOR, hash_view(block), view_of(name, sizeof name));
}

void ex_cache_put_ancestor(ex_cache_t *c, const hash32_t *block, uint64_t number, const hash32_t *ancestor)
{
    uint8_t name[8];
    store_u64be(name, number);
    put_named(c, KIND_ANCESTOR, hash_view(block), view_of(name, sizeof name), hash_view(ancestor));
}

bool ex_cache_get_where(ex_cache_t *c, uint64_t *number, const hash32_t *tx)
{
    uint8_t text[8];
    const bool found = get_fixed(c, text, sizeof text, KIND_WHERE, hash_view(tx), (view_t){ NULL, 0 });
    if (found)
        *number = load_u64be(text);
    return found;
}

void ex_cache_put_where(ex_cache_t *c, const hash32_t *tx, uint64_t number)
{
    uint8_t text[8];
    store_u64be(text, number);
    put_named(c, KIND_WHERE, hash_view(tx), (view_t){ NULL, 0 }, view_of(text, sizeof text));
}

bool ex_cache_get_proof(ex_cache_t *c, view_t *out, arena_t *a, const hash32_t *root, view_t name)
{
    *out = get_copy(c, a, KIND_PROOF, hash_view(root), name);
    return out->p != NULL;
}

void ex_cache_put_proof(ex_cache_t *c, const hash32_t *root, view_t name, view_t bytes)
{
    put_named(c, KIND_PROOF, hash_view(root), name, bytes);
}

bool ex_cache_get_learned(ex_cache_t *c, view_t *out, arena_t *a, const addr_t *to, const hash32_t *of)
{
    *out = get_copy(c, a, KIND_LEARNED, view_of(to->b, sizeof to->b), hash_view(of));
    return out->p != NULL;
}

void ex_cache_put_learned(ex_cache_t *c, const addr_t *to, const hash32_t *of, view_t bytes)
{
    put_named(c, KIND_LEARNED, view_of(to->b, sizeof to->b), hash_view(of), bytes);
}

/* Changes are kept as: this, the accounts, the slots. */
typedef struct {
    hash32_t before;
    size_t account_count, slot_count;
} changes_head_t;

void ex_cache_put_changes(ex_cache_t *c, const hash32_t *after, const hash32_t *before, const ex_changes_t *changes)
{
    const changes_head_t head = { *before, changes->account_count, changes->slot_count };
    const size_t accounts = head.account_count * sizeof *changes->accounts,
                 slots = head.slot_count * sizeof *changes->slots, cap = sizeof head + accounts + slots;
    uint8_t *data = malloc(cap);
    if (!data)
        return;
    wr_t w = wr_of(data, cap);
    wr_bytes(&w, &head, sizeof head);
    wr_bytes(&w, changes->accounts, accounts);
    wr_bytes(&w, changes->slots, slots);
    put_named(c, KIND_CHANGES, hash_view(after), (view_t){ NULL, 0 }, wr_view(&w));
    free(data);
}

/* With the lock held. */
static const entry_t *get_named(ex_cache_t *c, uint8_t kind, const void *name, size_t n, view_t second)
{
    uint8_t key[KEY_LEN];
    key_of(key, kind, view_of(name, n), second);
    const entry_t *e = get(c, key);
    *(e ? &c->counts[kind].hits : &c->counts[kind].misses) += 1;
    return e;
}

/* Goes from a state to the one before it; out is in the entry. False: what led to the state is not known. With the lock
 * held. */
static bool step_back(ex_cache_t *c, hash32_t *root, ex_changes_t *out)
{
    const entry_t *e = get_named(c, KIND_CHANGES, root->b, sizeof root->b, (view_t){ NULL, 0 });
    if (!e)
        return false;
    const changes_head_t *head = (const void *)entry_data(e);
    out->accounts = (const void *)(head + 1);
    out->account_count = head->account_count;
    out->slots = (const void *)(out->accounts + head->account_count);
    out->slot_count = head->slot_count;
    *root = head->before;
    return true;
}

static bool is_empty(const mpt_account_t *a)
{
    return !a->nonce && u256_is_zero(&a->balance) && hash32_eq(&a->code_hash, &KECCAK_EMPTY);
}

/* Whether nothing but a balance, or nothing at all, stands before its storage: it may go when it is touched or emptied
 * (EIP-161), and be made anew, and with it goes storage of which lists say nothing. */
static bool may_lose_storage(const mpt_account_t *a)
{
    const bool only_storage = !a->nonce && hash32_eq(&a->code_hash, &KECCAK_EMPTY);
    return only_storage && (u256_is_zero(&a->balance) || !hash32_eq(&a->storage_root, &EMPTY_TRIE_ROOT));
}

/* An account as it was proven under a root. named: a block after it names the account. */
static bool direct_account(ex_cache_t *c, mpt_account_t *out, const hash32_t *root, const addr_t *addr, bool named)
{
    mpt_account_t account;
    const entry_t *e = get_named(c, KIND_ACCOUNT, root->b, sizeof root->b, view_of(addr->b, sizeof addr->b));
    if (!e || e->len != sizeof account)
        return false;
    memcpy(&account, entry_data(e), sizeof account);
    if (named && account.exists && may_lose_storage(&account))
        return false;
    *out = account;
    return true;
}

/* Adds an older block's changes of an account below newer ones. */
static void add_older(ex_account_change_t *sum, const ex_account_change_t *older)
{
    if (!sum->has_balance && older->has_balance)
        sum->balance = older->balance;
    if (!sum->has_nonce && older->has_nonce)
        sum->nonce = older->nonce;
    if (!sum->has_code && older->has_code)
        sum->code_hash = older->code_hash;
    sum->has_balance |= older->has_balance;
    sum->has_nonce |= older->has_nonce;
    sum->has_code |= older->has_code;
    sum->slot_count += older->slot_count;
}

/* An account after changes. One that is empty then is not there any more (EIP-161). */
static void apply(mpt_account_t *a, bool *rooted, const ex_account_change_t *by)
{
    *rooted = !by->slot_count;
    if (!by->has_balance && !by->has_nonce && !by->has_code && !by->slot_count)
        return;
    if (!a->exists)
        *a = (mpt_account_t){ .code_hash = KECCAK_EMPTY, .storage_root = EMPTY_TRIE_ROOT };
    a->balance = by->has_balance ? by->balance : a->balance;
    a->nonce = by->has_nonce ? by->nonce : a->nonce;
    a->code_hash = by->has_code ? by->code_hash : a->code_hash;
    a->exists = !is_empty(a);
    if (!a->exists) {
        a->storage_root = EMPTY_TRIE_ROOT;
        *rooted = true;
    } else if (!*rooted)
        memset(&a->storage_root, 0, sizeof a->storage_root);
}

bool ex_cache_follow_account(ex_cache_t *c, mpt_account_t *out, bool *rooted, const hash32_t *state_root,
                             const addr_t *addr)
{
    ex_account_change_t sum = { .slots = 0 };
    ex_changes_t changes;
    mpt_account_t account;
    hash32_t root = *state_root;
    bool named = false;
    lock(c);
    bool found = direct_account(c, &account, &root, addr, named);
    for (unsigned i = 0; !found && i < EX_FOLLOW_MAX && step_back(c, &root, &changes); i++) {
        const ex_account_change_t *change = ex_changes_account(&changes, addr);
        if (change)
            add_older(&sum, change);
        named |= change != NULL;
        found = direct_account(c, &account, &root, addr, named);
    }
    unlock(c);
    if (!found)
        return false;
    apply(&account, rooted, &sum);
    *out = account;
    return true;
}

/* A slot of an account that was proven under a root. With the lock held. */
static bool direct_slot(ex_cache_t *c, u256_t *out, const hash32_t *root, const addr_t *addr, const hash32_t *key,
                        bool named)
{
    mpt_account_t account;
    if (!direct_account(c, &account, root, addr, named))
        return false;
    if (!account.exists || hash32_eq(&account.storage_root, &EMPTY_TRIE_ROOT)) {
        *out = u256_of(0);
        return true;
    }
    const entry_t *e = get_named(c, KIND_SLOT, account.storage_root.b, sizeof account.storage_root.b, hash_view(key));
    if (e && e->len == sizeof *out)
        memcpy(out, entry_data(e), sizeof *out);
    return e && e->len == sizeof *out;
}

bool ex_cache_follow_slot(ex_cache_t *c, u256_t *out, const hash32_t *state_root, const addr_t *addr,
                          const hash32_t *key)
{
    ex_changes_t changes;
    hash32_t root = *state_root;
    bool named = false;
    lock(c);
    bool found = direct_slot(c, out, &root, addr, key, named);
    for (unsigned i = 0; !found && i < EX_FOLLOW_MAX && step_back(c, &root, &changes); i++) {
        const ex_account_change_t *account = ex_changes_account(&changes, addr);
        const ex_slot_change_t *slot = account ? ex_changes_slot(&changes, account, key) : NULL;
        if (slot)
            *out = slot->value;
        named |= account != NULL;
        found = slot || direct_slot(c, out, &root, addr, key, named);
    }
    unlock(c);
    return found;
}

size_t ex_cache_counts(ex_cache_t *c, ex_cache_counts_t out[EX_CACHE_KINDS])
{
    static const char *const names[KINDS] = {
        [KIND_ACCOUNT] = "account", [KIND_SLOT] = "slot",         [KIND_CODE] = "code",
        [KIND_PARENT] = "parent",   [KIND_GUESS] = "guess",       [KIND_LEARNED] = "learned",
        [KIND_CHANGES] = "changes", [KIND_ANCESTOR] = "ancestor", [KIND_PART] = "block part",
        [KIND_WHERE] = "where",     [KIND_PROOF] = "proof"
    };
    size_t n = 0;
    _Static_assert(KINDS <= EX_CACHE_KINDS, "each kind has a row");
    lock(c);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i]) {
            out[n] = c->counts[i];
            out[n++].what = names[i];
        }
    unlock(c);
    return n;
}

size_t ex_cache_bytes(ex_cache_t *c)
{
    lock(c);
    size_t n = c->bytes;
    unlock(c);
    return n;
}

void ex_cache_seed(const ex_cache_t *c, uint64_t out[2])
{
    out[0] = c->config.seed[0];
    out[1] = c->config.seed[1];
}
