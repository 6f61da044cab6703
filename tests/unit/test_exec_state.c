/* The table of accounts, slots and codes of one call: limits, what is proven by what, and codes kept once. */
#include <check.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/state.h"
#include "tests/unit/unit.h"

static arena_t arena;
static ex_state_t state;
static ex_cache_t *cache;
static const hash32_t ROOT = { { 7 } };

static void setup(void)
{
    ex_cache_config_t config = { .bytes_max = 1 << 20, .seed = { 1, 2 } };
    cache = ex_cache_new(&config);
    arena_init(&arena, 16u << 20);
}

static void teardown(void)
{
    ex_cache_free(cache);
    arena_free(&arena);
}

static void start(ex_cache_t *with, size_t keys_max)
{
    ck_assert_int_eq(ex_state_init(&state, &arena, with, &ROOT, keys_max), RC_OK);
}

static addr_t addr_of(unsigned x)
{
    addr_t a = { { 0xac } };
    store_u64be(a.b + 12, x);
    return a;
}

static hash32_t key_of(unsigned x)
{
    hash32_t h = { { 0 } };
    store_u64be(h.b + 24, x);
    return h;
}

static ex_acct_t *acct_of(unsigned x)
{
    ex_acct_t *a;
    addr_t addr = addr_of(x);
    ck_assert_int_eq(ex_state_acct(&a, &state, &addr), RC_OK);
    return a;
}

static ex_slot_t *slot_of(ex_acct_t *a, unsigned x)
{
    ex_slot_t *slot;
    hash32_t key = key_of(x);
    ck_assert_int_eq(ex_state_slot(&slot, &state, a, &key), RC_OK);
    return slot;
}

START_TEST(accounts_and_slots_share_one_limit)
{
    ex_acct_t *a, *none = NULL;
    ex_slot_t *slot, *no_slot = NULL;
    addr_t more = addr_of(99);
    hash32_t key = key_of(99);
    for (unsigned accounts = 1; accounts <= 3; accounts++) {
        start(NULL, 3);
        for (unsigned i = 0; i < accounts; i++)
            acct_of(i);
        a = acct_of(0);
        for (unsigned i = accounts; i < 3; i++)
            slot_of(a, i);
        ck_assert_int_eq(ex_state_acct(&none, &state, &more), RC_LIMIT);
        ck_assert_int_eq(ex_state_slot(&no_slot, &state, a, &key), RC_LIMIT);
        ck_assert(!none && !no_slot);
        ck_assert_ptr_eq(acct_of(0), a); /* what is there is still found */
        for (unsigned i = accounts; i < 3; i++) {
            key = key_of(i);
            ck_assert_int_eq(ex_state_slot(&slot, &state, a, &key), RC_OK);
            key = key_of(99);
        }
        ck_assert_uint_eq(state.keys, 3);
    }
}
END_TEST

START_TEST(entries_are_one_per_name_and_in_the_order_of_first_mention)
{
    unsigned n = 0;
    start(NULL, 20000);
    for (unsigned i = 0; i < 6000; i++) { /* more than there are buckets */
        ex_acct_t *a = acct_of(i);
        slot_of(a, 1)->value = u256_of(i);
    }
    for (const ex_acct_t *a = map_first(&state.accts); a; a = map_next(a), n++) {
        addr_t want = addr_of(n);
        ck_assert(addr_eq(&a->addr, &want));
    }
    ck_assert_uint_eq(n, 6000);
    for (unsigned i = 0; i < 6000; i++) {
        ex_acct_t *a = acct_of(i);
        ck_assert_uint_eq(slot_of(a, 1)->value.w[0], i);
        ck_assert(a->slots && !a->slots->next);
    }
    ck_assert_uint_eq(state.keys, 12000);
}
END_TEST

START_TEST(a_slot_is_known_by_its_proof_or_by_an_empty_trie)
{
    start(NULL, 100);
    ex_acct_t *a = acct_of(1);
    ex_slot_t *slot = slot_of(a, 5);
    u256_t five = u256_of(5);
    ck_assert(!ex_acct_known(&state, a) && !ex_slot_known(&state, slot));
    ex_state_prove_acct(&state, a, &(mpt_account_t){ .exists = true, .storage_root = { { 1 } } });
    ck_assert(ex_acct_known(&state, a) && !ex_slot_known(&state, slot));
    ex_state_prove_slot(&state, slot, &five);
    ck_assert(ex_slot_known(&state, slot));
    ck_assert_uint_eq(slot->value.w[0], 5);

    a = acct_of(2);
    slot = slot_of(a, 5);
    slot->value = five;
    ex_state_prove_acct(&state, a, &(mpt_account_t){ .exists = true, .storage_root = EMPTY_TRIE_ROOT });
    ck_assert(ex_slot_known(&state, slot) && u256_is_zero(&slot->value));

    a = acct_of(3);
    slot = slot_of(a, 5);
    slot->value = five;
    ex_state_prove_acct(&state, a, &(mpt_account_t){ .storage_root = { { 1 } } }); /* nobody */
    ck_assert(ex_slot_known(&state, slot) && u256_is_zero(&slot->value));
}
END_TEST

START_TEST(what_was_proven_is_in_the_cache_for_the_same_roots_only)
{
    const mpt_account_t account = { .exists = true, .nonce = 4, .storage_root = { { 1 } } };
    u256_t five = u256_of(5);
    start(cache, 100);
    ex_acct_t *a = acct_of(1);
    ex_state_prove_acct(&state, a, &account);
    ex_state_prove_slot(&state, slot_of(a, 5), &five);
    ex_state_prove_acct(&state, acct_of(2), &(mpt_account_t){ .storage_root = { { 2 } } });
    ex_state_prove_slot(&state, slot_of(acct_of(2), 5), &five); /* of nobody: not kept */
    hash32_t key = key_of(5), root = { { 2 } };
    u256_t value;
    ck_assert(!ex_cache_get_slot(cache, &value, &root, &key));

    start(cache, 100);
    ck_assert(ex_acct_known(&state, acct_of(1)));
    ck_assert_uint_eq(acct_of(1)->value.nonce, 4);
    ck_assert(ex_slot_known(&state, slot_of(acct_of(1), 5)));
    ck_assert(!ex_slot_known(&state, slot_of(acct_of(1), 6)));

    hash32_t later = { { 8 } };
    ck_assert_int_eq(ex_state_init(&state, &arena, cache, &later, 100), RC_OK);
    a = acct_of(1);
    ck_assert(!ex_acct_known(&state, a) && !ex_slot_known(&state, slot_of(a, 5)));
    ck_assert(a->has_guess && a->guess.nonce == 4);
    five = ex_slot_guess(&state, slot_of(a, 5));
    ck_assert_uint_eq(five.w[0], 5);
    value = ex_slot_guess(&state, slot_of(a, 6));
    ck_assert(u256_is_zero(&value));
    value = ex_slot_guess(&state, slot_of(acct_of(9), 5)); /* of whom nothing was known */
    ck_assert(u256_is_zero(&value));
}
END_TEST

START_TEST(a_code_is_kept_once_and_goes_to_the_cache_with_a_proven_account)
{
    hash32_t hash[3];
    view_t text[3] = { view_str("first"), view_str("second"), view_str("third") }, found;
    start(cache, 100);
    for (int i = 0; i < 3; i++) {
        keccak256(&hash[i], text[i]);
        ck_assert_int_eq(ex_state_add_code(&state, &hash[i], text[i]), RC_OK);
        ck_assert_int_eq(ex_state_add_code(&state, &hash[0], text[0]), RC_OK); /* there already */
    }
    unsigned n = 0;
    for (const ex_code_t *c = state.codes; c; c = c->next)
        n++;
    ck_assert_uint_eq(n, 3);
    ex_acct_t *a = acct_of(1);
    for (int i = 0; i < 3; i++) {
        const ex_code_t *c = ex_code_known(&state, a, &hash[i]);
        ck_assert(c && view_eq(c->bytes, text[i]) && !c->shared);
        ck_assert(!ex_cache_get_code(cache, &found, &arena, &hash[i]));
    }
    ex_state_prove_acct(&state, a, &(mpt_account_t){ .exists = true });
    for (int i = 0; i < 3; i++) { /* its hash in the account changed in between */
        const ex_code_t *c = ex_code_known(&state, a, &hash[i]);
        ck_assert(c && view_eq(c->bytes, text[i]) && c->shared);
        ck_assert(ex_cache_get_code(cache, &found, &arena, &hash[i]) && view_eq(found, text[i]));
    }
    start(cache, 100); /* another call finds it in the cache */
    ck_assert_ptr_null(state.codes);
    for (int i = 2; i >= 0; i--) {
        const ex_code_t *c = ex_code_known(&state, acct_of(1), &hash[i]);
        ck_assert(c && view_eq(c->bytes, text[i]) && c->shared);
    }
    hash[0].b[31] ^= 1;
    ck_assert_ptr_null(ex_code_known(&state, acct_of(1), &hash[0]));
}
END_TEST

START_TEST(a_table_without_memory_says_so)
{
    arena_t small;
    addr_t addr = addr_of(1);
    hash32_t key = key_of(1);
    ex_acct_t *a;
    ex_slot_t *slot;
    static const uint8_t code[4096];
    unsigned ends[4] = { 0 };
    for (size_t limit = 0; limit < 100000; limit += 16) {
        arena_init(&small, limit);
        unsigned step = 0;
        rc_t rc = ex_state_init(&state, &small, NULL, &ROOT, 100);
        if (!rc)
            step++, rc = ex_state_acct(&a, &state, &addr);
        if (!rc)
            step++, rc = ex_state_slot(&slot, &state, a, &key);
        if (!rc)
            step++, rc = ex_state_add_code(&state, &key, view_of(code, sizeof code));
        ck_assert(rc == RC_OK || rc == RC_NOMEM);
        ends[step] += rc != RC_OK;
        arena_free(&small);
        if (!rc)
            break;
    }
    for (int i = 0; i < 4; i++)
        ck_assert_msg(ends[i] > 0, "step %d never lacked memory", i);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "exec_state", setup, teardown, accounts_and_slots_share_one_limit,
        entries_are_one_per_name_and_in_the_order_of_first_mention, a_slot_is_known_by_its_proof_or_by_an_empty_trie,
        what_was_proven_is_in_the_cache_for_the_same_roots_only,
        a_code_is_kept_once_and_goes_to_the_cache_with_a_proven_account, a_table_without_memory_says_so);
}
