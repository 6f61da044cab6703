#include "lightclient/evm/bn254/bn254.h"

/* (x / z^2, y / z^3); infinity has z = 0. */
typedef struct {
    fp_t x, y, z;
} jacobian_t;

static fp_t right_side(const fp_t *x)
{
    static const fp_t three = { { 0x7a17caa950ad28d7, 0x1f6ac17ae15521b9, 0x334bea4e696bd284, 0x2a1f6744ce179d8e } };
    fp_t t = fp_sqr(x);
    t = fp_mul(&t, x);
    return fp_add(&t, &three);
}

rc_t bn254_g1_decode(bn254_g1_t *out, const uint8_t in[BN254_G1_LEN])
{
    bn254_g1_t p;
    if (!fp_from_be32(&p.x, in) || !fp_from_be32(&p.y, in + 32))
        return RC_MALFORMED;
    fp_t left = fp_sqr(&p.y), right = right_side(&p.x);
    if (!fp_eq(&left, &right) && !bn254_g1_is_infinity(&p))
        return RC_MALFORMED;
    *out = p;
    return RC_OK;
}

void bn254_g1_encode(uint8_t out[BN254_G1_LEN], const bn254_g1_t *p)
{
    fp_to_be32(out, &p->x);
    fp_to_be32(out + 32, &p->y);
}

/* The third point of the curve on the line through p with this slope, whose other point has x = other_x, mirrored. */
static void along(bn254_g1_t *out, const bn254_g1_t *p, const fp_t *other_x, const fp_t *rise, const fp_t *run)
{
    fp_t slope = fp_inv(run), x, y;
    slope = fp_mul(&slope, rise);
    x = fp_sqr(&slope);
    x = fp_sub(&x, &p->x);
    x = fp_sub(&x, other_x);
    y = fp_sub(&p->x, &x);
    y = fp_mul(&y, &slope);
    out->y = fp_sub(&y, &p->y);
    out->x = x;
}

static void affine_double(bn254_g1_t *out, const bn254_g1_t *p)
{
    fp_t square = fp_sqr(&p->x), rise = fp_dbl(&square), run = fp_dbl(&p->y);
    rise = fp_add(&rise, &square);
    along(out, p, &p->x, &rise, &run); /* y is not 0: the order is odd */
}

void bn254_g1_add(bn254_g1_t *out, const bn254_g1_t *p, const bn254_g1_t *q)
{
    bool p_infinite = bn254_g1_is_infinity(p);
    if (p_infinite || bn254_g1_is_infinity(q)) {
        *out = p_infinite ? *q : *p;
    } else if (!fp_eq(&p->x, &q->x)) {
        fp_t rise = fp_sub(&q->y, &p->y), run = fp_sub(&q->x, &p->x);
        along(out, p, &q->x, &rise, &run);
    } else if (fp_eq(&p->y, &q->y)) {
        affine_double(out, p);
    } else {
        *out = (bn254_g1_t){ FP_0, FP_0 };
    }
}

static void jacobian_double(jacobian_t *t)
{
    fp_t a = fp_sqr(&t->x), b = fp_sqr(&t->y), d = fp_mul(&t->x, &b), e = fp_dbl(&a), x, yz = fp_mul(&t->y, &t->z);
    d = fp_dbl(&d);
    d = fp_dbl(&d);     /* d = 4 x y^2 */
    e = fp_add(&e, &a); /* e = 3 x^2 */
    x = fp_sqr(&e);
    x = fp_sub(&x, &d);
    x = fp_sub(&x, &d);
    d = fp_sub(&d, &x);
    a = fp_dbl(&b);
    a = fp_dbl(&a);
    a = fp_dbl(&a);
    a = fp_neg(&a);
    t->y = fp_mul_mul(&e, &d, &a, &b); /* e (d - x) - 8 y^4 */
    t->x = x;
    t->z = fp_dbl(&yz);
}

/* t += (x, y), which is not infinity. */
static void jacobian_add(jacobian_t *t, const fp_t *x, const fp_t *y)
{
    if (fp_is_zero(&t->z)) {
        *t = (jacobian_t){ *x, *y, FP_1 };
        return;
    }
    fp_t zz = fp_sqr(&t->z), h = fp_mul(x, &zz), r = fp_mul(y, &t->z), hh, hhh, v, s;
    h = fp_sub(&h, &t->x);
    r = fp_mul(&r, &zz);
    r = fp_sub(&r, &t->y);
    if (fp_is_zero(&h)) {
        if (fp_is_zero(&r))
            jacobian_double(t);
        else
            t->z = FP_0;
        return;
    }
    hh = fp_sqr(&h);
    hhh = fp_mul(&hh, &h);
    v = fp_mul(&t->x, &hh);
    s = fp_sqr(&r);
    s = fp_sub(&s, &hhh);
    s = fp_sub(&s, &v);
    t->x = fp_sub(&s, &v);
    v = fp_sub(&v, &t->x);
    s = fp_neg(&t->y);
    t->y = fp_mul_mul(&v, &r, &s, &hhh);
    t->z = fp_mul(&t->z, &h);
}

static void to_affine(bn254_g1_t *out, const jacobian_t *t)
{
    fp_t k = fp_inv(&t->z), kk = fp_sqr(&k); /* infinity: 0 */
    k = fp_mul(&k, &kk);
    out->x = fp_mul(&t->x, &kk);
    out->y = fp_mul(&t->y, &k);
}

/* ---- multiplication: the endomorphism (x, y) -> (beta x, y) multiplies by lambda = 36x^3 + 18x^2 + 6x + 1, so
 * k = k1 + k2 lambda with halves as long (Gallant, Lambert, Vanstone, CRYPTO 2001), both in signed windows. ---- */

/* 18x^3 + 18x^2 + 9x + 2, a cube root of 1 */
static const fp_t BETA = { { 0x71930c11d782e155, 0xa6bb947cffbe3323, 0xaa303344d4741444, 0x2c3b3f0d26594943 } };

#define WINDOW 4u    /* bits; digits are odd, below 2^3 in magnitude */
#define MULTIPLES 4u /* 1, 3, 5, 7 times the point */
#define DIGITS 133u  /* halves are below 2^129, the last digit takes a carry */

typedef struct {
    u256_t magnitude;
    bool negative;
} half_t;

static half_t half_of(const u256_t *v)
{
    half_t h = { *v, u256_is_negative(v) };
    if (h.negative)
        h.magnitude = u256_neg(v);
    return h;
}

/* (6x^2 + 4x + 1, 2x + 1) and (2x + 1, -(6x^2 + 2x)) are pairs (a, b) with a + b lambda = 0 mod r and determinant -r.
 * (k, 0) less c1 times the first and c2 times the second, c1 and c2 being at most 2 below k (6x^2 + 2x) / r and
 * k (2x + 1) / r, is short. */
static void split(half_t *k1, half_t *k2, const u256_t *k)
{
    static const u256_t a = { { 0x0be4e1541221250b, 0x6f4d8248eeb859fd } }, /* 6x^2 + 4x + 1 */
        b = { { 0x8211bbeb7d4f1128, 0x6f4d8248eeb859fc } },                 /* 6x^2 + 2x */
        c = { { 0x89d3256894d213e3 } },                                     /* 2x + 1 */
        b_over_r = { { 0x7a7bd9d4391eb18d, 0x4ccef014a773d2cf, 2 } },       /* 2^256 b / r */
        c_over_r = { { 0xd91d232ec7e0b3d7, 2 } };                           /* 2^256 c / r */
    u256_t c1, c2, s, t;
    (void)u256_mul_wide(&c1, k, &b_over_r);
    (void)u256_mul_wide(&c2, k, &c_over_r);
    s = u256_mul(&c1, &a);
    t = u256_sub(k, &s);
    s = u256_mul(&c2, &c);
    t = u256_sub(&t, &s);
    *k1 = half_of(&t);
    s = u256_mul(&c2, &b);
    t = u256_mul(&c1, &c);
    t = u256_sub(&s, &t);
    *k2 = half_of(&t);
}

/* digit[i] 2^i summed is the half; each digit that is not 0 is odd and followed by at least three zeros. */
static void to_digits(int8_t digit[DIGITS], const half_t *k)
{
    unsigned carry = 0;
    memset(digit, 0, DIGITS);
    for (unsigned i = 0; i < DIGITS;) {
        if ((k->magnitude.w[i / 64] >> i % 64 & 1) == carry) {
            i++;
            continue;
        }
        unsigned window = ((unsigned)u256_shr(&k->magnitude, i).w[0] & ((1u << WINDOW) - 1)) + carry;
        carry = window >> (WINDOW - 1);
        int d = (int)window - (int)(carry << WINDOW);
        digit[i] = (int8_t)(k->negative ? -d : d);
        i += WINDOW;
    }
}

static void add_multiple(jacobian_t *t, const bn254_g1_t table[MULTIPLES], int digit)
{
    const bn254_g1_t *p = &table[(digit < 0 ? -digit : digit) / 2];
    fp_t y = digit < 0 ? fp_neg(&p->y) : p->y;
    jacobian_add(t, &p->x, &y);
}

void bn254_g1_mul(bn254_g1_t *out, const bn254_g1_t *p, const u256_t *k)
{
    bn254_g1_t table[MULTIPLES], image[MULTIPLES], twice;
    int8_t digit1[DIGITS], digit2[DIGITS];
    half_t k1, k2;
    if (bn254_g1_is_infinity(p)) {
        *out = *p;
        return;
    }
    split(&k1, &k2, k);
    to_digits(digit1, &k1);
    to_digits(digit2, &k2);
    table[0] = *p;
    affine_double(&twice, p);
    for (unsigned i = 0; i < MULTIPLES; i++) {
        if (i)
            bn254_g1_add(&table[i], &table[i - 1], &twice);
        image[i] = (bn254_g1_t){ fp_mul(&table[i].x, &BETA), table[i].y };
    }
    jacobian_t t = { FP_1, FP_1, FP_0 };
    for (unsigned i = DIGITS; i-- > 0;) {
        jacobian_double(&t);
        if (digit1[i])
            add_multiple(&t, table, digit1[i]);
        if (digit2[i])
            add_multiple(&t, image, digit2[i]);
    }
    to_affine(out, &t);
}
