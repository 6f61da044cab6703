/* HTTP server, client and upstream list while one allocation after another fails: each answer is whole or an error, and what
 * comes next is served. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/client.h"
#include "http/server.h"
#include "rpc/upstream/endpoints.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/sockets.h"
#include "tests/unit/unit.h"

#define BODY 5000u

/* Allocation number n (from 1) of all threads fails. */
static void one_fails(int n)
{
    fail_at((unsigned)n - 1, false);
    count_begin();
}

/* ---- a server ---- */

static hs_shared_t *current;

/* The body that came, or the query when none did. */
static void echo(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    r->status = 200;
    r->body_len = q->body.n ? q->body.n : strlen(q->query);
    r->body = malloc(r->body_len);
    if (r->body)
        memcpy(r->body, q->body.n ? (const void *)q->body.p : q->query, r->body_len);
    else
        *r = (hs_response_t){ .status = 500 };
}

static void shared(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    r->shared = current ? hs_shared_ref(current) : NULL;
}

static const hs_route_t routes[] = { { "GET", "/quick", echo, 0 },
                                     { "POST", "/quick", echo, 0 },
                                     { "GET", "/slow", echo, HS_SLOW },
                                     { "GET", "/shared", shared, 0 } };
static const hs_config_t config = { .address = "127.0.0.1", .routes = routes, .route_count = 4, .workers = 2 };

/* Status of the answer, 0 when the connection ended without a whole head. Nothing here allocates, as an assertion would. */
static int exchange(const hs_t *s, const char *head, const char *body, char *out, size_t cap)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(hs_port(s)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 10 };
    int status = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t n = 0;
    ssize_t got;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 && say(fd, head))
        (void)say(fd, body);
    while (n < cap - 1 && (got = recv(fd, out + n, cap - 1 - n, 0)) > 0)
        n += (size_t)got;
    out[n] = '\0';
    close(fd);
    sscanf(out, "HTTP/1.1 %d", &status);
    return status;
}

/* One request, each of whose allocations fails once; then none does. */
static void each_fails_once(const hs_t *s, const char *head, const char *body, const char *want)
{
    static char out[3 * BODY];
    int failures = 0;
    for (int n = 1;; n++) {
        one_fails(n);
        int status = exchange(s, head, body, out, sizeof out);
        pause_ms(5); /* the connection's end, too, is behind us */
        count_end();
        const char *end = strstr(out, "\r\n\r\n");
        if (status == 200)
            ck_assert_msg(end && strcmp(end + 4, want) == 0, "%s: allocation %d: %s", head, n, out);
        else
            ck_assert_msg(status == 0 || status == 400 || status >= 500, "%s: allocation %d: status %d", head, n,
                          status);
        if (!failing.failed)
            break;
        failures++;
        ck_assert_int_lt(n, 100);
        ck_assert_int_eq(exchange(s, head, body, out, sizeof out), 200);
    }
    ck_assert_int_ge(failures, 1);
    ck_assert_int_eq(exchange(s, head, body, out, sizeof out), 200);
}

START_TEST(a_request_without_memory_is_an_error_and_the_next_one_is_served)
{
    static char body[BODY + 1], head[200];
    err_t e;
    hs_t *s = NULL;
    memset(body, 'b', BODY);
    ck_assert_msg(hs_start(&s, &e, &config) == RC_OK, "%s", e.text);
    current = hs_shared_new(200, NULL, view_str("shared"), 0);
    ck_assert_ptr_nonnull(current);
    each_fails_once(s, "GET /quick?query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "", "query");
    each_fails_once(s, "GET /slow?query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "", "query");
    each_fails_once(s, "GET /shared HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "", "shared");
    snprintf(head, sizeof head, "POST /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %u\r\n\r\n",
             BODY);
    each_fails_once(s, head, body, body);
    hs_shared_unref(current);
    current = NULL;
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_server_that_cannot_be_made_says_so_and_leaves_nothing)
{
    for (int n = 1;; n++) {
        err_t e;
        hs_t *s = NULL;
        one_fails(n);
        rc_t rc = hs_start(&s, &e, &config);
        count_end();
        if (!failing.failed) {
            ck_assert_int_eq(rc, RC_OK);
            ck_assert_int_gt(n, 1);
            hs_stop(s, 1000);
            break;
        }
        ck_assert(rc == RC_NOMEM || rc == RC_IO); /* the latter: a thread that cannot be started */
        ck_assert_ptr_null(s);
    }
    one_fails(1);
    ck_assert_ptr_null(hs_shared_new(200, NULL, view_str("x"), 0));
}
END_TEST

START_TEST(a_problem_without_memory_keeps_its_status)
{
    hs_response_t r = { .status = 200 };
    one_fails(1);
    hs_problem(&r, 503, "busy", "too many requests are waiting");
    ck_assert(failing.failed);
    ck_assert_int_eq(r.status, 503);
    ck_assert_ptr_null(r.body);
    ck_assert_uint_eq(r.body_len, 0);
}
END_TEST

/* ---- the client ---- */

START_TEST(a_client_without_memory_fails_by_its_name_and_goes_on)
{
    err_t e;
    char url[80];
    hs_t *s = NULL;
    ck_assert_msg(hs_start(&s, &e, &config) == RC_OK, "%s", e.text);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/shared", hs_port(s));
    current = hs_shared_new(200, NULL, view_str("shared"), 0);
    int failures = 0;
    for (int n = 1;; n++) {
        one_fails(n);
        hc_t *c = hc_new(NULL);
        if (!c) {
            ck_assert(failing.failed);
            failures++;
            continue;
        }
        hc_response_t r[2];
        const hc_request_t q[2] = { { .url = url, .want_header = "Cache-Control:" }, { .url = url } };
        hc_perform(c, r, q, 2, NULL, NULL);
        count_end();
        for (size_t i = 0; i < 2; i++) {
            if (r[i].why.rc == RC_OK && r[i].status == 200)
                ck_assert(view_eq(view_of(r[i].body, r[i].body_len), view_str("shared")));
            else
                ck_assert_msg(failing.failed && (r[i].why.rc == RC_NOMEM || r[i].why.rc == RC_IO || r[i].status >= 400),
                              "%d: %s", n, r[i].why.text);
            if (r[i].why.rc == RC_NOMEM) {
                ck_assert(r[i].body == NULL && strstr(r[i].why.text, "out of memory"));
                failures++;
            }
            hc_response_clear(&r[i]);
        }
        bool done = !failing.failed;
        hc_perform(c, r, q, 1, NULL, NULL);
        ck_assert_msg(r[0].why.rc == RC_OK, "%d: %s", n, r[0].why.text);
        ck_assert_str_eq(r[0].header, "no-store");
        hc_response_clear(&r[0]);
        hc_free(c);
        if (done)
            break;
        ck_assert_int_lt(n, 100);
    }
    ck_assert_int_ge(failures, 4); /* the client, its lane, its jobs, a body */
    hs_shared_unref(current);
    current = NULL;
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_list_of_upstreams_is_whole_or_not_there)
{
    static const char *const urls[] = { "http://a", "http://b", "http://c" };
    for (int n = 1; n <= 4; n++) { /* the list and its three texts */
        one_fails(n);
        ck_assert_ptr_null(up_new(urls, 3));
        ck_assert(failing.failed);
    }
    one_fails(5);
    up_t *u = up_new(urls, 3);
    count_end();
    ck_assert(u && !failing.failed);
    ck_assert_str_eq(up_url(u, 2), "http://c");
    up_free(u);
}
END_TEST

int main(void)
{
    return UNIT_RUN("http_memory", a_request_without_memory_is_an_error_and_the_next_one_is_served,
                    a_server_that_cannot_be_made_says_so_and_leaves_nothing, a_problem_without_memory_keeps_its_status,
                    a_client_without_memory_fails_by_its_name_and_goes_on, a_list_of_upstreams_is_whole_or_not_there);
}
