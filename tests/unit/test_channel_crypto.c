/* What secure channels are made of: AEAD, X25519, Ed25519, HMAC and HKDF. Known answers of the RFCs, and refusals. */
#include <check.h>
#include <stdlib.h>

#include "base/crypto/aead.h"
#include "base/crypto/curve25519.h"
#include "base/crypto/kdf.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

#define NOTHING view_of(NULL, 0)

static void unhex(uint8_t *out, size_t n, const char *text)
{
    ck_assert_int_eq(hex_decode_exact(out, n, text, strlen(text)), RC_OK);
}

static void count_up(uint8_t *out, size_t n, unsigned from)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(from + i);
}

/* ---- AEAD ---- */

typedef void seal_t(uint8_t *out, view_t in, view_t ad, const uint8_t *nonce, const uint8_t *key);
typedef rc_t open_t(uint8_t *out, view_t sealed, view_t ad, const uint8_t *nonce, const uint8_t *key);

/* Both documents encrypt this text, with the same key and additional data. */
static const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
                           "future, sunscreen would be it.";
#define TEXT_LEN (sizeof text - 1)
#define SEALED_LEN (TEXT_LEN + AEAD_TAG_LEN)

static uint8_t key[AEAD_KEY_LEN], ad[12], nonce[XAEAD_NONCE_LEN];

static void aead_inputs(void)
{
    count_up(key, sizeof key, 0x80);
    unhex(ad, sizeof ad, "50515253c0c1c2c3c4c5c6c7");
}

static void check_aead(seal_t *seal, open_t *open, const char *known)
{
    uint8_t want[SEALED_LEN], got[SEALED_LEN];
    unhex(want, sizeof want, known);
    seal(got, view_str(text), view_of(ad, sizeof ad), nonce, key);
    ck_assert_mem_eq(got, want, sizeof want);
    ck_assert_int_eq(open(got, view_of(want, sizeof want), view_of(ad, sizeof ad), nonce, key), RC_OK);
    ck_assert_mem_eq(got, text, TEXT_LEN);
    /* in place */
    seal(got, view_of(got, TEXT_LEN), view_of(ad, sizeof ad), nonce, key);
    ck_assert_mem_eq(got, want, sizeof want);
    ck_assert_int_eq(open(got, view_of(got, sizeof got), view_of(ad, sizeof ad), nonce, key), RC_OK);
    ck_assert_mem_eq(got, text, TEXT_LEN);
}

static void nonce_of_rfc8439(void)
{
    unhex(nonce, AEAD_NONCE_LEN, "070000004041424344454647");
}

/* Source: RFC 8439 section 2.8.2. */
START_TEST(chacha20_poly1305_gives_the_known_answer)
{
    nonce_of_rfc8439();
    check_aead(aead_seal, aead_open,
               "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
               "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
               "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
}
END_TEST

/* Source: draft-irtf-cfrg-xchacha-03 appendix A.3.1. */
START_TEST(xchacha20_poly1305_gives_the_known_answer)
{
    count_up(nonce, XAEAD_NONCE_LEN, 0x40);
    check_aead(xaead_seal, xaead_open,
               "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
               "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
               "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49");
}
END_TEST

/* A change of what went in is refused, and what comes out then is zeros. */
static void check_refusals(size_t nonce_len, seal_t *seal, open_t *open)
{
    static const uint8_t zeros[TEXT_LEN];
    uint8_t sealed[SEALED_LEN], out[SEALED_LEN];
    const struct {
        uint8_t *p;
        size_t n;
    } parts[] = { { sealed, sizeof sealed }, { ad, sizeof ad }, { nonce, nonce_len }, { key, sizeof key } };
    seal(sealed, view_str(text), view_of(ad, sizeof ad), nonce, key);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (size_t bit = 0; bit < 8 * parts[i].n; bit++) {
            parts[i].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(out, 0x5a, sizeof out);
            ck_assert_int_eq(open(out, view_of(sealed, sizeof sealed), view_of(ad, sizeof ad), nonce, key), RC_REFUSED);
            ck_assert_mem_eq(out, zeros, TEXT_LEN);
            parts[i].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    ck_assert_int_eq(open(out, view_of(sealed, sizeof sealed), view_of(ad, sizeof ad), nonce, key), RC_OK);
    for (size_t n = 0; n < sizeof sealed; n++) {
        memset(out, 0x5a, sizeof out);
        rc_t rc = open(out, view_of(sealed, n), view_of(ad, sizeof ad), nonce, key);
        ck_assert_int_eq(rc, n < AEAD_TAG_LEN ? RC_MALFORMED : RC_REFUSED);
        ck_assert(out[0] == (n <= AEAD_TAG_LEN ? 0x5a : 0)); /* untouched where there is nothing to write */
    }
    ck_assert_int_eq(open(out, NOTHING, NOTHING, nonce, key), RC_MALFORMED);
}

START_TEST(no_bit_of_a_sealed_message_its_data_nonce_or_key_may_change)
{
    nonce_of_rfc8439();
    check_refusals(AEAD_NONCE_LEN, aead_seal, aead_open);
    count_up(nonce, XAEAD_NONCE_LEN, 0x40);
    check_refusals(XAEAD_NONCE_LEN, xaead_seal, xaead_open);
}
END_TEST

START_TEST(nothing_is_sealed_as_a_tag_alone)
{
    uint8_t sealed[AEAD_TAG_LEN], out[1] = { 0x5a };
    count_up(nonce, XAEAD_NONCE_LEN, 0x40);
    aead_seal(sealed, NOTHING, NOTHING, nonce, key);
    ck_assert_int_eq(aead_open(out, view_of(sealed, sizeof sealed), NOTHING, nonce, key), RC_OK);
    ck_assert_int_eq(aead_open(out, view_of(sealed, sizeof sealed), view_of(ad, 1), nonce, key), RC_REFUSED);
    xaead_seal(sealed, NOTHING, NOTHING, nonce, key);
    ck_assert_int_eq(xaead_open(out, view_of(sealed, sizeof sealed), NOTHING, nonce, key), RC_OK);
    ck_assert_int_eq(xaead_open(out, view_of(sealed, sizeof sealed), view_of(ad, 1), nonce, key), RC_REFUSED);
    ck_assert_uint_eq(out[0], 0x5a);
}
END_TEST

/* ---- X25519 ---- */

/* Source: RFC 7748 section 6.1. */
START_TEST(x25519_gives_the_known_answer_to_both_sides)
{
    uint8_t a[32], b[32], a_public[32], b_public[32], want[32], got[32];
    unhex(a, 32, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    unhex(b, 32, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    unhex(a_public, 32, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    unhex(b_public, 32, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    unhex(want, 32, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    x25519_pubkey(got, a);
    ck_assert_mem_eq(got, a_public, 32);
    x25519_pubkey(got, b);
    ck_assert_mem_eq(got, b_public, 32);
    ck_assert_int_eq(x25519_shared(got, a, b_public), RC_OK);
    ck_assert_mem_eq(got, want, 32);
    ck_assert_int_eq(x25519_shared(got, b, a_public), RC_OK);
    ck_assert_mem_eq(got, want, 32);
}
END_TEST

/* The x coordinates of points of order 1, 2, 4 and 8 on the curve and its twist, also as numbers above 2^255 - 20.
 * Source: D. J. Bernstein, cr.yp.to/ecdh.html ("validate"); the top bit does not count (RFC 7748 section 5). */
START_TEST(public_keys_of_small_order_are_refused)
{
    static const char *const small[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t secret[32], peer[32], out[32], before[32];
    count_up(secret, 32, 1);
    memset(before, 0x5a, sizeof before);
    memcpy(out, before, sizeof out);
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
        for (unsigned top = 0; top < 2; top++) {
            unhex(peer, 32, small[i]);
            peer[31] |= (uint8_t)(top << 7);
            ck_assert_msg(x25519_shared(out, secret, peer) == RC_REFUSED, "%s, top bit %u", small[i], top);
            ck_assert_mem_eq(out, before, sizeof out);
        }
}
END_TEST

/* ---- Ed25519 ---- */

/* Source: RFC 8032 section 7.1, tests 1 to 3. */
static const struct {
    const char *pubkey, *message, *sig;
} rfc8032[] = {
    { "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
      "d25bf5f0595bbe24655141438e7a100b" },
    { "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
      "387b2eaeb4302aeeb00d291612bb0c00" },
    { "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
      "4a7c15e9716ed28dc027beceea1ec40a" },
};

START_TEST(ed25519_takes_the_known_signatures_and_no_change_of_them)
{
    for (size_t i = 0; i < sizeof rfc8032 / sizeof rfc8032[0]; i++) {
        uint8_t all[64 + 32 + 2];
        size_t n = strlen(rfc8032[i].message) / 2;
        view_t message = n ? view_of(all + 96, n) : NOTHING;
        unhex(all, 64, rfc8032[i].sig);
        unhex(all + 64, 32, rfc8032[i].pubkey);
        if (n)
            unhex(all + 96, n, rfc8032[i].message);
        ck_assert_int_eq(ed25519_verify(all, message, all + 64), RC_OK);
        for (size_t bit = 0; bit < 8 * (96 + n); bit++) {
            all[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ck_assert_msg(ed25519_verify(all, message, all + 64) == RC_REFUSED, "test %zu, bit %zu", i + 1, bit);
            all[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}
END_TEST

/* Adding the order of the group to S gives the same point: RFC 8032 section 5.1.7 wants S below it. */
START_TEST(ed25519_refuses_the_second_form_of_a_signature)
{
    uint8_t sig[64], pubkey[32], order[32];
    unsigned carry = 0;
    unhex(sig, 64, rfc8032[0].sig);
    unhex(pubkey, 32, rfc8032[0].pubkey);
    unhex(order, 32, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)sig[32 + i] + order[i];
        sig[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    ck_assert_uint_eq(carry, 0);
    ck_assert_int_eq(ed25519_verify(sig, NOTHING, pubkey), RC_REFUSED);
}
END_TEST

/* With the neutral element as key and R, and S = 0, the equation holds for every message. */
START_TEST(ed25519_refuses_keys_that_sign_everything)
{
    uint8_t sig[64] = { 1 }, pubkey[32] = { 1 };
    ck_assert_int_eq(ed25519_verify(sig, view_str("anything"), pubkey), RC_REFUSED);
    memset(pubkey, 0xff, sizeof pubkey); /* the same point, not reduced */
    pubkey[0] = 0xee;
    pubkey[31] = 0x7f;
    ck_assert_int_eq(ed25519_verify(sig, view_str("anything"), pubkey), RC_REFUSED);
}
END_TEST

/* ---- HMAC and HKDF ---- */

/* Source: RFC 4231 sections 4.2, 4.3 and 4.7. */
START_TEST(hmac_gives_the_known_answers_whatever_the_parts)
{
    uint8_t many[131], got[32], want[32];
    const struct {
        view_t key;
        const char *text, *mac;
    } rows[] = {
        { view_of(many, 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { view_str("Jefe"), "what do ya want for nothing?",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { view_of(many, 131), "Test Using Larger Than Block-Size Key - Hash Key First",
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view_t whole = view_str(rows[i].text);
        memset(many, i ? 0xaa : 0x0b, sizeof many);
        unhex(want, 32, rows[i].mac);
        for (size_t cut = 0; cut <= whole.n; cut++) {
            const view_t parts[] = { view_of(whole.p, cut), NOTHING, view_of(whole.p + cut, whole.n - cut) };
            hmac_sha256_parts(got, rows[i].key, parts, 3);
            ck_assert_mem_eq(got, want, 32);
        }
    }
}
END_TEST

/* A key may be replaced by what it gives, as RFC 6979's generator and Noise's chain do. */
START_TEST(hmac_may_overwrite_its_key_and_its_parts)
{
    uint8_t k[32], v[32], want[32];
    count_up(k, 32, 0);
    count_up(v, 32, 100);
    view_t part = view_of(v, 32);
    hmac_sha256_parts(want, view_of(k, 32), &part, 1);
    hmac_sha256_parts(v, view_of(k, 32), &part, 1);
    ck_assert_mem_eq(v, want, 32);
    count_up(v, 32, 100);
    hmac_sha256_parts(k, view_of(k, 32), &part, 1);
    ck_assert_mem_eq(k, want, 32);
}
END_TEST

/* Source: RFC 5869 appendix A.1; A.3 (salt and info empty). */
START_TEST(hkdf_gives_the_known_answers)
{
    uint8_t ikm[22], salt[13], info[10], prk[32], okm[42], want[42];
    memset(ikm, 0x0b, sizeof ikm);
    count_up(salt, sizeof salt, 0);
    count_up(info, sizeof info, 0xf0);
    hkdf_extract(prk, view_of(salt, sizeof salt), view_of(ikm, sizeof ikm));
    unhex(want, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    ck_assert_mem_eq(prk, want, 32);
    ck_assert_int_eq(hkdf_expand(okm, sizeof okm, prk, view_of(info, sizeof info)), RC_OK);
    unhex(want, 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    ck_assert_mem_eq(okm, want, 42);

    hkdf_extract(prk, NOTHING, view_of(ikm, sizeof ikm));
    unhex(want, 32, "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    ck_assert_mem_eq(prk, want, 32);
    ck_assert_int_eq(hkdf_expand(okm, sizeof okm, prk, NOTHING), RC_OK);
    unhex(want, 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
    ck_assert_mem_eq(okm, want, 42);
}
END_TEST

START_TEST(hkdf_gives_at_most_255_blocks)
{
    static uint8_t all[HKDF_OUT_MAX + 1], part[HKDF_OUT_MAX];
    uint8_t prk[32], first;
    count_up(prk, 32, 7);
    ck_assert_int_eq(hkdf_expand(all, HKDF_OUT_MAX, prk, NOTHING), RC_OK);
    for (size_t n = 0; n < HKDF_OUT_MAX; n += 479) {
        memset(part, 0, sizeof part);
        ck_assert_int_eq(hkdf_expand(part, n, prk, NOTHING), RC_OK);
        ck_assert(memcmp(part, all, n) == 0 && part[n] == 0);
    }
    ck_assert_int_eq(hkdf_expand(NULL, 0, prk, NOTHING), RC_OK);
    first = all[0];
    memset(all + 1, 0x5a, sizeof all - 1);
    ck_assert_int_eq(hkdf_expand(all, HKDF_OUT_MAX + 1, prk, NOTHING), RC_LIMIT);
    ck_assert(all[0] == first && all[1] == 0x5a && all[HKDF_OUT_MAX] == 0x5a);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND(
        "channel_crypto", aead_inputs, NULL, chacha20_poly1305_gives_the_known_answer,
        xchacha20_poly1305_gives_the_known_answer, no_bit_of_a_sealed_message_its_data_nonce_or_key_may_change,
        nothing_is_sealed_as_a_tag_alone, x25519_gives_the_known_answer_to_both_sides,
        public_keys_of_small_order_are_refused, ed25519_takes_the_known_signatures_and_no_change_of_them,
        ed25519_refuses_the_second_form_of_a_signature, ed25519_refuses_keys_that_sign_everything,
        hmac_gives_the_known_answers_whatever_the_parts, hmac_may_overwrite_its_key_and_its_parts,
        hkdf_gives_the_known_answers, hkdf_gives_at_most_255_blocks);
}
