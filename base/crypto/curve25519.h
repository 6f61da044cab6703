/* curve25519.h - X25519 key agreement and Ed25519 signatures of others. The door to libsodium's.
 *
 * Spec:   RFC 7748, RFC 8032
 * Floor:  1, base/crypto. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_channel_crypto.c, vectors kind crypto
 */
#ifndef BASE_CRYPTO_CURVE25519_H
#define BASE_CRYPTO_CURVE25519_H

#include "base/bytes.h"
#include "base/rc.h"

#define X25519_LEN 32u /* of secrets, public keys and what is shared */
#define ED25519_PUBKEY_LEN 32u
#define ED25519_SIG_LEN 64u

/* The public key of a secret, which may be any 32 random bytes. */
void x25519_pubkey(uint8_t out[X25519_LEN], const uint8_t secret[X25519_LEN]);

/* What secret and the peer's public key share. RC_REFUSED: the peer's key is of small order, so that the result would
 * be zero whatever the secret; out is then untouched. */
NODISCARD rc_t x25519_shared(uint8_t out[X25519_LEN], const uint8_t secret[X25519_LEN], const uint8_t peer[X25519_LEN]);

/* RC_OK when sig over message by pubkey is valid; RC_REFUSED: it is not, or it or the key is not in its one form. */
NODISCARD rc_t ed25519_verify(const uint8_t sig[ED25519_SIG_LEN], view_t message,
                              const uint8_t pubkey[ED25519_PUBKEY_LEN]);

#endif
