#include "lightclient/evm/bn254/fp.h"

static const u256_t P = { { FP_P0, FP_P1, FP_P2, FP_P3 } };
/* 2^512 mod p */
static const fp_t R2 = { { 0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6, 0x06d89f71cab8351f } };

bool fp_from_be32(fp_t *out, const uint8_t in[32])
{
    u256_t v = u256_from_be32(in);
    if (!u256_lt(&v, &P))
        return false;
    fp_t plain = { { v.w[0], v.w[1], v.w[2], v.w[3] } };
    *out = fp_mul(&plain, &R2);
    return true;
}

void fp_to_be32(uint8_t out[32], const fp_t *a)
{
    static const fp_t one = { { 1 } };
    fp_t plain = fp_mul(a, &one);
    u256_t v = { { plain.w[0], plain.w[1], plain.w[2], plain.w[3] } };
    u256_to_be32(out, &v);
}

/* ---- inversion: T. Pornin, "Optimized Binary GCD for Modular Inversion" (IACR ePrint 2020/972), variable time ---- */

#define STEPS 31u /* halvings of a round: what a factor of 32 bits can hold */
#define ROUNDS                                                                                                         \
    17u /* a and b have at most 254 bits: gcd reached after 2 * 254 - 1 halvings, 17 * 31 of them suffice   \
                    */

/* What STEPS halvings make of (a, b): (|a f0 - b g0| / 2^31, |a f1 - b g1| / 2^31); f + g <= 2^31 in each row. */
typedef struct {
    uint64_t f0, g0, f1, g1;
} factors_t;

/* Of a and b, the highest 33 bits at the place of the longer number's and the lowest 31: enough to tell for 31 halvings
 * which bits are zero, and (but for errors that the algorithm allows) which number is greater. */
static void heads_and_tails(uint64_t *ah, uint64_t *bh, const u256_t *a, const u256_t *b)
{
    unsigned i = 3;
    while (i > 1 && (a->w[i] | b->w[i]) == 0)
        i--;
    uint64_t top = a->w[i] | b->w[i], tail = ((uint64_t)1 << STEPS) - 1;
    unsigned up = top ? (unsigned)__builtin_clzll(top) : 64;
    if (up == 64) { /* both fit one limb */
        *ah = a->w[0], *bh = b->w[0];
        return;
    }
    *ah = (u64_shl_pair(a->w[i], a->w[i - 1], up) & ~tail) | (a->w[0] & tail);
    *bh = (u64_shl_pair(b->w[i], b->w[i - 1], up) & ~tail) | (b->w[0] & tail);
}

/* Rows of factors stand in one word, f + g * 2^32. Only magnitudes: in a row f and g have opposite signs, and the
 * other row has them the other way round, so that subtracting rows adds magnitudes. */
static factors_t halve(uint64_t a, uint64_t b)
{
    uint64_t row0 = 1, row1 = (uint64_t)1 << 32, stop = (uint64_t)1 << STEPS;
    int zeros = __builtin_ctzll(a | stop);
    a >>= zeros;
    row1 <<= zeros;
    stop >>= zeros;
    while (stop != 1) { /* both are odd: subtract the smaller from the greater, keep the smaller */
        uint64_t difference = a - b, mask = 0 - (uint64_t)(a < b), sum = row0 + row1;
        zeros = __builtin_ctzll(difference | stop);
        b += difference & mask;
        a = ((difference ^ mask) - mask) >> zeros;
        row1 += (row0 - row1) & mask;
        row1 <<= zeros;
        row0 = sum;
        stop >>= zeros;
    }
    return (factors_t){ row0 & 0xffffffff, row0 >> 32, row1 & 0xffffffff, row1 >> 32 };
}

/* t = a * f - b * g as five limbs, two's complement. */
static inline void combine(uint64_t t[5], const u256_t *a, uint64_t f, const u256_t *b, uint64_t g)
{
    uint64_t x = 0, y = 0;
    unsigned char borrow = 0;
    uint64_t x0 = u64_mulc(a->w[0], f, &x), x1 = u64_mulc(a->w[1], f, &x), x2 = u64_mulc(a->w[2], f, &x),
             x3 = u64_mulc(a->w[3], f, &x);
    uint64_t y0 = u64_mulc(b->w[0], g, &y), y1 = u64_mulc(b->w[1], g, &y), y2 = u64_mulc(b->w[2], g, &y),
             y3 = u64_mulc(b->w[3], g, &y);
    t[0] = u64_subb(x0, y0, &borrow);
    t[1] = u64_subb(x1, y1, &borrow);
    t[2] = u64_subb(x2, y2, &borrow);
    t[3] = u64_subb(x3, y3, &borrow);
    t[4] = u64_subb(x, y, &borrow);
}

/* t / 2^31. */
static inline u256_t shifted(const uint64_t t[5])
{
    return (u256_t){ { u64_shr_pair(t[1], t[0], STEPS), u64_shr_pair(t[2], t[1], STEPS),
                       u64_shr_pair(t[3], t[2], STEPS), u64_shr_pair(t[4], t[3], STEPS) } };
}

/* |a f - b g| / 2^31, which divides; *negative: the sign that was dropped. */
static inline u256_t step(const u256_t *a, uint64_t f, const u256_t *b, uint64_t g, bool *negative)
{
    uint64_t t[5];
    combine(t, a, f, b, g);
    u256_t r = shifted(t);
    *negative = t[4] >> 63;
    return *negative ? u256_neg(&r) : r;
}

/* (u f - v g) / 2^31 mod p. */
static inline u256_t step_mod(const u256_t *u, uint64_t f, const u256_t *v, uint64_t g)
{
    uint64_t t[5], y = 0;
    unsigned char carry = 0;
    combine(t, u, f, v, g);
    uint64_t m = t[0] * FP_INV & (((uint64_t)1 << STEPS) - 1);
    uint64_t y0 = u64_mulc(FP_P0, m, &y), y1 = u64_mulc(FP_P1, m, &y), y2 = u64_mulc(FP_P2, m, &y),
             y3 = u64_mulc(FP_P3, m, &y);
    t[0] = u64_addc(t[0], y0, &carry);
    t[1] = u64_addc(t[1], y1, &carry);
    t[2] = u64_addc(t[2], y2, &carry);
    t[3] = u64_addc(t[3], y3, &carry);
    t[4] = u64_addc(t[4], y, &carry);
    u256_t r = shifted(t); /* in (-p, 2p) */
    if (t[4] >> 63)
        return u256_add(&r, &P);
    return u256_lt(&r, &P) ? r : u256_sub(&r, &P);
}

/* a, b = input, p; kept: a = input * u / 2^512 and b = input * v / 2^512 mod p. In the end a = 0 and b = 1; the input
 * is x * 2^256, so v is 2^256 / x: again Montgomery form. */
fp_t fp_inv(const fp_t *x)
{
    u256_t a = { { x->w[0], x->w[1], x->w[2], x->w[3] } }, b = P, u = { { R2.w[0], R2.w[1], R2.w[2], R2.w[3] } },
           v = u256_of(0);
    for (unsigned round = 0; round < ROUNDS && !u256_is_zero(&a); round++) {
        uint64_t ah, bh;
        bool minus0, minus1;
        heads_and_tails(&ah, &bh, &a, &b);
        factors_t k = halve(ah, bh);
        u256_t a1 = step(&a, k.f0, &b, k.g0, &minus0), b1 = step(&a, k.f1, &b, k.g1, &minus1);
        u256_t u1 = minus0 ? step_mod(&v, k.g0, &u, k.f0) : step_mod(&u, k.f0, &v, k.g0);
        u256_t v1 = minus1 ? step_mod(&v, k.g1, &u, k.f1) : step_mod(&u, k.f1, &v, k.g1);
        a = a1, b = b1, u = u1, v = v1;
    }
    return (fp_t){ { v.w[0], v.w[1], v.w[2], v.w[3] } };
}
