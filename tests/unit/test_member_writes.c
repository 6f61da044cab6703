/* rpc/members/writes.h: calldata and transactions as viem 2 makes them of the contract's ABI and of the key of the KMS
 * vector (overlay's fixture of the public dstack simulator). */
#include "rpc/members/writes.h"

#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

#define ID "0123456789abcdef0123456789abcdef01234567"

static const char REGISTER_INSTANCE[] =
    "65d0ebe40000000000000000000000000000000000000000000000000000000000000020000000000000000000000000"
    "000000000000000000000000000000000000002830313233343536373839616263646566303132333435363738396162"
    "636465663031323334353637000000000000000000000000000000000000000000000000";
static const char BIND[] =
    "72a2307d00000000000000000000000000000000000000000000000000000000000000c0000000000000000000000000"
    "000000000000000000000000000000000000012000000000000000000000000000000000000000000000000000000000"
    "0000018000000000000000000000000000000000000000000000000000000000000001e0000000000000000000000000"
    "00000000000000000000000000000000000002600708090a0b0c0d0e0f101112131415161718191a0000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000028303132333435363738396162"
    "636465663031323334353637383961626364656630313233343536370000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000400102030405060708090a0b0c"
    "0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c"
    "3d3e3f4000000000000000000000000000000000000000000000000000000000000000404142434445464748494a4b4c"
    "4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c"
    "7d7e7f8000000000000000000000000000000000000000000000000000000000000000418182838485868788898a8b8c"
    "8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbc"
    "bdbebfc0c100000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000041c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdd"
    "dedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff0001020000000000000000000000"
    "0000000000000000000000000000000000000000";
static const char RAW[] =
    "02f8718314687e07843b9aca0084b2d05e0782afc8945fbdb2315678afecb367f032d93f642f64180aa3808466e61567"
    "c080a05388a59c8a068855d71ae5e78564e57b98edbf2f06b433f42562dfa2c073dee2a06e1c9b9a0c7e8bafecffb0a2"
    "d9daf25f896b235198c6fd7a3df6225b247808b2";
static const char HASH[] = "713b701f41b162110851a12e223b58c90f5e65841d17b9248ffe667473786d59";

static arena_t arena;

static void open_arena(void)
{
    arena_init(&arena, 1u << 16);
}

static void close_arena(void)
{
    arena_free(&arena);
}

static void expect_hex(view_t bytes, const char *digits)
{
    char hex[4096];
    ck_assert_uint_lt(2 * bytes.n, sizeof hex);
    hex_encode(hex, bytes);
    ck_assert_str_eq(hex, digits);
}

static void fill(uint8_t *out, size_t n, unsigned from)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(from + i);
}

START_TEST(calldata_is_what_the_abi_says)
{
    members_chain_t chain;
    view_t data[MEMBERS_STEPS];
    err_t e;
    fill(chain.derived_xy, 64, 1);
    fill(chain.app_xy, 64, 65);
    fill(chain.app_sig, 65, 129);
    fill(chain.kms_sig, 65, 194);
    fill(chain.app_id, 20, 7);
    ck_assert_int_eq(members_calldata(data, &e, &arena, view_str(ID), &chain), RC_OK);
    expect_hex(data[MEMBERS_REGISTER_INSTANCE], REGISTER_INSTANCE);
    expect_hex(data[MEMBERS_BIND], BIND);
    expect_hex(data[MEMBERS_REGISTER_PEER], "acbfcf04");
    expect_hex(data[MEMBERS_HEARTBEAT], "66e61567");
}
END_TEST

START_TEST(ids_are_those_that_the_contract_takes)
{
    static const char *const bad[] = { "", "A", "a-b", "a b",
                                       "012345678901234567890123456789012345678901234567890123456" };
    members_chain_t chain = { .app_id = { 0 } };
    view_t data[MEMBERS_STEPS];
    err_t e;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_int_eq(members_calldata(data, &e, &arena, view_str(bad[i]), &chain), RC_MALFORMED);
    ck_assert_int_eq(members_calldata(data, &e, &arena, view_str(bad[4] + 1), &chain), RC_OK);
}
END_TEST

static rc_t sign(void *ctx, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest)
{
    return keyring_sign65(ctx, out, NULL, digest);
}

static rc_t fail_to_sign(void *ctx, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest)
{
    (void)ctx, (void)out, (void)digest;
    return RC_REFUSED;
}

START_TEST(transaction_is_what_another_program_signs)
{
    static const char secret_hex[] = "0fabaa987add9a5917c66675cf8b53e7efbf694d0c636015aa7ef7a9f531c9c5";
    static const uint8_t data[] = { 0x66, 0xe6, 0x15, 0x67 }, blind[32] = { 1 };
    uint8_t secret[32];
    keyring_t *key;
    view_t raw;
    hash32_t hash;
    members_tx_t tx = { .chain_id = 1337470,
                        .nonce = 7,
                        .gas = members_step_gas(MEMBERS_HEARTBEAT),
                        .tip = 1000000000,
                        .max_fee = 3000000007,
                        .data = view_of(data, sizeof data) };
    ck_assert_int_eq(secret_init(), RC_OK);
    ck_assert_int_eq(hex_decode_exact(secret, 32, secret_hex, 64), RC_OK);
    ck_assert_int_eq(hex_decode_exact(tx.to.b, 20, "5fbdb2315678afecb367f032d93f642f64180aa3", 40), RC_OK);
    ck_assert_int_eq(keyring_new(&key, secret, blind), RC_OK);
    ck_assert_int_eq(members_sign(&raw, &hash, &arena, &tx, sign, key), RC_OK);
    expect_hex(raw, RAW);
    expect_hex(view_of(hash.b, 32), HASH);
    ck_assert_int_eq(members_sign(&raw, &hash, &arena, &tx, fail_to_sign, NULL), RC_REFUSED);
    keyring_free(key);
}
END_TEST

START_TEST(errors_of_the_contract_have_names)
{
    static const struct {
        const char *output, *text;
    } rows[] = { { "179435b3", "NotBound" },
                 { "d7e285730000", "NoToken" },
                 { "12345678", "error 0x12345678" },
                 { "179435", "without a reason" },
                 { "", "without a reason" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t output[8];
        size_t n;
        char text[64];
        ck_assert_int_eq(hex_decode(output, &n, sizeof output, rows[i].output, strlen(rows[i].output)), RC_OK);
        ck_assert_str_eq(members_revert(text, sizeof text, view_of(output, n)), rows[i].text);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("member_writes", open_arena, close_arena, calldata_is_what_the_abi_says,
                           ids_are_those_that_the_contract_takes, transaction_is_what_another_program_signs,
                           errors_of_the_contract_have_names);
}
