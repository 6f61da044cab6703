/* Both lines step by step in turns, so that neither waits for the other: twice as fast as one after the other, and each
 * precompile is to be as fast as evmone's. */
#include <string.h>

#include "base/bytes.h"
#include "base/crypto/hash.h"

enum { LINES = 2, ROUNDS = 5, WORDS = 16, BLOCK = 64 };

/* By line, round and step: the word of the block that it takes (r and r' of the paper). */
static const uint8_t word_of[LINES][ROUNDS][WORDS] = {
    {
        { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
        { 7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8 },
        { 3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12 },
        { 1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2 },
        { 4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13 },
    },
    {
        { 5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12 },
        { 6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2 },
        { 15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13 },
        { 8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14 },
        { 12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11 },
    },
};

/* By how many bits it turns (s and s'). */
static const uint8_t turn_of[LINES][ROUNDS][WORDS] = {
    {
        { 11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8 },
        { 7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12 },
        { 11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5 },
        { 11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12 },
        { 9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6 },
    },
    {
        { 8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6 },
        { 9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11 },
        { 9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5 },
        { 15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8 },
        { 8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11 },
    },
};

static const uint32_t constant_of[LINES][ROUNDS] = {
    { 0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e },
    { 0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0 },
};

static inline uint32_t turned(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

static inline uint32_t mixed(int function, uint32_t x, uint32_t y, uint32_t z)
{
    switch (function) {
    case 0: return x ^ y ^ z;
    case 1: return ((y ^ z) & x) ^ z;
    case 2: return (x | ~y) ^ z;
    case 3: return ((x ^ y) & z) ^ y;
    default: return x ^ (y | ~z);
    }
}

/* Where line, round and j are known at compile time, so is where each word lies. */
static inline __attribute__((always_inline)) void step(uint32_t s[5], const uint32_t w[WORDS], int line, int round,
                                                       int j)
{
    uint32_t f = mixed(line ? ROUNDS - 1 - round : round, s[1], s[2], s[3]);
    uint32_t sum = s[0] + f + w[word_of[line][round][j]] + constant_of[line][round];
    s[0] = s[4];
    s[4] = s[3];
    s[3] = turned(s[2], 10);
    s[2] = s[1];
    s[1] = turned(sum, turn_of[line][round][j]) + s[0];
}

static inline __attribute__((always_inline)) void round_of(uint32_t s[LINES][5], const uint32_t w[WORDS], int round)
{
#pragma GCC unroll 16
    for (int j = 0; j < WORDS; j++) {
        step(s[0], w, 0, round, j);
        step(s[1], w, 1, round, j);
    }
}

static void compress(uint32_t h[5], const uint8_t block[BLOCK])
{
    uint32_t w[WORDS], s[LINES][5];
    memcpy(w, block, BLOCK);
    memcpy(s[0], h, sizeof s[0]);
    memcpy(s[1], h, sizeof s[1]);
#pragma GCC unroll 5
    for (int round = 0; round < ROUNDS; round++)
        round_of(s, w, round);
    uint32_t first = h[1] + s[0][2] + s[1][3];
    h[1] = h[2] + s[0][3] + s[1][4];
    h[2] = h[3] + s[0][4] + s[1][0];
    h[3] = h[4] + s[0][0] + s[1][1];
    h[4] = h[0] + s[0][1] + s[1][2];
    h[0] = first;
}

void ripemd160(uint8_t out20[20], view_t in)
{
    uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    size_t whole = in.n - in.n % BLOCK, rest = in.n - whole;
    for (size_t at = 0; at < whole; at += BLOCK)
        compress(h, in.p + at);
    uint8_t last[2 * BLOCK] = { 0 };
    if (rest)
        memcpy(last, in.p + whole, rest);
    last[rest] = 0x80;
    size_t end = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    store_u64le(last + end - 8, (uint64_t)in.n * 8);
    for (size_t at = 0; at < end; at += BLOCK)
        compress(h, last + at);
    memcpy(out20, h, 20);
}
