#include "base/crypto/box.h"

#include <sodium.h>

/* A sealed box's nonce: BLAKE2b of both public keys. */
static void sealed_nonce(uint8_t out[BOX_NONCE_LEN], const uint8_t ephemeral[X25519_LEN], const uint8_t to[X25519_LEN])
{
    uint8_t both[2 * X25519_LEN];
    memcpy(both, ephemeral, X25519_LEN);
    memcpy(both + X25519_LEN, to, X25519_LEN);
    (void)crypto_generichash(out, BOX_NONCE_LEN, both, sizeof both, NULL, 0);
}

rc_t box_seal(uint8_t *out, view_t plain, const uint8_t to[X25519_LEN], const uint8_t ephemeral[X25519_LEN])
{
    uint8_t nonce[BOX_NONCE_LEN], pubkey[X25519_LEN];
    x25519_pubkey(pubkey, ephemeral);
    sealed_nonce(nonce, pubkey, to);
    const rc_t rc = box_seal_from(out + X25519_LEN, plain, to, ephemeral, nonce);
    if (!rc)
        memcpy(out, pubkey, sizeof pubkey);
    return rc;
}

rc_t box_open(uint8_t *out, view_t sealed, const uint8_t secret[X25519_LEN])
{
    uint8_t nonce[BOX_NONCE_LEN], pubkey[X25519_LEN];
    if (sealed.n < BOX_SEALED_EXTRA)
        return RC_MALFORMED;
    x25519_pubkey(pubkey, secret);
    sealed_nonce(nonce, sealed.p, pubkey);
    return box_open_from(out, view_of(sealed.p + X25519_LEN, sealed.n - X25519_LEN), sealed.p, secret, nonce);
}

rc_t box_seal_from(uint8_t *out, view_t plain, const uint8_t to[X25519_LEN], const uint8_t secret[X25519_LEN],
                   const uint8_t nonce[BOX_NONCE_LEN])
{
    return crypto_box_easy(out, plain.p, plain.n, nonce, to, secret) ? RC_REFUSED : RC_OK;
}

rc_t box_open_from(uint8_t *out, view_t sealed, const uint8_t from[X25519_LEN], const uint8_t secret[X25519_LEN],
                   const uint8_t nonce[BOX_NONCE_LEN])
{
    if (sealed.n < BOX_TAG_LEN)
        return RC_MALFORMED;
    return crypto_box_open_easy(out, sealed.p, sealed.n, nonce, from, secret) ? RC_REFUSED : RC_OK;
}
