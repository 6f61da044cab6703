#include "base/crypto/aead.h"

#include <sodium.h>

_Static_assert(AEAD_KEY_LEN == crypto_aead_chacha20poly1305_ietf_KEYBYTES &&
                   AEAD_TAG_LEN == crypto_aead_chacha20poly1305_ietf_ABYTES &&
                   AEAD_NONCE_LEN == crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
               "lengths of libsodium");
_Static_assert(AEAD_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
                   AEAD_TAG_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES &&
                   XAEAD_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
               "lengths of libsodium");

void aead_seal(uint8_t *out, view_t in, view_t ad, const uint8_t nonce[AEAD_NONCE_LEN], const uint8_t key[AEAD_KEY_LEN])
{
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in.p, in.n, ad.p, ad.n, NULL, nonce, key);
}

void xaead_seal(uint8_t *out, view_t in, view_t ad, const uint8_t nonce[XAEAD_NONCE_LEN],
                const uint8_t key[AEAD_KEY_LEN])
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, in.p, in.n, ad.p, ad.n, NULL, nonce, key);
}

rc_t aead_open(uint8_t *out, view_t sealed, view_t ad, const uint8_t nonce[AEAD_NONCE_LEN],
               const uint8_t key[AEAD_KEY_LEN])
{
    if (sealed.n < AEAD_TAG_LEN)
        return RC_MALFORMED;
    int e = crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.p, sealed.n, ad.p, ad.n, nonce, key);
    return e ? RC_REFUSED : RC_OK;
}

rc_t xaead_open(uint8_t *out, view_t sealed, view_t ad, const uint8_t nonce[XAEAD_NONCE_LEN],
                const uint8_t key[AEAD_KEY_LEN])
{
    if (sealed.n < AEAD_TAG_LEN)
        return RC_MALFORMED;
    int e = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.p, sealed.n, ad.p, ad.n, nonce, key);
    return e ? RC_REFUSED : RC_OK;
}
