/* Answers that a handler puts off: no thread waits for them, they are bounded, and each is given exactly once. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/http_hand.h"
#include "tests/unit/unit.h"

#define MANY 150u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static hs_pending_t *waiting[MANY];
static unsigned waiting_count;

static unsigned count_waiting(void)
{
    pthread_mutex_lock(&lock);
    unsigned n = waiting_count;
    pthread_mutex_unlock(&lock);
    return n;
}

static void wait_waiting(unsigned n)
{
    uint64_t until = clock_ms() + 5000;
    while (count_waiting() < n && clock_ms() < until)
        pause_ms(1);
    ck_assert_uint_eq(count_waiting(), n);
}

/* What the request was, as it stands in the copy. */
static void answer_with_request(hs_pending_t *p)
{
    const hs_request_t *q = hs_pending_request(p);
    char *text = NULL;
    int n = asprintf(&text, "%s %s ?%s %s %.*s", q->method, q->path, q->query, q->content_type, (int)q->body.n,
                     q->body.n ? (const char *)q->body.p : "");
    hs_answer(p, &(hs_response_t){
                     .status = 200, .content_type = "text/plain", .body = (uint8_t *)text, .body_len = (size_t)n });
}

static void put_off(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    hs_pending_t *p = hs_defer(q, r);
    if (!p)
        return;
    pthread_mutex_lock(&lock);
    waiting[waiting_count++] = p;
    pthread_mutex_unlock(&lock);
}

static void put_off_and_answer(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    hs_pending_t *p = hs_defer(q, r);
    if (p)
        answer_with_request(p);
}

static void quick(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    *r = (hs_response_t){ .status = 200, .body = (uint8_t *)strdup("{}"), .body_len = 2 };
}

static const hs_route_t routes[] = {
    { "POST", "/wait", put_off, HS_CORS },
    { "POST", "/now", put_off_and_answer, 0 },
    { "GET", "/quick", quick, 0 },
};

static hs_t *start(hs_config_t k)
{
    err_t e;
    hs_t *s = NULL;
    k.address = "127.0.0.1";
    k.routes = routes;
    k.route_count = sizeof routes / sizeof routes[0];
    waiting_count = 0;
    ck_assert_msg(hs_start(&s, &e, &k) == RC_OK, "%s", e.text);
    return s;
}

static void post(int fd, const char *path, const char *body)
{
    char text[300];
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: %zu\r\n\r\n%s",
             path, strlen(body), body);
    ck_assert(say(fd, text));
}

static void expect(int fd, int status, const char *in_body)
{
    reply_t a = hear(fd, false);
    ck_assert_msg(a.status == status && strstr(a.body, in_body), "status %d, body %s", a.status,
                  a.body ? a.body : "none");
    free(a.body);
}

START_TEST(requests_that_wait_hold_no_thread_and_each_gets_its_own_answer)
{
    hs_t *s = start((hs_config_t){ .event_threads = 1, .workers = 1 });
    int fds[MANY];
    char text[64];
    for (unsigned i = 0; i < MANY; i++) {
        fds[i] = dial(s);
        snprintf(text, sizeof text, "/wait?%u", i);
        post(fds[i], text, "body");
    }
    wait_waiting(MANY);
    int other = dial(s);
    for (unsigned i = 0; i < 20; i++) {
        say(other, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
        expect(other, 200, "{}");
    }
    close(other);
    for (unsigned i = 0; i < MANY; i++)
        answer_with_request(waiting[i]);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "POST /wait ?%u a/b body", i);
        expect(fds[i], 200, text);
        close(fds[i]);
    }
    hs_stop(s, 1000);
}
END_TEST

START_TEST(an_answer_may_come_before_the_handler_returns_and_the_connection_goes_on)
{
    hs_t *s = start((hs_config_t){ 0 });
    int fd = dial(s);
    for (unsigned i = 0; i < 300; i++) {
        post(fd, i % 3 ? "/now" : "/now?x", "y");
        expect(fd, 200, i % 3 ? "POST /now ? a/b y" : "POST /now ?x a/b y");
    }
    close(fd);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(beyond_the_bound_in_number_or_in_bytes_a_request_is_refused_with_429)
{
    hs_t *s = start((hs_config_t){ .deferred_max = 2, .deferred_body_max = 10 });
    int fds[3];
    for (unsigned i = 0; i < 3; i++)
        fds[i] = dial(s);
    post(fds[0], "/wait", "123456");
    wait_waiting(1);
    post(fds[1], "/wait", "12345");
    reply_t a = hear(fds[1], false);
    ck_assert_int_eq(a.status, 429);
    ck_assert_ptr_nonnull(strstr(a.head, "\r\nRetry-After: 1\r\n"));
    ck_assert_ptr_nonnull(strstr(a.body, "urn:kettle:error:over-share"));
    free(a.body);
    post(fds[1], "/wait", "1234");
    wait_waiting(2);
    post(fds[2], "/wait", "");
    expect(fds[2], 429, "more requests waiting than its share");
    answer_with_request(waiting[0]);
    expect(fds[0], 200, "123456");
    post(fds[2], "/wait", "");
    wait_waiting(3);
    for (unsigned i = 1; i < 3; i++)
        answer_with_request(waiting[i]);
    for (unsigned i = 1; i < 3; i++)
        expect(fds[i], 200, "POST /wait");
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(who_works_on_an_answer_learns_that_nobody_waits_for_it)
{
    hs_t *s = start((hs_config_t){ 0 });
    int fds[2];
    for (unsigned i = 0; i < 2; i++) {
        fds[i] = dial(s);
        post(fds[i], "/wait", "x");
        wait_waiting(i + 1);
    }
    ck_assert(!hs_pending_gone(waiting[0]));
    close(fds[0]);
    uint64_t until = clock_ms() + 3000;
    while (!hs_pending_gone(waiting[0]) && clock_ms() < until)
        pause_ms(5);
    ck_assert(hs_pending_gone(waiting[0]));
    ck_assert(!hs_pending_gone(waiting[1]));
    answer_with_request(waiting[0]); /* without effect */
    answer_with_request(waiting[1]);
    expect(fds[1], 200, "POST /wait ? a/b x");
    close(fds[1]);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_client_that_leaves_while_its_answer_is_put_off_harms_nobody)
{
    hs_t *s = start((hs_config_t){ 0 });
    for (unsigned i = 0; i < 4; i++) {
        int fd = dial(s);
        post(fd, "/wait", "x");
        wait_waiting(i + 1);
        close(fd);
    }
    for (unsigned i = 0; i < 4; i++)
        answer_with_request(waiting[i]);
    int fd = dial(s);
    post(fd, "/now", "x");
    expect(fd, 200, "POST /now");
    close(fd);
    hs_stop(s, 1000);
}
END_TEST

typedef struct {
    hs_t *s;
    unsigned grace_ms;
} stopper_t;

static void *stopper_main(void *arg)
{
    stopper_t *t = arg;
    hs_stop(t->s, t->grace_ms);
    return NULL;
}

START_TEST(stopping_waits_for_put_off_answers_within_its_grace)
{
    hs_t *s = start((hs_config_t){ 0 });
    stopper_t stopper = { s, 5000 };
    pthread_t thread;
    int fd = dial(s);
    post(fd, "/wait", "x");
    wait_waiting(1);
    pthread_create(&thread, NULL, stopper_main, &stopper);
    pause_ms(50);
    answer_with_request(waiting[0]);
    expect(fd, 200, "POST /wait");
    pthread_join(thread, NULL);
    close(fd);
}
END_TEST

START_TEST(after_the_grace_they_get_503_and_a_late_answer_goes_nowhere)
{
    hs_t *s = start((hs_config_t){ 0 });
    hs_shared_t *shared = hs_shared_new(200, NULL, view_str("{}"), 0);
    int fds[2];
    for (unsigned i = 0; i < 2; i++) {
        fds[i] = dial(s);
        post(fds[i], "/wait", i ? "second" : "first");
        wait_waiting(i + 1);
    }
    hs_stop(s, 50);
    for (unsigned i = 0; i < 2; i++) {
        expect(fds[i], 503, "urn:kettle:error:stopping");
        close(fds[i]);
    }
    view_t body = hs_pending_request(waiting[0])->body;
    ck_assert(view_eq(body, view_str("first")));
    answer_with_request(waiting[0]);
    hs_answer(waiting[1], &(hs_response_t){ .shared = hs_shared_ref(shared) });
    hs_shared_unref(shared);
}
END_TEST

/* Answers race with the end of the grace, many times. */
static void *answer_all(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < waiting_count; i++)
        answer_with_request(waiting[i]);
    return NULL;
}

START_TEST(an_answer_that_meets_the_end_of_the_grace_is_given_once)
{
    for (unsigned round = 0; round < 20; round++) {
        hs_t *s = start((hs_config_t){ 0 });
        int fds[8];
        pthread_t thread;
        for (unsigned i = 0; i < 8; i++) {
            fds[i] = dial(s);
            post(fds[i], "/wait", "x");
        }
        wait_waiting(8);
        pthread_create(&thread, NULL, answer_all, NULL);
        hs_stop(s, 0);
        pthread_join(thread, NULL);
        for (unsigned i = 0; i < 8; i++) {
            reply_t a = hear(fds[i], false);
            ck_assert_msg(a.status == 200 || a.status == 503, "status %d", a.status);
            free(a.body);
            close(fds[i]);
        }
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("http_defer", requests_that_wait_hold_no_thread_and_each_gets_its_own_answer,
                    an_answer_may_come_before_the_handler_returns_and_the_connection_goes_on,
                    beyond_the_bound_in_number_or_in_bytes_a_request_is_refused_with_429,
                    who_works_on_an_answer_learns_that_nobody_waits_for_it,
                    a_client_that_leaves_while_its_answer_is_put_off_harms_nobody,
                    stopping_waits_for_put_off_answers_within_its_grace,
                    after_the_grace_they_get_503_and_a_late_answer_goes_nowhere,
                    an_answer_that_meets_the_end_of_the_grace_is_given_once);
}
