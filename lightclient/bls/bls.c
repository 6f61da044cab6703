#include "lightclient/bls/bls.h"

#include <blst.h>

_Static_assert(sizeof(bls_point_t) == sizeof(blst_p1_affine), "bls_point_t holds one affine G1 point");

static const uint8_t DST[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
#define DST_LEN (sizeof DST - 1)

static rc_t rc_of(BLST_ERROR e)
{
    switch (e) {
    case BLST_SUCCESS: return RC_OK;
    case BLST_BAD_ENCODING:
    case BLST_POINT_NOT_ON_CURVE: return RC_MALFORMED;
    default: return RC_REFUSED;
    }
}

static rc_t key_decode(blst_p1_affine *out, const bls_pubkey_t *in, bool check_subgroup)
{
    blst_p1_affine p;
    rc_t rc = rc_of(blst_p1_uncompress(&p, in->b));
    if (rc)
        return rc;
    if (blst_p1_affine_is_inf(&p) || (check_subgroup && !blst_p1_affine_in_g1(&p)))
        return RC_REFUSED;
    *out = p;
    return RC_OK;
}

rc_t bls_pubkey_decode(bls_point_t *out, const bls_pubkey_t *in, bool check_subgroup)
{
    blst_p1_affine p;
    rc_t rc = key_decode(&p, in, check_subgroup);
    if (rc == RC_OK)
        memcpy(out, &p, sizeof *out);
    return rc;
}

/* The signature as a point of the subgroup other than infinity: no sum of keys that is not infinity has that
 * signature. */
static rc_t signature_decode(blst_p2_affine *out, const uint8_t sig[BLS_SIG_LEN])
{
    rc_t rc = rc_of(blst_p2_uncompress(out, sig));
    if (rc)
        return rc;
    return blst_p2_affine_is_inf(out) || !blst_p2_affine_in_g2(out) ? RC_REFUSED : RC_OK;
}

/* RC_OK when e(key, H(msg)) = e(G1, sig): one Miller loop over both pairs and one final exponentiation. Infinity is
 * not a key (a sum of keys may be it); blst's loop does not allow for it, and by the specification it verifies
 * nothing. */
static rc_t key_verify(const blst_p1 *key, view_t msg, const uint8_t sig[BLS_SIG_LEN])
{
    blst_p1_affine key_affine;
    blst_p2_affine sig_affine, hash_affine;
    blst_p2 hash;
    blst_fp12 product;
    rc_t rc = signature_decode(&sig_affine, sig);
    if (rc)
        return rc;
    if (blst_p1_is_inf(key))
        return RC_REFUSED;
    blst_p1_to_affine(&key_affine, key);
    blst_hash_to_g2(&hash, msg.p, msg.n, DST, DST_LEN, NULL, 0);
    blst_p2_to_affine(&hash_affine, &hash);
    const blst_p2_affine *const in_g2[] = { &sig_affine, &hash_affine };
    const blst_p1_affine *const in_g1[] = { &BLS12_381_NEG_G1, &key_affine };
    blst_miller_loop_n(&product, in_g2, in_g1, 2);
    blst_final_exp(&product, &product);
    return blst_fp12_is_one(&product) ? RC_OK : RC_REFUSED;
}

static bool took_part(const uint8_t *participants, size_t i)
{
    return participants[i / 8] >> (i % 8) & 1;
}

/* Whether this is the key of the row; no encoding begins with a zero byte. */
static bool is_known(const bls_known_t *known, const bls_pubkey_t *key)
{
    return known && known->key.b[0] && memcmp(&known->key, key, sizeof *key) == 0;
}

/* A checked key, decoded unless it is known. */
static rc_t key_of(blst_p1_affine *out, const bls_pubkey_t *key, const bls_known_t *known)
{
    if (!is_known(known, key))
        return key_decode(out, key, true);
    memcpy(out, &known->point, sizeof *out);
    return RC_OK;
}

/* Who is to be summed. */
typedef struct {
    const uint8_t *participants; /* NULL: all */
    bool want;                   /* else those whose bit is this */
} choice_t;

static bool is_chosen(const choice_t *c, size_t i)
{
    return !c->participants || took_part(c->participants, i) == c->want;
}

/* Sum of the chosen keys; infinity if none. */
static rc_t keys_sum(blst_p1 *out, const bls_pubkey_t *keys, size_t count, const bls_known_t *known,
                     const choice_t *choice)
{
    blst_p1 sum = { 0 }; /* z = 0: infinity */
    for (size_t i = 0; i < count; i++) {
        blst_p1_affine key;
        if (!is_chosen(choice, i))
            continue;
        rc_t rc = key_of(&key, &keys[i], known ? &known[i] : NULL);
        if (rc)
            return rc;
        blst_p1_add_or_double_affine(&sum, &sum, &key); /* complete: equal, opposite and infinite points */
    }
    *out = sum;
    return RC_OK;
}

/* The fewer members: the absent ones, whose keys are subtracted, or those who took part. False: nobody did. */
static bool choose_fewer(choice_t *out, const uint8_t *participants, size_t count)
{
    size_t present = 0;
    for (size_t i = 0; i < count; i++)
        present += took_part(participants, i);
    *out = (choice_t){ participants, present < count - present };
    return present > 0;
}

rc_t bls_committee_verify(const bls_point_t *aggregate, const bls_pubkey_t *keys, size_t count,
                          const bls_known_t *known, const uint8_t *participants, const hash32_t *msg32,
                          const uint8_t sig[BLS_SIG_LEN])
{
    choice_t fewer;
    blst_p1 key;
    if (!choose_fewer(&fewer, participants, count))
        return RC_REFUSED;
    rc_t rc = keys_sum(&key, keys, count, known, &fewer);
    if (rc)
        return rc;
    if (!fewer.want) {
        blst_p1_affine all;
        memcpy(&all, aggregate, sizeof all);
        blst_p1_cneg(&key, true);
        blst_p1_add_or_double_affine(&key, &key, &all);
    }
    return key_verify(&key, view_of(msg32->b, sizeof msg32->b), sig);
}

void bls_remember(bls_known_t *known, const bls_pubkey_t *keys, size_t count, const uint8_t *participants)
{
    choice_t fewer;
    (void)choose_fewer(&fewer, participants, count);
    for (size_t i = 0; i < count; i++) {
        bls_point_t point;
        if (is_chosen(&fewer, i) && !is_known(&known[i], &keys[i]) && !bls_pubkey_decode(&point, &keys[i], true))
            known[i] = (bls_known_t){ keys[i], point };
    }
}

rc_t bls_fast_aggregate_verify(const bls_pubkey_t *keys, size_t count, view_t msg, const uint8_t sig[BLS_SIG_LEN])
{
    blst_p1 key;
    if (count == 0)
        return RC_REFUSED;
    rc_t rc = keys_sum(&key, keys, count, NULL, &(choice_t){ NULL, true });
    return rc ? rc : key_verify(&key, msg, sig);
}

rc_t bls_verify(const bls_pubkey_t *key, view_t msg, const uint8_t sig[BLS_SIG_LEN])
{
    return bls_fast_aggregate_verify(key, 1, msg, sig);
}

void bls_sha256(hash32_t *out, view_t in)
{
    blst_sha256(out->b, in.p, in.n);
}
