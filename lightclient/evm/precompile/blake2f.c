#include "lightclient/evm/precompile.h"

/* EIP-152: the compression function F of BLAKE2b (RFC 7693) with a number of rounds.
 * Input: rounds (4 bytes, big-endian), h (8 words), m (16 words), t (2 words), final (1 byte); words little-endian. */

#define ROUNDS_PIECE 65530u /* between questions about the deadline */

static const uint64_t iv[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};
static const uint8_t sigma[10][16] = {
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
    { 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 }, { 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
    { 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 }, { 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
    { 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 }, { 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
    { 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 }, { 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static uint64_t ror(uint64_t x, unsigned n)
{
    return x >> n | x << (64 - n);
}

static inline void quarter(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, uint64_t x, uint64_t y)
{
    *a += *b + x;
    *d = ror(*d ^ *a, 32);
    *c += *d;
    *b = ror(*b ^ *c, 24);
    *a += *b + y;
    *d = ror(*d ^ *a, 16);
    *c += *d;
    *b = ror(*b ^ *c, 63);
}

/* Where s is known at compile time, so is where each word of m lies. */
static inline __attribute__((always_inline)) void round_of(uint64_t v[16], const uint64_t m[16], const uint8_t s[16])
{
    quarter(&v[0], &v[4], &v[8], &v[12], m[s[0]], m[s[1]]);
    quarter(&v[1], &v[5], &v[9], &v[13], m[s[2]], m[s[3]]);
    quarter(&v[2], &v[6], &v[10], &v[14], m[s[4]], m[s[5]]);
    quarter(&v[3], &v[7], &v[11], &v[15], m[s[6]], m[s[7]]);
    quarter(&v[0], &v[5], &v[10], &v[15], m[s[8]], m[s[9]]);
    quarter(&v[1], &v[6], &v[11], &v[12], m[s[10]], m[s[11]]);
    quarter(&v[2], &v[7], &v[8], &v[13], m[s[12]], m[s[13]]);
    quarter(&v[3], &v[4], &v[9], &v[14], m[s[14]], m[s[15]]);
}

/* The first n rounds, of 10 that repeat. */
static void rounds_of(uint64_t v[16], const uint64_t m[16], uint32_t n)
{
#pragma GCC unroll 10
    for (uint32_t i = 0; i < 10; i++) {
        if (i == n)
            return;
        round_of(v, m, sigma[i]);
    }
}

int64_t blake2f_gas(evm_fork_t fork, view_t input)
{
    (void)fork;
    rd_t r = rd_of(input);
    return rd_u32be(&r); /* one for each round; input of another length fails anyway */
}

rc_t blake2f_run(arena_t *a, view_t *out, evm_fork_t fork, view_t input, const evm_host_t *host)
{
    (void)fork;
    uint64_t h[8], m[16], v[16];
    rd_t r = rd_of(input);
    uint32_t rounds = rd_u32be(&r);
    for (unsigned i = 0; i < 8; i++)
        h[i] = rd_u64le(&r);
    for (unsigned i = 0; i < 16; i++)
        m[i] = rd_u64le(&r);
    uint64_t t0 = rd_u64le(&r), t1 = rd_u64le(&r);
    uint8_t final = rd_u8(&r);
    if (!rd_done(&r) || final > 1)
        return RC_REFUSED;
    memcpy(v, h, sizeof h);
    memcpy(v + 8, iv, sizeof iv);
    v[12] ^= t0;
    v[13] ^= t1;
    v[14] ^= 0 - (uint64_t) final;
    for (uint64_t i = 0; i < rounds; i += 10) { /* 32 bits would begin anew beyond the last of 2^32 - 1 */
        if (i % ROUNDS_PIECE == ROUNDS_PIECE - 10 && precompile_expired(host))
            return RC_TIMEOUT;
        rounds_of(v, m, rounds - i < 10 ? (uint32_t)(rounds - i) : 10);
    }
    uint8_t *result = arena_alloc(a, 64);
    if (!result)
        return RC_NOMEM;
    for (unsigned i = 0; i < 8; i++)
        store_u64le(result + 8 * i, h[i] ^ v[i] ^ v[i + 8]);
    *out = view_of(result, 64);
    return RC_OK;
}
