/* Applications on the overlay: they join, share a key, talk, spread and agree, over connections in memory. */
#include "overlay/overlay.h"

#include "tests/unit/app_world.h"

static err_t e;

static rc_t say(size_t i, size_t j, const char *type, msg_mode_t mode, const char *text)
{
    const message_out_t out = { .type = type, .mode = mode, .payload = view_str(text) };
    err_clear(&e);
    return overlay_send(apps[i].o, NULL, &e, (const uint8_t(*)[33])apps[j].config.static_pubkey, 1, &out);
}

START_TEST(nodes_of_an_application_share_a_key)
{
    uint8_t a[64], b[64], sealed[64], plain[8], derived[2][32];
    const hash32_t digest = { { 5 } };
    apps_world(1);
    apps_open(3, false);
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(apps[i].keyed == 1 && apps[i].peers == 2, "%zu: %u, %u", i, apps[i].keyed, apps[i].peers);
    ck_assert_int_eq(overlay_sign(apps[0].o, a, &digest), RC_OK);
    ck_assert_int_eq(overlay_sign(apps[2].o, b, &digest), RC_OK);
    ck_assert_mem_eq(a, b, 64);
    ck_assert_int_eq(overlay_seal(apps[1].o, sealed, view_str("members"), view_str("ad")), RC_OK);
    ck_assert_int_eq(overlay_open(apps[2].o, plain, view_of(sealed, 7 + KEY_MESSAGE_EXTRA), view_str("ad")), RC_OK);
    ck_assert_mem_eq(plain, "members", 7);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(overlay_derive(apps[i].o, derived[i], view_str("storage")), RC_OK);
    ck_assert_mem_eq(derived[0], derived[1], 32);
    apps_close();
}
END_TEST

START_TEST(they_talk_to_one_and_to_all_and_know_the_sender)
{
    const message_out_t out = { .type = "chat", .mode = MSG_SHARED, .payload = view_str("all") };
    uint8_t keys[4][33];
    apps_world(2);
    apps_open(4, false);
    ck_assert_int_eq(say(0, 1, "chat", MSG_PEER, "hello"), RC_OK);
    apps_run(100);
    ck_assert(apps[1].got == 1 && apps[2].got == 0);
    ck_assert_str_eq(apps[1].text, "hello");
    ck_assert_mem_eq(apps[1].sender, apps[0].config.static_pubkey, 33);
    ck_assert_uint_eq(overlay_peers(apps[3].o, keys, 4), 3);
    ck_assert_int_eq(overlay_send_all(apps[3].o, &e, &out), RC_OK);
    apps_run(100);
    ck_assert(apps[0].got == 1 && apps[1].got == 2 && apps[2].got == 1);
    ck_assert_mem_eq(apps[2].sender, apps[3].config.static_pubkey, 33);
    ck_assert_int_eq(say(0, 0, "chat", MSG_PEER, "to myself"), RC_REFUSED);
    apps_close();
}
END_TEST

START_TEST(a_relayed_message_reaches_who_is_not_connected_to_its_author)
{
    const message_out_t out = { .type = "news", .mode = MSG_SHARED, .payload = view_str("news") };
    apps_world(3);
    apps_open(4, true); /* in a row */
    ck_assert_int_eq(overlay_send_all(apps[0].o, &e, &out), RC_OK);
    apps_run(200);
    for (size_t i = 1; i < 4; i++) {
        ck_assert_uint_eq(apps[i].got, 1);
        ck_assert_mem_eq(apps[i].author, apps[0].config.static_pubkey, 33);
        ck_assert_mem_eq(apps[i].sender, apps[i - 1].config.static_pubkey, 33);
    }
    apps_close();
}
END_TEST

START_TEST(a_slow_application_slows_who_writes_to_it)
{
    static uint8_t big[200000];
    const message_out_t out = { .type = "chat", .payload = view_of(big, sizeof big) };
    unsigned sent = 0;
    apps_world(4);
    apps_open(2, false);
    apps[1].busy = true;
    while (overlay_send_all(apps[0].o, &e, &out) == RC_OK && sent < 100) {
        sent++;
        apps_run(20);
    }
    ck_assert_uint_lt(sent, 20);
    ck_assert_str_eq(e.text, "too much waits on the connection");
    apps_run(5000);
    ck_assert(apps[1].got == 0 && apps[0].lost == 0);
    apps[1].busy = false;
    overlay_resume(apps[1].o);
    apps_run(3000);
    ck_assert_uint_eq(apps[1].got, sent);
    ck_assert_uint_gt(apps[0].writable, 0);
    ck_assert_int_eq(overlay_send_all(apps[0].o, &e, &out), RC_OK);
    apps_close();
}
END_TEST

START_TEST(who_is_away_is_told_of_and_comes_back_with_a_new_session)
{
    apps_world(5);
    apps_open(2, false);
    ck_assert_int_eq(say(0, 1, "chat", MSG_PEER, "one"), RC_OK);
    apps_run(100);
    app_stop(&apps[1], true);
    apps_run(NET_IDLE_MS + 2000);
    ck_assert_uint_eq(apps[0].lost, 1);
    ck_assert_int_eq(say(0, 1, "chat", MSG_PEER, "nobody"), RC_REFUSED);
    app_new(&apps[1], "bob");
    app_start(&apps[1]);
    app_dial(1, 0);
    apps_run(3000);
    ck_assert(apps[0].peers == 2 && apps[1].keyed == 1);
    ck_assert_int_eq(say(0, 1, "chat", MSG_SHARED, "two"), RC_OK);
    apps_run(100);
    ck_assert_str_eq(apps[1].text, "two");
    apps_close();
}
END_TEST

START_TEST(applications_of_two_names_do_not_meet)
{
    join_refusal_t why[JOIN_REFUSALS_MAX];
    apps_world(6);
    app_count = 2;
    app_new(&apps[0], "ada");
    app_new(&apps[1], "bob");
    apps[0].config.found = true;
    apps[1].config.application = "tess";
    app_start(&apps[0]);
    app_start(&apps[1]);
    app_dial(1, 0);
    apps_run(1000);
    ck_assert(apps[0].peers == 0 && apps[1].peers == 0 && apps[1].keyed == 0);
    ck_assert_uint_eq(join_refusals(overlay_members(apps[0].o), why), 1);
    ck_assert_uint_eq(why[0].why.code, E_GENESIS);
    apps_close();
}
END_TEST

START_TEST(an_application_is_named_and_a_pinned_one_founds_nothing)
{
    static const char *const bad[] = { "", "with space", "quote\"", "back\\slash",
                                       "0123456789012345678901234567890123456789012345678901234567890123x" };
    overlay_t *o;
    apps_world(7);
    app_count = 0;
    app_new(&apps[0], "ada");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        apps[0].config.application = bad[i];
        ck_assert_msg(overlay_new(&o, &e, &apps[0].config) == RC_MALFORMED, "%s", bad[i]);
    }
    apps[0].config.application = "test";
    apps[0].config.found = true;
    apps[0].config.cluster[0] = 2;
    ck_assert_int_eq(overlay_new(&o, &e, &apps[0].config), RC_REFUSED);
    app_count = 1;
    apps[0].config.found = false;
    memset(apps[0].config.cluster, 0, 33);
    app_start(&apps[0]);
    apps_close();
}
END_TEST

START_TEST(what_is_flooded_reaches_all_once_and_late_comers)
{
    apps_world(8);
    apps_open(4, true);
    ck_assert_int_eq(overlay_flood(apps[0].o, &e, 7, view_str("spread")), RC_OK);
    apps_run(300);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_msg(apps[i].flooded == 1 && apps[i].kind == 7, "%zu: %u", i, apps[i].flooded);
        ck_assert_str_eq(apps[i].text, "spread");
        ck_assert_mem_eq(apps[i].author, apps[0].config.static_pubkey, 33);
    }
    app_new(&apps[4], "eve");
    app_start(&apps[4]);
    app_count = 5;
    app_dial(4, 3);
    apps_run(3000);
    ck_assert_uint_eq(apps[4].flooded, 1);
    ck_assert_int_eq(overlay_flood(apps[0].o, &e, 1u << 31, view_str("x")), RC_LIMIT);
    apps_close();
}
END_TEST

/* A request for the key that comes before the state of who asks, on a stream of its own, waits for it. */
START_TEST(the_key_is_there_within_five_round_trips)
{
    apps_world(12);
    apps_open(1, false);
    app_new(&apps[1], "bob");
    app_start(&apps[1]);
    app_count = 2;
    app_dial(1, 0);
    apps_run(150); /* 20 ms each; and each job is looked for every 5 ms */
    ck_assert_uint_eq(apps[1].keyed, 1);
    apps_close();
}
END_TEST

START_TEST(agreement_needs_four_seats)
{
    apps_world(9);
    apps_open(3, false);
    ck_assert_int_eq(overlay_agree(apps[0].o, &e, 1, view_str("x")), RC_UNSUPPORTED);
    ck_assert_str_eq(e.text, "agreement needs 4 seats");
    apps_close();
}
END_TEST

/* Four nodes whose platforms are the seats of an order that comes while they run. */
static void open_seats(uint64_t seed, size_t n, size_t seats)
{
    apps_world(seed);
    app_signer();
    apps_open(n, false);
    app_make_order(&app_order, 1, seats);
    ck_assert_msg(overlay_set_order(apps[0].o, &e, &app_order, world.policy) == RC_OK, "%s", e.text);
    apps_run(3000);
}

START_TEST(seats_agree_on_what_one_of_them_says)
{
    open_seats(10, 5, 4);
    for (size_t i = 1; i < 5; i++)
        ck_assert_uint_ge(apps[i].ordered, 1);
    ck_assert_msg(overlay_agree(apps[1].o, &e, 3, view_str("agreed")) == RC_OK, "%s", e.text);
    apps_run(500);
    for (size_t i = 0; i < 5; i++) { /* who has no seat hears of it too */
        ck_assert_msg(apps[i].agreed == 1 && apps[i].kind == 3, "%zu: %u", i, apps[i].agreed);
        ck_assert_str_eq(apps[i].text, "agreed");
        ck_assert_mem_eq(apps[i].author, apps[1].config.static_pubkey, 33);
    }
    ck_assert_int_eq(overlay_agree(apps[4].o, &e, 3, view_str("x")), RC_UNSUPPORTED);
    ck_assert_str_eq(e.text, "this node has no seat");
    apps_close();
}
END_TEST

START_TEST(one_seat_that_is_dead_holds_nothing_up)
{
    open_seats(11, 4, 4);
    app_stop(&apps[3], true);
    ck_assert_int_eq(overlay_agree(apps[0].o, &e, 3, view_str("three of four")), RC_OK);
    apps_run(500);
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(apps[i].agreed == 1, "%zu: %u", i, apps[i].agreed);
    apps_close();
}
END_TEST

START_TEST(an_application_may_broadcast_from_inside_a_delivery)
{
    open_seats(12, 4, 4);
    apps[2].tells = true;
    ck_assert_int_eq(overlay_agree(apps[0].o, &e, 3, view_str("first")), RC_OK);
    apps_run(1000);
    for (size_t i = 0; i < 4; i++)
        ck_assert_msg(apps[i].agreed == 2, "%zu: %u", i, apps[i].agreed);
    apps_close();
}
END_TEST

START_TEST(what_a_seat_missed_behind_a_cut_comes_with_the_next_connection)
{
    open_seats(13, 4, 4);
    const unsigned lost = apps[3].lost;
    for (size_t i = 0; i < 3; i++)
        memory_cut(app_net, apps[3].net, apps[i].net, true);
    ck_assert_int_eq(overlay_agree(apps[0].o, &e, 3 | BRACHA_DURABLE, view_str("missed")), RC_OK);
    apps_run(NET_IDLE_MS + 2000);
    ck_assert(apps[2].agreed == 1 && apps[3].agreed == 0 && apps[3].lost == lost + 3);
    for (size_t i = 0; i < 3; i++)
        memory_cut(app_net, apps[3].net, apps[i].net, false);
    apps_run(60000);
    ck_assert_uint_eq(apps[3].agreed, 1);
    apps_close();
}
END_TEST

/* Between taking an order and the peer's doing so, nothing but state is served; then messages flow on. */
START_TEST(messages_wait_while_an_order_is_taken)
{
    open_seats(14, 4, 4);
    const unsigned before = apps[1].got;
    order_signed_t next;
    app_make_order(&next, 2, 4);
    ck_assert_int_eq(overlay_set_order(apps[0].o, &e, &next, world.policy), RC_OK);
    apps_run(1000);
    ck_assert_int_eq(say(0, 1, "chat", MSG_SHARED, "after"), RC_OK);
    apps_run(200);
    ck_assert_uint_eq(apps[1].got, before + 1);
    ck_assert_int_eq(overlay_set_order(apps[0].o, &e, &next, world.policy), RC_REPLAY);
    apps_close();
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "overlay_app", nodes_of_an_application_share_a_key, they_talk_to_one_and_to_all_and_know_the_sender,
        a_relayed_message_reaches_who_is_not_connected_to_its_author, a_slow_application_slows_who_writes_to_it,
        who_is_away_is_told_of_and_comes_back_with_a_new_session, applications_of_two_names_do_not_meet,
        an_application_is_named_and_a_pinned_one_founds_nothing, what_is_flooded_reaches_all_once_and_late_comers,
        the_key_is_there_within_five_round_trips, agreement_needs_four_seats, seats_agree_on_what_one_of_them_says,
        one_seat_that_is_dead_holds_nothing_up, an_application_may_broadcast_from_inside_a_delivery,
        what_a_seat_missed_behind_a_cut_comes_with_the_next_connection, messages_wait_while_an_order_is_taken);
}
