#include "base/crypto/curve25519.h"

#include <sodium.h>

#include "base/crypto/secret.h"

void x25519_pubkey(uint8_t out[X25519_LEN], const uint8_t secret[X25519_LEN])
{
    crypto_scalarmult_curve25519_base(out, secret);
}

rc_t x25519_shared(uint8_t out[X25519_LEN], const uint8_t secret[X25519_LEN], const uint8_t peer[X25519_LEN])
{
    uint8_t shared[X25519_LEN];
    rc_t rc = crypto_scalarmult_curve25519(shared, secret, peer) ? RC_REFUSED : RC_OK;
    if (!rc)
        memcpy(out, shared, sizeof shared);
    secret_wipe(shared, sizeof shared);
    return rc;
}

rc_t ed25519_verify(const uint8_t sig[ED25519_SIG_LEN], view_t message, const uint8_t pubkey[ED25519_PUBKEY_LEN])
{
    return crypto_sign_ed25519_verify_detached(sig, message.p, message.n, pubkey) ? RC_REFUSED : RC_OK;
}
