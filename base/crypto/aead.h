/* aead.h - authenticated encryption: ChaCha20-Poly1305 and XChaCha20-Poly1305. The door to libsodium's.
 *
 * Spec:   RFC 8439; draft-irtf-cfrg-xchacha-03
 * Floor:  1, base/crypto. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_channel_crypto.c, vectors kind crypto
 */
#ifndef BASE_CRYPTO_AEAD_H
#define BASE_CRYPTO_AEAD_H

#include "base/bytes.h"
#include "base/rc.h"

#define AEAD_KEY_LEN 32u
#define AEAD_TAG_LEN 16u
#define AEAD_NONCE_LEN 12u  /* counted: never twice under one key */
#define XAEAD_NONCE_LEN 24u /* long enough to be random */

/* Encrypts in to out, which has in.n + AEAD_TAG_LEN bytes (the tag stands last) and may start where in starts. ad is
 * authenticated with it. */
void aead_seal(uint8_t *out, view_t in, view_t ad, const uint8_t nonce[AEAD_NONCE_LEN],
               const uint8_t key[AEAD_KEY_LEN]);
void xaead_seal(uint8_t *out, view_t in, view_t ad, const uint8_t nonce[XAEAD_NONCE_LEN],
                const uint8_t key[AEAD_KEY_LEN]);

/* Decrypts to out, which has sealed.n - AEAD_TAG_LEN bytes and may start where sealed starts.
 * RC_MALFORMED: shorter than a tag, out untouched; RC_REFUSED: not sealed so under this key, out is zeros. */
NODISCARD rc_t aead_open(uint8_t *out, view_t sealed, view_t ad, const uint8_t nonce[AEAD_NONCE_LEN],
                         const uint8_t key[AEAD_KEY_LEN]);
NODISCARD rc_t xaead_open(uint8_t *out, view_t sealed, view_t ad, const uint8_t nonce[XAEAD_NONCE_LEN],
                          const uint8_t key[AEAD_KEY_LEN]);

#endif
