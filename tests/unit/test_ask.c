/* node/query/ask.h: whom it asks, for what, how often, and who is blamed; limits of time, and the end. */
#include <limits.h>

#include "lightclient/exec/history.h"
#include "node/query/round.h"
#include "tests/unit/ask_world.h"

START_TEST(many_needs_go_in_batches_of_bounded_length_side_by_side)
{
    open_world(BALANCES_900);
    ends[0].pause_ms = 400;
    expect_word(42, 2);
    ck_assert_uint_eq(ends[0].most_elements, BATCH_MAX);
    ck_assert_uint_eq(ends[0].most_now, BATCHES_MAX);
    ck_assert_uint_eq(ends[0].batches, 1 + 9); /* hint, receiver, its code, sender; then 900 accounts */
    ck_assert_uint_eq(ends[0].elements, 4 + 900);
    ck_assert_uint_eq(ends[1].batches, 0);
    close_world();
}
END_TEST

START_TEST(slots_of_one_batch_are_bounded_too)
{
    open_world(SLOADS_1200);
    world_set(&s.w.accounts[0], 7, u256_of(1));
    expect_word(42, 2);
    ck_assert_uint_eq(ends[0].most_slots, BATCH_SLOTS_MAX);
    ck_assert_uint_eq(ends[0].batches, 1 + 4); /* the slot met first, then 512, 512 and 175 */
    close_world();
}
END_TEST

START_TEST(what_only_a_guess_asked_for_concerns_no_other_endpoint)
{
    open_world(SLOAD_CHAIN_OR_9);
    world_set(&s.w.accounts[0], 0, u256_of(5));
    world_set(&s.w.accounts[0], 5, u256_of(1234));
    ends[0].refused = "\"0x0000000000000000000000000000000000000000000000000000000000000009\"";
    expect_word(1234, 3);
    ck_assert_uint_eq(ends[0].batches, 3);
    ck_assert_uint_eq(ends[1].batches, 0);
    ck_assert_uint_eq(status_of(0).failures, 0);
    close_world();
}
END_TEST

START_TEST(next_endpoint_is_asked_for_what_the_first_did_not_answer_and_for_no_more)
{
    open_world(RETURN_42);
    ends[0].refused = PROOF_OF_A;
    expect_word(42, 1);
    ck_assert_uint_eq(ends[0].elements, 4);
    ck_assert_uint_eq(ends[1].batches, 1);
    ck_assert_uint_eq(ends[1].elements, 1);
    ck_assert(status_of(0).failing);
    ck_assert_uint_eq(status_of(0).lies, 0);
    ck_assert_ptr_nonnull(strstr(status_of(0).reason, "error -32000"));
    ck_assert(!status_of(1).failing);
    close_world();
}
END_TEST

START_TEST(false_proof_is_counted_and_another_endpoint_asked)
{
    open_world(RETURN_42);
    ends[0].falsified = "a000";
    expect_word(42, 1);
    ck_assert_uint_eq(ends[1].elements, 1);
    ck_assert_uint_eq(status_of(0).lies, 1);
    close_world();
}
END_TEST

/* In one batch, whichever comes first. */
START_TEST(lie_is_not_hidden_by_what_cannot_be_read_beside_it)
{
    static const char *const rows[][2] = { { "a000", PROOF_OF_B }, { "bb01", PROOF_OF_A } };
    for (unsigned i = 0; i < 2; i++) {
        open_world(RETURN_42);
        s.request.from = (addr_t){ { 0xbb, 1 } };
        ends[0].falsified = rows[i][0];
        ends[0].broken = rows[i][1];
        expect_word(42, 1);
        ck_assert_uint_eq(status_of(0).lies, 1);
        close_world();
    }
}
END_TEST

/* The first endpoint has all but the sender, who is nobody's need for certain. */
START_TEST(bad_fallback_does_not_stop_what_the_first_endpoint_made_possible)
{
    static const endpoint_t bad[] = {
        { .status = 500 }, { .refused = PROOF_OF_B }, { .falsified = "bb01" }, { .status = 429 }
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        open_world(RETURN_42);
        s.request.from = (addr_t){ { 0xbb, 1 } };
        ends[0].refused = PROOF_OF_B;
        ends[1] = bad[i];
        expect_word(42, 1);
        ck_assert_uint_eq(ends[1].batches, 1);
        ck_assert_uint_eq(status_of(1).lies, bad[i].falsified != NULL);
        close_world();
    }
}
END_TEST

/* A set that was learned makes one round of 902 needs, the sender last, because its balance is needed for certain. */
START_TEST(error_for_one_element_does_not_stop_the_batches_after_it)
{
    open_world(BALANCES_900);
    const ex_cache_config_t sizes = { .bytes_max = 16 << 20 };
    ex_cache_t *cache = s.config.cache = ex_cache_new(&sizes);
    close_engine();
    open_engine(url[0], NULL, NULL);
    ck_assert_msg(run_call() == RC_OK, "%s", s.e.text);
    world_set(&s.w.accounts[0], 7, u256_of(1));
    s.request.from = (addr_t){ { 0xbb, 1 } };
    s.request.has_gas_price = s.request.has_gas = true;
    s.request.gas_price = u256_of(1000000000000);
    s.request.gas = 9000000;
    ends[0] = (endpoint_t){ .refused = "\"0x0000000000000000000000000000000000000383\"", .refusing = 8 };
    ck_assert_int_eq(run_call(), RC_REFUSED);
    ck_assert_msg(strstr(s.e.text, "insufficient funds") != NULL, "%s", s.e.text);
    close_world();
    ex_cache_free(cache);
}
END_TEST

START_TEST(fault_names_the_last_endpoint_the_method_and_the_account)
{
    static const struct {
        endpoint_t end;
        const char *text;
        unsigned batches; /* a refusal of all is tried with less: four, three and the hint, two, one */
    } faults[] = {
        { { .refused = PROOF_OF_A }, "eth_getProof 0xac0000000000000000000000000000000000a000: error -32000", 1 },
        { { .falsified = "a000" }, "eth_getProof 0xac0000000000000000000000000000000000a000: ", 1 },
        { { .status = 500 }, "HTTP status 500", 5 },
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        open_world(RETURN_42);
        ends[0] = ends[1] = faults[i].end;
        ck_assert_int_eq(run_call(), RC_IO);
        ck_assert_msg(strstr(s.e.text, "execution_rpc[1]: ") == s.e.text && strstr(s.e.text, faults[i].text), "%s",
                      s.e.text);
        ck_assert(!strstr(s.e.text, "not here") && !strstr(s.e.text, "127.0.0.1")); /* anybody may read it */
        ck_assert(!strstr(status_of(1).reason, "not here") && !strstr(status_of(1).reason, "127.0.0.1"));
        ck_assert_uint_eq(ends[0].batches, faults[i].batches);
        ck_assert_uint_eq(ends[1].batches, faults[i].batches);
        close_world();
    }
}
END_TEST

START_TEST(endpoint_that_cannot_be_reached_is_failing_and_the_next_one_is_asked)
{
    open_world(RETURN_42);
    fake_t *gone = fake_new(serve_0);
    char closed[64];
    snprintf(closed, sizeof closed, "http://127.0.0.1:%u", gone->port);
    fake_free(gone);
    close_engine();
    open_engine(closed, url[1], NULL);
    expect_word(42, 1);
    ck_assert_uint_eq(ends[1].elements, 4);
    ck_assert(status_of(0).failing);
    ck_assert_uint_eq(status_of(0).failures, 1);
    ck_assert_uint_eq(status_of(0).lies, 0);
    ck_assert_uint_eq(status_of(1).requests, 1);
    close_world();
}
END_TEST

/* Of nine batches one has an account that gets 500, another one that is falsified. */
START_TEST(lie_in_one_batch_is_not_hidden_by_the_failure_of_another)
{
    static const char *const rows[][2] = { { "00000384\"", "00000001\"" }, { "00000001\"", "00000384\"" } };
    for (unsigned i = 0; i < 2; i++) {
        open_world(BALANCES_900);
        world_add(&s.w, (addr_t){ { [18] = 0x03, [19] = 0x84 } }, "");
        world_add(&s.w, (addr_t){ { [19] = 0x01 } }, "");
        ends[0].failing = rows[i][0];
        ends[0].falsified = rows[i][1];
        expect_word(42, 2);
        ck_assert_uint_eq(status_of(0).lies, 1);
        ck_assert_uint_eq(status_of(0).requests, 2);
        close_world();
    }
}
END_TEST

START_TEST(what_is_needed_for_certain_and_nobody_has_ends_the_query)
{
    open_world(SLOAD_CHAIN);
    world_set(&s.w.accounts[0], 0, u256_of(5));
    ends[0].refused = ends[1].refused = "\"0x0000000000000000000000000000000000000000000000000000000000000005\"";
    ck_assert_int_eq(run_call(), RC_IO);
    ck_assert_ptr_nonnull(strstr(s.e.text, "error -32000"));
    ck_assert_uint_eq(ends[0].batches, 3);
    ck_assert_uint_eq(ends[1].batches, 1);
    close_world();
}
END_TEST

static void wait_asked(const endpoint_t *e)
{
    for (unsigned i = 0; i < 5000; i++) {
        pthread_mutex_lock(&lock);
        bool asked = e->now > 0;
        pthread_mutex_unlock(&lock);
        if (asked)
            return;
        pause_ms(1);
    }
    ck_abort_msg("the endpoint is not asked");
}

START_TEST(cancelled_queries_end_at_once_with_their_own_code_and_blame_nobody)
{
    enum { N = 20 };
    ask_wait_t waits[N + 1];
    open_world(RETURN_42);
    ends[0].held = true;
    for (unsigned i = 0; i < N; i++)
        ask_wait_start(&waits[i], engine, new_call(&s.request), NULL);
    wait_asked(&ends[0]);
    uint64_t began = clock_ms();
    ask_cancel(engine);
    ask_wait_start(&waits[N], engine, new_call(&s.request), NULL);
    for (unsigned i = 0; i <= N; i++) {
        ck_assert_int_eq(ask_wait_for(&waits[i]), RC_TIMEOUT);
        ck_assert_uint_eq(waits[i].e.code, ASK_CANCELLED);
        ck_assert_str_eq(waits[i].e.text, "cancelled: the node is stopping");
        query_free(waits[i].query);
    }
    ck_assert_uint_lt(clock_ms() - began, 2000);
    ck_assert_uint_eq(status_of(0).requests, 0);
    ck_assert(!status_of(0).failing);
    close_world();
    for (unsigned i = 0; i <= N; i++)
        ck_assert_uint_eq(waits[i].times, 1);
}
END_TEST

START_TEST(freeing_the_engine_ends_what_runs_and_what_waits)
{
    static const ask_limits_t limits = { .run_max_ms = 60000, .time_max_ms = 60000 };
    ask_wait_t waits[2];
    open_world(FOREVER);
    s.config.gas_cap = INT64_MAX;
    ends[1].held = true;
    ask_wait_start(&waits[0], engine, new_call(&s.request), &limits);
    while (status_of(0).requests < 1)
        pause_ms(1);
    pause_ms(20); /* it runs now */
    ex_request_t other = s.request;
    other.from.b[0] ^= 1;
    ends[0].held = true;
    ask_wait_start(&waits[1], engine, new_call(&other), &limits);
    wait_asked(&ends[0]);
    ask_free(engine);
    engine = NULL;
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(waits[i].times, 1);
        ck_assert_uint_eq(waits[i].e.code, ASK_CANCELLED);
        query_free(waits[i].query);
    }
    close_world();
}
END_TEST

START_TEST(query_that_waits_too_long_ends_and_the_late_endpoint_is_failing)
{
    static const ask_limits_t limits = { .time_max_ms = 1000 };
    ask_wait_t w;
    open_world(RETURN_42);
    ends[0].held = true;
    ask_wait_start(&w, engine, new_call(&s.request), &limits);
    ck_assert_int_eq(ask_wait_for(&w), RC_TIMEOUT);
    ck_assert_str_eq(w.e.text, "the call took longer than 1 s");
    ck_assert_uint_eq(w.e.code, 0);
    ck_assert_uint_eq(status_of(0).failures, 1);
    ck_assert_uint_eq(status_of(0).lies, 0);
    query_free(w.query);
    close_world();
}
END_TEST

/* Ten times as fast as the system's. */
static uint64_t fast_clock(void)
{
    return 10 * clock_monotonic_ms();
}

START_TEST(endpoint_that_never_gives_anything_is_named_before_the_querys_time_is_over)
{
    static const endpoint_t rows[] = { { .null = true }, { .status = 429 }, { .status = 503 } };
    static const char *const says[] = { "null", "429", "503" };
    open_world(RETURN_42);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err_t e;
        close_engine();
        ends[0] = rows[i];
        upstream = up_new((const char *const[]){ url[0] }, 1);
        const ask_config_t config = {
            .http = http, .upstream = upstream, .pool = pool, .now_ms = fast_clock, .monotonic_ms = fast_clock
        };
        ck_assert_int_eq(ask_new(&engine, &e, &config), RC_OK);
        const uint64_t began = fast_clock();
        ck_assert_int_eq(run_call(), RC_IO);
        ck_assert_uint_ge(fast_clock() - began, ROUND_VAIN_MAX_MS);
        ck_assert_uint_lt(fast_clock() - began, 2 * ROUND_VAIN_MAX_MS);
        ck_assert_msg(strstr(s.e.text, "execution_rpc[0]: ") && strstr(s.e.text, says[i]), "%s", s.e.text);
    }
    close_world();
}
END_TEST

/* ---- what is unknown ---- */

/* Asks which block of the past has a hash, or with number its header, below a head that follows it. */
static query_t *new_history(ex_header_t *header, bool by_number, uint64_t final_number)
{
    query_t *q;
    *header = (ex_header_t){ .number = 999, .gas_limit = 30000000, .ommers_hash = EX_NO_OMMERS };
    ex_header_hash(&s.block.parent_hash, header);
    s.block.state_root = world_root(&s.w);
    const ex_history_config_t config = { .chain_id = 1,
                                         .head = &s.block,
                                         .final_number = final_number,
                                         .by = by_number ? EX_BY_NUMBER : EX_BY_HASH,
                                         .from = 980,
                                         .to = 980,
                                         .hash = s.block.parent_hash };
    ck_assert_int_eq(ex_history_new(&q, NULL, &config), RC_OK);
    return q;
}

/* How many blocks an endpoint's word leads to. */
static size_t blocks_found(ex_header_t *header)
{
    query_t *q;
    err_t e = { .text = "" };
    const rc_t rc = ask_wait(&q, &e, engine, new_history(header, false, 0));
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), e.text);
    const size_t count = ex_history_result(q)->count;
    query_free(q);
    return count;
}

START_TEST(what_one_endpoint_does_not_know_another_one_is_asked_for_before_it_is_unknown)
{
    ex_header_t header;
    open_world(RETURN_42);
    ck_assert_uint_eq(blocks_found(&header), 0); /* nobody knows any */
    ck_assert_uint_eq(ends[0].batches, 1);
    ck_assert_uint_eq(ends[1].batches, 1);
    past = &header;
    past_count = 1;
    ends[0].null = true;
    ck_assert_uint_eq(blocks_found(&header), 1);
    ends[0].null = false;
    ends[0].batches = ends[1].batches = 0;
    ck_assert_uint_eq(blocks_found(&header), 1); /* and who knows it is alone */
    ck_assert_uint_eq(ends[0].batches + ends[1].batches, 2);
    ck_assert_uint_eq(status_of(0).lies + status_of(1).lies, 0);
    past_count = 0;
    close_world();
}
END_TEST

START_TEST(an_endpoint_that_never_answers_does_not_keep_the_unknown_from_being_told)
{
    ex_header_t header;
    open_world(RETURN_42);
    ends[1].held = true;
    const uint64_t began = clock_ms();
    ck_assert_uint_eq(blocks_found(&header), 0);
    ck_assert_uint_ge(clock_ms() - began, ROUND_LACK_MAX_MS - 1);
    ck_assert_uint_lt(clock_ms() - began, ASK_BATCH_MAX_MS);
    ck_assert_uint_eq(status_of(0).failures, 0);
    close_world();
}
END_TEST

START_TEST(a_final_block_that_nobody_has_is_not_waited_for)
{
    ex_header_t header;
    query_t *q;
    err_t e = { .text = "" };
    open_world(RETURN_42);
    ck_assert_int_eq(ask_wait(&q, &e, engine, new_history(&header, true, 999)), RC_IO);
    ck_assert_msg(strstr(e.text, "eth_getBlockByNumber 9") != NULL, "%s", e.text);
    ck_assert_uint_le(ends[0].batches, 3); /* the proof, then the headers: once */
    ck_assert_uint_le(ends[1].batches, 3);
    query_free(q);
    close_world();
}
END_TEST

/* ---- many clients ---- */

static hs_client_t *client_of(hs_clients_t *all, uint8_t name)
{
    hs_client_t *c = hs_client_get(all, (const uint8_t[CLIENT_KEY_LEN]){ name }, false);
    ck_assert_ptr_nonnull(c);
    return c;
}

/* Calls that never end, all slices of which are short, do not stand before another client's call. */
START_TEST(endless_calls_of_one_client_leave_the_others_their_turns)
{
    enum { N = 40 };
    ask_wait_t flood[N], honest;
    hs_clients_t *all = hs_clients_new();
    hs_client_t *bad = client_of(all, 1), *good = client_of(all, 2);
    const ask_limits_t forever = { .run_max_ms = 60000, .time_max_ms = 60000, .client = bad };
    const ask_limits_t usual = { .client = good };
    open_world(FOREVER);
    s.config.gas_cap = INT64_MAX;
    for (unsigned i = 0; i < N; i++)
        ask_wait_start(&flood[i], engine, new_call(&s.request), &forever);
    pause_ms(300);
    s.config.gas_cap = 100000; /* ends by running out of gas */
    for (unsigned i = 0; i < 5; i++) {
        uint64_t began = clock_ms();
        ask_wait_start(&honest, engine, new_call(&s.request), &usual);
        ck_assert_int_eq(ask_wait_for(&honest), RC_OK);
        ck_assert_uint_lt(clock_ms() - began, 1000);
        query_free(honest.query);
    }
    ask_cancel(engine);
    for (unsigned i = 0; i < N; i++) {
        ck_assert_int_eq(ask_wait_for(&flood[i]), RC_TIMEOUT);
        query_free(flood[i].query);
    }
    close_world();
    hs_client_unref(bad);
    hs_client_unref(good);
    hs_clients_unref(all);
}
END_TEST

static atomic_bool left;

static bool has_left(void *ctx)
{
    (void)ctx;
    return left;
}

START_TEST(a_query_that_nobody_waits_for_ends_while_it_runs_and_while_it_waits)
{
    static const ask_limits_t limits = { .run_max_ms = 60000, .time_max_ms = 60000, .unwanted = has_left };
    for (unsigned held = 0; held < 2; held++) {
        ask_wait_t w;
        left = false;
        open_world(FOREVER);
        s.config.gas_cap = INT64_MAX;
        ends[0].held = held;
        ask_wait_start(&w, engine, new_call(&s.request), &limits);
        if (held)
            wait_asked(&ends[0]);
        pause_ms(100);
        ck_assert(!w.done);
        uint64_t began = clock_ms();
        left = true;
        ck_assert_int_eq(ask_wait_for(&w), RC_TIMEOUT);
        ck_assert_uint_lt(clock_ms() - began, 1000);
        ck_assert_uint_eq(w.e.code, ASK_CANCELLED);
        ck_assert_str_eq(w.e.text, "nobody waits for it any more");
        ck_assert_uint_eq(status_of(0).failures, 0);
        query_free(w.query);
        close_world();
    }
}
END_TEST

/* ---- a query whose steps take as long as a test says, on a clock that nothing else moves ---- */

static atomic_uint_least64_t fake_ms;

static uint64_t fake_clock(void)
{
    return fake_ms;
}

typedef struct {
    query_t query;
    unsigned steps, last; /* so many were made; the one that gives a result */
    unsigned step_ms;
    rc_t ends; /* how the last one ends */
    bool idle; /* it needs nothing meanwhile */
    need_t need;
    unsigned given;
} slow_t;

static rc_t slow_step(query_t *q, err_t *e)
{
    slow_t *x = (slow_t *)(void *)q;
    fake_ms += x->step_ms;
    if (++x->steps < x->last)
        return RC_NEED_DATA;
    return x->ends ? err_say(e, x->ends, "scripted") : RC_OK;
}

static size_t slow_needs(const query_t *q, const need_t **out)
{
    const slow_t *x = (const slow_t *)(const void *)q;
    *out = &x->need;
    return !x->idle;
}

static rc_t slow_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    (void)e;
    ((slow_t *)(void *)q)->given += i == 0 && answer->kind == NEED_CODE; /* no assertion: not the test's thread */
    return RC_OK;
}

static void slow_free(query_t *q)
{
    (void)q;
}

static const query_ops_t SLOW = { slow_step, slow_needs, slow_give, slow_free, NULL, NULL };

/* Runs one whose steps take so long each. */
static rc_t run_slow(slow_t *x, unsigned step_ms, unsigned last, rc_t end_rc)
{
    static const ask_limits_t limits = { .run_max_ms = 1000, .time_max_ms = 3000 };
    ask_wait_t w;
    *x = (slow_t){ .query = { .ops = &SLOW }, .step_ms = step_ms, .last = last, .ends = end_rc };
    x->need = (need_t){ .kind = NEED_CODE, .origin = NEED_MET, .block = &s.block, .addr = A };
    ask_wait_start(&w, engine, &x->query, &limits);
    ask_wait_for(&w);
    s.e = w.e;
    ck_assert_ptr_eq(w.query, &x->query);
    return w.rc;
}

START_TEST(steps_together_may_take_so_long_and_no_longer)
{
    static const struct {
        unsigned step_ms, last;
        rc_t rc;
        unsigned steps;
        const char *text;
    } rows[] = {
        { 400, 2, RC_OK, 2, "" },
        { 400, 9, RC_TIMEOUT, 3, "the call ran longer than 1 s" },
        { 600, 2, RC_OK, 2, "" }, /* the result is there: nobody is asked to wait for it */
        { 1000, 2, RC_TIMEOUT, 1, "the call ran longer than 1 s" },
        { 3000, 2, RC_TIMEOUT, 1, "the call took longer than 3 s" },
    };
    open_world(RETURN_42);
    close_engine();
    open_engine(url[0], url[1], fake_clock);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        slow_t x;
        rc_t rc = run_slow(&x, rows[i].step_ms, rows[i].last, RC_OK);
        ck_assert_msg(rc == rows[i].rc, "row %zu: %s", i, rc_name(rc));
        ck_assert_msg(x.steps == rows[i].steps, "row %zu: %u steps", i, x.steps);
        ck_assert_str_eq(rc ? s.e.text : "", rows[i].text);
    }
    close_world();
}
END_TEST

START_TEST(a_query_that_waits_for_no_upstream_is_stepped_now_and_then_until_nobody_waits_for_it)
{
    static const ask_limits_t limits = { .time_max_ms = 60000, .unwanted = has_left };
    slow_t x = { .query = { .ops = &SLOW }, .last = 3, .idle = true };
    ask_wait_t w;
    open_world(RETURN_42);
    left = false;
    ask_wait_start(&w, engine, &x.query, &limits);
    ck_assert_int_eq(ask_wait_for(&w), RC_OK);
    ck_assert_uint_eq(x.steps, 3);
    ck_assert_uint_eq(ends[0].batches, 0);
    x = (slow_t){ .query = { .ops = &SLOW }, .last = UINT_MAX, .idle = true };
    const uint64_t began = clock_ms();
    ask_wait_start(&w, engine, &x.query, &limits);
    pause_ms(300);
    ck_assert(!w.done);
    left = true;
    ck_assert_int_eq(ask_wait_for(&w), RC_TIMEOUT);
    ck_assert_uint_eq(w.e.code, ASK_CANCELLED);
    ck_assert_uint_le(x.steps, (clock_ms() - began) / 25 + 2); /* it does not spin */
    close_world();
}
END_TEST

/* Queries of one question each, which nobody else asks. */
typedef struct {
    slow_t query;
    ex_block_t block;
    ask_wait_t wait;
} lone_t;

static void start_lone(lone_t *x, uint8_t name, hs_client_t *client)
{
    const ask_limits_t limits = { .client = client };
    *x = (lone_t){ .query = { .query = { .ops = &SLOW }, .last = 2 }, .block = s.block };
    x->block.block_hash = (hash32_t){ { 0xb1, name } };
    x->query.need = (need_t){ .kind = NEED_CODE, .origin = NEED_MET, .block = &x->block, .addr = A };
    ask_wait_start(&x->wait, engine, &x->query.query, &limits);
}

START_TEST(questions_of_one_client_upstream_do_not_stand_before_anothers)
{
    enum { N = 100 };
    static lone_t flood[N], honest;
    hs_clients_t *all = hs_clients_new();
    hs_client_t *bad = client_of(all, 1), *good = client_of(all, 2);
    open_world(RETURN_42);
    ends[0].held = true;
    for (uint8_t i = 0; i < N; i++)
        start_lone(&flood[i], i, bad);
    wait_asked(&ends[0]);
    start_lone(&honest, N, good);
    pause_ms(100);
    pthread_mutex_lock(&lock);
    ends[0].pause_ms = 10;
    ends[0].held = false;
    pthread_mutex_unlock(&lock);
    ck_assert_int_eq(ask_wait_for(&honest.wait), RC_OK);
    pthread_mutex_lock(&lock);
    const unsigned before = ends[0].batches;
    pthread_mutex_unlock(&lock);
    ck_assert_uint_le(before, 4 * TEST_IN_AIR_MAX);
    for (unsigned i = 0; i < N; i++)
        ck_assert_int_eq(ask_wait_for(&flood[i].wait), RC_OK);
    close_world();
    hs_client_unref(bad);
    hs_client_unref(good);
    hs_clients_unref(all);
}
END_TEST

static rc_t run_lone(uint8_t name, hs_client_t *client, uint16_t *code)
{
    static lone_t x;
    start_lone(&x, name, client);
    const rc_t rc = ask_wait_for(&x.wait);
    *code = rc ? x.wait.e.code : 0;
    return rc;
}

START_TEST(a_client_cannot_spend_what_upstreams_may_be_asked_in_a_minute)
{
    uint16_t code;
    uint8_t name = 0;
    hs_clients_t *all = hs_clients_new();
    hs_client_t *bad = client_of(all, 1), *good = client_of(all, 2);
    per_minute = 20;
    open_world(RETURN_42);
    per_minute = 0;
    while (name < 100 && run_lone(name, bad, &code) == RC_OK)
        name++;
    ck_assert_uint_eq(code, QUERY_OVER_BUDGET);
    ck_assert_uint_ge(name, 15);
    ck_assert_uint_le(name, 30); /* in the time that this takes some come back */
    ck_assert_int_eq(run_lone(101, good, &code), RC_OK);
    ck_assert_int_eq(run_lone(102, good, &code), RC_OK);
    ck_assert_int_eq(run_lone(103, NULL, &code), RC_OK);
    ck_assert_int_eq(run_lone(104, bad, &code), RC_LIMIT);
    ck_assert_uint_eq(status_of(0).failures, 0);
    close_world();
    hs_client_unref(bad);
    hs_client_unref(good);
    hs_clients_unref(all);
}
END_TEST

START_TEST(failure_of_a_step_is_that_querys_own)
{
    static const rc_t rcs[] = { RC_NOMEM, RC_REFUSED, RC_LIMIT, RC_UNSUPPORTED };
    open_world(RETURN_42);
    for (size_t i = 0; i < sizeof rcs / sizeof rcs[0]; i++) {
        slow_t x;
        ck_assert_int_eq(run_slow(&x, 0, 2, rcs[i]), rcs[i]);
        ck_assert_str_eq(s.e.text, "scripted");
        ck_assert_uint_eq(x.given, 1);
    }
    ck_assert_uint_eq(status_of(0).failures, 0);
    expect_word(42, 1);
    close_world();
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "ask", many_needs_go_in_batches_of_bounded_length_side_by_side, slots_of_one_batch_are_bounded_too,
        what_only_a_guess_asked_for_concerns_no_other_endpoint,
        next_endpoint_is_asked_for_what_the_first_did_not_answer_and_for_no_more,
        false_proof_is_counted_and_another_endpoint_asked, lie_is_not_hidden_by_what_cannot_be_read_beside_it,
        bad_fallback_does_not_stop_what_the_first_endpoint_made_possible,
        error_for_one_element_does_not_stop_the_batches_after_it,
        fault_names_the_last_endpoint_the_method_and_the_account,
        endpoint_that_cannot_be_reached_is_failing_and_the_next_one_is_asked,
        lie_in_one_batch_is_not_hidden_by_the_failure_of_another,
        what_is_needed_for_certain_and_nobody_has_ends_the_query,
        cancelled_queries_end_at_once_with_their_own_code_and_blame_nobody,
        freeing_the_engine_ends_what_runs_and_what_waits,
        query_that_waits_too_long_ends_and_the_late_endpoint_is_failing,
        endpoint_that_never_gives_anything_is_named_before_the_querys_time_is_over,
        what_one_endpoint_does_not_know_another_one_is_asked_for_before_it_is_unknown,
        an_endpoint_that_never_answers_does_not_keep_the_unknown_from_being_told,
        a_final_block_that_nobody_has_is_not_waited_for, endless_calls_of_one_client_leave_the_others_their_turns,
        a_query_that_nobody_waits_for_ends_while_it_runs_and_while_it_waits,
        steps_together_may_take_so_long_and_no_longer,
        a_query_that_waits_for_no_upstream_is_stepped_now_and_then_until_nobody_waits_for_it,
        questions_of_one_client_upstream_do_not_stand_before_anothers,
        a_client_cannot_spend_what_upstreams_may_be_asked_in_a_minute, failure_of_a_step_is_that_querys_own);
}
