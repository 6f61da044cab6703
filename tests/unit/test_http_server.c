/* HTTP server by raw sockets on loopback: answers, limits, errors, slow handlers, stopping. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/server.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/unit.h"

#define BIG (10u << 20)

static atomic_uint gate_entered; /* slow handlers that wait in /gate */
static atomic_bool gate_open;

/* ---- handlers ---- */

static void echo(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    char *text = NULL;
    int n = asprintf(&text, "%s %s ?%s %s %zu:%.*s", q->method, q->path, q->query, q->content_type, q->body.n,
                     (int)(q->body.n < 100 ? q->body.n : 100), q->body.n ? (const char *)q->body.p : "");
    (void)ctx;
    *r = (hs_response_t){ .status = 200, .content_type = "text/plain", .body = (uint8_t *)text, .body_len = (size_t)n };
}

static void gate(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    gate_entered++;
    while (!gate_open)
        pause_ms(1);
    echo(ctx, q, r);
}

static void big(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    (void)q;
    *r = (hs_response_t){ .status = 200, .body = malloc(BIG), .body_len = BIG };
    memset(r->body, 'b', BIG);
}

static void no_answer(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    (void)q;
    r->body = malloc(10); /* freed by the server nevertheless */
    r->body_len = 10;
}

static void busy(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    (void)q;
    hs_problem(r, 503, "not-ready", "head is \"too\" old\n\\ \x80");
    r->retry_after_s = 12;
}

static pthread_mutex_t current_lock = PTHREAD_MUTEX_INITIALIZER;
static hs_shared_t *current;

static void shared(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    (void)q;
    pthread_mutex_lock(&current_lock);
    r->shared = current ? hs_shared_ref(current) : NULL;
    pthread_mutex_unlock(&current_lock);
}

static void shared_set(const char *text)
{
    hs_shared_t *next = text ? hs_shared_new(200, NULL, view_str(text), HS_CORS) : NULL, *old;
    pthread_mutex_lock(&current_lock);
    old = current;
    current = next;
    pthread_mutex_unlock(&current_lock);
    hs_shared_unref(old);
}

static const hs_route_t routes[] = {
    { "GET", "/quick", echo, 0 },       { "GET", "/shared", shared, HS_CORS },
    { "GET", "/cors", echo, HS_CORS },  { "POST", "/cors", echo, HS_SLOW | HS_CORS },
    { "POST", "/echo", echo, 0 },       { "POST", "/slow", echo, HS_SLOW },
    { "GET", "/gate", gate, HS_SLOW },  { "GET", "/big", big, 0 },
    { "GET", "/none", no_answer, 0 },   { "GET", "/busy", busy, 0 },
    { "ANY", "/any", busy, HS_QUOTED }, { "POST", "/quoted", echo, HS_QUOTED },
    { "GET", "/v1/block/*", echo, 0 },  { "POST", "/v1/block/*", echo, HS_CORS }, /* the last one counts, too */
};

static hs_t *start(hs_config_t k)
{
    err_t e;
    hs_t *s = NULL;
    k.address = "127.0.0.1";
    k.routes = routes;
    k.route_count = sizeof routes / sizeof routes[0];
    gate_entered = 0;
    gate_open = false;
    ck_assert_msg(hs_start(&s, &e, &k) == RC_OK, "%s", e.text);
    return s;
}

static reply_t ask(const hs_t *s, const char *request)
{
    int fd = dial(s);
    say(fd, request);
    reply_t a = hear(fd, strncmp(request, "HEAD", 4) == 0);
    close(fd);
    return a;
}

static void expect(const hs_t *s, const char *request, int status, const char *in_head, const char *in_body)
{
    reply_t a = ask(s, request);
    ck_assert_msg(a.status == status, "%s: status %d", request, a.status);
    ck_assert_msg(!in_head || strstr(a.head, in_head), "%s: head %s", request, a.head);
    ck_assert_msg(!in_body || strstr(a.body, in_body), "%s: body %s", request, a.body);
    free(a.body);
}

/* ---- answers ---- */

START_TEST(quick_and_slow_routes_get_path_query_type_and_body)
{
    hs_t *s = start((hs_config_t){ 0 });
    expect(s, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\nContent-Type: text/plain\r\n", "GET /quick ?  0:");
    expect(s, "GET /quick?a=%31&b HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\nX-Content-Type-Options: nosniff\r\n",
           "GET /quick ?a=%31&b  0:");
    expect(s, "GET /qu%69ck?x?y HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\nCache-Control: no-store\r\n",
           "GET /quick ?x?y  0:");
    expect(s, "GET /v1/block/latest?full HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL, "GET /v1/block/latest ?full  0:");
    expect(s, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 200,
           NULL, "POST /echo ? application/json 2:{}");
    expect(s, "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 200, NULL, "POST /slow ?  0:");
    expect(s,
           "POST /slow?q HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: "
           "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
           200, NULL, "POST /slow ?q text/plain 5:abcde");
    hs_stop(s, 1000);
    hs_stop(NULL, 0);
}
END_TEST

START_TEST(head_is_get_without_the_body)
{
    hs_t *s = start((hs_config_t){ 0 });
    int fd = dial(s);
    say(fd, "HEAD /quick HTTP/1.1\r\nHost: x\r\n\r\nGET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
    reply_t a = hear(fd, true), b = hear(fd, false);
    ck_assert_int_eq(a.status, 200);
    ck_assert_ptr_nonnull(strstr(a.head, "Content-Length: 16\r\n"));
    ck_assert_int_eq(b.status, 200);
    ck_assert_uint_eq(b.body_len, 16);
    free(a.body);
    free(b.body);
    close(fd);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(unknown_paths_and_methods_get_problems_and_options_tells_the_methods)
{
    hs_t *s = start((hs_config_t){ 0 });
    expect(
        s, "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, "\r\nContent-Type: application/problem+json\r\n",
        "{\"type\":\"urn:kettle:error:not-found\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"no such path\"}");
    expect(s, "GET /quick/ HTTP/1.1\r\nHost: x\r\n\r\n", 404, NULL, NULL);
    expect(s, "GET /quick%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, NULL, "urn:kettle:error:bad-request");
    expect(s, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", 405, "\r\nAllow: POST, OPTIONS\r\n",
           "urn:kettle:error:method-not-allowed");
    expect(s, "DELETE /cors HTTP/1.1\r\nHost: x\r\n\r\n", 405, "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n", NULL);
    expect(s, "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n", 405, NULL, NULL);
    expect(s, "OPTIONS /quick HTTP/1.1\r\nHost: x\r\n\r\n", 204, "\r\nAllow: GET, HEAD, OPTIONS\r\n", NULL);
    expect(s, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n", 500, NULL, "urn:kettle:error:internal");
    expect(s, "GET /busy HTTP/1.1\r\nHost: x\r\n\r\n", 503, "\r\nRetry-After: 12\r\n",
           "\"detail\":\"head is \\\"too\\\" old\\u000a\\\\ ?\"");
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_quoted_route_answers_any_method_and_its_problems_are_strings)
{
    hs_t *s = start((hs_config_t){ 0 });
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "BREW" };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char request[100]; /* none of them says a length */
        snprintf(request, sizeof request, "%s /any HTTP/1.1\r\nHost: x\r\n\r\n", methods[i]);
        expect(s, request, 503, "\r\nContent-Type: application/json\r\n",
               "\"{\\\"error\\\":\\\"head is \\\\\\\"too\\\\\\\" old\\\\u000a\\\\\\\\ ?\\\"}\"");
    }
    expect(s, "GET /any HTTP/1.1\r\nHost: x\r\n\r\n", 503, "\r\nRetry-After: 12\r\n", NULL);
    expect(s, "OPTIONS /any HTTP/1.1\r\nHost: x\r\n\r\n", 204,
           "\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n", NULL);
    expect(s, "GET /quoted HTTP/1.1\r\nHost: x\r\n\r\n", 405, "\r\nAllow: POST, OPTIONS\r\n",
           "\"{\\\"error\\\":\\\"this path does not take this method\\\"}\"");
    expect(s, "POST /quoted HTTP/1.1\r\nHost: x\r\n\r\n", 411, "\r\nContent-Type: application/json\r\n",
           "\"{\\\"error\\\":\\\"the request has neither");
    expect(s, "POST /quoted HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 200, NULL, "{}");
    hs_stop(s, 1000);
}
END_TEST

START_TEST(only_cors_routes_may_be_read_by_any_page)
{
    hs_t *s = start((hs_config_t){ 0 });
    static const char open_to_all[] = "\r\nAccess-Control-Allow-Origin: *\r\n";
    expect(s, "GET /cors HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\n\r\n", 200, open_to_all, NULL);
    expect(s, "POST /cors HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 200, open_to_all, NULL);
    expect(s, "PUT /cors HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, open_to_all, NULL);
    expect(s, "OPTIONS /cors HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\n\r\n",
           204, open_to_all, NULL);
    expect(s, "OPTIONS /cors HTTP/1.1\r\nHost: x\r\n\r\n", 204,
           "\r\nAccess-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n", NULL);
    expect(s, "OPTIONS /cors HTTP/1.1\r\nHost: x\r\n\r\n", 204,
           "\r\nAccess-Control-Allow-Headers: content-type, authorization, last-event-id\r\n", NULL);
    static const char *const closed[] = { "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n",
                                          "OPTIONS /quick HTTP/1.1\r\nHost: x\r\n\r\n",
                                          "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" };
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        reply_t a = ask(s, closed[i]);
        ck_assert_msg(!strstr(a.head, "Access-Control"), "%s: %s", closed[i], a.head);
        free(a.body);
    }
    hs_stop(s, 1000);
}
END_TEST

START_TEST(methods_and_cors_of_a_path_come_from_all_its_routes_to_the_last)
{
    hs_t *s = start((hs_config_t){ 0 });
    expect(s, "DELETE /v1/block/x HTTP/1.1\r\nHost: x\r\n\r\n", 405, "\r\nAllow: GET, HEAD, POST, OPTIONS\r\n",
           "urn:kettle:error:method-not-allowed");
    expect(s, "GET /v1/block/x HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\r\nAccess-Control-Allow-Origin: *\r\n",
           "GET /v1/block/x");
    expect(s, "POST /v1/block/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 200,
           "\r\nAccess-Control-Allow-Origin: *\r\n", "POST /v1/block/x");
    expect(s, "OPTIONS /v1/block/ HTTP/1.1\r\nHost: x\r\n\r\n", 204,
           "\r\nAccess-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n", NULL);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(each_method_that_takes_a_body_must_say_its_length)
{
    static const char *const methods[] = { "POST", "PUT", "PATCH" };
    hs_t *s = start((hs_config_t){ 0 });
    for (size_t i = 0; i < 3; i++) {
        char request[100];
        snprintf(request, sizeof request, "%s /cors HTTP/1.1\r\nHost: x\r\n\r\n", methods[i]);
        expect(s, request, 411, NULL, "\"detail\":\"the request has neither Content-Length nor chunked coding\"");
    }
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_problem_s_detail_is_cut_at_512_bytes_and_escaped)
{
    static const size_t lengths[] = { 0, 511, 512, 513, 5000 };
    static const struct {
        char letter;
        const char *shown;
    } letters[] = { { 'a', "a" },     { '"', "\\\"" }, { '\\', "\\\\" },
                    { 1, "\\u0001" }, { 0x7f, "?" },   { (char)0xc3, "?" } };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (size_t k = 0; k < sizeof letters / sizeof letters[0]; k++) {
            char *detail = calloc(1, lengths[i] + 1), want[4000];
            hs_response_t r = { .status = 200, .body = malloc(10), .body_len = 10 }; /* an answer that is dropped */
            memset(detail, letters[k].letter, lengths[i]);
            hs_problem(&r, 422, "slug", detail);
            ck_assert_int_eq(r.status, 422);
            ck_assert_str_eq(r.content_type, "application/problem+json");
            int n = sprintf(
                want,
                "{\"type\":\"urn:kettle:error:slug\",\"title\":\"Unprocessable Content\",\"status\":422,\"detail\":\"");
            for (size_t at = 0; at < lengths[i] && at < 512; at++)
                n += sprintf(want + n, "%s", letters[k].shown);
            n += sprintf(want + n, "\"}");
            ck_assert_uint_eq(r.body_len, (size_t)n);
            ck_assert(memcmp(r.body, want, (size_t)n) == 0);
            free(r.body);
            free(detail);
        }
}
END_TEST

/* On an answer, a problem of the handler, one of the server, what OPTIONS says, and an answer that is shared. */
START_TEST(a_simulated_tee_is_named_in_every_answer_and_a_real_one_in_none)
{
    static const char *const requests[] = {
        "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n",   "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "HEAD /quick HTTP/1.1\r\nHost: x\r\n\r\n",  "GET /busy HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", "PUT /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\n\r\n",   "OPTIONS /cors HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /none HTTP/1.1\r\nHost: x\r\n\r\n",    "GET /shared HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    static const int statuses[] = { 200, 200, 200, 503, 404, 405, 411, 204, 500, 200 };
    for (unsigned simulated = 0; simulated < 2; simulated++) {
        hs_t *s = start((hs_config_t){ .flags = simulated ? HS_SIMULATED : 0 });
        hs_shared_t *answer = hs_shared_new(200, NULL, view_str("{}"), simulated ? HS_SIMULATED : HS_CORS);
        current = hs_shared_ref(answer);
        for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
            reply_t a = ask(s, requests[i]);
            ck_assert_msg(a.status == statuses[i], "%s: status %d", requests[i], a.status);
            const char *named = strstr(a.head, "\r\nX-Kettle-TEE: simulated\r\n");
            ck_assert_msg(!named == !simulated, "%s: %s", requests[i], a.head);
            ck_assert_msg(simulated || !strcasestr(a.head, "Kettle"), "%s: %s", requests[i], a.head);
            free(a.body);
        }
        hs_shared_unref(answer);
        shared_set(NULL);
        hs_stop(s, 1000);
    }
}
END_TEST

typedef struct {
    const hs_t *s;
    unsigned good;
} reader_t;

static void *shared_reader(void *arg)
{
    reader_t *u = arg;
    int fd = dial_port(hs_port(u->s));
    for (unsigned i = 0; i < 300; i++) {
        say(fd, "GET /shared HTTP/1.1\r\nHost: x\r\n\r\n");
        reply_t a = hear(fd, false);
        u->good += a.status == 200 && strncmp(a.body, "block ", 6) == 0 && strstr(a.head, "Allow-Origin: *") ? 1 : 0;
        free(a.body);
    }
    close(fd);
    return NULL;
}

START_TEST(a_shared_answer_can_be_replaced_while_it_is_handed_out)
{
    enum { N = 4 };
    hs_t *s = start((hs_config_t){ 0 });
    pthread_t threads[N];
    reader_t readers[N];
    shared_set("block 0");
    for (unsigned i = 0; i < N; i++) {
        readers[i] = (reader_t){ s, 0 };
        pthread_create(&threads[i], NULL, shared_reader, &readers[i]);
    }
    for (unsigned i = 1; i < 100; i++) {
        char text[32];
        snprintf(text, sizeof text, "block %u", i);
        shared_set(text);
        pause_ms(1);
    }
    for (unsigned i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(readers[i].good, 300);
    }
    shared_set(NULL);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
    hs_t *s = start((hs_config_t){ 0 });
    int fd = dial(s);
    static const char *const want[] = { "GET /quick ?1", "POST /slow ?2", "GET /quick ?3", "POST /slow ?4",
                                        "GET /quick ?5" };
    say(fd, "GET /quick?1 HTTP/1.1\r\nHost: x\r\n\r\n"
            "POST /slow?2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
            "GET /quick?3 HTTP/1.1\r\nHost: x\r\n\r\n"
            "POST /slow?4 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
            "GET /quick?5 HTTP/1.1\r\nHost: x\r\n\r\n");
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        reply_t a = hear(fd, false);
        ck_assert_msg(a.status == 200 && strncmp(a.body, want[i], strlen(want[i])) == 0, "answer %zu: %d %s", i,
                      a.status, a.body);
        free(a.body);
    }
    close(fd);
    hs_stop(s, 1000);
}
END_TEST

/* ---- limits ---- */

START_TEST(bodies_up_to_the_cap_pass_and_larger_ones_get_413_and_a_closed_connection)
{
    hs_t *s = start((hs_config_t){ .body_max = 1000 });
    char *body = malloc(2000), head[200];
    memset(body, 'x', 2000);
    for (size_t n = 1000; n <= 1001; n++) {
        int fd = dial(s);
        snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", n);
        say(fd, head);
        if (n == 1000)
            send_all(fd, body, n);
        reply_t a = hear(fd, false);
        ck_assert_int_eq(a.status, n == 1000 ? 200 : 413);
        ck_assert(n == 1000 || ended(fd));
        free(a.body);
        close(fd);
    }
    int fd = dial(s);
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n");
    send_all(fd, body, 1001);
    say(fd, "\r\n");
    reply_t a = hear(fd, false);
    ck_assert_int_eq(a.status, 413);
    ck_assert(ended(fd));
    free(a.body);
    close(fd);
    fd = dial(s);
    say(fd, "GET /quick HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"); /* a body is counted whatever the
                                                                                        method */
    for (unsigned i = 0; i < 100000 && say(fd, "10\r\n0123456789abcdef\r\n"); i++)
        continue;
    a = hear(fd, false);
    ck_assert(a.status == 413 || a.status == 0);
    free(a.body);
    close(fd);
    expect(s, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413, NULL, NULL);
    free(body);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(ten_megabytes_go_both_ways)
{
    hs_t *s = start((hs_config_t){ .body_max = BIG });
    char *body = malloc(BIG), head[200];
    memset(body, 'x', BIG);
    int fd = dial(s);
    snprintf(head, sizeof head, "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n", BIG);
    say(fd, head);
    ck_assert(send_all(fd, body, BIG));
    reply_t a = hear(fd, false);
    ck_assert_int_eq(a.status, 200);
    ck_assert_ptr_nonnull(strstr(a.body, " 10485760:xxx"));
    free(a.body);
    say(fd, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    a = hear(fd, false);
    ck_assert_int_eq(a.status, 200);
    ck_assert_uint_eq(a.body_len, BIG);
    ck_assert(a.body[0] == 'b' && a.body[BIG - 1] == 'b');
    free(a.body);
    free(body);
    close(fd);
    hs_stop(s, 1000);
}
END_TEST

/* Each gets an error or a closed connection, and the server goes on. */
START_TEST(malformed_requests_harm_nobody)
{
    static const struct {
        const char *name, *bytes;
        size_t len;
        int status; /* 0: any error, or closed */
    } rows[] = {
#define S(x) x, sizeof x - 1
        { "no length", S("POST /echo HTTP/1.1\r\nHost: x\r\n\r\n"), 411 },
        { "length and chunks",
          S("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
          400 },
        { "length no number", S("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n"), 0 },
        { "length negative", S("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"), 0 },
        { "chunk size no number", S("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 0 },
        { "chunk size too large",
          S("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"), 0 },
        { "garbage", S("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n"), 0 },
        { "one word", S("GET\r\n\r\n"), 0 },
        { "other protocol", S("GET /quick FTP/1.1\r\n\r\n"), 0 },
        { "header without colon", S("GET /quick HTTP/1.1\r\nHost\r\n\r\n"), 0 },
        { "asterisk", S("GET * HTTP/1.1\r\nHost: x\r\n\r\n"), 400 },
#undef S
    };
    hs_t *s = start((hs_config_t){ 0 });
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = dial(s);
        send_all(fd, rows[i].bytes, rows[i].len);
        shutdown(fd, SHUT_WR);
        reply_t a = hear(fd, false);
        ck_assert_msg(rows[i].status ? a.status == rows[i].status : a.status == 0 || a.status >= 400, "%s: status %d",
                      rows[i].name, a.status);
        free(a.body);
        close(fd);
        expect(s, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL, NULL);
    }
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_flood_of_headers_is_cut_off)
{
    hs_t *s = start((hs_config_t){ 0 });
    int fd = dial(s);
    say(fd, "GET /quick HTTP/1.1\r\nHost: x\r\n");
    unsigned i = 0;
    while (i < 100000 && say(fd, "X-Flood: 0123456789012345678901234567890123456789\r\n"))
        i++;
    ck_assert_uint_lt(i, 100000);
    close(fd);
    fd = dial(s);
    say(fd, "GET /");
    for (i = 0; i < 100000 && say(fd, "0123456789012345678901234567890123456789"); i++)
        continue;
    ck_assert_uint_lt(i, 100000);
    close(fd);
    expect(s, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL, NULL);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(idle_connections_and_slow_senders_are_ended)
{
    hs_t *s = start((hs_config_t){ .idle_timeout_s = 1, .headers_ms = 1000 });
    uint64_t began = clock_ms();
    int idle = dial(s), head = dial(s), body = dial(s);
    bool head_alive = true, body_alive = true;
    say(head, "GET /quick HTTP/1.1\r\nX: ");
    say(body, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    while (clock_ms() - began < 6000 && (head_alive || body_alive)) { /* each byte would restart an idle timer */
        head_alive = head_alive && say(head, "x");
        body_alive = body_alive && say(body, "x");
        pause_ms(50);
    }
    ck_assert_msg(!head_alive && !body_alive, "head %d body %d", head_alive, body_alive);
    ck_assert(ended(idle));
    close(idle);
    close(head);
    close(body);
    expect(s, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL, NULL);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_handler_may_take_longer_than_the_idle_timeout)
{
    hs_t *s = start((hs_config_t){ .idle_timeout_s = 1 });
    int fd = dial(s);
    say(fd, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    pause_ms(3000);
    gate_open = true;
    reply_t a = hear(fd, false);
    ck_assert_int_eq(a.status, 200);
    free(a.body);
    close(fd);
    hs_stop(s, 1000);
}
END_TEST

static void wait_entered(unsigned n)
{
    uint64_t end = clock_ms() + 5000;
    while (gate_entered < n && clock_ms() < end)
        pause_ms(1);
    ck_assert_uint_ge(gate_entered, n);
}

static void expect_on(int fd, int status)
{
    say(fd, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
    reply_t a = hear(fd, false);
    ck_assert_int_eq(a.status, status);
    free(a.body);
}

START_TEST(one_address_has_only_so_many_connections)
{
    hs_t *s = start((hs_config_t){ .per_client_max = 3 });
    int fds[4], other = dial_from(s, "127.0.0.9");
    for (unsigned i = 0; i < 4; i++) {
        fds[i] = dial(s);
        if (i < 3)
            expect_on(fds[i], 200);
    }
    ck_assert(ended(fds[0])); /* its oldest goes */
    for (unsigned i = 1; i < 4; i++)
        expect_on(fds[i], 200);
    expect_on(other, 200);
    for (unsigned i = 0; i < 4; i++)
        close(fds[i]);
    close(other);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(connections_that_are_at_work_stay_and_a_new_one_goes_instead)
{
    hs_t *s = start((hs_config_t){ .connections_max = 4, .per_client_max = 4, .workers = 4 });
    int fds[4], fifth;
    for (unsigned i = 0; i < 4; i++) {
        fds[i] = dial(s);
        say(fds[i], "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    wait_entered(4);
    fifth = dial(s);
    ck_assert(ended(fifth));
    gate_open = true;
    for (unsigned i = 0; i < 4; i++) {
        reply_t a = hear(fds[i], false);
        ck_assert_int_eq(a.status, 200);
        free(a.body);
        close(fds[i]);
    }
    close(fifth);
    hs_stop(s, 1000);
}
END_TEST

/* Four addresses fill every place with requests that are half sent; a fifth one is served all the same. */
START_TEST(senders_of_half_requests_do_not_shut_others_out)
{
    enum { N = 64 };
    static const char *const from[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5" };
    hs_t *s = start((hs_config_t){ .connections_max = N });
    int fds[N + 16];
    for (unsigned i = 0; i < N + 16; i++) {
        fds[i] = dial_from(s, from[i % 4]);
        say(fds[i], i % 2 ? "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{" : "GET /quick HT");
    }
    for (unsigned i = 0; i < 20; i++) {
        int fd = dial_from(s, "127.0.0.9");
        uint64_t began = clock_ms();
        expect_on(fd, 200);
        ck_assert_uint_lt(clock_ms() - began, 1000);
        close(fd);
    }
    for (unsigned i = 0; i < N + 16; i++)
        close(fds[i]);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(headers_have_their_time_and_bodies_their_rate)
{
    hs_t *s = start((hs_config_t){ .headers_ms = 500, .body_rate = 1000 });
    int head = dial(s), body = dial(s), steady = dial(s);
    bool head_alive = true, body_alive = true;
    uint64_t began = clock_ms();
    say(head, "GET /quick HTTP/1.1\r\nX: ");
    say(body, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    say(steady, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n");
    for (unsigned i = 0; i < 30; i++) { /* 100 bytes in 50 ms: twice the rate */
        static const char bytes[101] = "0123456789012345678901234567890123456789012345678901234567890123456789"
                                       "012345678901234567890123456789";
        head_alive = head_alive && say(head, "x");
        body_alive = body_alive && say(body, "x");
        ck_assert(say(steady, bytes));
        pause_ms(50);
    }
    ck_assert_msg(!head_alive && !body_alive, "head %d body %d", head_alive, body_alive);
    ck_assert_uint_lt(clock_ms() - began, 10000);
    reply_t a = hear(steady, false);
    ck_assert_int_eq(a.status, 200);
    free(a.body);
    close(head);
    close(body);
    close(steady);
    hs_stop(s, 1000);
}
END_TEST

/* ---- slow handlers ---- */

START_TEST(slow_handlers_block_nobody_and_a_full_queue_refuses_more)
{
    hs_t *s = start((hs_config_t){ .workers = 2, .queue_max = 3 });
    int fds[5];
    for (unsigned i = 0; i < 5; i++) {
        fds[i] = dial(s);
        say(fds[i], "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
        pause_ms(20);
    }
    wait_entered(2);
    expect(s, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n", 429, "\r\nRetry-After: 1\r\n", "urn:kettle:error:over-share");
    uint64_t began = clock_ms();
    for (unsigned i = 0; i < 20; i++)
        expect(s, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL, NULL);
    ck_assert_uint_lt(clock_ms() - began, 2000);
    ck_assert_uint_eq(gate_entered, 2);
    gate_open = true;
    for (unsigned i = 0; i < 5; i++) {
        reply_t a = hear(fds[i], false);
        ck_assert_int_eq(a.status, 200);
        free(a.body);
        close(fds[i]);
    }
    expect(s, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL, NULL);
    hs_stop(s, 1000);
}
END_TEST

START_TEST(a_client_that_leaves_during_its_slow_request_harms_nobody)
{
    hs_t *s = start((hs_config_t){ .workers = 1 });
    for (unsigned i = 0; i < 4; i++) {
        int fd = dial(s);
        say(fd, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
        pause_ms(10);
        if (i % 2) {
            struct linger now = { .l_onoff = 1, .l_linger = 0 };
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        close(fd);
    }
    gate_open = true;
    expect(s, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL, NULL);
    hs_stop(s, 1000);
}
END_TEST

/* ---- stopping ---- */

typedef struct {
    hs_t *s;
    unsigned grace_ms;
    atomic_bool done;
} stopper_t;

static void *stopper_main(void *arg)
{
    stopper_t *t = arg;
    hs_stop(t->s, t->grace_ms);
    t->done = true;
    return NULL;
}

START_TEST(stopping_delivers_what_is_under_way_and_takes_nothing_new)
{
    hs_t *s = start((hs_config_t){ .workers = 1 });
    uint16_t port = hs_port(s);
    int running = dial(s), waiting = dial(s), kept = dial(s);
    pthread_t thread;
    stopper_t stopper = { s, 5000, false };
    say(running, "GET /gate?1 HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_entered(1);
    say(waiting, "GET /gate?2 HTTP/1.1\r\nHost: x\r\n\r\n");
    say(kept, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
    reply_t a = hear(kept, false);
    ck_assert_int_eq(a.status, 200);
    free(a.body);
    pause_ms(50);
    pthread_create(&thread, NULL, stopper_main, &stopper);
    pause_ms(100);
    int late = dial_port(port);
    say(late, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    a = hear(late, false);
    ck_assert_int_eq(a.status, 503);
    ck_assert(ended(late));
    free(a.body);
    close(late);
    say(kept, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
    a = hear(kept, false);
    ck_assert_int_eq(a.status, 503);
    ck_assert_ptr_nonnull(strstr(a.body, "urn:kettle:error:stopping"));
    ck_assert(ended(kept));
    free(a.body);
    ck_assert(!stopper.done);
    gate_open = true;
    for (unsigned i = 0; i < 2; i++) {
        a = hear(i ? waiting : running, false);
        ck_assert_int_eq(a.status, 200);
        free(a.body);
    }
    pthread_join(thread, NULL);
    ck_assert_int_lt(dial_port(port), 0);
    close(running);
    close(waiting);
    close(kept);
}
END_TEST

START_TEST(after_the_grace_waiting_requests_get_503_and_running_ones_still_finish)
{
    hs_t *s = start((hs_config_t){ .workers = 1 });
    int running = dial(s), waiting = dial(s);
    pthread_t thread;
    stopper_t stopper = { s, 100, false };
    say(running, "GET /gate?1 HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_entered(1);
    say(waiting, "GET /gate?2 HTTP/1.1\r\nHost: x\r\n\r\n");
    pause_ms(50);
    pthread_create(&thread, NULL, stopper_main, &stopper);
    pause_ms(300);
    ck_assert(!stopper.done);
    gate_open = true;
    reply_t a = hear(running, false), b = hear(waiting, false);
    ck_assert_int_eq(a.status, 200);
    ck_assert_int_eq(b.status, 503);
    free(a.body);
    free(b.body);
    pthread_join(thread, NULL);
    close(running);
    close(waiting);
}
END_TEST

static atomic_bool setup_done;

static void setup(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)q;
    (void)ctx;
    *r = (hs_response_t){ .status = 200, .body = (uint8_t *)strdup("{\"status\":\"success\"}"), .body_len = 20 };
    setup_done = true;
}

static void *setup_client(void *arg)
{
    int fd = dial_port(*(uint16_t *)arg);
    say(fd, "POST /setup HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
    reply_t a = hear(fd, false);
    bool good = a.status == 200 && strcmp(a.body, "{\"status\":\"success\"}") == 0;
    free(a.body);
    close(fd);
    return good ? arg : NULL;
}

START_TEST(the_answer_that_triggers_the_stop_is_delivered)
{
    for (unsigned i = 0; i < 20; i++) {
        const hs_route_t route = { "POST", "/setup", setup, i % 2 ? HS_SLOW : 0 };
        hs_config_t k = { .routes = &route, .route_count = 1, .address = "127.0.0.1" };
        hs_t *s = NULL;
        pthread_t thread;
        void *good;
        setup_done = false;
        ck_assert_int_eq(hs_start(&s, NULL, &k), RC_OK);
        uint16_t port = hs_port(s);
        pthread_create(&thread, NULL, setup_client, &port);
        while (!setup_done)
            continue;
        hs_stop(s, 2000);
        ck_assert_int_lt(dial_port(port), 0);
        pthread_join(thread, &good);
        ck_assert_msg(good != NULL, "round %u", i);
    }
}
END_TEST

START_TEST(a_port_in_use_and_a_bad_address_are_errors_with_a_reason)
{
    err_t e;
    hs_t *s = start((hs_config_t){ 0 }), *other = NULL;
    hs_config_t k = { .address = "127.0.0.1", .port = hs_port(s) };
    ck_assert_int_eq(hs_start(&other, &e, &k), RC_IO);
    ck_assert_msg(strstr(e.text, "Address already in use") != NULL, "%s", e.text);
    k.address = "not an address";
    ck_assert_int_eq(hs_start(&other, &e, &k), RC_IO);
    k = (hs_config_t){ .route_count = HS_ROUTES_MAX + 1 };
    ck_assert_int_eq(hs_start(&other, &e, &k), RC_LIMIT);
    ck_assert_ptr_null(other);
    hs_stop(s, 0);
}
END_TEST

START_TEST(without_an_address_the_server_listens_on_loopback_too)
{
    err_t e;
    hs_t *s = NULL;
    hs_config_t k = { .routes = routes, .route_count = 1, .event_threads = 1 };
    ck_assert_msg(hs_start(&s, &e, &k) == RC_OK, "%s", e.text);
    expect(s, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n", 200, NULL, NULL);
    hs_stop(s, 1000);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "http_server", quick_and_slow_routes_get_path_query_type_and_body, head_is_get_without_the_body,
        unknown_paths_and_methods_get_problems_and_options_tells_the_methods,
        a_quoted_route_answers_any_method_and_its_problems_are_strings, only_cors_routes_may_be_read_by_any_page,
        methods_and_cors_of_a_path_come_from_all_its_routes_to_the_last,
        each_method_that_takes_a_body_must_say_its_length, a_problem_s_detail_is_cut_at_512_bytes_and_escaped,
        a_simulated_tee_is_named_in_every_answer_and_a_real_one_in_none,
        a_shared_answer_can_be_replaced_while_it_is_handed_out, pipelined_requests_are_answered_in_order,
        bodies_up_to_the_cap_pass_and_larger_ones_get_413_and_a_closed_connection, ten_megabytes_go_both_ways,
        malformed_requests_harm_nobody, a_flood_of_headers_is_cut_off, idle_connections_and_slow_senders_are_ended,
        a_handler_may_take_longer_than_the_idle_timeout, one_address_has_only_so_many_connections,
        connections_that_are_at_work_stay_and_a_new_one_goes_instead, senders_of_half_requests_do_not_shut_others_out,
        headers_have_their_time_and_bodies_their_rate, slow_handlers_block_nobody_and_a_full_queue_refuses_more,
        a_client_that_leaves_during_its_slow_request_harms_nobody,
        stopping_delivers_what_is_under_way_and_takes_nothing_new,
        after_the_grace_waiting_requests_get_503_and_running_ones_still_finish,
        the_answer_that_triggers_the_stop_is_delivered, a_port_in_use_and_a_bad_address_are_errors_with_a_reason,
        without_an_address_the_server_listens_on_loopback_too);
}
