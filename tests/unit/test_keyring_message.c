/* What the message secret of a generation seals, and what is derived from it. */
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

static const uint8_t blind[32] = { 7 }, nonce[XAEAD_NONCE_LEN] = { 0x51, 0x52 };
static const key_name_t first, second = { 2, { { 0xaa } }, 0 };
static const char text[] = "to all of us";
#define SEALED_LEN (sizeof text - 1 + KEY_MESSAGE_EXTRA)

/* Signing secret: 32 times byte; message secret: 32 times 0xee. */
static keyring_t *ring(const key_name_t *name, uint8_t byte)
{
    uint8_t secrets[KEY_SECRETS_LEN];
    keyring_t *k = NULL;
    memset(secrets, byte, 32);
    memset(secrets + 32, 0xee, 32);
    ck_assert_int_eq(keyring_empty(&k, blind), RC_OK);
    ck_assert_int_eq(keyring_add(k, name, secrets), RC_OK);
    ck_assert_int_eq(keyring_use(k, name), RC_OK);
    return k;
}

/* The key was computed apart: HKDF-SHA256 of 32 times 0xee, no salt, info `kettle-msg/1`, 2, aa00.., 0. */
START_TEST(a_message_is_sealed_as_written)
{
    uint8_t key[32], sealed[SEALED_LEN], plain[sizeof text];
    ck_assert_int_eq(hex_decode_exact(key, 32, "30b60d6d7a2dfc950258af2979a74c9424cccda0d8bdbd0d176fc45f606ff14b", 64),
                     RC_OK);
    keyring_t *k = ring(&second, 1);
    ck_assert_int_eq(keyring_seal_message(k, sealed, view_str(text), view_str("ad"), nonce), RC_OK);
    ck_assert_mem_eq(sealed, nonce, sizeof nonce);
    ck_assert_int_eq(xaead_open(plain, view_of(sealed + 24, SEALED_LEN - 24), view_str("ad"), sealed, key), RC_OK);
    ck_assert_mem_eq(plain, text, sizeof text - 1);
    keyring_free(k);
}
END_TEST

START_TEST(every_holder_opens_it_and_nothing_that_was_changed)
{
    static const uint8_t zeros[sizeof text];
    uint8_t sealed[SEALED_LEN], plain[sizeof text];
    keyring_t *a = ring(&second, 1), *b = ring(&second, 1);
    ck_assert_int_eq(keyring_seal_message(a, sealed, view_str(text), view_str("ad"), nonce), RC_OK);
    ck_assert_int_eq(keyring_open_message(b, plain, view_of(sealed, SEALED_LEN), view_str("ad")), RC_OK);
    ck_assert_mem_eq(plain, text, sizeof text - 1);
    ck_assert_int_eq(keyring_open_message(b, plain, view_of(sealed, SEALED_LEN), view_str("ae")), RC_REFUSED);
    ck_assert_mem_eq(plain, zeros, sizeof text - 1);
    for (size_t i = 0; i < SEALED_LEN; i++) {
        sealed[i] ^= 1;
        ck_assert_msg(keyring_open_message(b, plain, view_of(sealed, SEALED_LEN), view_str("ad")) == RC_REFUSED, "%zu",
                      i);
        sealed[i] ^= 1;
    }
    for (size_t n = 0; n < SEALED_LEN; n++) {
        const rc_t want = n < KEY_MESSAGE_EXTRA ? RC_MALFORMED : RC_REFUSED;
        ck_assert_msg(keyring_open_message(b, plain, view_of(sealed, n), view_str("ad")) == want, "%zu", n);
    }
    keyring_free(a);
    keyring_free(b);
}
END_TEST

START_TEST(an_older_generation_opens_until_it_is_wiped_and_the_newest_seals)
{
    uint8_t secrets[KEY_SECRETS_LEN], sealed[SEALED_LEN], plain[sizeof text];
    keyring_t *k = ring(&first, 1);
    ck_assert_int_eq(keyring_seal_message(k, sealed, view_str(text), view_str(""), nonce), RC_OK);
    memset(secrets, 2, sizeof secrets);
    ck_assert_int_eq(keyring_add(k, &second, secrets), RC_OK);
    ck_assert_int_eq(keyring_open_message(k, plain, view_of(sealed, SEALED_LEN), view_str("")), RC_OK);
    ck_assert_int_eq(keyring_use(k, &second), RC_OK);
    ck_assert_int_eq(keyring_open_message(k, plain, view_of(sealed, SEALED_LEN), view_str("")), RC_REFUSED);
    ck_assert_int_eq(keyring_seal_message(k, sealed, view_str(text), view_str(""), nonce), RC_OK);
    ck_assert_int_eq(keyring_open_message(k, plain, view_of(sealed, SEALED_LEN), view_str("")), RC_OK);
    keyring_free(k);
}
END_TEST

START_TEST(generations_seal_with_different_keys_even_from_one_secret)
{
    uint8_t sealed[SEALED_LEN], plain[sizeof text];
    keyring_t *a = ring(&first, 1), *b = ring(&second, 1);
    ck_assert_int_eq(keyring_seal_message(a, sealed, view_str(text), view_str(""), nonce), RC_OK);
    ck_assert_int_eq(keyring_open_message(b, plain, view_of(sealed, SEALED_LEN), view_str("")), RC_REFUSED);
    keyring_free(a);
    keyring_free(b);
}
END_TEST

/* Computed apart: HKDF-SHA256 of 32 times 0xee, no salt, info `kettle-app/1storage`. */
START_TEST(a_label_gives_its_own_secret)
{
    uint8_t got[32], other[32];
    char hex[65], label[KEY_LABEL_MAX + 1];
    keyring_t *k = ring(&second, 1);
    ck_assert_int_eq(keyring_derive(k, got, view_str("storage")), RC_OK);
    hex_encode(hex, view_of(got, 32));
    ck_assert_str_eq(hex, "33611f2124ff8500bcc88d0558180ef5a982e84ca193bb1199f922d996fefaaf");
    ck_assert_int_eq(keyring_derive(k, other, view_str("storagf")), RC_OK);
    ck_assert_mem_ne(got, other, 32);
    memset(label, 'x', sizeof label);
    ck_assert_int_eq(keyring_derive(k, got, view_of(label, KEY_LABEL_MAX)), RC_OK);
    ck_assert_int_eq(keyring_derive(k, got, view_of(label, KEY_LABEL_MAX + 1)), RC_LIMIT);
    ck_assert_int_eq(keyring_derive(k, got, view_str("")), RC_LIMIT);
    keyring_free(k);
}
END_TEST

START_TEST(a_ring_without_a_generation_in_use_seals_opens_and_derives_nothing)
{
    uint8_t secret[32] = { 1 }, out[SEALED_LEN], plain[sizeof text];
    keyring_t *empty = NULL, *own = NULL;
    ck_assert_int_eq(keyring_empty(&empty, blind), RC_OK);
    ck_assert_int_eq(keyring_new(&own, secret, blind), RC_OK);
    for (int i = 0; i < 2; i++) {
        const keyring_t *k = i ? own : empty; /* a key of our own has no message secret */
        memset(out, 0, sizeof out);
        ck_assert_int_eq(keyring_seal_message(k, out, view_str(text), view_str(""), nonce), RC_REFUSED);
        ck_assert_int_eq(keyring_open_message(k, plain, view_of(out, sizeof out), view_str("")), RC_REFUSED);
        ck_assert_int_eq(keyring_derive(k, out, view_str("a")), RC_REFUSED);
    }
    keyring_free(empty);
    keyring_free(own);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("keyring_message", a_message_is_sealed_as_written,
                    every_holder_opens_it_and_nothing_that_was_changed,
                    an_older_generation_opens_until_it_is_wiped_and_the_newest_seals,
                    generations_seal_with_different_keys_even_from_one_secret, a_label_gives_its_own_secret,
                    a_ring_without_a_generation_in_use_seals_opens_and_derives_nothing);
}
