/* Shares: turns, bounds and debts by a loop of its own, and who is one client. */
#include <arpa/inet.h>
#include <check.h>
#include <string.h>
#include <sys/socket.h>

#include "http/clients.h"
#include "tests/unit/unit.h"

#define JOBS 4000u

static share_item_t items[3][JOBS];
static share_turn_t turns[3];
static share_t share;

static void begin(unsigned places)
{
    memset(items, 0, sizeof items);
    memset(turns, 0, sizeof turns);
    share_init(&share, places);
}

static void push(unsigned who, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        share_push(&share, &turns[who], &items[who][i]);
}

/* Who is next; -1: nobody. */
static int next(void)
{
    share_turn_t *t;
    return share_next(&share, &t) ? (int)(t - turns) : -1;
}

START_TEST(clients_take_turns_however_many_items_one_has)
{
    begin(8);
    push(0, 100);
    push(1, 2);
    push(2, 1);
    static const int want[] = { 0, 1, 2, 0, 1 };
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(next(), want[i]);
        share_done(&share, &turns[want[i]], 0);
    }
    for (size_t i = 0; i < 98; i++) {
        ck_assert_int_eq(next(), 0);
        share_done(&share, &turns[0], 0);
    }
    ck_assert_int_eq(next(), -1);
    ck_assert_uint_eq(share.waiting + share.running, 0);
}
END_TEST

START_TEST(items_of_a_client_come_in_their_order_and_the_last_can_be_taken_back)
{
    share_turn_t *t;
    begin(8);
    push(0, 3);
    ck_assert_ptr_eq(share_take_last(&share, &turns[0]), &items[0][2]);
    ck_assert_ptr_eq(share_next(&share, &t), &items[0][0]);
    ck_assert_ptr_eq(share_next(&share, &t), &items[0][1]);
    ck_assert_ptr_null(share_next(&share, &t));
    ck_assert_ptr_null(share_take_last(&share, &turns[0]));
    push(0, 1);
    ck_assert_ptr_eq(share_take_last(&share, &turns[0]), &items[0][0]);
    ck_assert_ptr_null(share_next(&share, &t));
    push(0, 1);
    ck_assert_ptr_eq(share_next(&share, &t), &items[0][0]);
}
END_TEST

START_TEST(one_alone_uses_every_place_and_with_others_a_quarter)
{
    static const struct {
        unsigned places, part;
    } rows[] = { { 1, 1 }, { 2, 1 }, { 4, 1 }, { 7, 1 }, { 8, 2 }, { 64, 16 }, { 4096, 1024 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_uint_eq(share_part(rows[i].places), rows[i].part);
    begin(8);
    push(0, 20);
    for (size_t i = 0; i < 8; i++)
        ck_assert_int_eq(next(), 0);
    push(1, 3);
    ck_assert_int_eq(next(), 1); /* client 0 is at its bound, and behind it anyhow */
    ck_assert_int_eq(next(), 1);
    ck_assert_int_eq(next(), 1); /* both are: whoever runs less */
    ck_assert_int_eq(next(), 0); /* and alone again */
}
END_TEST

START_TEST(a_client_that_used_more_waits_until_the_other_has_had_as_much)
{
    unsigned had[2] = { 0, 0 };
    begin(8);
    push(0, JOBS);
    push(1, JOBS);
    for (unsigned clock_us = 0; clock_us < 1000000;) { /* one processor; client 0 is ten times as expensive */
        int who = next();
        unsigned cost = who ? 1000 : 10000;
        clock_us += cost;
        had[who] += cost;
        share_done(&share, &turns[who], cost);
    }
    ck_assert_uint_ge(had[0], 480000);
    ck_assert_uint_ge(had[1], 480000);
}
END_TEST

START_TEST(what_was_used_alone_is_not_held_against_anybody)
{
    begin(8);
    push(0, 100);
    for (size_t i = 0; i < 50; i++) {
        ck_assert_int_eq(next(), 0);
        share_done(&share, &turns[0], 100000);
    }
    push(1, 100);
    static const int want[] = { 0, 1, 0, 1 };
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(next(), want[i]);
        share_done(&share, &turns[want[i]], 0);
    }
}
END_TEST

START_TEST(a_debt_is_paid_off_within_a_second_of_the_others_work)
{
    unsigned before = 0;
    begin(8);
    push(0, 100);
    push(1, JOBS);
    ck_assert_int_eq(next(), 0);
    share_done(&share, &turns[0], 3600000000u); /* an hour */
    while (next() == 1) {
        share_done(&share, &turns[1], 1000);
        before++;
    }
    ck_assert_uint_ge(before, 999);
    ck_assert_uint_le(before, 1001);
}
END_TEST

START_TEST(who_stands_for_many_has_turns_and_no_bounds)
{
    begin(4);
    turns[0].exempt = true;
    push(0, 20);
    push(1, 3);
    static const int want[] = { 0, 1, 0, 0, 0 };
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(next(), want[i]);
    share_charge(&share, &turns[0], 5000);
    ck_assert_int_eq(turns[0].debt_us, 0);
    ck_assert_ptr_eq(share_longest(&share), &turns[1]);
}
END_TEST

START_TEST(what_is_next_can_be_looked_at_and_any_that_waits_be_taken_back)
{
    share_turn_t *t;
    begin(8);
    ck_assert_ptr_null(share_peek(&share));
    push(0, 4);
    push(1, 1);
    ck_assert_ptr_eq(share_peek(&share), &items[0][0]);
    ck_assert_ptr_eq(share_next(&share, &t), &items[0][0]);
    ck_assert_ptr_eq(share_peek(&share), &items[1][0]);
    share_remove(&share, &turns[1], &items[1][0]);
    share_remove(&share, &turns[0], &items[0][2]);
    share_remove(&share, &turns[0], &items[0][1]);
    ck_assert_ptr_eq(share_peek(&share), &items[0][3]);
    share_remove(&share, &turns[0], &items[0][3]);
    ck_assert_ptr_null(share_peek(&share));
    ck_assert_ptr_null(share_take_last(&share, &turns[0]));
    push(0, 1);
    ck_assert_ptr_eq(share_next(&share, &t), &items[0][0]);
}
END_TEST

/* ---- so much a minute ---- */

START_TEST(who_is_alone_has_three_quarters_of_a_budget_and_who_had_little_the_rest)
{
    budget_t b = { .per_minute = 400 };
    budget_use_t one = { 0 }, other = { 0 };
    ck_assert_uint_eq(budget_left(&b, 5), 400);
    for (unsigned i = 0; i < 300; i++) {
        ck_assert(budget_has(&b, &one, 1, 5));
        budget_take(&b, &one, 1, 5);
    }
    ck_assert(!budget_has(&b, &one, 1, 5));
    ck_assert(budget_has(&b, &other, 100, 5));
    ck_assert(budget_has(&b, NULL, 100, 5));
    ck_assert(!budget_has(&b, &other, 101, 5)); /* nobody had so little */
    budget_take(&b, &other, 99, 5);
    ck_assert(budget_has(&b, &other, 1, 5));
    ck_assert(!budget_has(&b, &other, 2, 5));
    ck_assert(!budget_has(&b, NULL, 2, 5));
    ck_assert_uint_eq(budget_left(&b, 5), 1);
    ck_assert_uint_eq(budget_left(&b, 5 + 15000), 101); /* a quarter of a minute */
    ck_assert_uint_eq(budget_left(&b, 5 + 60000), 400);
    ck_assert_uint_eq(budget_left(&b, 0), 1); /* a clock that went back gives nothing */
    budget_take(&b, NULL, 1, 5);
    ck_assert(!budget_has(&b, NULL, 1, 5)); /* who stands for many has an end, too */
}
END_TEST

/* More than all of it, in one request: whoever asked pays for it, and those who had little have their quarter. */
START_TEST(what_is_asked_for_beyond_all_bounds_leaves_others_the_last_quarter)
{
    budget_t b = { .per_minute = 400 };
    budget_use_t greedy = { 0 }, other = { 0 }, third = { 0 };
    ck_assert(budget_has(&b, &greedy, 5000, 5)); /* as if it were a quarter */
    for (size_t i = 0; i < 5000; i++)
        budget_take(&b, &greedy, 1, 5);
    ck_assert(!budget_has(&b, &greedy, 1, 5));
    ck_assert(!budget_has(&b, &other, 5000, 5));
    ck_assert(budget_has(&b, &other, 60, 5));
    budget_take(&b, &other, 60, 5);
    ck_assert(!budget_has(&b, &third, 50, 5));
    ck_assert(budget_has(&b, &third, 40, 5));
    ck_assert_uint_eq(budget_left(&b, 5), 40);
    ck_assert(budget_has(&b, &third, 100, 5 + 15000)); /* the last quarter comes back first, */
    ck_assert(!budget_has(&b, NULL, 101, 5 + 600000)); /* and no more goes out than 400 a minute: 5060 in 12 */
    ck_assert(!budget_has(&b, &greedy, 100, 5 + 600000));
    ck_assert(budget_has(&b, NULL, 101, 5 + 730000));
}
END_TEST

START_TEST(a_budget_has_no_end_where_none_is_set_and_never_overflows)
{
    budget_t none = { 0 }, most = { .per_minute = BUDGET_MAX }, least = { .per_minute = 1 };
    budget_use_t one = { 0 };
    budget_take(&none, &one, UINT64_MAX, 1);
    ck_assert(budget_has(&none, &one, UINT64_MAX, 1));
    budget_take(&most, &one, UINT64_MAX, UINT64_MAX);
    ck_assert(!budget_has(&most, &one, UINT64_MAX, UINT64_MAX));
    one = (budget_use_t){ 0 };
    ck_assert(budget_has(&least, &one, 1, 1));
    budget_take(&least, &one, 1, 1);
    ck_assert(!budget_has(&least, &one, 1, 1));
    ck_assert(budget_has(&least, &one, 1, 60001));
}
END_TEST

/* ---- who is one client ---- */

static bool same(const char *a, const char *b)
{
    uint8_t key[2][CLIENT_KEY_LEN];
    const char *const text[2] = { a, b };
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_in v4 = { .sin_family = AF_INET };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        if (inet_pton(AF_INET, text[i], &v4.sin_addr) == 1)
            ck_assert(hs_client_key(key[i], (const struct sockaddr *)(const void *)&v4));
        else if (inet_pton(AF_INET6, text[i], &v6.sin6_addr) == 1)
            ck_assert(hs_client_key(key[i], (const struct sockaddr *)(const void *)&v6));
        else
            ck_abort_msg("%s", text[i]);
    }
    return memcmp(key[0], key[1], CLIENT_KEY_LEN) == 0;
}

START_TEST(a_client_is_an_ipv4_address_or_an_ipv6_net_of_64_bits)
{
    uint8_t key[CLIENT_KEY_LEN];
    ck_assert(same("192.0.2.1", "192.0.2.1"));
    ck_assert(!same("192.0.2.1", "192.0.2.2"));
    ck_assert(same("192.0.2.1", "::ffff:192.0.2.1"));
    ck_assert(!same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    ck_assert(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    ck_assert(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    ck_assert(!hs_client_key(key, &(struct sockaddr){ .sa_family = AF_UNIX }));
}
END_TEST

START_TEST(records_stay_while_in_use_and_the_oldest_others_are_forgotten)
{
    hs_clients_t *all = hs_clients_new();
    uint8_t key[CLIENT_KEY_LEN] = { 1 };
    hs_client_t *used = hs_client_get(all, key, false), *again;
    used->turns[0].debt_us = 7;
    for (uint32_t i = 0; i < 5000; i++) {
        uint8_t other[CLIENT_KEY_LEN] = { 2 };
        memcpy(other + 4, &i, sizeof i);
        hs_client_t *x = hs_client_get(all, other, false);
        ck_assert_ptr_nonnull(x);
        ck_assert_int_eq(x->turns[0].debt_us, 0);
        x->turns[0].debt_us = 9;
        hs_client_unref(x);
    }
    again = hs_client_get(all, key, false);
    ck_assert_ptr_eq(again, used);
    ck_assert_int_eq(again->turns[0].debt_us, 7);
    hs_clients_unref(all);
    hs_client_unref(again);
    hs_client_unref(used); /* the table goes with it */
    hs_client_unref(NULL);
    hs_clients_unref(NULL);
}
END_TEST

int main(void)
{
    return UNIT_RUN("share", clients_take_turns_however_many_items_one_has,
                    items_of_a_client_come_in_their_order_and_the_last_can_be_taken_back,
                    one_alone_uses_every_place_and_with_others_a_quarter,
                    a_client_that_used_more_waits_until_the_other_has_had_as_much,
                    what_was_used_alone_is_not_held_against_anybody,
                    a_debt_is_paid_off_within_a_second_of_the_others_work, who_stands_for_many_has_turns_and_no_bounds,
                    what_is_next_can_be_looked_at_and_any_that_waits_be_taken_back,
                    who_is_alone_has_three_quarters_of_a_budget_and_who_had_little_the_rest,
                    what_is_asked_for_beyond_all_bounds_leaves_others_the_last_quarter,
                    a_budget_has_no_end_where_none_is_set_and_never_overflows,
                    a_client_is_an_ipv4_address_or_an_ipv6_net_of_64_bits,
                    records_stay_while_in_use_and_the_oldest_others_are_forgotten);
}
