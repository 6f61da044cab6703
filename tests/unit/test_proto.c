/* Varints and protobuf: known answers, one form only, bounds, every truncation. */
#include "overlay/wire/proto.h"
#include "tests/unit/wire_id.h"

/* Source: multiformats/unsigned-varint README, and protobuf's encoding page (150). */
static const struct {
    uint64_t x;
    const char *hex;
} known[] = {
    { 0, "00" },
    { 1, "01" },
    { 127, "7f" },
    { 128, "8001" },
    { 150, "9601" },
    { 255, "ff01" },
    { 300, "ac02" },
    { 16384, "808001" },
    { 421, "a503" },
    { 461, "cd03" },
    { INT64_MAX, "ffffffffffffffff7f" },
};

START_TEST(varints_have_their_known_forms)
{
    uint8_t buf[16], out[16];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        view_t want = wire_hex(buf, sizeof buf, known[i].hex);
        wr_t w = wr_of(out, sizeof out);
        varint_put(&w, known[i].x);
        ck_assert(view_eq(wr_view(&w), want));
        ck_assert_uint_eq(varint_len(known[i].x), want.n);
        rd_t r = rd_of(want);
        ck_assert_uint_eq(varint_take(&r), known[i].x);
        ck_assert(rd_done(&r));
        ck_assert_uint_eq(varint_front(want), want.n);
        for (size_t n = 0; n < want.n; n++) {
            rd_t cut = rd_of(view_of(buf, n));
            (void)varint_take(&cut);
            ck_assert(cut.bad);
            ck_assert_uint_eq(varint_front(view_of(buf, n)), 0);
        }
    }
}
END_TEST

START_TEST(a_varint_has_one_form_and_a_limit)
{
    static const char *const bad[] = { "8000", "ff00", "808000", "80808080808080808001", "ffffffffffffffffff01" };
    uint8_t buf[16];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        view_t v = wire_hex(buf, sizeof buf, bad[i]);
        rd_t r = rd_of(v);
        ck_assert_uint_eq(varint_take(&r), 0);
        ck_assert_msg(r.bad, "%s", bad[i]);
        ck_assert_uint_eq(varint_front(v), v.n == 10 ? VARINT_TOO_LONG : v.n);
    }
    /* 64 bits are for numbers only */
    rd_t most = rd_of(wire_hex(buf, sizeof buf, "ffffffffffffffffff01"));
    ck_assert(varint_take64(&most) == UINT64_MAX && rd_done(&most));
    rd_t over = rd_of(wire_hex(buf, sizeof buf, "ffffffffffffffffff02"));
    ck_assert(varint_take64(&over) == 0 && over.bad);
    ck_assert_uint_eq(varint_len(UINT64_MAX), 10);
}
END_TEST

/* 1: 150, 2: "testing", 3: { 1: 150 } (protobuf's encoding page), 4: fixed64, 15: fixed32 */
#define SAMPLE                                                                                                         \
    "089601"                                                                                                           \
    "120774657374696e67"                                                                                               \
    "1a03089601"                                                                                                       \
    "210102030405060708"                                                                                               \
    "7d01000000"

START_TEST(fields_are_read_as_they_were_written)
{
    uint8_t buf[64], out[64];
    view_t sample = wire_hex(buf, sizeof buf, SAMPLE);
    wr_t w = wr_of(out, sizeof out);
    pb_put_u64(&w, 1, 150);
    pb_put_bytes(&w, 2, view_str("testing"));
    size_t mark = pb_begin(&w, 3);
    pb_put_u64(&w, 1, 150);
    pb_end(&w, mark);
    pb_put_fixed64(&w, 4, 0x0807060504030201);
    ck_assert(!w.bad && view_eq(wr_view(&w), view_of(sample.p, sample.n - 5)));

    rd_t r = rd_of(sample);
    pb_field_t f;
    ck_assert(pb_next(&r, &f) && f.number == 1 && pb_u64(&r, &f) == 150 && pb_u32(&r, &f) == 150);
    ck_assert(pb_next(&r, &f) && f.number == 2 && view_eq(pb_bytes(&r, &f, 7), view_str("testing")));
    ck_assert(pb_next(&r, &f) && f.number == 3 && pb_bytes(&r, &f, 3).n == 3);
    ck_assert(pb_next(&r, &f) && f.number == 4 && pb_fixed64(&r, &f) == 0x0807060504030201);
    ck_assert(pb_next(&r, &f) && f.number == 15 && f.type == PB_FIXED32 && f.value == 1);
    ck_assert(!pb_next(&r, &f) && rd_done(&r));
}
END_TEST

START_TEST(a_message_cut_anywhere_but_between_fields_is_bad)
{
    static const size_t between[] = { 0, 3, 12, 17, 26, 31 };
    uint8_t buf[64];
    view_t sample = wire_hex(buf, sizeof buf, SAMPLE);
    for (size_t n = 0, k = 0; n <= sample.n; n++) {
        uint8_t *cut = wire_exact(view_of(sample.p, n));
        rd_t r = rd_of(view_of(cut, n));
        pb_field_t f;
        while (pb_next(&r, &f))
            ;
        bool whole = n == between[k];
        k += whole;
        ck_assert_msg(rd_done(&r) == whole, "%zu bytes", n);
        free(cut);
    }
}
END_TEST

START_TEST(wrong_types_and_lengths_turn_the_reader_bad)
{
    uint8_t buf[64], eight[8];
    view_t sample = wire_hex(buf, sizeof buf, SAMPLE);
    rd_t whole = rd_of(sample), r;
    pb_field_t number, text, fixed;
    ck_assert(pb_next(&whole, &number) && pb_next(&whole, &text) && pb_next(&whole, &fixed) && pb_next(&whole, &fixed));
#define BAD(call) (r = whole, call, r.bad)
    ck_assert(BAD((void)pb_bytes(&r, &number, 64)));
    ck_assert(BAD((void)pb_bytes(&r, &text, 6)));
    ck_assert(BAD((void)pb_u64(&r, &text)));
    ck_assert(BAD((void)pb_u32(&r, &fixed)));
    ck_assert(BAD((void)pb_fixed64(&r, &number)));
    ck_assert(BAD(pb_copy(&r, &text, eight, 8)));
    ck_assert(BAD(pb_copy(&r, &number, eight, 8)));
    number.value = UINT32_MAX + 1ull;
    ck_assert(BAD((void)pb_u32(&r, &number)));
    ck_assert(!BAD((void)pb_u64(&r, &number)));
    ck_assert(!BAD(pb_copy(&r, &text, eight, 7)) && memcmp(eight, "testing", 7) == 0);
}
END_TEST

START_TEST(groups_field_zero_and_long_forms_are_refused)
{
    static const char *const bad[] = { "0b",       "0c",     "0e",    "0f", "00", "0001", "80808080800100",
                                       "88000101", "0a8000", "088000" };
    uint8_t buf[16];
    pb_field_t f;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rd_t r = rd_of(wire_hex(buf, sizeof buf, bad[i]));
        ck_assert_msg(!pb_next(&r, &f) && r.bad, "%s", bad[i]);
        ck_assert(!pb_next(&r, &f));
    }
    rd_t r = rd_of(wire_hex(buf, sizeof buf, "f8ffffff0f05")); /* the highest number of a field */
    ck_assert(pb_next(&r, &f) && f.number == (1u << 29) - 1 && f.value == 5);
}
END_TEST

START_TEST(messages_on_a_stream_come_whole_or_not_yet)
{
    uint8_t out[300], big[200] = { 7 };
    view_t message;
    size_t used;
    wr_t w = wr_of(out, sizeof out);
    wr_bytes(&w, big, sizeof big);
    pb_delimit(&w, 0);
    ck_assert_uint_eq(w.n, 202);
    for (size_t n = 0; n < w.n; n++)
        ck_assert_int_eq(pb_delimited(&message, &used, view_of(out, n), 200), RC_NEED_DATA);
    ck_assert_int_eq(pb_delimited(&message, &used, view_of(out, w.n + 5), 200), RC_OK);
    ck_assert(message.n == 200 && message.p == out + 2 && used == 202);
    ck_assert_int_eq(pb_delimited(&message, &used, view_of(out, w.n), 199), RC_LIMIT);
    ck_assert_int_eq(pb_delimited(&message, &used, view_of("\x80\x00", 2), 199), RC_MALFORMED);
    ck_assert_int_eq(pb_delimited(&message, &used, view_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9), 199),
                     RC_MALFORMED);
    ck_assert_int_eq(pb_delimited(&message, &used, view_of("\0", 1), 199), RC_OK);
    ck_assert(message.n == 0 && used == 1);
    wr_t small = wr_of(out, 201); /* no room for the length */
    wr_bytes(&small, big, 200);
    pb_delimit(&small, 0);
    ck_assert(small.bad);
}
END_TEST

int main(void)
{
    return UNIT_RUN("proto", varints_have_their_known_forms, a_varint_has_one_form_and_a_limit,
                    fields_are_read_as_they_were_written, a_message_cut_anywhere_but_between_fields_is_bad,
                    wrong_types_and_lengths_turn_the_reader_bad, groups_field_zero_and_long_forms_are_refused,
                    messages_on_a_stream_come_whole_or_not_yet);
}
