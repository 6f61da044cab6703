/* points.h - BLS12-381 points as the EVM's precompiles use them: sums, multiples, pairings, maps. With bls.h and kzg.h
 * the door to blst.
 *
 * Spec:   EIP-2537 (curve, encoding of coordinates, maps); RFC 9380 (simplified SWU maps)
 * Floor:  2, bls. May include base/. No heap besides the arena, no I/O, clock or thread.
 * Tests:  tests/unit/test_precompile.c, tests/fuzz/fuzz_precompile.c, vectors kinds precompiles, kzg
 */
#ifndef BLS_POINTS_H
#define BLS_POINTS_H

#include "base/arena.h"
#include "lightclient/bls/bls.h"

#define BLS_FP_LEN 48u               /* a coordinate, big-endian, below the field's modulus */
#define BLS_FP2_LEN (2 * BLS_FP_LEN) /* real part, then imaginary part */
#define BLS_G1_LEN (2 * BLS_FP_LEN)  /* x, y; all zero is infinity */
#define BLS_G2_LEN (2 * BLS_FP2_LEN)

typedef bls_point_t bls_g1_t; /* affine, on the curve; may be infinity; in the subgroup where a function says so */

typedef struct {
    uint64_t opaque[24];
} bls_g2_t; /* the same on the twist */

typedef struct {
    uint8_t b[32];
} bls_scalar_t; /* big-endian, any value */

/* Decodes a point. RC_MALFORMED: a coordinate is not below the modulus, or the point is not on the curve; RC_REFUSED:
 * outside the subgroup, when check_subgroup. out is written only on RC_OK. */
NODISCARD rc_t bls_g1_decode(bls_g1_t *out, const uint8_t in[BLS_G1_LEN], bool check_subgroup);
NODISCARD rc_t bls_g2_decode(bls_g2_t *out, const uint8_t in[BLS_G2_LEN], bool check_subgroup);

/* The coordinates of a point. */
void bls_g1_encode(uint8_t out[BLS_G1_LEN], const bls_g1_t *p);
void bls_g2_encode(uint8_t out[BLS_G2_LEN], const bls_g2_t *p);

/* p + q, for any two points of the curve. */
void bls_g1_add(bls_g1_t *out, const bls_g1_t *p, const bls_g1_t *q);
void bls_g2_add(bls_g2_t *out, const bls_g2_t *p, const bls_g2_t *q);

/* The sum of scalars[i] * points[i]; infinity for count 0.
 *   a                memory of the computation, at most 120 KiB or 400 bytes a point; RC_NOMEM when there is none
 *   points, scalars  count of each, all points in the subgroup; overwritten */
NODISCARD rc_t bls_g1_msm(arena_t *a, bls_g1_t *out, bls_g1_t *points, bls_scalar_t *scalars, size_t count);
NODISCARD rc_t bls_g2_msm(arena_t *a, bls_g2_t *out, bls_g2_t *points, bls_scalar_t *scalars, size_t count);

/* Whether the product of the pairings e(p[i], q[i]) is one; true for count 0. All points in the subgroup; both arrays
 * are overwritten. */
bool bls_pairing_is_one(bls_g1_t *p, bls_g2_t *q, size_t count);

/* The same in pieces: an empty product, count pairings more (the arrays are overwritten), and the question. */
typedef struct {
    uint64_t w[72];
} bls_product_t;
void bls_product_start(bls_product_t *f);
void bls_product_multiply(bls_product_t *f, bls_g1_t *p, bls_g2_t *q, size_t count);
bool bls_product_is_one(const bls_product_t *f);

/* Maps a field element to a point of the subgroup. RC_MALFORMED: not below the modulus. */
NODISCARD rc_t bls_g1_map(bls_g1_t *out, const uint8_t in[BLS_FP_LEN]);
NODISCARD rc_t bls_g2_map(bls_g2_t *out, const uint8_t in[BLS_FP2_LEN]);

#endif
