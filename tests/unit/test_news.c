/* Filters and subscriptions over a small chain that grows, leaves blocks out and is reorganised: every log once, removed
 * when its block was, nothing before its time. */
#include "tests/unit/news_world.h"

START_TEST(a_filter_tells_every_log_once_also_of_blocks_that_no_head_named)
{
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_str_eq(poll(0), "");
    grow_to(14, 1);
    head(14);
    ck_assert_str_eq(poll(0), ""); /* nothing before the chain between is whole */
    answer_all(false);
    ck_assert_str_eq(poll(0), "+11+12+13+14");
    ck_assert_str_eq(poll(0), "");
    head(14);
    answer_all(false);
    ck_assert_str_eq(poll(0), "");
    ck_assert_uint_eq(queries, 1);
}
END_TEST

START_TEST(what_has_no_room_in_one_answer_is_told_in_the_next)
{
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    follow_to(16, 1);
    ck_assert_str_eq(poll_within(0, 1700), "+11+12");
    ck_assert_str_eq(poll_within(0, 1700), "+13+14");
    ck_assert_str_eq(poll_within(0, 500), "");
    ck_assert_str_eq(poll(0), "+15+16");
    ck_assert_str_eq(poll(0), "");
}
END_TEST

START_TEST(a_reorganisation_takes_back_what_was_told_and_tells_the_new_branch)
{
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(add(2, NULL, API_WATCH_LOGS, OF_A1), RC_OK);
    follow_to(14, 1);
    ck_assert_str_eq(poll(0), "+11+12+13+14");
    ck_assert_str_eq(poll(1), "#11#12#13#14");
    fork_at(13, 2, 15);
    head(15);
    answer_all(false);
    ck_assert_str_eq(poll(0), "-13-14+13+14+15");
    ck_assert_str_eq(poll(1), "#13#14#15");
    ck_assert_str_eq(poll(2), "+13-13+13"); /* had not asked before */
    fork_at(15, 3, 15);
    head(15);
    answer_all(false);
    ck_assert_str_eq(poll(0), "-15+15");
}
END_TEST

START_TEST(receipts_are_asked_for_only_where_a_bloom_lets_somebody_hope)
{
    ck_assert_int_eq(add(0, NULL, API_WATCH_HEADS, ""), RC_OK);
    follow_to(12, 1);
    ck_assert_uint_eq(receipts_asked, 0);
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, OF_A1), RC_OK);
    follow_to(20, 1);
    ck_assert_uint_eq(receipts_asked, 2); /* 13 and 17 */
    ck_assert_str_eq(poll(1), "+13+17");
    ck_assert_str_eq(poll(0), "#11#12#13#14#15#16#17#18#19#20");
}
END_TEST

START_TEST(who_comes_while_blocks_are_fetched_misses_nothing)
{
    ck_assert_int_eq(add(0, NULL, API_WATCH_HEADS, ""), RC_OK);
    grow_to(13, 1);
    head(13);
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, ANY), RC_OK); /* behind 13, which is not announced yet */
    follow_to(14, 1);
    ck_assert_str_eq(poll(0), "#11#12#13#14");
    ck_assert_str_eq(poll(1), "+14");
}
END_TEST

START_TEST(what_failed_is_tried_again_and_nothing_is_lost)
{
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    grow_to(11, 1);
    head(11);
    answer_all(true);
    ck_assert_str_eq(poll(0), "");
    head(11);
    answer_all(true);
    follow_to(13, 1);
    ck_assert_str_eq(poll(0), "+11+12+13");
}
END_TEST

/* An empty list would say that nothing has happened. */
START_TEST(blocks_that_nobody_gives_are_told_and_not_passed_over_in_silence)
{
    int one, two;
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(add(2, &one, API_WATCH_LOGS, ANY), RC_OK);
    news_begin(news, &one, NULL);
    follow_to(11, 1);
    ck_assert_str_eq(poll(0), "+11");
    for (uint64_t n = 12; n < 12 + NEWS_VAIN_MAX; n++) {
        ck_assert_str_eq(poll(0), "");
        ck_assert_uint_eq(ends, 0);
        grow_to(n, 1);
        for (unsigned tries = 0; tries < 3; tries++) { /* one head, however often it is tried for it */
            head(n);
            answer_all(true);
        }
    }
    ck_assert_ptr_nonnull(strstr(poll(0), "nobody gives the blocks"));
    ck_assert_ptr_nonnull(strstr(poll(1), "nobody gives the blocks"));
    ck_assert_ptr_eq(ended_session, &one);
    ck_assert_uint_eq(ends, 1);
    news_over(news, &one);
    ck_assert_int_eq(add(3, &two, API_WATCH_HEADS, ""), RC_OK);
    news_begin(news, &two, NULL);
    grow_to(12 + NEWS_VAIN_MAX, 1);
    head(12 + NEWS_VAIN_MAX);
    answer_all(true);
    ck_assert_ptr_eq(ended_session, &two);
    news_over(news, &two);
    head(12 + NEWS_VAIN_MAX);
    answer_all(false);
    ck_assert_str_eq(poll(0), "+12+13+14+15");
    ck_assert_str_eq(poll(1), "#11#12#13#14#15");
    ck_assert_str_eq(poll(0), "");
}
END_TEST

START_TEST(a_subscription_is_pushed_to_once_it_knows_its_id)
{
    int one, two;
    char want[200];
    ck_assert_int_eq(add(0, &one, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(add(1, &one, API_WATCH_LOGS, OF_A1), RC_OK);
    ck_assert_int_eq(add(2, &two, API_WATCH_LOGS, ANY), RC_OK);
    follow_to(12, 1);
    ck_assert_uint_eq(pushes, 0);
    news_begin(news, &one, NULL);
    ck_assert_uint_eq(pushes, 2); /* two heads, and no log */
    snprintf(want, sizeof want,
             "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"%s\",\"result\":{"
             "\"number\":\"0xb\",\"hash\":\"0x",
             ids[0]);
    ck_assert_msg(!strncmp(pushed, want, strlen(want)), "%s", pushed);
    fork_at(12, 2, 13);
    head(13);
    answer_all(false);
    ck_assert_uint_eq(pushes, 5); /* heads 12 and 13, and the log of 13 */
    ck_assert_ptr_nonnull(strstr(pushed, "\"removed\":false"));
    fork_at(13, 3, 13);
    head(13);
    answer_all(false);
    ck_assert_uint_eq(pushes, 8); /* the log again, and once as removed */
    ck_assert_ptr_nonnull(strstr(pushed, "\"removed\":true"));
    news_over(news, &one);
    follow_to(17, 3);
    ck_assert_uint_eq(pushes, 8);
    news_begin(news, &two, NULL);
    ck_assert_uint_eq(pushes, 8 + 2 + 3 + 2 + 4); /* 11, 12; -12, 12', 13'; -13', 13''; 14 to 17 */
    news_over(news, &two);
    news_over(news, &two);
}
END_TEST

START_TEST(an_answer_to_another_message_begins_no_subscription)
{
    int one, slow, quick;
    asking_message = &slow;
    ck_assert_int_eq(add(0, &one, API_WATCH_HEADS, ""), RC_OK);
    asking_message = &quick;
    ck_assert_int_eq(add(1, &one, API_WATCH_HEADS, ""), RC_OK);
    asking_message = NULL;
    news_begin(news, &one, &quick);
    follow_to(11, 1);
    ck_assert_uint_eq(pushes, 1);
    ck_assert_ptr_null(strstr(pushed, ids[0]));
    news_begin(news, &one, &slow);
    ck_assert_uint_eq(pushes, 2);
    ck_assert_ptr_nonnull(strstr(pushed, ids[0]));
    news_over(news, &one);
}
END_TEST

START_TEST(a_subscription_is_told_the_receipts_of_each_block_in_one_message)
{
    int one, two;
    ck_assert_int_eq(add(0, &one, API_WATCH_RECEIPTS, "{}"), RC_OK);
    ck_assert_int_eq(add(1, &two, API_WATCH_RECEIPTS, "{\"transactionHashes\":[\"0x" ONES "\"]}"), RC_OK);
    news_begin(news, &one, NULL);
    news_begin(news, &two, NULL);
    follow_to(12, 1);
    ck_assert_uint_eq(receipts_asked, 2);
    ck_assert_uint_eq(pushes, 2); /* the other waits for a transaction that did not come */
    ck_assert_ptr_nonnull(strstr(pushed, "\"result\":[{\"blockHash\":\"0x"));
    ck_assert_ptr_nonnull(strstr(pushed, "\"blockNumber\":\"0xb\",\"transactionHash\":\"0x"));
    ck_assert_ptr_nonnull(strstr(pushed, "\"from\":\"" TX_SENDER "\""));
    ck_assert_ptr_nonnull(strstr(pushed, "\"effectiveGasPrice\":\"0x4a817c800\",\"gasUsed\":\"0x5208\""));
    fork_at(12, 2, 13);
    head(13);
    answer_all(false);
    ck_assert_uint_eq(pushes, 4); /* 12 and 13 of the new branch; nothing is taken back */
    ck_assert_ptr_null(strstr(pushed, "\"removed\":true"));
    news_over(news, &two);
    news_over(news, &one);
    receipts_asked = 0;
    ck_assert_int_eq(add(0, NULL, API_WATCH_HEADS, ""), RC_OK);
    follow_to(14, 2);
    ck_assert_uint_eq(receipts_asked, 0);
}
END_TEST

START_TEST(a_subscription_to_receipts_finds_its_transaction)
{
    int one;
    char of_it[200] = "{\"transactionHashes\":[\"0x" ONES "\",\"0x";
    const size_t n = strlen(of_it);
    hex_encode(of_it + n, view_of(tx_hash.b, 32));
    strcat(of_it, "\"]}");
    ck_assert_int_eq(add(0, &one, API_WATCH_RECEIPTS, of_it), RC_OK);
    news_begin(news, &one, NULL);
    follow_to(11, 1);
    ck_assert_uint_eq(pushes, 1);
    ck_assert_int_ne(add(1, &one, API_WATCH_RECEIPTS, "{\"transactionHashes\":[\"0x12\"]}"), RC_OK);
    ck_assert_int_eq(add(1, &one, API_WATCH_RECEIPTS, "{\"transactionHashes\":null}"), RC_OK);
    news_begin(news, &one, NULL);
    follow_to(12, 1);
    ck_assert_uint_eq(pushes, 3);
}
END_TEST

/* What awaited says, and the receipt's block; 0: none was written. */
static rc_t look_for(uint64_t *number, void *wait)
{
    err_t e;
    jo_doc_t doc;
    jw_t out = jw_of(&arena, 1u << 20);
    *number = 0;
    const rc_t rc = NEWS_EVENTS.awaited(news, &out, &e, wait);
    if (rc)
        return rc;
    const jo_t o = jo_open(&doc, &e, jw_done(&out), 1u << 20, JO_LENIENT);
    *number = jo_quantity(&o, "blockNumber");
    ck_assert(jo_kind(&o, "logs") == JO_LIST);
    jo_close(&doc);
    return RC_OK;
}

static rc_t wait_for(void **wait, const hash32_t *hash, const void *client)
{
    err_t e;
    return NEWS_EVENTS.await(news, wait, &e, &(api_await_t){ hash, 20000, client, &latest });
}

START_TEST(a_receipt_that_is_waited_for_is_the_first_blocks_that_has_it)
{
    void *wait, *other;
    uint64_t number;
    const hash32_t nobodys = { { 1 } };
    ck_assert_int_eq(wait_for(&wait, &tx_hash, NULL), RC_OK);
    ck_assert_int_eq(wait_for(&other, &nobodys, NULL), RC_OK);
    ck_assert_int_eq(look_for(&number, wait), RC_NEED_DATA);
    grow_to(12, 1);
    head(12);
    ck_assert_int_eq(look_for(&number, wait), RC_NEED_DATA);
    answer_all(false);
    ck_assert_int_eq(look_for(&number, wait), RC_OK);
    ck_assert_uint_eq(number, 11);
    ck_assert_int_eq(look_for(&number, other), RC_NEED_DATA);
    clock_now += 19999;
    ck_assert_int_eq(look_for(&number, other), RC_NEED_DATA);
    clock_now++;
    ck_assert_int_eq(look_for(&number, other), RC_TIMEOUT);
    ck_assert_int_eq(look_for(&number, wait), RC_OK); /* it came in time */
    NEWS_EVENTS.leave(news, other);
    receipts_asked = 0;
    grow_to(13, 1);
    head(13); /* who has its receipt needs no more of them */
    answer_all(false);
    ck_assert_uint_eq(receipts_asked, 0);
    NEWS_EVENTS.leave(news, wait);
    const unsigned before = queries;
    grow_to(14, 1);
    head(14);
    ck_assert_uint_eq(queries, before); /* nobody is there */
}
END_TEST

START_TEST(who_waits_for_a_receipt_is_told_when_the_chain_is_lost_and_there_are_not_too_many)
{
    void *waits[NEWS_WAITS_MAX], *more;
    uint64_t number, filters, subscriptions;
    for (size_t i = 0; i < NEWS_WAITS_MAX; i++)
        ck_assert_int_eq(wait_for(&waits[i], &tx_hash, NULL), RC_OK);
    ck_assert_int_eq(wait_for(&more, &tx_hash, NULL), RC_LIMIT);
    news_counts(news, &filters, &subscriptions);
    ck_assert_uint_eq(filters + subscriptions, 0);
    NEWS_EVENTS.leave(news, waits[7]);
    ck_assert_int_eq(wait_for(&waits[7], &tx_hash, NULL), RC_OK);
    fork_at(9, 2, 12);
    head(12);
    answer_all(false);
    ck_assert_uint_eq(ends, 0); /* there is no session */
    for (size_t i = 0; i < NEWS_WAITS_MAX; i++) {
        ck_assert_int_eq(look_for(&number, waits[i]), RC_IO);
        NEWS_EVENTS.leave(news, waits[i]);
    }
    ck_assert_int_eq(wait_for(&more, &tx_hash, NULL), RC_OK);
    tx_bytes[0] = 0x7f; /* of a newer fork */
    follow_to(13, 2);
    ck_assert_int_eq(look_for(&number, more), RC_IO);
    NEWS_EVENTS.leave(news, more);
    news_free(news);
    open_news(NEWS_OFF, 0);
    ck_assert_int_eq(wait_for(&more, &tx_hash, NULL), RC_UNSUPPORTED);
}
END_TEST

START_TEST(no_client_takes_all_places_of_those_who_wait_for_receipts)
{
    static const char one, other;
    void *waits[NEWS_WAITS_MAX], *more;
    size_t n = 0;
    while (n < NEWS_WAITS_MAX && !wait_for(&waits[n], &tx_hash, &one))
        n++;
    ck_assert_uint_eq(n, NEWS_WAITS_MAX / 4);
    ck_assert_int_eq(wait_for(&waits[n++], &tx_hash, &other), RC_OK);
    ck_assert_int_eq(wait_for(&waits[n++], &tx_hash, NULL), RC_OK);
    NEWS_EVENTS.leave(news, waits[0]);
    ck_assert_int_eq(wait_for(&waits[0], &tx_hash, &one), RC_OK);
    ck_assert_int_eq(wait_for(&more, &tx_hash, &one), RC_LIMIT);
    while (n)
        NEWS_EVENTS.leave(news, waits[--n]);
}
END_TEST

/* A proven block may hold what this build cannot read. */
START_TEST(receipts_that_cannot_be_told_end_their_subscription_and_nobody_elses)
{
    int one;
    ck_assert_int_eq(add(0, &one, API_WATCH_RECEIPTS, "{}"), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, ANY), RC_OK);
    news_begin(news, &one, NULL);
    tx_bytes[0] = 0x7f; /* of a newer fork */
    follow_to(12, 1);
    ck_assert_uint_eq(ends, 1);
    ck_assert_uint_eq(pushes, 0);
    ck_assert_str_eq(poll(1), "+11+12");
}
END_TEST

/* A block on top with more logs than are kept of one. */
static void make_full(uint64_t n)
{
    const size_t count = 310000;
    evm_log_t *logs = calloc(count, sizeof *logs);
    made_t *m = &chain[n];
    ex_header_t *h = &m->block.header;
    ex_receipt_t r = { .success = true, .cumulative_gas = 21000, .logs = logs, .log_count = count };
    ck_assert_ptr_nonnull(logs);
    make(n, 1);
    for (size_t i = 0; i < count; i++)
        logs[i].addr = m->log.addr;
    memset(h->logs_bloom, 0, sizeof h->logs_bloom);
    ex_bloom_add_logs(h->logs_bloom, logs, 1);
    memcpy(r.bloom, h->logs_bloom, sizeof r.bloom);
    ck_assert_int_eq(ex_receipt_encode(&m->receipt, &arena, &r), RC_OK);
    ck_assert_int_eq(mpt_list_root(&h->receipts_root, &m->receipt, 1, &arena), RC_OK);
    ex_header_hash(&m->block.hash, h);
    free(logs);
}

START_TEST(logs_that_are_too_many_to_keep_end_who_waits_for_them_and_nobody_else)
{
    int one, two;
    uint64_t number;
    void *wait;
    api_criteria_t a1;
    const hash32_t nobodys = { { 1 } };
    jw_t w = jw_of(&arena, 1u << 20);
    ck_assert_int_eq(api_criteria_parse(&a1, &arena, API_WATCH_LOGS, view_str(OF_A1)), RC_OK);
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(add(2, NULL, API_WATCH_LOGS, OF_A1), RC_OK);
    ck_assert_int_eq(add(3, &one, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(4, &two, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(wait_for(&wait, &nobodys, NULL), RC_OK);
    follow_to(11, 1);
    ck_assert_str_eq(poll(0), "+11");
    make_full(12);
    follow_to(13, 1);
    ck_assert_str_eq(poll(0), "filter not found"); /* rather than all but these */
    ck_assert_str_eq(poll(1), "#11#12#13");
    ck_assert_str_eq(poll(2), "+13");
    ck_assert_uint_eq(ends, 1);
    ck_assert_ptr_eq(ended_session, &one);
    ck_assert_int_eq(look_for(&number, wait), RC_IO);
    NEWS_EVENTS.leave(news, wait);
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    follow_to(14, 1);
    ck_assert_str_eq(poll(0), "+14");
    ck_assert(NEWS_EVENTS.logs(news, &w, &a1.filter, 11, 14, &latest));
    a1.filter.addr_count = 0;
    ck_assert(!NEWS_EVENTS.logs(news, &w, &a1.filter, 12, 12, &latest)); /* these are not in memory */
}
END_TEST

/* How many blocks the query that waits asks for first. */
static size_t blocks_asked(void)
{
    const need_t *needs;
    err_t e;
    ck_assert_int_eq(query_step(waiting.q, &e), RC_NEED_DATA);
    return query_needs(waiting.q, &needs);
}

static void end_query(rc_t rc)
{
    query_t *q = waiting.q;
    const err_t e = { .rc = rc, .text = "out of memory" };
    waiting.q = NULL;
    waiting.done(waiting.ctx, rc, &e, q);
}

START_TEST(what_is_too_much_for_the_memory_at_once_is_asked_for_in_smaller_steps)
{
    unsigned tries = 0;
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    grow_to(13, 1);
    head(13);
    while (blocks_asked() > 2) {
        end_query(RC_NOMEM);
        ck_assert_ptr_nonnull(waiting.q); /* at once */
        ck_assert_uint_lt(++tries, 8);    /* half of FEED_STEP_MAX each time */
    }
    answer_all(false);
    ck_assert_str_eq(poll(0), "+11+12+13");
    grow_to(14, 1);
    head(14);
    for (tries = 0; waiting.q; tries++) /* not even one: it waits for the next head */
        end_query(RC_NOMEM);
    ck_assert_uint_lt(tries, 10);
    head(14);
    answer_all(false);
    ck_assert_str_eq(poll(0), "+14");
}
END_TEST

START_TEST(who_comes_behind_blocks_that_were_told_without_logs_begins_there)
{
    int one;
    ck_assert_int_eq(add(0, NULL, API_WATCH_HEADS, ""), RC_OK);
    const ex_block_t before = latest;
    follow_to(12, 1);
    latest = before; /* its request came when 10 was the latest block */
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(2, &one, API_WATCH_RECEIPTS, "{}"), RC_OK);
    ck_assert_int_eq(add(3, NULL, API_WATCH_HEADS, ""), RC_OK);
    news_begin(news, &one, NULL);
    follow_to(13, 1);
    ck_assert_str_eq(poll(1), "+13");
    ck_assert_uint_eq(pushes, 1);
    ck_assert_str_eq(poll(3), "#11#12#13");
}
END_TEST

START_TEST(one_session_cannot_end_what_is_anothers)
{
    int one, two;
    ck_assert_int_eq(add(0, &one, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_HEADS, ""), RC_OK);
    ck_assert(!NEWS_EVENTS.remove(news, &two, view_str(ids[0])));
    ck_assert(!NEWS_EVENTS.remove(news, NULL, view_str(ids[0])));
    ck_assert(!NEWS_EVENTS.remove(news, &one, view_str(ids[1])));
    ck_assert_str_eq(poll(0), "filter not found");
    ck_assert(NEWS_EVENTS.remove(news, &one, view_str(ids[0])));
    ck_assert(!NEWS_EVENTS.remove(news, &one, view_str(ids[0])));
    ck_assert(NEWS_EVENTS.remove(news, NULL, view_str(ids[1])));
}
END_TEST

START_TEST(filters_and_subscriptions_are_bounded_and_forgotten_filters_end)
{
    int session;
    for (unsigned i = 0; i < NEWS_SUBSCRIPTIONS_MAX; i++)
        ck_assert_int_eq(add(0, &session, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(add(0, &session, API_WATCH_HEADS, ""), RC_LIMIT);
    for (unsigned i = 0; i < NEWS_FILTERS_MAX; i++)
        ck_assert_int_eq(add(0, NULL, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_HEADS, ""), RC_LIMIT);
    clock_now += NEWS_IDLE_MS;
    ck_assert_str_eq(poll(0), ""); /* this one is used */
    clock_now += 1;
    ck_assert_int_eq(add(1, NULL, API_WATCH_HEADS, ""), RC_OK);
    clock_now += NEWS_IDLE_MS;
    ck_assert_str_eq(poll(0), "filter not found");
    ck_assert_str_eq(poll(1), "");
}
END_TEST

START_TEST(who_has_all_filters_gives_way_to_others)
{
    static const int flood, other, third;
    ck_assert_int_eq(add_by(&flood, 0, NULL, API_WATCH_HEADS, ""), RC_OK);
    clock_now++;
    ck_assert_int_eq(add_by(&flood, 1, NULL, API_WATCH_HEADS, ""), RC_OK);
    for (unsigned i = 2; i < NEWS_FILTERS_MAX; i++)
        ck_assert_int_eq(add_by(&flood, 2, NULL, API_WATCH_HEADS, ""), RC_OK); /* alone, all of them */
    ck_assert_int_eq(add_by(&flood, 2, NULL, API_WATCH_HEADS, ""), RC_LIMIT);
    clock_now++;
    ck_assert_str_eq(poll(0), "");
    for (unsigned i = 0; i < NEWS_FILTERS_MAX / 4; i++)
        ck_assert_int_eq(add_by(&other, 3, NULL, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(add_by(&other, 4, NULL, API_WATCH_HEADS, ""), RC_LIMIT); /* more than its quarter */
    ck_assert_str_eq(poll(1), "filter not found");                            /* polled longest ago, and never since */
    ck_assert_str_eq(poll(0), "");
    ck_assert_str_eq(poll(3), "");
    ck_assert_int_eq(add_by(&third, 5, NULL, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_str_eq(poll(3), ""); /* again the flood's */
}
END_TEST

/* As of subscriptions, whose number has no end but by connections. */
START_TEST(who_has_the_memory_of_all_criteria_gives_way_to_others)
{
    static int sessions[64];
    static const int clients[16]; /* each with a quarter of it */
    unsigned n = 0;
    ended_session = NULL;
    for (; !ended_session; n++)
        ck_assert_int_eq(
            add_by(&clients[n / NEWS_OF_CLIENT_MAX], 0, &sessions[n / NEWS_SUBSCRIPTIONS_MAX], API_WATCH_LOGS, ANY),
            RC_OK);
    ck_assert((int *)ended_session <
              &sessions[(n - 1) / NEWS_OF_CLIENT_MAX * NEWS_OF_CLIENT_MAX / NEWS_SUBSCRIPTIONS_MAX]);
    news_over(news, ended_session); /* which held a hundred */
    for (unsigned i = 1; i < NEWS_SUBSCRIPTIONS_MAX; i++)
        ck_assert_int_eq(add_by(&clients[15], 1, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_uint_eq(ends, 1);
}
END_TEST

START_TEST(a_flood_of_subscriptions_is_bounded_and_who_takes_nothing_is_written_nothing)
{
    int sessions[2 + NEWS_OF_CLIENT_MAX / NEWS_SUBSCRIPTIONS_MAX];
    static const int flood, other;
    for (unsigned i = 0; i < NEWS_OF_CLIENT_MAX; i++)
        ck_assert_int_eq(add_by(&flood, 0, &sessions[i / NEWS_SUBSCRIPTIONS_MAX], API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add_by(&flood, 0, &sessions[NEWS_OF_CLIENT_MAX / NEWS_SUBSCRIPTIONS_MAX], API_WATCH_HEADS, ""),
                     RC_LIMIT);
    int *const good = &sessions[1 + NEWS_OF_CLIENT_MAX / NEWS_SUBSCRIPTIONS_MAX];
    ck_assert_int_eq(add_by(&other, 0, good, API_WATCH_LOGS, ANY), RC_OK);
    deaf = &sessions[0];
    news_begin(news, &sessions[0], NULL);
    news_begin(news, good, NULL);
    follow_to(16, 1);
    ck_assert_uint_eq(tried, NEWS_SUBSCRIPTIONS_MAX); /* once each, of six blocks */
    ck_assert_uint_eq(pushes, 6);
}
END_TEST

START_TEST(who_has_no_room_for_all_is_told_the_rest_when_there_is)
{
    int one;
    char want[40];
    ck_assert_int_eq(add(0, &one, API_WATCH_LOGS, ANY), RC_OK);
    news_begin(news, &one, NULL);
    grow_to(16, 1);
    head(16);
    places = 2;
    answer_all(false);
    for (unsigned n = 11; n <= 16; n++) {
        ck_assert_uint_eq(pushes, n - 11 < 2 ? 2 : n - 10);
        snprintf(want, sizeof want, "\"blockNumber\":\"0x%x\"", n);
        ck_assert_ptr_nonnull(strstr(pushed, want));
        places += n > 11;
        news_more(news, &one);
    }
    news_more(news, &one);
    ck_assert_uint_eq(pushes, 6);
    ck_assert_uint_eq(ends, 0);
    places = UINT32_MAX;
}
END_TEST

START_TEST(criteria_bound_the_blocks_and_those_that_cannot_be_read_are_refused)
{
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, "{\"fromBlock\":\"0xc\",\"toBlock\":\"0xd\"}"), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, "{\"fromBlock\":\"latest\",\"toBlock\":null}"), RC_OK);
    ck_assert_int_eq(add(2, NULL, API_WATCH_LOGS, "{\"topics\":[null,[]]}"), RC_OK); /* logs have one topic */
    ck_assert_int_ne(add(3, NULL, API_WATCH_LOGS, "{\"address\":1}"), RC_OK);
    follow_to(15, 1);
    ck_assert_str_eq(poll(0), "+12+13");
    ck_assert_str_eq(poll(1), "+11+12+13+14+15");
    ck_assert_str_eq(poll(2), "");
}
END_TEST

START_TEST(logs_that_are_in_memory_are_answered_from_there_and_no_others)
{
    api_criteria_t any, a1;
    jw_t w = jw_of(&arena, 1u << 20);
    ck_assert_int_eq(api_criteria_parse(&any, &arena, API_WATCH_LOGS, view_str(ANY)), RC_OK);
    ck_assert_int_eq(api_criteria_parse(&a1, &arena, API_WATCH_LOGS, view_str(OF_A1)), RC_OK);
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, OF_A1), RC_OK);
    grow_to(14, 1);
    head(14);
    ck_assert(!NEWS_EVENTS.logs(news, &w, &a1.filter, 11, 14, &latest));
    answer_all(false);
    ck_assert(!NEWS_EVENTS.logs(news, &w, &any.filter, 11, 14, &latest)); /* nobody asked for all of them */
    ck_assert(!NEWS_EVENTS.logs(news, &w, &a1.filter, 10, 14, &latest));  /* 10 is where it began */
    ck_assert(NEWS_EVENTS.logs(news, &w, &a1.filter, 11, 14, &latest));
    const view_t text = jw_done(&w);
    ck_assert_ptr_nonnull(strstr((const char *)text.p, "\"blockNumber\":\"0xd\""));
    ck_assert_ptr_null(strstr((const char *)text.p, "\"blockNumber\":\"0xe\""));
    ex_block_t other = latest;
    other.block_hash.b[0] ^= 1;
    ck_assert(!NEWS_EVENTS.logs(news, &w, &a1.filter, 11, 14, &other)); /* another head's */
}
END_TEST

START_TEST(always_follows_all_logs_and_off_none)
{
    api_criteria_t any;
    jw_t w = jw_of(&arena, 1u << 20);
    ck_assert_int_eq(api_criteria_parse(&any, &arena, API_WATCH_LOGS, view_str(ANY)), RC_OK);
    news_free(news);
    open_news(NEWS_OFF, 0);
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_UNSUPPORTED);
    ck_assert_int_eq(add(0, NULL, API_WATCH_HEADS, ""), RC_OK);
    news_free(news);
    open_news(NEWS_ALWAYS, 0);
    head(10);
    follow_to(13, 1);
    ck_assert_uint_eq(receipts_asked, 3);
    ck_assert(NEWS_EVENTS.logs(news, &w, &any.filter, 11, 13, &latest));
}
END_TEST

START_TEST(a_gap_is_told_and_not_passed_over)
{
    int session;
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(1, &session, API_WATCH_LOGS, ANY), RC_OK);
    news_begin(news, &session, NULL);
    fork_at(9, 2, 12); /* below where they began */
    head(12);
    answer_all(false);
    ck_assert_str_eq(poll(0), "filter not found");
    ck_assert_uint_eq(ends, 1);
    ck_assert_uint_eq(pushes, 0);
}
END_TEST

START_TEST(who_began_at_a_block_that_is_taken_away_goes_on_below_it)
{
    int session;
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(1, &session, API_WATCH_LOGS, ANY), RC_OK);
    news_begin(news, &session, NULL);
    fork_at(10, 2, 12);
    head(12);
    answer_all(false);
    ck_assert_str_eq(poll(0), "+10+11+12");
    ck_assert_uint_eq(ends, 0);
    ck_assert_uint_eq(pushes, 3);
}
END_TEST

START_TEST(a_filter_that_is_polled_too_late_is_told_so)
{
    teardown();
    setup();
    news_free(news);
    open_news(NEWS_ON_DEMAND, 20000);
    head(10);
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, ANY), RC_OK);
    for (uint64_t n = 11; n < 50; n++) {
        make(n, 1);
        head(n);
        answer_all(false);
        ck_assert_int_eq(poll(1)[0], '+');
    }
    ck_assert_str_eq(poll(0), "the filter was polled too late: its changes are not kept any more");
    ck_assert_str_eq(poll(0), "filter not found");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "news", setup, teardown, a_filter_tells_every_log_once_also_of_blocks_that_no_head_named,
        a_reorganisation_takes_back_what_was_told_and_tells_the_new_branch,
        what_has_no_room_in_one_answer_is_told_in_the_next,
        receipts_are_asked_for_only_where_a_bloom_lets_somebody_hope, who_comes_while_blocks_are_fetched_misses_nothing,
        what_failed_is_tried_again_and_nothing_is_lost,
        blocks_that_nobody_gives_are_told_and_not_passed_over_in_silence,
        a_subscription_is_pushed_to_once_it_knows_its_id, an_answer_to_another_message_begins_no_subscription,
        a_subscription_is_told_the_receipts_of_each_block_in_one_message,
        a_subscription_to_receipts_finds_its_transaction, a_receipt_that_is_waited_for_is_the_first_blocks_that_has_it,
        who_waits_for_a_receipt_is_told_when_the_chain_is_lost_and_there_are_not_too_many,
        no_client_takes_all_places_of_those_who_wait_for_receipts,
        receipts_that_cannot_be_told_end_their_subscription_and_nobody_elses,
        logs_that_are_too_many_to_keep_end_who_waits_for_them_and_nobody_else,
        what_is_too_much_for_the_memory_at_once_is_asked_for_in_smaller_steps,
        who_comes_behind_blocks_that_were_told_without_logs_begins_there, one_session_cannot_end_what_is_anothers,
        who_has_all_filters_gives_way_to_others, who_has_the_memory_of_all_criteria_gives_way_to_others,
        filters_and_subscriptions_are_bounded_and_forgotten_filters_end,
        a_flood_of_subscriptions_is_bounded_and_who_takes_nothing_is_written_nothing,
        who_has_no_room_for_all_is_told_the_rest_when_there_is,
        criteria_bound_the_blocks_and_those_that_cannot_be_read_are_refused,
        logs_that_are_in_memory_are_answered_from_there_and_no_others, always_follows_all_logs_and_off_none,
        a_gap_is_told_and_not_passed_over, who_began_at_a_block_that_is_taken_away_goes_on_below_it,
        a_filter_that_is_polled_too_late_is_told_so);
}
