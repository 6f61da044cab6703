/* bn254.h - the pairing-friendly curve BN254 (alt_bn128): y^2 = x^3 + 3 over fp, its sextic twist
 * y^2 = x^3 + 3 / (9 + u) over fp2, and the optimal ate pairing.
 *
 * Points are affine; infinity is (0, 0), which lies on neither curve. Not constant time: never for secrets.
 *
 * Spec:   EIP-196, EIP-197
 * Floor:  2, evm/bn254. May include base/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_bn254.c, tests/fuzz/fuzz_bn254.c, vectors kind precompiles; bench: precompiles
 */
#ifndef BN254_BN254_H
#define BN254_BN254_H

#include "base/rc.h"
#include "lightclient/evm/bn254/tower.h"

#define BN254_G1_LEN 64u  /* x, y: 32 big-endian bytes each */
#define BN254_G2_LEN 128u /* x, y: imaginary part, then real part */

/* The number x of which p and the order r = 36x^4 + 36x^3 + 18x^2 + 6x + 1 are made. */
#define BN254_X 0x44e992b44a6909f1u

typedef struct {
    fp_t x, y;
} bn254_g1_t;

typedef struct {
    fp2_t x, y;
} bn254_g2_t;

static inline bool bn254_g1_is_infinity(const bn254_g1_t *p)
{
    return fp_is_zero(&p->x) && fp_is_zero(&p->y);
}

static inline bool bn254_g2_is_infinity(const bn254_g2_t *q)
{
    return fp2_is_zero(&q->x) && fp2_is_zero(&q->y);
}

/* RC_MALFORMED: a coordinate is not below p, or the point is neither on the curve nor (0, 0). All points of the curve
 * have order r. */
NODISCARD rc_t bn254_g1_decode(bn254_g1_t *out, const uint8_t in[BN254_G1_LEN]);
void bn254_g1_encode(uint8_t out[BN254_G1_LEN], const bn254_g1_t *p);

/* The same for the twist; RC_REFUSED: on the twist, but not of order r. */
NODISCARD rc_t bn254_g2_decode(bn254_g2_t *out, const uint8_t in[BN254_G2_LEN]);

/* p + q for any two points of G1, and p times any number of 256 bits. out may overlap the inputs. */
void bn254_g1_add(bn254_g1_t *out, const bn254_g1_t *p, const bn254_g1_t *q);
void bn254_g1_mul(bn254_g1_t *out, const bn254_g1_t *p, const u256_t *k);

/* The map (x, y) -> (x^p, y^p) of the curve, brought to the twist; on G2 it multiplies by p. */
void bn254_g2_frobenius(bn254_g2_t *out, const bn254_g2_t *q);

/* The product of the n pairings e(p[i], q[i]), a pair with infinity giving 1, before (miller) and after (product) the
 * final exponentiation. All q in G2. The product is the usual one to the fixed power 2x (6x^2 + 3x + 1), which is prime
 * to r: equations between products hold as they do there. */
void bn254_miller(fp12_t *out, const bn254_g1_t *p, const bn254_g2_t *q, size_t n);
void bn254_final_exp(fp12_t *out, const fp12_t *f);

/* True when the product of the n pairings is 1. */
bool bn254_pairing_is_one(const bn254_g1_t *p, const bn254_g2_t *q, size_t n);

#endif
