/* Cache of proven state: kinds are kept apart, the least recently used go first, the size holds. */
#include <check.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/cache.h"
#include "tests/unit/unit.h"

static ex_cache_t *cache_of(size_t bytes_max)
{
    ex_cache_config_t config = { .bytes_max = bytes_max, .seed = { 1, 2 } };
    ex_cache_t *c = ex_cache_new(&config);
    ck_assert_ptr_nonnull(c);
    return c;
}

static hash32_t hash_of(unsigned x)
{
    hash32_t h = { { 0xaa } };
    store_u64be(h.b + 24, x);
    return h;
}

static addr_t addr_of(unsigned x)
{
    addr_t a = { { 0xbb } };
    store_u64be(a.b + 12, x);
    return a;
}

START_TEST(account_is_found_only_under_its_root_and_address)
{
    ex_cache_t *c = cache_of(1 << 20);
    hash32_t root = hash_of(1), other = hash_of(2);
    addr_t addr = addr_of(1), stranger = addr_of(2);
    mpt_account_t in = { true, 7, u256_of(9), hash_of(3), hash_of(4) }, out = { .nonce = 55 };
    ex_cache_put_account(c, &root, &addr, &in);
    ck_assert(!ex_cache_get_account(c, &out, &other, &addr));
    ck_assert(!ex_cache_get_account(c, &out, &root, &stranger));
    ck_assert_uint_eq(out.nonce, 55);
    ck_assert(ex_cache_get_account(c, &out, &root, &addr));
    ck_assert_uint_eq(out.nonce, 7);
    ck_assert(hash32_eq(&out.code_hash, &in.code_hash));
    ex_cache_free(c);
}
END_TEST

START_TEST(guess_is_the_account_last_put_under_any_root)
{
    ex_cache_t *c = cache_of(1 << 20);
    hash32_t first = hash_of(1), second = hash_of(2);
    addr_t addr = addr_of(1), stranger = addr_of(2);
    mpt_account_t in = { true, 7, u256_of(9), hash_of(3), hash_of(4) }, out;
    ck_assert(!ex_cache_guess_account(c, &out, &addr));
    ex_cache_put_account(c, &first, &addr, &in);
    in.nonce = 8;
    ex_cache_put_account(c, &second, &addr, &in);
    ck_assert(!ex_cache_guess_account(c, &out, &stranger));
    ck_assert(ex_cache_guess_account(c, &out, &addr));
    ck_assert_uint_eq(out.nonce, 8);
    ex_cache_free(c);
}
END_TEST

START_TEST(slot_is_found_only_under_its_storage_root_and_key)
{
    ex_cache_t *c = cache_of(1 << 20);
    hash32_t root = hash_of(1), key = hash_of(2);
    u256_t in = u256_of(77), out = u256_of(5);
    ex_cache_put_slot(c, &root, &key, &in);
    ck_assert(!ex_cache_get_slot(c, &out, &key, &root));
    ck_assert(!ex_cache_get_slot(c, &out, &root, &root));
    ck_assert_uint_eq(out.w[0], 5);
    ck_assert(ex_cache_get_slot(c, &out, &root, &key));
    ck_assert_uint_eq(out.w[0], 77);
    ex_cache_free(c);
}
END_TEST

START_TEST(code_and_parent_with_the_same_name_are_kept_apart)
{
    ex_cache_t *c = cache_of(1 << 20);
    arena_t a;
    arena_init(&a, 1 << 20);
    hash32_t name = hash_of(1), parent = hash_of(2), out;
    view_t code;
    ck_assert(!ex_cache_get_code(c, &code, &a, &name));
    ex_cache_put_parent(c, &name, &parent);
    ck_assert(!ex_cache_get_code(c, &code, &a, &name));
    ck_assert_ptr_null(code.p);
    ex_cache_put_code(c, &name, view_str("code"));
    ck_assert(ex_cache_get_code(c, &code, &a, &name));
    ck_assert(view_eq(code, view_str("code")));
    ck_assert(ex_cache_get_parent(c, &out, &name));
    ck_assert(hash32_eq(&out, &parent));
    arena_free(&a);
    ex_cache_free(c);
}
END_TEST

START_TEST(code_is_not_handed_out_when_the_arena_is_full)
{
    ex_cache_t *c = cache_of(1 << 20);
    arena_t a;
    static const uint8_t big[20000];
    arena_init(&a, 1 << 10);
    hash32_t name = hash_of(1);
    view_t code;
    ex_cache_put_code(c, &name, view_of(big, sizeof big));
    ck_assert(!ex_cache_get_code(c, &code, &a, &name));
    ck_assert_ptr_null(code.p);
    arena_free(&a);
    ex_cache_free(c);
}
END_TEST

START_TEST(bytes_never_pass_the_maximum_and_the_unused_go_first)
{
    const size_t max = 64 << 10;
    ex_cache_t *c = cache_of(max);
    hash32_t root = hash_of(0), key;
    u256_t value;
    for (unsigned i = 1; i <= 5000; i++) {
        u256_t in = u256_of(i);
        key = hash_of(i);
        ex_cache_put_slot(c, &root, &key, &in);
        ck_assert_uint_le(ex_cache_bytes(c), max);
        key = hash_of(1);
        ck_assert_msg(ex_cache_get_slot(c, &value, &root, &key), "the one in use went at %u", i);
    }
    ck_assert_uint_gt(ex_cache_bytes(c), max / 2);
    key = hash_of(2);
    ck_assert(!ex_cache_get_slot(c, &value, &root, &key));
    key = hash_of(5000);
    ck_assert(ex_cache_get_slot(c, &value, &root, &key));
    ck_assert_uint_eq(value.w[0], 5000);
    ex_cache_free(c);
}
END_TEST

START_TEST(many_entries_stay_reachable_while_the_table_grows)
{
    ex_cache_t *c = cache_of(64 << 20);
    hash32_t root = hash_of(0), key;
    u256_t value;
    for (unsigned i = 0; i < 20000; i++) {
        u256_t in = u256_of(i);
        key = hash_of(i);
        ex_cache_put_slot(c, &root, &key, &in);
    }
    for (unsigned i = 0; i < 20000; i++) {
        key = hash_of(i);
        ck_assert(ex_cache_get_slot(c, &value, &root, &key));
        ck_assert_uint_eq(value.w[0], i);
    }
    ex_cache_free(c);
}
END_TEST

START_TEST(putting_again_replaces_and_does_not_leak_size)
{
    ex_cache_t *c = cache_of(1 << 20);
    arena_t a;
    arena_init(&a, 1 << 20);
    hash32_t name = hash_of(1);
    const view_t longer = view_str("a code that is longer than what an entry holds without a block of its own");
    view_t code;
    ex_cache_put_code(c, &name, longer);
    size_t bytes = ex_cache_bytes(c);
    ex_cache_put_code(c, &name, view_str("code"));
    ck_assert_uint_lt(ex_cache_bytes(c), bytes);
    ex_cache_put_code(c, &name, longer);
    ck_assert_uint_eq(ex_cache_bytes(c), bytes);
    ck_assert(ex_cache_get_code(c, &code, &a, &name));
    ck_assert(view_eq(code, longer));
    arena_free(&a);
    ex_cache_free(c);
}
END_TEST

START_TEST(entry_larger_than_an_eighth_is_not_kept)
{
    static const uint8_t big[8 << 10];
    ex_cache_t *c = cache_of(sizeof big * 8);
    hash32_t name = hash_of(1);
    ex_cache_put_code(c, &name, view_of(big, sizeof big));
    ck_assert_uint_eq(ex_cache_bytes(c), 0);
    ex_cache_put_code(c, &name, view_of(big, sizeof big - 512));
    ck_assert_uint_gt(ex_cache_bytes(c), 0);
    ex_cache_free(c);
}
END_TEST

START_TEST(learned_bytes_are_of_a_contract_and_a_digest)
{
    ex_cache_t *c = cache_of(1 << 20);
    arena_t a;
    arena_init(&a, 1 << 20);
    const addr_t to = addr_of(1), other = addr_of(2);
    const hash32_t of = hash_of(1), stranger = hash_of(2);
    view_t out;
    ex_cache_put_learned(c, &to, &of, view_str("keys"));
    ck_assert(!ex_cache_get_learned(c, &out, &a, &other, &of));
    ck_assert(!ex_cache_get_learned(c, &out, &a, &to, &stranger));
    ck_assert(ex_cache_get_learned(c, &out, &a, &to, &of));
    ck_assert(view_eq(out, view_str("keys")));
    arena_free(&a);
    ex_cache_free(c);
}
END_TEST

static int depth, entered;

static void enter(void *ctx)
{
    (void)ctx;
    ck_assert_int_eq(depth++, 0);
    entered++;
}

static void leave(void *ctx)
{
    (void)ctx;
    ck_assert_int_eq(--depth, 0);
}

START_TEST(every_access_is_made_under_the_lock_once)
{
    ex_cache_config_t config = { .bytes_max = 1 << 20, .lock = enter, .unlock = leave };
    ex_cache_t *c = ex_cache_new(&config);
    arena_t a;
    arena_init(&a, 1 << 20);
    hash32_t h = hash_of(1);
    addr_t addr = addr_of(1);
    u256_t value = u256_of(1);
    mpt_account_t account = { .exists = true };
    view_t code, out;
    ck_assert_ptr_nonnull(c);
    ex_cache_put_slot(c, &h, &h, &value);
    ex_cache_put_account(c, &h, &addr, &account); /* two entries */
    ex_cache_put_code(c, &h, view_str("x"));
    ex_cache_put_learned(c, &addr, &h, view_str("x"));
    ck_assert(ex_cache_get_slot(c, &value, &h, &h));
    ck_assert(ex_cache_get_account(c, &account, &h, &addr));
    ck_assert(ex_cache_get_code(c, &code, &a, &h));
    ck_assert(ex_cache_get_learned(c, &out, &a, &addr, &h));
    ck_assert_uint_gt(ex_cache_bytes(c), 0);
    ck_assert_int_eq(entered, 10);
    ck_assert_int_eq(depth, 0);
    arena_free(&a);
    ex_cache_free(c);
    ex_cache_free(NULL);
}
END_TEST

/* Three states, one after the other; what was proven under the first is followed to the others. */
START_TEST(what_no_block_changed_holds_after_it)
{
    ex_cache_t *c = cache_of(1 << 20);
    const hash32_t first = hash_of(1), second = hash_of(2), third = hash_of(3), root = hash_of(4);
    const addr_t written = addr_of(1), paid = addr_of(2), still = addr_of(3), gone = addr_of(4), born = addr_of(5);
    const hash32_t old_key = hash_of(10), new_key = hash_of(11);
    const mpt_account_t in = { true, 7, u256_of(9), root, hash_of(5) },
                        none = { false, 0, u256_of(0), EMPTY_TRIE_ROOT, KECCAK_EMPTY };
    const mpt_account_t poor = { true, 0, u256_of(1), EMPTY_TRIE_ROOT, KECCAK_EMPTY };
    const ex_slot_change_t slots[] = { { new_key, u256_of(77) } };
    const ex_account_change_t in_second[] = { { .addr = written, .slots = 0, .slot_count = 1 },
                                              { .addr = paid, .has_balance = true, .balance = u256_of(10) },
                                              { .addr = gone, .has_balance = true },
                                              { .addr = born, .has_nonce = true, .nonce = 1 } };
    const ex_account_change_t in_third[] = { { .addr = paid, .has_balance = true, .balance = u256_of(11) },
                                             { .addr = born, .has_code = true, .code_hash = hash_of(6) } };
    mpt_account_t out;
    u256_t value = u256_of(5);
    bool rooted;
    ex_cache_put_account(c, &first, &written, &in);
    ex_cache_put_account(c, &first, &paid, &in);
    ex_cache_put_account(c, &first, &still, &in);
    ex_cache_put_account(c, &first, &gone, &poor);
    ex_cache_put_account(c, &first, &born, &none);
    ex_cache_put_slot(c, &root, &old_key, &value);
    ck_assert(!ex_cache_follow_account(c, &out, &rooted, &third, &still));
    ex_cache_put_changes(c, &second, &first, &(ex_changes_t){ in_second, 4, slots, 1 });
    ex_cache_put_changes(c, &third, &second, &(ex_changes_t){ in_third, 2, NULL, 0 });
    ck_assert(!ex_cache_get_account(c, &out, &third, &still));
    ck_assert(ex_cache_follow_account(c, &out, &rooted, &third, &still));
    ck_assert(rooted && !memcmp(&out, &in, sizeof in));
    ck_assert(ex_cache_follow_account(c, &out, &rooted, &second, &paid));
    ck_assert(rooted && out.balance.w[0] == 10 && out.nonce == 7 && hash32_eq(&out.storage_root, &root));
    ck_assert(ex_cache_follow_account(c, &out, &rooted, &third, &paid));
    ck_assert_uint_eq(out.balance.w[0], 11);
    ck_assert(ex_cache_follow_account(c, &out, &rooted, &third, &gone));
    ck_assert(rooted && !out.exists && hash32_eq(&out.storage_root, &EMPTY_TRIE_ROOT));
    ck_assert(ex_cache_follow_account(c, &out, &rooted, &third, &born));
    ck_assert(rooted && out.exists && out.nonce == 1 && hash32_eq(&out.code_hash, &in_third[1].code_hash));
    ck_assert(ex_cache_follow_account(c, &out, &rooted, &third, &written));
    ck_assert(!rooted && out.exists && out.nonce == 7 && hash32_is_zero(&out.storage_root));

    ck_assert(ex_cache_follow_slot(c, &value, &third, &written, &new_key) && value.w[0] == 77);
    ck_assert(ex_cache_follow_slot(c, &value, &third, &written, &old_key) && value.w[0] == 5);
    ck_assert(ex_cache_follow_slot(c, &value, &third, &still, &old_key) && value.w[0] == 5);
    ck_assert(!ex_cache_follow_slot(c, &value, &third, &still, &new_key));
    ck_assert(!ex_cache_follow_slot(c, &value, &first, &written, &new_key));
    ck_assert(ex_cache_follow_slot(c, &value, &third, &gone, &new_key) && u256_is_zero(&value));
    ex_cache_free(c);
}
END_TEST

/* An account with storage and nothing else, as there were before EIP-161: whoever touches it takes it away, and a list
 * that names it without a change does not tell that from looking at it. */
START_TEST(an_empty_account_that_a_block_names_is_not_known_after_it)
{
    ex_cache_t *c = cache_of(1 << 20);
    const hash32_t first = hash_of(1), second = hash_of(2), third = hash_of(3), root = hash_of(4), key = hash_of(10);
    const addr_t hollow = addr_of(1);
    const mpt_account_t in = { true, 0, u256_of(0), root, KECCAK_EMPTY };
    const ex_account_change_t named = { .addr = hollow },
                              paid = { .addr = hollow, .has_balance = true, .balance = u256_of(1) };
    mpt_account_t out;
    u256_t value = u256_of(5);
    bool rooted;
    ex_cache_put_account(c, &first, &hollow, &in);
    ex_cache_put_slot(c, &root, &key, &value);
    ex_cache_put_changes(c, &second, &first, &(ex_changes_t){ NULL, 0, NULL, 0 });
    ck_assert(ex_cache_follow_account(c, &out, &rooted, &second, &hollow) && out.exists);
    ck_assert(ex_cache_follow_slot(c, &value, &second, &hollow, &key) && value.w[0] == 5);
    ex_cache_put_changes(c, &third, &second, &(ex_changes_t){ &named, 1, NULL, 0 });
    ck_assert(!ex_cache_follow_account(c, &out, &rooted, &third, &hollow));
    ck_assert(!ex_cache_follow_slot(c, &value, &third, &hollow, &key));
    ex_cache_put_changes(c, &third, &second, &(ex_changes_t){ &paid, 1, NULL, 0 }); /* with its old storage, or none */
    ck_assert(!ex_cache_follow_account(c, &out, &rooted, &third, &hollow));
    ck_assert(!ex_cache_follow_slot(c, &value, &third, &hollow, &key));
    ex_cache_free(c);
}
END_TEST

/* An account with a balance before its storage, as an alloc of a genesis may have it: where a contract is made at its
 * address, or its balance goes and comes back, its storage is gone, of which lists say nothing. */
START_TEST(an_account_with_storage_and_only_a_balance_is_not_known_after_a_block_that_names_it)
{
    const hash32_t first = hash_of(1), second = hash_of(2), root = hash_of(4), key = hash_of(10);
    const addr_t addr = addr_of(1);
    const ex_account_change_t made = { .addr = addr, .has_nonce = true, .nonce = 1 },
                              emptied = { .addr = addr, .has_balance = true }, named = { .addr = addr };
    const ex_account_change_t *const rows[] = { &made, &emptied, &named };
    for (size_t i = 0; i < 3; i++)
        for (unsigned rests = 0; rests < 2; rests++) {
            ex_cache_t *c = cache_of(1 << 20);
            const mpt_account_t in = { true, 0, u256_of(3), rests ? EMPTY_TRIE_ROOT : root, KECCAK_EMPTY };
            mpt_account_t out;
            u256_t value = u256_of(5);
            bool rooted;
            ex_cache_put_account(c, &first, &addr, &in);
            ex_cache_put_slot(c, &root, &key, &value);
            ex_cache_put_changes(c, &second, &first, &(ex_changes_t){ rows[i], 1, NULL, 0 });
            ck_assert(ex_cache_follow_account(c, &out, &rooted, &second, &addr) == (rests > 0));
            ck_assert(ex_cache_follow_slot(c, &value, &second, &addr, &key) == (rests > 0));
            ex_cache_free(c);
        }
}
END_TEST

START_TEST(changes_are_followed_back_through_so_many_blocks)
{
    ex_cache_t *c = cache_of(1 << 20);
    const addr_t addr = addr_of(1);
    const mpt_account_t in = { true, 7, u256_of(9), hash_of(3), hash_of(4) };
    const ex_changes_t nothing = { NULL, 0, NULL, 0 };
    mpt_account_t out;
    bool rooted;
    hash32_t before = hash_of(0);
    ex_cache_put_account(c, &before, &addr, &in);
    for (unsigned i = 1; i <= EX_FOLLOW_MAX + 1; i++) {
        const hash32_t after = hash_of(i);
        ex_cache_put_changes(c, &after, &before, &nothing);
        ck_assert(ex_cache_follow_account(c, &out, &rooted, &after, &addr) == (i <= EX_FOLLOW_MAX));
        before = after;
    }
    ex_cache_put_changes(c, &before, &before, &nothing); /* a state after itself: no end, and yet one */
    ck_assert(!ex_cache_follow_account(c, &out, &rooted, &before, &addr));
    ex_cache_free(c);
}
END_TEST

int main(void)
{
    return UNIT_RUN("cache", account_is_found_only_under_its_root_and_address,
                    guess_is_the_account_last_put_under_any_root, slot_is_found_only_under_its_storage_root_and_key,
                    code_and_parent_with_the_same_name_are_kept_apart, code_is_not_handed_out_when_the_arena_is_full,
                    bytes_never_pass_the_maximum_and_the_unused_go_first,
                    many_entries_stay_reachable_while_the_table_grows, putting_again_replaces_and_does_not_leak_size,
                    entry_larger_than_an_eighth_is_not_kept, learned_bytes_are_of_a_contract_and_a_digest,
                    every_access_is_made_under_the_lock_once, what_no_block_changed_holds_after_it,
                    an_empty_account_that_a_block_names_is_not_known_after_it,
                    an_account_with_storage_and_only_a_balance_is_not_known_after_a_block_that_names_it,
                    changes_are_followed_back_through_so_many_blocks);
}
