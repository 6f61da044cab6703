/* BLS: known answers, refusal of every changed bit, and the committee's subtraction against the plain sum. Test code
 * uses blst itself, to sign. */
#include <blst.h>
#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "lightclient/bls/bls.h"
#include "tests/unit/unit.h"

#define MEMBERS 32u
#define ALL 0xffffffffu

static const char DST[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
static const char OUTSIDE[] = /* an x on the curve whose points are not in the subgroup */
    "8123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const hash32_t MSG = { { 1, 2, 3, 4, 5, 6, 7, 8, 9 } };

static void of_hex(void *out, size_t n, const char *text)
{
    ck_assert_int_eq(hex_decode_exact(out, n, text, strlen(text)), RC_OK);
}

static void key_of(bls_pubkey_t *out, uint32_t secret)
{
    const uint32_t words[8] = { secret };
    blst_scalar sk;
    blst_p1 pk;
    blst_scalar_from_uint32(&sk, words);
    blst_sk_to_pk_in_g1(&pk, &sk);
    blst_p1_compress(out->b, &pk);
}

static void sign(uint8_t out[BLS_SIG_LEN], uint32_t secret)
{
    const uint32_t words[8] = { secret };
    blst_scalar sk;
    blst_p2 hash, sig;
    blst_scalar_from_uint32(&sk, words);
    blst_hash_to_g2(&hash, MSG.b, sizeof MSG.b, (const uint8_t *)DST, sizeof DST - 1, NULL, 0);
    blst_sign_pk_in_g1(&sig, &hash, &sk);
    blst_p2_compress(out, &sig);
}

/* A committee with given secrets: its keys, aggregate, and the signature of those whose bit is set. The sum of small
 * secrets is the secret of the sum. */
typedef struct {
    bls_pubkey_t keys[MEMBERS];
    bls_point_t aggregate;
    uint8_t bits[MEMBERS / 8];
    uint8_t sig[BLS_SIG_LEN];
} committee_t;

static void committee_of(committee_t *c, const uint32_t secrets[MEMBERS], uint32_t present)
{
    uint32_t all = 0, signers = 0;
    bls_pubkey_t sum;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        key_of(&c->keys[i], secrets[i]);
        all += secrets[i];
        signers += present >> i & 1 ? secrets[i] : 0;
    }
    key_of(&sum, all);
    ck_assert_int_eq(bls_pubkey_decode(&c->aggregate, &sum, true), RC_OK);
    for (unsigned i = 0; i < sizeof c->bits; i++)
        c->bits[i] = (uint8_t)(present >> 8 * i);
    memset(c->sig, 0, sizeof c->sig);
    c->sig[0] = 0xc0;
    if (signers)
        sign(c->sig, signers);
}

static rc_t verify(const committee_t *c)
{
    return bls_committee_verify(&c->aggregate, c->keys, MEMBERS, NULL, c->bits, &MSG, c->sig);
}

static size_t remembered(const bls_known_t known[MEMBERS], const committee_t *c)
{
    size_t n = 0;
    for (unsigned i = 0; i < MEMBERS; i++)
        n += memcmp(&known[i].key, &c->keys[i], sizeof c->keys[i]) == 0;
    return n;
}

static rc_t verify_known(const committee_t *c, const bls_known_t known[MEMBERS])
{
    return bls_committee_verify(&c->aggregate, c->keys, MEMBERS, known, c->bits, &MSG, c->sig);
}

static void secrets_apart(uint32_t out[MEMBERS])
{
    for (uint32_t i = 0; i < MEMBERS; i++)
        out[i] = 1000003u * (i + 1);
}

/* ethereum/bls12-381-tests v0.1.1, verify/verify_valid_case_195246ee3bd3b6ec and one with a wrong key. */
START_TEST(verify_matches_known_answers)
{
    bls_pubkey_t key, other;
    uint8_t sig[BLS_SIG_LEN], msg[32];
    memset(msg, 0xab, sizeof msg);
    of_hex(key.b, 48,
           "b53d21a4cfd562c469cc81514d4ce5a6b577d8403d32a394dc265dd190b47fa9f829fdd7963afdf972e5e77854051f6f");
    of_hex(other.b, 48,
           "b301803f8b5ac4a1133581fc676dfedc60d891dd5fa99028805e5ea5b08d3491af75d0707adab3b70c6a6a580217bf81");
    of_hex(sig, 96,
           "ae82747ddeefe4fd64cf9cedb9b04ae3e8a43420cd255e3c7cd06a8d88b7c7f8638543719981c5d16fa3527c468c25f0"
           "026704a6951bde891360c7e8d12ddee0559004ccdbe6046b55bae1b257ee97f7cdb955773d7cf29adf3ccbb9975e4eb9");
    ck_assert_int_eq(bls_verify(&key, view_of(msg, 32), sig), RC_OK);
    ck_assert_int_eq(bls_verify(&other, view_of(msg, 32), sig), RC_REFUSED);
    ck_assert_int_eq(bls_fast_aggregate_verify(&key, 0, view_of(msg, 32), sig), RC_REFUSED);
}
END_TEST

START_TEST(keys_that_are_no_points_of_the_group_are_refused)
{
    static const struct {
        const char *what, *hex;
        rc_t checked, unchecked;
    } rows[] = {
        { "infinity",
          "c00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
          RC_REFUSED, RC_REFUSED },
        { "infinity with a rest",
          "c01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
          RC_MALFORMED, RC_MALFORMED },
        { "no compression flag",
          "053d21a4cfd562c469cc81514d4ce5a6b577d8403d32a394dc265dd190b47fa9f829fdd7963afdf972e5e77854051f6f",
          RC_MALFORMED, RC_MALFORMED },
        { "x equal to the modulus",
          "9a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
          RC_MALFORMED, RC_MALFORMED },
        { "x = 0 (order 3)",
          "800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
          RC_REFUSED, RC_REFUSED },
        { "outside the subgroup", OUTSIDE, RC_REFUSED, RC_OK },
        { "x = 1 (no such y)",
          "800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
          RC_MALFORMED, RC_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bls_pubkey_t key;
        bls_point_t p, before;
        memset(&p, 0x5a, sizeof p);
        before = p;
        of_hex(key.b, 48, rows[i].hex);
        ck_assert_msg(bls_pubkey_decode(&p, &key, true) == rows[i].checked, "%s", rows[i].what);
        ck_assert_mem_eq(&p, &before, sizeof p);
        ck_assert_msg(bls_pubkey_decode(&p, &key, false) == rows[i].unchecked, "%s", rows[i].what);
    }
}
END_TEST

START_TEST(every_participation_agrees_with_the_plain_sum)
{
    static const uint32_t present[] = { ALL,        ALL - 1,    0x7fffffff, 0xfffffff0, 0xffff0000,
                                        0x0001ffff, 0x00007fff, 0x80000000, 1 };
    uint32_t secrets[MEMBERS];
    secrets_apart(secrets);
    for (size_t i = 0; i < sizeof present / sizeof present[0]; i++) {
        committee_t c;
        bls_pubkey_t signers[MEMBERS];
        size_t n = 0;
        committee_of(&c, secrets, present[i]);
        for (unsigned m = 0; m < MEMBERS; m++)
            if (present[i] >> m & 1)
                signers[n++] = c.keys[m];
        ck_assert_int_eq(bls_fast_aggregate_verify(signers, n, view_of(MSG.b, 32), c.sig), RC_OK);
        ck_assert_msg(verify(&c) == RC_OK, "present %08x", present[i]);
        for (unsigned m = 0; m < MEMBERS; m += 7) { /* one bit more or less is another set of signers */
            c.bits[m / 8] ^= (uint8_t)(1u << m % 8);
            ck_assert_msg(verify(&c) == RC_REFUSED, "present %08x, bit %u", present[i], m);
            c.bits[m / 8] ^= (uint8_t)(1u << m % 8);
        }
    }
}
END_TEST

START_TEST(repeated_members_are_added_and_subtracted_each_time)
{
    uint32_t secrets[MEMBERS];
    committee_t c;
    for (uint32_t i = 0; i < MEMBERS; i++)
        secrets[i] = 5 + i % 2; /* two validators fill the committee */
    committee_of(&c, secrets, 0xffff00ff);
    ck_assert_int_eq(verify(&c), RC_OK);
    committee_of(&c, secrets, 0x00000f00);
    ck_assert_int_eq(verify(&c), RC_OK);
    for (uint32_t i = 0; i < MEMBERS; i++)
        secrets[i] = 5; /* one */
    committee_of(&c, secrets, ALL - 3);
    ck_assert_int_eq(verify(&c), RC_OK);
    committee_of(&c, secrets, 3);
    ck_assert_int_eq(verify(&c), RC_OK);
}
END_TEST

START_TEST(aggregate_equal_to_minus_or_plus_the_absent_sum_is_handled)
{
    bls_pubkey_t keys[3], sum;
    bls_point_t aggregate;
    uint8_t sig[BLS_SIG_LEN] = { 0xc0 };
    static const uint8_t first_two[] = { 3 };
    key_of(&keys[0], 7);
    key_of(&keys[1], 9);
    key_of(&keys[2], 20);
    key_of(&sum, 20); /* aggregate minus the absent member is infinity: no signature of it exists, not even infinity */
    ck_assert_int_eq(bls_pubkey_decode(&aggregate, &sum, true), RC_OK);
    ck_assert_int_eq(bls_committee_verify(&aggregate, keys, 3, NULL, first_two, &MSG, sig), RC_REFUSED);
    sign(sig, 16);
    ck_assert_int_eq(bls_committee_verify(&aggregate, keys, 3, NULL, first_two, &MSG, sig), RC_REFUSED);

    blst_p1_affine negative; /* aggregate = -(absent): the subtraction doubles, -2 * 20 */
    memcpy(&negative, &aggregate, sizeof negative);
    blst_p1 p;
    blst_p1_from_affine(&p, &negative);
    blst_p1_cneg(&p, true);
    blst_p1_to_affine(&negative, &p);
    memcpy(&aggregate, &negative, sizeof negative);
    blst_p2_affine s;
    blst_p2 q;
    sign(sig, 40);
    ck_assert_int_eq(blst_p2_uncompress(&s, sig), BLST_SUCCESS);
    blst_p2_from_affine(&q, &s);
    blst_p2_cneg(&q, true);
    blst_p2_compress(sig, &q);
    ck_assert_int_eq(bls_committee_verify(&aggregate, keys, 3, NULL, first_two, &MSG, sig), RC_OK);
}
END_TEST

/* Three absent of 32, then 29: what is remembered is who was decoded. A row of another key than stands at its place is not
 * used, whatever point it has; one of the right key is. */
START_TEST(keys_that_are_remembered_stand_for_their_decoding_and_for_nothing_else)
{
    uint32_t secrets[MEMBERS];
    committee_t c;
    bls_known_t known[MEMBERS] = { 0 };
    secrets_apart(secrets);
    committee_of(&c, secrets, ALL - 0x111);
    ck_assert_int_eq(verify_known(&c, known), RC_OK);
    bls_remember(known, c.keys, MEMBERS, c.bits);
    ck_assert_uint_eq(remembered(known, &c), 3);
    ck_assert_int_eq(verify_known(&c, known), RC_OK);
    c.sig[BLS_SIG_LEN - 1] ^= 1;
    ck_assert_int_ne(verify_known(&c, known), RC_OK);
    committee_of(&c, secrets, 0x222); /* few take part: these are decoded */
    ck_assert_int_eq(verify_known(&c, known), RC_OK);
    bls_remember(known, c.keys, MEMBERS, c.bits);
    ck_assert_uint_eq(remembered(known, &c), 6);

    committee_of(&c, secrets, ALL - 0x111);
    known[0].point = known[4].point;
    ck_assert_int_eq(verify_known(&c, known), RC_REFUSED); /* it is read, */
    known[0].key.b[BLS_PUBKEY_LEN - 1] ^= 1;
    ck_assert_int_eq(verify_known(&c, known), RC_OK); /* ... and only where the key is the same to the last byte */
    memset(&c.keys[8], 0, sizeof c.keys[8]);
    ck_assert_int_ne(verify_known(&c, known), RC_OK);
    memset(known, 0, sizeof known);
    ck_assert_int_eq(verify_known(&c, known), RC_MALFORMED); /* a key of zeros is not one that is known */
    bls_remember(known, c.keys, MEMBERS, c.bits);
    ck_assert_int_eq(verify_known(&c, known), RC_MALFORMED);
}
END_TEST

START_TEST(nobody_signed_is_refused_even_with_the_signature_of_infinity)
{
    uint32_t secrets[MEMBERS];
    committee_t c;
    secrets_apart(secrets);
    committee_of(&c, secrets, 0);
    ck_assert_int_eq(verify(&c), RC_REFUSED);
    committee_of(&c, secrets, ALL);
    memset(c.sig, 0, sizeof c.sig);
    c.sig[0] = 0xc0;
    ck_assert_int_eq(verify(&c), RC_REFUSED);
}
END_TEST

START_TEST(every_changed_bit_of_signature_and_message_is_refused)
{
    uint32_t secrets[MEMBERS];
    committee_t c;
    secrets_apart(secrets);
    committee_of(&c, secrets, ALL - 0x10);
    ck_assert_int_eq(verify(&c), RC_OK);
    for (size_t i = 0; i < 8 * BLS_SIG_LEN; i++) {
        c.sig[i / 8] ^= (uint8_t)(1u << i % 8);
        rc_t rc = verify(&c);
        ck_assert_msg(rc == RC_MALFORMED || rc == RC_REFUSED, "signature bit %zu", i);
        c.sig[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t i = 0; i < 8 * sizeof MSG; i++) {
        hash32_t m = MSG;
        m.b[i / 8] ^= (uint8_t)(1u << i % 8);
        ck_assert_int_eq(bls_committee_verify(&c.aggregate, c.keys, MEMBERS, NULL, c.bits, &m, c.sig), RC_REFUSED);
    }
}
END_TEST

/* The last byte is the small end of x, the first its flags. */
START_TEST(what_is_wrong_with_a_signature_tells_its_code)
{
    static const struct {
        const char *what;
        uint8_t first, last; /* of 96 bytes; then all between them */
        uint8_t others;
        rc_t want;
    } rows[] = {
        { "infinity", 0xc0, 0, 0, RC_REFUSED },
        { "infinity with a sign", 0xe0, 0, 0, RC_MALFORMED },
        { "infinity with a rest", 0xc0, 1, 0, RC_MALFORMED },
        { "no compression flag", 0x00, 2, 0, RC_MALFORMED },
        { "no flag but infinity's", 0x40, 0, 0, RC_MALFORMED },
        { "x above the modulus", 0x9f, 0xff, 0xff, RC_MALFORMED },
        { "x = 1 (no such y)", 0x80, 1, 0, RC_MALFORMED },
        { "x = 2 (outside the subgroup)", 0x80, 2, 0, RC_REFUSED },
        { "x = 2, the other y", 0xa0, 2, 0, RC_REFUSED },
    };
    bls_pubkey_t key;
    uint8_t sig[BLS_SIG_LEN];
    key_of(&key, 5);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sign(sig, 5); /* a good one before: nothing of it may be left over */
        ck_assert_int_eq(bls_verify(&key, view_of(MSG.b, sizeof MSG.b), sig), RC_OK);
        memset(sig, rows[i].others, sizeof sig);
        sig[0] = rows[i].first;
        sig[BLS_SIG_LEN - 1] = rows[i].last;
        rc_t rc = bls_verify(&key, view_of(MSG.b, sizeof MSG.b), sig);
        ck_assert_msg(rc == rows[i].want, "%s: %s", rows[i].what, rc_name(rc));
    }
    sign(sig, 6); /* a signature, but another key's */
    ck_assert_int_eq(bls_verify(&key, view_of(MSG.b, sizeof MSG.b), sig), RC_REFUSED);
}
END_TEST

START_TEST(a_broken_key_matters_only_where_it_is_used)
{
    uint32_t secrets[MEMBERS];
    committee_t c;
    secrets_apart(secrets);
    committee_of(&c, secrets, ALL - 1);
    memset(c.keys[5].b, 0xff, BLS_PUBKEY_LEN); /* a participant: inside the authenticated aggregate */
    ck_assert_int_eq(verify(&c), RC_OK);
    memset(c.keys[0].b, 0xff, BLS_PUBKEY_LEN); /* the absent one */
    ck_assert_int_eq(verify(&c), RC_MALFORMED);
    of_hex(c.keys[0].b, 48, OUTSIDE); /* on the curve only */
    ck_assert_int_eq(verify(&c), RC_REFUSED);
}
END_TEST

/* FIPS 180-2 "abc"; 64 zero bytes: the SSZ zero node of depth 1. */
START_TEST(sha256_matches_known_answers)
{
    static const uint8_t zeros[64];
    hash32_t h;
    char hex[65];
    bls_sha256(&h, view_str("abc"));
    hex_encode(hex, view_of(h.b, 32));
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    bls_sha256(&h, view_of(zeros, 64));
    hex_encode(hex, view_of(h.b, 32));
    ck_assert_str_eq(hex, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}
END_TEST

int main(void)
{
    return UNIT_RUN("bls", verify_matches_known_answers, keys_that_are_no_points_of_the_group_are_refused,
                    every_participation_agrees_with_the_plain_sum, repeated_members_are_added_and_subtracted_each_time,
                    aggregate_equal_to_minus_or_plus_the_absent_sum_is_handled,
                    keys_that_are_remembered_stand_for_their_decoding_and_for_nothing_else,
                    nobody_signed_is_refused_even_with_the_signature_of_infinity,
                    every_changed_bit_of_signature_and_message_is_refused,
                    what_is_wrong_with_a_signature_tells_its_code, a_broken_key_matters_only_where_it_is_used,
                    sha256_matches_known_answers);
}
