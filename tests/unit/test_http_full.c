/* A server whose places are all taken by clients that do not read, or that stay: others are served all the same. */
#include <check.h>

#include "http/proxy.h"
#include "http/stream.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/unit.h"

#define PLACES 64u
#define LONG ((size_t)8 << 20) /* more than the sockets' buffers take */

static hs_shared_t *long_answer;

static void quick(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    *r = (hs_response_t){ .status = 200, .body = (uint8_t *)strdup("{}"), .body_len = 2 };
}

static void whole(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    r->shared = hs_shared_ref(long_answer);
}

/* As long, and its own. */
static void own(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    *r = (hs_response_t){ .status = 200, .body = calloc(1, LONG), .body_len = LONG };
}

static void less(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    *r = (hs_response_t){ .status = 200, .body = calloc(1, LONG / 8), .body_len = LONG / 8 };
}

static size_t read_nothing(void *ctx, char *out, size_t cap)
{
    (void)ctx, (void)out, (void)cap;
    return 0;
}

#define WAITING_MAX 320u
static hs_pending_t *waiting[WAITING_MAX];
static atomic_uint waiting_count;

/* Is answered by answer_all. */
static void wait_for_it(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    const unsigned i = atomic_load(&waiting_count); /* the test sends one after the other */
    ck_assert_uint_lt(i, WAITING_MAX);
    waiting[i] = hs_defer(q, r);
    ck_assert_ptr_nonnull(waiting[i]);
    atomic_fetch_add(&waiting_count, 1);
}

static void answer_all(void)
{
    for (unsigned i = 0; i < atomic_load(&waiting_count); i++)
        hs_answer(waiting[i], &(hs_response_t){ .status = 200, .body = (uint8_t *)strdup("{}"), .body_len = 2 });
}

static void on_closed(void *ctx)
{
    (void)ctx;
}

static void last(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    hs_stream_unref(
        hs_stream_new(q, r, "text/event-stream", &(hs_source_t){ .read = read_nothing, .closed = on_closed }));
}

static void on_message(void *ctx, ws_t *w, uint8_t *take_text, size_t n)
{
    (void)ctx;
    free(take_text);
    ws_done(w, view_of(NULL, 0), n);
}

static void on_over(void *ctx, ws_t *w)
{
    (void)ctx, (void)w;
}

static const ws_config_t websocket = { .message = on_message, .closed = on_over };

static const hs_route_t routes[] = {
    { "GET", "/quick", quick, 0 }, { "GET", "/long", whole, 0 },         { "GET", "/own", own, 0 },
    { "GET", "/less", less, 0 },   { "GET", "/ws", NULL, HS_WEBSOCKET }, { "GET", "/stream", last, 0 },
    { "POST", "/take", quick, 0 }, { "GET", "/wait", wait_for_it, 0 },
};

static hs_t *start(hs_config_t k)
{
    err_t e;
    hs_t *s = NULL;
    uint8_t *text = calloc(1, LONG);
    ck_assert_ptr_nonnull(text);
    long_answer = hs_shared_new(200, NULL, view_of(text, LONG), 0);
    ck_assert_ptr_nonnull(long_answer);
    free(text);
    k.address = "127.0.0.1";
    k.routes = routes;
    k.route_count = sizeof routes / sizeof routes[0];
    k.connections_max = k.connections_max ? k.connections_max : PLACES;
    k.websocket = &websocket;
    ck_assert_msg(hs_start(&s, &e, &k) == RC_OK, "%s", e.text);
    return s;
}

static void stop(hs_t *s)
{
    hs_stop(s, 100);
    hs_shared_unref(long_answer);
}

/* Asks for a long answer; once it begins, nothing more is read. */
static int ask_deaf(const hs_t *s, const char *from, const char *path)
{
    char text[100];
    const int little = 2304, fd = dial_from(s, from);
    char c;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    ck_assert(say(fd, text));
    (void)recv(fd, &c, 1, MSG_PEEK);
    return fd;
}

static int status_on(int fd)
{
    if (!say(fd, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n"))
        return 0;
    reply_t a = hear(fd, false);
    free(a.body);
    return a.status;
}

static const char *const FROM[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5" };

START_TEST(clients_that_never_read_their_answers_shut_nobody_out)
{
    hs_t *s = start((hs_config_t){ 0 });
    int deaf[PLACES], again[PLACES];
    for (unsigned i = 0; i < PLACES; i++)
        deaf[i] = ask_deaf(s, FROM[i % 4], "/long");
    for (unsigned i = 0; i < 10; i++) {
        const int fd = dial_from(s, "127.0.0.9");
        ck_assert_int_eq(status_on(fd), 200);
        close(fd);
    }
    const int kept = dial_from(s, "127.0.0.9"); /* stays, though those come again and it alone is between requests */
    for (unsigned i = 0; i < PLACES; i++) {
        again[i] = ask_deaf(s, FROM[i % 4], "/long");
        ck_assert_int_eq(status_on(kept), 200);
    }
    for (unsigned i = 0; i < PLACES; i++) {
        close(deaf[i]);
        close(again[i]);
    }
    close(kept);
    stop(s);
}
END_TEST

/* One idle connection of each of very many addresses, as they come again and again. */
/* So many with one connection each are looked at for a newcomer; who has more came after them. */
START_TEST(whoever_has_most_is_found_behind_many_who_have_little)
{
    enum { MANY = 256, MORE = 40 };
    hs_t *s = start((hs_config_t){ .connections_max = MANY + MORE });
    int fds[MANY + MORE];
    for (unsigned i = 0; i < MANY + MORE; i++) {
        char from[32];
        snprintf(from, sizeof from, "127.0.%u.%u", i < MANY ? 1 + i / 128 : 3, i < MANY ? 1 + i % 128 : 1);
        fds[i] = dial_from(s, from);
        ck_assert(say(fds[i], "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"));
        while (atomic_load(&waiting_count) <= i)
            pause_ms(1);
    }
    for (unsigned i = 0; i < 10; i++) {
        int status = 0;
        for (unsigned tries = 0; status != 200 && tries < 2; tries++) {
            const int fd = dial_from(s, "127.0.0.9");
            status = status_on(fd);
            close(fd);
        }
        ck_assert_int_eq(status, 200);
    }
    answer_all();
    for (unsigned i = 0; i < MANY + MORE; i++)
        close(fds[i]);
    stop(s);
}
END_TEST

START_TEST(whoever_goes_on_asking_keeps_his_connection_among_many_idle_ones)
{
    hs_t *s = start((hs_config_t){ 0 });
    int idle[4 * PLACES];
    const int busy = dial_from(s, "127.0.0.9");
    for (unsigned i = 0; i < 4 * PLACES; i++) {
        char from[20];
        snprintf(from, sizeof from, "127.0.1.%u", i % 250 + 1);
        idle[i] = dial_from(s, from);
        ck_assert_int_eq(status_on(idle[i]), 200);
        if (i % (PLACES / 2) == 0)
            ck_assert_int_eq(status_on(busy), 200);
    }
    for (unsigned i = 0; i < 4 * PLACES; i++)
        close(idle[i]);
    close(busy);
    stop(s);
}
END_TEST

/* A proxy that fills all places with connections which say nothing takes them from itself, not from a client that has
 * no other. */
START_TEST(idle_connections_of_a_proxy_leave_those_of_others)
{
    proxies_t proxies = { .count = 0 };
    ck_assert_int_eq(proxies_add(&proxies, view_str("127.0.0.2")), RC_OK);
    hs_t *s = start((hs_config_t){ .proxies = &proxies });
    int idle[4 * PLACES];
    const int other = dial_from(s, "127.0.0.9");
    ck_assert_int_eq(status_on(other), 200);
    for (unsigned i = 0; i < 4 * PLACES; i++)
        idle[i] = dial_from(s, "127.0.0.2");
    ck_assert_int_eq(status_on(idle[4 * PLACES - 1]), 200); /* all have come */
    ck_assert_int_eq(status_on(other), 200);
    ck_assert_int_eq(status_on(idle[4 * PLACES - PLACES / 2]), 200); /* alone it may have more than one client */
    for (unsigned i = 0; i < 4 * PLACES; i++)
        close(idle[i]);
    close(other);
    stop(s);
}
END_TEST

static bool begins_200(int fd)
{
    char head[12] = "";
    return recv(fd, head, sizeof head, MSG_PEEK | MSG_WAITALL) == sizeof head && !memcmp(head + 9, "200", 3);
}

static void take_whole(const hs_t *s, const char *path)
{
    char text[100];
    const int fd = dial_from(s, "127.0.0.9");
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    ck_assert(say(fd, text));
    reply_t a = hear(fd, false);
    ck_assert_msg(a.status == 200 && a.body_len >= LONG / 8, "%s: %d", path, a.status);
    free(a.body);
    close(fd);
}

/* A request with a body of some 100 KB. */
static int status_of_body(const hs_t *s, const char *from)
{
    static char text[100100];
    const int fd = dial_from(s, from), n = snprintf(text, 100,
                                                    "POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 100000"
                                                    "\r\nConnection: close\r\n\r\n");
    memset(text + n, 'x', 100000);
    ck_assert(say(fd, text));
    reply_t a = hear(fd, false);
    free(a.body);
    close(fd);
    return a.status;
}

/* Of four clients' 60 answers, made for each or shared, as many wait to be taken as there is memory for. */
static void hold_unread(const char *path, unsigned most)
{
    hs_t *s = start((hs_config_t){ .bodies_max = 4 * LONG });
    int deaf[60];
    unsigned held = 0;
    for (unsigned i = 0; i < 60; i++) {
        deaf[i] = ask_deaf(s, FROM[i % 4], path);
        held += begins_200(deaf[i]);
    }
    ck_assert_msg(held == most, "%s: %u", path, held);
    for (unsigned i = 0; i < 4; i++) /* who does not read may still ask */
        ck_assert_int_eq(status_of_body(s, FROM[i]), 200);
    for (unsigned i = 0; i < 5; i++) /* somebody else is served meanwhile */
        take_whole(s, "/less");
    for (unsigned i = 0; i < 60; i++)
        close(deaf[i]);
    for (unsigned i = 0; i < 10; i++)
        take_whole(s, path);
    stop(s);
}

START_TEST(answers_that_nobody_reads_have_a_bound_and_leave_room_for_others)
{
    hold_unread("/own", 4);
    hold_unread("/long", 60); /* which are in memory once */
}
END_TEST

/* How many of those that were taken are not closed again: one that was upgraded while another one was is one too many. */
static unsigned count_open(const int fds[PLACES], const bool taken[PLACES])
{
    unsigned n = 0;
    char c;
    for (unsigned i = 0; i < PLACES; i++)
        n += taken[i] && recv(fds[i], &c, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
    return n;
}

/* Idle WebSockets and streams of four addresses, as many as there are places of each. */
START_TEST(connections_that_last_leave_places_for_others)
{
    static const char *const ask[] = {
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
    };
    hs_t *s = start((hs_config_t){ 0 });
    int fds[2][PLACES];
    bool taken[2][PLACES] = { { false } };
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < PLACES; i++) {
            fds[k][i] = dial_from(s, FROM[i % 4]);
            char head[16] = "";
            if (say(fds[k][i], ask[k]) && recv(fds[k][i], head, 12, MSG_WAITALL) == 12)
                taken[k][i] = memcmp(head + 9, k ? "200" : "101", 3) == 0;
        }
    for (unsigned k = 0; k < 2; k++) {
        const uint64_t until = clock_ms() + 20000;
        while (count_open(fds[k], taken[k]) > PLACES / 4 && clock_ms() < until)
            pause_ms(10);
        ck_assert_msg(count_open(fds[k], taken[k]) == PLACES / 4, "%u of kind %u", count_open(fds[k], taken[k]), k);
    }
    for (unsigned i = 0; i < 10; i++) {
        const int fd = dial_from(s, "127.0.0.9");
        ck_assert_int_eq(status_on(fd), 200);
        close(fd);
    }
    for (unsigned i = 0; i < 2 * PLACES; i++)
        close(fds[i / PLACES][i % PLACES]);
    stop(s);
}
END_TEST

/* The time for headers, and a second for the bytes. */
START_TEST(an_answer_has_to_be_taken_with_a_rate)
{
    static hs_tallies_t tallies;
    hs_t *s = start((hs_config_t){ .headers_ms = 500, .body_rate = LONG, .tallies = &tallies });
    const int fd = ask_deaf(s, "127.0.0.2", "/long");
    const uint64_t began = clock_ms(), until = began + 20000; /* a minute else */
    while (tally_get(&tallies.connections) && clock_ms() < until)
        pause_ms(10);
    ck_assert_uint_eq(tally_get(&tallies.connections), 0);
    ck_assert_uint_gt(clock_ms() - began, 500);
    close(fd);
    stop(s);
}
END_TEST

int main(void)
{
    return UNIT_RUN("http_full", clients_that_never_read_their_answers_shut_nobody_out,
                    whoever_has_most_is_found_behind_many_who_have_little,
                    whoever_goes_on_asking_keeps_his_connection_among_many_idle_ones,
                    idle_connections_of_a_proxy_leave_those_of_others,
                    answers_that_nobody_reads_have_a_bound_and_leave_room_for_others,
                    connections_that_last_leave_places_for_others, an_answer_has_to_be_taken_with_a_rate);
}
