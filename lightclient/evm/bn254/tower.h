/* tower.h - the fields above fp: fp2 = fp[u]/(u^2 + 1), fp6 = fp2[v]/(v^3 - xi) with xi = 9 + u,
 * fp12 = fp6[w]/(w^2 - v).
 *
 * Outputs may overlap inputs everywhere. Not constant time: never for secrets.
 *
 * Spec:   EIP-197 (fp2 and the curve over it; the rest of the tower is this program's choice)
 * Floor:  2, evm/bn254. May include base/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_bn254.c
 */
#ifndef BN254_TOWER_H
#define BN254_TOWER_H

#include "lightclient/evm/bn254/fp.h"

typedef struct {
    fp_t c0, c1; /* c0 + c1 u */
} fp2_t;

typedef struct {
    fp2_t c0, c1, c2; /* c0 + c1 v + c2 v^2 */
} fp6_t;

typedef struct {
    fp6_t c0, c1; /* c0 + c1 w */
} fp12_t;

/* xi^(k (p - 1) / 6), k = 0 .. 5: what the Frobenius map a -> a^p multiplies w^k with. */
extern const fp2_t FP2_FROBENIUS[6];

static inline bool fp2_is_zero(const fp2_t *a)
{
    return fp_is_zero(&a->c0) && fp_is_zero(&a->c1);
}

static inline bool fp2_eq(const fp2_t *a, const fp2_t *b)
{
    return fp_eq(&a->c0, &b->c0) && fp_eq(&a->c1, &b->c1);
}

static inline void fp2_add(fp2_t *r, const fp2_t *a, const fp2_t *b)
{
    r->c0 = fp_add(&a->c0, &b->c0);
    r->c1 = fp_add(&a->c1, &b->c1);
}

static inline void fp2_sub(fp2_t *r, const fp2_t *a, const fp2_t *b)
{
    r->c0 = fp_sub(&a->c0, &b->c0);
    r->c1 = fp_sub(&a->c1, &b->c1);
}

static inline void fp2_neg(fp2_t *r, const fp2_t *a)
{
    r->c0 = fp_neg(&a->c0);
    r->c1 = fp_neg(&a->c1);
}

static inline void fp2_dbl(fp2_t *r, const fp2_t *a)
{
    fp2_add(r, a, a);
}

/* a^p */
static inline void fp2_conj(fp2_t *r, const fp2_t *a)
{
    r->c0 = a->c0;
    r->c1 = fp_neg(&a->c1);
}

/* Products; by a number of fp; by xi; the inverse (zero for zero). */
void fp2_mul(fp2_t *r, const fp2_t *a, const fp2_t *b);
void fp2_sqr(fp2_t *r, const fp2_t *a);
void fp2_mul_fp(fp2_t *r, const fp2_t *a, const fp_t *b);
void fp2_mul_xi(fp2_t *r, const fp2_t *a);
void fp2_inv(fp2_t *r, const fp2_t *a);

/* r = 1; comparisons, every element having one form. */
void fp12_one(fp12_t *r);
bool fp12_eq(const fp12_t *a, const fp12_t *b);
bool fp12_is_one(const fp12_t *a);

/* Products and the inverse (zero for zero). */
void fp12_mul(fp12_t *r, const fp12_t *a, const fp12_t *b);
void fp12_sqr(fp12_t *r, const fp12_t *a);
void fp12_inv(fp12_t *r, const fp12_t *a);

/* a * (c0 + c1 w + c3 w^3): the form of a line of the pairing. */
void fp12_mul_line(fp12_t *r, const fp12_t *a, const fp2_t *c0, const fp2_t *c1, const fp2_t *c3);

/* a^(p^6), which is 1/a where a^(p^6 + 1) = 1; a^p. */
void fp12_conj(fp12_t *r, const fp12_t *a);
void fp12_frobenius(fp12_t *r, const fp12_t *a);

/* a^2 where a^(p^4 - p^2 + 1) = 1: Granger and Scott, "Faster squaring in the cyclotomic subgroup" (2009). */
void fp12_sqr_cyclotomic(fp12_t *r, const fp12_t *a);

#endif
