#include "lightclient/bls/kzg.h"
#include "base/crypto/hash.h"
#include "lightclient/evm/precompile.h"

#define VERSION 0x01 /* VERSIONED_HASH_VERSION_KZG */

int64_t kzg_point_gas(evm_fork_t fork, view_t input)
{
    (void)fork, (void)input;
    return 50000;
}

/* EIP-4844. Input: versioned hash, z, y, commitment, proof. Output: the two constants of the setup. */
rc_t kzg_point_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork, (void)host;
    rd_t r = rd_of(input);
    hash32_t versioned = rd_hash32(&r), z = rd_hash32(&r), y = rd_hash32(&r), digest;
    view_t commitment = rd_take(&r, KZG_POINT_LEN), proof = rd_take(&r, KZG_POINT_LEN);
    if (!rd_done(&r))
        return RC_REFUSED;
    sha256(&digest, commitment);
    digest.b[0] = VERSION;
    if (!hash32_eq(&digest, &versioned))
        return RC_REFUSED;
    rc_t rc = kzg_verify(commitment.p, &z, &y, proof.p);
    if (rc)
        return rc_blames_input(rc) ? RC_REFUSED : rc;
    uint8_t *result = arena_calloc(a, 1, 64);
    if (!result)
        return RC_NOMEM;
    store_u64be(result + 24, KZG_FIELD_ELEMENTS_PER_BLOB);
    memcpy(result + 32, KZG_MODULUS.b, sizeof KZG_MODULUS.b);
    *out = view_of(result, 64);
    return RC_OK;
}
