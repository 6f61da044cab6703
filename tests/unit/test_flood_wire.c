/* The bytes of flood's frames: a known one, what was written is read, truncations, and what is refused. */
#include "base/hex.h"
#include "overlay/flood_wire.h"
#include "tests/unit/unit.h"

static flood_frame_t frame;
static uint8_t bytes[FLOOD_FRAME_MAX];

static size_t write(const flood_out_t *out)
{
    wr_t w = wr_of(bytes, sizeof bytes);
    flood_frame_write(&w, out);
    ck_assert(!w.bad);
    return w.n;
}

/* Written by hand from the numbers of overlay-facts-more J. */
START_TEST(a_message_and_a_pull_have_their_known_bytes)
{
    char hex[1024];
    flood_message_t m = { .kind = 3, .seq = 300, .payload = view_str("ab") };
    const hash32_t id = { { 7 } };
    memset(m.author, 0x11, 33);
    memset(m.signature, 0x22, 64);
    size_t n = write(&(flood_out_t){ .kind = FLOOD_SEND, .message = &m });
    hex_encode(hex, view_of(bytes, n));
    ck_assert_str_eq(hex, "0a6e"
                          "0803"
                          "1221"
                          "111111111111111111111111111111111111111111111111111111111111111111"
                          "18ac02"
                          "22026162"
                          "2a40"
                          "22222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222"
                          "222222222222222222222222222222222222");
    n = write(&(flood_out_t){ .kind = FLOOD_PULL, .ids = &id, .id_count = 1 });
    hex_encode(hex, view_of(bytes, n));
    ck_assert_str_eq(hex, "1a200700000000000000000000000000000000000000000000000000000000000000");
    ck_assert_int_eq(flood_frame_read(&frame, NULL, view_of(bytes, n)), RC_OK);
    ck_assert_int_eq(frame.kind, FLOOD_PULL);
}
END_TEST

START_TEST(a_message_reads_as_written_and_no_part_of_it)
{
    flood_message_t m = { .kind = 0x1000, .seq = UINT64_MAX, .payload = view_str("payload") };
    memset(m.author, 0x11, 33);
    memset(m.signature, 0x22, 64);
    const size_t n = write(&(flood_out_t){ .kind = FLOOD_SEND, .message = &m });
    ck_assert_int_eq(flood_frame_read(&frame, NULL, view_of(bytes, n)), RC_OK);
    ck_assert_int_eq(frame.kind, FLOOD_SEND);
    ck_assert(frame.message.kind == 0x1000 && frame.message.seq == UINT64_MAX);
    ck_assert(view_eq(frame.message.payload, m.payload));
    ck_assert_mem_eq(frame.message.author, m.author, 33);
    ck_assert_mem_eq(frame.message.signature, m.signature, 64);
    for (size_t i = 0; i < n; i++) {
        uint8_t *exact = malloc(i + 1);
        memcpy(exact, bytes, i);
        ck_assert_msg(flood_frame_read(&frame, NULL, view_of(exact, i)) == RC_MALFORMED, "%zu", i);
        free(exact);
    }
}
END_TEST

START_TEST(as_many_ids_as_are_kept_fit_and_no_more)
{
    static hash32_t ids[FLOOD_KEPT_MAX + 1];
    for (size_t i = 0; i <= FLOOD_KEPT_MAX; i++)
        ids[i].b[0] = (uint8_t)i, ids[i].b[1] = (uint8_t)(i >> 8);
    size_t n = write(&(flood_out_t){ .kind = FLOOD_IDS, .ids = ids, .id_count = FLOOD_KEPT_MAX });
    ck_assert_int_eq(flood_frame_read(&frame, NULL, view_of(bytes, n)), RC_OK);
    ck_assert(frame.kind == FLOOD_IDS && frame.id_count == FLOOD_KEPT_MAX);
    ck_assert_mem_eq(frame.ids, ids, FLOOD_KEPT_MAX * sizeof ids[0]);
    n = write(&(flood_out_t){ .kind = FLOOD_IDS, .ids = ids, .id_count = FLOOD_KEPT_MAX + 1 });
    ck_assert_int_eq(flood_frame_read(&frame, NULL, view_of(bytes, n)), RC_LIMIT);
    ck_assert_int_eq(flood_frame_read(&frame, NULL, view_of(bytes, FLOOD_FRAME_MAX + 1)), RC_LIMIT);
}
END_TEST

#define ID "200700000000000000000000000000000000000000000000000000000000000000"

START_TEST(frames_of_two_kinds_or_other_lengths_are_malformed)
{
    static const char *const rows[] = {
        ("12" ID "1a" ID), ("1a" ID "12" ID), ("12" ID "0a00"), "0a00", "1201aa", "1001", "2a00", ("92" ID)
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t raw[256];
        size_t n = strlen(rows[i]) / 2;
        ck_assert_int_eq(hex_decode_exact(raw, n, rows[i], 2 * n), RC_OK);
        ck_assert_msg(flood_frame_read(&frame, NULL, view_of(raw, n)) == RC_MALFORMED, "%s", rows[i]);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("flood_wire", a_message_and_a_pull_have_their_known_bytes,
                    a_message_reads_as_written_and_no_part_of_it, as_many_ids_as_are_kept_fit_and_no_more,
                    frames_of_two_kinds_or_other_lengths_are_malformed);
}
