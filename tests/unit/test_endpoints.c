/* Upstream list: order, back-off, jitter, recovery. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/upstream/endpoints.h"
#include "tests/unit/unit.h"

static const char *const urls[] = { "https://one.example/key1", "http://user:secret@two.example:8545/key2",
                                    "https://three.example" };

static void order_is(up_t *u, uint64_t now_ms, size_t a, size_t b, size_t c)
{
    size_t got[UP_ENDPOINTS_MAX];
    ck_assert_uint_eq(up_order(u, got, now_ms), 3);
    ck_assert_msg(got[0] == a && got[1] == b && got[2] == c, "at %llu: got %zu %zu %zu, expected %zu %zu %zu",
                  (unsigned long long)now_ms, got[0], got[1], got[2], a, b, c);
}

static uint64_t retry_at(up_t *u, size_t i)
{
    up_status_t s[UP_ENDPOINTS_MAX];
    ck_assert_uint_gt(up_snapshot(u, s), i);
    return s[i].retry_at_ms;
}

START_TEST(a_new_list_is_in_the_operators_order_and_names_no_secrets)
{
    up_t *u = up_new(urls, 3);
    ck_assert_ptr_nonnull(u);
    order_is(u, 0, 0, 1, 2);
    ck_assert_str_eq(up_url(u, 1), urls[1]);
    ck_assert_str_eq(up_origin(u, 0), "https://one.example:443");
    ck_assert_str_eq(up_origin(u, 1), "http://two.example:8545");
    up_free(u);
    up_free(NULL);
}
END_TEST

START_TEST(what_an_endpoint_takes_for_the_time_is_kept_and_is_no_failure)
{
    up_t *u = up_new(urls, 3);
    up_status_t s[UP_ENDPOINTS_MAX];
    up_snapshot(u, s);
    ck_assert(!s[0].dated && !s[1].dated && !s[2].dated);
    up_note_date(u, 1, -77);
    up_note_date(u, 1, 78);
    up_snapshot(u, s);
    ck_assert(!s[0].dated && s[1].dated && s[1].date_ms == 78 && !s[2].dated);
    ck_assert(!s[1].failing && !s[1].requests);
    order_is(u, 0, 0, 1, 2);
    up_free(u);
}
END_TEST

START_TEST(a_list_has_at_most_sixteen_endpoints_or_none)
{
    const char *many[UP_ENDPOINTS_MAX + 1];
    for (size_t i = 0; i <= UP_ENDPOINTS_MAX; i++)
        many[i] = urls[0];
    up_t *none = up_new(many, 0);
    size_t order[UP_ENDPOINTS_MAX];
    ck_assert(none && up_count(none) == 0 && up_order(none, order, 0) == 0);
    up_free(none);
    ck_assert_ptr_null(up_new(many, UP_ENDPOINTS_MAX + 1));
    up_t *u = up_new(many, UP_ENDPOINTS_MAX);
    ck_assert_ptr_nonnull(u);
    up_free(u);
}
END_TEST

/* Who claims a newer fork fails as any other does; it is counted, and no lie. */
START_TEST(a_newer_fork_is_counted_as_a_claim_and_not_as_a_lie)
{
    up_status_t s[UP_ENDPOINTS_MAX];
    up_t *u = up_new(urls, 3);
    up_report(u, 0, RC_UNSUPPORTED, "names a fork", 0, 1000);
    order_is(u, 1001, 1, 2, 0);
    ck_assert_uint_lt(retry_at(u, 0), 1500);
    ck_assert(up_claims_newer(u, 1, "HEZE_FORK_EPOCH"));
    order_is(u, 1001, 1, 2, 0);
    up_snapshot(u, s);
    ck_assert_uint_eq(s[0].newer, 1);
    ck_assert_str_eq(s[0].newer_reason, "names a fork");
    ck_assert_uint_eq(s[0].failures, 1);
    ck_assert_uint_eq(s[0].lies | s[1].lies | s[1].failures | s[1].requests, 0);
    ck_assert(!s[1].failing);
    ck_assert_uint_eq(s[1].newer, 1);
    ck_assert_str_eq(s[1].newer_reason, "HEZE_FORK_EPOCH");
    ck_assert(!up_claims_newer(u, 1, "HEZE_FORK_EPOCH"));
    ck_assert(up_claims_newer(u, 1, "eth_config"));
    up_report(u, 0, RC_REFUSED, "another hash", 0, 2000);
    up_report(u, 0, RC_OK, "", 0, 3000);
    up_snapshot(u, s);
    ck_assert_uint_eq(s[0].newer, 1);
    ck_assert_uint_eq(s[0].lies, 1);
    up_free(u);
}
END_TEST

START_TEST(who_failed_comes_after_the_others_until_its_back_off_ends)
{
    up_t *u = up_new(urls, 3);
    up_report(u, 0, RC_IO, "connection refused", 0, 1000);
    order_is(u, 1001, 1, 2, 0);
    order_is(u, retry_at(u, 0) - 1, 1, 2, 0);
    order_is(u, retry_at(u, 0), 0, 1, 2);
    up_free(u);
}
END_TEST

START_TEST(when_all_failed_who_may_be_asked_soonest_comes_first)
{
    up_t *u = up_new(urls, 3);
    up_report(u, 0, RC_REFUSED, "proof does not match", 0, 1000);
    up_report(u, 1, RC_IO, "reset", 9000, 1000);
    up_report(u, 2, RC_IO, "reset", 0, 1000);
    order_is(u, 1001, 2, 0, 1);
    up_free(u);
}
END_TEST

START_TEST(back_off_doubles_from_250_ms_to_30_s_within_its_jitter)
{
    up_t *u = up_new(urls, 3);
    uint64_t now = 5000, base = 250;
    for (unsigned i = 0; i < 40; i++) {
        up_report(u, 0, RC_TIMEOUT, "slow", 0, now);
        uint64_t wait = retry_at(u, 0) - now;
        ck_assert_msg(wait >= base * 3 / 4 && wait <= base * 5 / 4 && wait <= 30000, "failure %u: waits %llu of %llu",
                      i, (unsigned long long)wait, (unsigned long long)base);
        now += wait;
        base = base * 2 > 30000 ? 30000 : base * 2;
    }
    up_free(u);
}
END_TEST

START_TEST(what_is_not_of_the_block_costs_as_much_and_is_no_lie)
{
    up_status_t s[UP_ENDPOINTS_MAX];
    up_t *u = up_new(urls, 3);
    up_report(u, 0, RC_REPLAY, "it is not the block's", 0, 1000);
    up_report(u, 1, RC_IO, "HTTP status 500", 0, 1000);
    up_snapshot(u, s);
    ck_assert(s[0].retry_at_ms >= 1000 + 3000 && s[0].retry_at_ms <= 1000 + 5000);
    ck_assert_uint_le(s[1].retry_at_ms, 1000 + 400);
    ck_assert(!s[0].lies && s[0].unusable == 1 && s[0].failing);
    up_free(u);
}
END_TEST

START_TEST(a_lie_costs_four_seconds_at_once_and_is_counted)
{
    up_status_t s[UP_ENDPOINTS_MAX];
    up_t *u = up_new(urls, 3);
    up_report(u, 2, RC_REFUSED, "proof does not match the state root", 0, 1000);
    up_snapshot(u, s);
    ck_assert_uint_ge(s[2].retry_at_ms, 1000 + 3000);
    ck_assert_uint_le(s[2].retry_at_ms, 1000 + 5000);
    ck_assert_uint_eq(s[2].lies, 1);
    ck_assert_uint_eq(s[2].failures, 1);
    ck_assert_uint_eq(s[2].failed_at_ms, 1000);
    ck_assert(s[2].failing);
    ck_assert_str_eq(s[2].reason, "proof does not match the state root");
    ck_assert(!s[0].failing);
    ck_assert_str_eq(s[0].reason, "");
    up_free(u);
}
END_TEST

/* Two were on their way: one is told to come back in 5 s, and the other is answered after that. */
START_TEST(an_answer_that_was_on_its_way_does_not_end_what_was_asked_for)
{
    up_t *u = up_new(urls, 3);
    up_report(u, 0, RC_IO, "429", 5000, 1000);
    up_report(u, 0, RC_OK, "", 0, 1001);
    ck_assert_uint_eq(up_wait_ms(u, 0, 1001), 4999);
    ck_assert(!up_hints(u, 0, 1001) && !up_hedge(u, 0, 1001, 1));
    order_is(u, 1001, 1, 2, 0);
    ck_assert(up_hints(u, 0, 6000) && up_hedge(u, 0, 6000, 1));
    order_is(u, 6000, 0, 1, 2);
    up_free(u);
}
END_TEST

START_TEST(who_lets_hints_wait_is_asked_for_none_ever_longer_until_one_is_answered)
{
    up_t *u = up_new(urls, 3);
    uint64_t now = 1000, wait = UP_HINT_LATE_MS;
    for (unsigned i = 0; i < 8; i++, wait = 2 * wait < 60000 ? 2 * wait : 60000) {
        ck_assert(up_hints(u, 0, now));
        up_hinted(u, 0, false, now);
        up_hinted(u, 0, false, now); /* two waited for one */
        ck_assert(!up_hints(u, 0, now + wait - 1));
        now += wait;
    }
    up_hinted(u, 0, true, now);
    up_hinted(u, 0, false, now);
    ck_assert(up_hints(u, 0, now + UP_HINT_LATE_MS));
    ck_assert(up_hints(u, 1, 1000));
    order_is(u, 1000, 0, 1, 2);
    up_free(u);
}
END_TEST

/* It was asked beside another one, which answered soon: that says nothing of its own time. */
START_TEST(who_was_called_back_soon_is_not_taken_for_fast)
{
    up_t *u = up_new(urls, 3);
    for (unsigned i = 0; i < 8; i++)
        up_took(u, 0, 150, true, 1000);
    up_took(u, 1, 3, false, 1000);
    order_is(u, 1001, 0, 1, 2);
    ck_assert_uint_eq(up_patience_ms(u, 1, 0), up_patience_ms(u, 2, 0));
    up_took(u, 1, 2000, false, 1000); /* that says something: it is slow, and no measure for others */
    order_is(u, 1001, 0, 2, 1);
    up_report(u, 0, RC_IO, "reset", 0, 1000);
    up_took(u, 2, 9000, true, 1000);
    order_is(u, 1001, 1, 2, 0);
    for (unsigned i = 0; i < 3; i++)
        up_took(u, 1, 20, true, 1000); /* until it answers */
    ck_assert_uint_le(up_patience_ms(u, 1, 0), 200);
    up_free(u);
}
END_TEST

START_TEST(jitter_differs_between_endpoints_and_moments_but_not_between_runs)
{
    up_t *u = up_new(urls, 3), *again = up_new(urls, 3);
    unsigned differ = 0;
    for (unsigned i = 0; i < 20; i++) {
        uint64_t now = 100000 + 100000 * i;
        for (size_t k = 0; k < 2; k++) {
            up_report(u, k, RC_OK, NULL, 0, now);
            up_report(u, k, RC_IO, NULL, 0, now);
            up_report(again, k, RC_OK, NULL, 0, now);
            up_report(again, k, RC_IO, NULL, 0, now);
            ck_assert_uint_eq(retry_at(u, k), retry_at(again, k));
        }
        differ += retry_at(u, 0) != retry_at(u, 1);
    }
    ck_assert_uint_gt(differ, 15);
    up_free(u);
    up_free(again);
}
END_TEST

START_TEST(retry_after_is_a_lower_bound_and_a_later_report_does_not_shorten_it)
{
    up_t *u = up_new(urls, 3);
    up_report(u, 0, RC_IO, "429", 20000, 1000);
    ck_assert_uint_eq(retry_at(u, 0), 21000);
    up_report(u, 0, RC_IO, "reset", 0, 1001);
    ck_assert_uint_eq(retry_at(u, 0), 21000);
    up_free(u);
}
END_TEST

START_TEST(who_is_busy_without_saying_for_how_long_is_soon_asked_again)
{
    up_t *u = up_new(urls, 3);
    for (unsigned i = 0; i < 20; i++)
        up_report(u, 0, RC_IO, "429", 1, 1000);
    ck_assert_uint_gt(up_wait_ms(u, 0, 1000), 2000);
    ck_assert_uint_le(up_wait_ms(u, 0, 1000), 4000);
    up_free(u);
}
END_TEST

START_TEST(a_success_ends_back_off_and_starts_the_count_anew)
{
    up_status_t s[UP_ENDPOINTS_MAX];
    up_t *u = up_new(urls, 3);
    for (unsigned i = 0; i < 6; i++)
        up_report(u, 0, RC_IO, "reset", 0, 1000);
    up_report(u, 0, RC_OK, NULL, 0, 1001);
    order_is(u, 1001, 0, 1, 2);
    up_snapshot(u, s);
    ck_assert(!s[0].failing);
    ck_assert_str_eq(s[0].reason, "reset"); /* the last one stays readable */
    ck_assert_uint_eq(s[0].requests, 7);
    ck_assert_uint_eq(s[0].failures, 6);
    up_report(u, 0, RC_IO, NULL, 0, 2000);
    ck_assert_uint_le(retry_at(u, 0), 2000 + 313);
    up_snapshot(u, s);
    ck_assert_str_eq(s[0].reason, "input/output error");
    up_free(u);
}
END_TEST

START_TEST(what_may_be_a_secret_is_blanked_in_the_words_of_others)
{
    static const char *const keys[] = { "https://rpc.example.org/v2/s3cr3t-k3y",
                                        "https://user12:passw0rd@rpc.example.org:8545/x",
                                        "https://rpc.example.org?apikey=abcdef0123" };
    static const char *const rows[][2] = {
        { "no project s3cr3t-k3y, s3cr3t-k3y at rpc.example.org",
          "no project **********, ********** at rpc.example.org" },
        { "login passw0rd of user12", "login ******** of ******" },
        { "key abcdef0123 is used up; abcdef012 is not", "key ********** is used up; abcdef012 is not" },
    };
    up_status_t s[UP_ENDPOINTS_MAX];
    up_t *u = up_new(keys, 3);
    for (size_t i = 0; i < 3; i++) {
        up_report(u, i, RC_IO, rows[i][0], 0, 1);
        up_snapshot(u, s);
        ck_assert_str_eq(s[i].reason, rows[i][1]);
    }
    up_free(u);
}
END_TEST

START_TEST(who_is_slow_comes_after_the_others_and_once_a_minute_first)
{
    up_t *u = up_new(urls, 3);
    up_took(u, 0, 401, true, 1000);
    order_is(u, 1000, 0, 1, 2); /* nobody is known to be faster */
    up_took(u, 2, 100, true, 1000);
    order_is(u, 1000, 1, 2, 0); /* over three times as long, and 100 ms */
    up_report(u, 1, RC_IO, "reset", 5000, 1000);
    order_is(u, 1000, 2, 0, 1);
    order_is(u, 60999, 1, 2, 0);
    order_is(u, 61000, 0, 1, 2);
    order_is(u, 61001, 1, 2, 0); /* one was enough to find out */
    for (unsigned i = 0; i < 40; i++)
        up_took(u, 0, 100, true, 61001);
    order_is(u, 61001, 0, 1, 2);
    up_free(u);
}
END_TEST

/* RFC 6298 section 2: the first answer gives the mean and half of it; then an eighth and a quarter of what is off. */
START_TEST(an_answer_is_waited_for_as_long_as_it_usually_takes)
{
    up_status_t s[UP_ENDPOINTS_MAX];
    up_t *u = up_new(urls, 3);
    ck_assert_uint_eq(up_patience_ms(u, 0, 0), 1000);
    up_took(u, 0, 800, true, 0);
    ck_assert_uint_eq(up_patience_ms(u, 0, 0), 800 + 4 * 400);
    up_took(u, 0, 800, true, 0);
    ck_assert_uint_eq(up_patience_ms(u, 0, 0), 800 + 4 * 300);
    up_took(u, 0, 700, false, 0); /* given up before the usual time: says nothing */
    ck_assert_uint_eq(up_patience_ms(u, 0, 0), 800 + 4 * 300);
    up_took(u, 0, 1600, false, 0);
    ck_assert_uint_eq(up_patience_ms(u, 0, 0), 900 + 4 * 425);
    up_snapshot(u, s);
    ck_assert(s[0].timed && s[0].mean_ms == 900 && !s[1].timed);
    up_took(u, 1, 1, true, 0);
    ck_assert_uint_eq(up_patience_ms(u, 1, 0), 200);
    up_free(u);
    u = up_new(urls, 3);
    up_took(u, 2, UINT32_MAX, true, 0);
    ck_assert_uint_eq(up_patience_ms(u, 2, 0), 60000 + 4 * 30000);
    up_free(u);
}
END_TEST

/* Once a minute the slow one goes first, and the call does not wait for what it usually takes. */
START_TEST(who_is_slow_is_tried_again_without_anybody_waiting_for_it)
{
    up_t *u = up_new(urls, 2);
    up_took(u, 0, 9000, true, 0);
    ck_assert_uint_eq(up_patience_ms(u, 0, 0), 9000 + 4 * 4500);
    up_took(u, 1, 40, true, 0);
    ck_assert_uint_eq(up_patience_ms(u, 0, 0), 3 * 40 + 100);
    ck_assert_uint_eq(up_usual_ms(u, 0), 9000 + 4 * 4500);
    up_report(u, 1, RC_IO, "reset", 5000, 0);
    ck_assert_uint_eq(up_patience_ms(u, 0, 0), 9000 + 4 * 4500); /* nobody else may be asked */
    ck_assert_uint_eq(up_patience_ms(u, 0, 6000), 3 * 40 + 100);
    up_report(u, 1, RC_OK, "", 0, 6000);
    ck_assert_uint_eq(up_patience_ms(u, 1, 0), 200);
    size_t order[UP_ENDPOINTS_MAX];
    ck_assert(up_hedge(u, 1, 6000, 1)); /* none is left: nothing could be asked beside it */
    ck_assert_uint_eq(up_order(u, order, 60000), 2);
    ck_assert_uint_eq(order[0], 1);
    for (unsigned i = 0; i < 20; i++)
        up_report(u, 1, RC_OK, "", 0, 60000);
    ck_assert_uint_eq(up_order(u, order, 60000), 2);
    ck_assert_uint_eq(order[0], 0);
    up_free(u);
}
END_TEST

START_TEST(of_twenty_requests_one_is_asked_twice)
{
    unsigned hedges = 0;
    up_t *u = up_new(urls, 2);
    for (unsigned i = 0; i < 1000; i++) {
        hedges += up_hedge(u, 1, 0, 1);
        up_report(u, 0, RC_OK, "", 0, 0);
    }
    ck_assert_uint_eq(hedges, 1 + 999 / 20);
    for (unsigned i = 0; i < 1000; i++)
        up_report(u, 0, RC_OK, "", 0, 0);
    for (hedges = 0; up_hedge(u, 1, 0, 1);)
        hedges++;
    ck_assert_uint_eq(hedges, 4);
    for (unsigned i = 0; i < 40; i++)
        up_report(u, 1, RC_IO, "reset", 0, 0);
    ck_assert(!up_hedge(u, 1, 0, 1)); /* it is in back-off */
    up_free(u);
}
END_TEST

START_TEST(a_reason_of_any_length_is_cut_to_fit)
{
    char text[1000];
    up_status_t s[UP_ENDPOINTS_MAX];
    up_t *u = up_new(urls, 3);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    up_report(u, 0, RC_IO, text, 0, 1);
    up_snapshot(u, s);
    ck_assert_uint_eq(strlen(s[0].reason), UP_REASON_MAX - 1);
    up_free(u);
}
END_TEST

START_TEST(that_a_coding_is_of_no_use_is_known_of_each_and_of_its_url)
{
    static const char *const next[] = { "https://one.example:444", "https://three.example" };
    hc_response_t good = { .status = 200 }, bad = { .status = 200, .misread = true };
    up_t *u = up_new(urls, 3);
    up_note_coding(u, 0, &good);
    up_note_coding(u, 2, &bad);
    ck_assert(!up_plain(u, 0) && !up_plain(u, 1) && up_plain(u, 2));
    ck_assert_int_eq(up_replace(u, next, 2, 2000), RC_OK);
    ck_assert(!up_plain(u, 3) && up_plain(u, 2));
    up_free(u);
}
END_TEST

START_TEST(others_take_their_places_and_who_stays_keeps_what_is_known_of_him)
{
    static const char *const next[] = { "https://four.example", "https://three.example" };
    up_status_t s[UP_ENDPOINTS_MAX];
    size_t order[UP_ENDPOINTS_MAX];
    up_t *u = up_new(urls, 3);
    up_report(u, 2, RC_REFUSED, "a lie", 0, 1000);
    ck_assert_int_eq(up_replace(u, next, 2, 2000), RC_OK);
    ck_assert_uint_eq(up_count(u), 4);
    ck_assert_uint_eq(up_order(u, order, 2000), 2);
    ck_assert(order[0] == 3 && order[1] == 2); /* the liar is still in back-off */
    ck_assert(up_is_retired(u, 0) && up_is_retired(u, 1) && !up_is_retired(u, 2) && !up_is_retired(u, 3));
    ck_assert_str_eq(up_url(u, 0), urls[0]); /* for what is under way with it */
    up_report(u, 0, RC_IO, "its last request failed", 0, 2000);
    ck_assert_uint_eq(up_snapshot(u, s), 4);
    ck_assert(s[0].retired && s[0].failures == 1 && s[2].lies == 1 && !s[3].requests);
    ck_assert_int_eq(up_replace(u, urls, 3, 100000), RC_OK); /* back: by their numbers, and with their past */
    ck_assert_uint_eq(up_count(u), 4);
    order_is(u, 200000, 0, 1, 2);
    up_snapshot(u, s);
    ck_assert(!s[0].retired && s[0].failures == 1 && s[2].lies == 1 && s[3].retired);
    up_free(u);
}
END_TEST

START_TEST(a_number_is_given_away_when_it_has_been_retired_for_long_and_none_is_new)
{
    char text[40][32];
    const char *names[40];
    up_status_t s[UP_ENDPOINTS_MAX];
    for (size_t i = 0; i < 40; i++) {
        snprintf(text[i], sizeof text[i], "https://n%zu.example", i);
        names[i] = text[i];
    }
    up_t *u = up_new(names, 10);
    up_report(u, 0, RC_IO, "old", 0, 1000);
    ck_assert_int_eq(up_replace(u, names + 10, 6, 2000), RC_OK);
    ck_assert_uint_eq(up_count(u), UP_ENDPOINTS_MAX);
    ck_assert_int_eq(up_replace(u, names + 20, 1, 2000 + UP_RETIRED_MS - 1), RC_LIMIT);
    ck_assert(!up_has_numbers(u, names + 20, 1, 2000 + UP_RETIRED_MS - 1));
    ck_assert(!up_is_retired(u, 10)); /* nothing has changed */
    ck_assert_int_eq(up_replace(u, names + 20, 10, 2000 + UP_RETIRED_MS), RC_OK);
    ck_assert_int_eq(up_replace(u, names + 30, 1, 2000 + UP_RETIRED_MS), RC_LIMIT); /* 10 to 15 have just retired */
    up_snapshot(u, s);
    for (size_t i = 0; i < 10; i++)
        ck_assert(!s[i].retired && !strcmp(up_url(u, i), names[20 + i]) && !s[i].failures && !s[i].reason[0]);
    const char *many[UP_ENDPOINTS_MAX + 1];
    for (size_t i = 0; i <= UP_ENDPOINTS_MAX; i++)
        many[i] = names[i];
    ck_assert_int_eq(up_replace(u, many, UP_ENDPOINTS_MAX + 1, 900000), RC_LIMIT);
    up_free(u);
}
END_TEST

/* Of fourteen numbers three are to be had anew, and two are left. */
START_TEST(no_number_is_given_to_two_endpoints)
{
    char text[20][32];
    const char *names[20];
    size_t order[UP_ENDPOINTS_MAX];
    for (size_t i = 0; i < 20; i++) {
        snprintf(text[i], sizeof text[i], "http://e%zu.example/", i);
        names[i] = text[i];
    }
    up_t *u = up_new(names, 14);
    ck_assert(!up_has_numbers(u, names + 14, 3, 1000));
    ck_assert_int_eq(up_replace(u, names + 14, 3, 1000), RC_LIMIT);
    ck_assert_uint_eq(up_order(u, order, 1000), 14); /* nothing has changed */
    ck_assert_int_eq(up_replace(u, names + 14, 2, 1000), RC_OK);
    ck_assert_uint_eq(up_order(u, order, 1000), 2);
    ck_assert_int_eq(up_replace(u, names + 14, 5, 1000 + UP_RETIRED_MS), RC_OK);
    ck_assert_uint_eq(up_order(u, order, 1000 + UP_RETIRED_MS), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(up_url(u, order[i]), names[14 + i]);
    up_free(u);
}
END_TEST

static int forget_old_state(cap_t *c, void *ctx)
{
    (void)ctx;
    cap_state(c, 1000, true);
    cap_state(c, 500, false);
    return 0;
}

START_TEST(who_keeps_no_old_state_comes_last_for_it_and_who_retired_never)
{
    static const char *const next[] = { "https://four.example", "https://three.example" };
    size_t order[UP_ENDPOINTS_MAX] = { 0 };
    up_t *u = up_new(urls, 3);
    (void)up_learn(u, 0, forget_old_state, NULL);
    up_order_state(u, order, up_order(u, order, 1000), 400);
    ck_assert(order[0] == 1 && order[1] == 2 && order[2] == 0);
    ck_assert_int_eq(up_replace(u, next, 2, 2000), RC_OK);
    (void)up_learn(u, 3, forget_old_state, NULL);
    const size_t n = up_order(u, order, 2000);
    ck_assert_uint_eq(n, 2);
    up_order_state(u, order, n, 400);
    ck_assert(order[0] == 2 && order[1] == 3);
    up_order_state(u, order, n, 900);
    ck_assert(order[0] == 2 && order[1] == 3); /* as it was */
    up_free(u);
}
END_TEST

/* Every second request is one too many: alone it is asked again soon, and with another one it comes last ever longer. */
START_TEST(who_is_busy_again_and_again_comes_last_ever_longer)
{
    up_t *u = up_new((const char *const[]){ "http://a/", "http://b/" }, 2);
    size_t order[UP_ENDPOINTS_MAX];
    uint64_t now = 1000, last = 0;
    for (unsigned i = 0; i < 8; i++) {
        const uint64_t began = now;
        up_report(u, 0, RC_IO, "asked too often", 1, now);
        ck_assert_uint_le(up_wait_ms(u, 0, now), 320);
        while (up_order(u, order, now) && order[0] == 1)
            now += 10;
        last = now - began;
        up_report(u, 0, RC_OK, "", 0, now);
    }
    ck_assert_uint_ge(last, 2900);
    for (unsigned i = 0; i < 200; i++)
        up_report(u, 0, RC_OK, "", 0, now);
    up_report(u, 0, RC_IO, "asked too often", 1, now); /* that is long ago */
    (void)up_order(u, order, now + 700);
    ck_assert_uint_eq(order[0], 0);
    up_free(u);
}
END_TEST

/* As an answer that was led there tells it. */
static void lead(up_t *u, size_t i, const char *place, bool for_good, uint64_t now_ms)
{
    hc_response_t r = { .led = strdup(place), .led_for_good = for_good };
    up_note_led(u, i, NULL, &r, now_ms);
    free(r.led);
}

static void fail_at(up_t *u, size_t i, const char *place)
{
    hc_response_t r = { .led_failed = true };
    up_note_led(u, i, place, &r, 1000);
}

/* Where endpoint i leads; NULL: nowhere. */
#define LEADS(i, now_ms, place) (same(up_led(u, &a, i, now_ms), place))

static bool same(const char *x, const char *y)
{
    return x && y ? !strcmp(x, y) : x == y;
}

START_TEST(where_an_endpoint_led_is_remembered_until_it_fails_or_for_minutes)
{
    arena_t a;
    arena_init(&a, 1 << 16);
    up_t *u = up_new(urls, 3);
    ck_assert(LEADS(0, 1000, NULL));
    lead(u, 0, "http://there/a", true, 1000);
    lead(u, 1, "http://there/b", false, 1000);
    ck_assert(LEADS(0, UINT64_MAX, "http://there/a") && LEADS(1, 1000, "http://there/b") && LEADS(2, 1000, NULL));
    ck_assert(LEADS(1, 1000 + UP_LED_MS - 1, "http://there/b") && LEADS(1, 1000 + UP_LED_MS, NULL));
    ck_assert(LEADS(1, 999, NULL));  /* the clock was set back */
    fail_at(u, 0, "http://there/b"); /* of another place, where it led before */
    ck_assert(LEADS(0, 1000, "http://there/a"));
    fail_at(u, 0, "http://there/a");
    ck_assert(LEADS(0, 1000, NULL));
    lead(u, 0, "http://there/c", true, 1000);
    ck_assert(LEADS(0, 1000, "http://there/c"));
    up_free(u);
    arena_free(&a);
}
END_TEST

START_TEST(a_failure_that_is_reported_forgets_where_an_endpoint_led_but_late_and_newer_do_not)
{
    static const struct {
        rc_t rc;
        bool kept;
    } rows[] = {
        { RC_OK, true }, { RC_NEED_DATA, true }, { RC_UNSUPPORTED, true }, { RC_REFUSED, false }, { RC_IO, false }
    };
    arena_t a;
    arena_init(&a, 1 << 16);
    up_t *u = up_new(urls, 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lead(u, 0, "http://there/a", true, 1000);
        up_report(u, 0, rows[i].rc, "so", 0, 1000);
        ck_assert_msg(LEADS(0, 1000, rows[i].kept ? "http://there/a" : NULL), "row %zu", i);
    }
    up_free(u);
    arena_free(&a);
}
END_TEST

START_TEST(no_place_outlives_its_endpoints_url)
{
    static const char *const next[] = { "https://four.example" };
    arena_t a;
    arena_init(&a, 1 << 16);
    up_t *u = up_new(urls, 3);
    lead(u, 0, "http://there/a", true, 1000);
    lead(u, 2, "http://there/b", true, 1000);
    ck_assert_int_eq(up_replace(u, urls, 2, 2000), RC_OK);
    ck_assert(LEADS(0, 2000, "http://there/a") && LEADS(2, 2000, NULL));
    lead(u, 2, "http://there/b", true, 2000); /* an answer that was under way */
    ck_assert(LEADS(2, 2000, NULL));
    ck_assert_int_eq(up_replace(u, next, 1, 3000), RC_OK);
    ck_assert_int_eq(up_replace(u, urls, 3, 4000), RC_OK);
    for (size_t i = 0; i < 4; i++)
        ck_assert(LEADS(i, 4000, NULL));
    up_free(u);
    arena_free(&a);
}
END_TEST

START_TEST(of_a_place_nothing_is_seen_in_a_status_and_no_secret_in_the_words_of_others)
{
    up_status_t s[UP_ENDPOINTS_MAX];
    up_t *u = up_new(urls, 3);
    lead(u, 0, "https://there.example/v3/topsecretkey", true, 1000);
    up_report(u, 0, RC_IO, "no route for /v3/topsecretkey", 0, 1000);
    up_snapshot(u, s);
    ck_assert_ptr_null(strstr(s[0].reason, "topsecretkey"));
    ck_assert_ptr_null(strstr(s[0].origin, "there"));
    ck_assert_str_eq(up_url(u, 0), urls[0]);
    up_free(u);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "upstream", a_new_list_is_in_the_operators_order_and_names_no_secrets,
        a_list_has_at_most_sixteen_endpoints_or_none, what_an_endpoint_takes_for_the_time_is_kept_and_is_no_failure,
        a_newer_fork_is_counted_as_a_claim_and_not_as_a_lie, who_failed_comes_after_the_others_until_its_back_off_ends,
        when_all_failed_who_may_be_asked_soonest_comes_first, back_off_doubles_from_250_ms_to_30_s_within_its_jitter,
        a_lie_costs_four_seconds_at_once_and_is_counted, what_is_not_of_the_block_costs_as_much_and_is_no_lie,
        jitter_differs_between_endpoints_and_moments_but_not_between_runs,
        retry_after_is_a_lower_bound_and_a_later_report_does_not_shorten_it,
        who_is_slow_comes_after_the_others_and_once_a_minute_first, an_answer_is_waited_for_as_long_as_it_usually_takes,
        who_is_slow_is_tried_again_without_anybody_waiting_for_it, of_twenty_requests_one_is_asked_twice,
        who_is_busy_without_saying_for_how_long_is_soon_asked_again,
        an_answer_that_was_on_its_way_does_not_end_what_was_asked_for,
        who_lets_hints_wait_is_asked_for_none_ever_longer_until_one_is_answered,
        who_was_called_back_soon_is_not_taken_for_fast, a_success_ends_back_off_and_starts_the_count_anew,
        what_may_be_a_secret_is_blanked_in_the_words_of_others, a_reason_of_any_length_is_cut_to_fit,
        that_a_coding_is_of_no_use_is_known_of_each_and_of_its_url,
        others_take_their_places_and_who_stays_keeps_what_is_known_of_him,
        a_number_is_given_away_when_it_has_been_retired_for_long_and_none_is_new, no_number_is_given_to_two_endpoints,
        who_keeps_no_old_state_comes_last_for_it_and_who_retired_never,
        who_is_busy_again_and_again_comes_last_ever_longer,
        where_an_endpoint_led_is_remembered_until_it_fails_or_for_minutes,
        a_failure_that_is_reported_forgets_where_an_endpoint_led_but_late_and_newer_do_not,
        no_place_outlives_its_endpoints_url,
        of_a_place_nothing_is_seen_in_a_status_and_no_secret_in_the_words_of_others);
}
