/* shares.h - a secret split among some people, so many of whom have it together; fewer know nothing of it: Shamir's
 * scheme, each byte by itself, over GF(256) with the polynomial 0x11b.
 *
 * A share says nothing of whether it is right: whoever joins shares compares what comes of them (with a public key),
 * and knows each share by its hash.
 *
 * Spec:   Shamir, "How to share a secret" (1979); the field of FIPS 197; overlay-facts-more G
 * Floor:  1, base/crypto. No heap, I/O or clock; randomness is an argument. Time depends on counts alone.
 * Tests:  tests/unit/test_shares.c
 */
#ifndef BASE_CRYPTO_SHARES_H
#define BASE_CRYPTO_SHARES_H

#include "base/bytes.h"
#include "base/rc.h"

#define SHARES_MAX 16u
#define SHARES_SECRET_LEN 32u

/* Secret as what it was made of: the caller wipes it. */
typedef struct {
    uint8_t x; /* whose: 1 to SHARES_MAX */
    uint8_t y[SHARES_SECRET_LEN];
} share_t;

/* Splits a secret into count shares, x = 1 to count, of which threshold are needed.
 *   random  (threshold - 1) * SHARES_SECRET_LEN bytes, secret and used once: wiped by the caller
 * RC_LIMIT: not 2 <= threshold <= count <= SHARES_MAX; nothing is written then. */
NODISCARD rc_t shares_split(share_t *out, const uint8_t secret[SHARES_SECRET_LEN], const uint8_t *random,
                            unsigned threshold, unsigned count);

/* The secret of which so many shares are; of fewer, or others, some other 32 bytes. RC_LIMIT: none, or more than
 * SHARES_MAX; RC_MALFORMED: x is 0, above SHARES_MAX, or the same twice. out is written only on RC_OK. */
NODISCARD rc_t shares_join(uint8_t out[SHARES_SECRET_LEN], const share_t *shares, unsigned count);

#endif
