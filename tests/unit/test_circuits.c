/* Circuits through a relay, on a network in memory: both ways, sealed from the relay, given up for a direct connection,
 * over with the relay; who is refused. */
#include "overlay/circuits.h"
#include "overlay/net/memory.h"
#include "overlay/peers.h"
#include "tests/unit/net_pair.h"

#define SECRET "nobody but the two ends reads this line"

/* A node with circuits. */
typedef struct {
    peer_t peer;
    circuits_t *circuits;
    peers_t *peers; /* NULL: nobody is dialled again, and two connections stay two */
    net_protocol_t protocols[2 + CIRCUITS_PROTOCOLS], inner[CIRCUITS_PROTOCOLS];
    bool stranger; /* to everybody */
    bool leaked;   /* SECRET went by in clear */
    bool spoils;   /* as a relay: changes a byte of all that it is to hand on */
    bool swaps;    /* joins a whoever was asked for */
    uint64_t seen; /* bytes of circuits */
    unsigned changes;
} node_t;

static memory_t *world;
static node_t r, a, b;

static bool is_peer(void *ctx, net_conn_t *c)
{
    (void)c;
    return !((node_t *)ctx)->stranger;
}

static int64_t now_s(void *ctx)
{
    (void)ctx;
    return 1700000000 + (int64_t)(memory_now(world) / 1000);
}

static void changed(void *ctx)
{
    ((node_t *)ctx)->changes++;
}

static void draw(void *ctx, void *out, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)memory_random(world);
}

static void opened(void *ctx, net_conn_t *c)
{
    node_t *n = ctx;
    peer_opened(&n->peer, c);
    if (!n->peers || peers_opened(n->peers, c))
        circuits_peer(n->circuits, c);
}

static void closed(void *ctx, net_conn_t *c, const err_t *why)
{
    node_t *n = ctx;
    peer_closed(&n->peer, c, why);
    circuits_closed(n->circuits, c);
    if (n->peers)
        peers_closed(n->peers, c, why);
}

static bool serves(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    const node_t *n = ctx;
    return !circuits_is(p) || circuits_serves(n->circuits, c, p);
}

/* What a relay could read of who asked for a circuit: what it says, and what it sends back. */
static void spy(void *ctx, net_stream_t *s, view_t bytes)
{
    r.seen += bytes.n;
    r.leaked |= memmem(bytes.p, bytes.n, SECRET, 16) != NULL;
    uint8_t other[256];
    wr_t w = wr_of(other, sizeof other);
    if (r.swaps) {
        r.swaps = false;
        circuit_write(&w, CIRCUIT_HOP, &(circuit_message_t){ .type = CIRCUIT_CONNECT, .peer = *net_self(a.peer.net) });
    } else if (r.spoils) {
        wr_bytes(&w, bytes.p, bytes.n);
        if (!w.bad && w.n)
            other[w.n - 1] ^= 1;
    }
    r.inner[0].data(ctx, s, w.n ? wr_view(&w) : bytes);
}

static void node_new(node_t *n, const char *word, bool is_relay, bool uses, bool keeps_one)
{
    peer_t *p = &n->peer;
    *n = (node_t){ .peer = { .net = NULL } };
    peer_new(p, word, true);
    net_free(p->net); /* one with more protocols is made */
    const circuits_config_t c = { .who = p->id.who,
                                  .serves = is_relay,
                                  .uses = uses,
                                  .is_peer = is_peer,
                                  .now_s = now_s,
                                  .changed = changed,
                                  .ctx = n };
    ck_assert_int_eq(circuits_new(&n->circuits, &c), RC_OK);
    memcpy(n->protocols, p->protocols, sizeof p->protocols);
    circuits_protocols(n->circuits, n->inner);
    memcpy(n->protocols + 2, n->inner, sizeof n->inner);
    if (is_relay)
        n->protocols[2].data = spy;
    const net_config_t config = { .who = p->id.who,
                                  .agent = "kettle-test/1",
                                  .events = { .opened = opened, .closed = closed, .serves = serves, .ctx = n },
                                  .protocols = n->protocols,
                                  .protocol_count = 2 + CIRCUITS_PROTOCOLS };
    ck_assert_int_eq(net_new(&p->net, &config), RC_OK);
    ck_assert_int_eq(memory_join(world, p->net), RC_OK);
    ck_assert_int_eq(circuits_bind(n->circuits, p->net), RC_OK);
    if (keeps_one) {
        ck_assert_int_eq(peers_new(&n->peers, &(peers_config_t){ .random = draw }), RC_OK);
        peers_bind(n->peers, p->net);
    }
}

static void run_for(uint64_t ms)
{
    node_t *nodes[] = { &r, &a, &b };
    for (uint64_t until = memory_now(world) + ms; memory_now(world) < until;) {
        memory_run(world, memory_now(world) + 10);
        for (size_t i = 0; i < 3; i++) {
            (void)circuits_turn(nodes[i]->circuits, memory_now(world));
            if (nodes[i]->peers)
                (void)peers_turn(nodes[i]->peers, memory_now(world));
        }
    }
}

static net_conn_t *dial(node_t *from, const maddr_t *to)
{
    net_conn_t *c;
    err_t e;
    ck_assert_msg(net_dial(from->peer.net, &c, &e, to, NULL) == RC_OK, "%s", e.text);
    return c;
}

/* A relay; who is reached through it, having dialled it; and who is to reach that, likewise. */
static void begin(bool keep_one)
{
    const memory_faults_t fair = { .delay_min_ms = 10, .delay_max_ms = 10 };
    const maddr_t at = maddr("/ip4/192.0.2.1/tcp/4001"), of_a = maddr("/ip4/192.0.2.2/tcp/4001");
    ck_assert_int_eq(secret_init(), RC_OK);
    ck_assert_int_eq(memory_new(&world, 7, &fair), RC_OK);
    node_new(&r, "relay", true, false, keep_one);
    node_new(&a, "inside", false, true, keep_one);
    node_new(&b, "outside", false, false, keep_one);
    ck_assert_int_eq(net_listen(r.peer.net, NULL, &at), RC_OK);
    ck_assert_int_eq(net_listen(a.peer.net, NULL, &of_a), RC_OK);
    (void)dial(&a, &at);
    (void)dial(&b, &at);
    run_for(500);
    ck_assert(r.peer.opened == 2 && a.peer.opened == 1 && b.peer.opened == 1);
}

static void end(void)
{
    node_t *nodes[] = { &r, &a, &b };
    for (size_t i = 0; i < 3; i++) {
        peer_clear(&nodes[i]->peer);
        circuits_free(nodes[i]->circuits);
        peers_free(nodes[i]->peers);
    }
    memory_free(world);
}

static maddr_t way_to_a(void)
{
    maddr_t m[4];
    ck_assert_uint_eq(circuits_addrs(a.circuits, m, 4), 1);
    ck_assert(m[0].circuit && peerid_eq(&m[0].peer, net_self(r.peer.net)) &&
              peerid_eq(&m[0].target, net_self(a.peer.net)));
    return m[0];
}

static net_conn_t *connect_through(void)
{
    const maddr_t to = way_to_a();
    net_conn_t *c = dial(&b, &to);
    run_for(500);
    ck_assert_msg(net_is_open(c), "%s", b.peer.closed_text);
    ck_assert(b.peer.opened == 2 && a.peer.opened == 2);
    return c;
}

static void echo(node_t *from, net_conn_t *over, const char *text)
{
    net_stream_t *s;
    const size_t before = from->peer.got_n;
    ck_assert_int_eq(net_open(over, &s, &from->protocols[0], NULL), RC_OK);
    ck_assert_int_eq(net_write(s, view_str(text)), RC_OK);
    net_end(s);
    run_for(500);
    ck_assert_uint_eq(from->peer.got_n, before + strlen(text));
    ck_assert_mem_eq(from->peer.got + before, text, strlen(text));
}

static unsigned circuits_now(void)
{
    relay_count_t n;
    size_t places;
    circuits_counts(r.circuits, &n, &places);
    return n.circuits;
}

START_TEST(who_cannot_be_dialled_is_reached_through_a_relay_that_reads_nothing)
{
    begin(false);
    net_conn_t *c = connect_through();
    ck_assert(a.changes == 1 && circuits_now() == 1);
    ck_assert(peerid_eq(net_peer(c), net_self(a.peer.net)) && peerid_eq(net_peer(a.peer.conn), net_self(b.peer.net)));
    ck_assert(net_addr(c)->circuit && peerid_eq(&net_addr(c)->peer, net_self(r.peer.net)));
    ck_assert(net_addr(a.peer.conn)->circuit && !net_dialled(a.peer.conn));
    echo(&b, c, SECRET);
    echo(&a, a.peer.conn, SECRET);
    ck_assert(r.seen > 400 && !r.leaked);
    uint8_t ex[2][32];
    hash32_t context = { { 1 } }, keys[4];
    ck_assert(net_exporter(c, ex[0], "label", &context) == RC_OK &&
              net_exporter(a.peer.conn, ex[1], "label", &context) == RC_OK);
    ck_assert_mem_eq(ex[0], ex[1], 32); /* attestation binds the inner channel */
    net_channel_keys(c, &keys[0], &keys[1]);
    net_channel_keys(a.peer.conn, &keys[2], &keys[3]);
    ck_assert(hash32_eq(&keys[0], &keys[3]) && hash32_eq(&keys[1], &keys[2]));
    end();
}
END_TEST

START_TEST(much_goes_through_without_filling_the_relay)
{
    static uint8_t bytes[300000]; /* more than a window */
    net_stream_t *s;
    begin(false);
    net_conn_t *c = connect_through();
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    ck_assert_int_eq(net_open(c, &s, &b.protocols[0], NULL), RC_OK);
    for (unsigned i = 0; i < 2; i++) {
        while (net_room(s) < sizeof bytes)
            run_for(10);
        ck_assert_int_eq(net_write(s, view_of(bytes, sizeof bytes)), RC_OK);
    }
    net_end(s);
    for (unsigned i = 0; i < 1000 && b.peer.got_n < 2 * sizeof bytes; i++)
        run_for(10);
    ck_assert_uint_eq(b.peer.got_n, 2 * sizeof bytes);
    for (size_t i = 0; i < 2; i++)
        ck_assert_mem_eq(b.peer.got + i * sizeof bytes, bytes, sizeof bytes);
    end();
}
END_TEST

START_TEST(a_connection_says_goodbye_through_the_relay)
{
    begin(false);
    net_close(connect_through(), NET_BYE_POLICY, "enough");
    run_for(500);
    ck_assert(a.peer.closed == 1 && a.peer.bye == NET_BYE_POLICY && b.peer.closed == 1);
    ck_assert_uint_eq(circuits_now(), 0);
    echo(&b, net_first(b.peer.net), "the connection to the relay goes on");
    end();
}
END_TEST

START_TEST(a_circuit_ends_with_either_connection_to_the_relay)
{
    for (unsigned i = 0; i < 3; i++) {
        begin(false);
        (void)connect_through();
        if (i == 2) {
            for (net_conn_t *c = net_first(r.peer.net); c; c = net_after(c))
                net_close(c, NET_BYE_SHUTDOWN, "the relay ends");
        } else {
            net_close(net_first(i ? a.peer.net : b.peer.net), NET_BYE, "off");
        }
        run_for(500);
        ck_assert_uint_eq(a.peer.closed + b.peer.closed, i == 2 ? 4 : 3);
        if (i == 1) { /* whose place is gone with it */
            maddr_t m[4];
            ck_assert_uint_eq(circuits_addrs(a.circuits, m, 4), 0);
            ck_assert_uint_eq(a.changes, 2);
        }
        end();
    }
}
END_TEST

/* Dials what comes to nothing; says why it ended. */
static const char *comes_to_nothing(const maddr_t *to)
{
    net_conn_t *c;
    err_t e;
    if (net_dial(b.peer.net, &c, &e, to, NULL)) {
        snprintf(b.peer.closed_text, sizeof b.peer.closed_text, "%s", e.text);
        return b.peer.closed_text;
    }
    run_for(NET_HANDSHAKE_MS + 1000);
    ck_assert_uint_eq(b.peer.closed, 1);
    return b.peer.closed_text;
}

START_TEST(what_a_relay_refuses_comes_back_with_its_status)
{
    begin(false);
    maddr_t to = way_to_a();
    wire_id_t other;
    wire_secp256k1(&other, "somebody else");
    peerid_of(&to.target, &other.who.key);
    ck_assert_str_eq(comes_to_nothing(&to), "the relay refuses: status 204");
    wire_id_clear(&other);
    end();
}
END_TEST

START_TEST(a_relay_that_changes_a_byte_ends_the_connection)
{
    net_stream_t *s;
    begin(false);
    net_conn_t *c = connect_through();
    r.spoils = true;
    ck_assert_int_eq(net_open(c, &s, &b.peer.protocols[0], NULL), RC_OK);
    ck_assert_int_eq(net_write(s, view_str("hello")), RC_OK);
    run_for(500);
    ck_assert(a.peer.closed == 1 && a.peer.stream_opened == 0 && b.peer.closed == 1);
    ck_assert_str_eq(a.peer.closed_text, "a record is not sealed with the connection's keys");
    end();
}
END_TEST

START_TEST(a_relay_that_joins_another_gets_nobody_in)
{
    wire_id_t other;
    begin(false);
    maddr_t to = way_to_a();
    wire_secp256k1(&other, "somebody else");
    peerid_of(&to.target, &other.who.key);
    r.swaps = true;
    ck_assert_ptr_null(strstr(comes_to_nothing(&to), "refuses")); /* it did answer, as if all was well */
    ck_assert(a.peer.opened == 1 && b.peer.opened == 1);
    wire_id_clear(&other);
    end();
}
END_TEST

START_TEST(strangers_are_neither_relayed_nor_called)
{
    begin(false);
    const maddr_t to = way_to_a();
    r.stranger = true; /* nobody is attested to the relay any more */
    ck_assert_str_eq(comes_to_nothing(&to), "the peer is no relay, or none for us");
    end();
    begin(false);
    a.stranger = true; /* nobody is to the target: it does not serve the relay's call */
    const maddr_t again = way_to_a();
    ck_assert_str_eq(comes_to_nothing(&again), "the relay refuses: status 203");
    end();
    begin(false);
    b.stranger = true; /* the relay is not attested to who dials */
    const maddr_t third = way_to_a();
    ck_assert_str_eq(comes_to_nothing(&third), "there is no connection to the relay");
    end();
}
END_TEST

START_TEST(nobody_relays_for_who_comes_through_a_relay)
{
    begin(false);
    net_conn_t *c = connect_through();
    const net_protocol_t *hop = &r.inner[0], *stop = &r.inner[1];
    ck_assert(!circuits_serves(b.circuits, c, hop) && !circuits_serves(a.circuits, a.peer.conn, hop));
    ck_assert(!circuits_serves(a.circuits, a.peer.conn, stop));
    ck_assert(circuits_serves(r.circuits, net_first(r.peer.net), hop));
    ck_assert(!circuits_serves(r.circuits, net_first(r.peer.net), stop)); /* it keeps no place */
    maddr_t own = way_to_a();
    err_t e;
    own.target = *net_self(b.peer.net);
    ck_assert_int_eq(net_dial(b.peer.net, &c, &e, &own, NULL), RC_REFUSED);
    ck_assert_int_eq(net_listen(b.peer.net, &e, &own), RC_UNSUPPORTED);
    end();
}
END_TEST

START_TEST(a_relayed_connection_is_given_up_for_a_direct_one)
{
    begin(true);
    (void)connect_through();
    const maddr_t direct = maddr("/ip4/192.0.2.2/tcp/4001");
    ck_assert_int_eq(peers_add(b.peers, PEERS_CONFIGURED, &direct, 1, net_self(a.peer.net)), RC_OK);
    run_for(2000); /* it is dialled although there is a relayed one */
    unsigned to_a = 0;
    for (net_conn_t *c = net_first(b.peer.net); c; c = net_after(c))
        if (net_is_open(c) && peerid_eq(net_peer(c), net_self(a.peer.net))) {
            to_a++;
            ck_assert(!net_addr(c)->circuit);
        }
    ck_assert_uint_eq(to_a, 1);
    ck_assert_uint_eq(circuits_now(), 0);
    end();
}
END_TEST

START_TEST(a_second_relayed_connection_is_one_too_many)
{
    begin(true);
    net_conn_t *first = connect_through();
    const maddr_t to = way_to_a();
    (void)dial(&b, &to);
    run_for(PEERS_PING_MS + 1000);
    ck_assert(net_is_open(first) && circuits_now() == 1);
    end();
}
END_TEST

int main(void)
{
    return UNIT_RUN("circuits", who_cannot_be_dialled_is_reached_through_a_relay_that_reads_nothing,
                    much_goes_through_without_filling_the_relay, a_connection_says_goodbye_through_the_relay,
                    a_circuit_ends_with_either_connection_to_the_relay, what_a_relay_refuses_comes_back_with_its_status,
                    a_relay_that_changes_a_byte_ends_the_connection, a_relay_that_joins_another_gets_nobody_in,
                    strangers_are_neither_relayed_nor_called, nobody_relays_for_who_comes_through_a_relay,
                    a_relayed_connection_is_given_up_for_a_direct_one, a_second_relayed_connection_is_one_too_many);
}
