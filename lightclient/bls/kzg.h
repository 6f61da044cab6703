/* kzg.h - KZG point evaluation: that the polynomial behind a commitment has a value at a point.
 *
 * Spec:   EIP-4844; ethereum/consensus-specs specs/deneb/polynomial-commitments.md, verify_kzg_proof; the trusted setup
 *         of the mainnet ceremony
 * Floor:  2, bls. May include base/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_precompile.c, vectors kinds kzg, precompiles
 */
#ifndef BLS_KZG_H
#define BLS_KZG_H

#include "base/bytes.h"
#include "base/rc.h"

#define KZG_POINT_LEN 48u /* compressed G1: a commitment or a proof */
#define KZG_FIELD_ELEMENTS_PER_BLOB 4096u

/* The order of the subgroup, called BLS_MODULUS there: scalars are below it. Big-endian. */
extern const hash32_t KZG_MODULUS;

/* The one point of the ceremony that a verification needs, as bls_g2_decode takes it: the generator of G2 times the
 * secret. */
extern const uint8_t KZG_SETUP_G2[192];

/* RC_OK when the proof shows that the polynomial with this commitment takes the value y at z; both are big-endian.
 * RC_MALFORMED: z or y is not below KZG_MODULUS, or commitment or proof is not the canonical encoding of a point of the
 * subgroup (infinity is one); RC_REFUSED: the proof is wrong. */
NODISCARD rc_t kzg_verify(const uint8_t commitment[KZG_POINT_LEN], const hash32_t *z, const hash32_t *y,
                          const uint8_t proof[KZG_POINT_LEN]);

#endif
