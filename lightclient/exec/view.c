#include "lightclient/exec/view.h"

#include "base/crypto/hash.h"

/* EIP-2935: the contract that keeps the last 8191 block hashes, from Prague on. */
static const addr_t HISTORY = { { 0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                  0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35 } };
#define HISTORY_WINDOW 8191u

rc_t ex_view_init(ex_view_t *v, arena_t *mem, const ex_view_config_t *config)
{
    const ex_block_t *block = config->block;
    v->config = *config;
    v->fork = evm_chain_rules(config->chain, block->env.timestamp)->fork;
    v->hash[0] = block->parent_hash;
    v->hash_count = 1;
    return ex_state_init(&v->state, mem, config->cache, &block->state_root, config->keys_max);
}

static rc_t fail(ex_view_t *v, rc_t rc)
{
    v->failed = rc;
    return rc;
}

/* From here on the run is a guess. What it misses first it needs for certain: until then all was proven. */
static void guess(ex_view_t *v, const void *missed)
{
    if (!v->guessed)
        v->met = missed;
    v->guessed = true;
}

/* Notes in *wanted that the run misses a key and goes on with a guess. */
static rc_t miss(ex_view_t *v, unsigned *wanted)
{
    guess(v, wanted);
    if (*wanted != EX_HINTED && *wanted != v->run) {
        *wanted = v->run;
        v->misses++;
    }
    return v->misses > EX_MISSES_MAX ? RC_NEED_DATA : RC_OK;
}

/* Whether to ask for code at once with the account: not for a sender who is nothing else, nor for the lowest 65536
 * addresses, which are precompiles or nothing. When the code is run after all, it is asked for then. */
static bool may_have_code(const ex_view_t *v, const addr_t *addr)
{
    static const addr_t zero;
    const ex_request_t *q = v->config.request;
    if (addr_eq(addr, &q->from) && !(q->has_to && addr_eq(addr, &q->to)))
        return false;
    return memcmp(addr->b, zero.b, sizeof zero.b - 2) != 0;
}

static evm_account_t account_of(const mpt_account_t *a)
{
    if (!a->exists)
        return (evm_account_t){ .code_hash = KECCAK_EMPTY };
    return (evm_account_t){ true, a->nonce, a->balance, a->code_hash };
}

static rc_t view_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    ex_view_t *v = ctx;
    ex_acct_t *a;
    bool sender = addr_eq(addr, &v->config.request->from);
    rc_t rc = ex_state_acct(&a, &v->state, addr);
    if (rc)
        return fail(v, rc);
    a->seen = v->run;
    if (ex_acct_known(&v->state, a)) {
        *out = account_of(&a->value);
        return RC_OK;
    }
    rc = miss(v, &a->wanted);
    if (may_have_code(v, addr) && a->code_wanted != EX_HINTED)
        a->code_wanted = v->run;
    *out = a->has_guess ? account_of(&a->guess) : (evm_account_t){ .exists = true, .code_hash = KECCAK_EMPTY };
    if (sender) /* the run should get past the check of its balance */
        out->balance = (u256_t){ { 0, 0, 0, UINT64_MAX >> 1 } };
    return rc;
}

static rc_t view_storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    ex_view_t *v = ctx;
    ex_acct_t *a;
    ex_slot_t *slot;
    rc_t rc = ex_state_acct(&a, &v->state, addr);
    if (!rc)
        rc = ex_state_slot(&slot, &v->state, a, key);
    if (rc)
        return fail(v, rc);
    a->seen = slot->seen = v->run;
    if (ex_slot_known(&v->state, slot)) {
        *out = slot->value;
        return RC_OK;
    }
    rc = miss(v, &slot->wanted);
    *out = ex_slot_guess(&v->state, slot);
    return rc;
}

static rc_t view_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    ex_view_t *v = ctx;
    ex_acct_t *a;
    rc_t rc = ex_state_acct(&a, &v->state, addr);
    if (rc)
        return fail(v, rc);
    a->seen = a->code_seen = v->run;
    const ex_code_t *code = ex_code_known(&v->state, a, code_hash);
    if (code) {
        *out = code->bytes;
        return RC_OK;
    }
    *out = (view_t){ NULL, 0 };
    return miss(v, &a->code_wanted);
}

/* Goes down the chain of parents as far as given headers and the cache show it. */
static void link_ancestors(ex_view_t *v)
{
    while (v->hash_count < EX_ANCESTORS_MAX) {
        const hash32_t *child = &v->hash[v->hash_count - 1];
        struct ex_ancestor *g = &v->given[v->hash_count - 1];
        hash32_t *parent = &v->hash[v->hash_count];
        if (g->given && hash32_eq(&g->hash, child)) {
            *parent = g->parent;
            if (v->config.cache)
                ex_cache_put_parent(v->config.cache, child, parent);
        } else if (!v->config.cache || !ex_cache_get_parent(v->config.cache, parent, child)) {
            g->given = false; /* came before its turn and turned out to be another block */
            return;
        }
        v->hash_count++;
    }
}

static hash32_t history_key(uint64_t number)
{
    hash32_t key = { { 0 } };
    store_u64be(key.b + 24, number % HISTORY_WINDOW);
    return key;
}

/* A hash older than the parent's, from the history contract; zero where the contract does not hold it.
 * *proven: out is not a guess. */
static rc_t history_hash(ex_view_t *v, hash32_t *out, bool *proven, uint64_t number)
{
    hash32_t key = history_key(number);
    u256_t value = u256_of(0);
    ex_acct_t *a;
    ex_slot_t *slot;
    rc_t rc = view_storage(v, &value, &HISTORY, &key);
    if (rc)
        return rc;
    rc = ex_state_acct(&a, &v->state, &HISTORY);
    if (!rc)
        rc = ex_state_slot(&slot, &v->state, a, &key);
    if (rc)
        return fail(v, rc);
    u256_to_be32(out->b, &value);
    *proven = slot->proven;
    return RC_OK;
}

/* From the headers between; asks for them when they are missing. */
static rc_t header_hash(ex_view_t *v, hash32_t *out, size_t at)
{
    if (at >= v->hash_count)
        link_ancestors(v);
    if (at < v->hash_count) {
        *out = v->hash[at];
        return RC_OK;
    }
    if (v->hash_wanted <= at)
        v->hash_wanted = at + 1;
    memset(out->b, 1, sizeof out->b); /* a guess that is not zero, as a real one */
    if (!v->guessed)
        v->hash_met = at + 1;
    guess(v, &v->hash_wanted);
    return RC_OK;
}

static rc_t view_block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    ex_view_t *v = ctx;
    uint64_t own = v->config.block->env.number;
    if (number >= own) {
        memset(out, 0, sizeof *out);
        return RC_OK;
    }
    size_t at = (size_t)(own - number - 1);
    if (at >= v->hash_count && v->fork >= EVM_PRAGUE && own - number <= HISTORY_WINDOW) {
        bool proven = false;
        rc_t rc = history_hash(v, out, &proven, number);
        if (rc || !proven || !hash32_is_zero(out))
            return rc;
    }
    return at < EX_ANCESTORS_MAX ? header_hash(v, out, at) : fail(v, RC_LIMIT); /* under another block's number */
}

static rc_t view_storage_empty(void *ctx, bool *out, const addr_t *addr)
{
    evm_account_t account;
    ex_view_t *v = ctx;
    ex_acct_t *a;
    rc_t rc = ex_state_acct(&a, &v->state, addr);
    if (rc)
        return fail(v, rc);
    a->wants_root = true;
    rc = view_account(ctx, &account, addr);
    if (!rc)
        *out = !a->proven || !a->rooted || !a->value.exists || hash32_eq(&a->value.storage_root, &EMPTY_TRIE_ROOT);
    return rc;
}

static bool view_expired(void *ctx)
{
    ex_view_t *v = ctx;
    if (v->config.query->expired && v->config.query->expired(v->config.query->expired_ctx))
        v->deadline = true;
    return v->deadline || (v->guessed && ++v->polls > EX_GUESSED_POLLS_MAX);
}

evm_host_t ex_view_run(ex_view_t *v)
{
    v->run++;
    v->guessed = v->deadline = false;
    v->met = NULL;
    v->failed = RC_OK;
    v->misses = v->polls = 0;
    v->hash_wanted = v->hash_met = 0;
    return (evm_host_t){ .ctx = v,
                         .account = view_account,
                         .storage = view_storage,
                         .code = view_code,
                         .block_hash = view_block_hash,
                         .expired = view_expired,
                         .storage_empty = view_storage_empty,
                         .seed = { v->state.seed[0], v->state.seed[1] } };
}

rc_t ex_view_foresee(ex_view_t *v, uint64_t number)
{
    uint64_t own = v->config.block->env.number;
    hash32_t key = history_key(number);
    ex_acct_t *a;
    ex_slot_t *slot;
    if (number + 1 >= own || own - number > EX_ANCESTORS_MAX)
        return RC_OK; /* known, or zero */
    if (v->fork < EVM_PRAGUE) {
        if (v->hash_foreseen < own - number)
            v->hash_foreseen = (size_t)(own - number);
        return RC_OK;
    }
    rc_t rc = ex_state_acct(&a, &v->state, &HISTORY);
    if (!rc)
        rc = ex_state_slot(&slot, &v->state, a, &key);
    if (!rc)
        slot->wanted = EX_HINTED;
    return rc;
}

bool ex_view_ancestor(const ex_view_t *v, hash32_t *out, size_t at)
{
    if (at < v->hash_count)
        *out = v->hash[at];
    return at < v->hash_count;
}

rc_t ex_view_header(ex_view_t *v, size_t at, const ex_header_t *header)
{
    hash32_t hash;
    ex_header_hash(&hash, header);
    if (at < v->hash_count && !hash32_eq(&hash, &v->hash[at]))
        return RC_REFUSED;
    v->given[at] = (struct ex_ancestor){ true, hash, header->parent_hash };
    link_ancestors(v);
    return RC_OK;
}
