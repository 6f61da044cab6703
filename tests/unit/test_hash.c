/* Hashes: known answers, and agreement with nettle's permutation and SHA-256 over many lengths. The source of Keccak is
 * included, so that the copies for other processors are run too, not only the one that this processor would choose. */
#include <check.h>
#include <nettle/sha3.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/keccak.c"
#include "base/hex.h"
#include "tests/unit/unit.h"

#define LENGTHS 700u /* past five blocks */

/* Pseudo-random bytes, the same in every run. */
static void fill(uint8_t *out, size_t n, uint64_t seed)
{
    uint64_t x = 0x9e3779b97f4a7c15u ^ seed << 1;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        out[i] = (uint8_t)(x >> 24);
    }
}

/* Keccak-256 the plain way, with nettle's permutation. */
static void reference(hash32_t *out, view_t in)
{
    struct sha3_state s = { { 0 } };
    uint8_t block[136];
    bool last;
    do {
        last = in.n < sizeof block;
        size_t n = last ? in.n : sizeof block;
        memset(block, 0, sizeof block);
        if (n)
            memcpy(block, in.p, n);
        if (last) {
            block[n] ^= 1;
            block[sizeof block - 1] ^= 0x80;
        }
        for (size_t i = 0; i < sizeof block / 8; i++)
            s.a[i] ^= load_u64le(block + 8 * i);
        sha3_permute(&s);
        if (n)
            in = view_of(in.p + n, in.n - n);
    } while (!last);
    for (size_t i = 0; i < 4; i++)
        store_u64le(out->b + 8 * i, s.a[i]);
}

static void check_hex(const hash32_t *h, const char *want)
{
    char hex[65];
    hex_encode(hex, view_of(h->b, sizeof h->b));
    ck_assert_str_eq(hex, want);
}

/* Sources: the Keccak team's ShortMsgKAT_256 of the original padding ("", cc); "abc" and the transfer event's topic as
 * every Ethereum tool prints them. */
START_TEST(keccak_matches_known_answers)
{
    static const uint8_t cc[] = { 0xcc };
    hash32_t h;
    keccak256(&h, view_of(NULL, 0));
    check_hex(&h, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    ck_assert(hash32_eq(&h, &KECCAK_EMPTY));
    keccak256(&h, view_of(cc, sizeof cc));
    check_hex(&h, "eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a");
    keccak256(&h, view_str("abc"));
    check_hex(&h, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    keccak256(&h, view_str("Transfer(address,address,uint256)"));
    check_hex(&h, "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}
END_TEST

START_TEST(keccak_agrees_with_another_implementation_at_every_length)
{
    for (size_t n = 0; n < LENGTHS; n++) {
        uint8_t *in = malloc(n ? n : 1); /* exact size: ASan sees an over-read */
        hash32_t got, want;
        fill(in, n, n);
        keccak256(&got, view_of(in, n));
        reference(&want, view_of(in, n));
        ck_assert_msg(hash32_eq(&got, &want), "%zu bytes", n);
        free(in);
    }
}
END_TEST

START_TEST(keccak_may_overwrite_its_input)
{
    hash32_t h, want;
    fill(h.b, sizeof h.b, 5);
    reference(&want, view_of(h.b, sizeof h.b));
    keccak256(&h, view_of(h.b, sizeof h.b));
    ck_assert(hash32_eq(&h, &want));
}
END_TEST

typedef enum { AS_CHOSEN, FOUR_AVX2, FOUR_AVX512, EIGHT_AVX512, WAYS } way_t;

static bool has_way(way_t way)
{
    bool vl = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
    return way == AS_CHOSEN || (way == FOUR_AVX2 ? __builtin_cpu_supports("avx2") : vl);
}

static void check_many(way_t way)
{
    for (size_t n = 0; n <= 40 && has_way(way); n++) {
        hash32_t got[41], want;
        view_t in[40] = { { NULL, 0 } };
        for (size_t i = 0; i < n; i++) {
            uint8_t seed[2];
            fill(seed, sizeof seed, n << 8 | i);
            size_t len = (seed[0] | (size_t)seed[1] << 8) % LENGTHS;
            uint8_t *p = malloc(len ? len : 1);
            fill(p, len, len + i);
            in[i] = view_of(p, len);
        }
        memset(got, 0xa5, sizeof got);
        if (way == AS_CHOSEN)
            keccak256_many(got, in, n);
        else
            hash_columns(got, in, n, way == EIGHT_AVX512 ? 8 : 4, way != FOUR_AVX2);
        for (size_t i = 0; i < n; i++) {
            reference(&want, in[i]);
            ck_assert_msg(hash32_eq(&got[i], &want), "%zu of %zu, %zu bytes", i, n, in[i].n);
            free((void *)(uintptr_t)in[i].p);
        }
        ck_assert_uint_eq(got[n].b[0], 0xa5);
    }
}

START_TEST(many_keccaks_equal_single_ones_in_every_way)
{
    for (unsigned way = AS_CHOSEN; way < WAYS; way++)
        check_many((way_t)way);
}
END_TEST

START_TEST(the_permutation_is_the_same_for_every_processor)
{
    struct sha3_state want;
    uint64_t plain[LANES], bmi[LANES];
    fill((uint8_t *)want.a, sizeof want.a, 3);
    memcpy(plain, want.a, sizeof plain);
    memcpy(bmi, want.a, sizeof bmi);
    sha3_permute(&want);
    permute(plain);
    ck_assert_mem_eq(plain, want.a, sizeof plain);
    if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
        permute_bmi(bmi);
        ck_assert_mem_eq(bmi, want.a, sizeof bmi);
    }
}
END_TEST

/* Sources: FIPS 180-2 appendix B.1; the SSZ zero nodes of depth 1 and 2. */
START_TEST(sha256_matches_known_answers)
{
    static const uint8_t zeros[64];
    uint8_t two[64];
    hash32_t h;
    sha256(&h, view_str("abc"));
    check_hex(&h, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_64(&h, zeros);
    check_hex(&h, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
    memcpy(two, h.b, 32);
    memcpy(two + 32, h.b, 32);
    sha256_64(&h, two);
    check_hex(&h, "db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71");
}
END_TEST

/* Sources: FIPS 180-2 appendices C.1 and D.1, Python's hashlib for the empty text; RIPEMD-160's own page. */
START_TEST(the_other_hashes_match_known_answers_whatever_the_parts)
{
    static const char sha384_abc[] =
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7";
    static const char sha384_empty[] =
        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b";
    static const char sha512_abc[] = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                                     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    static const char sha512_empty[] = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                                       "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
    const view_t parts[] = { view_str("a"), view_str(""), view_str("b"), view_str("c") };
    uint8_t out[64];
    char hex[129];
    sha384_parts(out, parts, 4);
    hex_encode(hex, view_of(out, 48));
    ck_assert_str_eq(hex, sha384_abc);
    sha384_parts(out, NULL, 0);
    hex_encode(hex, view_of(out, 48));
    ck_assert_str_eq(hex, sha384_empty);
    sha512_parts(out, parts, 4);
    hex_encode(hex, view_of(out, 64));
    ck_assert_str_eq(hex, sha512_abc);
    sha512_parts(out, NULL, 0);
    hex_encode(hex, view_of(out, 64));
    ck_assert_str_eq(hex, sha512_empty);
}
END_TEST

/* Source: the test vectors of RIPEMD-160's own page, all nine; the lengths end on both sides of where the length has no room. */
START_TEST(ripemd160_matches_the_vectors_of_its_page)
{
    static const struct {
        const char *text;
        unsigned times;
        const char *want;
    } cases[] = {
        { "", 1, "9c1185a5c5e9fc54612808977ee8f548b2258d31" },
        { "a", 1, "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe" },
        { "abc", 1, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc" },
        { "message digest", 1, "5d0689ef49d2fae572b881b123a85ffa21595f36" },
        { "abcdefghijklmnopqrstuvwxyz", 1, "f71c27109c692c1b56bbdceb5b9d2865b3708dbc" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "12a053384a9c0c88e405a06c27dcf49ada62eb2b" },
        { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 1,
          "b0e20b6e3116640286ed3a87a5713079b21f5189" },
        { "1234567890", 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb" },
        { "a", 1000000, "52783243c1697bdbe16d37f97f68f08325dc1528" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].text);
        uint8_t *in = malloc(n * cases[i].times + 1), out[20];
        char hex[41];
        for (unsigned k = 0; k < cases[i].times; k++)
            memcpy(in + k * n, cases[i].text, n);
        ripemd160(out, view_of(in, n * cases[i].times));
        hex_encode(hex, view_of(out, 20));
        ck_assert_str_eq(hex, cases[i].want);
        free(in);
    }
}
END_TEST

START_TEST(sha256_of_a_node_equals_the_general_one)
{
    uint8_t in[66];
    for (unsigned i = 0; i < 500; i++) {
        hash32_t got, want;
        view_t halves[2];
        uint8_t *at = in + i % 3; /* any alignment */
        fill(at, 64, i);
        halves[0] = view_of(at, 32);
        halves[1] = view_of(at + 32, 32);
        sha256_64(&got, at);
        sha256(&want, view_of(at, 64));
        ck_assert(hash32_eq(&got, &want));
        sha256_parts(&got, halves, 2);
        ck_assert(hash32_eq(&got, &want));
    }
}
END_TEST

START_TEST(sha256_of_a_node_may_overwrite_it)
{
    union {
        uint8_t node[64];
        hash32_t h;
    } u;
    hash32_t want;
    fill(u.node, sizeof u.node, 9);
    sha256(&want, view_of(u.node, 64));
    sha256_64(&u.h, u.node);
    ck_assert(hash32_eq(&u.h, &want));
}
END_TEST

int main(void)
{
    return UNIT_RUN("hash", keccak_matches_known_answers, keccak_agrees_with_another_implementation_at_every_length,
                    keccak_may_overwrite_its_input, many_keccaks_equal_single_ones_in_every_way,
                    the_permutation_is_the_same_for_every_processor, sha256_matches_known_answers,
                    the_other_hashes_match_known_answers_whatever_the_parts, ripemd160_matches_the_vectors_of_its_page,
                    sha256_of_a_node_equals_the_general_one, sha256_of_a_node_may_overwrite_it);
}
