/* keyring.h - sole owner of the cluster key: signs digests, never gives the key away.
 *
 * Floor:  1, base/crypto. May include base/. The key lives in locked memory and is wiped when freed.
 * Tests:  tests/unit/test_keyring.c, tests/ctime
 */
#ifndef BASE_CRYPTO_KEYRING_H
#define BASE_CRYPTO_KEYRING_H

#include "base/bytes.h"
#include "base/crypto/ecdsa.h"
#include "base/rc.h"

typedef struct keyring keyring_t;

/* Takes a secret and random bytes for blinding; secret_init must have been called.
 *   out          written only on RC_OK; freed with keyring_free
 *   take_secret  wiped at the caller's place in any case
 * RC_REFUSED: not a valid secret; RC_NOMEM: no memory, or none that may be locked. */
NODISCARD rc_t keyring_new(keyring_t **out, uint8_t take_secret[ECDSA_SECRET_LEN], const uint8_t blind[32]);

/* Wipes the key and frees k, which may be NULL. */
void keyring_free(keyring_t *k);

/* Compressed public key and Ethereum address of the key. */
void keyring_pubkey(const keyring_t *k, uint8_t out[ECDSA_PUBKEY_LEN]);
void keyring_address(const keyring_t *k, addr_t *out);

/* Signs a digest: 64-byte compact, low s, deterministic. recid may be NULL. Safe from several threads. */
NODISCARD rc_t keyring_sign(const keyring_t *k, uint8_t out[ECDSA_SIG_LEN], int *recid, const hash32_t *digest);

/* The same in the 65 bytes of ecdsa_sign65, from which ecrecover gives the address. */
NODISCARD rc_t keyring_sign65(const keyring_t *k, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest);

#endif
