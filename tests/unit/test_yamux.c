/* yamux: the frames of the specification, two machines against each other in any portions, and each rule of streams and
 * windows. */
#include <stdarg.h>

#include "overlay/wire/yamux.h"
#include "tests/unit/wire_id.h"

typedef struct {
    yamux_t y;
    wr_t out;
    uint8_t buf[YAMUX_WINDOW * 2];
    char log[8192]; /* what was told, a word each */
    size_t bytes;   /* of payload */
    bool reset_at_data, consumes;
} end_t;

static end_t ends[2];

static void say(end_t *e, const char *fmt, ...)
{
    va_list ap;
    size_t at = strlen(e->log);
    va_start(ap, fmt);
    vsnprintf(e->log + at, sizeof e->log - at, fmt, ap);
    va_end(ap);
}

static void opened(void *ctx, uint32_t id)
{
    say(ctx, "open%u ", id);
}
static void data(void *ctx, uint32_t id, view_t bytes)
{
    end_t *e = ctx;
    e->bytes += bytes.n;
    if (bytes.n < 16)
        say(e, "%u:%.*s ", id, (int)bytes.n, (const char *)bytes.p);
    if (e->consumes)
        yamux_consumed(&e->y, id, bytes.n);
    if (e->reset_at_data)
        yamux_reset(&e->y, id);
}
static void ended(void *ctx, uint32_t id)
{
    say(ctx, "end%u ", id);
}
static void gone(void *ctx, uint32_t id, bool reset)
{
    say(ctx, reset ? "reset%u " : "gone%u ", id);
}
static void writable(void *ctx, uint32_t id)
{
    say(ctx, "more%u ", id);
}
static void pong(void *ctx, uint32_t value)
{
    say(ctx, "pong%u ", value);
}
static void went_away(void *ctx, uint32_t reason)
{
    say(ctx, "away%u ", reason);
}
static const yamux_events_t events = { opened, data, ended, gone, writable, pong, went_away };

static void setup(void)
{
    static const uint64_t seed[2] = { 1, 2 };
    for (int i = 0; i < 2; i++) {
        ends[i].log[0] = 0;
        ends[i].bytes = 0;
        ends[i].reset_at_data = ends[i].consumes = false;
        ends[i].out = wr_of(ends[i].buf, sizeof ends[i].buf);
        ck_assert_int_eq(yamux_init(&ends[i].y, i == 0, &events, &ends[i], seed), RC_OK);
    }
}

static void teardown(void)
{
    yamux_free(&ends[0].y);
    yamux_free(&ends[1].y);
}

/* What an end has written goes to the other, in portions. */
static void carry(int from, size_t portion)
{
    end_t *e = &ends[from];
    yamux_write(&e->y, &e->out);
    for (size_t at = 0; at < e->out.n; at += portion) {
        size_t n = e->out.n - at < portion ? e->out.n - at : portion;
        uint8_t *exact = wire_exact(view_of(e->buf + at, n));
        err_t err;
        ck_assert_msg(yamux_take(&ends[1 - from].y, &err, view_of(exact, n)) == RC_OK, "%s", err.text);
        free(exact);
    }
    e->out = wr_of(e->buf, sizeof e->buf);
}

/* Frames as hexadecimal text to end 1, which the peer with odd streams talks to. */
static rc_t feed(const char *hex)
{
    static uint8_t buf[1024];
    err_t err;
    err_clear(&err);
    rc_t rc = yamux_take(&ends[1].y, &err, wire_hex(buf, sizeof buf, hex));
    ck_assert(rc == RC_OK || err.text[0]);
    return rc;
}

static const char *written(int end)
{
    static char text[2048];
    end_t *e = &ends[end];
    yamux_write(&e->y, &e->out);
    ck_assert_uint_lt(2 * e->out.n, sizeof text);
    hex_encode(text, wr_view(&e->out));
    e->out = wr_of(e->buf, sizeof e->buf);
    return text;
}

/* Source: hashicorp/yamux spec.md (layout of the header, types, flags). */
START_TEST(frames_are_those_of_the_specification)
{
    uint32_t id;
    ck_assert_int_eq(yamux_open(&ends[0].y, &id, &ends[0].out), RC_OK);
    ck_assert_uint_eq(id, 1);
    ck_assert_str_eq(written(0), "000100010000000100000000");
    ck_assert_uint_eq(yamux_data(&ends[0].y, &ends[0].out, 1, view_str("abc")), 3);
    ck_assert_str_eq(written(0), "000000000000000100000003616263");
    ck_assert(yamux_ping(&ends[0].y, &ends[0].out, 7));
    ck_assert_str_eq(written(0), "000200010000000000000007");
    ck_assert(yamux_end(&ends[0].y, &ends[0].out, 1));
    ck_assert_str_eq(written(0), "000100040000000100000000"); /* a frame of its own */
    yamux_reset(&ends[0].y, 1);
    ck_assert_str_eq(written(0), "000100080000000100000000");
    ck_assert(yamux_go_away(&ends[0].y, &ends[0].out, YAMUX_PROTOCOL_ERROR));
    ck_assert_str_eq(written(0), "000300000000000000000001");
    ck_assert_int_eq(yamux_open(&ends[0].y, &id, &ends[0].out), RC_LIMIT);
    ck_assert_int_eq(yamux_open(&ends[1].y, &id, &ends[1].out), RC_OK);
    ck_assert_uint_eq(id, 2);
}
END_TEST

START_TEST(a_stream_lives_and_ends_in_any_portions)
{
    for (size_t portion = 1; portion < 40; portion++) {
        uint32_t id;
        ends[0].log[0] = ends[1].log[0] = 0;
        ck_assert_int_eq(yamux_open(&ends[0].y, &id, &ends[0].out), RC_OK);
        ck_assert_uint_eq(yamux_data(&ends[0].y, &ends[0].out, id, view_str("hello")), 5);
        ck_assert(yamux_end(&ends[0].y, &ends[0].out, id));
        ck_assert_uint_eq(yamux_data(&ends[0].y, &ends[0].out, id, view_str("late")), 0);
        carry(0, portion);
        ck_assert_uint_eq(yamux_data(&ends[1].y, &ends[1].out, id, view_str("bye")), 3);
        ck_assert(yamux_end(&ends[1].y, &ends[1].out, id));
        carry(1, portion);
        char want[64];
        snprintf(want, sizeof want, "%u:bye end%u gone%u ", id, id, id);
        if (portion >= 15)
            ck_assert_str_eq(ends[0].log, want);
        ck_assert_ptr_nonnull(strstr(ends[1].log, "gone"));
        ck_assert_uint_eq(ends[1].bytes, 5 * portion);
        ck_assert(yamux_count(&ends[0].y) == 0 && yamux_count(&ends[1].y) == 0);
    }
}
END_TEST

/* As js-libp2p: a window update opens, a ping opens the connection, windows grow by doubling. */
START_TEST(the_frames_of_others_are_understood)
{
    ck_assert_int_eq(feed("000200010000000000000005"), RC_OK);
    ck_assert_int_eq(feed("000100010000000100000000"), RC_OK);
    ck_assert_int_eq(feed("000000000000000100000002"
                          "6869"),
                     RC_OK);
    ck_assert_int_eq(feed("000100000000000100040014"), RC_OK);
    ck_assert_int_eq(feed("000000050000000300000003"
                          "616263"),
                     RC_OK); /* SYN, payload and FIN in one */
    ck_assert_int_eq(feed("000000080000000300000001"
                          "61"),
                     RC_OK); /* RST with payload: dropped */
    ck_assert_str_eq(ends[1].log, "open1 1:hi more1 open3 3:abc end3 reset3 ");
    ck_assert_str_eq(written(1), "000200020000000000000005"
                                 "000100020000000100000000");
    ck_assert_int_eq(feed("000300000000000000000000"), RC_OK);
    ck_assert_int_eq(feed("000200020000000000000009"), RC_OK);
    ck_assert_ptr_nonnull(strstr(ends[1].log, "away0 pong9 "));
    uint32_t id;
    ck_assert_int_eq(yamux_open(&ends[1].y, &id, &ends[1].out), RC_LIMIT);
}
END_TEST

START_TEST(what_breaks_the_rules_ends_the_connection)
{
    static const struct {
        const char *why, *hex;
        rc_t rc;
    } rows[] = {
        { "version 1", "010000010000000100000000", RC_MALFORMED },
        { "type 4", "000400000000000100000000", RC_MALFORMED },
        { "flag 16", "000000100000000100000000", RC_MALFORMED },
        { "data on stream 0", "000000010000000000000000", RC_MALFORMED },
        { "window on stream 0", "000100000000000000000001", RC_MALFORMED },
        { "ping on a stream", "000200010000000100000000", RC_MALFORMED },
        { "go away on a stream", "000300000000000100000000", RC_MALFORMED },
        { "wrong parity", "000100010000000200000000", RC_REFUSED },
        { "an id again",
          "000100010000000100000000"
          "000100010000000100000000",
          RC_REFUSED },
        { "an id below the last",
          "000100010000000500000000"
          "000100010000000300000000",
          RC_REFUSED },
        { "data on a stream that nobody opened", "000000000000000100000000", RC_REFUSED },
        { "the same, of ours", "000000000000000200000000", RC_REFUSED },
        { "window over 2^32",
          "000100010000000100000000"
          "0001000000000001ffffffff",
          RC_REFUSED },
        { "data past the window", "000000010000000100040001", RC_REFUSED },
        { "data behind the end",
          "000100050000000100000000"
          "000000000000000100000001",
          RC_REFUSED },
        { "a stream after go away",
          "000300000000000000000000"
          "000100010000000100000000",
          RC_REFUSED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        teardown();
        setup();
        ck_assert_msg(feed(rows[i].hex) == rows[i].rc, "%s", rows[i].why);
        ends[1].log[0] = 0;
        ck_assert_int_ne(feed("000100010000000700000000"), RC_OK); /* nothing is taken any more */
        ck_assert_str_eq(ends[1].log, "");
    }
}
END_TEST

START_TEST(a_full_window_waits_until_it_was_used_up)
{
    static uint8_t payload[YAMUX_FRAME_MAX + 5];
    uint32_t id;
    size_t sent = 0, n;
    ck_assert_int_eq(yamux_open(&ends[0].y, &id, &ends[0].out), RC_OK);
    while ((n = yamux_data(&ends[0].y, &ends[0].out, id, view_of(payload, sizeof payload)))) {
        ck_assert_uint_eq(n, YAMUX_FRAME_MAX);
        sent += n;
    }
    ck_assert_uint_eq(sent, YAMUX_WINDOW);
    carry(0, 777);
    ck_assert_uint_eq(ends[1].bytes, YAMUX_WINDOW);
    carry(1, 100); /* the acknowledgement only */
    ck_assert_uint_eq(yamux_data(&ends[0].y, &ends[0].out, id, view_str("x")), 0);
    yamux_consumed(&ends[1].y, id, YAMUX_WINDOW / 2 - 1);
    carry(1, 100);
    ck_assert_uint_eq(yamux_data(&ends[0].y, &ends[0].out, id, view_str("x")), 0);
    yamux_consumed(&ends[1].y, id, 1);
    ck_assert_str_eq(written(1), "000100000000000100020000");
    yamux_consumed(&ends[1].y, id, YAMUX_WINDOW / 2);
    carry(1, 100);
    ck_assert_str_eq(ends[0].log, "more1 ");
    ck_assert_uint_eq(yamux_data(&ends[0].y, &ends[0].out, id, view_str("x")), 1);
}
END_TEST

START_TEST(frames_wait_for_room)
{
    uint32_t id;
    ck_assert_int_eq(feed("000200010000000000000005"
                          "000100010000000100000000"),
                     RC_OK);
    for (size_t cap = 0; cap < YAMUX_HEADER_LEN; cap++) {
        wr_t w = wr_of(ends[1].buf, cap);
        yamux_write(&ends[1].y, &w);
        ck_assert_uint_eq(w.n, 0);
        ck_assert_int_eq(yamux_open(&ends[1].y, &id, &w), RC_NEED_DATA);
        ck_assert(!yamux_ping(&ends[1].y, &w, 1) && !yamux_end(&ends[1].y, &w, 1));
        ck_assert_uint_eq(yamux_data(&ends[1].y, &w, 1, view_str("x")), 0);
        ck_assert(!w.bad);
    }
    wr_t w = wr_of(ends[1].buf, YAMUX_HEADER_LEN + 2);
    ck_assert_uint_eq(yamux_data(&ends[1].y, &w, 1, view_str("xyz")), 2);
    CK_VIEW_IS(wr_view(&w), "0000000200000001000000027879"); /* acknowledges too */
    ck_assert_str_eq(written(1), "000200020000000000000005");
}
END_TEST

START_TEST(more_streams_than_the_most_are_refused_one_by_one)
{
    char hex[32];
    for (unsigned i = 0; i < YAMUX_STREAMS_MAX; i++) {
        snprintf(hex, sizeof hex, "00010001%08x00000000", 2 * i + 1);
        ck_assert_int_eq(feed(hex), RC_OK);
    }
    uint32_t id;
    ck_assert_int_eq(yamux_open(&ends[1].y, &id, &ends[1].out), RC_LIMIT);
    ends[1].log[0] = 0;
    for (unsigned i = 0; i <= YAMUX_PENDING_MAX; i++) {
        snprintf(hex, sizeof hex,
                 "00000001%08x00000001"
                 "41",
                 2 * (YAMUX_STREAMS_MAX + i) + 1);
        ck_assert_int_eq(feed(hex), i < YAMUX_PENDING_MAX ? RC_OK : RC_LIMIT);
    }
    ck_assert_str_eq(ends[1].log, "");
    ck_assert_uint_eq(yamux_count(&ends[1].y), YAMUX_STREAMS_MAX);
    ck_assert_uint_le(ends[1].y.arena.used, YAMUX_MEMORY_MAX);
}
END_TEST

START_TEST(streams_come_and_go_without_growing)
{
    size_t used = 0;
    for (unsigned i = 0; i < 5000; i++) {
        uint32_t id;
        ck_assert_int_eq(yamux_open(&ends[i % 2].y, &id, &ends[i % 2].out), RC_OK);
        carry((int)(i % 2), 100);
        yamux_reset(&ends[1 - i % 2].y, id);
        carry((int)(1 - i % 2), 100);
        ends[0].log[0] = ends[1].log[0] = 0;
        if (i == 100)
            used = ends[0].y.arena.used;
    }
    ck_assert_uint_eq(ends[0].y.arena.used, used);
}
END_TEST

START_TEST(floods_end_the_connection)
{
    rc_t rc = RC_OK;
    unsigned n;
    ck_assert_int_eq(feed("000100010000000100000000"), RC_OK);
    for (n = 0; !rc && n < 10 * YAMUX_IDLE_MAX; n++)
        rc = feed("000000000000000100000000");
    ck_assert(rc == RC_LIMIT && n == YAMUX_IDLE_MAX + 1);
    teardown();
    setup();
    ck_assert_int_eq(feed("000100010000000100000000"), RC_OK);
    for (n = 0; n < 2 * YAMUX_IDLE_MAX; n++) {
        ck_assert_int_eq(feed("000100000000000100000001"), RC_OK);
        if (n % YAMUX_IDLE_MAX == 0)
            yamux_tick(&ends[1].y);
    }
    teardown();
    setup();
    for (n = 0, rc = RC_OK; !rc; n++) /* pings whose answers are not read */
        rc = feed("000200010000000000000001");
    ck_assert(rc == RC_LIMIT && n == YAMUX_PENDING_MAX + 1);
}
END_TEST

/* However much goes over a connection between two ticks. */
START_TEST(room_for_what_was_sent_is_no_flood)
{
    static const uint8_t part[YAMUX_WINDOW / 2];
    uint32_t id;
    ends[0].consumes = true;
    ck_assert_int_eq(yamux_open(&ends[1].y, &id, &ends[1].out), RC_OK);
    for (unsigned i = 0; i < YAMUX_IDLE_MAX + 100; i++) {
        for (size_t at = 0; at < sizeof part;) {
            const size_t n = yamux_data(&ends[1].y, &ends[1].out, id, view_of(part + at, sizeof part - at));
            ck_assert_uint_gt(n, 0);
            at += n;
        }
        carry(1, 1 << 20);
        carry(0, 1 << 20); /* acknowledges, or gives the half of a window back */
    }
    ck_assert_uint_eq(ends[0].bytes, (YAMUX_IDLE_MAX + 100) * sizeof part);
    rc_t rc = RC_OK;
    unsigned n;
    for (n = 0; !rc && n < 10 * YAMUX_IDLE_MAX; n++) /* but bytes that are given back one by one are */
        rc = feed("000100000000000200000001");
    ck_assert(rc == RC_LIMIT && n <= YAMUX_IDLE_MAX + YAMUX_UNANSWERED_MAX / YAMUX_ROOM_MIN + 1);
}
END_TEST

START_TEST(a_stream_reset_in_its_own_callback_is_heard_no_more)
{
    ends[1].reset_at_data = true;
    ck_assert_int_eq(feed("000000010000000100000004"
                          "6162"),
                     RC_OK);
    ck_assert_int_eq(feed("6364"), RC_OK);
    ck_assert_int_eq(feed("000000000000000100000001"
                          "65"),
                     RC_OK); /* still under way: nobody's fault */
    ck_assert_int_eq(feed("000100040000000100000000"), RC_OK);
    ck_assert_str_eq(ends[1].log, "open1 1:ab ");
    ck_assert_str_eq(written(1), "000100080000000100000000");
}
END_TEST

START_TEST(a_megabyte_goes_through_both_ways)
{
    static uint8_t payload[YAMUX_FRAME_MAX];
    uint32_t id;
    size_t sent[2] = { 0, 0 };
    ends[0].consumes = ends[1].consumes = true;
    ck_assert_int_eq(yamux_open(&ends[0].y, &id, &ends[0].out), RC_OK);
    carry(0, 100);
    for (int round = 0; round < 1000 && (ends[0].bytes < 1u << 20 || ends[1].bytes < 1u << 20); round++)
        for (int i = 0; i < 2; i++) {
            size_t n, left = (1u << 20) - sent[i];
            n = yamux_data(&ends[i].y, &ends[i].out, id, view_of(payload, left < 9999 ? left : 9999));
            sent[i] += n;
            carry(i, 4096);
        }
    ck_assert(ends[0].bytes == 1u << 20 && ends[1].bytes == 1u << 20);
}
END_TEST

START_TEST(ids_do_not_wrap)
{
    uint32_t id;
    ends[0].y.next_id = UINT32_MAX - 2;
    ck_assert_int_eq(yamux_open(&ends[0].y, &id, &ends[0].out), RC_OK);
    ck_assert_int_eq(yamux_open(&ends[0].y, &id, &ends[0].out), RC_LIMIT);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("yamux", setup, teardown, frames_are_those_of_the_specification,
                           a_stream_lives_and_ends_in_any_portions, the_frames_of_others_are_understood,
                           what_breaks_the_rules_ends_the_connection, a_full_window_waits_until_it_was_used_up,
                           frames_wait_for_room, more_streams_than_the_most_are_refused_one_by_one,
                           streams_come_and_go_without_growing, floods_end_the_connection,
                           room_for_what_was_sent_is_no_flood, a_stream_reset_in_its_own_callback_is_heard_no_more,
                           a_megabyte_goes_through_both_ways, ids_do_not_wrap);
}
