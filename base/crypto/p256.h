/* p256.h - ECDSA on NIST P-256 over SHA-256 digests, as TEE evidence uses it: a door to nettle and gmp.
 *
 * Spec:   FIPS 186-4, RFC 6979 (deterministic nonces); keys are x || y, signatures r || s, each 32 bytes big-endian
 * Floor:  1, base/crypto. No I/O, clock or thread. gmp takes heap memory, and ends the program when there is none.
 * Tests:  tests/unit/test_p256.c, vectors kind crypto
 */
#ifndef BASE_CRYPTO_P256_H
#define BASE_CRYPTO_P256_H

#include "base/bytes.h"
#include "base/rc.h"

#define P256_SECRET_LEN 32u
#define P256_PUBKEY_LEN 64u
#define P256_SIG_LEN 64u

/* RC_OK when sig over digest by pubkey is valid (s may be high, as in X.509). RC_MALFORMED: not a point of the curve,
 * or r or s is zero or not below the order; RC_REFUSED: it does not verify. */
NODISCARD rc_t p256_verify(const uint8_t sig[P256_SIG_LEN], const hash32_t *digest,
                           const uint8_t pubkey[P256_PUBKEY_LEN]);

/* The public key of a secret. For throw-away keys (the simulator): copies of the secret stay in freed memory.
 * RC_REFUSED: the secret is zero or not below the order. */
NODISCARD rc_t p256_pubkey(uint8_t out[P256_PUBKEY_LEN], const uint8_t secret[P256_SECRET_LEN]);

/* Signs a digest with the nonce of RFC 6979; the same caution. RC_REFUSED: bad secret. */
NODISCARD rc_t p256_sign(uint8_t out[P256_SIG_LEN], const hash32_t *digest, const uint8_t secret[P256_SECRET_LEN]);

#endif
