/* Base: reader, writer, hex, arena, hashes of known messages. */
#include <check.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

START_TEST(reader_turns_bad_at_the_first_short_read_and_gives_zeros)
{
    static const uint8_t in[] = { 1, 2, 3 };
    rd_t r = rd_of(view_of(in, sizeof in));
    ck_assert_uint_eq(rd_u16le(&r), 0x0201);
    ck_assert_uint_eq(rd_u32be(&r), 0);
    ck_assert_uint_eq(rd_u8(&r), 0);
    ck_assert(!rd_done(&r));
}
END_TEST

START_TEST(a_short_read_of_bytes_gives_zeros)
{
    static const uint8_t in[32] = { 1, 2, 3 };
    static const hash32_t zero;
    for (size_t n = 0; n < 32; n++) {
        uint8_t out[33], want[33] = { 0 };
        rd_t r = rd_of(view_of(in, n));
        memset(out, 0x5a, sizeof out);
        want[32] = 0x5a;
        hash32_t h = rd_hash32(&r);
        ck_assert(hash32_eq(&h, &zero) && r.bad);
        r = rd_of(view_of(in, n));
        rd_copy(&r, out, 32);
        ck_assert_mem_eq(out, want, sizeof out);
        ck_assert(r.bad);
        ck_assert_uint_eq(rd_take(&r, 0).n, 0);
    }
    rd_t r = rd_of(view_of(in, 32));
    hash32_t h = rd_hash32(&r);
    ck_assert_mem_eq(h.b, in, 32);
    ck_assert(rd_done(&r));
}
END_TEST

/* Both byte orders, of every width that codecs use. */
START_TEST(numbers_are_read_and_written_in_both_orders)
{
    static const uint8_t in[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    static const uint64_t le[] = {
        0, 1, 0x0201, 0x030201, 0x04030201, 0x0504030201, 0x060504030201, 0x07060504030201, 0x0807060504030201
    };
    static const uint64_t be[] = {
        0, 1, 0x0102, 0x010203, 0x01020304, 0x0102030405, 0x010203040506, 0x01020304050607, 0x0102030405060708
    };
    for (unsigned n = 0; n <= 8; n++) {
        uint8_t out[9];
        rd_t r = rd_of(view_of(in, n)), s = rd_of(view_of(in, n));
        ck_assert_uint_eq(rd_le(&r, n), le[n]);
        ck_assert_uint_eq(rd_be(&s, n), be[n]);
        ck_assert(rd_done(&r) && rd_done(&s));
        wr_t w = wr_of(out, n);
        wr_le(&w, le[n], n);
        ck_assert_mem_eq(out, in, n);
        w = wr_of(out, n);
        wr_be(&w, be[n], n);
        ck_assert_mem_eq(out, in, n);
        ck_assert(!w.bad && wr_view(&w).n == n && wr_view(&w).p == out);
        wr_u8(&w, 1);
        ck_assert(w.bad && w.n == n);
    }
    uint8_t bytes[8];
    ck_assert_uint_eq(load_u64be(in), 0x0102030405060708);
    ck_assert_uint_eq(load_u64le(in), 0x0807060504030201);
    store_u64be(bytes, 0x0102030405060708);
    ck_assert_mem_eq(bytes, in, 8);
    store_u64le(bytes, 0x0807060504030201);
    ck_assert_mem_eq(bytes, in, 8);
}
END_TEST

START_TEST(each_byte_counts_where_values_are_compared)
{
    hash32_t a, b = { { 0 } };
    addr_t c, d = { { 0 } };
    ck_assert(hash32_is_zero(&b));
    for (size_t at = 0; at < 32; at++) {
        a = b;
        a.b[at] = 0x80;
        ck_assert(!hash32_eq(&a, &b) && !hash32_is_zero(&a));
        ck_assert(!view_eq(view_of(a.b, 32), view_of(b.b, 32)));
    }
    for (size_t at = 0; at < 20; at++) {
        c = d;
        ck_assert(addr_eq(&c, &d));
        c.b[at] = 0x80;
        ck_assert(!addr_eq(&c, &d));
    }
    ck_assert(!view_eq(view_of(b.b, 31), view_of(b.b, 32)));
    ck_assert(view_eq(view_of(NULL, 0), view_of(b.b, 0)));
    ck_assert(!view_eq(view_of(NULL, 0), view_of(b.b, 1)));
}
END_TEST

START_TEST(reader_is_done_only_when_all_is_read)
{
    static const uint8_t in[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    rd_t r = rd_of(view_of(in, sizeof in));
    ck_assert(!rd_done(&r));
    ck_assert_uint_eq(rd_u64be(&r), 0x0102030405060708u);
    ck_assert(rd_done(&r));
}
END_TEST

START_TEST(writer_never_passes_its_end)
{
    uint8_t out[6] = { 0 };
    wr_t w = wr_of(out, 5);
    wr_u32le(&w, 0x04030201);
    wr_u16le(&w, 7);
    ck_assert(w.bad);
    ck_assert_uint_eq(w.n, 4);
    ck_assert_uint_eq(out[4], 0);
    wr_u8(&w, 7); /* once bad, nothing more, even where it would fit */
    wr_bytes(&w, "x", 1);
    ck_assert_uint_eq(w.n, 4);
    ck_assert_uint_eq(out[4], 0);
    ck_assert_ptr_null(wr_grab(&w, 0));
    hash32_t h = { { 1, 2, 3 } };
    uint8_t room[32];
    w = wr_of(room, 31);
    wr_hash32(&w, &h);
    ck_assert(w.bad && w.n == 0);
    w = wr_of(room, 32);
    wr_hash32(&w, &h);
    ck_assert(!w.bad && w.n == 32);
    ck_assert_mem_eq(room, h.b, 32);
}
END_TEST

START_TEST(hex_takes_both_cases_and_refuses_the_rest)
{
    uint8_t out[4] = { 9, 9, 9, 9 };
    size_t n = 77;
    ck_assert_int_eq(hex_decode(out, &n, 4, "0xaBcD", 6), RC_OK);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(out[0], 0xab);
    ck_assert_uint_eq(out[1], 0xcd);
    ck_assert_uint_eq(out[2], 9);
    for (unsigned c = 1; c < 256; c++)
        for (size_t at = 0; at < 2; at++) { /* of each byte's two characters */
            char text[] = "00";
            uint8_t one[1] = { 9 };
            bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
            unsigned value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
            text[at] = (char)c;
            if ((c | 0x20) == 'x' && at == 1)
                continue; /* "0x": no bytes */
            ck_assert_msg(hex_decode_exact(one, 1, text, 2) == (digit ? RC_OK : RC_MALFORMED), "%u at %zu", c, at);
            if (digit)
                ck_assert_uint_eq(one[0], at ? value : value << 4);
        }
    ck_assert_int_eq(hex_decode(out, &n, 4, "0x", 2), RC_OK);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(hex_decode(out, &n, 4, "0X0a", 4), RC_OK);
    ck_assert(n == 1 && out[0] == 10);
    ck_assert_int_eq(hex_decode_exact(out, 1, "0X0b", 4), RC_OK);
    ck_assert_uint_eq(out[0], 11);
    ck_assert_int_eq(hex_decode(out, &n, 4, "", 0), RC_OK);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(hex_decode(out, &n, 4, "01020304", 8), RC_OK);
    ck_assert_uint_eq(n, 4);
    ck_assert_int_eq(hex_decode_exact(out, 4, "010203", 6), RC_MALFORMED);
    ck_assert_int_eq(hex_decode_exact(out, 1, "1x00", 4), RC_MALFORMED);
    memset(out, 0xab, sizeof out);
    ck_assert_int_eq(hex_decode(out, &n, 4, "abc", 3), RC_MALFORMED);
    ck_assert_int_eq(hex_decode(out, &n, 4, "0xzz", 4), RC_MALFORMED);
    ck_assert_int_eq(hex_decode(out, &n, 4, "0102030405", 10), RC_LIMIT);
    ck_assert_int_eq(hex_decode_exact(out, 2, "0x010203", 8), RC_MALFORMED);
    ck_assert_uint_eq(out[0], 0xab);
}
END_TEST

START_TEST(a_run_of_digits_ends_where_another_character_stands)
{
    static const char any[] = "0123456789abcdefABCDEF";
    static const uint8_t of[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 10, 11, 12, 13, 14, 15 };
    static const char others[] = "\"/:@G`g\xff\x80 x";
    for (size_t n = 0; n <= 100; n++) { /* also of several vectors, and of what is left behind them */
        char *text = malloc(n + 1);     /* exact sizes on the heap: the sanitizer sees what is read or written beyond */
        uint8_t *out = malloc((n + 1) / 2 + !n);
        for (size_t end = 0; end <= n; end++) {
            for (size_t i = 0; i < n; i++)
                text[i] = any[(7 * i + n) % 22];
            if (end < n)
                text[end] = others[(end + n) % (sizeof others - 1)];
            ck_assert_uint_eq(hex_run(out, text, n), end);
            for (size_t i = 0; i < end; i++)
                ck_assert_msg((i % 2 ? out[i / 2] & 15 : out[i / 2] >> 4) == of[(7 * i + n) % 22], "%zu of %zu", i, n);
            size_t got = 77;
            uint8_t *kept = calloc(1, n / 2 + 1), *again = calloc(1, n / 2 + 1);
            const rc_t rc = hex_decode(again, &got, n, text, n);
            ck_assert_int_eq(rc, n % 2 || end < n ? RC_MALFORMED : RC_OK);
            ck_assert_uint_eq(got, rc ? 77 : n / 2);
            ck_assert_int_eq(memcmp(again, rc ? kept : out, n / 2), 0);
            free(kept);
            free(again);
        }
        free(text);
        free(out);
    }
}
END_TEST

START_TEST(arena_stops_at_its_limit_and_rolls_back)
{
    arena_t a;
    arena_init(&a, 64 << 10);
    ck_assert_ptr_nonnull(arena_alloc(&a, 100));
    arena_mark_t m = arena_mark(&a);
    size_t used = a.used;
    ck_assert_ptr_nonnull(arena_alloc(&a, 30 << 10));
    ck_assert_ptr_null(arena_alloc(&a, 60 << 10));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
    ck_assert_ptr_null(arena_calloc(&a, SIZE_MAX / 2, 4));
    arena_rollback(&a, m);
    ck_assert_uint_eq(a.used, used);
    arena_free(&a);
    ck_assert_uint_eq(a.used, 0);
}
END_TEST

static bool is_filled(const uint8_t *p, size_t n, uint8_t value)
{
    while (n && p[n - 1] == value)
        n--;
    return n == 0;
}

/* Whatever an arena gives is zeroed or a copy, aligned, and no two blocks share a byte. */
START_TEST(blocks_of_an_arena_are_apart)
{
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 16u << 10, (16u << 10) + 1, 40u << 10, 3u << 20 };
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    uint8_t *blocks[2 * COUNT];
    arena_t a;
    arena_init(&a, 16u << 20);
    for (size_t i = 0; i < 2 * COUNT; i++) {
        const size_t n = sizes[i % COUNT];
        blocks[i] = arena_calloc(&a, n, 1);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert_uint_eq((uintptr_t)blocks[i] % 16, 0);
        ck_assert(is_filled(blocks[i], n, 0));
        memset(blocks[i], (int)i + 1, n);
    }
    for (size_t i = 0; i < 2 * COUNT; i++)
        ck_assert_msg(is_filled(blocks[i], sizes[i % COUNT], (uint8_t)(i + 1)), "block %zu", i);
    arena_free(&a);
}
END_TEST

START_TEST(an_arena_copies_bytes_and_texts)
{
    static const uint8_t bytes[] = { 1, 2, 0, 3 };
    arena_t a, none;
    arena_init(&a, 1u << 20);
    arena_init(&none, 0);
    view_t v = arena_dup(&a, view_of(bytes, 4));
    ck_assert(view_eq(v, view_of(bytes, 4)) && v.p != bytes);
    ck_assert(arena_dup(&a, view_of(NULL, 0)).n == 0);
    char *text = arena_strdup(&a, view_str("text"));
    ck_assert_str_eq(text, "text");
    ck_assert_str_eq(arena_strdup(&a, view_of(NULL, 0)), "");
    char *exact = arena_strdup(&a, view_of("0123456789abcdef", 16)); /* a whole block: the end is behind it */
    char *next = arena_strdup(&a, view_str("next"));
    ck_assert_str_eq(exact, "0123456789abcdef");
    ck_assert_str_eq(next, "next");
    ck_assert_ptr_null(arena_strdup(&a, view_of(bytes, SIZE_MAX)));
    v = arena_dup(&none, view_of(bytes, 4));
    ck_assert(v.p == NULL && v.n == 0);
    ck_assert_ptr_null(arena_strdup(&none, view_str("")));
    ck_assert_ptr_null(arena_calloc(&none, 1, 1));
    arena_free(&a);
}
END_TEST

START_TEST(a_rollback_gives_back_what_came_after_its_mark)
{
    arena_t a;
    arena_init(&a, 200u << 10);
    arena_mark_t empty = arena_mark(&a);
    uint8_t *kept = arena_alloc(&a, 100);
    memset(kept, 7, 100);
    arena_mark_t m = arena_mark(&a);
    uint8_t *first = arena_alloc(&a, 16);
    for (int i = 0; i < 100; i++) { /* each turn finds the same room, in the same chunk and in new ones */
        arena_rollback(&a, m);
        ck_assert_ptr_eq(arena_alloc(&a, 16), first);
        ck_assert_ptr_nonnull(arena_alloc(&a, 100u << 10));
    }
    for (size_t i = 0; i < 100; i++)
        ck_assert_uint_eq(kept[i], 7);
    arena_rollback(&a, empty);
    ck_assert(a.used == 0 && a.head == NULL);
    ck_assert_ptr_nonnull(arena_alloc(&a, 190u << 10));
    arena_free(&a);
}
END_TEST

/* To the byte: where a chunk of the usual size would be too much, there are small ones, each with a head of 32. */
START_TEST(an_arena_takes_its_limit_and_no_more)
{
    for (size_t limit = 0; limit < 4096; limit++) {
        arena_t a;
        size_t blocks = 0;
        arena_init(&a, limit);
        while (arena_alloc(&a, 16))
            blocks++;
        ck_assert_uint_le(a.used, limit);
        ck_assert_uint_ge(blocks, limit / 48);
        ck_assert(blocks == 0 || 32 + 16 * blocks <= limit);
        arena_free(&a);
    }
}
END_TEST

/* Sources: Keccak team's ShortMsgKAT_256 (original padding) for "" and 0xcc; FIPS 180-2 for "abc"; the
 * SSZ zero node of depth 1 for 64 zero bytes. */
START_TEST(hashes_match_known_answers)
{
    hash32_t h;
    char hex[65];
    keccak256(&h, view_of(NULL, 0));
    ck_assert(hash32_eq(&h, &KECCAK_EMPTY));
    static const uint8_t empty_rlp[] = { 0x80 };
    keccak256(&h, view_of(empty_rlp, 1));
    ck_assert(hash32_eq(&h, &EMPTY_TRIE_ROOT));
    sha256(&h, view_str("abc"));
    hex_encode(hex, view_of(h.b, 32));
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    static const uint8_t zeros[64];
    sha256_64(&h, zeros);
    hex_encode(hex, view_of(h.b, 32));
    ck_assert_str_eq(hex, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}
END_TEST

int main(void)
{
    return UNIT_RUN("base", reader_turns_bad_at_the_first_short_read_and_gives_zeros, a_short_read_of_bytes_gives_zeros,
                    numbers_are_read_and_written_in_both_orders, each_byte_counts_where_values_are_compared,
                    reader_is_done_only_when_all_is_read, writer_never_passes_its_end,
                    hex_takes_both_cases_and_refuses_the_rest, a_run_of_digits_ends_where_another_character_stands,
                    arena_stops_at_its_limit_and_rolls_back, blocks_of_an_arena_are_apart,
                    an_arena_copies_bytes_and_texts, a_rollback_gives_back_what_came_after_its_mark,
                    an_arena_takes_its_limit_and_no_more, hashes_match_known_answers);
}
