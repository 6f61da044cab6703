/* Clients of one server, each from its own address: what one of them floods with is not taken from the others. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/os/limits.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/unit.h"

#define MANY 40u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static hs_pending_t *waiting[4 * MANY];
static atomic_uint waiting_count, entered;
static atomic_bool gate_open;

static void put_off(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    hs_pending_t *p = hs_defer(q, r);
    if (!p)
        return;
    pthread_mutex_lock(&lock);
    waiting[waiting_count] = p;
    waiting_count++;
    pthread_mutex_unlock(&lock);
}

static void fill(hs_response_t *r)
{
    *r = (hs_response_t){ .status = 200, .body = (uint8_t *)strdup("{}"), .body_len = 2 };
}

static void slow(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    entered++;
    while (!gate_open)
        pause_ms(1);
    fill(r);
}

/* As a quote that takes its time. */
static void takes_20_ms(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    pause_ms(20);
    fill(r);
}

static void take(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    fill(r);
}

static const hs_route_t routes[] = {
    { "POST", "/take", take, 0 },
    { "POST", "/wait", put_off, 0 },
    { "GET", "/slow", slow, HS_SLOW },
    { "GET", "/quote", takes_20_ms, HS_SLOW },
};

static hs_t *start(hs_config_t k)
{
    err_t e;
    hs_t *s = NULL;
    k.address = "127.0.0.1";
    k.routes = routes;
    k.route_count = sizeof routes / sizeof routes[0];
    waiting_count = entered = 0;
    gate_open = false;
    ck_assert_msg(hs_start(&s, &e, &k) == RC_OK, "%s", e.text);
    return s;
}

static void post(int fd, const char *body)
{
    char text[300];
    snprintf(text, sizeof text, "POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    ck_assert(say(fd, text));
}

static void get(int fd, const char *path)
{
    char text[100];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    ck_assert(say(fd, text));
}

static void wait_for(const atomic_uint *what, unsigned n)
{
    uint64_t until = clock_ms() + 5000;
    while (*what < n && clock_ms() < until)
        pause_ms(1);
    ck_assert_uint_eq(*what, n);
}

static void expect(int fd, int status)
{
    reply_t a = hear(fd, false);
    ck_assert_msg(a.status == status, "status %d instead of %d: %s", a.status, status, a.body);
    ck_assert(status == 200 || strstr(a.head, "\r\nRetry-After: 1\r\n"));
    ck_assert(status != 429 || strstr(a.body, "urn:kettle:error:over-share"));
    ck_assert(status != 503 || strstr(a.body, "urn:kettle:error:busy"));
    free(a.body);
}

static void answer_all(void)
{
    for (unsigned i = 0; i < waiting_count; i++) {
        hs_response_t r;
        fill(&r);
        hs_answer(waiting[i], &r);
    }
}

/* Bytes of memory that the process uses. */
static size_t resident(void)
{
    unsigned long all = 0, here = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%lu %lu", &all, &here), 2);
    fclose(f);
    return here * (size_t)sysconf(_SC_PAGESIZE);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#else
#define INSTRUMENTED 0
#endif

#define HALVES 1024u
#define HALF 40000u /* of 65,536: they take a buffer of 64 KiB */

/* Sends the line, the headers and the beginning of a body. */
static int send_half(const hs_t *s, const char *from, size_t of, size_t sent)
{
    static char body[65536];
    char head[120];
    const int fd = dial_from(s, from);
    memset(body, 'x', sizeof body);
    snprintf(head, sizeof head, "POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", of);
    if (say(fd, head))
        (void)send_all(fd, body, sent);
    return fd;
}

/* How many of them were answered or closed: what was sent in vain may have taken the answer away. */
static unsigned count_ended(const int *fds, unsigned count)
{
    unsigned n = 0;
    for (unsigned i = 0; i < count; i++) {
        char c;
        n += recv(fds[i], &c, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || errno != EAGAIN;
    }
    return n;
}

START_TEST(half_sent_bodies_have_a_bound_and_leave_room_for_others)
{
    const size_t most = (size_t)8 << 20, before = resident();
    hs_t *s = start(
        (hs_config_t){ .bodies_max = most, .connections_max = 1500, .per_client_max = 1400, .headers_ms = 60000 });
    static int half[HALVES];
    const unsigned halves = limits_raise_files(4096) < 2 * HALVES + 200 ? HALVES / 4 : HALVES; /* both ends are here */
    for (unsigned i = 0; i < halves; i++)
        half[i] = send_half(s, "127.0.0.2", 65536, HALF);
    const unsigned beyond = halves - (unsigned)(most / 65536); /* 503, and closed */
    const uint64_t patience = clock_ms() + 20000;
    while (count_ended(half, halves) < beyond && clock_ms() < patience)
        pause_ms(20);
    ck_assert_uint_ge(count_ended(half, halves), beyond);
    ck_assert_uint_lt(count_ended(half, halves), halves);
    if (!INSTRUMENTED) /* connections have 32 KiB each */
        ck_assert_uint_lt(resident() - before, most + most / 4 + ((size_t)48 << 20));
    for (unsigned i = 0; i < 10; i++) { /* somebody else is served meanwhile */
        const int fd = send_half(s, "127.0.0.3", 60000, 60000);
        expect(fd, 200);
        close(fd);
    }
    for (unsigned i = 0; i < halves; i++)
        close(half[i]);
    uint64_t until = clock_ms() + 5000;
    int status = 0;
    while (status != 200 && clock_ms() < until) { /* and the first one again, when it has let go */
        const int fd = send_half(s, "127.0.0.2", 60000, 60000);
        reply_t a = hear(fd, false);
        status = a.status;
        free(a.body);
        close(fd);
    }
    ck_assert_int_eq(status, 200);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(who_fills_the_server_gives_way_to_who_comes_next)
{
    hs_t *s = start((hs_config_t){ .deferred_max = MANY });
    int flood[MANY + 1], other[MANY / 4 + 1];
    for (unsigned i = 0; i < MANY; i++) {
        flood[i] = dial_from(s, "127.0.0.2");
        post(flood[i], "x");
        wait_for(&waiting_count, i + 1); /* alone, it has every place */
    }
    flood[MANY] = dial_from(s, "127.0.0.2");
    post(flood[MANY], "x");
    expect(flood[MANY], 429);
    for (unsigned i = 0; i < MANY / 4; i++) {
        other[i] = dial_from(s, "127.0.0.3");
        post(other[i], "x");
        wait_for(&waiting_count, MANY + 1 + i);
        expect(flood[MANY - 1 - i], 429); /* the last come are the first to go */
    }
    other[MANY / 4] = dial_from(s, "127.0.0.3");
    post(other[MANY / 4], "x");
    expect(other[MANY / 4], 429); /* beyond its own share */
    answer_all();
    for (unsigned i = 0; i < MANY / 4; i++)
        expect(other[i], 200);
    for (unsigned i = 0; i < MANY - MANY / 4; i++)
        expect(flood[i], 200);
    for (unsigned i = 0; i <= MANY; i++)
        close(flood[i]);
    for (unsigned i = 0; i <= MANY / 4; i++)
        close(other[i]);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(long_bodies_count_as_many_requests_do)
{
    hs_t *s = start((hs_config_t){ .deferred_max = 100, .deferred_body_max = 100 });
    static char body[30];
    int flood[3], other[2];
    memset(body, 'x', sizeof body - 1);
    for (unsigned i = 0; i < 3; i++) {
        flood[i] = dial_from(s, "127.0.0.2");
        post(flood[i], body);
        wait_for(&waiting_count, i + 1); /* in the end 87 of 100 bytes */
    }
    other[0] = dial_from(s, "127.0.0.3");
    post(other[0], "0123456789012345678");
    wait_for(&waiting_count, 4);
    expect(flood[2], 429);
    other[1] = dial_from(s, "127.0.0.3");
    post(other[1], body); /* with this one it has 48 bytes: more than its quarter */
    expect(other[1], 429);
    answer_all();
    expect(other[0], 200);
    expect(flood[0], 200);
    expect(flood[1], 200);
    for (unsigned i = 0; i < 3; i++)
        close(flood[i]);
    close(other[0]);
    close(other[1]);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_server_full_of_clients_with_equal_shares_says_503)
{
    hs_t *s = start((hs_config_t){ .deferred_max = 5 });
    static const char *const from[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7" };
    int fds[6];
    for (unsigned i = 0; i < 6; i++) {
        fds[i] = dial_from(s, from[i]);
        post(fds[i], "x");
        if (i < 5)
            wait_for(&waiting_count, i + 1);
    }
    expect(fds[5], 503);
    answer_all();
    for (unsigned i = 0; i < 5; i++)
        expect(fds[i], 200);
    for (unsigned i = 0; i < 6; i++)
        close(fds[i]);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(the_queue_of_slow_routes_is_shared_likewise)
{
    hs_t *s = start((hs_config_t){ .workers = 2, .queue_max = 8 });
    int flood[11], other;
    for (unsigned i = 0; i < 10; i++) {
        flood[i] = dial_from(s, "127.0.0.2");
        get(flood[i], "/slow");
        if (i < 2)
            wait_for(&entered, i + 1);
    }
    pause_ms(300); /* all have come */
    flood[10] = dial_from(s, "127.0.0.2");
    get(flood[10], "/slow");
    expect(flood[10], 429);
    other = dial_from(s, "127.0.0.3");
    get(other, "/slow");
    pause_ms(100);
    gate_open = true;
    expect(other, 200);
    unsigned refused = 0; /* one of the flood's, whichever came last */
    for (unsigned i = 0; i < 10; i++) {
        reply_t a = hear(flood[i], false);
        refused += a.status == 429;
        free(a.body);
    }
    ck_assert_uint_eq(refused, 1);
    for (unsigned i = 0; i < 11; i++)
        close(flood[i]);
    close(other);
    hs_stop(s, 1000);
}
END_TEST

/* Fresh quotes of 20 ms each: 60 that wait do not come before one of another client. */
START_TEST(a_flood_of_slow_requests_does_not_stand_before_another_client_s)
{
    hs_t *s = start((hs_config_t){ .workers = 1, .queue_max = 64 });
    int flood[60];
    for (unsigned i = 0; i < 60; i++) {
        flood[i] = dial_from(s, "127.0.0.2");
        get(flood[i], "/quote");
    }
    pause_ms(50);
    for (unsigned i = 0; i < 5; i++) {
        int other = dial_from(s, "127.0.0.3");
        uint64_t began = clock_ms();
        get(other, "/quote");
        expect(other, 200);
        ck_assert_uint_lt(clock_ms() - began, 300); /* two turns; the flood takes 1,200 */
        close(other);
    }
    for (unsigned i = 0; i < 60; i++) {
        expect(flood[i], 200);
        close(flood[i]);
    }
    hs_stop(s, 1000);
}
END_TEST

int main(void)
{
    return UNIT_RUN("http_share", who_fills_the_server_gives_way_to_who_comes_next,
                    half_sent_bodies_have_a_bound_and_leave_room_for_others, long_bodies_count_as_many_requests_do,
                    a_server_full_of_clients_with_equal_shares_says_503, the_queue_of_slow_routes_is_shared_likewise,
                    a_flood_of_slow_requests_does_not_stand_before_another_client_s);
}
