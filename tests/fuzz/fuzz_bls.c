/* Public keys and signatures of any bytes. A key that decodes with its subgroup check decodes without it to the same
 * point, and is the only encoding of it; what is refused leaves the output alone; no other bytes than the one
 * signature verify. */
#include <blst.h>
#include <stdlib.h>
#include <string.h>

#include "lightclient/bls/bls.h"
#include "tests/fuzz/fuzz.h"

static void key(const uint8_t *data)
{
    bls_pubkey_t in, again;
    bls_point_t checked, unchecked, untouched;
    blst_p1_affine p;
    memcpy(in.b, data, sizeof in.b);
    memset(&untouched, 0x5a, sizeof untouched);
    checked = unchecked = untouched;
    rc_t with = bls_pubkey_decode(&checked, &in, true), without = bls_pubkey_decode(&unchecked, &in, false);
    if ((with && memcmp(&checked, &untouched, sizeof checked)) ||
        (without && memcmp(&unchecked, &untouched, sizeof unchecked)))
        abort();
    if (with == RC_OK && (without != RC_OK || memcmp(&checked, &unchecked, sizeof checked)))
        abort();
    if (without)
        return;
    memcpy(&p, &unchecked, sizeof p);
    blst_p1_affine_compress(again.b, &p);
    if (memcmp(again.b, in.b, sizeof in.b) || !blst_p1_affine_on_curve(&p) ||
        blst_p1_affine_in_g1(&p) != (with == RC_OK))
        abort();
}

/* The signature over nothing by the secret key 1, whose public key is the generator. */
static void signature(const uint8_t *data)
{
    static const blst_scalar one = { { 1 } };
    static const uint8_t dst[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
    uint8_t right[BLS_SIG_LEN];
    bls_pubkey_t generator;
    blst_p2 hash, sig;
    blst_p1_affine_compress(generator.b, blst_p1_affine_generator());
    blst_hash_to_g2(&hash, dst, 0, dst, sizeof dst - 1, NULL, 0);
    blst_sign_pk_in_g1(&sig, &hash, &one);
    blst_p2_compress(right, &sig);
    rc_t rc = bls_verify(&generator, view_of(NULL, 0), data);
    if ((rc == RC_OK) != !memcmp(right, data, sizeof right))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len >= BLS_PUBKEY_LEN)
        key(data);
    if (len >= BLS_SIG_LEN)
        signature(data);
    return 0;
}
