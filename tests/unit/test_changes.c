/* Block access lists: what a list says of the state after its block, each truncation and each wrong order of it. */
#include <check.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/exec/changes.h"
#include "tests/unit/unit.h"

/* From Besu's tests of debug_getRawBlockAccessList, whose header has the hash of it. */
static const char besu[] =
    "f8e2de9400000961ef480eb55e80d19ad83579a64c007002c0c480010203c0c0c0de94000064d678505ad48f8ccb093bc65613800e8282"
    "c0c480010203c0c0c0de940000bbddc7ce488642fb579f8b00f3a590007251c0c480010203c0c0c0de940000bff46984e3725691fa540a"
    "8c7589300d8282c0c480010203c0c0c0f840940000f90827f1c53a10cb7a02335b175320002935e6e580e3e280a0097519c9962233872c"
    "2c8990334e787f3954cc13e325eeedc2dfd0d527e3435dc0c0c0c0e394000f3df6d732807ef1319fb7b8bb8522d0beac02c6c501c3c280"
    "01c3822000c0c0c0";

static arena_t arena;
static ex_changes_t changes;
static err_t why;

static void begin(void)
{
    arena_init(&arena, 1 << 20);
}

static void end(void)
{
    arena_free(&arena);
}

static view_t bytes_of(const char *hex)
{
    const size_t n = strlen(hex) / 2;
    uint8_t *p = arena_alloc(&arena, n + 1);
    ck_assert(p && hex_decode_exact(p, n, hex, 2 * n) == RC_OK);
    return view_of(p, n);
}

/* Reads bytes that have the expected hash. */
static rc_t read_whole(view_t rlp)
{
    hash32_t hash;
    keccak256(&hash, rlp);
    changes = (ex_changes_t){ .account_count = 99 };
    rc_t rc = ex_changes_verify(&changes, &why, &arena, &hash, rlp);
    if (rc)
        ck_assert_uint_eq(changes.account_count, 99);
    return rc;
}

static rc_t read_hex(const char *hex)
{
    return read_whole(bytes_of(hex));
}

static addr_t addr_of(const char *hex)
{
    addr_t a;
    ck_assert_int_eq(hex_decode_exact(a.b, sizeof a.b, hex, 40), RC_OK);
    return a;
}

START_TEST(a_list_of_besu_says_what_its_block_wrote)
{
    const addr_t history = addr_of("0000f90827f1c53a10cb7a02335b175320002935"),
                 roots = addr_of("000f3df6d732807ef1319fb7b8bb8522d0beac02"),
                 queue = addr_of("00000961ef480eb55e80d19ad83579a64c007002"), nobody = { { 1 } };
    hash32_t key = { { 0 } };
    ck_assert_int_eq(read_hex(besu), RC_OK);
    ck_assert_uint_eq(changes.account_count, 6);
    ck_assert_uint_eq(changes.slot_count, 2);
    const ex_account_change_t *a = ex_changes_account(&changes, &history);
    ck_assert(a && !a->has_balance && !a->has_nonce && !a->has_code);
    const ex_slot_change_t *slot = ex_changes_slot(&changes, a, &key);
    ck_assert(slot && slot->value.w[0] == 0xc2dfd0d527e3435d);
    key.b[31] = 1;
    ck_assert_ptr_null(ex_changes_slot(&changes, a, &key));
    slot = ex_changes_slot(&changes, ex_changes_account(&changes, &roots), &key);
    ck_assert(slot && slot->value.w[0] == 1);
    a = ex_changes_account(&changes, &queue); /* it was read only */
    ck_assert(a && !a->slot_count && !ex_changes_slot(&changes, a, &key));
    ck_assert_ptr_null(ex_changes_account(&changes, &nobody));
}
END_TEST

START_TEST(another_hash_is_refused_before_anything_is_read)
{
    hash32_t hash = { { 0 } };
    const view_t rlp = bytes_of(besu);
    changes = (ex_changes_t){ .account_count = 99 };
    ck_assert_int_eq(ex_changes_verify(&changes, &why, &arena, &hash, rlp), RC_REFUSED);
    ck_assert_uint_eq(changes.account_count, 99);
    keccak256(&hash, rlp);
    for (size_t i = 0; i < rlp.n; i++) { /* each bit of each byte */
        uint8_t *p = (uint8_t *)(uintptr_t)rlp.p;
        p[i] ^= (uint8_t)(1u << i % 8);
        ck_assert_int_eq(ex_changes_verify(&changes, &why, &arena, &hash, rlp), RC_REFUSED);
        p[i] ^= (uint8_t)(1u << i % 8);
    }
}
END_TEST

START_TEST(no_truncation_and_no_longer_text_is_a_list)
{
    const view_t rlp = bytes_of(besu);
    for (size_t n = 0; n < rlp.n; n++) {
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, rlp.p, n);
        ck_assert_int_eq(read_whole(view_of(cut, n)), RC_UNSUPPORTED);
        free(cut);
    }
    char longer[sizeof besu + 2];
    snprintf(longer, sizeof longer, "%s80", besu);
    ck_assert_int_eq(read_hex(longer), RC_UNSUPPORTED);
    ck_assert_int_eq(read_hex("c0"), RC_OK);
    ck_assert_uint_eq(changes.account_count, 0);
    uint8_t *much = calloc(1, EX_CHANGES_RLP_MAX + 1);
    ck_assert_int_eq(read_whole(view_of(much, EX_CHANGES_RLP_MAX + 1)), RC_LIMIT);
    ck_assert_int_eq(read_whole(view_of(much, EX_CHANGES_RLP_MAX)), RC_UNSUPPORTED);
    free(much);
}
END_TEST

/* One account, 20 bytes of 0x11, with the five lists behind its address. */
#define ACCOUNT "941111111111111111111111111111111111111111"
#define ACCOUNT2 "942222222222222222222222222222222222222222"

START_TEST(the_last_change_of_each_kind_holds)
{
    const addr_t addr = addr_of("1111111111111111111111111111111111111111");
    /* balance 5 at 1, 0 at 3; nonce 7 at 2; code 6001 at 1, none at 4; slot 1: 9 at 2, 0 at 3 */
    ck_assert_int_eq(read_hex("f5f4" ACCOUNT "c9c801c6c20209c20380c0c6c20105c20380c3c20207c8c401826001c20480"), RC_OK);
    const ex_account_change_t *a = ex_changes_account(&changes, &addr);
    const hash32_t key = { { [31] = 1 } };
    ck_assert(a && a->has_balance && u256_is_zero(&a->balance) && a->has_nonce && a->nonce == 7);
    ck_assert(a->has_code && hash32_eq(&a->code_hash, &KECCAK_EMPTY));
    ck_assert(u256_is_zero(&ex_changes_slot(&changes, a, &key)->value));
}
END_TEST

/* Lists with the right hash that EIP-7928 does not allow. */
START_TEST(wrong_orders_and_forms_are_not_followed)
{
    static const char *const wrong[] = {
        "f6da" ACCOUNT2 "c0c0c0c0c0da" ACCOUNT "c0c0c0c0c0",      /* addresses fall */
        "f6da" ACCOUNT "c0c0c0c0c0da" ACCOUNT "c0c0c0c0c0",       /* twice */
        "e0df" ACCOUNT "c5c401c2c101c0c0c0c0",                    /* a change without a value */
        "e7e6" ACCOUNT "ccc502c3c20101c501c3c20101c0c0c0c0",      /* keys fall */
        "e7e6" ACCOUNT "ccc501c3c20101c501c3c20101c0c0c0c0",      /* twice */
        "dddc" ACCOUNT "c2c101c0c0c0c0",                          /* a slot without changes */
        "dedd" ACCOUNT "c3c201c0c0c0c0c0",                        /* an empty list of changes */
        "e1e0" ACCOUNT "c0c0c6c20205c20205c0c0",                  /* an index twice */
        "e1e0" ACCOUNT "c0c0c6c20305c20205c0c0",                  /* indices fall */
        "e0df" ACCOUNT "c0c0c5c401820005c0c0",                    /* a leading zero */
        "dedd" ACCOUNT "c0c0c3c20100c0c0",                        /* zero as a byte */
        "dedd" ACCOUNT "c0c0c3c201c0c0c0",                        /* a list for a value */
        "dedd" ACCOUNT "c0c0c0c0c3c201c0",                        /* a list for code */
        "dad9" ACCOUNT "c0c0c0c0",                                /* no codes */
        "dcdb" ACCOUNT "c0c0c0c0c0c0",                            /* one list too many */
        "dbda" ACCOUNT "80c0c0c0c0",                              /* a string for a list */
        "dbda" ACCOUNT "c080c0c0c0",                              /* likewise */
        "dbda" ACCOUNT "c0c0c080c0",                              /* likewise */
        "dad99311111111111111111111111111111111111111c0c0c0c0c0", /* 19 bytes of address */
        "c180",                                                   /* a string for an account */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(read_hex(wrong[i]) == RC_UNSUPPORTED, "row %zu", i);
    ck_assert_int_eq(read_hex("f6da" ACCOUNT "c0c0c0c0c0da" ACCOUNT2 "c0c0c0c0c0"), RC_OK);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("changes", begin, end, a_list_of_besu_says_what_its_block_wrote,
                           another_hash_is_refused_before_anything_is_read, no_truncation_and_no_longer_text_is_a_list,
                           the_last_change_of_each_kind_holds, wrong_orders_and_forms_are_not_followed);
}
