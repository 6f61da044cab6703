/* Whole messages on the connections of two nodes in memory: pieces, long ones, holds, slow readers, and bad ends. */
#include "overlay/framed.h"

#include "overlay/net/memory.h"
#include "overlay/wire/proto.h"
#include "tests/unit/net_pair.h"
#include "tests/unit/unit.h"

#define NAME "/kettle/test-framed/1"
#define MAX (1u << 20)

typedef struct {
    wire_id_t id;
    net_t *net;
    net_protocol_t protocol;
    framed_t *framed;
    net_conn_t *conn;
    unsigned up, down, got, closed, writable, bye;
    bool busy, serves, opens; /* opens: by itself, as soon as there is a connection */
    rc_t refuses;
    size_t last_n;
    uint8_t last_byte;
    uint64_t sum;
} side_t;

static memory_t *world;
static side_t a, b;

static void on_up(void *ctx, net_conn_t *c)
{
    (void)c;
    ((side_t *)ctx)->up++;
}

static void on_down(void *ctx, net_conn_t *c)
{
    (void)c;
    ((side_t *)ctx)->down++;
}

static rc_t on_take(void *ctx, err_t *e, net_conn_t *c, view_t message)
{
    side_t *s = ctx;
    ck_assert_ptr_eq(c, s->conn);
    if (s->busy)
        return RC_NEED_DATA;
    if (s->refuses)
        return err_say(e, s->refuses, "not that");
    s->got++;
    s->last_n = message.n;
    s->last_byte = message.n ? message.p[message.n - 1] : 0;
    s->sum += message.n;
    return RC_OK;
}

static void on_writable(void *ctx, net_conn_t *c)
{
    (void)c;
    ((side_t *)ctx)->writable++;
}

static void on_opened(void *ctx, net_conn_t *c)
{
    side_t *s = ctx;
    s->conn = c;
    if (s->opens)
        ck_assert_int_eq(framed_open(s->framed, c), RC_OK);
}

static void on_closed(void *ctx, net_conn_t *c, const err_t *why)
{
    side_t *s = ctx;
    (void)why;
    s->closed++;
    s->bye = net_bye_code(c);
    framed_closed(s->framed, c);
    s->conn = NULL;
}

static bool on_serves(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    (void)c, (void)p;
    return ((side_t *)ctx)->serves;
}

static void side_open(side_t *s, const char *word)
{
    *s = (side_t){ .serves = true, .opens = true };
    const framed_config_t c = {
        .name = NAME, .max = MAX, .up = on_up, .down = on_down, .take = on_take, .writable = on_writable, .ctx = s
    };
    wire_secp256k1(&s->id, word);
    ck_assert_int_eq(framed_new(&s->framed, &c), RC_OK);
    framed_protocol(s->framed, &s->protocol);
    const net_config_t n = { .who = s->id.who,
                             .events = { .opened = on_opened, .closed = on_closed, .serves = on_serves, .ctx = s },
                             .protocols = &s->protocol,
                             .protocol_count = 1 };
    ck_assert_int_eq(net_new(&s->net, &n), RC_OK);
    ck_assert_int_eq(memory_join(world, s->net), RC_OK);
}

static void run(uint64_t ms)
{
    const uint64_t until = memory_now(world) + ms;
    for (uint64_t t = memory_now(world); t <= until; t += 5) {
        memory_run(world, t);
        (void)framed_turn(a.framed, t);
        (void)framed_turn(b.framed, t);
    }
}

static void begin_world(void)
{
    const memory_faults_t fair = { .delay_min_ms = 10, .delay_max_ms = 10 };
    ck_assert_int_eq(secret_init(), RC_OK);
    ck_assert_int_eq(memory_new(&world, 1, &fair), RC_OK);
    side_open(&a, "a");
    side_open(&b, "b");
}

static void connect_them(void)
{
    net_conn_t *c;
    const maddr_t at = maddr("/ip4/10.0.0.1/udp/4001/quic-v1");
    ck_assert_int_eq(net_listen(b.net, NULL, &at), RC_OK);
    ck_assert_int_eq(net_dial(a.net, &c, NULL, &at, NULL), RC_OK);
    run(200);
}

static void begin(void)
{
    begin_world();
    connect_them();
}

static void end(void)
{
    side_t *const both[] = { &a, &b };
    for (int i = 0; i < 2; i++) {
        net_free(both[i]->net);
        framed_free(both[i]->framed);
        wire_id_clear(&both[i]->id);
    }
    memory_free(world);
}

static rc_t say(size_t n, uint8_t byte)
{
    uint8_t *m = malloc(n + 1);
    memset(m, byte, n + 1);
    const rc_t rc = framed_write(a.framed, a.conn, view_of(m, n));
    free(m);
    return rc;
}

START_TEST(messages_of_all_lengths_come_whole_and_in_order)
{
    static const size_t lengths[] = { 0, 1, 127, 128, 16383, 16384, 70000, MAX - 3, 5 };
    begin();
    ck_assert(a.up == 1 && b.up == 1);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        ck_assert_int_eq(say(lengths[i], (uint8_t)(i + 1)), RC_OK);
        run(400);
        ck_assert_msg(b.got == i + 1 && b.last_n == lengths[i], "%zu: %u, %zu", lengths[i], b.got, b.last_n);
        ck_assert(lengths[i] == 0 || b.last_byte == i + 1);
    }
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(say(10, 9), RC_OK);
    run(400);
    ck_assert_uint_eq(b.got, 1009);
    ck_assert(a.writable > 0);
    ck_assert_int_eq(say(MAX + 1, 0), RC_LIMIT);
    end();
}
END_TEST

START_TEST(a_slow_reader_slows_its_writer_and_loses_nothing)
{
    size_t sent = 0;
    begin();
    b.busy = true;
    while (say(30000, 1) == RC_OK)
        if (++sent % 4 == 0)
            run(50);
    ck_assert_uint_gt(sent, NET_QUEUE_MAX / 30000);
    ck_assert_uint_le(sent, (NET_QUEUE_MAX + NET_WINDOW) / 30000 + 1); /* the queue here, and a window there */
    ck_assert_int_eq(say(30000, 1), RC_LIMIT);
    run(60000); /* a connection that is slow is alive */
    ck_assert(b.got == 0 && b.closed == 0);
    b.busy = false;
    framed_resume(b.framed, b.conn);
    run(3000);
    ck_assert_uint_eq(b.got, sent);
    ck_assert_int_eq(say(30000, 1), RC_OK);
    end();
}
END_TEST

START_TEST(on_hold_nothing_is_taken_or_written_until_it_is_open_again)
{
    begin();
    framed_hold(b.framed, b.conn);
    ck_assert_uint_eq(b.down, 1);
    ck_assert_int_eq(framed_write(b.framed, b.conn, view_str("x")), RC_REFUSED);
    ck_assert_int_eq(say(3, 1), RC_OK);
    run(200);
    ck_assert_uint_eq(b.got, 0);
    ck_assert_int_eq(framed_open(b.framed, b.conn), RC_OK);
    ck_assert(b.got == 1 && b.up == 2 && b.closed == 0);
    ck_assert_int_eq(framed_write(b.framed, b.conn, view_str("x")), RC_OK);
    end();
}
END_TEST

START_TEST(who_does_not_serve_it_yet_is_asked_again)
{
    begin_world();
    b.serves = b.opens = false;
    connect_them();
    ck_assert(a.up == 0 && a.closed == 0);
    b.serves = true;
    run(400);
    ck_assert(a.up == 1 && b.up == 0);
    ck_assert_int_eq(say(3, 1), RC_OK); /* before its owner has opened it */
    run(100);
    ck_assert_uint_eq(b.got, 0);
    ck_assert_int_eq(framed_open(b.framed, b.conn), RC_OK);
    ck_assert_uint_eq(b.got, 1);
    end();
}
END_TEST

START_TEST(a_message_that_is_refused_ends_the_connection)
{
    begin();
    b.refuses = RC_REFUSED;
    ck_assert_int_eq(say(3, 1), RC_OK);
    run(200);
    ck_assert(b.closed == 1 && a.closed == 1 && a.bye == NET_BYE_PROTOCOL);
    ck_assert(a.down == 1 && b.down == 1);
    end();
}
END_TEST

START_TEST(a_second_stream_of_one_side_is_reset)
{
    net_stream_t *s;
    begin();
    ck_assert_int_eq(net_open(a.conn, &s, &a.protocol, NULL), RC_OK);
    ck_assert_int_eq(net_write(s, view_str("\x01x")), RC_OK);
    run(200);
    ck_assert(b.got == 0 && b.closed == 0);
    ck_assert_int_eq(say(3, 1), RC_OK);
    run(200);
    ck_assert_uint_eq(b.got, 1);
    end();
}
END_TEST

/* The peer's side of the stream by hand. */
START_TEST(bytes_that_are_no_message_end_the_connection)
{
    static const struct {
        const char *what;
        uint8_t bytes[4];
        size_t n;
        bool ends;
    } rows[] = { { "longer than the most", { 0x81, 0x80, 0x40 }, 3, true },
                 { "a length of two forms", { 0x81, 0x00, 0x01 }, 3, true },
                 { "part of a message", { 0x05, 1, 2 }, 3, false } };
    for (size_t i = 0; i < 3; i++) {
        net_stream_t *s;
        begin_world();
        a.opens = false;
        connect_them();
        ck_assert_int_eq(net_open(a.conn, &s, &a.protocol, NULL), RC_OK);
        ck_assert_int_eq(net_write(s, view_of(rows[i].bytes, rows[i].n)), RC_OK);
        run(200);
        ck_assert_msg(b.closed == rows[i].ends, "%s", rows[i].what);
        if (!rows[i].ends) { /* and then its stream ends in the middle */
            net_reset(s);
            run(200);
            ck_assert_uint_eq(b.closed, 1);
        }
        ck_assert_uint_eq(b.got, 0);
        end();
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("framed", messages_of_all_lengths_come_whole_and_in_order,
                    a_slow_reader_slows_its_writer_and_loses_nothing,
                    on_hold_nothing_is_taken_or_written_until_it_is_open_again,
                    who_does_not_serve_it_yet_is_asked_again, a_message_that_is_refused_ends_the_connection,
                    a_second_stream_of_one_side_is_reset, bytes_that_are_no_message_end_the_connection);
}
