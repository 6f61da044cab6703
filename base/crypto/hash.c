#include "base/crypto/hash.h"

#include <nettle/sha2.h>

const hash32_t KECCAK_EMPTY = { { 0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d, 0xb2, 0xdc, 0xc7, 0x03, 0xc0,
                                  0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82, 0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70 } };
const hash32_t EMPTY_TRIE_ROOT = { { 0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e,
                                     0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21 } };

#define KECCAK_RATE 136u /* bytes absorbed per permutation for 256-bit output */

static inline uint64_t rol(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void keccak_f1600(uint64_t s[25])
{
    static const uint64_t round_constant[24] = {
        0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
        0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
        0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
        0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
    };
    static const unsigned rotation[24] = { 1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14, 27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44 };
    static const unsigned lane[24] = { 10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1 };
    for (unsigned round = 0; round < 24; round++) {
        uint64_t c[5];
        for (unsigned x = 0; x < 5; x++)
            c[x] = s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20];
        for (unsigned x = 0; x < 5; x++) {
            uint64_t d = c[(x + 4) % 5] ^ rol(c[(x + 1) % 5], 1);
            for (unsigned y = 0; y < 25; y += 5)
                s[y + x] ^= d;
        }
        uint64_t moving = s[1];
        for (unsigned i = 0; i < 24; i++) {
            uint64_t next = s[lane[i]];
            s[lane[i]] = rol(moving, rotation[i]);
            moving = next;
        }
        for (unsigned y = 0; y < 25; y += 5) {
            uint64_t row[5];
            memcpy(row, s + y, sizeof row);
            for (unsigned x = 0; x < 5; x++)
                s[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
        s[0] ^= round_constant[round];
    }
}

static void absorb(uint64_t s[25], const uint8_t *p)
{
    for (unsigned i = 0; i < KECCAK_RATE / 8; i++)
        s[i] ^= load_u64le(p + 8 * i);
    keccak_f1600(s);
}

void keccak256(hash32_t *out, view_t in)
{
    uint64_t s[25] = { 0 };
    uint8_t last[KECCAK_RATE] = { 0 };
    for (; in.n >= KECCAK_RATE; in.p += KECCAK_RATE, in.n -= KECCAK_RATE)
        absorb(s, in.p);
    if (in.n)
        memcpy(last, in.p, in.n);
    last[in.n] ^= 0x01;
    last[KECCAK_RATE - 1] ^= 0x80;
    absorb(s, last);
    memcpy(out->b, s, sizeof out->b);
}

void keccak256_many(hash32_t *out, const view_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        keccak256(&out[i], in[i]);
}

void sha256_parts(hash32_t *out, const view_t *parts, size_t count)
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    for (size_t i = 0; i < count; i++)
        sha256_update(&ctx, parts[i].n, parts[i].p);
    sha256_digest(&ctx, sizeof out->b, out->b);
}

void sha256(hash32_t *out, view_t in)
{
    sha256_parts(out, &in, 1);
}

void sha256_64(hash32_t *out, const uint8_t in64[64])
{
    sha256(out, view_of(in64, 64));
}
