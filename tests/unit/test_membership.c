/* The table of seed 002 (overlay-facts 10), row by row, on a clock of the test. Rows that other programs test are named
 * with them in the list that is printed. */
#include "overlay/net/memory.h"
#include "overlay/peers.h"
#include "tests/unit/peers_world.h"

#define CROWD (PEERS_MAX + 2)

static node_t a, many[CROWD];
static node_t *all[CROWD + 1] = { &a };

/* Node a, and so many others that listen at 10.0.1.0 and up and dial nobody yet. */
static void begin(size_t others)
{
    ck_assert_int_eq(memory_new(&world, 20, &fair), RC_OK);
    node_new(&a, "a", "10.0.0.1");
    for (size_t i = 0; i < others; i++) {
        char word[24], at[32];
        snprintf(word, sizeof word, "m%zu", i);
        snprintf(at, sizeof at, "10.0.1.%zu", i);
        node_new(&many[i], word, at);
        all[i + 1] = &many[i];
    }
}

static void end(size_t others)
{
    for (size_t i = 0; i < others; i++)
        node_clear(&many[i]);
    node_clear(&a);
    memory_free(world);
}

static const char *way_to(size_t i)
{
    static char text[64];
    snprintf(text, sizeof text, "/ip4/10.0.1.%zu/tcp/4001", i);
    return text;
}

static peers_count_t count_of(const node_t *n)
{
    peers_count_t c;
    peers_counts(n->peers, &c);
    return c;
}

static bool is_connected_to(const node_t *n, const node_t *to)
{
    for (net_conn_t *c = net_first(n->net); c; c = net_after(c))
        if (net_is_open(c) && peerid_eq(net_peer(c), net_self(to->net)))
            return true;
    return false;
}

/* "Connection counts", "Handshake refusal": at most 40, and who finds no slot is told of others before it is closed. */
START_TEST(the_forty_first_is_told_of_others_and_closed)
{
    begin(CROWD);
    a.knows_others = true;
    for (size_t i = 0; i < PEERS_MAX; i++) {
        add(&many[i], "/ip4/10.0.0.1/tcp/4001");
        run(50, all, CROWD + 1);
    }
    ck_assert(open_count(&a) == PEERS_MAX && a.redirects == 0);
    add(&many[PEERS_MAX], "/ip4/10.0.0.1/tcp/4001");
    run(200, all, CROWD + 1);
    ck_assert(a.redirects == 1 && open_count(&many[PEERS_MAX]) == 1 && count_of(&a).connections == PEERS_MAX);
    net_conn_t *c = net_first(a.net);
    while (!peerid_eq(net_peer(c), net_self(many[PEERS_MAX].net)))
        c = net_after(c);
    ck_assert(peers_is_leaving(a.peers, c));
    run(PEERS_LEAVE_MS, all, CROWD + 1);
    ck_assert(many[PEERS_MAX].bye == NET_BYE_SLOTS_FULL && open_count(&a) == PEERS_MAX);
    peers_row_t row;
    ck_assert(peers_rows(many[PEERS_MAX].peers, &row, 1) == 1 && row.why->rc == RC_LIMIT);
    /* whom the operator named always has a slot */
    const maddr_t named = maddr("/ip4/10.0.1.41/tcp/4001");
    ck_assert_int_eq(peers_add(a.peers, PEERS_CONFIGURED, &named, 1, net_self(many[PEERS_MAX + 1].net)), RC_OK);
    add(&many[PEERS_MAX + 1], "/ip4/10.0.0.1/tcp/4001");
    run(500, all, CROWD + 1);
    ck_assert(is_connected_to(&a, &many[PEERS_MAX + 1]));
    end(CROWD);
}
END_TEST

/* "Dial loop", "Connection counts": learned addresses are dialled up to 30 connections, or while fewer than 5 of them are
 * ours; configured ones always. */
START_TEST(learned_addresses_are_dialled_up_to_thirty)
{
    begin(CROWD);
    for (size_t i = 0; i < CROWD - 2; i++)
        add_as(&a, PEERS_LEARNED, way_to(i));
    run(10000, all, CROWD + 1);
    ck_assert_uint_eq(open_count(&a), PEERS_IDEAL);
    add(&a, way_to(CROWD - 1));
    run(1000, all, CROWD + 1);
    ck_assert(open_count(&a) == PEERS_IDEAL + 1 && is_connected_to(&a, &many[CROWD - 1]));
    end(CROWD);
}
END_TEST

START_TEST(five_connections_are_our_own_though_there_are_thirty)
{
    begin(CROWD);
    for (size_t i = 0; i < PEERS_IDEAL; i++)
        add(&many[i], "/ip4/10.0.0.1/tcp/4001");
    run(1000, all, CROWD + 1);
    ck_assert(open_count(&a) == PEERS_IDEAL && count_of(&a).dialled == 0);
    for (size_t i = PEERS_IDEAL; i < CROWD; i++)
        add_as(&a, PEERS_LEARNED, way_to(i));
    run(5000, all, CROWD + 1);
    ck_assert(count_of(&a).dialled == PEERS_DIALLED_MIN && open_count(&a) == PEERS_IDEAL + PEERS_DIALLED_MIN);
    end(CROWD);
}
END_TEST

/* "Dial loop": where somebody answered before comes first. */
START_TEST(who_answered_before_is_dialled_first)
{
    begin(3);
    add_as(&a, PEERS_LEARNED, way_to(2));
    run(20000, all, 4);
    ck_assert_uint_eq(a.opened, 1);
    memory_cut(world, a.net, many[2].net, true);
    net_close(net_first(a.net), NET_BYE, "test");
    add_as(&a, PEERS_LEARNED, way_to(0));
    add_as(&a, PEERS_LEARNED, "/ip4/10.0.9.9/tcp/1");
    memory_cut(world, a.net, many[2].net, false);
    run(3000, all, 4);
    ck_assert(is_connected_to(&a, &many[2]) && is_connected_to(&a, &many[0]));
    end(3);
}
END_TEST

/* "Trimming": of strangers only, when they are too many and had their time; members never. */
START_TEST(the_oldest_stranger_makes_room_after_its_time)
{
    begin(PEERS_STRANGERS_MAX + 2);
    a.stranger = true;
    for (size_t i = 0; i < PEERS_STRANGERS_MAX; i++) {
        add(&many[i], "/ip4/10.0.0.1/tcp/4001");
        run(100, all, PEERS_STRANGERS_MAX + 3);
    }
    ck_assert(count_of(&a).strangers == PEERS_STRANGERS_MAX);
    add(&many[PEERS_STRANGERS_MAX], "/ip4/10.0.0.1/tcp/4001");
    run(100, all, PEERS_STRANGERS_MAX + 3);
    ck_assert(many[PEERS_STRANGERS_MAX].bye == NET_BYE_SLOTS_FULL && is_connected_to(&a, &many[0]));
    run(PEERS_STRANGER_MS + 5000, all, PEERS_STRANGERS_MAX + 3); /* it dials again, and the first has had its time */
    ck_assert(is_connected_to(&a, &many[PEERS_STRANGERS_MAX]) && many[0].bye == NET_BYE_SLOTS_FULL);
    a.stranger = false; /* all are attested now: they stay, and the next has a slot besides */
    add(&many[PEERS_STRANGERS_MAX + 1], "/ip4/10.0.0.1/tcp/4001");
    run(60000, all, PEERS_STRANGERS_MAX + 3);
    for (size_t i = 0; i < PEERS_STRANGERS_MAX + 2; i++)
        ck_assert_msg(is_connected_to(&a, &many[i]), "member %zu has no connection", i);
    end(PEERS_STRANGERS_MAX + 2);
}
END_TEST

/* Eight of one address, and eight more; whoever comes from elsewhere does not wait until they have had their time. */
START_TEST(strangers_of_one_address_keep_nobody_else_out)
{
    const size_t n = PEERS_STRANGERS_MAX + 2, of_one = PEERS_PER_IP;
    begin(0);
    a.stranger = true;
    for (size_t i = 0; i < n; i++) {
        char word[24], at[32];
        snprintf(word, sizeof word, "m%zu", i);
        snprintf(at, sizeof at, "10.0.1.%zu", i);
        node_new(&many[i], word, i < of_one ? NULL : at);
        all[i + 1] = &many[i];
    }
    for (size_t i = 0; i < n; i++) {
        add(&many[i], "/ip4/10.0.0.1/tcp/4001");
        run(100, all, n + 1);
    }
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(is_connected_to(&a, &many[i]) == (i > 1), "%zu", i); /* the first of them made room */
    ck_assert_uint_eq(count_of(&a).strangers, PEERS_STRANGERS_MAX);
    end(n);
}
END_TEST

/* Its id is another one than at its last start, and nobody has answered at its address yet. */
START_TEST(who_dials_from_a_named_address_has_a_slot_beside_strangers)
{
    const size_t n = PEERS_STRANGERS_MAX + 2;
    begin(n);
    a.stranger = true;
    for (size_t i = 0; i < n - 1; i++) {
        add(&many[i], "/ip4/10.0.0.1/tcp/4001");
        run(100, all, n + 1);
    }
    ck_assert(!is_connected_to(&a, &many[n - 2]));
    add(&a, "/ip4/10.0.1.17/tcp/9");
    add(&many[n - 1], "/ip4/10.0.0.1/tcp/4001");
    run(100, all, n + 1);
    ck_assert(is_connected_to(&a, &many[n - 1]) && is_connected_to(&a, &many[0]));
    end(n);
}
END_TEST

/* "Ban": refused after the handshake by its id, before it by its address; not dialled; it ends. */
START_TEST(who_is_banned_is_neither_kept_nor_dialled_until_that_ends)
{
    begin(2);
    add(&many[0], "/ip4/10.0.0.1/tcp/4001");
    run(500, all, 3);
    net_conn_t *c = net_first(a.net);
    peers_fault(a.peers, c, BANS_EVIDENCE);
    add_as(&a, PEERS_LEARNED, way_to(0));
    const maddr_t way = maddr(way_to(0));
    ck_assert_int_eq(peers_add(a.peers, PEERS_LEARNED, &way, 1, net_self(many[0].net)), RC_OK);
    net_close(c, NET_BYE_ATTEST, "test");
    run(BANS_FIRST_MS / 2, all, 3);
    ck_assert(open_count(&a) == 0 && many[0].bye == NET_BYE_BANNED);
    const unsigned tries = many[0].opened; /* each was closed at once */
    ck_assert_uint_ge(tries, 2);
    run(BANS_FIRST_MS / 2 + PEERS_AGAIN_MAX_MS, all, 3);
    ck_assert_uint_eq(open_count(&a), 1);
    /* four peers of one address: it is not even accepted, but the others' are */
    for (unsigned i = 0; i < 4; i++) {
        const peerid_t id = { .n = 37, .b = { (uint8_t)(i + 1) } };
        const maddr_t from = maddr("/ip4/10.0.1.1/tcp/9");
        (void)bans_note(peers_bans(a.peers), &id, &from, true, BANS_EVIDENCE, memory_now(world));
    }
    add(&many[1], "/ip4/10.0.0.1/tcp/4001");
    run(20000, all, 3);
    ck_assert(many[1].opened == 0 && !is_connected_to(&a, &many[1]) && open_count(&a) == 1);
    end(2);
}
END_TEST

/* "Reconnect": configured addresses are never given up, learned ones after their tries, hinted ones soon; one at which
 * somebody answered stays. */
START_TEST(addresses_that_lead_nowhere_are_dropped_but_configured_ones)
{
    peers_row_t rows[8];
    begin(1);
    add(&a, "/ip4/10.9.0.1/tcp/1");
    add_as(&a, PEERS_LEARNED, "/ip4/10.9.0.2/tcp/1");
    add_as(&a, PEERS_HINTED, "/ip4/10.9.0.3/tcp/1");
    add_as(&a, PEERS_LEARNED, way_to(0));
    run(15000, all, 2);
    ck_assert(peers_rows(a.peers, rows, 8) == 3 && rows[1].source == PEERS_LEARNED); /* the hint is gone */
    memory_leave(world, many[0].net);
    run(3600000, all, 1);
    ck_assert_uint_eq(peers_rows(a.peers, rows, 8), 2);
    ck_assert(rows[0].source == PEERS_CONFIGURED && rows[0].failures > PEERS_TRIES);
    ck_assert(rows[1].source == PEERS_LEARNED && rows[1].failures > PEERS_TRIES && rows[1].peer.n);
    end(1);
}
END_TEST

/* "Peer store": a hint does not take the place of what is better known, and too many make no room for themselves. */
START_TEST(what_is_better_known_is_not_overwritten)
{
    peers_row_t rows[PEERS_TARGETS_MAX];
    begin(0);
    add(&a, "/ip4/10.9.0.1/tcp/1");
    add_as(&a, PEERS_HINTED, "/ip4/10.9.0.1/tcp/1");
    add_as(&a, PEERS_HINTED, "/ip4/10.9.0.2/tcp/1");
    add_as(&a, PEERS_LEARNED, "/ip4/10.9.0.2/tcp/1");
    ck_assert_uint_eq(peers_rows(a.peers, rows, 8), 2);
    ck_assert(rows[0].source == PEERS_CONFIGURED && rows[1].source == PEERS_LEARNED);
    for (unsigned i = 2; i < PEERS_TARGETS_MAX; i++) {
        char text[64];
        snprintf(text, sizeof text, "/ip4/10.8.0.%u/tcp/1", i);
        add_as(&a, PEERS_LEARNED, text);
    }
    run(60000, all, 1); /* all have failed once or twice */
    add_as(&a, PEERS_LEARNED, "/ip4/10.7.0.1/tcp/1");
    const size_t n = peers_rows(a.peers, rows, PEERS_TARGETS_MAX);
    ck_assert(n == PEERS_TARGETS_MAX && rows[0].source == PEERS_CONFIGURED);
    const maddr_t newest = maddr("/ip4/10.7.0.1/tcp/1");
    bool found = false;
    for (size_t i = 0; i < n; i++)
        found |= maddr_eq(&rows[i].way, &newest);
    ck_assert(found);
    end(0);
}
END_TEST

/* "Liveness", "Boot nodes": a peer whose machine is gone is noticed by silence, and dialled until it is back. */
START_TEST(a_silent_peer_is_noticed_and_dialled_until_it_is_back)
{
    begin(1);
    add(&a, way_to(0));
    run(1000, all, 2);
    ck_assert_uint_eq(open_count(&a), 1);
    memory_leave(world, many[0].net);
    run(NET_IDLE_MS + NET_KEEP_ALIVE_MS, all, 1);
    ck_assert_uint_eq(open_count(&a), 0);
    node_t back;
    node_new(&back, "another boot", "10.0.1.0");
    node_t *now[] = { &a, &back };
    run(20000, now, 2);
    ck_assert(is_connected_to(&a, &back));
    node_clear(&back);
    end(1);
}
END_TEST

static void print_table(void)
{
    static const struct {
        const char *row, *test;
    } rows[] = {
        { "handshake contents", "test_join, test_mattest (HELLO), test_identify" },
        { "handshake refusal", "here: slots full with others, banned; test_join: chain, genesis, cluster, policy" },
        { "tie-break", "test_peers: 1,000 interleavings of both transports" },
        { "self connection", "test_peers" },
        { "handshake timeout", "test_net (5 s), test_join (attestation), here (strangers make room after 20 s)" },
        { "pending inbound", "test_net: 60 in all, 4 of an address" },
        { "ban", "here; test_bans: by reason, doubling, of addresses, over a restart" },
        { "connection counts", "here: 40, 30, 5; test_peers: 8 of an address" },
        { "trimming", "here: strangers alone" },
        { "dial loop", "here; test_peers: growth and chance" },
        { "reconnect", "here; test_peers" },
        { "peer store", "here; test_gossip: signed, over a restart; test_book_file: the disk" },
        { "gossip of peers", "test_gossip: 64 records, own side of the Internet, forged, too often" },
        { "boot nodes", "here; test_config: peers" },
        { "liveness", "here; test_net" },
        { "size limits", "test_net" },
        { "DNS", "test_peers: resolved at each dial" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        printf("  %-20s %s\n", rows[i].row, rows[i].test);
}

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    print_table();
    return UNIT_RUN("membership", the_forty_first_is_told_of_others_and_closed,
                    learned_addresses_are_dialled_up_to_thirty, five_connections_are_our_own_though_there_are_thirty,
                    who_answered_before_is_dialled_first, the_oldest_stranger_makes_room_after_its_time,
                    strangers_of_one_address_keep_nobody_else_out,
                    who_dials_from_a_named_address_has_a_slot_beside_strangers,
                    who_is_banned_is_neither_kept_nor_dialled_until_that_ends,
                    addresses_that_lead_nowhere_are_dropped_but_configured_ones,
                    what_is_better_known_is_not_overwritten, a_silent_peer_is_noticed_and_dialled_until_it_is_back);
}
