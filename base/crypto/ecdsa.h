/* ecdsa.h - secp256k1: the door to libsecp256k1.
 *
 * Spec:   SEC 1, RFC 6979 (deterministic nonces), BIP 62 (low s)
 * Floor:  1, base/crypto. No heap after ecdsa_new, no I/O, clock or thread.
 * Tests:  tests/unit/test_ecdsa.c, vectors kind crypto
 */
#ifndef BASE_CRYPTO_ECDSA_H
#define BASE_CRYPTO_ECDSA_H

#include "base/bytes.h"
#include "base/rc.h"

#define ECDSA_SECRET_LEN 32u
#define ECDSA_PUBKEY_LEN 33u /* compressed */
#define ECDSA_SIG_LEN 64u    /* compact r || s, low s */
#define ECDSA_SIG65_LEN 65u  /* r || s || v, low s, v 27 or 28: what Ethereum's ecrecover takes */
#define ECDSA_DER_MAX 72u    /* SEQUENCE { INTEGER r, INTEGER s } */

/* A context: libsecp256k1's tables and blinding. Every function that takes it const may be called from several threads
 * at once, signing included. */
typedef struct ecdsa ecdsa_t;

/* A context blinded with seed32 (any random bytes; NULL: not blinded, for programs that never sign).
 * NULL when memory is short. The caller frees it with ecdsa_free. */
ecdsa_t *ecdsa_new(const uint8_t seed32[32]);
void ecdsa_free(ecdsa_t *e);

/* True when the 32 bytes are a valid secret key (1 .. n-1). */
bool ecdsa_secret_valid(const ecdsa_t *e, const uint8_t secret[ECDSA_SECRET_LEN]);

/* The compressed public key of a secret. RC_REFUSED: the secret is zero or not below the order. */
NODISCARD rc_t ecdsa_pubkey(const ecdsa_t *e, uint8_t out33[ECDSA_PUBKEY_LEN], const uint8_t secret[ECDSA_SECRET_LEN]);

/* Signs a 32-byte digest. recid (may be NULL) receives 0..3. RC_REFUSED: bad secret. */
NODISCARD rc_t ecdsa_sign(const ecdsa_t *e, uint8_t out64[ECDSA_SIG_LEN], int *recid, const hash32_t *digest,
                          const uint8_t secret[ECDSA_SECRET_LEN]);

/* The same in 65 bytes. RC_REFUSED: bad secret, or one of the digests (1 in 2^127) whose signature has no such form. */
NODISCARD rc_t ecdsa_sign65(const ecdsa_t *e, uint8_t out65[ECDSA_SIG65_LEN], const hash32_t *digest,
                            const uint8_t secret[ECDSA_SECRET_LEN]);

/* RC_OK when sig64 (low s required) by pubkey33 over digest is valid; RC_MALFORMED: key or signature does not parse;
 * RC_REFUSED: it does not verify. e may be NULL, as for ecdsa_recover. */
NODISCARD rc_t ecdsa_verify(const ecdsa_t *e, const uint8_t sig64[ECDSA_SIG_LEN], const hash32_t *digest,
                            const uint8_t pubkey33[ECDSA_PUBKEY_LEN]);

/* Recovers the uncompressed public key without its 0x04 prefix (as ECRECOVER and transaction senders need; high s is
 * accepted). recid 0..3. RC_REFUSED when there is no such key.
 * e may be NULL: recovery uses no secret, so the library's constant context does. */
NODISCARD rc_t ecdsa_recover(const ecdsa_t *e, uint8_t out64[64], const uint8_t sig64[64], int recid,
                             const hash32_t *digest);

/* The address whose key signed digest with sig65. Needs no context.
 * RC_MALFORMED: v is neither 27 nor 28, or s is not in the lower half of the order; RC_REFUSED: no key gives this
 * signature. */
NODISCARD rc_t ecdsa_recover65(addr_t *out, const uint8_t sig65[ECDSA_SIG65_LEN], const hash32_t *digest);

/* A signature as DER, as libp2p writes it. Returns its length, at most ECDSA_DER_MAX; 0: r or s is not below the order.
 * Back: a high s, which others may send, becomes its low twin, equally valid and the only one that ecdsa_verify takes.
 * RC_MALFORMED: no strict DER; out is written only on RC_OK. */
size_t ecdsa_to_der(uint8_t out[ECDSA_DER_MAX], const uint8_t sig64[ECDSA_SIG_LEN]);
NODISCARD rc_t ecdsa_from_der(uint8_t out64[ECDSA_SIG_LEN], view_t der);

/* The uncompressed form, without its 0x04 prefix, of a compressed key. RC_MALFORMED: not a point of the curve. e may be
 * NULL. */
NODISCARD rc_t ecdsa_uncompress(const ecdsa_t *e, uint8_t out64[64], const uint8_t pubkey33[ECDSA_PUBKEY_LEN]);

/* The Ethereum address of an uncompressed key (64 bytes without prefix): last 20 bytes of its Keccak-256. */
void ecdsa_address(addr_t *out, const uint8_t pubkey64[64]);

#endif
