/* P-256: RFC 6979 vectors, refusals. */
#include <check.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/p256.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

static void unhex(uint8_t *out, size_t n, const char *text)
{
    ck_assert_int_eq(hex_decode_exact(out, n, text, strlen(text)), RC_OK);
}

/* Source: RFC 6979 A.2.5 (curve P-256, SHA-256). */
static const char secret_hex[] = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
static const char pubkey_hex[] = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                                 "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
static const struct {
    const char *message, *sig;
} rfc6979[] = {
    { "sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8" },
    { "test", "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
              "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083" },
};
static const char order_hex[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

START_TEST(signing_gives_the_known_signature)
{
    uint8_t secret[32], pubkey[64], want[64], got[64];
    hash32_t h;
    unhex(secret, 32, secret_hex);
    unhex(pubkey, 64, pubkey_hex);
    ck_assert_int_eq(p256_pubkey(got, secret), RC_OK);
    ck_assert_mem_eq(got, pubkey, 64);
    for (size_t i = 0; i < 2; i++) {
        unhex(want, 64, rfc6979[i].sig);
        sha256(&h, view_str(rfc6979[i].message));
        ck_assert_int_eq(p256_sign(got, &h, secret), RC_OK);
        ck_assert_mem_eq(got, want, 64);
        ck_assert_int_eq(p256_verify(want, &h, pubkey), RC_OK);
    }
}
END_TEST

/* Digests around the order, which RFC 6979 reduces before they go into the nonce. Made with Python's integers. */
START_TEST(digests_above_the_order_are_reduced)
{
    static const struct {
        const char *digest, *sig;
    } rows[] = {
        { "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
          "1f2adbc54b88764c279f689fc9505959fc9e73e80dc20889a4e0be91865de75b"
          "9d109b65e2fbfc0ae42ba0b2e5f03670cd458cff4882df6783f3d93d607d1755" },
        { "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
          "c675c43e829a5e838be6014515bcc7d82fb8d3053c770d32d322a9e9e35530e7"
          "49996eb95b9f4471484b96cd60fef80a14f6504ed7279e133404a61e1ab8aee5" },
        { "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
          "68897a78df51058b490c6012251c95921abba96e2e488c8cc998942e440db9b7"
          "80587fb387363a1df2c9e83c00f8ca990fc0a55b5e470946499b82ca3b552a87" },
        { "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552",
          "492aa14595fcebaf00d14fe37d582462b0ce38bbe670a245be44ff6fdd0d772d"
          "082b82545bb6902dec6fe354a3921e3efc909325731c3cf906c35c4089e3f860" },
        { "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632651",
          "4f668723e09354de483f55c2af78c85f56f0d456eb3ddebc4e80e765db8759d2"
          "ec7f2271e5793a08befc4ec528664e42c88bc213df83df9ee3e49b52cc3ab496" },
        { "0000000000000000000000000000000000000000000000000000000000000000",
          "68897a78df51058b490c6012251c95921abba96e2e488c8cc998942e440db9b7"
          "80587fb387363a1df2c9e83c00f8ca990fc0a55b5e470946499b82ca3b552a87" },
    };
    uint8_t secret[32], pubkey[64], want[64], got[64];
    unhex(secret, 32, secret_hex);
    unhex(pubkey, 64, pubkey_hex);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hash32_t h;
        unhex(h.b, 32, rows[i].digest);
        unhex(want, 64, rows[i].sig);
        ck_assert_int_eq(p256_sign(got, &h, secret), RC_OK);
        ck_assert_mem_eq(got, want, 64);
        ck_assert_int_eq(p256_verify(want, &h, pubkey), RC_OK);
    }
}
END_TEST

START_TEST(no_bit_of_signature_digest_or_key_may_change)
{
    uint8_t all[64 + 32 + 64];
    hash32_t h;
    unhex(all, 64, rfc6979[0].sig);
    sha256(&h, view_str("sample"));
    memcpy(all + 64, h.b, 32);
    unhex(all + 96, 64, pubkey_hex);
    for (unsigned i = 0; i < 8 * sizeof all; i += 5) {
        all[i / 8] ^= (uint8_t)(1u << i % 8);
        memcpy(h.b, all + 64, 32);
        ck_assert_msg(p256_verify(all, &h, all + 96) != RC_OK, "bit %u", i);
        all[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}
END_TEST

START_TEST(values_outside_the_group_are_malformed)
{
    uint8_t pubkey[64], sig[64], bad[64];
    hash32_t h;
    unhex(pubkey, 64, pubkey_hex);
    unhex(sig, 64, rfc6979[0].sig);
    sha256(&h, view_str("sample"));
    for (int half = 0; half < 64; half += 32) {
        memcpy(bad, sig, 64);
        memset(bad + half, 0, 32);
        ck_assert_int_eq(p256_verify(bad, &h, pubkey), RC_MALFORMED);
        unhex(bad + half, 32, order_hex);
        ck_assert_int_eq(p256_verify(bad, &h, pubkey), RC_MALFORMED);
        memset(bad + half, 0xff, 32);
        ck_assert_int_eq(p256_verify(bad, &h, pubkey), RC_MALFORMED);
    }
    memset(bad, 0, 64);
    ck_assert_int_eq(p256_verify(sig, &h, bad), RC_MALFORMED);
    memset(bad, 0xff, 64);
    ck_assert_int_eq(p256_verify(sig, &h, bad), RC_MALFORMED);
    pubkey[63] ^= 1; /* off the curve */
    ck_assert_int_eq(p256_verify(sig, &h, pubkey), RC_MALFORMED);
}
END_TEST

START_TEST(zero_and_the_order_are_no_secrets)
{
    uint8_t secret[32] = { 0 }, out[64];
    hash32_t h = { { 1 } };
    ck_assert_int_eq(p256_pubkey(out, secret), RC_REFUSED);
    ck_assert_int_eq(p256_sign(out, &h, secret), RC_REFUSED);
    unhex(secret, 32, order_hex);
    ck_assert_int_eq(p256_pubkey(out, secret), RC_REFUSED);
    ck_assert_int_eq(p256_sign(out, &h, secret), RC_REFUSED);
    secret[31]--;
    ck_assert_int_eq(p256_pubkey(out, secret), RC_OK);
    memset(h.b, 0xff, 32); /* a digest above the order */
    uint8_t sig[64];
    ck_assert_int_eq(p256_sign(sig, &h, secret), RC_OK);
    ck_assert_int_eq(p256_verify(sig, &h, out), RC_OK);
}
END_TEST

/* The terms of u1 G + u2 Q are the same point, or opposite ones. Made with the affine formulas in Python's integers:
 * key d G, nonce k, digest r d, s = 2 r d / k, for d, k = 1, 2 and 7, 5. */
START_TEST(equal_and_opposite_terms_are_added)
{
    static const char g[] = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    static const char r2[] = "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"; /* x of 2 G */
    static const struct {
        const char *digest, *r, *s, *key;
        rc_t want;
    } rows[] = {
        { r2, r2, r2, g, RC_OK },
        { "396f505a3938c5c1e4a17a5a3acdef2013099f908d5406f301e170da61eb20d9",
          "51590b7a515140d2d784c85608668fdfef8c82fd1f5be52421554a0dc3d033ed",
          "4a2c868a4a16b580f50d6424178592d993cba52959f3227bcb18ef4b2671e167",
          "8e533b6fa0bf7b4625bb30667c01fb607ef9f8b8a80fef5b300628703187b2a3"
          "73eb1dbde03318366d069f83a6f5900053c73633cb041b21c55e1a86c1f400b4",
          RC_OK },
        /* the digest of row 0 negated: the sum is infinity */
        { "830d84e672fcb08275adc7fcfb4ae53bfc5d90cb2f25834f4dae81c6b4fc8bd9", r2, r2, g, RC_REFUSED },
        { "0000000000000000000000000000000000000000000000000000000000000000", r2, r2, g, RC_REFUSED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hash32_t h;
        uint8_t sig[64], key[64];
        unhex(h.b, 32, rows[i].digest);
        unhex(sig, 32, rows[i].r);
        unhex(sig + 32, 32, rows[i].s);
        unhex(key, 64, rows[i].key);
        ck_assert_msg(p256_verify(sig, &h, key) == rows[i].want, "row %zu", i);
        for (unsigned bit = 0; bit < 8 * sizeof sig; bit += 7) {
            sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ck_assert_msg(p256_verify(sig, &h, key) != RC_OK, "row %zu, bit %u", i, bit);
            sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("p256", signing_gives_the_known_signature, digests_above_the_order_are_reduced,
                    no_bit_of_signature_digest_or_key_may_change, values_outside_the_group_are_malformed,
                    zero_and_the_order_are_no_secrets, equal_and_opposite_terms_are_added);
}
