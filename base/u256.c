#include "base/u256.h"

/* Division is Knuth's algorithm D with the quotient digits computed by multiplication with a reciprocal (Moller and
 * Granlund, "Improved division by invariant integers", 2011): one hardware division for each call. */

/* floor((2^128 - 1) / d) - 2^64 for d with its top bit set. */
static uint64_t reciprocal_2by1(uint64_t d)
{
    uint64_t quot, rem;
    __asm__("divq %4" : "=a"(quot), "=d"(rem) : "a"(UINT64_MAX), "d"(~d), "r"(d) : "cc");
    (void)rem;
    return quot;
}

/* floor((2^192 - 1) / (d1, d0)) - 2^64 for d1 with its top bit set. */
static uint64_t reciprocal_3by2(uint64_t d1, uint64_t d0)
{
    uint64_t v = reciprocal_2by1(d1);
    uint64_t p = d1 * v + d0;
    if (p < d0) {
        v--;
        if (p >= d1) {
            v--;
            p -= d1;
        }
        p -= d1;
    }
    u128_t t = (u128_t)v * d0;
    p += (uint64_t)(t >> 64);
    if (p < (uint64_t)(t >> 64)) {
        v--;
        if (p > d1 || (p == d1 && (uint64_t)t >= d0))
            v--;
    }
    return v;
}

/* (u1, u0) / d with u1 < d, d normalised, v its reciprocal. */
static inline uint64_t div_2by1(uint64_t *rem, uint64_t u1, uint64_t u0, uint64_t d, uint64_t v)
{
    u128_t q = (u128_t)v * u1 + ((u128_t)u1 << 64 | u0);
    uint64_t q1 = (uint64_t)(q >> 64) + 1;
    uint64_t r = u0 - q1 * d;
    if (r > (uint64_t)q) {
        q1--;
        r += d;
    }
    if (r >= d) {
        q1++;
        r -= d;
    }
    *rem = r;
    return q1;
}

/* Quotient of (u2, u1, u0) / (d1, d0) with (u2, u1) < (d1, d0), d1 normalised, v the reciprocal. */
static inline uint64_t div_3by2(uint64_t u2, uint64_t u1, uint64_t u0, uint64_t d1, uint64_t d0, uint64_t v)
{
    u128_t d = (u128_t)d1 << 64 | d0;
    u128_t q = (u128_t)v * u2 + ((u128_t)u2 << 64 | u1);
    uint64_t q1 = (uint64_t)(q >> 64);
    u128_t r = ((u128_t)(u1 - q1 * d1) << 64 | u0) - d - (u128_t)d0 * q1;
    q1++;
    if ((uint64_t)(r >> 64) >= (uint64_t)q) {
        q1--;
        r += d;
    }
    if (r >= d)
        q1++;
    return q1;
}

static unsigned limbs(const uint64_t *w, unsigned n)
{
    while (n && !w[n - 1])
        n--;
    return n;
}

/* u[0..n] -= q * d[0..n-1]; whether the result went below zero and was wrapped. */
static bool submul(uint64_t *u, const uint64_t *d, unsigned n, uint64_t q)
{
    uint64_t carry = 0, borrow = 0;
    for (unsigned i = 0; i < n; i++) {
        uint64_t low = u64_muladd(0, d[i], q, &carry);
        u[i] = u64_subb(u[i], low, &borrow);
    }
    u[n] = u64_subb(u[n], carry, &borrow);
    return borrow;
}

static void add_back(uint64_t *u, const uint64_t *d, unsigned n)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < n; i++)
        u[i] = u64_addc(u[i], d[i], &carry);
    u[n] += carry;
}

/* Divides u (un limbs, and one more limb of room above them) by d (dn limbs, the top one not zero); un >= dn, un <= 8,
 * dn <= 4. quot receives un - dn + 1 limbs, rem dn limbs. u is destroyed. */
static void divide(uint64_t *quot, uint64_t *rem, uint64_t *u, unsigned un, const uint64_t *d, unsigned dn)
{
    uint64_t dd[4];
    unsigned up = (unsigned)__builtin_clzll(d[dn - 1]), down = 63 - up;
    for (unsigned i = dn - 1; i > 0; i--)
        dd[i] = d[i] << up | d[i - 1] >> 1 >> down;
    dd[0] = d[0] << up;
    u[un] = u[un - 1] >> 1 >> down;
    for (unsigned i = un - 1; i > 0; i--)
        u[i] = u[i] << up | u[i - 1] >> 1 >> down;
    u[0] <<= up;

    if (dn == 1) {
        uint64_t v = reciprocal_2by1(dd[0]), r = u[un];
        for (unsigned i = un; i-- > 0;)
            quot[i] = div_2by1(&r, r, u[i], dd[0], v);
        rem[0] = r >> up;
        return;
    }
    uint64_t d1 = dd[dn - 1], d0 = dd[dn - 2], v = reciprocal_3by2(d1, d0);
    for (unsigned j = un - dn + 1; j-- > 0;) {
        uint64_t u2 = u[j + dn], u1 = u[j + dn - 1];
        uint64_t q = u2 == d1 && u1 == d0 ? UINT64_MAX : div_3by2(u2, u1, u[j + dn - 2], d1, d0, v);
        if (submul(u + j, dd, dn, q)) { /* one too large */
            q--;
            add_back(u + j, dd, dn);
        }
        quot[j] = q;
    }
    for (unsigned i = 0; i + 1 < dn; i++)
        rem[i] = u[i] >> up | u[i + 1] << 1 << down;
    rem[dn - 1] = u[dn - 1] >> up;
}

/* u (un limbs at most 8, and one more of room; destroyed) modulo m. */
static u256_t reduce(uint64_t *u, unsigned un, const u256_t *m)
{
    uint64_t quot[9];
    u256_t r = { { 0 } };
    unsigned dn = limbs(m->w, 4);
    un = limbs(u, un);
    if (dn == 0)
        return r;
    if (un < dn)
        memcpy(r.w, u, un * sizeof *u);
    else
        divide(quot, r.w, u, un, m->w, dn);
    return r;
}

void u256_divmod(u256_t *quot, u256_t *rem, const u256_t *n, const u256_t *d)
{
    u256_t q = { { 0 } }, r = { { 0 } };
    unsigned dn = limbs(d->w, 4), un = limbs(n->w, 4);
    if (dn && un < dn) {
        r = *n;
    } else if (dn && un == 1) {
        q.w[0] = n->w[0] / d->w[0];
        r.w[0] = n->w[0] % d->w[0];
    } else if (dn) {
        uint64_t u[5], wide[5];
        memcpy(u, n->w, sizeof n->w);
        divide(wide, r.w, u, un, d->w, dn);
        memcpy(q.w, wide, (un - dn + 1) * sizeof *wide);
    }
    if (quot)
        *quot = q;
    if (rem)
        *rem = r;
}

void u256_sdivmod(u256_t *quot, u256_t *rem, const u256_t *n, const u256_t *d)
{
    bool n_neg = u256_is_negative(n), d_neg = u256_is_negative(d);
    u256_t q, r, na = n_neg ? u256_neg(n) : *n, da = d_neg ? u256_neg(d) : *d;
    u256_divmod(&q, &r, &na, &da);
    if (quot)
        *quot = n_neg != d_neg ? u256_neg(&q) : q;
    if (rem)
        *rem = n_neg ? u256_neg(&r) : r;
}

u256_t u256_addmod(const u256_t *a, const u256_t *b, const u256_t *m)
{
    uint64_t u[6], carry;
    u256_t sum = u256_add_carry(a, b, &carry);
    memcpy(u, sum.w, sizeof sum.w);
    u[4] = carry;
    return reduce(u, 5, m);
}

u256_t u256_mul_wide(u256_t *high, const u256_t *a, const u256_t *b)
{
    uint64_t u[8] = { 0 };
    u256_t low;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (unsigned j = 0; j < 4; j++)
            u[i + j] = u64_muladd(u[i + j], a->w[i], b->w[j], &carry);
        u[i + 4] = carry;
    }
    memcpy(low.w, u, sizeof low.w);
    memcpy(high->w, u + 4, sizeof high->w);
    return low;
}

u256_t u256_mulmod(const u256_t *a, const u256_t *b, const u256_t *m)
{
    uint64_t u[9];
    u256_t high, low = u256_mul_wide(&high, a, b);
    memcpy(u, low.w, sizeof low.w);
    memcpy(u + 4, high.w, sizeof high.w);
    return reduce(u, 8, m);
}

u256_t u256_exp(const u256_t *base, const u256_t *e)
{
    u256_t r = u256_of(1), b = *base; /* b: base to the power of the bit that is looked at */
    unsigned bits = 256 - u256_clz(e);
    for (unsigned i = 0; i < bits; i++) {
        if (e->w[i / 64] >> i % 64 & 1)
            r = u256_mul(&r, &b);
        b = u256_mul(&b, &b);
    }
    return r;
}
