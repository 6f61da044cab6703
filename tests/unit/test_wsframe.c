/* Frames of WebSocket: the examples of RFC 6455, every truncation, and what ends a stream. */
#include "http/upgrade.h"
#include "http/wsframe.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define MESSAGE_MAX ((size_t)1 << 17)

/* All messages, each with its length before it. */
typedef struct {
    uint8_t *p;
    size_t n, count;
} heard_t;

static void on_message(void *ctx, uint8_t *take_text, size_t n)
{
    heard_t *h = ctx;
    h->p = realloc(h->p, h->n + n + 8);
    memcpy(h->p + h->n, &n, sizeof n);
    memcpy(h->p + h->n + 8, take_text, n);
    h->n += n + 8;
    h->count++;
    free(take_text);
}

static wsf_t *stream_max(heard_t *h, size_t max)
{
    *h = (heard_t){ 0 };
    wsf_t *f = wsf_new(&(wsf_config_t){ max, on_message, h });
    ck_assert_ptr_nonnull(f);
    return f;
}

static wsf_t *stream(heard_t *h)
{
    return stream_max(h, MESSAGE_MAX);
}

/* The last message, which is to be the only one. */
static view_t only(const heard_t *h)
{
    ck_assert_uint_eq(h->count, 1);
    return view_of(h->p + 8, h->n - 8);
}

static void end(wsf_t *f, heard_t *h)
{
    wsf_free(f);
    free(h->p);
}

/* A frame as a client sends it: masked with 1, 2, 3, 4. */
static view_t frame(uint8_t *room, uint8_t first, const void *payload, size_t n)
{
    size_t at = 2;
    room[0] = first;
    room[1] = (uint8_t)(0x80 | (n < 126 ? n : n < 65536 ? 126 : 127));
    for (size_t i = n < 126 ? 0 : n < 65536 ? 2 : 8; i-- > 0;)
        room[at++] = (uint8_t)((uint64_t)n >> (8 * i));
    for (uint8_t i = 1; i <= 4; i++)
        room[at++] = i;
    for (size_t i = 0; i < n; i++)
        room[at++] = (uint8_t)(((const uint8_t *)payload)[i] ^ (i % 4 + 1));
    return view_of(room, at);
}

static void feed(wsf_t *f, view_t bytes)
{
    ck_assert_int_eq(wsf_feed(f, bytes), RC_OK);
}

/* What stands in wsf_out is a close frame with this code, alone. */
static void closes_with(const wsf_t *f, unsigned code)
{
    const view_t out = wsf_out(f);
    ck_assert_uint_eq(out.n, 4);
    ck_assert_uint_eq(out.p[0], 0x88);
    ck_assert_uint_eq(out.p[1], 2);
    ck_assert_uint_eq((unsigned)out.p[2] << 8 | out.p[3], code);
    ck_assert(wsf_closing(f));
}

/* RFC 6455 section 1.3. */
START_TEST(the_example_of_the_handshake_is_accepted_as_there)
{
    char accept[UPGRADE_ACCEPT_LEN + 1];
    upgrade_t u = { "websocket", "keep-alive, Upgrade", "13", "dGhlIHNhbXBsZSBub25jZQ==" };
    ck_assert_int_eq(upgrade_check(accept, &u), 101);
    ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
END_TEST

START_TEST(a_handshake_that_is_not_whole_is_refused)
{
    char accept[UPGRADE_ACCEPT_LEN + 1];
    static const struct {
        upgrade_t u;
        int status;
    } rows[] = {
        { { NULL, "Upgrade", "13", "dGhlIHNhbXBsZSBub25jZQ==" }, 426 },
        { { "h2c", "Upgrade", "13", "dGhlIHNhbXBsZSBub25jZQ==" }, 426 },
        { { "websockets", "Upgrade", "13", "dGhlIHNhbXBsZSBub25jZQ==" }, 426 },
        { { "websocket", "keep-alive", "13", "dGhlIHNhbXBsZSBub25jZQ==" }, 426 },
        { { "websocket", "Upgrade", "8", "dGhlIHNhbXBsZSBub25jZQ==" }, 426 },
        { { "websocket", "Upgrade", NULL, "dGhlIHNhbXBsZSBub25jZQ==" }, 426 },
        { { "websocket", "Upgrade", "13", NULL }, 400 },
        { { "websocket", "Upgrade", "13", "" }, 400 },
        { { "websocket", "Upgrade", "13", "dGhlIHNhbXBsZSBub25jZQ" }, 400 },
        { { "websocket", "Upgrade", "13", "dGhlIHNhbXBsZSBub25jZTEyMw==" }, 400 },
        { { "websocket", "Upgrade", "13", "!GhlIHNhbXBsZSBub25jZQ==" }, 400 },
        { { "WebSocket", "upgrade", "13", "dGhlIHNhbXBsZSBub25jZQ==" }, 101 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(upgrade_check(accept, &rows[i].u) == rows[i].status, "row %zu", i);
}
END_TEST

/* RFC 6455 section 5.7: a masked "Hello", and the same in two frames with a ping between them. */
static const uint8_t HELLO[] = { 0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
static const uint8_t PING[] = { 0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
static const uint8_t PONG[] = { 0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f };

START_TEST(the_examples_of_frames_are_read_as_there)
{
    heard_t h;
    wsf_t *f = stream(&h);
    feed(f, view_of(HELLO, sizeof HELLO));
    ck_assert(view_eq(only(&h), view_str("Hello")));
    ck_assert_uint_eq(wsf_out(f).n, 0);
    feed(f, view_of(PING, sizeof PING));
    ck_assert(view_eq(wsf_out(f), view_of(PONG, sizeof PONG)));
    ck_assert_uint_eq(h.count, 1);
    end(f, &h);
}
END_TEST

START_TEST(a_message_in_pieces_with_a_ping_between_them_is_one)
{
    heard_t h;
    wsf_t *f = stream(&h);
    uint8_t room[64];
    feed(f, frame(room, 0x01, "He", 2));
    feed(f, view_of(PING, sizeof PING));
    feed(f, frame(room, 0x00, "ll", 2));
    ck_assert_uint_eq(h.count, 0);
    ck_assert_uint_eq(wsf_begun(f), 4);
    feed(f, frame(room, 0x80, "o", 1));
    ck_assert(view_eq(only(&h), view_str("Hello")));
    ck_assert_uint_eq(wsf_begun(f), 0);
    ck_assert(view_eq(wsf_out(f), view_of(PONG, sizeof PONG)));
    end(f, &h);
}
END_TEST

START_TEST(no_truncation_is_taken_for_a_message)
{
    static uint8_t room[70100];
    uint8_t *text = calloc(1, 70000);
    memset(text, 'a', 70000);
    static const size_t lens[] = { 0, 1, 5, 125, 126, 200, 65535, 65536, 70000 };
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        const view_t whole = frame(room, 0x81, text, lens[i]);
        const size_t step = whole.n > 300 ? whole.n / 150 : 1;
        for (size_t n = 0; n < whole.n; n += step) {
            heard_t h;
            wsf_t *f = stream(&h);
            uint8_t *cut = malloc(n + 1); /* of its exact size, so that a read behind it is seen */
            memcpy(cut, whole.p, n);
            feed(f, view_of(cut, n));
            ck_assert_uint_eq(h.count, 0);
            ck_assert(!wsf_closing(f));
            feed(f, view_of(whole.p + n, whole.n - n));
            ck_assert(view_eq(only(&h), view_of(text, lens[i])));
            free(cut);
            end(f, &h);
        }
    }
    free(text);
}
END_TEST

START_TEST(what_breaks_the_protocol_is_told_by_its_code)
{
    static const uint8_t unmasked[] = { 0x81, 0x05, 'H', 'e', 'l', 'l', 'o' };
    static const struct {
        uint8_t first;
        const char *payload;
        size_t n;
        unsigned code;
    } rows[] = {
        { 0xc1, "x", 1, 1002 },        /* RSV1 without an extension */
        { 0x83, "x", 1, 1002 },        /* a reserved opcode */
        { 0x8b, "x", 1, 1002 },        /* a reserved control opcode */
        { 0x80, "x", 1, 1002 },        /* a continuation of nothing */
        { 0x81, "\xc3\x28", 2, 1007 }, /* not UTF-8 */
        { 0x81, "\xe2\x82", 2, 1007 }, /* cut short */
        { 0x88, "\x03\xe8", 2, 1000 }, /* a close, which is repeated */
        { 0x88, "\x03\xec", 2, 1002 }, /* a close with 1004, which nobody may send */
    };
    heard_t h;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wsf_t *f = stream(&h);
        uint8_t room[64];
        feed(f, frame(room, rows[i].first, rows[i].payload, rows[i].n));
        closes_with(f, rows[i].code);
        ck_assert_uint_eq(h.count, 0);
        feed(f, view_of(HELLO, sizeof HELLO)); /* nothing counts any more */
        ck_assert_uint_eq(h.count, 0);
        end(f, &h);
    }
    wsf_t *f = stream(&h);
    feed(f, view_of(unmasked, sizeof unmasked));
    closes_with(f, 1002);
    end(f, &h);
}
END_TEST

START_TEST(a_message_is_as_long_as_it_may_be_and_no_longer)
{
    heard_t h;
    uint8_t room[64];
    wsf_t *f = stream_max(&h, 10);
    feed(f, frame(room, 0x81, "0123456789", 10));
    ck_assert(view_eq(only(&h), view_str("0123456789")));
    feed(f, frame(room, 0x81, "0123456789a", 11));
    closes_with(f, 1009);
    end(f, &h);

    f = stream_max(&h, 10); /* frames count together */
    feed(f, frame(room, 0x01, "012345", 6));
    feed(f, frame(room, 0x80, "6789a", 5));
    closes_with(f, 1009);
    ck_assert_uint_eq(h.count, 0);
    end(f, &h);

    f = stream_max(&h, 10); /* nothing is reserved for what is only announced */
    static const uint8_t huge[] = { 0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 'x' };
    feed(f, view_of(huge, sizeof huge - 1));
    ck_assert_uint_eq(wsf_begun(f), 0);
    feed(f, view_of(huge + sizeof huge - 1, 1));
    closes_with(f, 1009);
    end(f, &h);
}
END_TEST

START_TEST(what_is_sent_comes_in_order_and_nothing_after_the_close)
{
    heard_t h;
    wsf_t *f = stream(&h);
    static const uint8_t want[] = { 0x81, 1, 'a', 0x89, 0, 0x81, 2, 'b', 'c', 0x88, 2, 0x03, 0xe9 };
    ck_assert_int_eq(wsf_send(f, view_str("a")), RC_OK);
    ck_assert_int_eq(wsf_ping(f), RC_OK);
    ck_assert_int_eq(wsf_send(f, view_str("bc")), RC_OK);
    ck_assert_int_eq(wsf_close(f, WSF_CLOSE_GOING_AWAY), RC_OK);
    ck_assert_int_eq(wsf_send(f, view_str("d")), RC_OK);
    ck_assert_int_eq(wsf_close(f, WSF_CLOSE_NORMAL), RC_OK);
    ck_assert(view_eq(wsf_out(f), view_of(want, sizeof want)));
    wsf_sent(f, 4);
    ck_assert(view_eq(wsf_out(f), view_of(want + 4, sizeof want - 4)));
    wsf_sent(f, sizeof want - 4);
    ck_assert_uint_eq(wsf_out(f).n, 0);
    ck_assert(!wsf_closed_by_peer(f));
    end(f, &h);
}
END_TEST

START_TEST(a_long_answer_has_its_length_in_eight_bytes)
{
    heard_t h;
    wsf_t *f = stream(&h);
    uint8_t *text = calloc(1, 65536);
    memset(text, 'x', 65536);
    ck_assert_int_eq(wsf_send(f, view_of(text, 65536)), RC_OK);
    static const uint8_t head[] = { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0, 'x' };
    ck_assert_uint_eq(wsf_out(f).n, 65546);
    ck_assert_mem_eq(wsf_out(f).p, head, sizeof head);
    free(text);
    end(f, &h);
}
END_TEST

int main(void)
{
    return UNIT_RUN("wsframe", the_example_of_the_handshake_is_accepted_as_there,
                    a_handshake_that_is_not_whole_is_refused, the_examples_of_frames_are_read_as_there,
                    a_message_in_pieces_with_a_ping_between_them_is_one, no_truncation_is_taken_for_a_message,
                    what_breaks_the_protocol_is_told_by_its_code, a_message_is_as_long_as_it_may_be_and_no_longer,
                    what_is_sent_comes_in_order_and_nothing_after_the_close,
                    a_long_answer_has_its_length_in_eight_bytes);
}
