/* RLP: canonical forms and nothing else; encoders of known values. */
#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "lightclient/rlp/rlp.h"
#include "tests/rlp_walk.h"
#include "tests/unit/unit.h"

/* An exact-size heap copy of hex text, so that ASan sees an over-read. */
static view_t heap_hex(const char *hex)
{
    size_t n = strlen(hex) / 2;
    uint8_t *p = malloc(n ? n : 1);
    ck_assert_int_eq(hex_decode_exact(p, n, hex, 2 * n), RC_OK);
    return view_of(p, n);
}

static void drop(view_t v)
{
    free((void *)(uintptr_t)v.p);
}

/* Sources: the examples of the Ethereum documentation's RLP page and of ethereum/tests rlptest.json. */
static const struct {
    const char *hex;
    bool is_list;
    const char *payload;
} good[] = {
    { "00", false, "00" },
    { "7f", false, "7f" },
    { "80", false, "" },
    { "8180", false, "80" },
    { "83646f67", false, "646f67" },
    { "c0", true, "" },
    { "c88363617483646f67", true, "8363617483646f67" },
    { "c7c0c1c0c3c0c1c0", true, "c0c1c0c3c0c1c0" },
    { "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720656c"
      "6974",
      false,
      "4c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720656c697"
      "4" },
};

START_TEST(canonical_forms_are_taken_whole)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        view_t in = heap_hex(good[i].hex), payload = heap_hex(good[i].payload), rest = in;
        rlp_item_t item;
        ck_assert_msg(rlp_decode(&item, in) == RC_OK, "%s", good[i].hex);
        ck_assert(item.is_list == good[i].is_list);
        ck_assert(view_eq(item.payload, payload));
        ck_assert(view_eq(item.whole, in));
        ck_assert_int_eq(rlp_next(&item, &rest), RC_OK);
        ck_assert_uint_eq(rest.n, 0);
        drop(in);
        drop(payload);
    }
}
END_TEST

START_TEST(truncations_and_trailing_bytes_are_refused)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        view_t in = heap_hex(good[i].hex);
        rlp_item_t item = { .whole = { NULL, 77 } };
        for (size_t n = 0; n < in.n; n++) {
            uint8_t *cut = malloc(n ? n : 1);
            memcpy(cut, in.p, n);
            view_t left = view_of(cut, n);
            ck_assert_int_eq(rlp_next(&item, &left), RC_MALFORMED);
            ck_assert_uint_eq(left.n, n); /* nothing was taken, nothing given */
            ck_assert_uint_eq(item.whole.n, 77);
            free(cut);
        }
        uint8_t longer[80] = { 0 };
        memcpy(longer, in.p, in.n);
        ck_assert_int_eq(rlp_decode(&item, view_of(longer, in.n + 1)), RC_MALFORMED);
        drop(in);
    }
}
END_TEST

START_TEST(forms_that_are_not_canonical_are_refused)
{
    static const char *const bad[] = {
        "",
        "8100",
        "817f",
        "b800",
        "b80101",
        "b90001ff",
        "bf0f000000000000021111",
        "bfffffffffffffffffaa",
        "b8",
        "b9",
        "b900",
        "f800",
        "f803112233",
        "f90001ff",
        "ff0f000000000000021111",
        "ffffffffffffffffffaa",
        "f8",
        "f9",
        "f900",
        "c1",
        "82ff",
        ("b837616161616161616161616161616161616161616161616161616161616161616161"
         "61616161616161616161616161616161616161616161616161"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        view_t in = heap_hex(bad[i]);
        rlp_item_t item;
        ck_assert_msg(rlp_decode(&item, in) == RC_MALFORMED, "%s", bad[i]);
        drop(in);
    }
}
END_TEST

/* Source: ethereum/tests invalidRLPTest leadingZerosInLongLengthArray1, and its twin for lists. */
START_TEST(a_length_with_leading_zeros_is_refused)
{
    uint8_t in[67] = { 0xb9, 0x00, 0x40 };
    rlp_item_t item;
    ck_assert_int_eq(rlp_decode(&item, view_of(in, sizeof in)), RC_MALFORMED);
    in[0] = 0xf9;
    ck_assert_int_eq(rlp_decode(&item, view_of(in, sizeof in)), RC_MALFORMED);
    in[1] = 0xf8; /* the same without the zero */
    ck_assert_int_eq(rlp_decode(&item, view_of(in + 1, sizeof in - 1)), RC_OK);
    ck_assert_uint_eq(item.payload.n, 64);
}
END_TEST

/* A payload of n bytes whose length is written in `bytes` bytes; the first is zero when fewer would do. */
static rc_t decode_with_length(uint8_t base, unsigned bytes, size_t n)
{
    uint8_t in[9 + 256] = { (uint8_t)(base + 55 + bytes) };
    rlp_item_t item;
    for (unsigned i = 0; i < bytes && i < sizeof n; i++)
        in[bytes - i] = (uint8_t)(n >> 8 * i);
    return rlp_decode(&item, view_of(in, 1 + bytes + n));
}

START_TEST(a_length_of_more_bytes_than_it_needs_is_refused_whatever_its_value)
{
    static const size_t lengths[] = { 56, 127, 128, 129, 255 };
    static const uint8_t bases[] = { 0x80, 0xc0 };
    for (size_t b = 0; b < sizeof bases; b++)
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            ck_assert_int_eq(decode_with_length(bases[b], 1, lengths[i]), RC_OK);
            for (unsigned bytes = 2; bytes <= 8; bytes++)
                ck_assert_msg(decode_with_length(bases[b], bytes, lengths[i]) == RC_MALFORMED,
                              "%zu in %u bytes after %02x", lengths[i], bytes, bases[b]);
        }
    ck_assert_int_eq(decode_with_length(0x80, 2, 256), RC_OK);
    ck_assert_int_eq(decode_with_length(0x80, 3, 256), RC_MALFORMED);
    ck_assert_int_eq(decode_with_length(0x80, 1, 55), RC_MALFORMED);
}
END_TEST

START_TEST(split_gives_each_item_and_keeps_to_its_cap)
{
    view_t in = heap_hex("01c20203820400");
    rlp_item_t item[3];
    size_t count = 0;
    ck_assert_int_eq(rlp_split(item, &count, 3, in), RC_OK);
    ck_assert_uint_eq(count, 3);
    ck_assert(item[1].is_list);
    ck_assert_uint_eq(item[2].payload.n, 2);
    ck_assert_int_eq(rlp_split(item, &count, 2, in), RC_LIMIT);
    ck_assert_int_eq(rlp_split(item, &count, 3, view_of(in.p, in.n - 1)), RC_MALFORMED);
    ck_assert_int_eq(rlp_split(item, &count, 0, view_of(NULL, 0)), RC_OK);
    ck_assert_uint_eq(count, 0);
    drop(in);
}
END_TEST

START_TEST(numbers_have_no_leading_zeros_and_fit)
{
    static const struct {
        const char *hex;
        rc_t u64, u256;
        uint64_t value;
    } row[] = {
        { "80", RC_OK, RC_OK, 0 },
        { "00", RC_MALFORMED, RC_MALFORMED, 0 },
        { "0f", RC_OK, RC_OK, 15 },
        { "820400", RC_OK, RC_OK, 1024 },
        { "820004", RC_MALFORMED, RC_MALFORMED, 0 },
        { "88ffffffffffffffff", RC_OK, RC_OK, UINT64_MAX },
        { "89010000000000000000", RC_MALFORMED, RC_OK, 0 },
        { "a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", RC_MALFORMED, RC_OK, UINT64_MAX },
        { "a1010000000000000000000000000000000000000000000000000000000000000000", RC_MALFORMED, RC_MALFORMED, 0 },
        { "c0", RC_MALFORMED, RC_MALFORMED, 0 },
        { "c101", RC_MALFORMED, RC_MALFORMED, 0 },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        view_t in = heap_hex(row[i].hex);
        rlp_item_t item;
        uint64_t x = 7;
        u256_t y = u256_of(7);
        ck_assert_int_eq(rlp_decode(&item, in), RC_OK);
        ck_assert_msg(rlp_u64(&x, &item) == row[i].u64, "%s", row[i].hex);
        ck_assert_msg(rlp_u256(&y, &item) == row[i].u256, "%s", row[i].hex);
        ck_assert_uint_eq(x, row[i].u64 ? 7 : row[i].value);
        ck_assert_uint_eq(y.w[0], row[i].u256 ? 7 : row[i].value);
        drop(in);
    }
}
END_TEST

START_TEST(fixed_strings_have_exactly_their_length)
{
    view_t in = heap_hex("83646f67"), list = heap_hex("c3010203");
    uint8_t out[4] = { 9, 9, 9, 9 };
    rlp_item_t item;
    ck_assert_int_eq(rlp_decode(&item, list), RC_OK);
    ck_assert_int_eq(rlp_fixed(out, 3, &item), RC_MALFORMED);
    ck_assert_int_eq(rlp_decode(&item, in), RC_OK);
    ck_assert_int_eq(rlp_fixed(out, 2, &item), RC_MALFORMED);
    ck_assert_int_eq(rlp_fixed(out, 4, &item), RC_MALFORMED);
    ck_assert_uint_eq(out[0], 9);
    ck_assert_int_eq(rlp_fixed(out, 3, &item), RC_OK);
    ck_assert_mem_eq(out, "dog\x09", 4);
    drop(in);
    drop(list);
}
END_TEST

static void check_written(const wr_t *w, const char *want)
{
    char hex[512];
    ck_assert(!w->bad);
    hex_encode(hex, wr_view(w));
    ck_assert_str_eq(hex, want);
}

/* Sources as above. */
START_TEST(encoders_match_known_answers)
{
    uint8_t buf[128];
    u256_t big = { { 0, 0, 0, 1 } };
    wr_t w = wr_of(buf, sizeof buf);
    rlp_put_bytes(&w, view_str("dog"));
    rlp_put_bytes(&w, view_of(NULL, 0));
    rlp_put_bytes(&w, view_str("\x7f"));
    rlp_put_bytes(&w, view_str("\x80"));
    check_written(&w, "83646f67807f8180");
    w = wr_of(buf, sizeof buf);
    rlp_put_u64(&w, 0);
    rlp_put_u64(&w, 15);
    rlp_put_u64(&w, 1024);
    rlp_put_u64(&w, UINT64_MAX);
    rlp_put_u256(&w, &big);
    check_written(&w, "800f82040088ffffffffffffffff9901000000000000000000000000000000000000000000000000");
    w = wr_of(buf, sizeof buf);
    wr_u8(&w, 0xee); /* something before the list stays */
    rlp_put_bytes(&w, view_str("cat"));
    rlp_put_bytes(&w, view_str("dog"));
    rlp_wrap_list(&w, 1);
    check_written(&w, "eec88363617483646f67");
}
END_TEST

START_TEST(prefixes_grow_at_their_borders)
{
    static const struct {
        size_t n, len;
        const char *list;
    } row[] = {
        { 0, 1, "c0" },       { 55, 1, "f7" },        { 56, 2, "f838" },        { 255, 2, "f8ff" },
        { 256, 3, "f90100" }, { 65535, 3, "f9ffff" }, { 65536, 4, "fa010000" }, { SIZE_MAX, 9, "ffffffffffffffffff" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t buf[9];
        wr_t w = wr_of(buf, sizeof buf);
        ck_assert_uint_eq(rlp_prefix_len(row[i].n), row[i].len);
        rlp_put_list_prefix(&w, row[i].n);
        check_written(&w, row[i].list);
    }
}
END_TEST

START_TEST(a_full_writer_turns_bad_and_is_not_passed)
{
    uint8_t text[60] = { 0 };
    for (size_t cap = 0; cap <= 64; cap++) {
        uint8_t *buf = malloc(cap ? cap : 1);
        wr_t w = wr_of(buf, cap);
        rlp_put_bytes(&w, view_of(text, sizeof text)); /* 62 bytes */
        rlp_wrap_list(&w, 0);                          /* and 2 */
        ck_assert(w.bad == (cap < 64));
        ck_assert_uint_le(w.n, cap);
        free(buf);
    }
}
END_TEST

START_TEST(nested_lists_survive_decoding_and_encoding)
{
    static const struct {
        const char *hex;
        rc_t want;
    } row[] = { { "c6827a77c10401", RC_OK },  { "c7c0c1c0c3c0c1c0", RC_OK }, { "c4c3c2c180", RC_OK },
                { "c3c28101", RC_MALFORMED }, { "c2c181", RC_MALFORMED },    { "c3c101c2", RC_MALFORMED } };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        view_t in = heap_hex(row[i].hex);
        uint8_t buf[16];
        wr_t w = wr_of(buf, sizeof buf);
        ck_assert_msg(rlp_walk(&w, in) == row[i].want, "%s", row[i].hex);
        ck_assert(row[i].want || view_eq(wr_view(&w), in));
        drop(in);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("rlp", canonical_forms_are_taken_whole, truncations_and_trailing_bytes_are_refused,
                    forms_that_are_not_canonical_are_refused, a_length_with_leading_zeros_is_refused,
                    a_length_of_more_bytes_than_it_needs_is_refused_whatever_its_value,
                    split_gives_each_item_and_keeps_to_its_cap, numbers_have_no_leading_zeros_and_fit,
                    fixed_strings_have_exactly_their_length, encoders_match_known_answers,
                    prefixes_grow_at_their_borders, a_full_writer_turns_bad_and_is_not_passed,
                    nested_lists_survive_decoding_and_encoding);
}
