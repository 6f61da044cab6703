#include "lightclient/evm/bn254/bn254.h"

/* (x / z^2, y / z^3); infinity has z = 0. */
typedef struct {
    fp2_t x, y, z;
} jacobian_t;

static bool on_twist(const bn254_g2_t *q)
{
    static const fp2_t b = { /* 3 / (9 + u) */
                             { { 0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d } },
                             { { 0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d } }
    };
    fp2_t left, right;
    fp2_sqr(&left, &q->y);
    fp2_sqr(&right, &q->x);
    fp2_mul(&right, &right, &q->x);
    fp2_add(&right, &right, &b);
    return fp2_eq(&left, &right);
}

static void jacobian_double(jacobian_t *t)
{
    fp2_t a, b, c, d, e, f;
    fp2_sqr(&a, &t->x);
    fp2_sqr(&b, &t->y);
    fp2_sqr(&c, &b);
    fp2_add(&d, &t->x, &b); /* d = 4 x y^2 = 2 ((x + b)^2 - a - c) */
    fp2_sqr(&d, &d);
    fp2_sub(&d, &d, &a);
    fp2_sub(&d, &d, &c);
    fp2_dbl(&d, &d);
    fp2_dbl(&e, &a);
    fp2_add(&e, &e, &a);
    fp2_sqr(&f, &e);
    fp2_mul(&t->z, &t->y, &t->z);
    fp2_dbl(&t->z, &t->z);
    fp2_sub(&f, &f, &d);
    fp2_sub(&t->x, &f, &d);
    fp2_sub(&d, &d, &t->x);
    fp2_mul(&d, &d, &e);
    fp2_dbl(&c, &c);
    fp2_dbl(&c, &c);
    fp2_dbl(&c, &c);
    fp2_sub(&t->y, &d, &c);
}

/* t += q */
static void jacobian_add(jacobian_t *t, const bn254_g2_t *q)
{
    fp2_t zz, h, r, hh, hhh, v, s;
    if (bn254_g2_is_infinity(q))
        return;
    if (fp2_is_zero(&t->z)) {
        *t = (jacobian_t){ q->x, q->y, { FP_1, FP_0 } };
        return;
    }
    fp2_sqr(&zz, &t->z);
    fp2_mul(&h, &q->x, &zz);
    fp2_sub(&h, &h, &t->x);
    fp2_mul(&r, &q->y, &t->z);
    fp2_mul(&r, &r, &zz);
    fp2_sub(&r, &r, &t->y);
    if (fp2_is_zero(&h)) {
        if (fp2_is_zero(&r))
            jacobian_double(t);
        else
            t->z = (fp2_t){ FP_0, FP_0 };
        return;
    }
    fp2_sqr(&hh, &h);
    fp2_mul(&hhh, &hh, &h);
    fp2_mul(&v, &t->x, &hh);
    fp2_sqr(&s, &r);
    fp2_sub(&s, &s, &hhh);
    fp2_sub(&s, &s, &v);
    fp2_sub(&t->x, &s, &v);
    fp2_sub(&v, &v, &t->x);
    fp2_mul(&v, &v, &r);
    fp2_mul(&s, &t->y, &hhh);
    fp2_sub(&t->y, &v, &s);
    fp2_mul(&t->z, &t->z, &h);
}

static void to_affine(bn254_g2_t *out, const jacobian_t *t)
{
    fp2_t k, kk;
    fp2_inv(&k, &t->z); /* infinity: 0 */
    fp2_sqr(&kk, &k);
    fp2_mul(&k, &k, &kk);
    fp2_mul(&out->x, &t->x, &kk);
    fp2_mul(&out->y, &t->y, &k);
}

static void negate(bn254_g2_t *out, const bn254_g2_t *q)
{
    out->x = q->x;
    fp2_neg(&out->y, &q->y);
}

void bn254_g2_frobenius(bn254_g2_t *out, const bn254_g2_t *q)
{
    fp2_conj(&out->x, &q->x);
    fp2_mul(&out->x, &out->x, &FP2_FROBENIUS[2]);
    fp2_conj(&out->y, &q->y);
    fp2_mul(&out->y, &out->y, &FP2_FROBENIUS[3]);
}

/* x times q, through the non-adjacent form of x: 3x and x differ in the bits where its digits stand. */
static void times_x(bn254_g2_t *out, const bn254_g2_t *q)
{
    jacobian_t t = { { FP_1, FP_0 }, { FP_1, FP_0 }, { FP_0, FP_0 } };
    bn254_g2_t minus;
    u128_t x = BN254_X, thrice = 3 * x, plus_bits = thrice & ~x, minus_bits = x & ~thrice;
    negate(&minus, q);
    for (unsigned i = 65; i-- > 1;) {
        jacobian_double(&t);
        if (plus_bits >> i & 1)
            jacobian_add(&t, q);
        else if (minus_bits >> i & 1)
            jacobian_add(&t, &minus);
    }
    to_affine(out, &t);
}

/* With psi the Frobenius map on the twist: (x + 1) + x psi + x psi^2 - 2x psi^3 is 0 on G2, where psi multiplies by p.
 * On the whole twist psi^2 - (6x^2 + 1) psi + p = 0; modulo that the sum is a + b psi, and its norm
 * a^2 + (6x^2 + 1) a b + p b^2 and the number of points r (2p - r) have the greatest common divisor r. So a point that
 * the sum takes to infinity has an order that divides r. */
static bool in_subgroup(const bn254_g2_t *q)
{
    bn254_g2_t t;
    jacobian_t sum = { q->x, q->y, { FP_1, FP_0 } };
    times_x(&t, q);
    jacobian_add(&sum, &t);
    bn254_g2_frobenius(&t, &t);
    jacobian_add(&sum, &t);
    bn254_g2_frobenius(&t, &t);
    jacobian_add(&sum, &t);
    bn254_g2_frobenius(&t, &t);
    negate(&t, &t);
    jacobian_add(&sum, &t);
    jacobian_add(&sum, &t);
    return fp2_is_zero(&sum.z);
}

rc_t bn254_g2_decode(bn254_g2_t *out, const uint8_t in[BN254_G2_LEN])
{
    bn254_g2_t q;
    if (!fp_from_be32(&q.x.c1, in) || !fp_from_be32(&q.x.c0, in + 32) || !fp_from_be32(&q.y.c1, in + 64) ||
        !fp_from_be32(&q.y.c0, in + 96))
        return RC_MALFORMED;
    if (!bn254_g2_is_infinity(&q)) {
        if (!on_twist(&q))
            return RC_MALFORMED;
        if (!in_subgroup(&q))
            return RC_REFUSED;
    }
    *out = q;
    return RC_OK;
}
