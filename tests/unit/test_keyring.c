/* The keyring: known answers, refusals, wiping of the caller's copy, signing from several threads. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

static const uint8_t blind[32] = { 7, 7, 7 };

static keyring_t *keyring_of(uint8_t byte)
{
    uint8_t secret[32];
    keyring_t *k = NULL;
    memset(secret, byte, sizeof secret);
    ck_assert_int_eq(keyring_new(&k, secret, blind), RC_OK);
    return k;
}

/* Secret 0x0101...01. Signature and public key by an independent big-integer program (RFC 6979), the address by
 * Keccak-256 of that key. */
static const char sig_hex[] = "8672d2a2c9494e3a9627426af0e682f749a380ed53cd146ce4bcf611dfae7cce"
                              "07d513f8d93c2767f34135b4384cb8b0ea4905583b7e6e8c76a83bd23fc7071a";

START_TEST(key_address_and_signature_match_known_answers)
{
    keyring_t *k = keyring_of(1);
    uint8_t key[33], sig[64];
    addr_t address;
    char hex[129];
    int recid;
    hash32_t h;
    keyring_pubkey(k, key);
    hex_encode(hex, view_of(key, 33));
    ck_assert_str_eq(hex, "031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f");
    keyring_address(k, &address);
    hex_encode(hex, view_of(address.b, 20));
    ck_assert_str_eq(hex, "1a642f0e3c3af545e7acbd38b07251b3990914f1");
    sha256(&h, view_str("22168277"));
    ck_assert_int_eq(keyring_sign(k, sig, &recid, &h), RC_OK);
    hex_encode(hex, view_of(sig, 64));
    ck_assert_str_eq(hex, sig_hex);
    ck_assert_int_eq(recid, 1);
    ck_assert_int_eq(keyring_sign(k, sig, NULL, &h), RC_OK);
    keyring_free(k);
    keyring_free(NULL);
}
END_TEST

/* api-facts section 12: the digest of the known statement, and its signature by viem. */
START_TEST(sixty_five_bytes_are_what_ethereum_recovers_the_address_from)
{
    keyring_t *k = keyring_of(1);
    uint8_t sig[65];
    addr_t mine, found, by;
    hash32_t h;
    char hex[131];
    ck_assert_int_eq(hex_decode_exact(h.b, 32, "499b50292fa9ce0b0bf9fd8feccc3d9981c3495fd4affbe30ae195dbf9ec85e7", 64),
                     RC_OK);
    ck_assert_int_eq(keyring_sign65(k, sig, &by, &h), RC_OK);
    hex_encode(hex, view_of(sig, 65));
    ck_assert_str_eq(hex,
                     "b536bae0b69c032830ef22dc1c8b12ba1451af97c800e6519c2aa3f9363376874abe811cad3ee4f2d65806dca8406"
                     "2ead280ee2ac9b2e418c0c480460539f8f51b");
    keyring_address(k, &mine);
    ck_assert_int_eq(ecdsa_recover65(&found, sig, &h), RC_OK);
    ck_assert(addr_eq(&mine, &found) && addr_eq(&mine, &by));
    keyring_free(k);
}
END_TEST

START_TEST(the_callers_copy_is_wiped_whether_or_not_the_key_is_taken)
{
    static const uint8_t zeros[32];
    uint8_t secret[32];
    keyring_t *k = NULL;
    memset(secret, 1, 32);
    ck_assert_int_eq(keyring_new(&k, secret, blind), RC_OK);
    ck_assert_mem_eq(secret, zeros, 32);
    keyring_free(k);
    k = NULL;
    memset(secret, 0xff, 32); /* above the order */
    ck_assert_int_eq(keyring_new(&k, secret, blind), RC_REFUSED);
    ck_assert_ptr_null(k);
    ck_assert_mem_eq(secret, zeros, 32);
    ck_assert_int_eq(keyring_new(&k, secret, blind), RC_REFUSED); /* zero */
    ck_assert_ptr_null(k);
}
END_TEST

#define THREADS 4
#define ROUNDS 50

static void *sign_often(void *arg)
{
    const keyring_t *k = arg;
    uint8_t sig[64], want[64];
    hash32_t h;
    size_t good = 0;
    sha256(&h, view_str("22168277"));
    if (hex_decode_exact(want, 64, sig_hex, 128))
        return NULL;
    for (int i = 0; i < ROUNDS; i++)
        good += keyring_sign(k, sig, NULL, &h) == RC_OK && memcmp(sig, want, 64) == 0;
    return (void *)good;
}

START_TEST(several_threads_sign_at_once)
{
    keyring_t *k = keyring_of(1);
    pthread_t t[THREADS];
    void *good;
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, sign_often, k), 0);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(t[i], &good), 0);
        ck_assert_uint_eq((size_t)good, ROUNDS);
    }
    keyring_free(k);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("keyring", key_address_and_signature_match_known_answers,
                    sixty_five_bytes_are_what_ethereum_recovers_the_address_from,
                    the_callers_copy_is_wiped_whether_or_not_the_key_is_taken, several_threads_sign_at_once);
}
