/* counted: requests of one kind, for tests/bench/fairness.py.
 * load: GET /block and a kept POST /call by 1 to 1,000 connections, beside a bare libmicrohttpd server with the same answers in the
 * same run.
 * calls: POST /call through the HTTP server and the engine, against an upstream 50 ms away in this process: cold calls by 8, 64
 * and 200 callers, what a kept answer costs beside a GET of /block, and how soon it comes while cold calls hang.
 *
 * Every cold call asks a token for the balance of another holder; the reference is what callers and round trips allow. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "lightclient/rlp/rlp.h"
#include "tests/bench/bench.h"
#include "tests/bench/engine.h"
#include "tests/bench/upstream.h"

#define LATENCY_MS 50u
#define CALLERS_MAX 1000u
#define MEASURED_S 4.0
#define KEPT_CALLERS 32u
#define KEPT_REQUESTS 8000u
#define KEPT_ROUNDS 15u
#define HANGING 50u
#define HOT_REQUESTS 400u
#define ANSWER_MAX 4096u
#define WAIT_MS 10
#define WAITS_MAX 3500u
#define LOAD_REQUESTS 6000u /* of a round */
#define LOAD_ROUNDS 7u
#define COUNTED_CALLERS 16u
#define LOAD_ADDRESSES 8u /* that connections come from: one client has a quarter of all */

static const char TOKEN[] = "0xac0000000000000000000000000000000000a000";
/* return sload(keccak256(calldata[4..36], 0)) */
static const char CODE[] = "60043560005260006020526040600020546000526020 6000f3";

static double now_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the state: one account with one slot, so that the same node proves all others absent ---- */

static struct {
    hash32_t state_root, storage_root, code_hash;
    char code[128], account_node[400], storage_node[200]; /* hex */
} state;

/* A trie of one leaf: its root, and the leaf in hex. */
static void lone_leaf(hash32_t *root, char *hex, view_t key, view_t value)
{
    uint8_t path[33] = { 0x20 }, node[300];
    hash32_t hashed;
    wr_t w = wr_of(node, sizeof node);
    keccak256(&hashed, key);
    memcpy(path + 1, hashed.b, 32);
    rlp_put_bytes(&w, view_of(path, sizeof path));
    rlp_put_bytes(&w, value);
    rlp_wrap_list(&w, 0);
    keccak256(root, wr_view(&w));
    hex_encode(hex, wr_view(&w));
}

static void make_state(void)
{
    uint8_t code[64], account[128], token[20];
    static const uint8_t slot[32] = { 7 }, one[] = { 0x01 };
    size_t n = 0;
    for (const char *p = CODE; *p; p++)
        if (*p != ' ')
            state.code[n++] = *p;
    if (hex_decode_exact(code, n / 2, state.code, n) || hex_decode_exact(token, 20, TOKEN + 2, 40))
        abort();
    keccak256(&state.code_hash, view_of(code, n / 2));
    lone_leaf(&state.storage_root, state.storage_node, view_of(slot, 32), view_of(one, 1));
    wr_t w = wr_of(account, sizeof account);
    rlp_put_u64(&w, 1);
    rlp_put_u64(&w, 0);
    rlp_put_bytes(&w, view_of(state.storage_root.b, 32));
    rlp_put_bytes(&w, view_of(state.code_hash.b, 32));
    rlp_wrap_list(&w, 0);
    lone_leaf(&state.state_root, state.account_node, view_of(token, 20), wr_view(&w));
}

/* ---- the upstream ---- */

static void put_proof(jw_t *w, const jo_t *params)
{
    jo_t at = { 0 }, key = { 0 };
    jo_t list = *params;
    (void)jo_next(&list, &at);
    view_t who = jo_text(&at, NULL, 42, 42);
    bool token = view_eq(who, view_str(TOKEN));
    jw_object(w, "result");
    jw_text(w, "address", who);
    jw_array(w, "accountProof");
    jw_fmt(w, NULL, "0x%s", state.account_node);
    jw_end(w);
    jw_str(w, "balance", "0x0");
    static const char empty_code[] = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    static const char empty_root[] = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
    char hex[65];
    hex_encode(hex, view_of(state.code_hash.b, 32));
    jw_fmt(w, "codeHash", "0x%s", token ? hex : empty_code);
    jw_str(w, "nonce", token ? "0x1" : "0x0");
    hex_encode(hex, view_of(state.storage_root.b, 32));
    jw_fmt(w, "storageHash", "0x%s", token ? hex : empty_root);
    jw_array(w, "storageProof");
    (void)jo_next(&list, &at);
    for (jo_t keys = jo_list(&at, NULL, 0, 1024); jo_next(&keys, &key);) {
        jw_object(w, NULL);
        jw_text(w, "key", jo_text(&key, NULL, 3, 66));
        jw_str(w, "value", "0x0");
        jw_array(w, "proof");
        jw_fmt(w, NULL, "0x%s", state.storage_node);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static void put_answer(jw_t *w, const jo_t *element)
{
    view_t method = jo_text(element, "method", 1, 40);
    jo_t params = jo_list(element, "params", 0, 8);
    if (view_eq(method, view_str("eth_getProof")))
        put_proof(w, &params);
    else if (view_eq(method, view_str("eth_getCode")))
        jw_fmt(w, "result", "0x%s", state.code);
    else {
        jw_object(w, "error");
        jw_i64(w, "code", -32601);
        jw_str(w, "message", "unknown");
        jw_end(w);
    }
}

/* ---- the node's side ---- */

static calls_t *calls;
static ex_block_t block;
static hs_shared_t *block_answer;

static void post_call(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    calls_post(calls, q, r, &block);
}

static void get_block(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    r->shared = hs_shared_ref(block_answer);
}

/* ---- the load: one thread, kept connections, one request at a time on each ---- */

typedef struct {
    int epoll_fd, fds[CALLERS_MAX];
    int poke_fd; /* one more, whose answers nobody counts */
    unsigned count, next_holder, pokes;
    size_t got[CALLERS_MAX];
    char answers[CALLERS_MAX][ANSWER_MAX];
} load_t;

static load_t load = { .next_holder = 1u << 28 }; /* holders that look like no block number */

static int dial(uint16_t port, unsigned i)
{
    const struct sockaddr_in from = { .sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i % LOAD_ADDRESSES) };
    const struct sockaddr_in at = { .sin_family = AF_INET,
                                    .sin_port = htons(port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&from, sizeof from) == 0 &&
        connect(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return fd;
    close(fd);
    return -1;
}

/* libmicrohttpd, when exactly 128 connections become ready at once, waits for one more event before it looks at them. */
static void poke(void)
{
    char rest[ANSWER_MAX];
    static const char get[] = "GET /block HTTP/1.1\r\nHost: x\r\n\r\n";
    while (recv(load.poke_fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
        continue;
    if (send(load.poke_fd, get, sizeof get - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        load.pokes++;
}

static bool load_open(unsigned count, uint16_t port)
{
    load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    load.count = count;
    load.poke_fd = dial(port, 0);
    bool ok = load.poke_fd >= 0;
    for (unsigned i = 0; i < count; i++) {
        struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
        load.got[i] = 0;
        load.fds[i] = dial(port, i);
        ok = ok && load.fds[i] >= 0 && epoll_ctl(load.epoll_fd, EPOLL_CTL_ADD, load.fds[i], &e) == 0;
    }
    return ok;
}

static void load_close(void)
{
    for (unsigned i = 0; i < load.count; i++)
        close(load.fds[i]);
    close(load.poke_fd);
    close(load.epoll_fd);
}

/* Asks for the balance of a holder; 0: GET /block. */
static bool request(unsigned i, unsigned holder)
{
    char body[200], text[400];
    int n = snprintf(body, sizeof body, "{\"to\":\"%s\",\"data\":\"0x70a08231%064x\"}", TOKEN, holder);
    int m = holder
                ? snprintf(text, sizeof text, "POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", n, body)
                : snprintf(text, sizeof text, "GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
    return send(load.fds[i], text, (size_t)m, MSG_NOSIGNAL) == m;
}

/* Reads on; 1: an answer is complete, 0: not yet, -1: it is none of status 200. */
static int hear(unsigned i)
{
    char *a = load.answers[i];
    ssize_t more = recv(load.fds[i], a + load.got[i], ANSWER_MAX - 1 - load.got[i], 0);
    if (more <= 0)
        return -1;
    load.got[i] += (size_t)more;
    a[load.got[i]] = 0;
    const char *end = strstr(a, "\r\n\r\n"), *length = strcasestr(a, "Content-Length:");
    if (!end || !length || load.got[i] < (size_t)(end - a) + 4 + strtoul(length + 15, NULL, 10))
        return 0;
    load.got[i] = 0;
    return strncmp(a, "HTTP/1.1 200 ", 13) == 0 ? 1 : -1;
}

/* Keeps all callers busy until a time or a number of answers; holder 0: each call another holder. Answers, or -1. */
static long drive(double seconds, unsigned requests, unsigned holder, bool block_route)
{
    struct epoll_event events[CALLERS_MAX];
    double end = now_s(CLOCK_MONOTONIC) + seconds;
    unsigned sent = 0, done = 0;
    for (unsigned i = 0; i < load.count; i++, sent++)
        if (!request(i, block_route ? 0 : holder ? holder : ++load.next_holder))
            return -1;
    while (done < sent) {
        int n = 0;
        for (unsigned waits = 0; n == 0 && waits < WAITS_MAX; waits++)
            if ((n = epoll_wait(load.epoll_fd, events, CALLERS_MAX, WAIT_MS)) == 0)
                poke();
        if (n <= 0)
            return -1;
        for (int k = 0; k < n; k++) {
            unsigned i = events[k].data.u32;
            int heard = hear(i);
            if (heard < 0)
                return fprintf(stderr, "bench: calls: %s\n", load.answers[i]), -1;
            done += (unsigned)heard;
            if (!heard || sent >= requests || now_s(CLOCK_MONOTONIC) >= end)
                continue;
            sent++;
            if (!request(i, block_route ? 0 : holder ? holder : ++load.next_holder))
                return -1;
        }
    }
    return done;
}

/* ---- measuring ---- */

/* Cold calls by so many callers: calls per second, and what the round trips allow. False: something failed. */
static bool cold(double *rate, double *ideal, unsigned callers, uint16_t port)
{
    if (!load_open(callers, port))
        return false;
    unsigned batches = bench_up.batches;
    double wall = now_s(CLOCK_MONOTONIC), cpu = now_s(CLOCK_PROCESS_CPUTIME_ID), own = now_s(CLOCK_THREAD_CPUTIME_ID);
    long done = drive(MEASURED_S, UINT32_MAX, 0, false);
    wall = now_s(CLOCK_MONOTONIC) - wall;
    own = now_s(CLOCK_THREAD_CPUTIME_ID) - own;
    cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu - own;
    load_close();
    if (done <= 0)
        return false;
    double trips = (double)(bench_up.batches - batches) / (double)done;
    *rate = (double)done / wall;
    *ideal = callers / (trips * LATENCY_MS / 1e3);
    printf(
        "  %3u callers: %5.0f calls/s of %5.0f that %.2f round trips of %u ms allow (%.2f); %.2f ms of CPU each, %.2f cores\n",
        callers, *rate, *ideal, trips, LATENCY_MS, *rate / *ideal, cpu * 1e3 / (double)done, cpu / wall);
    return true;
}

static bool kept_round(bench_series_t *s, bool block_route)
{
    double cpu = now_s(CLOCK_PROCESS_CPUTIME_ID), own = now_s(CLOCK_THREAD_CPUTIME_ID);
    if (drive(60, KEPT_REQUESTS, 1, block_route) <= 0)
        return false;
    own = now_s(CLOCK_THREAD_CPUTIME_ID) - own;
    cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu - own;
    s->ns[s->rounds++] = cpu * 1e9 / KEPT_REQUESTS;
    return true;
}

/* What a kept answer costs beside /block. */
static bool kept(uint16_t port)
{
    static bench_series_t call, get;
    if (!load_open(KEPT_CALLERS, port))
        return false;
    bool ok = drive(60, KEPT_CALLERS, 1, false) > 0;
    for (unsigned r = 0; ok && r < KEPT_ROUNDS; r++)
        ok = r % 2 ? kept_round(&call, false) && kept_round(&get, true)
                   : kept_round(&get, true) && kept_round(&call, false);
    load_close();
    if (!ok)
        return false;
    bench_line("server CPU per kept /call", &call, 1e3, "us");
    bench_line("the same, /block", &get, 1e3, "us");
    printf("  ratio: best %.3f, median %.3f\n", bench_best(&call) / bench_best(&get),
           bench_median(&call) / bench_median(&get));
    return true;
}

/* How soon a kept answer comes while cold calls hang. */
static bool hot(uint16_t port)
{
    static bench_series_t took;
    bench_up.latency_ms = 3000;
    if (!load_open(HANGING + 1, port))
        return false;
    bool ok = true;
    for (unsigned i = 0; i < HANGING; i++)
        ok = request(i, ++load.next_holder) && ok;
    usleep(100000);
    for (unsigned n = 0; ok && n < HOT_REQUESTS / 2; n++) {
        double began = now_s(CLOCK_MONOTONIC);
        int heard = 0;
        ok = request(HANGING, 1);
        while (ok && heard == 0)
            heard = hear(HANGING);
        ok = ok && heard > 0;
        took.ns[took.rounds++] = (now_s(CLOCK_MONOTONIC) - began) * 1e9;
    }
    load_close();
    bench_up.latency_ms = LATENCY_MS;
    if (ok)
        bench_line("a kept /call while 50 cold ones hang", &took, 1e6, "ms");
    return ok;
}

static bool measure(uint16_t port)
{
    static const unsigned callers[] = { 8, 64, 200 };
    double rate[3], ideal[3];
    for (unsigned i = 0; i < 3; i++)
        if (!cold(&rate[i], &ideal[i], callers[i], port))
            return false;
    if (!kept(port) || !hot(port))
        return false;
    return bench_result("calls", rate[1], "1/s", ideal[1], "64-callers-and-round-trips");
}

/* ---- beside libmicrohttpd alone ---- */

static struct MHD_Response *bare_answers[2]; /* of GET, of POST */

static enum MHD_Result bare_access(void *ctx, struct MHD_Connection *conn, const char *url, const char *method,
                                   const char *version, const char *upload, size_t *upload_len, void **request_ctx)
{
    static int seen;
    (void)ctx, (void)url, (void)version, (void)upload;
    if (!*request_ctx) {
        *request_ctx = &seen;
        return MHD_YES;
    }
    if (*upload_len) {
        *upload_len = 0;
        return MHD_YES;
    }
    return MHD_queue_response(conn, 200, bare_answers[!strcmp(method, "POST")]);
}

static struct MHD_Response *bare_answer(const char *body)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (r)
        (void)MHD_add_response_header(r, "Content-Type", "application/json");
    return r;
}

/* The body of a kept answer, as the server gives it. */
static const char *kept_body(uint16_t port)
{
    if (!load_open(1, port))
        return NULL;
    const bool ok = drive(60, 1, 1, false) == 1;
    const char *end = strstr(load.answers[0], "\r\n\r\n");
    load_close();
    return ok && end ? end + 4 : NULL;
}

static bool load_round(bench_series_t *s, unsigned *pokes, unsigned connections, uint16_t port, bool block_route)
{
    load.pokes = 0;
    bool ok = load_open(connections, port) && drive(60, connections, 1, block_route) > 0;
    const double began = now_s(CLOCK_MONOTONIC);
    ok = ok && drive(60, LOAD_REQUESTS, 1, block_route) > 0;
    s->ns[s->rounds++] = (now_s(CLOCK_MONOTONIC) - began) * 1e9 / LOAD_REQUESTS;
    load_close();
    *pokes += load.pokes;
    return ok;
}

static bool load_row(double *worst, unsigned connections, bool block_route, uint16_t own_port, uint16_t bare_port)
{
    bench_series_t own = { .rounds = 0 }, bare = { .rounds = 0 };
    unsigned own_pokes = 0, bare_pokes = 0;
    bool ok = true;
    for (unsigned r = 0; ok && r < LOAD_ROUNDS; r++)
        ok = r % 2 ? load_round(&own, &own_pokes, connections, own_port, block_route) &&
                         load_round(&bare, &bare_pokes, connections, bare_port, block_route)
                   : load_round(&bare, &bare_pokes, connections, bare_port, block_route) &&
                         load_round(&own, &own_pokes, connections, own_port, block_route);
    if (!ok)
        return false;
    const double ratio = bench_best(&bare) / bench_best(&own);
    printf("  %-11s %4u connections: %6.0f requests/s, libmicrohttpd alone %6.0f, ratio %.3f; poked %u and %u times\n",
           block_route ? "/block" : "kept /call", connections, 1e9 / bench_best(&own), 1e9 / bench_best(&bare), ratio,
           own_pokes, bare_pokes);
    *worst = ratio < *worst ? ratio : *worst;
    return true;
}

static bool load_rows(uint16_t own_port)
{
    static const unsigned connections[] = { 1, 16, 64, 256, 1000 };
    const struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    double worst = 1e9;
    char text[301];
    memset(text, '7', sizeof text - 1);
    text[300] = '\0';
    const char *call = kept_body(own_port);
    bare_answers[0] = bare_answer(text);
    bare_answers[1] = call ? bare_answer(call) : NULL;
    struct MHD_Daemon *bare =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, bare_access, NULL, MHD_OPTION_SOCK_ADDR, &at,
                         MHD_OPTION_CONNECTION_LIMIT, CALLERS_MAX + 100, MHD_OPTION_END);
    bool ok = call && bare && bare_answers[0] && bare_answers[1];
    for (unsigned i = 0; ok && i < 2 * sizeof connections / sizeof connections[0]; i++)
        ok = load_row(&worst, connections[i / 2], i % 2 == 0, own_port,
                      MHD_get_daemon_info(bare, MHD_DAEMON_INFO_BIND_PORT)->port);
    if (bare)
        MHD_stop_daemon(bare);
    for (unsigned i = 0; i < 2; i++)
        if (bare_answers[i])
            MHD_destroy_response(bare_answers[i]);
    return ok && bench_result("load", worst, "worst-ratio", 1, "libmicrohttpd");
}

/* KETTLE_BENCH_COUNTED: "block", "kept" or "fresh", and how many. */
static bool count_requests(uint16_t port)
{
    const char *what = getenv("KETTLE_BENCH_COUNTED");
    char route[8];
    unsigned requests;
    if (!what || sscanf(what, "%7s %u", route, &requests) != 2)
        return false;
    bench_up.latency_ms = 0;
    const bool ok = load_open(COUNTED_CALLERS, port) &&
                    drive(600, requests, strcmp(route, "fresh") ? 1 : 0, strcmp(route, "block") == 0) > 0;
    load_close();
    return ok;
}

static bool run_with(bool (*rows)(uint16_t port))
{
    static const hs_route_t routes[] = { { "POST", "/call", post_call, HS_CORS },
                                         { "GET", "/block", get_block, HS_CORS } };
    char url[BENCH_URL_MAX], text[300];
    bench_engine_t engine = { .calls = NULL };
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    make_state();
    memset(text, '7', sizeof text);
    block = (ex_block_t){ .state_root = state.state_root,
                          .env = { .number = 1000, .timestamp = 5000, .gas_limit = 30000000, .chain_id = 1 } };
    block_answer = hs_shared_new(200, NULL, view_of(text, sizeof text), HS_CORS);
    bool ok = bench_up_start(url, put_answer, LATENCY_MS);
    ok = ok && bench_engine_start(&engine, url, routes, 2);
    calls = engine.calls;
    ok = ok && rows(engine.port);
    bench_engine_stop(&engine);
    bench_up_stop();
    hs_shared_unref(block_answer);
    return ok;
}

bool bench_calls(const char *dir)
{
    (void)dir;
    return run_with(measure);
}

bool bench_load(const char *dir)
{
    (void)dir;
    return run_with(load_rows);
}

bool bench_counted(const char *dir)
{
    (void)dir;
    return !getenv("KETTLE_BENCH_COUNTED") || run_with(count_requests);
}
