/* secp256k1 and secret memory: known answers, refusals, recovery. */
#include <check.h>
#include <stdlib.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

static ecdsa_t *e;

static void unhex(uint8_t *out, size_t n, const char *text)
{
    ck_assert_int_eq(hex_decode_exact(out, n, text, strlen(text)), RC_OK);
}

/* RFC 6979 with SHA-256 on secp256k1. Source: the vectors of Bitcoin's key tests (trezor-crypto, bitcoinjs, haskoin),
 * computed again with an independent big-integer program, which also gave the recovery ids. */
static const struct {
    const char *secret, *message, *sig, *pubkey;
    int recid;
} rfc6979[] = {
    { "0000000000000000000000000000000000000000000000000000000000000001", "Satoshi Nakamoto",
      "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
      "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
      "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", 1 },
    { "0000000000000000000000000000000000000000000000000000000000000001",
      "All those moments will be lost in time, like tears in rain. Time to die...",
      "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b"
      "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21",
      "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", 0 },
    { "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", "Satoshi Nakamoto",
      "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0"
      "6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5",
      "0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", 0 },
    { "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181", "Alan Turing",
      "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c"
      "58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea",
      "0292df7b245b81aa637ab4e867c8d511008f79161a97d64f2ac709600352f7acbc", 0 },
};

START_TEST(signing_gives_the_known_signature_and_recovers)
{
    for (size_t i = 0; i < sizeof rfc6979 / sizeof rfc6979[0]; i++) {
        uint8_t secret[32], want_sig[64], want_key[33], sig[64], key[33], full[64];
        hash32_t h;
        int recid = 77;
        unhex(secret, 32, rfc6979[i].secret);
        unhex(want_sig, 64, rfc6979[i].sig);
        unhex(want_key, 33, rfc6979[i].pubkey);
        sha256(&h, view_str(rfc6979[i].message));
        ck_assert_int_eq(ecdsa_sign(e, sig, &recid, &h, secret), RC_OK);
        ck_assert_msg(memcmp(sig, want_sig, 64) == 0, "row %zu", i);
        ck_assert_int_eq(recid, rfc6979[i].recid);
        ck_assert_int_eq(ecdsa_pubkey(e, key, secret), RC_OK);
        ck_assert_mem_eq(key, want_key, 33);
        ck_assert_int_eq(ecdsa_verify(e, sig, &h, key), RC_OK);
        ck_assert_int_eq(ecdsa_recover(e, full, sig, recid, &h), RC_OK);
        uint8_t full2[64];
        ck_assert_int_eq(ecdsa_uncompress(e, full2, want_key), RC_OK);
        ck_assert_mem_eq(full, full2, 64);
        ck_assert_mem_eq(full, want_key + 1, 32);
        ck_assert_uint_eq(full[63] & 1, want_key[0] & 1);
    }
}
END_TEST

/* The prototype's published example: a signature over SHA-256 of the block number as ASCII. */
static const char seed_key[] = "02f3bf0aaa9dd53d07ef32facc6b068421b4a7dc25e4ba3d399c5e1109c39dc45e";
static const char seed_sig[] = "4760854a048d2e62f85cf2652958409ba46ce307f8ca41feada8b7464e229fff"
                               "0dc7f6b6de1e5e406af5d20d8fb18bb3d92e7c6303cacc085757199f6e8b6eb1";

START_TEST(the_prototypes_signature_verifies_and_no_bit_of_it_may_change)
{
    uint8_t key[33], sig[64];
    hash32_t h;
    unhex(key, 33, seed_key);
    unhex(sig, 64, seed_sig);
    sha256(&h, view_str("22168277"));
    ck_assert_int_eq(ecdsa_verify(e, sig, &h, key), RC_OK);
    for (unsigned i = 0; i < 8 * sizeof sig; i++) {
        sig[i / 8] ^= (uint8_t)(1u << i % 8);
        ck_assert_msg(ecdsa_verify(e, sig, &h, key) != RC_OK, "signature bit %u", i);
        sig[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (unsigned i = 0; i < 256; i++) {
        h.b[i / 8] ^= (uint8_t)(1u << i % 8);
        ck_assert_msg(ecdsa_verify(e, sig, &h, key) == RC_REFUSED, "digest bit %u", i);
        h.b[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (unsigned i = 0; i < 8 * sizeof key; i++) {
        key[i / 8] ^= (uint8_t)(1u << i % 8);
        ck_assert_msg(ecdsa_verify(e, sig, &h, key) != RC_OK, "key bit %u", i);
        key[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    sha256(&h, view_str("22168278"));
    ck_assert_int_eq(ecdsa_verify(e, sig, &h, key), RC_REFUSED);
}
END_TEST

static const char order[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

START_TEST(zero_and_the_order_are_no_secrets)
{
    uint8_t secret[32] = { 0 }, out[64];
    hash32_t h = { { 1 } };
    ck_assert(!ecdsa_secret_valid(e, secret));
    ck_assert_int_eq(ecdsa_pubkey(e, out, secret), RC_REFUSED);
    ck_assert_int_eq(ecdsa_sign(e, out, NULL, &h, secret), RC_REFUSED);
    unhex(secret, 32, order);
    ck_assert(!ecdsa_secret_valid(e, secret));
    ck_assert_int_eq(ecdsa_sign(e, out, NULL, &h, secret), RC_REFUSED);
    secret[31]--;
    ck_assert(ecdsa_secret_valid(e, secret));
}
END_TEST

/* n - s in place of s: the same signature in its high form. */
static void negate_s(uint8_t sig[64])
{
    uint8_t n[32];
    int borrow = 0;
    unhex(n, 32, order);
    for (int i = 31; i >= 0; i--) {
        int d = n[i] - sig[32 + i] - borrow;
        borrow = d < 0;
        sig[32 + i] = (uint8_t)(d & 0xff);
    }
}

START_TEST(high_s_is_refused_by_verify_and_accepted_by_recover)
{
    uint8_t secret[32] = { [31] = 5 }, sig[64], key[33], full[64], again[64];
    hash32_t h = { { 42 } };
    int recid;
    ck_assert_int_eq(ecdsa_pubkey(e, key, secret), RC_OK);
    ck_assert_int_eq(ecdsa_sign(e, sig, &recid, &h, secret), RC_OK);
    ck_assert_int_eq(ecdsa_recover(e, full, sig, recid, &h), RC_OK);
    negate_s(sig);
    ck_assert_int_eq(ecdsa_verify(e, sig, &h, key), RC_REFUSED);
    ck_assert_int_eq(ecdsa_recover(e, again, sig, recid ^ 1, &h), RC_OK);
    ck_assert_mem_eq(full, again, 64);
}
END_TEST

/* The last s that is accepted, the first that is not, and the values of v around the two. No key is known for such an s,
 * but one is recovered. */
START_TEST(sixty_five_bytes_have_one_form)
{
    uint8_t secret[32] = { [31] = 5 }, sig[65], key[64], key33[33], high[65];
    hash32_t h = { { 42 } };
    addr_t address, found;
    ck_assert_int_eq(ecdsa_sign65(e, sig, &h, secret), RC_OK);
    ck_assert_int_eq(ecdsa_pubkey(e, key33, secret), RC_OK);
    ck_assert_int_eq(ecdsa_uncompress(e, key, key33), RC_OK);
    ecdsa_address(&address, key);
    ck_assert_int_eq(ecdsa_recover65(&found, sig, &h), RC_OK);
    ck_assert(addr_eq(&address, &found));
    memcpy(high, sig, 65);
    negate_s(high);
    high[64] ^= 27 ^ 28;
    ck_assert_int_eq(ecdsa_recover65(&found, high, &h), RC_MALFORMED);
    unhex(high + 32, 32, "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
    ck_assert_int_eq(ecdsa_recover65(&found, high, &h), RC_OK);
    high[63]++;
    ck_assert_int_eq(ecdsa_recover65(&found, high, &h), RC_MALFORMED);
    for (unsigned v = 0; v < 256; v++) {
        sig[64] = (uint8_t)v;
        ck_assert_int_eq(ecdsa_recover65(&found, sig, &h), v == 27 || v == 28 ? RC_OK : RC_MALFORMED);
    }
    sig[64] = 27;
    memset(sig, 0, 32);
    ck_assert_int_eq(ecdsa_recover65(&found, sig, &h), RC_REFUSED);
    memset(secret, 0, 32);
    ck_assert_int_eq(ecdsa_sign65(e, sig, &h, secret), RC_REFUSED);
}
END_TEST

START_TEST(keys_and_signatures_that_do_not_parse_are_malformed)
{
    uint8_t key[33], sig[64], out[64];
    hash32_t h = { { 1 } };
    unhex(key, 33, seed_key);
    unhex(sig, 64, seed_sig);
    key[0] = 4;
    ck_assert_int_eq(ecdsa_verify(e, sig, &h, key), RC_MALFORMED);
    ck_assert_int_eq(ecdsa_uncompress(e, out, key), RC_MALFORMED);
    key[0] = 2;
    memset(key + 1, 0xff, 32); /* x above the field */
    ck_assert_int_eq(ecdsa_verify(e, sig, &h, key), RC_MALFORMED);
    unhex(key, 33, seed_key);
    unhex(sig + 32, 32, order);
    ck_assert_int_eq(ecdsa_verify(e, sig, &h, key), RC_MALFORMED);
    ck_assert_int_eq(ecdsa_recover(e, out, sig, 0, &h), RC_REFUSED);
    unhex(sig, 64, seed_sig);
    ck_assert_int_eq(ecdsa_recover(e, out, sig, 4, &h), RC_REFUSED);
    ck_assert_int_eq(ecdsa_recover(e, out, sig, -1, &h), RC_REFUSED);
    ck_assert_int_eq(ecdsa_recover(e, out, sig, 2, &h), RC_REFUSED); /* r + n is above the field */
    memset(sig, 0, 32);
    ck_assert_int_eq(ecdsa_recover(e, out, sig, 0, &h), RC_REFUSED);
}
END_TEST

/* Source: ethereum/tests BasicTests/keyaddrtest.json. The secret is Keccak-256 of the seed. */
START_TEST(a_seed_gives_key_and_address)
{
    hash32_t secret;
    uint8_t sig[64], full[64], want[32], want_addr[20];
    addr_t addr;
    int recid;
    keccak256(&secret, view_str("horse"));
    unhex(want, 32, "c87f65ff3f271bf5dc8643484f66b200109caffe4bf98c4cb393dc35740b28c0");
    ck_assert_mem_eq(secret.b, want, 32);
    ck_assert_int_eq(ecdsa_sign(e, sig, &recid, &KECCAK_EMPTY, secret.b), RC_OK);
    ck_assert_int_eq(ecdsa_recover(e, full, sig, recid, &KECCAK_EMPTY), RC_OK);
    ecdsa_address(&addr, full);
    unhex(want_addr, 20, "13978aee95f38490e9769c39b2773ed763d9cd5f");
    ck_assert_mem_eq(addr.b, want_addr, 20);
}
END_TEST

START_TEST(a_context_without_blinding_verifies)
{
    uint8_t key[33], sig[64];
    hash32_t h;
    ecdsa_t *plain = ecdsa_new(NULL);
    unhex(key, 33, seed_key);
    unhex(sig, 64, seed_sig);
    sha256(&h, view_str("22168277"));
    ck_assert_int_eq(ecdsa_verify(plain, sig, &h, key), RC_OK);
    ecdsa_free(plain);
    ecdsa_free(NULL);
}
END_TEST

START_TEST(secret_memory_is_wiped_compared_and_random)
{
    uint8_t *p = secret_alloc(32), a[32], b[32];
    ck_assert_ptr_nonnull(p);
    secret_random(a, sizeof a);
    secret_random(b, sizeof b);
    ck_assert(!secret_eq(a, b, sizeof a));
    memcpy(p, a, 32);
    ck_assert(secret_eq(p, a, 32));
    p[31] ^= 0x80;
    ck_assert(!secret_eq(p, a, 32));
    secret_wipe(a, sizeof a);
    static const uint8_t zeros[32];
    ck_assert(secret_eq(a, zeros, sizeof a));
    secret_free(p);
    secret_free(NULL);
}
END_TEST

int main(void)
{
    static const uint8_t seed[32] = { 1, 2, 3 };
    if (secret_init() || !(e = ecdsa_new(seed)))
        return EXIT_FAILURE;
    int failed =
        UNIT_RUN("ecdsa", signing_gives_the_known_signature_and_recovers,
                 the_prototypes_signature_verifies_and_no_bit_of_it_may_change, zero_and_the_order_are_no_secrets,
                 high_s_is_refused_by_verify_and_accepted_by_recover, sixty_five_bytes_have_one_form,
                 keys_and_signatures_that_do_not_parse_are_malformed, a_seed_gives_key_and_address,
                 a_context_without_blinding_verifies, secret_memory_is_wiped_compared_and_random);
    ecdsa_free(e);
    return failed;
}
