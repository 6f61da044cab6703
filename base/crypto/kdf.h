/* kdf.h - HMAC-SHA256 and the key derivation that is made of it.
 *
 * Spec:   RFC 2104, RFC 5869
 * Floor:  1, base/crypto. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_channel_crypto.c, vectors kind crypto
 */
#ifndef BASE_CRYPTO_KDF_H
#define BASE_CRYPTO_KDF_H

#include "base/bytes.h"
#include "base/rc.h"

#define HKDF_PRK_LEN 32u
#define HKDF_OUT_MAX (255u * 32u)

/* HMAC-SHA256 of the concatenation of count parts. out may overlap key and parts. */
void hmac_sha256_parts(uint8_t out[32], view_t key, const view_t *parts, size_t count);

/* The first step of HKDF: a pseudorandom key of salt (may be empty) and input key material. prk may overlap both. */
void hkdf_extract(uint8_t prk[HKDF_PRK_LEN], view_t salt, view_t ikm);

/* The second step: n bytes for one purpose. out overlaps no input. RC_LIMIT: more than
 * HKDF_OUT_MAX, out untouched. */
NODISCARD rc_t hkdf_expand(uint8_t *out, size_t n, const uint8_t prk[HKDF_PRK_LEN], view_t info);

#endif
