/* The optimal ate pairing (Vercauteren, "Optimal pairings", 2008): a function of q for the multiple 6x + 2, times the
 * lines that add pi q and -pi^2 q, evaluated at p; all pairs share the squarings and the final exponentiation. */
#include "lightclient/evm/bn254/bn254.h"

#define PAIRS 16u /* that share a loop; more go through it in several turns */

/* A pair, and the running multiple t of q in homogeneous coordinates (x / z, y / z). */
typedef struct {
    fp_t px, minus_py;
    bn254_g2_t q;
    fp2_t x, y, z;
} pair_t;

static void half(fp_t *r)
{
    unsigned char carry = 0;
    uint64_t mask = 0 - (r->w[0] & 1);
    uint64_t t0 = u64_addc(r->w[0], FP_P0 & mask, &carry), t1 = u64_addc(r->w[1], FP_P1 & mask, &carry),
             t2 = u64_addc(r->w[2], FP_P2 & mask, &carry), t3 = u64_addc(r->w[3], FP_P3 & mask, &carry);
    *r = (fp_t){ { u64_shr_pair(t1, t0, 1), u64_shr_pair(t2, t1, 1), u64_shr_pair(t3, t2, 1), t3 >> 1 } };
}

/* f *= the tangent at t, evaluated at p; t *= 2. On the curve over fp12 the point (x, y) of the twist is
 * (x w^2, y w^3), so the line of slope k on the twist is y_p - k x_p w + (k x - y) w^3. Here k = 3 x^2 / 2 y z, and all
 * is multiplied by -2 y z, a factor in fp2 that the final exponentiation removes. Formulas: Costello, Lange, Naehrig,
 * "Faster pairing computations on curves with high-degree twists" (2010), section 5. */
static void double_step(fp12_t *f, pair_t *m)
{
    static const fp2_t b3 = { /* 9 / (9 + u): three times the twist's constant */
                              { { 0x3baa927cb62e0d6a, 0xd71e7c52d1b664fd, 0x03873e63d95d4664, 0x0e75b5b1082ab8f4 } },
                              { { 0xaab7c6667596fe35, 0x31d21a78bb6a27ba, 0x85dd7297680401ff, 0x03c52d6adf39a7e9 } }
    };
    fp2_t a, b, c, e, e3, g, h, c0, c1, c3;
    fp2_mul(&a, &m->x, &m->y);
    half(&a.c0), half(&a.c1); /* a = x y / 2 */
    fp2_sqr(&b, &m->y);
    fp2_sqr(&c, &m->z);
    fp2_mul(&e, &c, &b3); /* e = 3 b z^2 */
    fp2_add(&h, &m->y, &m->z);
    fp2_sqr(&h, &h);
    fp2_sub(&h, &h, &b);
    fp2_sub(&h, &h, &c); /* h = 2 y z */
    fp2_sqr(&c1, &m->x);
    fp2_dbl(&g, &c1);
    fp2_add(&c1, &c1, &g);
    fp2_mul_fp(&c1, &c1, &m->px); /* 3 x^2 x_p */
    fp2_mul_fp(&c0, &h, &m->minus_py);
    fp2_sub(&c3, &e, &b);
    fp2_dbl(&e3, &e);
    fp2_add(&e3, &e3, &e);
    fp2_sub(&g, &b, &e3);
    fp2_mul(&m->x, &a, &g); /* x = a (b - 3e) */
    fp2_add(&g, &b, &e3);
    half(&g.c0), half(&g.c1);
    fp2_sqr(&g, &g);
    fp2_sqr(&e, &e);
    fp2_dbl(&e3, &e);
    fp2_add(&e3, &e3, &e);
    fp2_sub(&m->y, &g, &e3); /* y = ((b + 3e) / 2)^2 - 3 e^2 */
    fp2_mul(&m->z, &b, &h);
    fp12_mul_line(f, f, &c0, &c1, &c3);
}

/* f *= the line through t and q, evaluated at p; t += q. Its slope is d / l. */
static void add_step(fp12_t *f, pair_t *m, const bn254_g2_t *q)
{
    fp2_t d, l, dd, ll, lll, xll, s, c0, c1, c3;
    fp2_mul(&d, &q->y, &m->z);
    fp2_sub(&d, &m->y, &d);
    fp2_mul(&l, &q->x, &m->z);
    fp2_sub(&l, &m->x, &l);
    fp2_mul_fp(&c0, &l, &m->minus_py);
    fp2_mul_fp(&c1, &d, &m->px);
    fp2_mul(&c3, &l, &q->y);
    fp2_mul(&s, &d, &q->x);
    fp2_sub(&c3, &c3, &s); /* -(l y_p - d x_p w + (d x_q - l y_q) w^3) */
    fp2_sqr(&dd, &d);
    fp2_sqr(&ll, &l);
    fp2_mul(&lll, &ll, &l);
    fp2_mul(&dd, &dd, &m->z);
    fp2_mul(&xll, &m->x, &ll);
    fp2_add(&s, &lll, &dd);
    fp2_sub(&s, &s, &xll);
    fp2_sub(&s, &s, &xll); /* l^3 + d^2 z - 2 x l^2 */
    fp2_mul(&m->x, &l, &s);
    fp2_sub(&s, &xll, &s);
    fp2_mul(&s, &s, &d);
    fp2_mul(&m->y, &m->y, &lll);
    fp2_sub(&m->y, &s, &m->y);
    fp2_mul(&m->z, &m->z, &lll);
    fp12_mul_line(f, f, &c0, &c1, &c3);
}

static void loop(fp12_t *f, pair_t *pairs, size_t n)
{
    const u128_t count = (u128_t)6 * BN254_X + 2, thrice = 3 * count; /* non-adjacent form: where these differ */
    const u128_t plus_bits = thrice & ~count, minus_bits = count & ~thrice;
    bn254_g2_t minus, image;
    fp12_one(f);
    for (unsigned i = 66; i-- > 1;) { /* bit 66 of the form, for q itself, is where t begins */
        fp12_sqr(f, f);
        for (size_t k = 0; k < n; k++) {
            pair_t *m = &pairs[k];
            double_step(f, m);
            if (plus_bits >> i & 1) {
                add_step(f, m, &m->q);
            } else if (minus_bits >> i & 1) {
                minus.x = m->q.x;
                fp2_neg(&minus.y, &m->q.y);
                add_step(f, m, &minus);
            }
        }
    }
    for (size_t k = 0; k < n; k++) {
        bn254_g2_frobenius(&image, &pairs[k].q);
        add_step(f, &pairs[k], &image);
        bn254_g2_frobenius(&image, &image);
        fp2_neg(&image.y, &image.y);
        add_step(f, &pairs[k], &image);
    }
}

void bn254_miller(fp12_t *out, const bn254_g1_t *p, const bn254_g2_t *q, size_t n)
{
    fp12_t f;
    fp12_one(out);
    for (size_t i = 0; i < n;) {
        pair_t pairs[PAIRS];
        size_t taken = 0;
        for (; i < n && taken < PAIRS; i++) {
            if (bn254_g1_is_infinity(&p[i]) || bn254_g2_is_infinity(&q[i]))
                continue;
            pairs[taken++] = (pair_t){ p[i].x, fp_neg(&p[i].y), q[i], q[i].x, q[i].y, { FP_1, FP_0 } };
        }
        if (taken) {
            loop(&f, pairs, taken);
            fp12_mul(out, out, &f);
        }
    }
}

/* a^x, a in the cyclotomic subgroup, where the conjugate is the inverse. */
static void power_x(fp12_t *out, const fp12_t *a)
{
    const u128_t x = BN254_X, thrice = 3 * x, plus_bits = thrice & ~x, minus_bits = x & ~thrice;
    fp12_t f = *a, inverse;
    fp12_conj(&inverse, a);
    for (unsigned i = 63; i-- > 1;) { /* bit 63 of the non-adjacent form is where f begins */
        fp12_sqr_cyclotomic(&f, &f);
        if (plus_bits >> i & 1)
            fp12_mul(&f, &f, a);
        else if (minus_bits >> i & 1)
            fp12_mul(&f, &f, &inverse);
    }
    *out = f;
}

/* f^((p^6 - 1)(p^2 + 1)), then the power 2x (6x^2 + 3x + 1) (p^4 - p^2 + 1) / r, which in base p has the digits
 * 12x^3 + 12x^2 + 6x + 1, 12x^3 + 6x^2 + 4x, 12x^3 + 6x^2 + 6x, 12x^3 + 6x^2 + 4x - 1 (Fuentes-Castaneda, Knapp,
 * Rodriguez-Henriquez, "Faster hashing to G2", 2011). */
void bn254_final_exp(fp12_t *out, const fp12_t *in)
{
    fp12_t f, t, x2, x6, xx6, xxx12, a, b;
    fp12_inv(&t, in);
    fp12_conj(&f, in);
    fp12_mul(&f, &f, &t);
    fp12_frobenius(&t, &f);
    fp12_frobenius(&t, &t);
    fp12_mul(&f, &f, &t);

    power_x(&x2, &f);
    fp12_sqr_cyclotomic(&x2, &x2); /* f^2x */
    fp12_sqr_cyclotomic(&x6, &x2);
    fp12_mul(&x6, &x6, &x2); /* f^6x */
    power_x(&xx6, &x6);      /* f^(6x^2) */
    fp12_sqr_cyclotomic(&t, &xx6);
    power_x(&xxx12, &t); /* f^(12x^3) */
    fp12_mul(&a, &xxx12, &xx6);
    fp12_mul(&a, &a, &x6); /* the digit of p^2 */
    fp12_conj(&t, &x2);
    fp12_mul(&b, &a, &t); /* the digit of p */

    fp12_conj(&t, &f);
    fp12_mul(&t, &t, &b); /* the digit of p^3; Horner's rule from here on */
    fp12_frobenius(&t, &t);
    fp12_mul(&t, &t, &a);
    fp12_frobenius(&t, &t);
    fp12_mul(&t, &t, &b);
    fp12_frobenius(&t, &t);
    fp12_mul(&t, &t, &a);
    fp12_mul(&t, &t, &xx6);
    fp12_mul(out, &t, &f);
}

bool bn254_pairing_is_one(const bn254_g1_t *p, const bn254_g2_t *q, size_t n)
{
    fp12_t f;
    bn254_miller(&f, p, q, n);
    bn254_final_exp(&f, &f);
    return fp12_is_one(&f);
}
