/* u256.h - 256-bit unsigned words of the EVM: four 64-bit limbs, least significant first.
 *
 * Arithmetic is modulo 2^256; signed operations read a word as two's complement; division by zero gives zero, as the
 * EVM defines it. Not constant time: never for secrets.
 *
 * Floor:  1, base. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_u256.c
 */
#ifndef BASE_U256_H
#define BASE_U256_H

#include "base/bytes.h"

typedef struct {
    uint64_t w[4]; /* w[0] is the least significant limb */
} u256_t;

static inline u256_t u256_of(uint64_t x)
{
    return (u256_t){ { x, 0, 0, 0 } };
}

static inline bool u256_is_zero(const u256_t *a)
{
    return (a->w[0] | a->w[1] | a->w[2] | a->w[3]) == 0;
}

static inline bool u256_eq(const u256_t *a, const u256_t *b)
{
    return ((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3])) == 0;
}

/* *to = *from, limb by limb: a wide load of what was just stored in narrow pieces would have to wait for the stores. */
static inline __attribute__((always_inline)) void u256_copy(u256_t *to, const u256_t *from)
{
    uint64_t w0 = from->w[0], w1 = from->w[1], w2 = from->w[2], w3 = from->w[3];
    to->w[0] = w0;
    to->w[1] = w1;
    to->w[2] = w2;
    to->w[3] = w3;
}

/* True when a fits 64 bits; its value is then a->w[0]. */
static inline bool u256_fits_u64(const u256_t *a)
{
    return (a->w[1] | a->w[2] | a->w[3]) == 0;
}

static inline u256_t u256_from_be32(const uint8_t in[32])
{
    return (u256_t){ { load_u64be(in + 24), load_u64be(in + 16), load_u64be(in + 8), load_u64be(in) } };
}

static inline void u256_to_be32(uint8_t out[32], const u256_t *a)
{
    store_u64be(out, a->w[3]);
    store_u64be(out + 8, a->w[2]);
    store_u64be(out + 16, a->w[1]);
    store_u64be(out + 24, a->w[0]);
}

/* Big-endian bytes of any length up to 32. in.n must not exceed 32. */
static inline u256_t u256_from_be(view_t in)
{
    uint8_t b[32] = { 0 };
    if (in.n && in.n <= 32)
        memcpy(b + 32 - in.n, in.p, in.n);
    return u256_from_be32(b);
}

/* -1, 0 or 1 as a is less than, equal to or greater than b. */
static inline int u256_cmp(const u256_t *a, const u256_t *b)
{
    for (int i = 3; i >= 0; i--)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

__extension__ typedef unsigned __int128 u128_t;

/* What _addcarry_u64 and _subborrow_u64 of <immintrin.h> stand for: that header takes half a second to compile. */
#define U64_ADDC __builtin_ia32_addcarryx_u64
#ifdef __clang__
#define U64_SUBB __builtin_ia32_subborrow_u64
#else
#define U64_SUBB __builtin_ia32_sbb_u64
#endif

/* a + b + *carry of one limb; *carry (0 or 1) becomes the carry out. Compilers' own carry chains are twice as long. */
static inline uint64_t u64_addc(uint64_t a, uint64_t b, unsigned char *carry)
{
    unsigned long long sum;
    *carry = U64_ADDC(*carry, a, b, &sum);
    return sum;
}

/* a - b - *borrow of one limb; *borrow (0 or 1) becomes the borrow out. */
static inline uint64_t u64_subb(uint64_t a, uint64_t b, unsigned char *borrow)
{
    unsigned long long difference;
    *borrow = U64_SUBB(*borrow, a, b, &difference);
    return difference;
}

/* a + b modulo 2^256; *carry (0 or 1) is what does not fit. */
static inline u256_t u256_add_carry(const u256_t *a, const u256_t *b, unsigned char *carry)
{
    uint64_t w0 = a->w[0], w1 = a->w[1], w2 = a->w[2], w3 = a->w[3];
    __asm__("addq %5, %0\n\tadcq %6, %1\n\tadcq %7, %2\n\tadcq %8, %3"
            : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+r"(w3), "=@ccc"(*carry)
            : "rm"(b->w[0]), "rm"(b->w[1]), "rm"(b->w[2]), "rm"(b->w[3]));
    return (u256_t){ { w0, w1, w2, w3 } };
}

/* a - b modulo 2^256; *borrow is 1 when a is less than b. */
static inline u256_t u256_sub_borrow(const u256_t *a, const u256_t *b, unsigned char *borrow)
{
    uint64_t w0 = a->w[0], w1 = a->w[1], w2 = a->w[2], w3 = a->w[3];
    __asm__("subq %5, %0\n\tsbbq %6, %1\n\tsbbq %7, %2\n\tsbbq %8, %3"
            : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+r"(w3), "=@ccc"(*borrow)
            : "rm"(b->w[0]), "rm"(b->w[1]), "rm"(b->w[2]), "rm"(b->w[3]));
    return (u256_t){ { w0, w1, w2, w3 } };
}

static inline u256_t u256_add(const u256_t *a, const u256_t *b)
{
    unsigned char carry;
    return u256_add_carry(a, b, &carry);
}

static inline u256_t u256_sub(const u256_t *a, const u256_t *b)
{
    unsigned char borrow;
    return u256_sub_borrow(a, b, &borrow);
}

static inline bool u256_lt(const u256_t *a, const u256_t *b)
{
    unsigned char borrow;
    (void)u256_sub_borrow(a, b, &borrow);
    return borrow;
}

static inline bool u256_is_negative(const u256_t *a)
{
    return a->w[3] >> 63;
}

/* a < b, both signed. */
static inline bool u256_slt(const u256_t *a, const u256_t *b)
{
    bool na = u256_is_negative(a), nb = u256_is_negative(b);
    return na != nb ? na : u256_lt(a, b);
}

static inline u256_t u256_neg(const u256_t *a)
{
    static const u256_t zero;
    return u256_sub(&zero, a);
}

static inline u256_t u256_and(const u256_t *a, const u256_t *b)
{
    return (u256_t){ { a->w[0] & b->w[0], a->w[1] & b->w[1], a->w[2] & b->w[2], a->w[3] & b->w[3] } };
}

static inline u256_t u256_or(const u256_t *a, const u256_t *b)
{
    return (u256_t){ { a->w[0] | b->w[0], a->w[1] | b->w[1], a->w[2] | b->w[2], a->w[3] | b->w[3] } };
}

static inline u256_t u256_xor(const u256_t *a, const u256_t *b)
{
    return (u256_t){ { a->w[0] ^ b->w[0], a->w[1] ^ b->w[1], a->w[2] ^ b->w[2], a->w[3] ^ b->w[3] } };
}

static inline u256_t u256_not(const u256_t *a)
{
    return (u256_t){ { ~a->w[0], ~a->w[1], ~a->w[2], ~a->w[3] } };
}

/* acc + a * b + *carry of one limb, which always fits two; *carry becomes the upper one. */
static inline uint64_t u64_muladd(uint64_t acc, uint64_t a, uint64_t b, uint64_t *carry)
{
    uint64_t low = a, high;
    __asm__("mulq %2\n\taddq %3, %0\n\tadcq $0, %1\n\taddq %4, %0\n\tadcq $0, %1"
            : "+&a"(low), "=&d"(high)
            : "rm"(b), "rm"(acc), "rm"(*carry)
            : "cc");
    *carry = high;
    return low;
}

/* a * b + *carry of one limb; *carry becomes the upper one. */
static inline uint64_t u64_mulc(uint64_t a, uint64_t b, uint64_t *carry)
{
    uint64_t low = a, high;
    __asm__("mulq %2\n\taddq %3, %0\n\tadcq $0, %1" : "+&a"(low), "=&d"(high) : "rm"(b), "rm"(*carry) : "cc");
    *carry = high;
    return low;
}

/* a * b modulo 2^256: ten limb products, the others would fall out at the top. */
static inline u256_t u256_mul(const u256_t *a, const u256_t *b)
{
    u256_t r;
    u128_t p = (u128_t)a->w[0] * b->w[0];
    uint64_t c = (uint64_t)(p >> 64);
    r.w[0] = (uint64_t)p;
    r.w[1] = u64_mulc(a->w[0], b->w[1], &c);
    r.w[2] = u64_mulc(a->w[0], b->w[2], &c);
    r.w[3] = a->w[0] * b->w[3] + c;
    c = r.w[1];
    r.w[1] = u64_mulc(a->w[1], b->w[0], &c);
    r.w[2] = u64_muladd(r.w[2], a->w[1], b->w[1], &c);
    r.w[3] += a->w[1] * b->w[2] + c;
    c = r.w[2];
    r.w[2] = u64_mulc(a->w[2], b->w[0], &c);
    r.w[3] += a->w[2] * b->w[1] + c + a->w[3] * b->w[0];
    return r;
}

/* a * b modulo 2^256, of a word and a limb. */
static inline u256_t u256_mul_small(const u256_t *a, uint64_t b)
{
    u256_t r;
    uint64_t c = 0;
    r.w[0] = u64_mulc(a->w[0], b, &c);
    r.w[1] = u64_mulc(a->w[1], b, &c);
    r.w[2] = u64_mulc(a->w[2], b, &c);
    r.w[3] = a->w[3] * b + c;
    return r;
}

/* The pair (high, low) shifted by n < 64: the upper word of a left shift, the lower word of a right one. */
static inline uint64_t u64_shl_pair(uint64_t high, uint64_t low, unsigned n)
{
    return high << n | low >> 1 >> (63 - n);
}

static inline uint64_t u64_shr_pair(uint64_t high, uint64_t low, unsigned n)
{
    return low >> n | high << 1 << (63 - n);
}

/* a shifted left by n bits; zero from n = 256 on. */
static inline u256_t u256_shl(const u256_t *a, unsigned n)
{
    const uint64_t *w = a->w;
    unsigned up = n % 64;
    if (n < 64)
        return (u256_t){ { w[0] << up, u64_shl_pair(w[1], w[0], up), u64_shl_pair(w[2], w[1], up),
                           u64_shl_pair(w[3], w[2], up) } };
    switch (n / 64) {
    case 1: return (u256_t){ { 0, w[0] << up, u64_shl_pair(w[1], w[0], up), u64_shl_pair(w[2], w[1], up) } };
    case 2: return (u256_t){ { 0, 0, w[0] << up, u64_shl_pair(w[1], w[0], up) } };
    case 3: return (u256_t){ { 0, 0, 0, w[0] << up } };
    default: return u256_of(0);
    }
}

/* a shifted right by n bits, bits of fill (0 or all ones) coming in at the top; all fill from n = 256 on. */
static inline u256_t u256_shift_in(const u256_t *a, unsigned n, uint64_t fill)
{
    const uint64_t *w = a->w;
    unsigned down = n % 64;
    if (n < 64)
        return (u256_t){ { u64_shr_pair(w[1], w[0], down), u64_shr_pair(w[2], w[1], down),
                           u64_shr_pair(w[3], w[2], down), u64_shr_pair(fill, w[3], down) } };
    switch (n / 64) {
    case 1:
        return (u256_t){ { u64_shr_pair(w[2], w[1], down), u64_shr_pair(w[3], w[2], down),
                           u64_shr_pair(fill, w[3], down), fill } };
    case 2: return (u256_t){ { u64_shr_pair(w[3], w[2], down), u64_shr_pair(fill, w[3], down), fill, fill } };
    case 3: return (u256_t){ { u64_shr_pair(fill, w[3], down), fill, fill, fill } };
    default: return (u256_t){ { fill, fill, fill, fill } };
    }
}

/* a shifted right by n bits; zero from n = 256 on. */
static inline u256_t u256_shr(const u256_t *a, unsigned n)
{
    return u256_shift_in(a, n, 0);
}

/* a shifted right by n bits, copies of the sign bit coming in; all sign from n = 256 on. */
static inline u256_t u256_sar(const u256_t *a, unsigned n)
{
    return u256_shift_in(a, n, 0 - (uint64_t)u256_is_negative(a));
}

/* Zero bits above the highest one; 256 for zero. */
static inline unsigned u256_clz(const u256_t *a)
{
    for (unsigned i = 4; i-- > 0;)
        if (a->w[i])
            return 64 * (3 - i) + (unsigned)__builtin_clzll(a->w[i]);
    return 256;
}

/* Bytes that a needs: 0 for zero, at most 32. */
static inline unsigned u256_byte_len(const u256_t *a)
{
    return (256 - u256_clz(a) + 7) / 8;
}

/* Byte number n of a counted from the most significant one (EVM BYTE); zero from n = 32 on. */
static inline u256_t u256_byte(const u256_t *a, const u256_t *n)
{
    if (!u256_fits_u64(n) || n->w[0] >= 32)
        return u256_of(0);
    unsigned bit = 8 * (31 - (unsigned)n->w[0]);
    return u256_of(a->w[bit / 64] >> bit % 64 & 0xff);
}

/* a with the sign bit of its byte number n, counted from the least significant one, copied upwards; a itself
 * from n = 31 on (EVM SIGNEXTEND). */
static inline u256_t u256_signextend(const u256_t *a, const u256_t *n)
{
    if (!u256_fits_u64(n) || n->w[0] >= 31)
        return *a;
    unsigned up = 8 * (31 - (unsigned)n->w[0]);
    u256_t top = u256_shl(a, up);
    return u256_sar(&top, up);
}

/* Quotient and remainder; both zero when d is zero. Either output may be NULL, and both may overlap the inputs. */
void u256_divmod(u256_t *quot, u256_t *rem, const u256_t *n, const u256_t *d);

/* The same for signed words: the quotient is rounded towards zero, the remainder has the sign of n. */
void u256_sdivmod(u256_t *quot, u256_t *rem, const u256_t *n, const u256_t *d);

/* (a + b) mod m and (a * b) mod m without losing the upper bits; zero when m is zero. */
u256_t u256_addmod(const u256_t *a, const u256_t *b, const u256_t *m);
u256_t u256_mulmod(const u256_t *a, const u256_t *b, const u256_t *m);

/* base to the power of e modulo 2^256; 0 to the power of 0 is 1. */
u256_t u256_exp(const u256_t *base, const u256_t *e);

/* a * b exactly: the lower half is returned, *high receives the upper one. */
u256_t u256_mul_wide(u256_t *high, const u256_t *a, const u256_t *b);

#endif
