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
}
END_TEST

START_TEST(hex_takes_both_cases_and_refuses_the_rest)
{
    uint8_t out[4] = { 9, 9, 9, 9 };
    size_t n = 77;
    ck_assert_int_eq(hex_decode(out, &n, 4, "0xaBcD", 6), RC_OK);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(out[0], 0xab);
    ck_assert_int_eq(hex_decode(out, &n, 4, "abc", 3), RC_MALFORMED);
    ck_assert_int_eq(hex_decode(out, &n, 4, "0xzz", 4), RC_MALFORMED);
    ck_assert_int_eq(hex_decode(out, &n, 4, "0102030405", 10), RC_LIMIT);
    ck_assert_int_eq(hex_decode_exact(out, 2, "0x010203", 8), RC_MALFORMED);
    ck_assert_uint_eq(out[0], 0xab);
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
    return UNIT_RUN("base", reader_turns_bad_at_the_first_short_read_and_gives_zeros,
                    reader_is_done_only_when_all_is_read, writer_never_passes_its_end,
                    hex_takes_both_cases_and_refuses_the_rest, arena_stops_at_its_limit_and_rolls_back,
                    hashes_match_known_answers);
}
