#include "lightclient/evm/bn254/tower.h"

const fp2_t FP2_FROBENIUS[6] = {
    { { { 0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f } }, { { 0 } } },
    { { { 0xaf9ba69633144907, 0xca6b1d7387afb78a, 0x11bded5ef08a2087, 0x02f34d751a1f3a7c } },
      { { 0xa222ae234c492d72, 0xd00f02a4565de15b, 0xdc2ff3a253dfc926, 0x10a75716b3899551 } } },
    { { { 0xb5773b104563ab30, 0x347f91c8a9aa6454, 0x7a007127242e0991, 0x1956bcd8118214ec } },
      { { 0x6e849f1ea0aa4757, 0xaa1c7b6d89f89141, 0xb6e713cdfae0ca3a, 0x26694fbb4e82ebc3 } } },
    { { { 0xe4bbdd0c2936b629, 0xbb30f162e133bacb, 0x31a9d1b6f9645366, 0x253570bea500f8dd } },
      { { 0xa1d77ce45ffe77c7, 0x07affd117826d1db, 0x6d16bd27bb7edc6b, 0x2c87200285defecc } } },
    { { { 0x7361d77f843abe92, 0xa5bb2bd3273411fb, 0x9c941f314b3e2399, 0x15df9cddbb9fd3ec } },
      { { 0x5dddfd154bd8c949, 0x62cb29a5a4445b60, 0x37bc870a0c7dd2b9, 0x24830a9d3171f0fd } } },
    { { { 0xc970692f41690fe7, 0xe240342127694b0b, 0x32bee66b83c459e8, 0x12aabced0ab08841 } },
      { { 0x0d485d2340aebfa9, 0x05193418ab2fcc57, 0xd3b0a40b8a4910f5, 0x2f21ebb535d2925a } } },
};

/* ---- fp2 ---- */

void fp2_mul(fp2_t *r, const fp2_t *a, const fp2_t *b)
{
    fp_t minus = fp_neg(&a->c1), c0 = fp_mul_mul(&a->c0, &b->c0, &minus, &b->c1);
    r->c1 = fp_mul_mul(&a->c0, &b->c1, &a->c1, &b->c0);
    r->c0 = c0;
}

void fp2_sqr(fp2_t *r, const fp2_t *a)
{
    fp_t sum = fp_add(&a->c0, &a->c1), difference = fp_sub(&a->c0, &a->c1), twice = fp_dbl(&a->c0);
    r->c1 = fp_mul(&twice, &a->c1);
    r->c0 = fp_mul(&sum, &difference);
}

void fp2_mul_fp(fp2_t *r, const fp2_t *a, const fp_t *b)
{
    fp_t k = *b;
    r->c0 = fp_mul(&a->c0, &k);
    r->c1 = fp_mul(&a->c1, &k);
}

void fp2_mul_xi(fp2_t *r, const fp2_t *a)
{
    fp2_t t;
    fp2_dbl(&t, a);
    fp2_dbl(&t, &t);
    fp2_dbl(&t, &t);
    fp2_add(&t, &t, a);
    fp_t c0 = fp_sub(&t.c0, &a->c1);
    r->c1 = fp_add(&t.c1, &a->c0);
    r->c0 = c0;
}

void fp2_inv(fp2_t *r, const fp2_t *a)
{
    fp_t norm = fp_mul_mul(&a->c0, &a->c0, &a->c1, &a->c1), k = fp_inv(&norm);
    fp2_conj(r, a);
    fp2_mul_fp(r, r, &k);
}

/* ---- fp6 ---- */

static void fp6_add(fp6_t *r, const fp6_t *a, const fp6_t *b)
{
    fp2_add(&r->c0, &a->c0, &b->c0);
    fp2_add(&r->c1, &a->c1, &b->c1);
    fp2_add(&r->c2, &a->c2, &b->c2);
}

static void fp6_sub(fp6_t *r, const fp6_t *a, const fp6_t *b)
{
    fp2_sub(&r->c0, &a->c0, &b->c0);
    fp2_sub(&r->c1, &a->c1, &b->c1);
    fp2_sub(&r->c2, &a->c2, &b->c2);
}

static void fp6_neg(fp6_t *r, const fp6_t *a)
{
    fp2_neg(&r->c0, &a->c0);
    fp2_neg(&r->c1, &a->c1);
    fp2_neg(&r->c2, &a->c2);
}

static void fp6_mul_v(fp6_t *r, const fp6_t *a)
{
    fp2_t t;
    fp2_mul_xi(&t, &a->c2);
    r->c2 = a->c1;
    r->c1 = a->c0;
    r->c0 = t;
}

/* (a + b)(c + d) - ac - bd = ad + bc: one product instead of two. */
static void cross(fp2_t *r, const fp2_t *a, const fp2_t *b, const fp2_t *c, const fp2_t *d, const fp2_t *ac,
                  const fp2_t *bd)
{
    fp2_t s, t;
    fp2_add(&s, a, b);
    fp2_add(&t, c, d);
    fp2_mul(&s, &s, &t);
    fp2_sub(&s, &s, ac);
    fp2_sub(r, &s, bd);
}

static void fp6_mul(fp6_t *r, const fp6_t *a, const fp6_t *b)
{
    fp2_t t0, t1, t2, x0, x1, x2;
    fp2_mul(&t0, &a->c0, &b->c0);
    fp2_mul(&t1, &a->c1, &b->c1);
    fp2_mul(&t2, &a->c2, &b->c2);
    cross(&x0, &a->c1, &a->c2, &b->c1, &b->c2, &t1, &t2);
    cross(&x1, &a->c0, &a->c1, &b->c0, &b->c1, &t0, &t1);
    cross(&x2, &a->c0, &a->c2, &b->c0, &b->c2, &t0, &t2);
    fp2_mul_xi(&x0, &x0);
    fp2_add(&r->c0, &t0, &x0);
    fp2_mul_xi(&t2, &t2);
    fp2_add(&r->c1, &x1, &t2);
    fp2_add(&r->c2, &x2, &t1);
}

/* a * (d0 + d1 v) */
static void fp6_mul_sparse(fp6_t *r, const fp6_t *a, const fp2_t *d0, const fp2_t *d1)
{
    fp2_t t0, t1, x0, x1, x2;
    fp2_mul(&t0, &a->c0, d0);
    fp2_mul(&t1, &a->c1, d1);
    cross(&x1, &a->c0, &a->c1, d0, d1, &t0, &t1);
    fp2_mul(&x0, &a->c2, d1);
    fp2_mul(&x2, &a->c2, d0);
    fp2_mul_xi(&x0, &x0);
    fp2_add(&r->c0, &t0, &x0);
    r->c1 = x1;
    fp2_add(&r->c2, &x2, &t1);
}

static void fp6_mul_fp2(fp6_t *r, const fp6_t *a, const fp2_t *b)
{
    fp2_mul(&r->c0, &a->c0, b);
    fp2_mul(&r->c1, &a->c1, b);
    fp2_mul(&r->c2, &a->c2, b);
}

/* The adjugate over the norm: (A + B v + C v^2) / (a0 A + xi (a2 B + a1 C)). */
static void fp6_inv(fp6_t *r, const fp6_t *a)
{
    fp2_t A, B, C, t, norm;
    fp2_mul(&t, &a->c1, &a->c2);
    fp2_mul_xi(&t, &t);
    fp2_sqr(&A, &a->c0);
    fp2_sub(&A, &A, &t);
    fp2_mul(&t, &a->c0, &a->c1);
    fp2_sqr(&B, &a->c2);
    fp2_mul_xi(&B, &B);
    fp2_sub(&B, &B, &t);
    fp2_mul(&t, &a->c0, &a->c2);
    fp2_sqr(&C, &a->c1);
    fp2_sub(&C, &C, &t);
    fp2_mul(&norm, &a->c2, &B);
    fp2_mul(&t, &a->c1, &C);
    fp2_add(&norm, &norm, &t);
    fp2_mul_xi(&norm, &norm);
    fp2_mul(&t, &a->c0, &A);
    fp2_add(&norm, &norm, &t);
    fp2_inv(&norm, &norm);
    fp2_mul(&r->c0, &A, &norm);
    fp2_mul(&r->c1, &B, &norm);
    fp2_mul(&r->c2, &C, &norm);
}

/* ---- fp12 ---- */

void fp12_one(fp12_t *r)
{
    memset(r, 0, sizeof *r);
    r->c0.c0.c0 = FP_1;
}

bool fp12_eq(const fp12_t *a, const fp12_t *b)
{
    return memcmp(a, b, sizeof *a) == 0; /* limbs without padding, each number in its one form */
}

bool fp12_is_one(const fp12_t *a)
{
    fp12_t one;
    fp12_one(&one);
    return fp12_eq(a, &one);
}

void fp12_mul(fp12_t *r, const fp12_t *a, const fp12_t *b)
{
    fp6_t t0, t1, s, t;
    fp6_mul(&t0, &a->c0, &b->c0);
    fp6_mul(&t1, &a->c1, &b->c1);
    fp6_add(&s, &a->c0, &a->c1);
    fp6_add(&t, &b->c0, &b->c1);
    fp6_mul(&s, &s, &t);
    fp6_sub(&s, &s, &t0);
    fp6_sub(&r->c1, &s, &t1);
    fp6_mul_v(&t1, &t1);
    fp6_add(&r->c0, &t0, &t1);
}

/* c0^2 + v c1^2 = (c0 + c1)(c0 + v c1) - c0 c1 - v c0 c1 */
void fp12_sqr(fp12_t *r, const fp12_t *a)
{
    fp6_t s, t, both;
    fp6_mul(&both, &a->c0, &a->c1);
    fp6_mul_v(&t, &a->c1);
    fp6_add(&t, &t, &a->c0);
    fp6_add(&s, &a->c0, &a->c1);
    fp6_mul(&s, &s, &t);
    fp6_sub(&s, &s, &both);
    fp6_mul_v(&t, &both);
    fp6_sub(&r->c0, &s, &t);
    fp6_add(&r->c1, &both, &both);
}

void fp12_mul_line(fp12_t *r, const fp12_t *a, const fp2_t *c0, const fp2_t *c1, const fp2_t *c3)
{
    fp6_t t0, t1, s;
    fp2_t d0;
    fp6_mul_fp2(&t0, &a->c0, c0);
    fp6_mul_sparse(&t1, &a->c1, c1, c3);
    fp2_add(&d0, c0, c1);
    fp6_add(&s, &a->c0, &a->c1);
    fp6_mul_sparse(&s, &s, &d0, c3);
    fp6_sub(&s, &s, &t0);
    fp6_sub(&r->c1, &s, &t1);
    fp6_mul_v(&t1, &t1);
    fp6_add(&r->c0, &t0, &t1);
}

/* (c0 - c1 w) / (c0^2 - v c1^2) */
void fp12_inv(fp12_t *r, const fp12_t *a)
{
    fp6_t s, t;
    fp6_mul(&s, &a->c0, &a->c0);
    fp6_mul(&t, &a->c1, &a->c1);
    fp6_mul_v(&t, &t);
    fp6_sub(&s, &s, &t);
    fp6_inv(&s, &s);
    fp6_mul(&r->c0, &a->c0, &s);
    fp6_neg(&s, &s);
    fp6_mul(&r->c1, &a->c1, &s);
}

void fp12_conj(fp12_t *r, const fp12_t *a)
{
    r->c0 = a->c0;
    fp6_neg(&r->c1, &a->c1);
}

static void frobenius_part(fp2_t *r, const fp2_t *a, unsigned k)
{
    fp2_conj(r, a);
    fp2_mul(r, r, &FP2_FROBENIUS[k]);
}

void fp12_frobenius(fp12_t *r, const fp12_t *a)
{
    fp2_conj(&r->c0.c0, &a->c0.c0);
    frobenius_part(&r->c1.c0, &a->c1.c0, 1);
    frobenius_part(&r->c0.c1, &a->c0.c1, 2);
    frobenius_part(&r->c1.c1, &a->c1.c1, 3);
    frobenius_part(&r->c0.c2, &a->c0.c2, 4);
    frobenius_part(&r->c1.c2, &a->c1.c2, 5);
}

/* (a + b s)^2 with s^2 = xi: r0 = a^2 + xi b^2, r1 = 2ab. */
static void fp4_sqr(fp2_t *r0, fp2_t *r1, const fp2_t *a, const fp2_t *b)
{
    fp2_t s, t0, t1;
    fp2_sqr(&t0, a);
    fp2_sqr(&t1, b);
    fp2_add(&s, a, b);
    fp2_sqr(&s, &s);
    fp2_sub(&s, &s, &t0);
    fp2_sub(r1, &s, &t1);
    fp2_mul_xi(&t1, &t1);
    fp2_add(r0, &t0, &t1);
}

/* r = 3t - 2a and r = 3t + 2a */
static void thrice_less(fp2_t *r, const fp2_t *t, const fp2_t *a)
{
    fp2_t d;
    fp2_sub(&d, t, a);
    fp2_dbl(&d, &d);
    fp2_add(r, &d, t);
}

static void thrice_more(fp2_t *r, const fp2_t *t, const fp2_t *a)
{
    fp2_t d;
    fp2_add(&d, t, a);
    fp2_dbl(&d, &d);
    fp2_add(r, &d, t);
}

/* a as three numbers of fp4 = fp2[w^3]: (1, w^3), (w, w^4), (w^2, w^5). */
void fp12_sqr_cyclotomic(fp12_t *r, const fp12_t *a)
{
    fp2_t a0, a1, b0, b1, c0, c1;
    fp4_sqr(&a0, &a1, &a->c0.c0, &a->c1.c1);
    fp4_sqr(&b0, &b1, &a->c1.c0, &a->c0.c2);
    fp4_sqr(&c0, &c1, &a->c0.c1, &a->c1.c2);
    fp2_mul_xi(&c1, &c1);
    thrice_less(&r->c0.c0, &a0, &a->c0.c0);
    thrice_more(&r->c1.c1, &a1, &a->c1.c1);
    thrice_more(&r->c1.c0, &c1, &a->c1.c0);
    thrice_less(&r->c0.c2, &c0, &a->c0.c2);
    thrice_less(&r->c0.c1, &b0, &a->c0.c1);
    thrice_more(&r->c1.c2, &b1, &a->c1.c2);
}
