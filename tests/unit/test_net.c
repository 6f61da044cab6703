/* Connections and streams, over the network in memory: what an owner sees, limits, deadlines, faults from seeds. */
#include "overlay/net/memory.h"
#include "tests/unit/net_pair.h"

static memory_t *world;
static peer_t a, b;
static net_conn_t *dialled;

static const memory_faults_t fair = { .delay_min_ms = 10, .delay_max_ms = 10 };

static void begin(uint64_t seed, const memory_faults_t *faults)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    ck_assert_int_eq(memory_new(&world, seed, faults), RC_OK);
    peer_new(&a, "a", true);
    peer_new(&b, "b", true);
    ck_assert(memory_join(world, a.net) == RC_OK && memory_join(world, b.net) == RC_OK);
    const maddr_t at = maddr("/ip4/10.0.0.1/udp/4001/quic-v1"), of_b = maddr("/ip4/10.0.0.2/udp/4001/quic-v1");
    ck_assert_int_eq(net_listen(a.net, NULL, &at), RC_OK);
    ck_assert_int_eq(net_listen(b.net, NULL, &of_b), RC_OK);
}

static void end(void)
{
    peer_clear(&a);
    peer_clear(&b);
    memory_free(world);
}

static void run_for(uint64_t ms)
{
    memory_run(world, memory_now(world) + ms);
}

static void dial(const char *to)
{
    const maddr_t m = maddr(to);
    ck_assert_int_eq(net_dial(a.net, &dialled, NULL, &m, &a), RC_OK);
}

static void connect_both(void)
{
    dial("/ip4/10.0.0.2/udp/4001/quic-v1");
    run_for(100);
    ck_assert(a.opened == 1 && b.opened == 1 && a.conn == dialled);
}

START_TEST(a_dial_opens_both_ends_the_listener_first)
{
    begin(1, &fair);
    dial("/ip4/10.0.0.2/udp/4001/quic-v1");
    run_for(30);
    ck_assert(a.opened == 0 && b.opened == 1);
    run_for(10);
    ck_assert(a.opened == 1 && b.opened == 1);
    ck_assert(!peerid_eq(net_peer(a.conn), net_peer(b.conn)) && hostkey_eq(net_peer_key(a.conn), &b.id.who.key));
    ck_assert(hostkey_eq(net_peer_key(b.conn), &a.id.who.key));
    ck_assert(net_dialled(a.conn) && !net_dialled(b.conn) && net_user(a.conn) == &a && net_is_open(a.conn));
    uint8_t ex[2][32], other[32];
    hash32_t context = { { 1 } }, keys[4];
    ck_assert(net_exporter(a.conn, ex[0], "label", &context) == RC_OK &&
              net_exporter(b.conn, ex[1], "label", &context) == RC_OK);
    ck_assert_mem_eq(ex[0], ex[1], 32);
    ck_assert_int_eq(net_exporter(b.conn, other, "labem", &context), RC_OK);
    ck_assert_mem_ne(ex[0], other, 32);
    net_channel_keys(a.conn, &keys[0], &keys[1]);
    net_channel_keys(b.conn, &keys[2], &keys[3]);
    ck_assert(hash32_eq(&keys[0], &keys[3]) && hash32_eq(&keys[1], &keys[2]) && !hash32_eq(&keys[0], &keys[1]));
    end();
}
END_TEST

START_TEST(streams_carry_bytes_both_ways_and_end)
{
    static uint8_t bytes[700000];
    net_stream_t *s;
    begin(2, &fair);
    connect_both();
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[0], NULL), RC_OK);
    ck_assert_int_eq(net_write(s, view_of(bytes, sizeof bytes)), RC_OK); /* before the protocol is agreed */
    net_end(s);
    ck_assert_int_eq(net_write(s, view_str("late")), RC_REFUSED);
    run_for(2000);
    ck_assert(a.stream_opened == 1 && b.stream_opened == 1);
    ck_assert_uint_eq(a.got_n, sizeof bytes);
    ck_assert_mem_eq(a.got, bytes, sizeof bytes);
    ck_assert(a.stream_closed == 1 && a.stream_rc == RC_OK && b.stream_closed == 1 && b.stream_rc == RC_OK &&
              a.ended == 1);
    end();
}
END_TEST

START_TEST(what_waits_has_a_maximum_and_says_when_it_left)
{
    static uint8_t bytes[NET_QUEUE_MAX + 1];
    net_stream_t *s;
    begin(3, &fair);
    connect_both();
    b.greedy = true;
    ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[0], NULL), RC_OK);
    ck_assert_int_eq(net_write(s, view_of(bytes, sizeof bytes)), RC_LIMIT);
    run_for(100);
    ck_assert_int_eq(net_write(s, view_str("x")), RC_OK);
    run_for(100);
    ck_assert_uint_eq(a.writable, 1);
    ck_assert_int_eq(net_write(s, view_of(bytes, NET_QUEUE_MAX)), RC_OK);
    ck_assert_int_eq(net_write(s, view_str("x")), RC_LIMIT);
    run_for(5000); /* who gives no room back gets a window and no more */
    ck_assert_uint_eq(a.writable, 1);
    ck_assert_uint_ge(a.got_n, NET_WINDOW / 2);
    ck_assert_uint_le(a.got_n, NET_WINDOW);
    net_stream_t *more[8];
    for (unsigned i = 0; i < 3; i++)
        ck_assert(net_open(a.conn, &more[i], &a.protocols[0], NULL) == RC_OK &&
                  net_write(more[i], view_of(bytes, NET_QUEUE_MAX - 1000)) == RC_OK);
    ck_assert_int_eq(net_open(a.conn, &more[3], &a.protocols[0], NULL), RC_OK); /* the connection's maximum */
    ck_assert_int_eq(net_write(more[3], view_of(bytes, NET_QUEUE_MAX - 1000)), RC_LIMIT);
    end();
}
END_TEST

START_TEST(a_protocol_that_is_not_served_is_refused)
{
    static const net_protocol_t unknown = { .name = "/nobody/knows/1" };
    net_protocol_t watched = unknown;
    net_stream_t *s;
    begin(4, &fair);
    connect_both();
    b.hides = true;
    watched.closed = echo_closed;
    watched.ctx = &a;
    ck_assert_int_eq(net_open(a.conn, &s, &watched, NULL), RC_OK);
    run_for(100);
    ck_assert(a.stream_closed == 1 && a.stream_rc == RC_UNSUPPORTED);
    ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[1], NULL), RC_OK);
    run_for(100);
    ck_assert(a.stream_closed == 2 && a.stream_rc == RC_UNSUPPORTED && b.stream_opened == 0);
    b.hides = false; /* asked anew each time */
    ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[1], NULL), RC_OK);
    run_for(100);
    ck_assert(b.stream_opened == 1 && a.stream_opened == 1);
    ck_assert(net_is_open(a.conn) && net_is_open(b.conn));
    end();
}
END_TEST

START_TEST(pings_are_answered_one_at_a_time)
{
    begin(5, &fair);
    connect_both();
    ck_assert_int_eq(net_ping(a.conn, peer_pong, &a), RC_OK);
    ck_assert_int_eq(net_ping(a.conn, peer_pong, &a), RC_LIMIT);
    run_for(100);
    ck_assert(a.pongs == 1 && a.pong_rc == RC_OK && a.pong_ms == 20);
    ck_assert_int_eq(net_ping(a.conn, peer_pong, &a), RC_OK);
    memory_cut(world, a.net, b.net, true);
    run_for(NET_SELECT_MS - 1);
    ck_assert_uint_eq(a.pongs, 1);
    run_for(1);
    ck_assert(a.pongs == 2 && a.pong_rc == RC_TIMEOUT);
    ck_assert_int_eq(net_ping(a.conn, peer_pong, &a), RC_OK);
    net_close(a.conn, NET_BYE, "enough");
    ck_assert(a.pongs == 3 && a.pong_rc == RC_REFUSED);
    end();
}
END_TEST

START_TEST(identify_tells_only_what_is_served)
{
    for (int hides = 0; hides < 2; hides++) {
        begin(6, &fair);
        b.hides = hides;
        a.net = (net_free(a.net), NULL); /* a asks by itself */
        const net_config_t config = {
            .who = a.id.who,
            .events = { .opened = peer_opened, .closed = peer_closed, .identified = peer_identified, .ctx = &a },
            .tell_identify = true
        };
        ck_assert_int_eq(net_new(&a.net, &config), RC_OK);
        ck_assert_int_eq(memory_join(world, a.net), RC_OK);
        connect_both();
        run_for(200);
        ck_assert_uint_eq(a.identified, 1);
        ck_assert_str_eq(a.agent, "kettle-test/1");
        ck_assert_str_eq(a.names, hides ? "/ipfs/id/1.0.0 /ipfs/id/push/1.0.0 /ipfs/ping/1.0.0 " ECHO_NAME " "
                                        : "/ipfs/id/1.0.0 /ipfs/id/push/1.0.0 /ipfs/ping/1.0.0 " ECHO_NAME
                                          " " HIDDEN_NAME " ");
        end();
    }
}
END_TEST

START_TEST(another_peer_than_the_dialled_is_refused)
{
    char text[PEERID_TEXT_MAX + 1], to[200];
    peerid_t id;
    begin(7, &fair);
    peerid_of(&id, &b.id.who.key);
    peerid_text(text, &id);
    snprintf(to, sizeof to, "/ip4/10.0.0.2/udp/4001/quic-v1/p2p/%s", text);
    dial(to);
    run_for(100);
    ck_assert_uint_eq(a.opened, 1);
    dial("/ip4/10.0.0.2/udp/4001/quic-v1/p2p/12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv");
    run_for(100);
    ck_assert(a.opened == 1 && b.opened == 1 && a.closed == 1 && a.closed_rc == RC_REFUSED);
    ck_assert_str_eq(a.closed_text, "another peer answered than the one that was dialled");
    end();
}
END_TEST

START_TEST(nobody_dials_itself)
{
    char text[PEERID_TEXT_MAX + 1], to[200];
    peerid_t id;
    net_conn_t *c;
    begin(8, &fair);
    dial("/ip4/10.0.0.1/udp/4001/quic-v1"); /* its own address, which it does not know as such */
    run_for(100);
    ck_assert(a.opened == 0 && a.closed == 1);
    peerid_of(&id, &a.id.who.key);
    peerid_text(text, &id);
    snprintf(to, sizeof to, "/ip4/10.0.0.2/udp/4001/quic-v1/p2p/%s", text);
    const maddr_t m = maddr(to), circuit = maddr("/ip4/10.0.0.2/tcp/1/p2p-circuit"), name = maddr("/dns4/a.b/tcp/1");
    ck_assert_int_eq(net_dial(a.net, &c, NULL, &m, NULL), RC_REFUSED);
    ck_assert_int_eq(net_dial(a.net, &c, NULL, &circuit, NULL), RC_UNSUPPORTED);
    ck_assert_int_eq(net_dial(a.net, &c, NULL, &name, NULL), RC_UNSUPPORTED);
    ck_assert_int_eq(net_listen(a.net, NULL, &name), RC_UNSUPPORTED);
    end();
}
END_TEST

START_TEST(a_dial_to_nowhere_has_its_time)
{
    begin(9, &fair);
    dial("/ip4/10.0.0.3/udp/4001/quic-v1");
    run_for(NET_HANDSHAKE_MS - 1);
    ck_assert_uint_eq(a.closed, 0);
    run_for(1);
    ck_assert(a.closed == 1 && a.closed_rc == RC_TIMEOUT && !net_first(a.net));
    end();
}
END_TEST

START_TEST(a_silent_peer_is_given_up)
{
    begin(10, &fair);
    connect_both();
    run_for(10 * NET_IDLE_MS); /* kept alive */
    ck_assert(a.closed == 0 && b.closed == 0);
    memory_cut(world, a.net, b.net, true);
    run_for(NET_IDLE_MS / 2);
    memory_cut(world, a.net, b.net, false);
    run_for(NET_IDLE_MS);
    ck_assert(a.closed == 0 && b.closed == 0);
    memory_cut(world, a.net, b.net, true);
    run_for(NET_IDLE_MS + NET_KEEP_ALIVE_MS);
    ck_assert(a.closed == 1 && b.closed == 1 && a.closed_rc == RC_TIMEOUT && b.closed_rc == RC_TIMEOUT);
    end();
}
END_TEST

START_TEST(a_goodbye_has_a_code)
{
    net_stream_t *s;
    begin(11, &fair);
    connect_both();
    ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[0], NULL), RC_OK);
    run_for(100);
    net_close(b.conn, NET_BYE_POLICY, "not admitted any more");
    ck_assert(b.closed == 1 && b.stream_closed == 1);
    ck_assert_str_eq(b.closed_text, "closed by us: not admitted any more");
    run_for(100);
    ck_assert(a.closed == 1 && a.bye == NET_BYE_POLICY && a.stream_closed == 1 && a.stream_rc == RC_REFUSED);
    ck_assert(!net_first(a.net) && !net_first(b.net));
    end();
}
END_TEST

/* A stream that is opened and left so by a peer that says nothing more. */
START_TEST(a_negotiation_has_its_time)
{
    net_stream_t *s;
    begin(12, &fair);
    connect_both();
    ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[0], NULL), RC_OK);
    memory_cut(world, a.net, b.net, true);
    run_for(NET_SELECT_MS);
    ck_assert(a.stream_closed == 1 && a.stream_rc == RC_TIMEOUT && net_is_open(a.conn));
    end();
}
END_TEST

START_TEST(streams_have_a_maximum)
{
    net_stream_t *s;
    begin(13, &fair);
    connect_both();
    for (unsigned i = 0; i < NET_STREAMS_MAX; i++)
        ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[0], NULL), RC_OK);
    ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[0], NULL), RC_LIMIT);
    run_for(1000);
    ck_assert_uint_eq(a.stream_opened, NET_STREAMS_MAX);
    ck_assert_int_eq(net_open(b.conn, &s, &b.protocols[0], NULL), RC_LIMIT);
    net_reset(s); /* the last of a's */
    run_for(100);
    ck_assert(a.stream_closed == 1 && b.stream_closed == 1 && b.stream_rc == RC_REFUSED);
    ck_assert_int_eq(net_open(b.conn, &s, &b.protocols[0], NULL), RC_OK);
    end();
}
END_TEST

/* Whatever the seed delays and loses, bytes come whole and in order. */
START_TEST(bytes_come_whole_under_any_seed)
{
    const memory_faults_t foul = {
        .delay_min_ms = 1, .delay_max_ms = 400, .loss_per_mille = 100, .dial_fail_per_mille = 200
    };
    static uint8_t bytes[3][20000];
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < sizeof bytes[i]; k++)
            bytes[i][k] = (uint8_t)(i + k * 13 + k / 255);
    for (uint64_t seed = 1; seed <= 100; seed++) {
        net_stream_t *s;
        begin(seed, &foul);
        for (int tries = 0; tries < 50 && !a.opened; tries++) {
            dial("/ip4/10.0.0.2/udp/4001/quic-v1");
            run_for(NET_HANDSHAKE_MS);
        }
        ck_assert_msg(a.opened == 1, "seed %d", (int)seed);
        for (size_t i = 0; i < 3; i++) {
            a.got_n = 0;
            a.stream_closed = 0;
            ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[0], NULL), RC_OK);
            for (size_t at = 0; at < sizeof bytes[i]; at += 500)
                ck_assert_int_eq(net_write(s, view_of(bytes[i] + at, 500)), RC_OK);
            net_end(s);
            run_for(9000);
            if (a.stream_closed && a.stream_rc == RC_TIMEOUT)
                continue; /* ten losses in a row: so it says */
            ck_assert_msg(a.got_n == sizeof bytes[i] && memcmp(a.got, bytes[i], a.got_n) == 0,
                          "seed %d, stream %zu: %zu", (int)seed, i, a.got_n);
        }
        end();
    }
}
END_TEST

START_TEST(a_stream_goes_on_when_a_cut_is_healed)
{
    static uint8_t bytes[300000];
    net_stream_t *s;
    begin(16, &(memory_faults_t){ .delay_min_ms = 5, .delay_max_ms = 50, .loss_per_mille = 20 });
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    dial("/ip4/10.0.0.2/udp/4001/quic-v1");
    run_for(4000);
    ck_assert_int_eq(net_open(a.conn, &s, &a.protocols[0], NULL), RC_OK);
    ck_assert_int_eq(net_write(s, view_of(bytes, sizeof bytes)), RC_OK);
    net_end(s);
    run_for(120);
    for (int i = 0; i < 5; i++) {
        memory_cut(world, a.net, b.net, true);
        run_for(3000);
        memory_cut(world, a.net, b.net, false);
        run_for(100);
    }
    run_for(20000);
    ck_assert_uint_eq(a.got_n, sizeof bytes);
    ck_assert_mem_eq(a.got, bytes, sizeof bytes);
    ck_assert(a.stream_closed == 1 && a.stream_rc == RC_OK);
    end();
}
END_TEST

START_TEST(the_same_seed_gives_the_same_course)
{
    const memory_faults_t foul = {
        .delay_min_ms = 1, .delay_max_ms = 300, .loss_per_mille = 200, .dial_fail_per_mille = 300
    };
    uint64_t first[2] = { 0 };
    for (int i = 0; i < 2; i++) {
        begin(77, &foul);
        while (!a.opened) {
            dial("/ip4/10.0.0.2/udp/4001/quic-v1");
            run_for(1000);
        }
        ck_assert_int_eq(net_ping(a.conn, peer_pong, &a), RC_OK);
        run_for(20000);
        first[i] = memory_now(world) * 1000000 + a.pong_ms;
        end();
    }
    ck_assert_uint_eq(first[0], first[1]);
}
END_TEST

START_TEST(handshakes_of_one_address_have_a_maximum)
{
    begin(14, &fair);
    for (unsigned i = 0; i < NET_PENDING_PER_IP + 3; i++)
        dial("/ip4/10.0.0.2/udp/4001/quic-v1");
    run_for(15); /* HELLO came, FINISH did not */
    unsigned n = 0;
    for (net_conn_t *c = net_first(b.net); c; c = net_after(c))
        n++;
    ck_assert_uint_eq(n, NET_PENDING_PER_IP);
    run_for(10000);
    ck_assert_uint_eq(b.opened, NET_PENDING_PER_IP);
    ck_assert_uint_eq(a.closed, 3);
    end();
}
END_TEST

START_TEST(a_node_that_loses_power_is_noticed_by_silence)
{
    begin(15, &fair);
    connect_both();
    memory_leave(world, b.net);
    run_for(NET_IDLE_MS + NET_KEEP_ALIVE_MS);
    ck_assert(a.closed == 1 && a.closed_rc == RC_TIMEOUT);
    end();
}
END_TEST

static void close_in_opened(void *ctx, net_stream_t *s)
{
    (void)ctx;
    net_close(net_conn_of(s), NET_BYE_POLICY, "in a callback");
}

START_TEST(a_callback_may_close_its_connection)
{
    net_stream_t *s;
    begin(16, &fair);
    connect_both();
    net_protocol_t closes = a.protocols[0];
    closes.opened = close_in_opened;
    ck_assert_int_eq(net_open(a.conn, &s, &closes, NULL), RC_OK);
    ck_assert_int_eq(net_write(s, view_str("whose echo comes with the agreement")), RC_OK);
    run_for(100);
    ck_assert(a.closed == 1 && b.closed == 1 && b.bye == NET_BYE_POLICY && a.stream_closed == 1);
    end();
}
END_TEST

START_TEST(too_many_protocols_are_refused)
{
    static net_protocol_t many[NET_PROTOCOLS_MAX + 1];
    net_t *n;
    wire_id_t id;
    wire_ed25519(&id, "x");
    const net_config_t config = { .who = id.who, .protocols = many, .protocol_count = NET_PROTOCOLS_MAX + 1 };
    ck_assert_int_eq(net_new(&n, &config), RC_LIMIT);
    net_free(NULL);
}
END_TEST

int main(void)
{
    return UNIT_RUN("net", a_dial_opens_both_ends_the_listener_first, streams_carry_bytes_both_ways_and_end,
                    what_waits_has_a_maximum_and_says_when_it_left, a_protocol_that_is_not_served_is_refused,
                    pings_are_answered_one_at_a_time, identify_tells_only_what_is_served,
                    another_peer_than_the_dialled_is_refused, nobody_dials_itself, a_dial_to_nowhere_has_its_time,
                    a_silent_peer_is_given_up, a_goodbye_has_a_code, a_negotiation_has_its_time, streams_have_a_maximum,
                    bytes_come_whole_under_any_seed, a_stream_goes_on_when_a_cut_is_healed,
                    the_same_seed_gives_the_same_course, handshakes_of_one_address_have_a_maximum,
                    a_node_that_loses_power_is_noticed_by_silence, a_callback_may_close_its_connection,
                    too_many_protocols_are_refused);
}
