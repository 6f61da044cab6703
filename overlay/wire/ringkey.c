#include "overlay/wire/ringkey.h"

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"

static rc_t sign(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    uint8_t compact[ECDSA_SIG_LEN];
    hash32_t digest;
    sha256(&digest, message);
    const rc_t rc = keyring_sign(ctx, compact, NULL, &digest);
    *n = rc ? 0 : ecdsa_to_der(out, compact);
    return rc;
}

rc_t ringkey_new(keyring_t **out)
{
    uint8_t blind[32], secret[ECDSA_SECRET_LEN];
    rc_t rc = RC_REFUSED;
    for (int tries = 0; rc == RC_REFUSED && tries < 8; tries++) { /* one in 2^128 is no key */
        secret_random(secret, sizeof secret);
        secret_random(blind, sizeof blind);
        rc = keyring_new(out, secret, blind);
    }
    return rc;
}

void ringkey_identity(identity_t *out, const keyring_t *k)
{
    uint8_t pubkey[ECDSA_PUBKEY_LEN];
    keyring_pubkey(k, pubkey);
    *out = (identity_t){ .sign = sign, .sign_ctx = (void *)(uintptr_t)k };
    hostkey_secp256k1(&out->key, pubkey);
}
