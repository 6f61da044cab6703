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

/* Quotient of (*top, u0) / d with *top < d, the top bit of d set, v the reciprocal; *top becomes the remainder. */
static inline uint64_t div_3by2(u128_t *top, uint64_t u0, u128_t d, uint64_t v)
{
    uint64_t d1 = (uint64_t)(d >> 64), d0 = (uint64_t)d, u2 = (uint64_t)(*top >> 64), u1 = (uint64_t)*top;
    u128_t q = (u128_t)v * u2 + *top;
    uint64_t q1 = (uint64_t)(q >> 64);
    u128_t r = ((u128_t)(u1 - q1 * d1) << 64 | u0) - d - (u128_t)d0 * q1;
    q1++;
    if ((uint64_t)(r >> 64) >= (uint64_t)q) {
        q1--;
        r += d;
    }
    if (__builtin_expect(r >= d, 0)) {
        q1++;
        r -= d;
    }
    *top = r;
    return q1;
}

static inline unsigned limbs(const uint64_t *w, unsigned n)
{
    while (n && !w[n - 1])
        n--;
    return n;
}

/* u[0..n-1] -= q * d[0..n-1]; what is still to be subtracted above. */
static inline __attribute__((always_inline)) uint64_t submul(uint64_t *u, const uint64_t *d, unsigned n, uint64_t q)
{
    uint64_t carry = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < n; i++) {
        uint64_t low = u64_mulc(d[i], q, &carry);
        carry += u[i] < low;
        u[i] -= low;
    }
    return carry;
}

/* u[0..n-1] += d[0..n-1]; the carry. */
static inline __attribute__((always_inline)) unsigned char add_back(uint64_t *u, const uint64_t *d, unsigned n)
{
    unsigned char carry = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < n; i++)
        u[i] = u64_addc(u[i], d[i], &carry);
    return carry;
}

/* The long division proper, for dn (2 to 4) known when compiling: u (un + 1 limbs) by d, both normalised. u becomes the
 * remainder. Each digit comes from the three upper limbs, which leaves their remainder: only the limbs below them are
 * still to be reduced. */
static inline __attribute__((always_inline)) void divide_by(uint64_t *quot, uint64_t *u, unsigned un, const uint64_t *d,
                                                            unsigned dn)
{
    uint64_t v = reciprocal_3by2(d[dn - 1], d[dn - 2]);
    u128_t dd = (u128_t)d[dn - 1] << 64 | d[dn - 2], top = (u128_t)u[un] << 64 | u[un - 1];
    unsigned j = un - dn + 1;
    if (u[un] == 0 && j > 1 && u[un - 1] < d[dn - 1]) { /* the first digit is zero */
        quot[--j] = 0;
        top = (u128_t)u[un - 1] << 64 | u[un - 2];
    }
    while (j-- > 0) {
        uint64_t *low = u + j, q;
        if (__builtin_expect(top == dd, 0)) { /* the quotient of the upper limbs does not fit a limb */
            low[dn] = d[dn - 1], low[dn - 1] = d[dn - 2];
            q = UINT64_MAX;
            uint64_t owed = submul(low, d, dn, q);
            if (low[dn] < owed) {
                q--;
                (void)add_back(low, d, dn);
            }
            top = (u128_t)low[dn - 1] << 64 | low[dn - 2];
            quot[j] = q;
            continue;
        }
        q = div_3by2(&top, low[dn - 2], dd, v);
        uint64_t owed = submul(low, d, dn - 2, q);
        bool below = top < owed;
        top -= owed;
        if (__builtin_expect(below, 0)) { /* q is one too large */
            q--;
            top += dd + add_back(low, d, dn - 2);
        }
        quot[j] = q;
    }
    u[dn - 1] = (uint64_t)(top >> 64);
    u[dn - 2] = (uint64_t)top;
}

/* Divides u (un limbs, and one more limb of room above them) by d (dn limbs, the top one not zero); un >= dn, un <= 8.
 * quot receives un - dn + 1 limbs, rem dn limbs. u is destroyed. */
static inline __attribute__((always_inline)) void divide_long(uint64_t *quot, uint64_t *rem, uint64_t *u, unsigned un,
                                                              const uint64_t *d, unsigned dn)
{
    unsigned up = (unsigned)__builtin_clzll(d[dn - 1]);
    uint64_t dd[4];
    u[un] = 0;
    if (up == 0) {
        divide_by(quot, u, un, d, dn);
        memcpy(rem, u, dn * sizeof *rem);
        return;
    }
#pragma GCC unroll 4
    for (unsigned i = dn - 1; i > 0; i--)
        dd[i] = u64_shl_pair(d[i], d[i - 1], up);
    dd[0] = d[0] << up;
    for (unsigned i = un; i > 0; i--)
        u[i] = u64_shl_pair(u[i], u[i - 1], up);
    u[0] <<= up;
    divide_by(quot, u, un, dd, dn);
#pragma GCC unroll 4
    for (unsigned i = 0; i + 1 < dn; i++)
        rem[i] = u64_shr_pair(u[i + 1], u[i], up);
    rem[dn - 1] = u[dn - 1] >> up;
}

/* One function for each length: together they would need too many registers. */
#define DIVIDE(n)                                                                                                      \
    static __attribute__((noinline)) void divide_##n(uint64_t *quot, uint64_t *rem, uint64_t *u, unsigned un,          \
                                                     const uint64_t *d)                                                \
    {                                                                                                                  \
        divide_long(quot, rem, u, un, d, n);                                                                           \
    }
DIVIDE(2)
DIVIDE(3)
DIVIDE(4)

/* The same by one limb; the remainder. */
static uint64_t divide_1(uint64_t *quot, const uint64_t *u, unsigned un, uint64_t d)
{
    unsigned up = (unsigned)__builtin_clzll(d);
    uint64_t v = reciprocal_2by1(d << up), r = u64_shl_pair(0, u[un - 1], up);
    for (unsigned i = un; i-- > 0;)
        quot[i] = div_2by1(&r, r, u64_shl_pair(u[i], i ? u[i - 1] : 0, up), d << up, v);
    return r >> up;
}

static void divide(uint64_t *quot, uint64_t *rem, uint64_t *u, unsigned un, const uint64_t *d, unsigned dn)
{
    if (dn == 4)
        divide_4(quot, rem, u, un, d);
    else if (dn == 3)
        divide_3(quot, rem, u, un, d);
    else if (dn == 2)
        divide_2(quot, rem, u, un, d);
    else
        rem[0] = divide_1(quot, u, un, d[0]);
}

/* *r = u (un limbs at most 8, and one more of room; destroyed) modulo m. */
static inline void reduce(u256_t *r, uint64_t *u, unsigned un, const u256_t *m)
{
    uint64_t quot[9];
    unsigned dn = limbs(m->w, 4);
    un = limbs(u, un);
    *r = u256_of(0);
    if (dn == 0)
        return;
    if (un < dn) {
        for (unsigned i = 0; i < un; i++)
            r->w[i] = u[i];
    } else {
        divide(quot, r->w, u, un, m->w, dn);
    }
}

/* Whether d, of dn limbs, is a power of two, and of which exponent: compilers of contracts shift by dividing. */
static inline bool is_power_of_two(unsigned *exponent, const u256_t *d, unsigned dn)
{
    uint64_t lower = 0, top = d->w[dn - 1];
    if (top & (top - 1))
        return false;
    for (unsigned i = 0; i + 1 < dn; i++)
        lower |= d->w[i];
    *exponent = 64 * (dn - 1) + (unsigned)__builtin_ctzll(top);
    return lower == 0;
}

/* Stores x unless out is NULL. */
static inline __attribute__((always_inline)) void put_small(u256_t *out, uint64_t x)
{
    if (!out)
        return;
    out->w[0] = x;
    out->w[1] = 0;
    out->w[2] = 0;
    out->w[3] = 0;
}

static inline __attribute__((always_inline)) void put(u256_t *out, const u256_t *a)
{
    if (out)
        u256_copy(out, a);
}

/* n / d and n % d, n of un limbs and d of dn limbs, dn <= un. */
static __attribute__((noinline)) void divmod_long(u256_t *quot, u256_t *rem, const u256_t *n, unsigned un,
                                                  const u256_t *d, unsigned dn)
{
    uint64_t u[5], q[4] = { 0 };
    u256_t r = { { 0 } };
    for (unsigned i = 0; i < 4; i++)
        u[i] = n->w[i];
    divide(q, r.w, u, un, d->w, dn);
    put(quot, &(u256_t){ { q[0], q[1], q[2], q[3] } });
    put(rem, &r);
}

/* u256_divmod; of an output that is known to be NULL nothing is computed. */
static inline __attribute__((always_inline)) void divmod(u256_t *quot, u256_t *rem, const u256_t *n, const u256_t *d)
{
    unsigned dn = limbs(d->w, 4), un = limbs(n->w, 4), exponent;
    if (dn == 0) {
        put_small(quot, 0);
        put_small(rem, 0);
    } else if (un <= 1 && dn == 1) {
        uint64_t q0 = n->w[0] / d->w[0], r0 = n->w[0] % d->w[0];
        put_small(quot, q0);
        put_small(rem, r0);
    } else if (un < dn) {
        put(rem, n);
        put_small(quot, 0);
    } else if (is_power_of_two(&exponent, d, dn)) {
        u256_t one = u256_of(1), mask = u256_sub(d, &one), r = u256_and(n, &mask), q = u256_shr(n, exponent);
        put(quot, &q);
        put(rem, &r);
    } else {
        divmod_long(quot, rem, n, un, d, dn);
    }
}

void u256_divmod(u256_t *quot, u256_t *rem, const u256_t *n, const u256_t *d)
{
    if (!rem)
        divmod(quot, NULL, n, d);
    else if (!quot)
        divmod(NULL, rem, n, d);
    else
        divmod(quot, rem, n, d);
}

/* *out = a, or -a. */
static inline void put_signed(u256_t *out, const u256_t *a, bool negative)
{
    u256_t r = *a;
    if (negative)
        r = u256_neg(a);
    put(out, &r);
}

static inline __attribute__((always_inline)) void sdivmod(u256_t *quot, u256_t *rem, const u256_t *n, const u256_t *d)
{
    bool n_neg = u256_is_negative(n), d_neg = u256_is_negative(d);
    u256_t q, r, na, da;
    if (!n_neg && !d_neg) {
        divmod(quot, rem, n, d);
        return;
    }
    put_signed(&na, n, n_neg);
    put_signed(&da, d, d_neg);
    divmod(quot ? &q : NULL, rem ? &r : NULL, &na, &da);
    if (quot)
        put_signed(quot, &q, n_neg != d_neg);
    if (rem)
        put_signed(rem, &r, n_neg);
}

void u256_sdivmod(u256_t *quot, u256_t *rem, const u256_t *n, const u256_t *d)
{
    if (!rem)
        sdivmod(quot, NULL, n, d);
    else if (!quot)
        sdivmod(NULL, rem, n, d);
    else
        sdivmod(quot, rem, n, d);
}

/* Whether m is zero or a power of two: then x modulo m are the bits of x in *mask, also of an x whose upper bits were
 * lost. Programs that add words of 64 bits do it so. */
static inline bool is_mask_modulus(u256_t *mask, const u256_t *m)
{
    const u256_t one = u256_of(1), below = u256_sub(m, &one), both = u256_and(m, &below);
    *mask = u256_is_zero(m) ? *m : below;
    return u256_is_zero(&both);
}

u256_t u256_addmod(const u256_t *a, const u256_t *b, const u256_t *m)
{
    uint64_t u[6];
    unsigned char carry;
    u256_t r, mask, sum = u256_add_carry(a, b, &carry);
    if (is_mask_modulus(&mask, m))
        return u256_and(&sum, &mask);
    for (unsigned i = 0; i < 4; i++)
        u[i] = sum.w[i];
    u[4] = carry;
    reduce(&r, u, 5, m);
    return r;
}

/* a * b: eight limbs. */
static inline __attribute__((always_inline)) void multiply(uint64_t u[8], const u256_t *a, const u256_t *b)
{
    uint64_t carry = 0;
#pragma GCC unroll 4
    for (unsigned j = 0; j < 4; j++)
        u[j] = u64_mulc(a->w[0], b->w[j], &carry);
    u[4] = carry;
#pragma GCC unroll 3
    for (unsigned i = 1; i < 4; i++) {
        carry = u[i];
        u[i] = u64_mulc(a->w[i], b->w[0], &carry);
#pragma GCC unroll 3
        for (unsigned j = 1; j < 4; j++)
            u[i + j] = u64_muladd(u[i + j], a->w[i], b->w[j], &carry);
        u[i + 4] = carry;
    }
}

u256_t u256_mul_wide(u256_t *high, const u256_t *a, const u256_t *b)
{
    uint64_t u[8];
    multiply(u, a, b);
    *high = (u256_t){ { u[4], u[5], u[6], u[7] } };
    return (u256_t){ { u[0], u[1], u[2], u[3] } };
}

u256_t u256_mulmod(const u256_t *a, const u256_t *b, const u256_t *m)
{
    uint64_t u[9];
    u256_t r, mask;
    if (is_mask_modulus(&mask, m)) {
        r = u256_mul(a, b);
        return u256_and(&r, &mask);
    }
    multiply(u, a, b);
    reduce(&r, u, 8, m);
    return r;
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
