/* SHA-256 of 64 bytes, the node of an SSZ tree, with the processor's SHA instructions where it has them. The message
 * fills one block exactly, so the second block is always the same padding and its schedule is a table. */
#include <cpuid.h>
#include <immintrin.h>

#include "base/crypto/hash.h"

/* FIPS 180-4 section 4.2.2. */
_Alignas(16) static const uint32_t constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The same, with the schedule of the padding block added: 0x80, zeros, and the length of 512 bits. */
_Alignas(16) static const uint32_t padding[64] = {
    0xc28a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf374,
    0x649b69c1, 0xf0fe4786, 0x0fe1edc6, 0x240cf254, 0x4fe9346f, 0x6cc984be, 0x61b9411e, 0x16f988fa,
    0xf2c65152, 0xa88e5a6d, 0xb019fc65, 0xb9d99ec7, 0x9a1231c3, 0xe70eeaa0, 0xfdb1232b, 0xc7353eb0,
    0x3069bad5, 0xcb976d5f, 0x5a0f118f, 0xdc1eeefd, 0x0a35b689, 0xde0b7a04, 0x58f4ca9d, 0xe15d5b16,
    0x007f3e86, 0x37088980, 0xa507ea32, 0x6fab9537, 0x17406110, 0x0d8cd6f1, 0xcdaa3b6d, 0xc0bbbe37,
    0x83613bda, 0xdb48a363, 0x0b02e931, 0x6fd15ca7, 0x521afaca, 0x31338431, 0x6ed41a95, 0x6d437890,
    0xc39c91f2, 0x9eccabbd, 0xb5c9a0e6, 0x532fb63c, 0xd2c741c6, 0x07237ea3, 0xa4954b68, 0x4c191d76,
};

/* Set once, before main: cpuid is slow inside a virtual machine. */
static bool have_sha;

__attribute__((constructor)) static void look_for_sha(void)
{
    unsigned a, b, c, d;
    __builtin_cpu_init();
    have_sha = __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1") &&
               __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

/* Four rounds; wk: four words of the schedule with their constants added. */
#define ROUNDS(wk)                                                                                                     \
    do {                                                                                                               \
        __m128i words = (wk);                                                                                          \
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);                                                               \
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0e));                                      \
    } while (0)

/* The four words of the schedule that follow w0..w3, in place of w0. */
#define EXTEND(w0, w1, w2, w3)                                                                                         \
    (w0 = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3))

#define AT(table, i) _mm_load_si128((const __m128i *)(const void *)&(table)[4 * (i)])
#define ROUNDS_OF(w, i) ROUNDS(_mm_add_epi32(w, AT(constant, i)))
#define EXTEND_AND_ROUNDS(w0, w1, w2, w3, i)                                                                           \
    do {                                                                                                               \
        EXTEND(w0, w1, w2, w3);                                                                                        \
        ROUNDS_OF(w0, i);                                                                                              \
    } while (0)

__attribute__((target("sha,sse4.1,ssse3"))) static void sha256_64_ni(hash32_t *out, const uint8_t in64[64])
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    const __m128i abef0 = _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c);
    const __m128i cdgh0 = _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19);
    __m128i abef = abef0, cdgh = cdgh0, w[4];
    for (unsigned i = 0; i < 4; i++) {
        memcpy(&w[i], in64 + 16 * i, 16);
        w[i] = _mm_shuffle_epi8(w[i], big_endian);
    }
    ROUNDS_OF(w[0], 0);
    ROUNDS_OF(w[1], 1);
    ROUNDS_OF(w[2], 2);
    ROUNDS_OF(w[3], 3);
    EXTEND_AND_ROUNDS(w[0], w[1], w[2], w[3], 4);
    EXTEND_AND_ROUNDS(w[1], w[2], w[3], w[0], 5);
    EXTEND_AND_ROUNDS(w[2], w[3], w[0], w[1], 6);
    EXTEND_AND_ROUNDS(w[3], w[0], w[1], w[2], 7);
    EXTEND_AND_ROUNDS(w[0], w[1], w[2], w[3], 8);
    EXTEND_AND_ROUNDS(w[1], w[2], w[3], w[0], 9);
    EXTEND_AND_ROUNDS(w[2], w[3], w[0], w[1], 10);
    EXTEND_AND_ROUNDS(w[3], w[0], w[1], w[2], 11);
    EXTEND_AND_ROUNDS(w[0], w[1], w[2], w[3], 12);
    EXTEND_AND_ROUNDS(w[1], w[2], w[3], w[0], 13);
    EXTEND_AND_ROUNDS(w[2], w[3], w[0], w[1], 14);
    EXTEND_AND_ROUNDS(w[3], w[0], w[1], w[2], 15);
    const __m128i abef1 = abef = _mm_add_epi32(abef, abef0), cdgh1 = cdgh = _mm_add_epi32(cdgh, cdgh0);
    for (unsigned i = 0; i < 16; i++)
        ROUNDS(AT(padding, i));
    abef = _mm_add_epi32(abef, abef1);
    cdgh = _mm_add_epi32(cdgh, cdgh1);
    /* The highest word of abef is a; the digest begins with it. */
    abef = _mm_shuffle_epi32(abef, 0x1b);
    cdgh = _mm_shuffle_epi32(cdgh, 0x1b);
    __m128i abcd = _mm_shuffle_epi8(_mm_unpacklo_epi64(abef, cdgh), big_endian);
    __m128i efgh = _mm_shuffle_epi8(_mm_unpackhi_epi64(abef, cdgh), big_endian);
    memcpy(out->b, &abcd, 16);
    memcpy(out->b + 16, &efgh, 16);
}

void sha256_64(hash32_t *out, const uint8_t in64[64])
{
    if (have_sha)
        sha256_64_ni(out, in64);
    else
        sha256(out, view_of(in64, 64));
}
