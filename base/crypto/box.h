/* box.h - bytes for the holder of an X25519 key, whoever they are from (sealed), or from the holder of another one
 * (authenticated). libsodium's sealed box and crypto_box, with randomness as an argument.
 *
 * Spec:   libsodium documentation, "Sealed boxes" and "Authenticated encryption"; NaCl crypto_box
 * Floor:  1, base/crypto. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_box.c
 */
#ifndef BASE_CRYPTO_BOX_H
#define BASE_CRYPTO_BOX_H

#include "base/bytes.h"
#include "base/crypto/curve25519.h"
#include "base/rc.h"

#define BOX_TAG_LEN 16u
#define BOX_NONCE_LEN 24u
#define BOX_SEALED_EXTRA (X25519_LEN + BOX_TAG_LEN) /* bytes that a sealed box is longer than what is in it */

/* Seals for whoever holds the secret of `to`; nobody else, the sealer included, opens it.
 *   out        plain.n + BOX_SEALED_EXTRA bytes, not overlapping plain
 *   ephemeral  32 random bytes, secret and used once: wiped by the caller
 * RC_REFUSED: `to` is of small order; out is then untouched. */
NODISCARD rc_t box_seal(uint8_t *out, view_t plain, const uint8_t to[X25519_LEN], const uint8_t ephemeral[X25519_LEN]);

/* Opens a sealed box: out has sealed.n - BOX_SEALED_EXTRA bytes, secret. RC_MALFORMED: shorter than that; RC_REFUSED:
 * not sealed so for this key. out is written only on RC_OK. */
NODISCARD rc_t box_open(uint8_t *out, view_t sealed, const uint8_t secret[X25519_LEN]);

/* Seals for `to` so that its holder knows it is from the holder of `secret` (either of them could have made it).
 *   out    plain.n + BOX_TAG_LEN bytes, not overlapping plain
 *   nonce  random
 * RC_REFUSED: `to` is of small order; out is then untouched. */
NODISCARD rc_t box_seal_from(uint8_t *out, view_t plain, const uint8_t to[X25519_LEN], const uint8_t secret[X25519_LEN],
                             const uint8_t nonce[BOX_NONCE_LEN]);

/* Opens what the holder of `from` sealed for us: out has sealed.n - BOX_TAG_LEN bytes. RC_MALFORMED, RC_REFUSED; out is
 * written only on RC_OK. */
NODISCARD rc_t box_open_from(uint8_t *out, view_t sealed, const uint8_t from[X25519_LEN],
                             const uint8_t secret[X25519_LEN], const uint8_t nonce[BOX_NONCE_LEN]);

#endif
