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

/* Sum of the checked keys, only of those members whose bit equals want if participants is given; infinity if none. */
static rc_t keys_sum(blst_p1 *out, const bls_pubkey_t *keys, size_t count, const uint8_t *participants, bool want)
{
    blst_p1 sum = { 0 }; /* z = 0: infinity */
    for (size_t i = 0; i < count; i++) {
        blst_p1_affine key;
        if (participants && took_part(participants, i) != want)
            continue;
        rc_t rc = key_decode(&key, &keys[i], true);
        if (rc)
            return rc;
        blst_p1_add_or_double_affine(&sum, &sum, &key); /* complete: equal, opposite and infinite points */
    }
    *out = sum;
    return RC_OK;
}

rc_t bls_committee_verify(const bls_point_t *aggregate, const bls_pubkey_t *keys, size_t count,
                          const uint8_t *participants, const hash32_t *msg32, const uint8_t sig[BLS_SIG_LEN])
{
    size_t present = 0;
    blst_p1 key;
    for (size_t i = 0; i < count; i++)
        present += took_part(participants, i);
    if (present == 0)
        return RC_REFUSED;
    bool subtract = present >= count - present; /* decode the fewer keys */
    rc_t rc = keys_sum(&key, keys, count, participants, !subtract);
    if (rc)
        return rc;
    if (subtract) {
        blst_p1_affine all;
        memcpy(&all, aggregate, sizeof all);
        blst_p1_cneg(&key, true);
        blst_p1_add_or_double_affine(&key, &key, &all);
    }
    return key_verify(&key, view_of(msg32->b, sizeof msg32->b), sig);
}

rc_t bls_fast_aggregate_verify(const bls_pubkey_t *keys, size_t count, view_t msg, const uint8_t sig[BLS_SIG_LEN])
{
    blst_p1 key;
    if (count == 0)
        return RC_REFUSED;
    rc_t rc = keys_sum(&key, keys, count, NULL, true);
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
