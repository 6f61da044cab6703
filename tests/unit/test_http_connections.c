/* Connections of the HTTP client: kept, shared, waited for, cancelled. */
#include "tests/unit/fake_server.h"
#include "tests/unit/http_ask.h"
#include "tests/unit/unit.h"

START_TEST(connections_are_kept_between_calls_and_threads)
{
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    for (unsigned i = 0; i < 20; i++) {
        hc_response_t r = ask(c, f->port, hasty);
        ck_assert_msg(r.why.rc == RC_OK, "%s", r.why.text);
        hc_response_clear(&r);
    }
    ck_assert_uint_eq(f->requests, 20);
    ck_assert_uint_eq(f->accepted, 1);
    hc_free(c);
    fake_free(f);
}
END_TEST

static atomic_uint turns;

static bool be_leaving(int fd, const char *request)
{
    be_honest(fd, request);
    return ++turns % 2 != 0; /* every second answer is the connection's last, without saying so */
}

START_TEST(a_kept_connection_that_has_died_is_replaced_without_an_error)
{
    fake_t *f = fake_new(be_leaving);
    hc_t *c = hc_new(NULL);
    for (unsigned i = 0; i < 10; i++) {
        hc_response_t r = ask(c, f->port, (hc_request_t){ .post = view_str("{}") });
        ck_assert_msg(r.why.rc == RC_OK, "%s", r.why.text);
        hc_response_clear(&r);
        pause_ms(5);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(requests_of_one_call_run_in_parallel_and_reuse_their_connections)
{
    enum { N = 12 };
    fake_t *f = fake_new(be_slow);
    hc_t *c = hc_new(NULL);
    hc_request_t q[N];
    hc_response_t r[N];
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", f->port);
    for (unsigned round = 0; round < 2; round++) {
        uint64_t start = clock_ms();
        for (unsigned i = 0; i < N; i++)
            q[i] = (hc_request_t){ .url = url };
        hc_perform(c, r, q, N, NULL, NULL);
        ck_assert_uint_lt(clock_ms() - start, 900); /* one after the other: 1800 */
        for (unsigned i = 0; i < N; i++) {
            ck_assert_msg(r[i].why.rc == RC_OK, "%s", r[i].why.text);
            hc_response_clear(&r[i]);
        }
    }
    ck_assert_uint_eq(f->open_peak, N);
    ck_assert_uint_eq(f->accepted, N);
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(requests_beyond_the_connections_of_a_host_wait_their_turn)
{
    enum { N = 240 };
    fake_t *f = fake_new(be_slow);
    hc_t *c = hc_new(NULL);
    hc_request_t q[N];
    hc_response_t r[N];
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", f->port);
    for (unsigned i = 0; i < N; i++)
        q[i] = (hc_request_t){ .url = url, .connect_timeout_ms = 5000, .stall_timeout_ms = 5000 };
    hc_perform(c, r, q, N, NULL, NULL);
    for (unsigned i = 0; i < N; i++) {
        ck_assert_msg(r[i].why.rc == RC_OK, "%u: %s", i, r[i].why.text);
        hc_response_clear(&r[i]);
    }
    ck_assert_uint_le(f->open_peak, 200);
    hc_free(c);
    fake_free(f);
}
END_TEST

START_TEST(one_bad_request_does_not_spoil_the_others_of_its_call)
{
    fake_t *good = fake_new(be_honest), *bad = fake_new(be_resetting), *hanging = fake_new(be_hanging);
    hc_t *c = hc_new(NULL);
    char url[3][64];
    hc_request_t q[4];
    hc_response_t r[4];
    snprintf(url[0], 64, "http://127.0.0.1:%u/", bad->port);
    snprintf(url[1], 64, "http://127.0.0.1:%u/", good->port);
    snprintf(url[2], 64, "http://127.0.0.1:%u/", hanging->port);
    for (unsigned i = 0; i < 4; i++) {
        q[i] = hasty;
        q[i].url = i < 3 ? url[i] : "ftp://127.0.0.1/";
    }
    hc_perform(c, r, q, 4, NULL, NULL);
    ck_assert_int_eq(r[0].why.rc, RC_IO);
    ck_assert_int_eq(r[1].why.rc, RC_OK);
    ck_assert_int_eq(r[2].why.rc, RC_TIMEOUT);
    ck_assert_int_eq(r[3].why.rc, RC_MALFORMED);
    for (unsigned i = 0; i < 4; i++)
        hc_response_clear(&r[i]);
    hc_perform(c, r, q, 0, NULL, NULL);
    hc_free(c);
    fake_free(good);
    fake_free(bad);
    fake_free(hanging);
}
END_TEST

static bool cancel_at(void *ctx)
{
    return clock_ms() >= *(uint64_t *)ctx;
}

START_TEST(cancel_ends_everything_soon)
{
    fake_t *f = fake_new(be_hanging);
    hc_t *c = hc_new(NULL);
    char url[64];
    hc_response_t r[3];
    uint64_t start = clock_ms(), at = start + 200;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", f->port);
    hc_request_t q[3] = { { .url = url }, { .url = url }, { .url = url } };
    hc_perform(c, r, q, 3, cancel_at, &at);
    ck_assert_uint_lt(clock_ms() - start, 600);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(r[i].why.rc, RC_TIMEOUT);
        ck_assert_ptr_nonnull(strstr(r[i].why.text, "cancelled"));
        hc_response_clear(&r[i]);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

typedef struct {
    hc_t *c;
    uint16_t port;
    unsigned good;
} user_t;

static void *user_main(void *arg)
{
    user_t *u = arg;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", u->port);
    for (unsigned i = 0; i < 50; i++) {
        hc_request_t q[2] = { { .url = url }, { .url = url, .post = view_str("{}") } };
        hc_response_t r[2];
        hc_perform(u->c, r, q, 2, NULL, NULL);
        u->good += (r[0].why.rc == RC_OK ? 1u : 0u) + (r[1].why.rc == RC_OK ? 1u : 0u);
        hc_response_clear(&r[0]);
        hc_response_clear(&r[1]);
    }
    return NULL;
}

START_TEST(one_client_serves_many_threads_with_few_connections)
{
    enum { N = 6 };
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    pthread_t threads[N];
    user_t users[N];
    for (unsigned i = 0; i < N; i++) {
        users[i] = (user_t){ c, f->port, 0 };
        pthread_create(&threads[i], NULL, user_main, &users[i]);
    }
    for (unsigned i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(users[i].good, 100);
    }
    ck_assert_uint_eq(f->requests, N * 100);
    ck_assert_uint_le(f->accepted, N * 2);
    hc_free(c);
    fake_free(f);
}
END_TEST

/* A group whose end is counted; done may submit the next one. */
typedef struct {
    hc_t *c;
    hc_group_t group;
    hc_request_t request;
    hc_response_t response;
    atomic_uint ended;
    unsigned again; /* more rounds to come */
} told_t;

static void on_end(void *ctx)
{
    told_t *t = ctx;
    if (t->again) {
        t->again--;
        hc_response_clear(&t->response);
        hc_submit(t->c, &t->group, &t->response, &t->request, 1, on_end, t);
    } else
        t->ended++;
}

static void submit(told_t *t, hc_t *c, const char *url)
{
    *t = (told_t){ .c = c, .request = { .url = url }, .again = t->again };
    hc_submit(c, &t->group, &t->response, &t->request, 1, on_end, t);
}

static void wait_ended(told_t *t)
{
    for (unsigned i = 0; i < 5000 && !t->ended; i++)
        pause_ms(1);
    ck_assert_uint_eq(t->ended, 1);
}

START_TEST(what_was_submitted_waits_for_nobody_and_nobody_for_it)
{
    enum { N = 100 };
    static told_t slow[N], told;
    fake_t *hanging = fake_new(be_hanging), *good = fake_new(be_honest);
    char url[2][64];
    hc_t *c = hc_new(NULL);
    snprintf(url[0], sizeof url[0], "http://127.0.0.1:%u/", hanging->port);
    snprintf(url[1], sizeof url[1], "http://127.0.0.1:%u/", good->port);
    for (unsigned i = 0; i < N; i++)
        submit(&slow[i], c, url[0]);
    told.again = 20;
    submit(&told, c, url[1]);
    wait_ended(&told);
    ck_assert_int_eq(told.response.why.rc, RC_OK);
    ck_assert_uint_eq(good->requests, 21);
    ck_assert_uint_eq(good->accepted, 1);
    hc_response_clear(&told.response);
    for (unsigned i = 0; i < N / 2; i++)
        hc_cancel(c, &slow[i].group);
    for (unsigned i = 0; i < N; i++) {
        if (i == N / 2) {
            ck_assert_uint_eq(slow[i].ended, 0);
            hc_free(c); /* ends the others */
        }
        wait_ended(&slow[i]);
        ck_assert_int_eq(slow[i].response.why.rc, RC_TIMEOUT);
        ck_assert_ptr_nonnull(strstr(slow[i].response.why.text, "cancelled"));
        hc_response_clear(&slow[i].response);
    }
    fake_free(hanging);
    fake_free(good);
}
END_TEST

START_TEST(a_closed_port_is_an_error_at_once)
{
    fake_t *f = fake_new(be_honest);
    uint16_t port = f->port;
    fake_free(f);
    hc_t *c = hc_new(NULL);
    hc_response_t r = ask(c, port, hasty);
    ck_assert_int_eq(r.why.rc, RC_IO);
    ck_assert_uint_lt(r.elapsed_ms, 900);
    hc_response_clear(&r);
    hc_free(c);
}
END_TEST

START_TEST(tls_against_a_server_that_speaks_none_fails_clearly)
{
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", f->port);
    hc_request_t q = hasty;
    q.url = url;
    hc_response_t r = ask(c, f->port, q);
    ck_assert(r.why.rc == RC_IO || r.why.rc == RC_TIMEOUT);
    hc_response_clear(&r);
    hc_free(c);
    fake_free(f);
}
END_TEST

/* Nobody answers the handshake, so who waits for it before a connection of his own opens none. */
static unsigned open_at_once(bool post)
{
    enum { N = 4 };
    fake_t *f = fake_new(be_honest);
    hc_t *c = hc_new(NULL);
    hc_request_t q[N];
    hc_response_t r[N];
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", f->port);
    for (unsigned i = 0; i < N; i++)
        q[i] =
            (hc_request_t){ .url = url, .post = post ? view_str("{}") : view_of(NULL, 0), .connect_timeout_ms = 600 };
    hc_perform(c, r, q, N, NULL, NULL);
    const unsigned peak = f->open_peak;
    for (unsigned i = 0; i < N; i++) {
        ck_assert_int_ne(r[i].why.rc, RC_OK);
        hc_response_clear(&r[i]);
    }
    hc_free(c);
    fake_free(f);
    return peak;
}

START_TEST(what_is_posted_over_tls_goes_out_at_once_also_when_no_connection_is_there)
{
    ck_assert_uint_eq(open_at_once(true), 4);
    ck_assert_uint_lt(open_at_once(false), 4); /* one handshake tells whether a connection carries them all */
}
END_TEST

int main(void)
{
    return UNIT_RUN("http_connections", connections_are_kept_between_calls_and_threads,
                    a_kept_connection_that_has_died_is_replaced_without_an_error,
                    requests_of_one_call_run_in_parallel_and_reuse_their_connections,
                    requests_beyond_the_connections_of_a_host_wait_their_turn,
                    one_bad_request_does_not_spoil_the_others_of_its_call, cancel_ends_everything_soon,
                    one_client_serves_many_threads_with_few_connections,
                    what_was_submitted_waits_for_nobody_and_nobody_for_it, a_closed_port_is_an_error_at_once,
                    tls_against_a_server_that_speaks_none_fails_clearly,
                    what_is_posted_over_tls_goes_out_at_once_also_when_no_connection_is_there);
}
