/* POST /call through the HTTP server: kept answers, equal requests, texts of failures, the end. */
#include <stdatomic.h>

#include "node/query/calls.h"
#include "tests/unit/ask_world.h"
#include "tests/unit/http_hand.h"

static hs_t *server;
static jobs_t *jobs;
static calls_t *calls;
static atomic_uint signatures; /* two workers sign at once */
static atomic_ullong turn;     /* of the key */
static bool turns_at_sign, is_silent;

static rc_t sign(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest)
{
    (void)ctx, (void)digest;
    signatures++;
    turn += turns_at_sign;
    memset(out, 0xab, ECDSA_SIG_LEN);
    return RC_OK;
}

static uint64_t key_turn(void *ctx)
{
    (void)ctx;
    return turn;
}

static bool ready(void *ctx, err_t *why)
{
    (void)ctx;
    return !is_silent || err_say(why, RC_REFUSED, "newer_key") == RC_OK;
}

static void post_call(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    calls_post(calls, q, r, &s.block);
}

static const hs_route_t routes[] = { { "POST", "/call", post_call, HS_CORS } };

static void open_server(const char *code)
{
    err_t e;
    open_world(code);
    signatures = 0;
    turns_at_sign = is_silent = false;
    jobs = jobs_new(&(jobs_config_t){ .ask = engine, .pool = pool, .flags = HS_CORS | HS_SIMULATED, .turn = key_turn });
    ck_assert_ptr_nonnull(jobs);
    calls = calls_new(&(calls_config_t){ .jobs = jobs, .chain = &PRAGUE, .signer = { NULL, sign }, .ready = ready });
    ck_assert_ptr_nonnull(calls);
    const hs_config_t config = {
        .address = "127.0.0.1", .routes = routes, .route_count = 1, .event_threads = 1, .workers = 1
    };
    ck_assert_msg(hs_start(&server, &e, &config) == RC_OK, "%s", e.text);
}

static void close_server(void)
{
    ask_cancel(engine);
    hs_stop(server, 1000);
    jobs_free(jobs);
    calls_free(calls);
    close_world();
}

static void post(int fd, const char *body)
{
    char head[120];
    snprintf(head, sizeof head, "POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", strlen(body));
    ck_assert(say(fd, head) && say(fd, body));
}

static void expect_reply(int fd, int status, const char *in_body)
{
    reply_t a = hear(fd, false);
    ck_assert_msg(a.status == status && strstr(a.body, in_body), "status %d, body %s", a.status,
                  a.body ? a.body : "none");
    free(a.body);
}

#define CALL_A "{\"to\":\"0xac0000000000000000000000000000000000a000\"}"
#define SUCCESS_42                                                                                                     \
    "\\\"response\\\":{\\\"Success\\\":\\\"0x000000000000000000000000000000000000000000000000000000000000002a\\\"}"

/* Until the first endpoint is asked. */
static void wait_asked(void)
{
    unsigned now = 0;
    for (unsigned i = 0; i < 5000 && !now; i++) {
        pause_ms(1);
        pthread_mutex_lock(&lock);
        now = ends[0].now;
        pthread_mutex_unlock(&lock);
    }
    ck_assert_uint_ge(now, 1);
}

START_TEST(same_bytes_on_the_same_block_are_proven_and_signed_once)
{
    open_server(RETURN_42);
    int fd = dial(server);
    for (unsigned i = 0; i < 3; i++) {
        post(fd, CALL_A);
        reply_t a = hear(fd, false);
        ck_assert_int_eq(a.status, 200);
        ck_assert_ptr_nonnull(strstr(a.body, SUCCESS_42));
        ck_assert_ptr_nonnull(strstr(a.head, "\r\nAccess-Control-Allow-Origin: *\r\n"));
        ck_assert_ptr_nonnull(strstr(a.head, "\r\nX-Kettle-TEE: simulated\r\n"));
        free(a.body);
    }
    ck_assert_uint_eq(signatures, 1);
    ck_assert_uint_eq(ends[0].batches, 1);
    s.block.block_hash.b[0] ^= 1;
    post(fd, CALL_A);
    expect_reply(fd, 200, SUCCESS_42);
    ck_assert_uint_eq(signatures, 2);
    close(fd);
    close_server();
}
END_TEST

/* PUSH3 n PUSH0 RETURN: memory that was never written. */
START_TEST(what_a_call_gives_has_a_maximum_which_is_said)
{
    static const struct {
        const char *code;
        int status;
        const char *in_body;
    } rows[] = {
        { "621000005ff3", 200, "Success" },
        { "621000015ff3", 422, "the call gives 1048577 bytes, and may give 1048576" },
        { "623000005ff3", 422, "the call gives 3145728 bytes, and may give 1048576" },
        { "621000015ffd", 422, "the call gives 1048577 bytes" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_server(rows[i].code);
        int fd = dial(server);
        post(fd, CALL_A);
        reply_t a = hear(fd, false);
        ck_assert_msg(a.status == rows[i].status && strstr(a.body, rows[i].in_body), "row %zu: status %d, %.300s", i,
                      a.status, a.body);
        ck_assert_msg(a.status == 200 || strstr(a.body, "call-too-large"), "row %zu: %s", i, a.body);
        free(a.body);
        close(fd);
        close_server();
    }
}
END_TEST

START_TEST(equal_requests_wait_for_one_answer_and_a_kept_one_passes_them)
{
    enum { N = 50 };
    int fds[N], kept;
    open_server(RETURN_42);
    kept = dial(server);
    post(kept, CALL_A);
    expect_reply(kept, 200, SUCCESS_42);
    ends[0].held = true;
    for (unsigned i = 0; i < N; i++) {
        fds[i] = dial(server);
        post(fds[i], i % 2 ? "{\"to\":\"0xac0000000000000000000000000000000000a000\",\"data\":\"0x01\"}"
                           : "{\"to\":\"0xac0000000000000000000000000000000000a000\",\"data\":\"0x02\"}");
    }
    wait_asked();
    uint64_t began = clock_ms();
    for (unsigned i = 0; i < 20; i++) {
        post(kept, CALL_A);
        expect_reply(kept, 200, SUCCESS_42);
    }
    ck_assert_uint_lt(clock_ms() - began, 4000); /* a few ms; what is held up is for ever */
    pause_ms(50);                                /* so that all have joined */
    pthread_mutex_lock(&lock);
    ends[0].held = false;
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < N; i++) {
        expect_reply(fds[i], 200, SUCCESS_42);
        close(fds[i]);
    }
    ck_assert_uint_eq(signatures, 3);
    close(kept);
    close_server();
}
END_TEST

static atomic_bool gate_open;
static atomic_uint at_gate;

static void wait_at_gate(pool_task_t *t)
{
    (void)t;
    at_gate++;
    while (!gate_open)
        pause_ms(1);
}

/* Takes every thread of the pool, so that nothing else runs there. */
static void close_gate(pool_task_t tasks[64])
{
    pool_counts_t counts;
    pool_counts(pool, &counts);
    ck_assert_uint_le(counts.threads, 64);
    gate_open = false;
    at_gate = 0;
    for (unsigned i = 0; i < counts.threads; i++) {
        tasks[i] = (pool_task_t){ .run = wait_at_gate };
        pool_push(pool, &tasks[i]);
    }
    while (at_gate < counts.threads)
        pause_ms(1);
}

static void wait_joined(unsigned n)
{
    uint64_t kept, joined = 0;
    for (unsigned i = 0; i < 5000 && joined < n; i++) {
        pause_ms(1);
        jobs_shared(jobs, &kept, &joined);
    }
    ck_assert_uint_eq(joined, n);
}

START_TEST(who_joins_a_client_without_share_is_not_refused_with_it)
{
    static pool_task_t tasks[64];
    static const char *const from[] = { "127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.4" };
    int fds[4], bad;
    per_minute = 20;
    open_server(RETURN_42);
    per_minute = 0;
    bad = dial_from(server, from[0]);
    int status = 200;
    for (unsigned i = 0; i < 100 && status == 200; i++) {
        char text[120];
        snprintf(text, sizeof text, "{\"to\":\"0x%040x\"}", 0xb000 + i);
        post(bad, text);
        reply_t a = hear(bad, false);
        status = a.status;
        free(a.body);
    }
    ck_assert_int_eq(status, 429);
    close_gate(tasks);
    for (unsigned i = 0; i < 4; i++) {
        fds[i] = dial_from(server, from[i]);
        post(fds[i], CALL_A);
        if (i)
            wait_joined(i);
        else
            pause_ms(100); /* it is the first */
    }
    gate_open = true;
    for (unsigned i = 0; i < 4; i++) {
        reply_t a = hear(fds[i], false); /* after three seconds some would have come back to the first client, too */
        ck_assert_msg(a.status == 200 || (i % 2 == 0 && a.status == 429), "%u: %d %s", i, a.status, a.body);
        ck_assert(strstr(a.body, a.status == 200 ? SUCCESS_42 : "over-budget"));
        free(a.body);
        close(fds[i]);
    }
    close(bad);
    close_server();
}
END_TEST

START_TEST(what_cannot_be_answered_says_why_and_is_not_kept)
{
    static const struct {
        const char *body;
        int status;
        const char *slug, *text;
    } rows[] = {
        { "{", 400, "bad-request", "" },
        { "{\"to\":7}", 400, "bad-request", "call object: to: must be" },
        { "{\"to\":\"0xac0000000000000000000000000000000000a000\",\"chainId\":\"0x7\"}", 422, "call-refused", "chain" },
        { "{\"to\":\"0xac0000000000000000000000000000000000a000\",\"gas\":\"0x1\"}", 422, "call-refused",
          "intrinsic gas too low" },
    };
    open_server(RETURN_42);
    int fd = dial(server);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        post(fd, rows[i].body);
        reply_t a = hear(fd, false);
        ck_assert_msg(a.status == rows[i].status && strstr(a.body, rows[i].slug) && strstr(a.body, rows[i].text),
                      "row %zu: %d %s", i, a.status, a.body);
        free(a.body);
    }
    ends[0].status = ends[1].status = 500;
    post(fd, CALL_A);
    expect_reply(fd, 502, "HTTP status 500");
    ends[0].status = ends[1].status = 0;
    post(fd, CALL_A);
    expect_reply(fd, 200, SUCCESS_42);
    ck_assert_uint_eq(signatures, 1);
    close(fd);
    close_server();
}
END_TEST

START_TEST(a_call_that_reverts_is_signed_as_error)
{
    open_server(REVERT_WORD);
    int fd = dial(server);
    post(fd, CALL_A);
    expect_reply(fd, 200, "\\\"response\\\":\\\"Error\\\"}");
    close(fd);
    close_server();
}
END_TEST

START_TEST(a_call_that_waits_when_the_node_stops_is_told_so)
{
    open_server(RETURN_42);
    int fd = dial(server);
    ends[0].held = true;
    post(fd, CALL_A);
    wait_asked();
    ask_cancel(engine);
    reply_t a = hear(fd, false);
    ck_assert_int_eq(a.status, 503);
    ck_assert_ptr_nonnull(strstr(a.body, "urn:kettle:error:stopping"));
    ck_assert_ptr_null(strstr(a.body, "longer than"));
    free(a.body);
    close(fd);
    close_server();
}
END_TEST

/* A signature of the former key leaves no more, whether it was kept or made in this moment. */
START_TEST(what_another_key_signed_is_not_answered)
{
    open_server(RETURN_42);
    int fd = dial(server);
    post(fd, CALL_A);
    expect_reply(fd, 200, SUCCESS_42);
    turn++;
    post(fd, CALL_A);
    expect_reply(fd, 200, SUCCESS_42);
    ck_assert_uint_eq(signatures, 2);
    turn++;
    turns_at_sign = true;
    for (unsigned i = 0; i < 2; i++) {
        post(fd, CALL_A);
        reply_t a = hear(fd, false);
        ck_assert_int_eq(a.status, 503);
        ck_assert_ptr_nonnull(strstr(a.head, "\r\nRetry-After: 2\r\n"));
        ck_assert(strstr(a.body, "urn:kettle:error:not-ready") && strstr(a.body, "another key signs"));
        ck_assert(!strstr(a.body, "abab"));
        free(a.body);
    }
    ck_assert_uint_eq(signatures, 4);
    turns_at_sign = false;
    post(fd, CALL_A);
    expect_reply(fd, 200, SUCCESS_42);
    ck_assert_uint_eq(signatures, 5);
    close(fd);
    close_server();
}
END_TEST

/* A call that began while the node signed, and ends when it does not any more. */
START_TEST(nothing_is_signed_after_the_last_look)
{
    open_server(RETURN_42);
    int fd = dial(server);
    is_silent = true;
    post(fd, CALL_A);
    expect_reply(fd, 503, "newer_key");
    ck_assert_uint_eq(signatures, 0);
    is_silent = false;
    post(fd, CALL_A);
    expect_reply(fd, 200, SUCCESS_42);
    close(fd);
    close_server();
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "calls", what_a_call_gives_has_a_maximum_which_is_said, same_bytes_on_the_same_block_are_proven_and_signed_once,
        equal_requests_wait_for_one_answer_and_a_kept_one_passes_them,
        who_joins_a_client_without_share_is_not_refused_with_it, what_cannot_be_answered_says_why_and_is_not_kept,
        a_call_that_reverts_is_signed_as_error, a_call_that_waits_when_the_node_stops_is_told_so,
        what_another_key_signed_is_not_answered, nothing_is_signed_after_the_last_look);
}
