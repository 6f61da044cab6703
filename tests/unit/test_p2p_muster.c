/* node/p2p/muster.h, row by row: where is dialled, which cluster is one to join, who founds it and when; and what keeps
 * him from it, attacks included. */
#include "node/p2p/muster.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define NOW_S 4102444800u
#define TIMEOUT_S 600u
#define STEP_MS 5000u
#define HEARD .is_bound = true, .heartbeat_s = NOW_S

static members_row_t rows[40];
static members_roll_t roll;
static const muster_ways_t tls = { .mode = MEMBERS_TLS, .port = 4001 };
static muster_view_t view;
static muster_t muster;
static addr_t us;
static err_t why, trouble;

/* Tokens 3, 5 and 8, behind a gateway; this node is 5. */
static void setup(void)
{
    static const uint64_t tokens[] = { 3, 5, 8 };
    static const char *const at[] = { "https://a-s.gw.example", "https://b-s.gw.example:8443/", "https://192.0.2.7" };
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < 3; i++) {
        rows[i] = (members_row_t){ .token = tokens[i], HEARD, .endpoint = view_str(at[i]) };
        rows[i].wallet.b[0] = (uint8_t)tokens[i];
    }
    roll = (members_roll_t){ .rows = rows, .count = 3, .timeout_s = TIMEOUT_S };
    us = (addr_t){ .b = { 5 } };
    view = (muster_view_t){ .now_ms = 1000, .roll = &roll, .block_time_s = NOW_S, .ways = &tls, .self = &us };
    muster = (muster_t){ .is_quiet = false };
    err_clear(&trouble);
}

/* ---- dialling ---- */

static size_t dials(char *out, size_t cap, const muster_ways_t *ways)
{
    config_peer_t peers[MUSTER_DIAL_MAX];
    const size_t n = muster_dials(peers, &roll, NOW_S, view.self, ways);
    out[0] = 0;
    for (size_t i = 0; i < n; i++) {
        char text[MADDR_TEXT_MAX + 1];
        ck_assert_uint_eq(peers[i].count, 2);
        maddr_text(text, &peers[i].ways[1]);
        snprintf(out + strlen(out), cap - strlen(out), "%s%s", i ? " " : "", text);
    }
    return n;
}

START_TEST(members_are_dialled_at_their_hosts_and_the_overlay_port)
{
    char got[1024];
    muster_ways_t ways = { .mode = MEMBERS_TLS, .port = 4001 };
    dials(got, sizeof got, &ways);
    ck_assert_str_eq(got, "/dns/a-s.gw.example/tcp/4001 /ip4/192.0.2.7/tcp/4001");
    ways.domain = "gw.example";
    dials(got, sizeof got, &ways);
    ck_assert_str_eq(got, "/dns/a-s.gw.example/tcp/4001");
    ways.domain = NULL;
    view.self = NULL;
    dials(got, sizeof got, &ways);
    ck_assert_str_eq(got, "/dns/a-s.gw.example/tcp/4001 /dns/b-s.gw.example/tcp/4001 /ip4/192.0.2.7/tcp/4001");
}
END_TEST

START_TEST(addresses_of_wireguard_are_dialled)
{
    char got[1024];
    const muster_ways_t ways = { .mode = MEMBERS_WIREGUARD, .port = 9000 };
    static const char *const at[] = { "10.0.1.1", "10.0.1.2", "10.0.1.255" };
    for (size_t i = 0; i < 3; i++) {
        rows[i].network = MEMBERS_WIREGUARD;
        rows[i].endpoint = view_str(at[i]);
    }
    dials(got, sizeof got, &ways);
    ck_assert_str_eq(got, "/ip4/10.0.1.1/tcp/9000");
    rows[0].network = MEMBERS_TLS;
    ck_assert_uint_eq(dials(got, sizeof got, &ways), 0);
}
END_TEST

START_TEST(who_does_not_count_is_not_dialled)
{
    char got[1024];
    const muster_ways_t ways = { .mode = MEMBERS_TLS, .port = 1 };
    rows[0].is_bound = false;
    rows[2].heartbeat_s = NOW_S - TIMEOUT_S - 1;
    ck_assert_uint_eq(dials(got, sizeof got, &ways), 0);
    rows[2].heartbeat_s = NOW_S - TIMEOUT_S;
    ck_assert_uint_eq(dials(got, sizeof got, &ways), 1);
    rows[2].endpoint = view_str("http://192.0.2.7");
    rows[0] = (members_row_t){ .token = 3, HEARD, .endpoint = view_str("https://a..example") };
    ck_assert_uint_eq(dials(got, sizeof got, &ways), 0);
    rows[0].endpoint = view_str("");
    ck_assert_uint_eq(dials(got, sizeof got, &ways), 0);
}
END_TEST

START_TEST(no_more_are_dialled_than_there_is_room_for)
{
    char got[4096];
    const muster_ways_t ways = { .mode = MEMBERS_TLS, .port = 1 };
    for (size_t i = 0; i < 40; i++)
        rows[i] = (members_row_t){ .token = i + 1, HEARD, .endpoint = view_str("https://192.0.2.7") };
    roll.count = 40;
    ck_assert_uint_eq(dials(got, sizeof got, &ways), MUSTER_DIAL_MAX);
}
END_TEST

/* ---- which cluster ---- */

START_TEST(cluster_is_joined_only_by_the_contracts_word)
{
    static const uint8_t keys[2][33] = { { 2, 1 }, { 3, 2 } };
    static const struct {
        muster_anchor_t anchor;
        bool is_listed;
        size_t n;
        rc_t rc;
    } cases[] = {
        { { .is_known = false }, true, 2, RC_NEED_DATA },
        { { .is_known = false, .has_key = true, .key = { 2, 1 } }, true, 2, RC_NEED_DATA },
        { { .is_known = true }, true, 2, RC_OK },
        { { .is_known = true }, false, 2, RC_REFUSED },
        { { .is_known = true, .has_key = true, .key = { 2, 1 } }, false, 2, RC_OK },
        { { .is_known = true, .has_key = true, .key = { 3, 2 } }, true, 2, RC_OK },
        { { .is_known = true, .has_key = true, .key = { 3, 2 } }, true, 1, RC_REFUSED },
        { { .is_known = true, .has_key = true, .key = { 3, 1 } }, true, 2, RC_REFUSED },
        { { .is_known = true, .has_key = true, .key = { 2, 1 } }, true, 0, RC_REFUSED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(muster_admits(&why, &cases[i].anchor, cases[i].is_listed, keys, cases[i].n) == cases[i].rc,
                      "case %zu", i);
}
END_TEST

START_TEST(older_generation_is_not_brought_back_when_the_contract_names_a_later_one)
{
    static const uint8_t first[33] = { 2, 1 }, second[33] = { 2, 2 }, third[33] = { 2, 3 };
    muster_anchor_t a = { .is_known = false };
    ck_assert_int_eq(muster_restores(&why, &a, second, first), RC_NEED_DATA);
    a.is_known = true;
    ck_assert_int_eq(muster_restores(&why, &a, second, first), RC_OK);
    a.has_key = true;
    memcpy(a.key, second, 33);
    ck_assert_int_eq(muster_restores(&why, &a, second, first), RC_OK);
    ck_assert_int_eq(muster_restores(&why, &a, first, first), RC_REFUSED);
    ck_assert_int_eq(muster_restores(&why, &a, third, first), RC_REFUSED);
    memcpy(a.key, first, 33); /* the owner has not followed: the first key is every generation's */
    ck_assert_int_eq(muster_restores(&why, &a, second, first), RC_OK);
    memcpy(a.key, third, 33);
    ck_assert_int_eq(muster_restores(&why, &a, second, first), RC_REFUSED);
}
END_TEST

/* ---- who founds ---- */

static muster_do_t look(uint64_t after_ms)
{
    view.now_ms += after_ms;
    return muster_turn(&muster, &why, &view);
}

/* Looks for so long; what came at the end. */
static muster_do_t look_for(uint64_t ms)
{
    muster_do_t done = MUSTER_WAIT;
    for (uint64_t t = 0; t < ms && done == MUSTER_WAIT; t += STEP_MS)
        done = look(STEP_MS);
    return done;
}

#define QUIET_MS MUSTER_QUIET_MS

START_TEST(smallest_token_founds_when_nobody_has_answered_for_two_minutes)
{
    us = (addr_t){ .b = { 3 } };
    ck_assert_int_eq(look(0), MUSTER_WAIT);
    ck_assert_str_eq(why.text, "no member holds a key: this node, token 3, founds the cluster in 120 s");
    ck_assert_int_eq(look_for(QUIET_MS - STEP_MS), MUSTER_WAIT);
    ck_assert_int_eq(look(STEP_MS - 1), MUSTER_WAIT);
    ck_assert_int_eq(look(1), MUSTER_FOUND);
}
END_TEST

START_TEST(no_other_token_founds_however_long_it_waits)
{
    ck_assert_int_eq(look_for(20 * QUIET_MS), MUSTER_WAIT);
    ck_assert_str_eq(why.text, "no member holds a key: token 3 founds the cluster");
    us = (addr_t){ .b = { 77 } };
    ck_assert_int_eq(look_for(20 * QUIET_MS), MUSTER_WAIT);
    ck_assert_str_eq(why.text, "no member holds a key: token 3 founds the cluster, and this node is no bound, active "
                               "member of the contract");
    view.self = NULL;
    ck_assert_int_eq(look_for(20 * QUIET_MS), MUSTER_WAIT);
}
END_TEST

START_TEST(smallest_token_that_is_deactivated_makes_the_next_wait_anew)
{
    ck_assert_int_eq(look_for(2 * QUIET_MS), MUSTER_WAIT);
    roll.rows = rows + 1; /* 3 is gone */
    roll.count = 2;
    ck_assert_int_eq(look_for(QUIET_MS), MUSTER_WAIT);
    ck_assert_int_eq(look_for(STEP_MS), MUSTER_FOUND);
}
END_TEST

START_TEST(smallest_token_that_falls_silent_or_is_not_bound_makes_the_next_wait_anew)
{
    rows[0].heartbeat_s = NOW_S - TIMEOUT_S;
    ck_assert_int_eq(look_for(2 * QUIET_MS), MUSTER_WAIT);
    view.block_time_s++; /* by the block's time, not the clock's */
    ck_assert_int_eq(look_for(QUIET_MS), MUSTER_WAIT);
    ck_assert_int_eq(look_for(STEP_MS), MUSTER_FOUND);
    setup();
    rows[0].is_bound = false;
    ck_assert_int_eq(look_for(QUIET_MS), MUSTER_WAIT);
    ck_assert_int_eq(look_for(STEP_MS), MUSTER_FOUND);
}
END_TEST

/* All others would wait for it, and could not find it. */
START_TEST(who_is_dialled_nowhere_is_no_founder)
{
    rows[0].network = MEMBERS_WIREGUARD;
    ck_assert_int_eq(look_for(QUIET_MS), MUSTER_WAIT);
    ck_assert_int_eq(look_for(STEP_MS), MUSTER_FOUND); /* the next token is ours */
    rows[0].network = MEMBERS_TLS;
    rows[0].endpoint = view_of(NULL, 0);
    ck_assert_int_eq(look_for(STEP_MS), MUSTER_FOUND);
    rows[1].endpoint = view_of(NULL, 0);
    ck_assert_int_eq(look_for(20 * QUIET_MS), MUSTER_WAIT);
}
END_TEST

START_TEST(founder_that_is_no_member_any_more_founds_nothing)
{
    us = (addr_t){ .b = { 3 } };
    ck_assert_int_eq(look_for(QUIET_MS - STEP_MS), MUSTER_WAIT);
    rows[0].is_bound = false;
    ck_assert_int_eq(look_for(20 * QUIET_MS), MUSTER_WAIT);
    rows[0].is_bound = true;
    ck_assert_int_eq(look_for(QUIET_MS), MUSTER_WAIT); /* anew */
    ck_assert_int_eq(look_for(STEP_MS), MUSTER_FOUND);
}
END_TEST

/* What keeps everybody from founding, and for how long afterwards. */
typedef enum { NO_LIST, OLD_LIST, A_KEY, ANNOUNCED, ANSWERS, KEPT, NOBODY, REASONS } reason_t;

static void let(reason_t reason, bool holds)
{
    view.roll = reason == NO_LIST && holds ? NULL : &roll;
    view.trouble = reason <= OLD_LIST && holds ? &trouble : NULL;
    roll.has_key = reason == A_KEY && holds;
    roll.is_announced = reason == ANNOUNCED && holds;
    view.answers = reason == ANSWERS && holds;
    view.is_kept = reason == KEPT && holds;
    roll.count = reason == NOBODY && holds ? 0 : 3;
}

START_TEST(nobody_founds_while_there_is_a_reason_and_the_two_minutes_begin_anew)
{
    (void)err_say(&trouble, RC_IO, "execution_rpc[0]: a proof that does not hold");
    for (reason_t r = 0; r < REASONS; r++) {
        setup();
        (void)err_say(&trouble, RC_IO, "execution_rpc[0]: a proof that does not hold");
        us = (addr_t){ .b = { 3 } };
        ck_assert_int_eq(look_for(QUIET_MS - STEP_MS), MUSTER_WAIT);
        let(r, true);
        ck_assert_msg(look_for(20 * QUIET_MS) == MUSTER_WAIT, "reason %u", r);
        if (r <= OLD_LIST)
            ck_assert_str_eq(why.text, "the contract's list of members cannot be read: execution_rpc[0]: a proof that "
                                       "does not hold");
        let(r, false);
        ck_assert_msg(look_for(QUIET_MS) == MUSTER_WAIT, "reason %u", r);
        ck_assert_msg(look_for(STEP_MS) == MUSTER_FOUND, "reason %u", r);
    }
}
END_TEST

START_TEST(without_any_list_it_says_that_there_is_none_yet)
{
    view.roll = NULL;
    ck_assert_int_eq(look(0), MUSTER_WAIT);
    ck_assert_str_eq(why.text, "the contract's list of members cannot be read yet");
}
END_TEST

START_TEST(time_in_which_nobody_looked_does_not_count)
{
    us = (addr_t){ .b = { 3 } };
    ck_assert_int_eq(look(0), MUSTER_WAIT);
    ck_assert_int_eq(look(10 * QUIET_MS), MUSTER_WAIT); /* it was asleep */
    ck_assert_int_eq(look_for(QUIET_MS - STEP_MS), MUSTER_WAIT);
    ck_assert_int_eq(look(MUSTER_GAP_MS + 1), MUSTER_WAIT);
    ck_assert_int_eq(look_for(QUIET_MS - STEP_MS), MUSTER_WAIT);
    view.now_ms -= 3 * STEP_MS; /* a clock that went back */
    ck_assert_int_eq(look(0), MUSTER_WAIT);
    ck_assert_int_eq(look_for(QUIET_MS - STEP_MS), MUSTER_WAIT);
    ck_assert_int_eq(look(STEP_MS), MUSTER_FOUND);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("p2p_muster", setup, NULL, members_are_dialled_at_their_hosts_and_the_overlay_port,
                           addresses_of_wireguard_are_dialled, who_does_not_count_is_not_dialled,
                           no_more_are_dialled_than_there_is_room_for, cluster_is_joined_only_by_the_contracts_word,
                           older_generation_is_not_brought_back_when_the_contract_names_a_later_one,
                           smallest_token_founds_when_nobody_has_answered_for_two_minutes,
                           no_other_token_founds_however_long_it_waits,
                           smallest_token_that_is_deactivated_makes_the_next_wait_anew,
                           smallest_token_that_falls_silent_or_is_not_bound_makes_the_next_wait_anew,
                           who_is_dialled_nowhere_is_no_founder, founder_that_is_no_member_any_more_founds_nothing,
                           nobody_founds_while_there_is_a_reason_and_the_two_minutes_begin_anew,
                           without_any_list_it_says_that_there_is_none_yet, time_in_which_nobody_looked_does_not_count);
}
