/* Standing calls of a node, through the HTTP server: what they cost at a head, what is served when runs fail, and what
 * listeners and sessions are told. */
#include "tests/unit/vigil_world.h"

/* ---- what they cost ---- */

START_TEST(five_hundred_calls_cost_one_batch_a_head)
{
    static char ids[MANY][ID_LEN + 1];
    char token[TOKEN_LEN + 1] = "";
    setup_all();
    for (unsigned i = 0; i < MANY; i++)
        add(ids[i], token, i);
    ck_assert_uint_eq(batches(), 0); /* no head was told of yet */
    tell_heads();
    wait_runs(MANY);
    for (unsigned head = 2; head < 5; head++) {
        const unsigned before = batches();
        set_slot(5, head); /* another state */
        new_head(head);
        tell_heads();
        wait_runs(head * MANY);
        ck_assert_uint_eq(counts().failed, 0);
        ck_assert_uint_eq(batches() - before, 1);
        expect_word_of(ids[5], (uint8_t)head, head);
        expect_word_of(ids[499], 0, head);
    }
    ck_assert_uint_eq(counts().calls, MANY);
    end_all();
}
END_TEST

static int take_8_keys(cap_t *c, void *ctx)
{
    (void)ctx;
    c->keys_good = 0; /* whatever it gave before */
    cap_keys(c, 16, false);
    return 0;
}

START_TEST(what_they_read_before_is_asked_in_proofs_as_large_as_the_endpoint_gives)
{
    char id[ID_LEN + 1], token[TOKEN_LEN + 1] = "";
    setup_all();
    for (unsigned i = 0; i < 20; i++)
        add(id, token, i);
    tell_heads();
    wait_runs(20);
    up_learn(upstream, 0, take_8_keys, NULL);
    pthread_mutex_lock(&lock);
    ends[0].most_keys = 0;
    pthread_mutex_unlock(&lock);
    set_slot(5, 7);
    new_head(2);
    tell_heads();
    wait_runs(40);
    pthread_mutex_lock(&lock);
    const unsigned keys = ends[0].most_keys;
    pthread_mutex_unlock(&lock);
    ck_assert_uint_eq(keys, 8);
    ck_assert_uint_eq(counts().failed, 0);
    end_all();
}
END_TEST

START_TEST(what_reads_something_else_asks_for_it_by_itself_and_fails_alone)
{
    char one[ID_LEN + 1], other[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "";
    setup_all();
    tell_heads();
    add(one, token, 5);
    wait_runs(1); /* at once, and not at the next head alone */
    expect_word_of(one, (uint8_t)1234, 1);
    pthread_mutex_lock(&lock);
    ends[0].refused = ends[1].refused = "00000009\"]"; /* the proof of slot 9 */
    pthread_mutex_unlock(&lock);
    set_slot(5, 7);
    new_head(2);
    tell_heads();
    add(other, token, 9);
    wait_runs(3);
    expect_word_of(one, 7, 2);
    snprintf(path, sizeof path, "/v1/standing/%s", other);
    expect_answer("GET", path, NULL, "", 503, "no-statement");
    expect_answer("GET", "/v1/standing", token, "", 200, "\"why\":\"");
    pthread_mutex_lock(&lock);
    ends[0].refused = ends[1].refused = NULL;
    pthread_mutex_unlock(&lock);
    set_slot(9, 4);
    new_head(3);
    tell_heads();
    wait_runs(5);
    expect_word_of(other, 4, 3);
    end_all();
}
END_TEST

START_TEST(the_last_good_statement_is_served_until_it_expires)
{
    char id[ID_LEN + 1], path[80], token[TOKEN_LEN + 1] = "";
    setup_all();
    tell_heads();
    add(id, token, 5);
    wait_runs(1);
    ends[0].status = ends[1].status = 500;
    set_slot(5, 7);
    new_head(2);
    ready = false; /* nothing is signed: the run fails at once */
    tell_heads();
    wait_runs(2);
    expect_word_of(id, (uint8_t)1234, 1);
    snprintf(path, sizeof path, "/v1/standing/%s", id);
    expect_answer("GET", path, NULL, "", 200, "\"why\":\"degraded: the head is old\"");
    now_ms += 200000;
    expect_answer("GET", path, NULL, "", 503, "degraded: the head is old");
    ready = true;
    ends[0].status = ends[1].status = 0;
    new_head(3);
    tell_heads();
    wait_runs(3);
    expect_word_of(id, 7, 3);
    end_all();
}
END_TEST

/* The state and the time of a head are another slot's; its block has the number that it is said to have. */
static void reorganised_head(uint64_t slot, uint64_t number)
{
    new_head(slot);
    pthread_mutex_lock(&view_lock);
    view.latest.header.execution.block_number = number;
    pthread_mutex_unlock(&view_lock);
}

START_TEST(a_head_that_is_no_higher_than_the_last_one_is_a_head)
{
    char id[ID_LEN + 1], token[TOKEN_LEN + 1] = "", query[80];
    setup_all();
    new_head(5);
    tell_heads();
    add(id, token, 5);
    wait_runs(1);
    expect_word_of(id, (uint8_t)1234, 5);
    snprintf(query, sizeof query, "?ids=%s", id);
    const int on = listen_for(query, NULL, NULL);
    (void)hear_until(on, "event: open");
    set_slot(5, 7);
    reorganised_head(6, 5);
    tell_heads();
    wait_runs(2);
    expect_word_of(id, 7, 5);
    (void)hear_until(on, "\"head\":5,");
    set_slot(5, 8);
    reorganised_head(7, 4);
    tell_heads();
    wait_runs(3);
    expect_word_of(id, 8, 4);
    (void)hear_until(on, "\"head\":4,");
    tell_heads(); /* the same one */
    ck_assert_uint_eq(counts().signed_so_far, 3);
    close(on);
    end_all();
}
END_TEST

START_TEST(each_latest_head_is_one_whichever_is_judged)
{
    char id[ID_LEN + 1], token[TOKEN_LEN + 1] = "";
    setup_all();
    view.finalized = view.latest; /* stays where it is */
    tell_heads();
    add(id, token, 5);
    for (unsigned head = 2; head < 5; head++) {
        wait_runs(head - 1);
        set_slot(5, head);
        new_head(head);
        tell_heads();
    }
    wait_runs(4);
    expect_word_of(id, 4, 4);
    view.latest.valid = false;
    tell_heads();
    ck_assert_uint_eq(counts().failed, 0);
    end_all();
}
END_TEST

/* ---- listeners ---- */

START_TEST(a_listener_misses_nothing_or_is_told_of_a_gap)
{
    char one[ID_LEN + 1], other[ID_LEN + 1], query[80], id[64], token[TOKEN_LEN + 1] = "", second[TOKEN_LEN + 1] = "";
    setup_all();
    tell_heads();
    add(one, token, 5);
    add(other, second, 6);
    wait_runs(2);
    snprintf(query, sizeof query, "?ids=%s", one);
    int on = listen_for(query, NULL, NULL), all = listen_for("", second, NULL);
    (void)hear_until(on, "event: open\ndata: {}\n\n");
    (void)hear_until(all, "event: open\ndata: {}\n\n");
    ck_assert_uint_eq(counts().listeners, 2);
    set_slot(5, 7);
    new_head(2);
    tell_heads();
    wait_runs(4);
    const char *got = hear_until(on, "\"head\":2,\"statement\":{\"type\":\"CallStatement\"");
    ck_assert(strstr(got, one) && !strstr(got, other));
    last_id(id, got);
    got = hear_until(all, "\"head\":2,");
    ck_assert(strstr(got, other) && !strstr(got, one));
    close(on);
    for (unsigned head = 3; head < 5; head++) { /* while nobody listens */
        set_slot(5, head);
        new_head(head);
        tell_heads();
        wait_runs(2 * head);
    }
    on = listen_for(query, NULL, id);
    got = hear_until(on, "\"head\":4,");
    ck_assert(strstr(got, "\"head\":3,") && !strstr(got, "event: gap") && !strstr(got, "event: open"));
    close(on);
    id[0] = id[0] == '0' ? '1' : '0'; /* of another start */
    on = listen_for(query, NULL, id);
    got = hear_until(on, "event: gap\ndata: {\"events\":0}");
    close(on);
    close(all);
    end_all();
}
END_TEST

START_TEST(who_falls_behind_finds_a_gap)
{
    char one[ID_LEN + 1], query[80], token[TOKEN_LEN + 1] = "";
    setup_all();
    tell_heads();
    add(one, token, 5);
    wait_runs(1);
    snprintf(query, sizeof query, "?ids=%s", one);
    const int on = listen_for(query, NULL, "");
    close(on);
    close_vigil();
    open_vigil(); /* another epoch */
    ck_assert_uint_eq(counts().calls, 1);
    const int again = listen_for(query, NULL, "0000000000000000-1");
    (void)hear_until(again, "event: gap");
    tell_heads();
    (void)hear_until(again, "\"head\":1,");
    close(again);
    end_all();
}
END_TEST

/* ---- sessions of WebSockets ---- */

/* Subscribes to what this says. */
static rc_t subscribe(char id[API_WATCH_ID_LEN + 1], err_t *e, session_t *session, const char *what)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, view_str(what), 1 << 20, JO_STRICT);
    rc_t rc = VIGIL_STANDING.watch(vigil, id, e, &(api_asker_t){ .session = session }, &o);
    rc = jo_done(&o) ? jo_done(&o) : rc;
    jo_close(&doc);
    return rc;
}

static void run_head(unsigned head, uint64_t runs)
{
    set_slot(5, head);
    new_head(head);
    tell_heads();
    wait_runs(runs);
}

START_TEST(a_session_is_pushed_what_it_subscribed_to)
{
    static session_t session, other;
    char one[ID_LEN + 1], two[ID_LEN + 1], what[300], id[API_WATCH_ID_LEN + 1], last[64], token[TOKEN_LEN + 1] = "";
    err_t e;
    setup_all();
    tell_heads();
    add(one, token, 5);
    add(two, token, 6);
    wait_runs(2);
    snprintf(what, sizeof what, "{\"ids\":[\"%s\"]}", one);
    ck_assert_int_eq(subscribe(id, &e, &session, what), RC_OK);
    ck_assert(strlen(id) == 34 && id[2] != '0');
    run_head(2, 4);
    ck_assert_uint_eq(session.count, 0);  /* its id is not told yet */
    vigil_begin(vigil, &session, &other); /* by an answer to another message */
    ck_assert_uint_eq(session.count, 0);
    vigil_begin(vigil, &session, NULL);
    ck_assert_uint_eq(session.count, 2);
    run_head(3, 6);
    ck_assert_uint_eq(session.count, 3);
    snprintf(
        what, sizeof what,
        "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"%s\",\"result\":{\"id\":\"",
        id);
    ck_assert(strncmp(session.text, what, strlen(what)) == 0);
    ck_assert(strstr(session.text, "\"event\":\"open\",\"data\":{}}}}"));
    ck_assert(strstr(session.text, "\"head\":2,\"statement\":{\"type\":\"CallStatement\""));
    ck_assert(strstr(session.text, one) && !strstr(session.text, two));
    const char *at = strstr(session.text, "\"head\":2");
    while (strncmp(at, "\"id\":\"", 6) != 0)
        at--;
    copy_member(last, strcspn(at + 6, "\""), at, "\"id\":\"");
    snprintf(what, sizeof what, "{\"token\":\"%s\",\"last\":\"%s\"}", token, last);
    ck_assert_int_eq(subscribe(id, &e, &other, what), RC_OK);
    vigil_begin(vigil, &other, NULL);
    ck_assert(other.count >= 2 && strstr(other.text, "\"head\":3") && !strstr(other.text, "\"event\":\"open\""));
    ck_assert(!strstr(other.text, "\"event\":\"gap\"") && strstr(other.text, two));
    ck_assert(!VIGIL_STANDING.unwatch(vigil, &session, view_str(id)));
    ck_assert(VIGIL_STANDING.unwatch(vigil, &other, view_str(id)));
    vigil_over(vigil, &session);
    const unsigned before = session.count + other.count;
    run_head(4, 8);
    ck_assert_uint_eq(session.count + other.count, before);
    ck_assert_uint_eq(counts().listeners, 0);
    ck_assert(!session.ended);
    end_all();
}
END_TEST

START_TEST(a_session_has_its_share_and_nobody_elses_calls)
{
    static session_t session;
    char one[ID_LEN + 1], what[300], id[API_WATCH_ID_LEN + 1], token[TOKEN_LEN + 1] = "";
    err_t e;
    setup_all();
    add(one, token, 5);
    ck_assert_int_eq(subscribe(id, &e, &session, "{\"ids\":[\"0x11111111111111111111111111111111\"]}"), RC_REFUSED);
    ck_assert_int_eq(subscribe(id, &e, &session, "{\"ids\":[]}"), RC_MALFORMED);
    ck_assert_int_eq(subscribe(id, &e, &session, "{}"), RC_MALFORMED);
    ck_assert_int_eq(subscribe(id, &e, &session, "{\"token\":\"0x11\"}"), RC_MALFORMED);
    token[5] = token[5] == '0' ? '1' : '0';
    snprintf(what, sizeof what, "{\"token\":\"%s\"}", token);
    ck_assert_int_eq(subscribe(id, &e, &session, what), RC_REFUSED);
    snprintf(what, sizeof what, "{\"ids\":[\"%s\"],\"last\":\"0000000000000000-1\"}", one);
    for (unsigned i = 0; i < VIGIL_WATCHES_MAX; i++)
        ck_assert_int_eq(subscribe(id, &e, &session, what), RC_OK);
    ck_assert_int_eq(subscribe(id, &e, &session, what), RC_LIMIT);
    vigil_begin(vigil, &session, NULL);
    ck_assert_uint_eq(session.count, VIGIL_WATCHES_MAX);
    ck_assert(strstr(session.text, "\"event\":\"gap\",\"data\":{\"events\":0}"));
    end_all(); /* which ends it, too */
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("vigil", five_hundred_calls_cost_one_batch_a_head,
                    what_they_read_before_is_asked_in_proofs_as_large_as_the_endpoint_gives,
                    what_reads_something_else_asks_for_it_by_itself_and_fails_alone,
                    the_last_good_statement_is_served_until_it_expires,
                    a_head_that_is_no_higher_than_the_last_one_is_a_head, each_latest_head_is_one_whichever_is_judged,
                    a_listener_misses_nothing_or_is_told_of_a_gap, who_falls_behind_finds_a_gap,
                    a_session_is_pushed_what_it_subscribed_to, a_session_has_its_share_and_nobody_elses_calls);
}
