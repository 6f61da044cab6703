#include "lightclient/bls/points.h"

#include <blst.h>

_Static_assert(sizeof(bls_g1_t) == sizeof(blst_p1_affine), "bls_g1_t holds one affine G1 point");
_Static_assert(sizeof(bls_g2_t) == sizeof(blst_p2_affine), "bls_g2_t holds one affine G2 point");
_Static_assert(sizeof(bls_scalar_t) == sizeof(blst_scalar), "bls_scalar_t holds one scalar");

#define SCALAR_BITS 255u /* once reduced by the order of the subgroup */
#define WINDOW_BITS 5u   /* of a scalar, looked up at once where there are few points */
#define FEW 32u

static const uint8_t modulus[BLS_FP_LEN] = {
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7,
    0x64, 0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24,
    0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
};

static const blst_p1_affine *g1_of(const bls_g1_t *p)
{
    return (const blst_p1_affine *)p;
}

static const blst_p2_affine *g2_of(const bls_g2_t *p)
{
    return (const blst_p2_affine *)p;
}

static void g1_take(bls_g1_t *out, const blst_p1 *p)
{
    blst_p1_to_affine((blst_p1_affine *)out, p);
}

static void g2_take(bls_g2_t *out, const blst_p2 *p)
{
    blst_p2_to_affine((blst_p2_affine *)out, p);
}

/* Reduced, as blst's sums and products are. */
static bool fp_is_zero(const blst_fp *a)
{
    static const blst_fp zero;
    return memcmp(a, &zero, sizeof zero) == 0;
}

static bool fp_read(blst_fp *out, const uint8_t in[BLS_FP_LEN])
{
    if (memcmp(in, modulus, sizeof modulus) >= 0)
        return false;
    blst_fp_from_bendian(out, in);
    return true;
}

static bool fp2_read(blst_fp2 *out, const uint8_t in[BLS_FP2_LEN])
{
    return fp_read(&out->fp[0], in) && fp_read(&out->fp[1], in + BLS_FP_LEN);
}

rc_t bls_g1_decode(bls_g1_t *out, const uint8_t in[BLS_G1_LEN], bool check_subgroup)
{
    blst_p1_affine p;
    if (!fp_read(&p.x, in) || !fp_read(&p.y, in + BLS_FP_LEN) || !blst_p1_affine_on_curve(&p))
        return RC_MALFORMED;
    if (check_subgroup && !blst_p1_affine_in_g1(&p))
        return RC_REFUSED;
    memcpy(out, &p, sizeof *out);
    return RC_OK;
}

rc_t bls_g2_decode(bls_g2_t *out, const uint8_t in[BLS_G2_LEN], bool check_subgroup)
{
    blst_p2_affine p;
    if (!fp2_read(&p.x, in) || !fp2_read(&p.y, in + BLS_FP2_LEN) || !blst_p2_affine_on_curve(&p))
        return RC_MALFORMED;
    if (check_subgroup && !blst_p2_affine_in_g2(&p))
        return RC_REFUSED;
    memcpy(out, &p, sizeof *out);
    return RC_OK;
}

void bls_g1_encode(uint8_t out[BLS_G1_LEN], const bls_g1_t *p)
{
    blst_bendian_from_fp(out, &g1_of(p)->x);
    blst_bendian_from_fp(out + BLS_FP_LEN, &g1_of(p)->y);
}

void bls_g2_encode(uint8_t out[BLS_G2_LEN], const bls_g2_t *p)
{
    for (unsigned i = 0; i < 2; i++) {
        blst_bendian_from_fp(out + i * BLS_FP_LEN, &g2_of(p)->x.fp[i]);
        blst_bendian_from_fp(out + BLS_FP2_LEN + i * BLS_FP_LEN, &g2_of(p)->y.fp[i]);
    }
}

/* A sum of points that are neither infinity nor on one vertical line needs one inversion and no other coordinates:
 * x3 = m^2 - x1 - x2 and y3 = m (x1 - x3) - y1, where m = (y2 - y1) / (x2 - x1). */
void bls_g1_add(bls_g1_t *out, const bls_g1_t *p, const bls_g1_t *q)
{
    const blst_p1_affine *a = g1_of(p), *b = g1_of(q);
    blst_p1_affine r;
    blst_fp m, dx;
    blst_fp_sub(&dx, &b->x, &a->x);
    if (blst_p1_affine_is_inf(a) || blst_p1_affine_is_inf(b) || fp_is_zero(&dx)) {
        blst_p1 sum;
        blst_p1_from_affine(&sum, a);
        blst_p1_add_or_double_affine(&sum, &sum, b); /* complete: equal, opposite and infinite points */
        g1_take(out, &sum);
        return;
    }
    blst_fp_inverse(&dx, &dx);
    blst_fp_sub(&m, &b->y, &a->y);
    blst_fp_mul(&m, &m, &dx);
    blst_fp_sqr(&r.x, &m);
    blst_fp_sub(&r.x, &r.x, &a->x);
    blst_fp_sub(&r.x, &r.x, &b->x);
    blst_fp_sub(&r.y, &a->x, &r.x);
    blst_fp_mul(&r.y, &r.y, &m);
    blst_fp_sub(&r.y, &r.y, &a->y);
    memcpy(out, &r, sizeof *out);
}

void bls_g2_add(bls_g2_t *out, const bls_g2_t *p, const bls_g2_t *q)
{
    const blst_p2_affine *a = g2_of(p), *b = g2_of(q);
    blst_p2_affine r;
    blst_fp2 m, dx;
    blst_fp2_sub(&dx, &b->x, &a->x);
    if (blst_p2_affine_is_inf(a) || blst_p2_affine_is_inf(b) || (fp_is_zero(&dx.fp[0]) && fp_is_zero(&dx.fp[1]))) {
        blst_p2 sum;
        blst_p2_from_affine(&sum, a);
        blst_p2_add_or_double_affine(&sum, &sum, b);
        g2_take(out, &sum);
        return;
    }
    blst_fp2_inverse(&dx, &dx);
    blst_fp2_sub(&m, &b->y, &a->y);
    blst_fp2_mul(&m, &m, &dx);
    blst_fp2_sqr(&r.x, &m);
    blst_fp2_sub(&r.x, &r.x, &a->x);
    blst_fp2_sub(&r.x, &r.x, &b->x);
    blst_fp2_sub(&r.y, &a->x, &r.x);
    blst_fp2_mul(&r.y, &r.y, &m);
    blst_fp2_sub(&r.y, &r.y, &a->y);
    memcpy(out, &r, sizeof *out);
}

/* The scalar as blst wants it: little-endian, modulo the order, which changes no multiple of a point of the subgroup.
 * False when that is zero. out and in may be the same. */
static bool scalar_reduce(bls_scalar_t *out, const bls_scalar_t *in)
{
    blst_scalar s;
    bool some = blst_scalar_from_be_bytes(&s, in->b, sizeof in->b);
    memcpy(out->b, s.b, sizeof out->b);
    return some;
}

/* blst's lists must be free of infinity. Given as one pointer and NULL, they are contiguous. A table of the multiples
 * of few points is soon made, and leaves fewer sums. */
rc_t bls_g1_msm(arena_t *a, bls_g1_t *out, bls_g1_t *points, bls_scalar_t *scalars, size_t count)
{
    blst_p1 sum = { 0 }; /* z = 0: infinity */
    const blst_p1_affine *const point_list[] = { g1_of(points), NULL };
    const byte *const scalar_list[] = { (const byte *)scalars, NULL };
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!blst_p1_affine_is_inf(g1_of(&points[i])) && scalar_reduce(&scalars[n], &scalars[i]))
            points[n++] = points[i];
    const bool few = n <= FEW;
    limb_t *scratch =
        arena_alloc(a, few ? blst_p1s_mult_wbits_scratch_sizeof(n) : blst_p1s_mult_pippenger_scratch_sizeof(n));
    blst_p1_affine *table = few ? arena_alloc(a, blst_p1s_mult_wbits_precompute_sizeof(WINDOW_BITS, n)) : NULL;
    if (!scratch || (few && !table))
        return RC_NOMEM;
    if (few && n) {
        blst_p1s_mult_wbits_precompute(table, WINDOW_BITS, point_list, n);
        blst_p1s_mult_wbits(&sum, table, WINDOW_BITS, n, scalar_list, SCALAR_BITS, scratch);
    } else if (n) {
        blst_p1s_mult_pippenger(&sum, point_list, n, scalar_list, SCALAR_BITS, scratch);
    }
    g1_take(out, &sum);
    return RC_OK;
}

rc_t bls_g2_msm(arena_t *a, bls_g2_t *out, bls_g2_t *points, bls_scalar_t *scalars, size_t count)
{
    blst_p2 sum = { 0 }; /* z = 0: infinity */
    const blst_p2_affine *const point_list[] = { g2_of(points), NULL };
    const byte *const scalar_list[] = { (const byte *)scalars, NULL };
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!blst_p2_affine_is_inf(g2_of(&points[i])) && scalar_reduce(&scalars[n], &scalars[i]))
            points[n++] = points[i];
    const bool few = n <= FEW;
    limb_t *scratch =
        arena_alloc(a, few ? blst_p2s_mult_wbits_scratch_sizeof(n) : blst_p2s_mult_pippenger_scratch_sizeof(n));
    blst_p2_affine *table = few ? arena_alloc(a, blst_p2s_mult_wbits_precompute_sizeof(WINDOW_BITS, n)) : NULL;
    if (!scratch || (few && !table))
        return RC_NOMEM;
    if (few && n) {
        blst_p2s_mult_wbits_precompute(table, WINDOW_BITS, point_list, n);
        blst_p2s_mult_wbits(&sum, table, WINDOW_BITS, n, scalar_list, SCALAR_BITS, scratch);
    } else if (n) {
        blst_p2s_mult_pippenger(&sum, point_list, n, scalar_list, SCALAR_BITS, scratch);
    }
    g2_take(out, &sum);
    return RC_OK;
}

_Static_assert(sizeof(bls_product_t) == sizeof(blst_fp12), "the same memory");

void bls_product_start(bls_product_t *f)
{
    memcpy(f, blst_fp12_one(), sizeof *f);
}

void bls_product_multiply(bls_product_t *f, bls_g1_t *p, bls_g2_t *q, size_t count)
{
    const blst_p1_affine *const in_g1[] = { g1_of(p), NULL };
    const blst_p2_affine *const in_g2[] = { g2_of(q), NULL };
    blst_fp12 part, product;
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!blst_p1_affine_is_inf(g1_of(&p[i])) && !blst_p2_affine_is_inf(g2_of(&q[i]))) { /* else the factor is one */
            p[n] = p[i];
            q[n++] = q[i];
        }
    if (n == 0)
        return;
    memcpy(&product, f, sizeof product);
    blst_miller_loop_n(&part, in_g2, in_g1, n);
    blst_fp12_mul(&product, &product, &part);
    memcpy(f, &product, sizeof *f);
}

bool bls_product_is_one(const bls_product_t *f)
{
    blst_fp12 product;
    memcpy(&product, f, sizeof product);
    blst_final_exp(&product, &product);
    return blst_fp12_is_one(&product);
}

bool bls_pairing_is_one(bls_g1_t *p, bls_g2_t *q, size_t count)
{
    bls_product_t f;
    bls_product_start(&f);
    bls_product_multiply(&f, p, q, count);
    return bls_product_is_one(&f);
}

rc_t bls_g1_map(bls_g1_t *out, const uint8_t in[BLS_FP_LEN])
{
    blst_fp u;
    blst_p1 p;
    if (!fp_read(&u, in))
        return RC_MALFORMED;
    blst_map_to_g1(&p, &u, NULL);
    g1_take(out, &p);
    return RC_OK;
}

rc_t bls_g2_map(bls_g2_t *out, const uint8_t in[BLS_FP2_LEN])
{
    blst_fp2 u;
    blst_p2 p;
    if (!fp2_read(&u, in))
        return RC_MALFORMED;
    blst_map_to_g2(&p, &u, NULL);
    g2_take(out, &p);
    return RC_OK;
}
