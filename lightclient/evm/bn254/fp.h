/* fp.h - the field of BN254: integers modulo p = 36x^4 + 36x^3 + 24x^2 + 6x + 1, x = 4965661367192848881.
 *
 * An element a is kept in Montgomery form, as a * 2^256 mod p, always below p, so that equal elements have equal limbs.
 * Not constant time: never for secrets.
 *
 * Spec:   EIP-196 (the field)
 * Floor:  2, evm/bn254. May include base/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_bn254.c, tests/fuzz/fuzz_bn254.c
 */
#ifndef BN254_FP_H
#define BN254_FP_H

#include "base/u256.h"

typedef struct {
    uint64_t w[4]; /* w[0] is the least significant limb */
} fp_t;

/* p, and -1/p mod 2^64 (whose lower 31 bits are -1/p mod 2^31). */
#define FP_P0 0x3c208c16d87cfd47u
#define FP_P1 0x97816a916871ca8du
#define FP_P2 0xb85045b68181585du
#define FP_P3 0x30644e72e131a029u
#define FP_INV 0x87d20782e4866389u

static const fp_t FP_0;
/* 1: 2^256 mod p */
static const fp_t FP_1 = { { 0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f } };

static inline bool fp_is_zero(const fp_t *a)
{
    return (a->w[0] | a->w[1] | a->w[2] | a->w[3]) == 0;
}

static inline bool fp_eq(const fp_t *a, const fp_t *b)
{
    return ((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3])) == 0;
}

/* The number t3 .. t0, which is below 2p, modulo p. */
static inline fp_t fp_below_2p(uint64_t t0, uint64_t t1, uint64_t t2, uint64_t t3)
{
    unsigned char borrow = 0;
    uint64_t r0 = u64_subb(t0, FP_P0, &borrow), r1 = u64_subb(t1, FP_P1, &borrow), r2 = u64_subb(t2, FP_P2, &borrow),
             r3 = u64_subb(t3, FP_P3, &borrow);
    return (fp_t){ { borrow ? t0 : r0, borrow ? t1 : r1, borrow ? t2 : r2, borrow ? t3 : r3 } };
}

static inline fp_t fp_add(const fp_t *a, const fp_t *b)
{
    unsigned char carry = 0; /* 2p is below 2^255 */
    uint64_t t0 = u64_addc(a->w[0], b->w[0], &carry), t1 = u64_addc(a->w[1], b->w[1], &carry),
             t2 = u64_addc(a->w[2], b->w[2], &carry), t3 = u64_addc(a->w[3], b->w[3], &carry);
    return fp_below_2p(t0, t1, t2, t3);
}

static inline fp_t fp_sub(const fp_t *a, const fp_t *b)
{
    unsigned char borrow = 0, carry = 0;
    uint64_t t0 = u64_subb(a->w[0], b->w[0], &borrow), t1 = u64_subb(a->w[1], b->w[1], &borrow),
             t2 = u64_subb(a->w[2], b->w[2], &borrow), t3 = u64_subb(a->w[3], b->w[3], &borrow),
             mask = 0 - (uint64_t)borrow;
    fp_t r;
    r.w[0] = u64_addc(t0, FP_P0 & mask, &carry);
    r.w[1] = u64_addc(t1, FP_P1 & mask, &carry);
    r.w[2] = u64_addc(t2, FP_P2 & mask, &carry);
    r.w[3] = u64_addc(t3, FP_P3 & mask, &carry);
    return r;
}

static inline fp_t fp_neg(const fp_t *a)
{
    return fp_sub(&FP_0, a);
}

static inline fp_t fp_dbl(const fp_t *a)
{
    return fp_add(a, a);
}

/* t[0 .. 4] = a * b for a of four limbs and b of one. Rows of limbs are variables, so that each addition is one chain
 * of carries in registers. */
#define FP_ROW(t, a0, a1, a2, a3, b)                                                                                   \
    do {                                                                                                               \
        u128_t p0_ = (u128_t)(a0) * (b), p1_ = (u128_t)(a1) * (b), p2_ = (u128_t)(a2) * (b), p3_ = (u128_t)(a3) * (b); \
        unsigned char c_ = 0;                                                                                          \
        t##0 = (uint64_t)p0_;                                                                                          \
        t##1 = u64_addc((uint64_t)p1_, (uint64_t)(p0_ >> 64), &c_);                                                    \
        t##2 = u64_addc((uint64_t)p2_, (uint64_t)(p1_ >> 64), &c_);                                                    \
        t##3 = u64_addc((uint64_t)p3_, (uint64_t)(p2_ >> 64), &c_);                                                    \
        t##4 = u64_addc((uint64_t)(p3_ >> 64), 0, &c_);                                                                \
    } while (0)

/* x[0 .. 4] += y[0 .. 3] + top * 2^256, which fits. */
#define FP_ADD_ROW(x, y0, y1, y2, y3, top)                                                                             \
    do {                                                                                                               \
        unsigned char k_ = 0;                                                                                          \
        x##0 = u64_addc(x##0, y0, &k_);                                                                                \
        x##1 = u64_addc(x##1, y1, &k_);                                                                                \
        x##2 = u64_addc(x##2, y2, &k_);                                                                                \
        x##3 = u64_addc(x##3, y3, &k_);                                                                                \
        x##4 = u64_addc(x##4, top, &k_);                                                                               \
    } while (0)

/* r[0 .. 3] = (x + m p) / 2^64 with the m that makes the lowest limb zero. */
#define FP_REDUCE(r, x)                                                                                                \
    do {                                                                                                               \
        unsigned char k_ = 0;                                                                                          \
        uint64_t m_ = x##0 * FP_INV, m0, m1, m2, m3, m4;                                                               \
        FP_ROW(m, FP_P0, FP_P1, FP_P2, FP_P3, m_);                                                                     \
        (void)u64_addc(x##0, m0, &k_);                                                                                 \
        r##0 = u64_addc(x##1, m1, &k_);                                                                                \
        r##1 = u64_addc(x##2, m2, &k_);                                                                                \
        r##2 = u64_addc(x##3, m3, &k_);                                                                                \
        r##3 = u64_addc(x##4, m4, &k_);                                                                                \
    } while (0)

/* a * b / 2^256, a limb of b at a time: r = (r + a b_i + m p) / 2^64 stays below 2p. */
__attribute__((always_inline)) static inline fp_t fp_mul(const fp_t *a, const fp_t *b)
{
    uint64_t r0 = 0, r1 = 0, r2 = 0, r3 = 0, x0, x1, x2, x3, x4;
#define ROUND(i)                                                                                                       \
    FP_ROW(x, a->w[0], a->w[1], a->w[2], a->w[3], b->w[i]);                                                            \
    FP_ADD_ROW(x, r0, r1, r2, r3, 0);                                                                                  \
    FP_REDUCE(r, x)
    ROUND(0);
    ROUND(1);
    ROUND(2);
    ROUND(3);
#undef ROUND
    return fp_below_2p(r0, r1, r2, r3);
}

/* a * b + c * d with one reduction: r stays below 3p, which is below 2^256, and ends below
 * p (2p / 2^256 + 1), which is below 2p. */
__attribute__((always_inline)) static inline fp_t fp_mul_mul(const fp_t *a, const fp_t *b, const fp_t *c, const fp_t *d)
{
    uint64_t r0 = 0, r1 = 0, r2 = 0, r3 = 0, x0, x1, x2, x3, x4, y0, y1, y2, y3, y4;
#define ROUND(i)                                                                                                       \
    FP_ROW(x, a->w[0], a->w[1], a->w[2], a->w[3], b->w[i]);                                                            \
    FP_ADD_ROW(x, r0, r1, r2, r3, 0);                                                                                  \
    FP_ROW(y, c->w[0], c->w[1], c->w[2], c->w[3], d->w[i]);                                                            \
    FP_ADD_ROW(x, y0, y1, y2, y3, y4);                                                                                 \
    FP_REDUCE(r, x)
    ROUND(0);
    ROUND(1);
    ROUND(2);
    ROUND(3);
#undef ROUND
    return fp_below_2p(r0, r1, r2, r3);
}

static inline fp_t fp_sqr(const fp_t *a)
{
    return fp_mul(a, a);
}

/* 1/a; zero for zero. */
fp_t fp_inv(const fp_t *a);

/* Reads 32 big-endian bytes. False, and *out untouched: not below p. */
bool fp_from_be32(fp_t *out, const uint8_t in[32]);
void fp_to_be32(uint8_t out[32], const fp_t *a);

#endif
