/* block: a GET of a cached answer of 300 bytes through the HTTP server, against libmicrohttpd with nothing around it.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/server.h"
#include "tests/bench/bench.h"

#define ROUNDS 31u
#define CONNS 32u
#define REQUESTS 8000u /* per round */
#define BODY_LEN 300u

static const char request[] = "GET /block HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n";

/* ---- the two servers ---- */

static void get_block(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)q;
    r->shared = hs_shared_ref(ctx);
}

static enum MHD_Result bare_access(void *ctx, struct MHD_Connection *conn, const char *url, const char *method,
                                   const char *version, const char *upload, size_t *upload_len, void **request_ctx)
{
    static int seen;
    (void)version;
    (void)upload;
    (void)upload_len;
    if (strcmp(method, "GET") != 0 || strcmp(url, "/block") != 0)
        return MHD_NO;
    if (!*request_ctx) {
        *request_ctx = &seen;
        return MHD_YES;
    }
    return MHD_queue_response(conn, 200, ctx);
}

/* ---- the load: one thread, kept connections, one request at a time on each ---- */

typedef struct {
    int epoll_fd, fds[CONNS];
    size_t answer_len, got[CONNS];
} load_t;

static bool load_open(load_t *l, uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char answer[4096];
    size_t n = 0;
    const char *end = NULL;
    int on = 1;
    *l = (load_t){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
    for (unsigned i = 0; i < CONNS; i++) {
        struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
        l->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (l->fds[i] < 0 || connect(l->fds[i], (struct sockaddr *)&at, sizeof at) != 0 ||
            setsockopt(l->fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
            epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->fds[i], &e) != 0)
            return false;
    }
    if (send(l->fds[0], request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
        return false;
    while (!end || n < (size_t)(end - answer) + 4 + BODY_LEN) { /* how long an answer is */
        ssize_t more = recv(l->fds[0], answer + n, sizeof answer - 1 - n, 0);
        if (more <= 0)
            return false;
        n += (size_t)more;
        answer[n] = 0;
        end = strstr(answer, "\r\n\r\n");
    }
    l->answer_len = n;
    return strncmp(answer, "HTTP/1.1 200 ", 13) == 0;
}

static bool load_run(load_t *l)
{
    struct epoll_event events[CONNS];
    unsigned sent = 0, done = 0;
    char answer[4096];
    for (; sent < CONNS; sent++)
        if (send(l->fds[sent], request, sizeof request - 1, MSG_NOSIGNAL) < 0)
            return false;
    while (done < REQUESTS) {
        int n = epoll_wait(l->epoll_fd, events, CONNS, 5000);
        if (n <= 0)
            return false;
        for (int k = 0; k < n; k++) {
            unsigned i = events[k].data.u32;
            ssize_t got = recv(l->fds[i], answer, sizeof answer, 0);
            if (got <= 0)
                return false;
            l->got[i] += (size_t)got;
            if (l->got[i] < l->answer_len)
                continue;
            l->got[i] = 0;
            done++;
            if (sent < REQUESTS) {
                sent++;
                if (send(l->fds[i], request, sizeof request - 1, MSG_NOSIGNAL) < 0)
                    return false;
            }
        }
    }
    return true;
}

static void load_close(load_t *l)
{
    for (unsigned i = 0; i < CONNS; i++)
        if (l->fds[i] > 0)
            close(l->fds[i]);
    close(l->epoll_fd);
}

/* ---- measuring ---- */

static double clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

typedef struct {
    bench_series_t cpu, wall; /* per request; cpu: of all threads but the load's */
} measured_t;

static bool measure(measured_t *m, load_t *l)
{
    double wall = clock_ns(CLOCK_MONOTONIC), all = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
           own = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    if (!load_run(l))
        return false;
    own = clock_ns(CLOCK_THREAD_CPUTIME_ID) - own;
    all = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - all;
    wall = clock_ns(CLOCK_MONOTONIC) - wall;
    m->cpu.ns[m->cpu.rounds++] = (all - own) / REQUESTS;
    m->wall.ns[m->wall.rounds++] = wall / REQUESTS;
    return true;
}

static bool compare(uint16_t own_port, uint16_t bare_port)
{
    static measured_t own, bare;
    load_t own_load, bare_load;
    bool ok = load_open(&own_load, own_port);
    ok = load_open(&bare_load, bare_port) && ok;
    for (unsigned r = 0; ok && r < ROUNDS; r++)
        ok = r % 2 ? measure(&own, &own_load) && measure(&bare, &bare_load)
                   : measure(&bare, &bare_load) && measure(&own, &own_load);
    load_close(&own_load);
    load_close(&bare_load);
    if (!ok) {
        fprintf(stderr, "bench: block: a connection failed\n");
        return false;
    }
    bench_line("server CPU per request", &own.cpu, 1e3, "us");
    bench_line("the same, libmicrohttpd alone", &bare.cpu, 1e3, "us");
    bench_line("time per request", &own.wall, 1e3, "us");
    bench_line("the same, libmicrohttpd alone", &bare.wall, 1e3, "us");
    printf("  requests per second: best %.0f (alone %.0f, ratio %.3f), median %.0f (alone %.0f, ratio %.3f)\n",
           1e9 / bench_best(&own.wall), 1e9 / bench_best(&bare.wall), bench_best(&bare.wall) / bench_best(&own.wall),
           1e9 / bench_median(&own.wall), 1e9 / bench_median(&bare.wall),
           bench_median(&bare.wall) / bench_median(&own.wall));
    printf("  server CPU ratio: best %.3f, median %.3f\n", bench_best(&own.cpu) / bench_best(&bare.cpu),
           bench_median(&own.cpu) / bench_median(&bare.cpu));
    return bench_result("block", bench_median(&own.cpu) / 1e3, "us", bench_median(&bare.cpu) / 1e3, "libmicrohttpd");
}

bool bench_block(const char *dir)
{
    char body[BODY_LEN + 1];
    err_t e = { 0 };
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const hs_route_t route = { "GET", "/block", get_block, HS_CORS };
    hs_config_t config = { .address = "127.0.0.1", .routes = &route, .route_count = 1, .event_threads = 1 };
    bool ok = false;
    hs_t *s = NULL;
    (void)dir;
    memset(body, '7', BODY_LEN);
    body[BODY_LEN] = 0;
    hs_shared_t *shared = hs_shared_new(200, NULL, view_of(body, BODY_LEN), HS_CORS);
    struct MHD_Response *bare_answer = MHD_create_response_from_buffer(BODY_LEN, body, MHD_RESPMEM_PERSISTENT);
    if (!shared || !bare_answer)
        return false;
    (void)MHD_add_response_header(bare_answer, "Content-Type", "application/json");
    config.ctx = shared;
    struct MHD_Daemon *bare = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, bare_access, bare_answer,
                                               MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_END);
    if (bare && hs_start(&s, &e, &config) == RC_OK)
        ok = compare(hs_port(s), MHD_get_daemon_info(bare, MHD_DAEMON_INFO_BIND_PORT)->port);
    else
        fprintf(stderr, "bench: block: cannot start the servers: %s\n", e.text);
    hs_stop(s, 1000);
    if (bare)
        MHD_stop_daemon(bare);
    MHD_destroy_response(bare_answer);
    hs_shared_unref(shared);
    return ok;
}
