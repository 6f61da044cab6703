/* siphash.h - SipHash-1-3: keyed hash for tables whose keys come from outside.
 *
 * Spec:   Aumasson, Bernstein: SipHash, a fast short-input PRF (c = 1, d = 3)
 * Floor:  1, base. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_map.c
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/bytes.h"

static inline void siphash_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0];
    v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];
    v[0] = v[0] << 32 | v[0] >> 32;
    v[2] += v[1];
    v[0] += v[3];
    v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2];
    v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];
    v[2] = v[2] << 32 | v[2] >> 32;
}

/* The hash of in under a 128-bit seed. */
static inline uint64_t siphash(const uint64_t seed[2], view_t in)
{
    uint64_t v[4] = { seed[0] ^ 0x736f6d6570736575u, seed[1] ^ 0x646f72616e646f6du, seed[0] ^ 0x6c7967656e657261u,
                      seed[1] ^ 0x7465646279746573u };
    uint64_t last = (uint64_t)in.n << 56;
    size_t i = 0;
    for (; in.n - i >= 8; i += 8) {
        uint64_t m = load_u64le(in.p + i);
        v[3] ^= m;
        siphash_round(v);
        v[0] ^= m;
    }
    if (i < in.n) {
        uint8_t tail[8] = { 0 };
        memcpy(tail, in.p + i, in.n - i);
        last |= load_u64le(tail);
    }
    v[3] ^= last;
    siphash_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int r = 0; r < 3; r++)
        siphash_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
