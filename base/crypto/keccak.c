/* Keccak-256: one state at a time, or eight (AVX-512) or four (AVX2) side by side. The permutation is written once, for
 * any type of lane; which copy runs is chosen by what the processor offers. */
#include "base/crypto/hash.h"

#define RATE 136u /* bytes absorbed by one permutation for a digest of 256 bits */
#define LANES 25u
#define WIDTH_MAX 8u

const hash32_t KECCAK_EMPTY = { { 0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                                  0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                                  0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70 } };
const hash32_t EMPTY_TRIE_ROOT = { { 0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                                     0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                                     0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21 } };

static const uint64_t round_constant[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

#define ROL(v, n) ((v) << (n) | (v) >> (64 - (n)))

/* chi: row y of the new state Z from five lanes that rho and pi brought there. */
#define ROW(Z, y, v0, v1, v2, v3, v4)                                                                                  \
    do {                                                                                                               \
        p0 = (v0), p1 = (v1), p2 = (v2), p3 = (v3), p4 = (v4);                                                         \
        Z##0##y = p0 ^ (~p1 & p2);                                                                                     \
        Z##1##y = p1 ^ (~p2 & p3);                                                                                     \
        Z##2##y = p2 ^ (~p3 & p4);                                                                                     \
        Z##3##y = p3 ^ (~p4 & p0);                                                                                     \
        Z##4##y = p4 ^ (~p0 & p1);                                                                                     \
    } while (0)

/* One round from state S to state Z; lane Sxy stands in column x, row y. */
#define ROUND(S, Z, constant)                                                                                          \
    do {                                                                                                               \
        p0 = S##00 ^ S##01 ^ S##02 ^ S##03 ^ S##04;                                                                    \
        p1 = S##10 ^ S##11 ^ S##12 ^ S##13 ^ S##14;                                                                    \
        p2 = S##20 ^ S##21 ^ S##22 ^ S##23 ^ S##24;                                                                    \
        p3 = S##30 ^ S##31 ^ S##32 ^ S##33 ^ S##34;                                                                    \
        p4 = S##40 ^ S##41 ^ S##42 ^ S##43 ^ S##44;                                                                    \
        d0 = p4 ^ ROL(p1, 1);                                                                                          \
        d1 = p0 ^ ROL(p2, 1);                                                                                          \
        d2 = p1 ^ ROL(p3, 1);                                                                                          \
        d3 = p2 ^ ROL(p4, 1);                                                                                          \
        d4 = p3 ^ ROL(p0, 1);                                                                                          \
        ROW(Z, 0, S##00 ^ d0, ROL(S##11 ^ d1, 44), ROL(S##22 ^ d2, 43), ROL(S##33 ^ d3, 21), ROL(S##44 ^ d4, 14));     \
        Z##00 ^= (constant);                                                                                           \
        ROW(Z, 1, ROL(S##30 ^ d3, 28), ROL(S##41 ^ d4, 20), ROL(S##02 ^ d0, 3), ROL(S##13 ^ d1, 45),                   \
            ROL(S##24 ^ d2, 61));                                                                                      \
        ROW(Z, 2, ROL(S##10 ^ d1, 1), ROL(S##21 ^ d2, 6), ROL(S##32 ^ d3, 25), ROL(S##43 ^ d4, 8),                     \
            ROL(S##04 ^ d0, 18));                                                                                      \
        ROW(Z, 3, ROL(S##40 ^ d4, 27), ROL(S##01 ^ d0, 36), ROL(S##12 ^ d1, 10), ROL(S##23 ^ d2, 15),                  \
            ROL(S##34 ^ d3, 56));                                                                                      \
        ROW(Z, 4, ROL(S##20 ^ d2, 62), ROL(S##31 ^ d3, 55), ROL(S##42 ^ d4, 39), ROL(S##03 ^ d0, 41),                  \
            ROL(S##14 ^ d1, 2));                                                                                       \
    } while (0)

/* Keccak-f[1600] on lane_t s[25], which holds lane (x, y) at x + 5y. */
#define PERMUTE(lane_t, s)                                                                                             \
    do {                                                                                                               \
        lane_t a00 = s[0], a10 = s[1], a20 = s[2], a30 = s[3], a40 = s[4], a01 = s[5], a11 = s[6], a21 = s[7],         \
               a31 = s[8], a41 = s[9], a02 = s[10], a12 = s[11], a22 = s[12], a32 = s[13], a42 = s[14], a03 = s[15],   \
               a13 = s[16], a23 = s[17], a33 = s[18], a43 = s[19], a04 = s[20], a14 = s[21], a24 = s[22], a34 = s[23], \
               a44 = s[24];                                                                                            \
        lane_t b00, b10, b20, b30, b40, b01, b11, b21, b31, b41, b02, b12, b22, b32, b42, b03, b13, b23, b33, b43,     \
            b04, b14, b24, b34, b44, p0, p1, p2, p3, p4, d0, d1, d2, d3, d4;                                           \
        for (unsigned r = 0; r < 24; r += 2) {                                                                         \
            ROUND(a, b, round_constant[r]);                                                                            \
            ROUND(b, a, round_constant[r + 1]);                                                                        \
        }                                                                                                              \
        s[0] = a00, s[1] = a10, s[2] = a20, s[3] = a30, s[4] = a40, s[5] = a01, s[6] = a11, s[7] = a21, s[8] = a31,    \
        s[9] = a41, s[10] = a02, s[11] = a12, s[12] = a22, s[13] = a32, s[14] = a42, s[15] = a03, s[16] = a13,         \
        s[17] = a23, s[18] = a33, s[19] = a43, s[20] = a04, s[21] = a14, s[22] = a24, s[23] = a34, s[24] = a44;        \
    } while (0)

static void permute(uint64_t *s)
{
    PERMUTE(uint64_t, s);
}

__attribute__((target("bmi,bmi2"))) static void permute_bmi(uint64_t *s)
{
    PERMUTE(uint64_t, s);
}

static void permute_one(uint64_t s[LANES])
{
    if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        permute_bmi(s);
    else
        permute(s);
}

static void absorb_words(uint64_t s[LANES], const uint8_t *p, size_t words)
{
    for (size_t i = 0; i < words; i++)
        s[i] ^= load_u64le(p + 8 * i);
}

void keccak256(hash32_t *out, view_t in)
{
    uint64_t s[LANES] = { 0 };
    uint8_t last[8] = { 0 };
    for (; in.n >= RATE; in.p += RATE, in.n -= RATE) {
        absorb_words(s, in.p, RATE / 8);
        permute_one(s);
    }
    size_t words = in.n / 8, bytes = in.n % 8;
    absorb_words(s, in.p, words);
    if (bytes)
        memcpy(last, in.p + 8 * words, bytes);
    last[bytes] = 0x01; /* the padding: first bit here, last bit at the end of the block */
    s[words] ^= load_u64le(last);
    s[RATE / 8 - 1] ^= (uint64_t)1 << 63;
    permute_one(s);
    memcpy(out->b, s, sizeof out->b);
}

typedef uint64_t x4_t __attribute__((vector_size(32)));
typedef uint64_t x8_t __attribute__((vector_size(64)));

/* States side by side: word i of state k is lane[i * width + k]. */
typedef union {
    uint64_t lane[LANES * WIDTH_MAX];
    x4_t x4[LANES];
    x8_t x8[LANES];
} states_t;

/* One of the messages that are worked on side by side. */
typedef struct {
    view_t rest;
    size_t index;       /* of the message; its digest goes there */
    bool busy;          /* false: there is no message */
    bool ends;          /* the block fed last was its last one */
    uint8_t last[RATE]; /* that block */
} slot_t;

#define WORD(k) load_u64le(block[k] + 8 * i)
#define ABSORB_X4(s, block)                                                                                            \
    do {                                                                                                               \
        for (unsigned i = 0; i < RATE / 8; i++)                                                                        \
            s[i] ^= (x4_t){ WORD(0), WORD(1), WORD(2), WORD(3) };                                                      \
        PERMUTE(x4_t, s);                                                                                              \
    } while (0)

__attribute__((target("avx2"))) static void absorb_x4(x4_t *s, const uint8_t *const *block)
{
    ABSORB_X4(s, block);
}

/* The same with the rotations and three-operand logic of AVX-512. */
__attribute__((target("avx512f,avx512vl"))) static void absorb_x4_vl(x4_t *s, const uint8_t *const *block)
{
    ABSORB_X4(s, block);
}

__attribute__((target("avx512f,avx512vl"))) static void absorb_x8(x8_t *s, const uint8_t *const *block)
{
    for (unsigned i = 0; i < RATE / 8; i++)
        s[i] ^= (x8_t){ WORD(0), WORD(1), WORD(2), WORD(3), WORD(4), WORD(5), WORD(6), WORD(7) };
    PERMUTE(x8_t, s);
}

/* The last block of a message: what is left of it (less than a block) and the padding. */
static void pad(uint8_t last[RATE], view_t rest)
{
    memset(last, 0, RATE);
    if (rest.n)
        memcpy(last, rest.p, rest.n);
    last[rest.n] ^= 0x01;
    last[RATE - 1] ^= 0x80;
}

/* The next block of a slot's message. */
static const uint8_t *next_block(slot_t *slot)
{
    if (slot->rest.n < RATE) {
        pad(slot->last, slot->rest);
        slot->ends = true;
        return slot->last;
    }
    const uint8_t *block = slot->rest.p;
    slot->rest = view_of(block + RATE, slot->rest.n - RATE);
    return block;
}

/* Hashes all messages in width columns; a column that finishes one takes the next that is waiting. */
static void hash_columns(hash32_t *out, const view_t *in, size_t n, size_t width, bool vl)
{
    static const uint8_t nothing[RATE];
    states_t s;
    slot_t slot[WIDTH_MAX];
    const uint8_t *block[WIDTH_MAX];
    size_t started = 0, done = 0;
    memset(&s, 0, sizeof s);
    for (size_t k = 0; k < width; k++)
        slot[k].busy = false;
    while (done < n) {
        for (size_t k = 0; k < width; k++) {
            if (!slot[k].busy && started < n) {
                slot[k].rest = in[started];
                slot[k].index = started++;
                slot[k].busy = true;
                slot[k].ends = false;
                for (size_t i = 0; i < LANES; i++)
                    s.lane[i * width + k] = 0;
            }
            block[k] = slot[k].busy ? next_block(&slot[k]) : nothing;
        }
        if (width == 8)
            absorb_x8(s.x8, block);
        else if (vl)
            absorb_x4_vl(s.x4, block);
        else
            absorb_x4(s.x4, block);
        for (size_t k = 0; k < width; k++) {
            if (!slot[k].busy || !slot[k].ends)
                continue;
            for (size_t i = 0; i < sizeof out->b / 8; i++)
                store_u64le(out[slot[k].index].b + 8 * i, s.lane[i * width + k]);
            slot[k].busy = false;
            done++;
        }
    }
}

void keccak256_many(hash32_t *out, const view_t *in, size_t n)
{
    bool vl = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
    bool x4 = vl || __builtin_cpu_supports("avx2");
    size_t wide = !vl ? 0 : n % 8 > 4 ? n : n - n % 8; /* so many go eight abreast, the rest four */
    size_t rest = n - wide;
    if (wide)
        hash_columns(out, in, wide, 8, vl);
    if (rest > 1 && x4) {
        hash_columns(out + wide, in + wide, rest, 4, vl);
        return;
    }
    for (size_t i = wide; i < n; i++)
        keccak256(&out[i], in[i]);
}
