/* u256.h - 256-bit unsigned words of the EVM: four 64-bit limbs, least significant first.
 *
 * Floor:  0, base. No heap, I/O, clock or thread.
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

#endif
