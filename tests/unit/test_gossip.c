/* Gossip over the network in memory: who learns of whom, and what is refused. */
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/gossip.h"
#include "overlay/net/memory.h"
#include "overlay/wire/proto.h"
#include "tests/unit/unit.h"
#include "tests/unit/wire_id.h"

#define NODES 4

typedef struct {
    wire_id_t id;
    net_t *net;
    gossip_t *gossip;
    net_protocol_t protocol;
    unsigned learned;
    record_t last;
    net_conn_t *from; /* who told it */
} node_t;

static memory_t *world;
static node_t nodes[NODES];

static void random_bytes(void *ctx, void *out, size_t n)
{
    (void)ctx;
    secret_random(out, n);
}

static void on_learned(void *ctx, const record_t *r, net_conn_t *from)
{
    node_t *x = ctx;
    x->learned++;
    x->last = *r;
    x->from = from;
}

static void on_opened(void *ctx, net_conn_t *c)
{
    gossip_opened(((node_t *)ctx)->gossip, c);
}

static void on_closed(void *ctx, net_conn_t *c, const err_t *why)
{
    (void)why;
    gossip_closed(((node_t *)ctx)->gossip, c);
}

static maddr_t addr_of(const char *format, unsigned i)
{
    char text[100];
    maddr_t m;
    snprintf(text, sizeof text, format, i);
    ck_assert_int_eq(maddr_read_text(&m, NULL, view_str(text)), RC_OK);
    return m;
}

static void begin(const char *format)
{
    static const memory_faults_t fair = { .delay_min_ms = 10, .delay_max_ms = 10 };
    ck_assert_int_eq(secret_init(), RC_OK);
    ck_assert_int_eq(memory_new(&world, 1, &fair), RC_OK);
    for (unsigned i = 0; i < NODES; i++) {
        node_t *x = &nodes[i];
        char word[8];
        *x = (node_t){ 0 };
        snprintf(word, sizeof word, "n%u", i);
        wire_secp256k1(&x->id, word);
        const gossip_config_t config = { x->id.who, random_bytes, on_learned, x };
        ck_assert_int_eq(gossip_new(&x->gossip, &config), RC_OK);
        gossip_protocol(x->gossip, &x->protocol);
        const net_config_t net = { .who = x->id.who,
                                   .events = { .opened = on_opened, .closed = on_closed, .ctx = x },
                                   .protocols = &x->protocol,
                                   .protocol_count = 1 };
        const maddr_t at = addr_of(format, i + 1);
        ck_assert_int_eq(net_new(&x->net, &net), RC_OK);
        ck_assert_int_eq(memory_join(world, x->net), RC_OK);
        ck_assert_int_eq(net_listen(x->net, NULL, &at), RC_OK);
        ck_assert_int_eq(gossip_announce(x->gossip, &at, 1, 1), RC_OK);
    }
}

static void end(void)
{
    for (unsigned i = 0; i < NODES; i++) {
        net_free(nodes[i].net);
        gossip_free(nodes[i].gossip);
        wire_id_clear(&nodes[i].id);
    }
    memory_free(world);
}

static void connect_nodes(unsigned from, unsigned to)
{
    net_conn_t *c;
    size_t n;
    const maddr_t at = *net_listening(nodes[to].net, &n);
    ck_assert_int_eq(net_dial(nodes[from].net, &c, NULL, &at, NULL), RC_OK);
}

static void run_for(uint64_t ms, uint64_t round_ms)
{
    for (const uint64_t until = memory_now(world) + ms; memory_now(world) < until;) {
        for (unsigned i = 0; i < NODES; i++)
            (void)gossip_turn(nodes[i].gossip, memory_now(world));
        memory_run(world, memory_now(world) + round_ms);
    }
}

START_TEST(records_go_round)
{
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    for (unsigned i = 0; i + 1 < NODES; i++) /* a chain: nobody but its neighbours knows of a node */
        connect_nodes(i, i + 1);
    run_for(200, 10);
    ck_assert_uint_ge(gossip_count(nodes[0].gossip), 1);
    run_for(NODES * GOSSIP_ASK_MS * 6 / 5, 1000);
    for (unsigned i = 0; i < NODES; i++) {
        ck_assert_uint_eq(gossip_count(nodes[i].gossip), NODES - 1);
        ck_assert_uint_eq(nodes[i].learned, NODES - 1);
        ck_assert_uint_eq(gossip_refused(nodes[i].gossip), 0);
    }
    const maddr_t moved = addr_of("/ip4/9.9.9.%u/tcp/1", 9);
    ck_assert_int_eq(gossip_announce(nodes[3].gossip, &moved, 1, 2), RC_OK);
    run_for(NODES * GOSSIP_ASK_MS * 6 / 5, 1000);
    ck_assert_uint_eq(nodes[0].learned, NODES);
    ck_assert(nodes[0].last.seq == 2 && nodes[0].last.addr_count == 1 && maddr_eq(&nodes[0].last.addrs[0], &moved));
    ck_assert_int_eq(gossip_announce(nodes[3].gossip, &moved, 1, 1), RC_OK); /* an old one moves nobody */
    run_for(NODES * GOSSIP_ASK_MS * 6 / 5, 1000);
    ck_assert_uint_eq(nodes[0].learned, NODES);
    end();
}
END_TEST

START_TEST(private_addresses_stay_on_their_side)
{
    const maddr_t at = addr_of("/ip4/10.0.0.%u/tcp/4001", 9);
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    ck_assert_int_eq(gossip_announce(nodes[1].gossip, &at, 1, 5), RC_OK);
    connect_nodes(0, 1);
    run_for(2 * GOSSIP_ASK_MS, 1000);
    ck_assert(gossip_count(nodes[0].gossip) == 0 && nodes[0].learned == 0 && gossip_count(nodes[1].gossip) == 1);
    end();
    begin("/ip4/10.0.0.%u/udp/4001/quic-v1"); /* among themselves they are told */
    connect_nodes(0, 1);
    run_for(2 * GOSSIP_ASK_MS, 1000);
    ck_assert(nodes[0].learned == 1 && nodes[1].learned == 1);
    end();
}
END_TEST

START_TEST(records_that_nobody_repeats_are_forgotten)
{
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    connect_nodes(0, 1);
    run_for(1000, 10);
    ck_assert_uint_eq(gossip_count(nodes[0].gossip), 1);
    run_for(GOSSIP_LIFE_MS + GOSSIP_ASK_MS, 60000); /* it is heard again and again */
    ck_assert_uint_eq(gossip_count(nodes[0].gossip), 1);
    net_close(net_first(nodes[0].net), NET_BYE, "enough");
    run_for(GOSSIP_LIFE_MS - GOSSIP_ASK_MS * 2, 60000);
    ck_assert_uint_eq(gossip_count(nodes[0].gossip), 1);
    run_for(GOSSIP_ASK_MS * 3, 60000);
    ck_assert_uint_eq(gossip_count(nodes[0].gossip), 0);
    end();
}
END_TEST

/* ---- a peer that lies: it answers with what the test says ---- */

static uint8_t lie[GOSSIP_MESSAGE_MAX + 100];
static size_t lie_n;

static void answer_lie(void *ctx, net_stream_t *s, view_t bytes)
{
    (void)ctx;
    net_consumed(s, bytes.n);
    if (!net_write(s, view_of(lie, lie_n)))
        net_end(s);
}

/* What node 0 makes of the answer. */
static void hear_lie(void)
{
    nodes[1].protocol.data = answer_lie; /* of the configuration: it was copied */
    net_free(nodes[1].net);
    const net_config_t net = {
        .who = nodes[1].id.who, .protocols = &nodes[1].protocol, .protocol_count = 1, .events = { 0 }
    };
    const maddr_t at = addr_of("/ip4/8.8.4.%u/udp/4001/quic-v1", 4);
    ck_assert_int_eq(net_new(&nodes[1].net, &net), RC_OK);
    ck_assert_int_eq(memory_join(world, nodes[1].net), RC_OK);
    ck_assert_int_eq(net_listen(nodes[1].net, NULL, &at), RC_OK);
    nodes[1].protocol.closed = NULL;
    connect_nodes(0, 1);
    run_for(300, 10);
}

static size_t record_of(uint8_t *out, unsigned node, uint64_t seq)
{
    record_t r = { .seq = seq, .addr_count = 1 };
    wr_t w = wr_of(out, ENVELOPE_MAX);
    r.addrs[0] = addr_of("/ip4/7.7.7.%u/tcp/1", node + 1);
    ck_assert_int_eq(record_write(&w, &nodes[node].id.who, &r), RC_OK);
    return w.n;
}

START_TEST(forged_records_and_our_own_are_not_taken)
{
    uint8_t r[ENVELOPE_MAX];
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    wr_t w = wr_of(lie, sizeof lie);
    size_t n = record_of(r, 2, 7);
    for (size_t i = 0; i < n && i < 60; i++) { /* each byte of it changed */
        r[n - 1 - i] ^= 1;
        pb_put_bytes(&w, 1, view_of(r, n));
        r[n - 1 - i] ^= 1;
    }
    n = record_of(r, 0, 99);
    pb_put_bytes(&w, 1, view_of(r, n)); /* the hearer's own */
    n = record_of(r, 3, 1);
    pb_put_bytes(&w, 1, view_of(r, n));
    pb_delimit(&w, 0);
    lie_n = w.n;
    hear_lie();
    ck_assert_uint_eq(gossip_refused(nodes[0].gossip), 60);
    ck_assert(nodes[0].learned == 1 && gossip_count(nodes[0].gossip) == 1);
    peerid_t id;
    peerid_of(&id, &nodes[3].id.who.key);
    ck_assert(peerid_eq(&nodes[0].last.id, &id));
    end();
}
END_TEST

START_TEST(answers_have_a_maximum)
{
    uint8_t r[ENVELOPE_MAX];
    for (int over = 0; over < 2; over++) {
        begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
        wr_t w = wr_of(lie, sizeof lie);
        size_t n = record_of(r, 3, 1);
        for (unsigned i = 0; i < GOSSIP_RECORDS_MAX + (unsigned)over; i++)
            pb_put_bytes(&w, 1, view_of(r, n));
        pb_delimit(&w, 0);
        lie_n = w.n;
        hear_lie();
        ck_assert_uint_eq(nodes[0].learned, over ? 0u : 1u);
        end();
    }
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    wr_t w = wr_of(lie, sizeof lie);
    wr_bytes(&w, "\x81\x80\x08", 3); /* a length of 128 KiB and one byte */
    memset(lie + 3, 0, sizeof lie - 3);
    lie_n = sizeof lie;
    hear_lie();
    ck_assert_uint_eq(nodes[0].learned, 0);
    end();
}
END_TEST

START_TEST(an_answer_is_read_whole_or_not_at_all)
{
    const uint8_t m[] = { 0x0a, 3, 'a', 'b', 'c', 0x0a, 0, 0x10, 5 };
    view_t out[GOSSIP_RECORDS_MAX];
    size_t n;
    for (size_t cut = 0; cut <= sizeof m; cut++) {
        uint8_t *p = wire_exact(view_of(m, cut));
        n = 99;
        const bool whole = cut == 0 || cut == 5 || cut == 7 || cut == 9;
        ck_assert_int_eq(gossip_read(out, &n, view_of(p, cut)), whole ? RC_OK : RC_MALFORMED);
        ck_assert_uint_eq(n, whole ? (cut >= 7 ? 2u : cut / 5) : 99u);
        free(p);
    }
    gossip_free(NULL);
}
END_TEST

/* Asks over and over on one connection: only the first question is answered with records. */
START_TEST(who_asks_too_often_hears_nothing)
{
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    connect_nodes(0, 1);
    run_for(200, 10);
    ck_assert_uint_eq(nodes[0].learned, 1);
    connect_nodes(2, 1);
    run_for(200, 10);
    net_conn_t *c = net_first(nodes[0].net);
    gossip_closed(nodes[0].gossip, c); /* forgets when it has asked */
    gossip_opened(nodes[0].gossip, c);
    run_for(200, 10);
    ck_assert_uint_eq(nodes[0].learned, 1);
    run_for(GOSSIP_ANSWER_MS, 1000);
    gossip_closed(nodes[0].gossip, c);
    gossip_opened(nodes[0].gossip, c);
    run_for(200, 10);
    ck_assert_uint_eq(nodes[0].learned, 2);
    end();
}
END_TEST

/* A new record of our own goes out at once, but not as often as its owner likes. */
START_TEST(a_new_record_of_our_own_is_told_unasked)
{
    const maddr_t moved = addr_of("/ip4/9.9.9.%u/tcp/1", 9), again = addr_of("/ip4/9.9.9.%u/tcp/1", 8);
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    connect_nodes(0, 1);
    run_for(2 * GOSSIP_TOLD_MS, 10);
    ck_assert(nodes[0].learned == 1 && nodes[1].learned == 1);
    ck_assert_int_eq(gossip_announce(nodes[1].gossip, &moved, 1, 2), RC_OK);
    run_for(100, 10);
    ck_assert(nodes[0].learned == 2 && maddr_eq(&nodes[0].last.addrs[0], &moved));
    ck_assert_int_eq(gossip_announce(nodes[1].gossip, &again, 1, 3), RC_OK);
    run_for(100, 10);
    ck_assert_uint_eq(nodes[0].learned, 2); /* too soon: the next answer has it */
    run_for(GOSSIP_ASK_MS * 6 / 5, 1000);
    ck_assert(nodes[0].learned == 3 && maddr_eq(&nodes[0].last.addrs[0], &again));
    end();
}
END_TEST

static bool serves_nobody(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    (void)c, (void)p;
    return memory_now(world) > 3000 || ctx != &nodes[1];
}

/* One end is served before the other is: it is asked and told again soon. */
START_TEST(who_does_not_serve_yet_is_asked_again_soon)
{
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    net_free(nodes[1].net);
    const net_config_t net = { .who = nodes[1].id.who,
                               .events = { .closed = on_closed, .serves = serves_nobody, .ctx = &nodes[1] },
                               .protocols = &nodes[1].protocol,
                               .protocol_count = 1 };
    const maddr_t at = addr_of("/ip4/8.8.8.%u/udp/4001/quic-v1", 2);
    ck_assert_int_eq(net_new(&nodes[1].net, &net), RC_OK);
    ck_assert_int_eq(memory_join(world, nodes[1].net), RC_OK);
    ck_assert_int_eq(net_listen(nodes[1].net, NULL, &at), RC_OK);
    connect_nodes(0, 1);
    gossip_t *g = nodes[1].gossip;
    run_for(3000, 10);
    ck_assert(nodes[0].learned == 0 && gossip_count(g) == 0);
    gossip_opened(g, net_first(nodes[1].net));
    run_for(5000, 10);
    ck_assert(nodes[0].learned == 1 && gossip_count(g) == 1);
    end();
}
END_TEST

/* Node 0 has no slot for node 3, and tells it of node 1. */
START_TEST(who_finds_no_slot_is_told_of_others_and_keeps_nothing)
{
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    connect_nodes(0, 1);
    run_for(200, 10);
    connect_nodes(3, 0);
    memory_run(world, memory_now(world) + 100);
    net_conn_t *to = NULL, *of = net_first(nodes[3].net);
    for (net_conn_t *c = net_first(nodes[0].net); c; c = net_after(c))
        if (peerid_eq(net_peer(c), net_self(nodes[3].net)))
            to = c;
    ck_assert_ptr_nonnull(to);
    gossip_closed(nodes[0].gossip, to); /* neither end serves the other */
    gossip_closed(nodes[3].gossip, of);
    const unsigned before = nodes[3].learned;
    ck_assert(gossip_redirect(nodes[0].gossip, to));
    memory_run(world, memory_now(world) + 100);
    ck_assert_uint_eq(nodes[3].learned, before + 1);
    ck_assert(peerid_eq(&nodes[3].last.id, net_self(nodes[1].net)) && nodes[3].from == of);
    ck_assert_uint_eq(gossip_count(nodes[3].gossip), 0);
    ck_assert(!gossip_redirect(nodes[2].gossip, to)); /* it knows of nobody */
    end();
}
END_TEST

START_TEST(what_is_told_unasked_has_a_maximum)
{
    for (unsigned over = 0; over < 2; over++) {
        uint8_t r[ENVELOPE_MAX], told[2048];
        begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
        connect_nodes(0, 1);
        run_for(2 * GOSSIP_TOLD_MS, 10);
        wr_t w = wr_of(told, sizeof told);
        const size_t n = record_of(r, 3, 1);
        for (unsigned i = 0; i < GOSSIP_TOLD_MAX + over; i++)
            pb_put_bytes(&w, 1, view_of(r, n));
        pb_delimit(&w, 0);
        net_stream_t *s;
        ck_assert_int_eq(net_open(net_first(nodes[1].net), &s, &nodes[1].protocol, NULL), RC_OK);
        ck_assert_int_eq(net_write(s, wr_view(&w)), RC_OK);
        net_end(s);
        run_for(100, 10);
        ck_assert_uint_eq(gossip_count(nodes[0].gossip), over ? 1 : 2);
        end();
    }
}
END_TEST

static uint8_t kept[NODES][ENVELOPE_MAX];
static size_t kept_n[NODES], kept_count;

static void keep_envelope(void *ctx, view_t envelope)
{
    (void)ctx;
    memcpy(kept[kept_count], envelope.p, kept_n[kept_count] = envelope.n);
    kept_count++;
}

START_TEST(records_outlive_a_restart_and_are_verified_again)
{
    begin("/ip4/8.8.8.%u/udp/4001/quic-v1");
    connect_nodes(0, 1);
    connect_nodes(0, 2);
    run_for(200, 10);
    const uint64_t changes = gossip_changes(nodes[0].gossip);
    gossip_each(nodes[0].gossip, keep_envelope, NULL);
    ck_assert(kept_count == 2 && changes == 2);
    for (size_t i = 0; i < kept_n[0]; i++) { /* a disk that changes any byte of it */
        kept[0][i] ^= 1;
        ck_assert_int_ne(gossip_restore(nodes[3].gossip, view_of(kept[0], kept_n[0])), RC_OK);
        kept[0][i] ^= 1;
    }
    for (size_t i = 0; i < kept_count; i++)
        ck_assert_int_eq(gossip_restore(nodes[3].gossip, view_of(kept[i], kept_n[i])), RC_OK);
    ck_assert(gossip_count(nodes[3].gossip) == 2 && nodes[3].learned == 2 && !nodes[3].from);
    end();
}
END_TEST

int main(void)
{
    return UNIT_RUN("gossip", records_go_round, private_addresses_stay_on_their_side,
                    records_that_nobody_repeats_are_forgotten, forged_records_and_our_own_are_not_taken,
                    answers_have_a_maximum, an_answer_is_read_whole_or_not_at_all, who_asks_too_often_hears_nothing,
                    who_does_not_serve_yet_is_asked_again_soon, a_new_record_of_our_own_is_told_unasked,
                    who_finds_no_slot_is_told_of_others_and_keeps_nothing, what_is_told_unasked_has_a_maximum,
                    records_outlive_a_restart_and_are_verified_again);
}
