/* What block access lists let hold: a small world in which accounts are paid, emptied, made, destroyed and delegated,
 * on branches, with proofs and lists that come or do not; whatever the cache follows is what the world has. */
#include <check.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/cache.h"
#include "lightclient/rlp/rlp.h"
#include "tests/unit/unit.h"

#define ACCOUNTS 6u
#define SLOTS 3u
#define BLOCKS 60u
#define INDEX_MAX 4u /* transactions of a block, and what comes before and after them */
#define LIST_MAX 8192u
#define WORLDS 100u

typedef struct {
    bool exists;
    uint64_t nonce, balance;
    uint8_t code; /* 0: none; also a delegation */
    uint64_t slots[SLOTS];
} acct_t;

typedef struct {
    acct_t accts[ACCOUNTS];
    hash32_t root;
} state_t;

/* What a block writes, by index: touched marks what the list names. */
typedef struct {
    acct_t after[INDEX_MAX][ACCOUNTS];
    acct_t before[INDEX_MAX][ACCOUNTS];
    bool named[ACCOUNTS];
    bool read[ACCOUNTS][SLOTS];
    unsigned count;
} block_t;

static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

/* Rising with i. */
static addr_t addr_at(unsigned i)
{
    addr_t a = { { (uint8_t)(0x10 + i), 0xbb } };
    return a;
}

static hash32_t key_at(unsigned k)
{
    hash32_t h = { { [31] = (uint8_t)k } };
    h.b[0] = k == 2 ? 0xff : 0; /* the first has no byte, the last one all */
    return h;
}

static hash32_t code_hash(uint8_t code)
{
    hash32_t h = KECCAK_EMPTY;
    if (code)
        keccak256(&h, view_of(&code, 1));
    return h;
}

static hash32_t storage_root(const acct_t *a)
{
    static const uint64_t none[SLOTS];
    hash32_t h = EMPTY_TRIE_ROOT;
    if (memcmp(a->slots, none, sizeof none))
        keccak256(&h, view_of(a->slots, sizeof a->slots));
    return h;
}

static mpt_account_t proven(const acct_t *a)
{
    if (!a->exists)
        return (mpt_account_t){ false, 0, u256_of(0), EMPTY_TRIE_ROOT, KECCAK_EMPTY };
    return (mpt_account_t){ true, a->nonce, u256_of(a->balance), storage_root(a), code_hash(a->code) };
}

static void make_root(state_t *s, unsigned number)
{
    uint8_t buf[4096];
    wr_t w = wr_of(buf, sizeof buf);
    wr_be(&w, number, 8); /* as by its system contracts, no block leaves the state as it was */
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const acct_t *a = &s->accts[i];
        wr_u8(&w, a->exists);
        wr_be(&w, a->nonce, 8);
        wr_be(&w, a->balance, 8);
        wr_u8(&w, a->code);
        for (unsigned k = 0; k < SLOTS; k++)
            wr_be(&w, a->slots[k], 8);
    }
    ck_assert(!w.bad);
    keccak256(&s->root, wr_view(&w));
}

/* ---- what happens ---- */

static void pay(acct_t *to, uint64_t value)
{
    to->exists |= value > 0;
    to->balance += value;
}

static void write_slot(block_t *b, acct_t *a, unsigned i)
{
    const unsigned k = draw(SLOTS);
    a->slots[k] = draw(3);
    b->read[i][k] = true;
}

static void clear_storage(acct_t *a)
{
    memset(a->slots, 0, sizeof a->slots);
}

/* A contract is made; whatever storage stood there is gone. It may be destroyed at once, and keeps its balance. */
static void make(block_t *b, acct_t *a, unsigned i)
{
    clear_storage(a);
    a->exists = true;
    a->nonce = 1;
    a->code = (uint8_t)(1 + draw(3));
    for (unsigned n = draw(3); n > 0; n--)
        write_slot(b, a, i);
    if (draw(3))
        return;
    clear_storage(a);
    a->nonce = 0;
    a->code = 0;
}

static void happen(block_t *b, acct_t accts[ACCOUNTS])
{
    const unsigned i = draw(ACCOUNTS), j = draw(ACCOUNTS);
    acct_t *a = &accts[i];
    b->named[i] = true;
    switch (draw(7)) {
    case 0: pay(a, draw(3)); break;
    case 1: /* all of it, or a part */
        b->named[j] = true;
        if (a->exists && a->balance) {
            const uint64_t value = draw(2) ? a->balance : 1;
            a->balance -= value;
            a->nonce += !a->code && draw(4); /* else as if its code, that it was lent, had sent it */
            pay(&accts[j], value);
        }
        break;
    case 2:
        if (!a->nonce && !a->code)
            make(b, a, i);
        break;
    case 3: /* EIP-7702, also back to none */
        if (!a->code || a->code > 8) {
            a->exists = true;
            a->nonce++;
            a->code = draw(2) ? (uint8_t)(9 + draw(3)) : 0;
        }
        break;
    case 4:
        if (a->code)
            write_slot(b, a, i);
        break;
    case 5: b->read[i][draw(SLOTS)] = true; break;
    default: break; /* touched */
    }
}

/* What is touched and empty goes. */
static void sweep(const block_t *b, acct_t accts[ACCOUNTS])
{
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        acct_t *a = &accts[i];
        if (b->named[i] && a->exists && !a->nonce && !a->balance && !a->code)
            *a = (acct_t){ .exists = false };
    }
}

static void run_block(block_t *b, state_t *s)
{
    memset(b, 0, sizeof *b);
    b->count = draw(INDEX_MAX + 1);
    for (unsigned t = 0; t < b->count; t++) {
        memcpy(b->before[t], s->accts, sizeof s->accts);
        for (unsigned n = 1 + draw(4); n > 0; n--)
            happen(b, s->accts);
        sweep(b, s->accts);
        memcpy(b->after[t], s->accts, sizeof s->accts);
    }
}

/* ---- its list ---- */

typedef uint64_t (*value_fn)(const acct_t *a, unsigned k);

static uint64_t value_of_slot(const acct_t *a, unsigned k)
{
    return a->slots[k];
}

static uint64_t value_of_balance(const acct_t *a, unsigned k)
{
    (void)k;
    return a->balance;
}

static uint64_t value_of_nonce(const acct_t *a, unsigned k)
{
    (void)k;
    return a->nonce;
}

static uint64_t value_of_code(const acct_t *a, unsigned k)
{
    (void)k;
    return a->code;
}

static unsigned put_changes(wr_t *w, const block_t *b, unsigned i, value_fn value, unsigned k)
{
    const size_t began = w->n;
    unsigned n = 0;
    for (unsigned t = 0; t < b->count; t++) {
        const uint64_t before = value(&b->before[t][i], k), after = value(&b->after[t][i], k);
        const size_t change = w->n;
        const uint8_t byte = (uint8_t)after;
        if (before == after)
            continue;
        rlp_put_u64(w, t);
        if (value == value_of_code)
            rlp_put_bytes(w, view_of(&byte, after > 0));
        else
            rlp_put_u64(w, after);
        rlp_wrap_list(w, change);
        n++;
    }
    rlp_wrap_list(w, began);
    return n;
}

/* Whether the list says that a slot was written. What was gone with an account that was made or swept is not a write. */
static bool is_written(const block_t *b, unsigned i, unsigned k)
{
    for (unsigned t = 0; t < b->count; t++)
        if (b->read[i][k] && b->before[t][i].slots[k] != b->after[t][i].slots[k])
            return true;
    return false;
}

static void put_storage(wr_t *w, const block_t *b, unsigned i, bool reads)
{
    const size_t began = w->n;
    for (unsigned k = 0; k < SLOTS; k++) {
        const hash32_t key = key_at(k);
        const u256_t x = u256_from_be32(key.b);
        const size_t slot = w->n;
        if (!b->read[i][k] || is_written(b, i, k) == reads)
            continue;
        rlp_put_u256(w, &x);
        if (reads)
            continue;
        put_changes(w, b, i, value_of_slot, k);
        rlp_wrap_list(w, slot);
    }
    rlp_wrap_list(w, began);
}

static view_t list_of(uint8_t buf[LIST_MAX], const block_t *b)
{
    wr_t w = wr_of(buf, LIST_MAX);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const addr_t addr = addr_at(i);
        const size_t began = w.n;
        if (!b->named[i])
            continue;
        rlp_put_bytes(&w, view_of(addr.b, sizeof addr.b));
        put_storage(&w, b, i, false);
        put_storage(&w, b, i, true);
        put_changes(&w, b, i, value_of_balance, 0);
        put_changes(&w, b, i, value_of_nonce, 0);
        put_changes(&w, b, i, value_of_code, 0);
        rlp_wrap_list(&w, began);
    }
    rlp_wrap_list(&w, 0);
    ck_assert(!w.bad);
    return wr_view(&w);
}

static void take_list(ex_cache_t *c, const state_t *before, const state_t *after, const block_t *b)
{
    uint8_t buf[LIST_MAX];
    const view_t rlp = list_of(buf, b);
    ex_changes_t changes;
    hash32_t hash;
    err_t e;
    arena_t a;
    arena_init(&a, 1 << 20);
    keccak256(&hash, rlp);
    ck_assert_msg(ex_changes_verify(&changes, &e, &a, &hash, rlp) == RC_OK, "%s", e.text);
    ex_cache_put_changes(c, &after->root, &before->root, &changes);
    arena_free(&a);
}

/* ---- what is known ---- */

static void prove_some(ex_cache_t *c, const state_t *s)
{
    for (unsigned n = draw(4); n > 0; n--) {
        const unsigned i = draw(ACCOUNTS);
        const addr_t addr = addr_at(i);
        const mpt_account_t account = proven(&s->accts[i]);
        ex_cache_put_account(c, &s->root, &addr, &account);
        for (unsigned k = 0; k < SLOTS && account.exists; k++) {
            const hash32_t key = key_at(k);
            const u256_t value = u256_of(s->accts[i].slots[k]);
            if (draw(2))
                ex_cache_put_slot(c, &account.storage_root, &key, &value);
        }
    }
}

/* How much is known of a state of which nothing need be proven. */
static unsigned look(ex_cache_t *c, const state_t *s)
{
    unsigned known = 0;
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const addr_t addr = addr_at(i);
        const mpt_account_t is = proven(&s->accts[i]);
        mpt_account_t out;
        bool rooted;
        if (ex_cache_follow_account(c, &out, &rooted, &s->root, &addr)) {
            ck_assert(out.exists == is.exists && out.nonce == is.nonce && u256_eq(&out.balance, &is.balance));
            ck_assert(hash32_eq(&out.code_hash, &is.code_hash));
            ck_assert(!rooted || hash32_eq(&out.storage_root, &is.storage_root));
            known++;
        }
        for (unsigned k = 0; k < SLOTS; k++) {
            const hash32_t key = key_at(k);
            u256_t value;
            if (!ex_cache_follow_slot(c, &value, &s->root, &addr, &key))
                continue;
            ck_assert_uint_eq(value.w[0], s->accts[i].slots[k]);
            known++;
        }
    }
    return known;
}

/* Accounts of each kind, also such as only an alloc of a genesis makes. */
static void begin(state_t *s)
{
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        acct_t *a = &s->accts[i];
        a->exists = draw(2);
        if (!a->exists)
            continue;
        a->nonce = draw(2);
        a->balance = draw(3);
        a->code = a->nonce ? (uint8_t)draw(4) : 0;
        if (a->code || draw(4) == 0)
            a->slots[draw(SLOTS)] = 2;
        a->balance += !a->nonce && !a->balance && !a->slots[0] && !a->slots[1] && !a->slots[2];
    }
    make_root(s, 0);
}

static unsigned live(state_t states[BLOCKS], size_t bytes_max)
{
    const ex_cache_config_t config = { .bytes_max = bytes_max, .seed = { 1, 2 } };
    ex_cache_t *c = ex_cache_new(&config);
    unsigned known = 0;
    block_t block;
    ck_assert_ptr_nonnull(c);
    begin(&states[0]);
    prove_some(c, &states[0]);
    for (unsigned n = 1; n < BLOCKS; n++) {
        const state_t *parent = &states[n - 1 - (draw(4) ? 0 : draw(n < 4 ? n : 4))];
        states[n] = *parent;
        run_block(&block, &states[n]);
        make_root(&states[n], n);
        if (draw(8))
            take_list(c, parent, &states[n], &block);
        known += look(c, &states[n]);
        if (!draw(3))
            prove_some(c, &states[draw(2) ? n : draw(n + 1)]);
    }
    for (unsigned n = 0; n < BLOCKS; n++)
        known += look(c, &states[n]);
    ex_cache_free(c);
    return known;
}

START_TEST(nothing_that_is_followed_is_stale)
{
    state_t *states = malloc(BLOCKS * sizeof *states);
    unsigned known = 0;
    for (unsigned world = 0; world < WORLDS; world++) {
        seed = world;
        known += live(states, world % 4 ? 4u << 20 : 12u << 10);
    }
    free(states);
    /* Of 100 worlds with 60 blocks, seen twice, and 24 things in each. */
    ck_assert_uint_gt(known, WORLDS * BLOCKS * 2 * ACCOUNTS * (1 + SLOTS) / 4);
}
END_TEST

int main(void)
{
    return UNIT_RUN("follow_changes", nothing_that_is_followed_is_stale);
}
