/* Sealed and authenticated boxes: known answers of libsodium, each bit, each truncation. */
#include "base/crypto/box.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

static uint8_t secret[32], pubkey[32], ephemeral[32], nonce[24];
static const uint8_t plain[] = { 1, 2, 3, 4, 5 };

static void setup(void)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    for (unsigned i = 0; i < 32; i++) {
        secret[i] = (uint8_t)i;
        ephemeral[i] = (uint8_t)(0x40 + i);
    }
    for (unsigned i = 0; i < sizeof nonce; i++)
        nonce[i] = (uint8_t)(0x80 + i);
    x25519_pubkey(pubkey, secret);
}

static void check_hex(const uint8_t *got, size_t n, const char *want)
{
    char hex[256];
    hex_encode(hex, view_of(got, n));
    ck_assert_str_eq(hex, want);
}

/* By a program of libsodium's calls alone: crypto_box_easy under crypto_generichash of both keys, which its
 * crypto_box_seal_open opened; and crypto_box_easy. */
START_TEST(known_answers)
{
    uint8_t out[sizeof plain + BOX_SEALED_EXTRA];
    ck_assert_int_eq(box_seal(out, view_of(plain, sizeof plain), pubkey, ephemeral), RC_OK);
    check_hex(
        out, sizeof out,
        "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51acc3cf460af3a3e9b515564136206f6f8c85a827d1c");
    ck_assert_int_eq(box_seal_from(out, view_of(plain, sizeof plain), pubkey, ephemeral, nonce), RC_OK);
    check_hex(out, sizeof plain + BOX_TAG_LEN, "4da789ddd78d339c6baa0617f46250891ac81e4668");
}
END_TEST

/* Made by crypto_box_seal, whose ephemeral key nobody knows. */
START_TEST(a_box_of_libsodium_opens)
{
    uint8_t box[53], out[5];
    ck_assert_int_eq(
        hex_decode_exact(
            box, sizeof box,
            "565899b4c975f4ae2e34b333202859410c95131aa7c131531e13ac99622d47756de52f3035eae283fc556cd8ab857c"
            "7a8210232071",
            106),
        RC_OK);
    ck_assert_int_eq(box_open(out, view_of(box, sizeof box), secret), RC_OK);
    ck_assert_mem_eq(out, plain, sizeof plain);
}
END_TEST

START_TEST(each_bit_and_each_length_counts)
{
    uint8_t sealed[sizeof plain + BOX_SEALED_EXTRA], from[sizeof plain + BOX_TAG_LEN], out[sizeof sealed], author[32];
    x25519_pubkey(author, ephemeral);
    ck_assert_int_eq(box_seal(sealed, view_of(plain, sizeof plain), pubkey, ephemeral), RC_OK);
    ck_assert_int_eq(box_seal_from(from, view_of(plain, sizeof plain), pubkey, ephemeral, nonce), RC_OK);
    memset(out, 0xee, sizeof out);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        if (bit == 255)
            continue; /* the top bit of a public key, which X25519 passes over: its box is another, and bit 254 counts */
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_msg(box_open(out, view_of(sealed, sizeof sealed), secret) == RC_REFUSED, "bit %zu", bit);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof from; bit++) {
        from[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(box_open_from(out, view_of(from, sizeof from), author, secret, nonce), RC_REFUSED);
        from[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t n = 0; n < sizeof sealed; n++)
        ck_assert_int_eq(box_open(out, view_of(sealed, n), secret), n < BOX_SEALED_EXTRA ? RC_MALFORMED : RC_REFUSED);
    for (size_t n = 0; n < sizeof from; n++)
        ck_assert_int_eq(box_open_from(out, view_of(from, n), author, secret, nonce),
                         n < BOX_TAG_LEN ? RC_MALFORMED : RC_REFUSED);
    ck_assert_uint_eq(out[0], 0xee); /* untouched */
    ck_assert_int_eq(box_open_from(out, view_of(from, sizeof from), author, secret, nonce), RC_OK);
    ck_assert_mem_eq(out, plain, sizeof plain);
}
END_TEST

START_TEST(it_is_for_one_and_from_one)
{
    uint8_t from[sizeof plain + BOX_TAG_LEN], out[sizeof plain], author[32], other[32] = { 9 }, other_pubkey[32];
    x25519_pubkey(author, ephemeral);
    x25519_pubkey(other_pubkey, other);
    ck_assert_int_eq(box_seal_from(from, view_of(plain, sizeof plain), pubkey, ephemeral, nonce), RC_OK);
    ck_assert_int_eq(box_open_from(out, view_of(from, sizeof from), other_pubkey, secret, nonce), RC_REFUSED);
    ck_assert_int_eq(box_open_from(out, view_of(from, sizeof from), author, other, nonce), RC_REFUSED);
}
END_TEST

START_TEST(a_key_of_small_order_is_nobodys)
{
    static const uint8_t small[32] = { 1 };
    uint8_t out[sizeof plain + BOX_SEALED_EXTRA] = { 0xee };
    ck_assert_int_eq(box_seal(out, view_of(plain, sizeof plain), small, ephemeral), RC_REFUSED);
    ck_assert_int_eq(box_seal_from(out, view_of(plain, sizeof plain), small, ephemeral, nonce), RC_REFUSED);
    ck_assert_int_eq(out[0], 0xee);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("box", setup, NULL, known_answers, a_box_of_libsodium_opens, each_bit_and_each_length_counts,
                           it_is_for_one_and_from_one, a_key_of_small_order_is_nobodys);
}
