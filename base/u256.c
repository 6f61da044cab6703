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
static inline __attribute__((always_inline)) bool submul(uint64_t *u, const uint64_t *d, unsigned n, uint64_t q)
{
    uint64_t carry = 0;
    unsigned char borrow = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < n; i++) {
        uint64_t low = u64_mulc(d[i], q, &carry);
        u[i] = u64_subb(u[i], low, &borrow);
    }
    u[n] = u64_subb(u[n], carry, &borrow);
    return borrow;
}

static inline __attribute__((always_inline)) void add_back(uint64_t *u, const uint64_t *d, unsigned n)
{
    unsigned char carry = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < n; i++)
        u[i] = u64_addc(u[i], d[i], &carry);
    u[n] += carry;
}

/* The long division proper, for dn (2 to 4) known when compiling: u (un + 1 limbs) by d, both normalised. u becomes the
 * remainder. */
static inline __attribute__((always_inline)) void divide_by(uint64_t *quot, uint64_t *u, unsigned un, const uint64_t *d,
                                                            unsigned dn)
{
    uint64_t d1 = d[dn - 1], d0 = d[dn - 2], v = reciprocal_3by2(d1, d0);
    for (unsigned j = un - dn + 1; j-- > 0;) {
        uint64_t u2 = u[j + dn], u1 = u[j + dn - 1];
        uint64_t q = u2 == d1 && u1 == d0 ? UINT64_MAX : div_3by2(u2, u1, u[j + dn - 2], d1, d0, v);
        if (submul(u + j, d, dn, q)) { /* one too large */
            q--;
            add_back(u + j, d, dn);
        }
        quot[j] = q;
    }
}

/* One function for each length: together they would need too many registers. */
#define DIVIDE_BY(n)                                                                                       \
    static __attribute__((noinline)) void divide_by_##n(uint64_t *quot, uint64_t *u, unsigned un, const uint64_t *d) \
    {                                                                                                      \
        divide_by(quot, u, un, d, n);                                                                      \
    }
DIVIDE_BY(2)
DIVIDE_BY(3)
DIVIDE_BY(4)

/* Divides u (un limbs, and one more limb of room above them) by d (dn limbs, the top one not zero); un >= dn, un <= 8,
 * dn <= 4. quot receives un - dn + 1 limbs, rem dn limbs. u is destroyed. */
static void divide(uint64_t *quot, uint64_t *rem, uint64_t *u, unsigned un, const uint64_t *d, unsigned dn)
{
    uint64_t dd[4];
    unsigned up = (unsigned)__builtin_clzll(d[dn - 1]);
    for (unsigned i = dn - 1; i > 0; i--)
        dd[i] = u64_shl_pair(d[i], d[i - 1], up);
    dd[0] = d[0] << up;
    u[un] = u64_shl_pair(0, u[un - 1], up);
    for (unsigned i = un - 1; i > 0; i--)
        u[i] = u64_shl_pair(u[i], u[i - 1], up);
    u[0] <<= up;

    if (dn == 1) {
        uint64_t v = reciprocal_2by1(dd[0]), r = u[un];
        for (unsigned i = un; i-- > 0;)
            quot[i] = div_2by1(&r, r, u[i], dd[0], v);
        rem[0] = r >> up;
        return;
    }
    if (dn == 4)
        divide_by_4(quot, u, un, dd);
    else if (dn == 3)
        divide_by_3(quot, u, un, dd);
    else
        divide_by_2(quot, u, un, dd);
    for (unsigned i = 0; i + 1 < dn; i++)
        rem[i] = u64_shr_pair(u[i + 1], u[i], up);
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

/* Whether d is a power of two, and of which exponent: compilers of contracts shift by dividing. */
static bool is_power_of_two(unsigned *exponent, const u256_t *d, unsigned dn)
{
    uint64_t lower = 0, top = dn ? d->w[dn - 1] : 0;
    for (unsigned i = 0; i + 1 < dn; i++)
        lower |= d->w[i];
    if (lower || !top || (top & (top - 1)))
        return false;
    *exponent = 64 * (dn - 1) + (unsigned)__builtin_ctzll(top);
    return true;
}

void u256_divmod(u256_t *quot, u256_t *rem, const u256_t *n, const u256_t *d)
{
    u256_t q = { { 0 } }, r = { { 0 } };
    unsigned dn = limbs(d->w, 4), un = limbs(n->w, 4), exponent;
    if (is_power_of_two(&exponent, d, dn)) {
        u256_t one = u256_of(1), mask = u256_sub(d, &one);
        q = u256_shr(n, exponent);
        r = u256_and(n, &mask);
        dn = 0;
    }
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
    uint64_t u[6];
    unsigned char carry;
    u256_t sum = u256_add_carry(a, b, &carry);
    memcpy(u, sum.w, sizeof sum.w);
    u[4] = carry;
    return reduce(u, 5, m);
}

u256_t u256_mul_wide(u256_t *high, const u256_t *a, const u256_t *b)
{
    uint64_t u[8], first = 0;
    u256_t low;
#pragma GCC unroll 4
    for (unsigned j = 0; j < 4; j++)
        u[j] = u64_mulc(a->w[0], b->w[j], &first);
    u[4] = first;
#pragma GCC unroll 3
    for (unsigned i = 1; i < 4; i++) {
        uint64_t carry = 0;
#pragma GCC unroll 4
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
