/* Whom we are connected to: dials on a virtual clock, two connections to one peer in many interleavings, slots. */
#include "tests/unit/peers_world.h"

START_TEST(of_two_connections_to_one_peer_one_stays)
{
    static const char *const forms[2] = { "udp/4001/quic-v1", "tcp/4001" };
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        const memory_faults_t rough = { .delay_min_ms = 1,
                                        .delay_max_ms = seed % 3 ? 60 : 400,
                                        .loss_per_mille = seed % 2 ? 0 : 20,
                                        .dial_fail_per_mille = seed % 5 ? 0 : 300 };
        char to[64];
        node_t a, b, *both[] = { &a, &b };
        ck_assert_int_eq(memory_new(&world, seed, &rough), RC_OK);
        node_new(&a, "a", "10.0.0.1");
        node_new(&b, "b", "10.0.0.2");
        snprintf(to, sizeof to, "/ip4/10.0.0.2/%s", forms[seed & 1]);
        add(&a, to);
        if (seed % 7 == 0) { /* and side by side by the other transport */
            snprintf(to, sizeof to, "/ip4/10.0.0.2/%s", forms[!(seed & 1)]);
            add(&a, to);
        }
        run(seed % 80, both, 2);
        snprintf(to, sizeof to, "/ip4/10.0.0.1/%s", forms[seed >> 1 & 1]);
        add(&b, to);
        run(15000, both, 2);
        ck_assert_msg(open_count(&a) == 1 && open_count(&b) == 1, "seed %llu: %zu, %zu", (unsigned long long)seed,
                      open_count(&a), open_count(&b));
        const unsigned opened = a.opened;
        run(20000, both, 2);
        /* an address at which nobody has answered yet may lead to anybody */
        ck_assert_msg((a.opened == opened || seed % 7 == 0 || seed % 5 == 0) && open_count(&a) == 1 &&
                          open_count(&b) == 1,
                      "seed %llu: dialled again: %u, %u; %zu, %zu", (unsigned long long)seed, opened, a.opened,
                      open_count(&a), open_count(&b));
        node_clear(&a);
        node_clear(&b);
        memory_free(world);
    }
}
END_TEST

START_TEST(the_older_one_goes_when_it_does_not_answer)
{
    node_t a, b, *both[] = { &a, &b };
    ck_assert_int_eq(memory_new(&world, 3, &fair), RC_OK);
    node_new(&a, "a", "10.0.0.1");
    node_new(&b, "b", "10.0.0.2");
    add(&a, "/ip4/10.0.0.2/tcp/4001");
    run(200, both, 2);
    /* a peer that was restarted in place cannot answer on the old connection: here the old one is silent because its
     * node is gone, and another with the same key dials */
    memory_leave(world, b.net);
    node_t again;
    node_new(&again, "b", "10.0.0.3");
    add(&again, "/ip4/10.0.0.1/tcp/4001");
    node_t *now[] = { &a, &again };
    run(PEERS_PING_MS + 500, now, 2);
    const bool a_decides = peerid_cmp(net_self(a.net), net_self(again.net)) < 0;
    ck_assert_uint_eq(open_count(&a), a_decides ? 1 : 2);
    ck_assert_uint_eq(open_count(&again), 1);
    run(NET_IDLE_MS, now, 2);
    ck_assert_uint_eq(open_count(&a), 1);
    node_clear(&a);
    node_clear(&b);
    node_clear(&again);
    memory_free(world);
}
END_TEST

START_TEST(an_address_is_dialled_again_and_again_later_each_time)
{
    node_t a, *one[] = { &a };
    peers_row_t row;
    ck_assert_int_eq(memory_new(&world, 4, &fair), RC_OK);
    node_new(&a, "a", "10.0.0.1");
    add(&a, "/ip4/10.0.0.9/tcp/4001"); /* nobody */
    uint64_t wait = PEERS_AGAIN_MS;
    for (unsigned tries = 1; tries <= 12; tries++) {
        do {
            run(10, one, 1);
            ck_assert_uint_eq(peers_rows(a.peers, &row, 1), 1);
        } while (row.failures < tries);
        const uint64_t due = row.due_ms - memory_now(world);
        ck_assert_msg(due + 10 >= wait - wait / 5 && due <= wait + wait / 5, "try %u: %llu, not %llu", tries,
                      (unsigned long long)due, (unsigned long long)wait);
        wait += wait / 2;
    }
    node_clear(&a);
    memory_free(world);
}
END_TEST

START_TEST(what_is_lost_is_dialled_again_soon)
{
    node_t a, b, *both[] = { &a, &b };
    ck_assert_int_eq(memory_new(&world, 5, &fair), RC_OK);
    node_new(&a, "a", "10.0.0.1");
    node_new(&b, "b", "10.0.0.2");
    add(&a, "/ip4/10.0.0.2/tcp/4001");
    run(20000, both, 2);
    ck_assert(a.opened == 1 && peers_rank(a.peers, net_self(b.net)) == 0);
    net_close(net_first(b.net), NET_BYE_SHUTDOWN, "test");
    run(2000, both, 2);
    ck_assert(a.opened == 2 && open_count(&a) == 1);
    node_clear(&a);
    node_clear(&b);
    memory_free(world);
}
END_TEST

START_TEST(nobody_stays_connected_to_itself)
{
    node_t a, *one[] = { &a };
    peers_row_t row;
    ck_assert_int_eq(memory_new(&world, 6, &fair), RC_OK);
    node_new(&a, "a", "10.0.0.1");
    add(&a, "/ip4/10.0.0.1/tcp/4001");
    run(60000, one, 1);
    ck_assert_uint_eq(peers_rows(a.peers, &row, 1), 1);
    ck_assert(row.self && open_count(&a) == 0 && a.closed <= 2);
    node_clear(&a);
    memory_free(world);
}
END_TEST

START_TEST(a_name_is_resolved_each_time_it_is_dialled)
{
    node_t a, b, *both[] = { &a, &b };
    ck_assert_int_eq(memory_new(&world, 7, &fair), RC_OK);
    node_new(&a, "a", "10.0.0.1");
    node_new(&b, "b", "10.0.0.2");
    add(&a, "/dns4/b.example/tcp/4001");
    run(5000, both, 2);
    ck_assert(a.asked == 2 && open_count(&a) == 1);
    node_clear(&a);
    node_clear(&b);
    memory_free(world);
}
END_TEST

START_TEST(slots_are_bounded_and_configured_peers_still_come_in)
{
    static node_t a, many[PEERS_PER_IP + 2];
    node_t *all[PEERS_PER_IP + 3] = { &a };
    ck_assert_int_eq(memory_new(&world, 8, &fair), RC_OK);
    node_new(&a, "a", "10.0.0.1");
    for (size_t i = 0; i < PEERS_PER_IP + 2; i++) {
        char word[16];
        snprintf(word, sizeof word, "m%zu", i);
        node_new(&many[i], word, NULL); /* they listen nowhere: all come from one address */
        all[i + 1] = &many[i];
    }
    const maddr_t of_last = maddr("/ip4/10.0.0.77/tcp/4001"); /* it was there once */
    ck_assert_int_eq(peers_add(a.peers, PEERS_CONFIGURED, &of_last, 1, net_self(many[PEERS_PER_IP + 1].net)), RC_OK);
    for (size_t i = 0; i < PEERS_PER_IP + 2; i++) {
        add(&many[i], "/ip4/10.0.0.1/tcp/4001");
        run(300, all, PEERS_PER_IP + 3);
    }
    ck_assert_uint_eq(open_count(&a), PEERS_PER_IP + 1);
    ck_assert_uint_eq(many[PEERS_PER_IP].bye, NET_BYE_SLOTS_FULL);
    ck_assert_uint_eq(open_count(&many[PEERS_PER_IP + 1]), 1);
    for (size_t i = 0; i < PEERS_PER_IP + 2; i++)
        node_clear(&many[i]);
    node_clear(&a);
    memory_free(world);
}
END_TEST

/* As an operator who names others now: no rank, and no dial once the connection is gone. */
START_TEST(addresses_that_are_taken_away_are_not_dialled_again)
{
    node_t a, b, *pair[] = { &a, &b };
    ck_assert_int_eq(memory_new(&world, 7, &fair), RC_OK);
    node_new(&a, "a", "10.0.0.1");
    node_new(&b, "b", "10.0.0.2");
    const maddr_t at[] = { maddr("/ip4/10.0.0.2/tcp/4001"), maddr("/ip4/10.9.9.9/tcp/1"),
                           maddr("/ip4/10.9.9.8/tcp/1") };
    peers_row_t rows[4];
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(peers_add(a.peers, PEERS_CONFIGURED, &at[i], 1, NULL), RC_OK);
    run(500, pair, 2);
    ck_assert_uint_eq(open_count(&a), 1);
    ck_assert_uint_eq(peers_rank(a.peers, net_self(b.net)), 0);
    peers_keep(a.peers, at, 2);
    ck_assert_uint_eq(peers_rows(a.peers, rows, 4), 2);
    ck_assert_uint_eq(peers_rank(a.peers, net_self(b.net)), 0);
    ck_assert_int_eq(peers_add(a.peers, PEERS_CONFIGURED, &at[2], 1, NULL), RC_OK);
    peers_keep(a.peers, &at[2], 1);
    ck_assert_uint_eq(peers_rank(a.peers, net_self(b.net)), SIZE_MAX);
    run(500, pair, 2);
    ck_assert_uint_eq(open_count(&a), 1); /* whoever is there keeps his connection, */
    net_close(net_first(a.net), NET_BYE, "test");
    run(PEERS_AGAIN_MAX_MS, pair, 2);
    ck_assert_uint_eq(open_count(&a), 0); /* and is not dialled any more */
    for (size_t i = 0, n = peers_rows(a.peers, rows, 4); i < n; i++)
        ck_assert(maddr_eq(&rows[i].way, &at[2]));
    node_clear(&a);
    node_clear(&b);
    memory_free(world);
}
END_TEST

START_TEST(addresses_are_bounded_and_known_ones_are_not_added_twice)
{
    node_t a;
    ck_assert_int_eq(memory_new(&world, 9, &fair), RC_OK);
    node_new(&a, "a", "10.0.0.1");
    for (unsigned i = 0; i <= PEERS_TARGETS_MAX; i++) {
        char text[64];
        snprintf(text, sizeof text, "/ip4/10.1.0.%u/tcp/4001", i);
        const maddr_t m = maddr(text);
        const rc_t want = i < PEERS_TARGETS_MAX ? RC_OK : RC_LIMIT;
        ck_assert_int_eq(peers_add(a.peers, PEERS_LEARNED, &m, 1, NULL), want);
        ck_assert_int_eq(peers_add(a.peers, PEERS_LEARNED, &m, 1, NULL), want);
    }
    node_clear(&a);
    memory_free(world);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("peers", of_two_connections_to_one_peer_one_stays, the_older_one_goes_when_it_does_not_answer,
                    an_address_is_dialled_again_and_again_later_each_time, what_is_lost_is_dialled_again_soon,
                    nobody_stays_connected_to_itself, a_name_is_resolved_each_time_it_is_dialled,
                    slots_are_bounded_and_configured_peers_still_come_in,
                    addresses_that_are_taken_away_are_not_dialled_again,
                    addresses_are_bounded_and_known_ones_are_not_added_twice);
}
