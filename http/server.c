#include "http/server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/os/clock.h"
#include "base/os/worker.h"
#include "http/clients.h"
#include "http/gzip.h"
#include "http/listen.h"
#include "http/reply.h"
#include "http/upgrade.h"

#define ALLOW_MAX 64u
#define WORKERS_MAX 256u
#define DRAIN_MS 500u /* after the grace: time to hand answers to the kernel */
#define REAP_MS 250u
#define LOOK_AT 256u /* connections at a time */

/* A request's way: receiving -> (queued or deferred -> answered) -> sending. */
typedef enum { AT_RECEIVING, AT_QUEUED, AT_DEFERRED, AT_ANSWERED, AT_SENDING } at_t;

/* One connection with its current request. Belongs to its event thread, except between AT_QUEUED or AT_DEFERRED and
 * AT_ANSWERED, when it is suspended and belongs to a worker, or to whoever takes it out of its hs_pending_t. */
typedef struct conn {
    hs_t *server;
    struct MHD_Connection *mhd;
    struct conn *prev, *next; /* server->conns */
    share_item_t item;        /* server->slow */
    hs_client_t *client;
    int fd;
    void *tls;                    /* its session; NULL: plain */
    hs_identity_t *identity;      /* what the session presents */
    _Atomic uint64_t deadline_ms; /* the reaper ends the connection then; 0: never */
    at_t at;
    bool begun;   /* the handler of libmicrohttpd has seen this request's headers */
    bool counted; /* in server->active */
    bool bad_uri;
    bool deferred; /* by its handler */
    char *query;   /* malloc; NULL: none */
    const hs_route_t *route;
    hs_request_t request;
    uint8_t *body;
    size_t body_len, body_cap;
    hs_response_t response;
} conn_t;

struct hs_pending {
    _Atomic(conn_t *) conn; /* whoever takes it answers; NULL: it is answered */
    atomic_uint refs;       /* of the server, until it is answered, and of whoever is to answer */
    hs_pending_t *prev, *next;
    hs_request_t request; /* all that it points to but the method is owned */
};

struct hs {
    hs_clients_t *clients;
    hs_config_t config; /* defaults filled in */
    char allow[HS_ROUTES_MAX][ALLOW_MAX];
    bool cors[HS_ROUTES_MAX]; /* of the path, whatever the method */
    struct MHD_Daemon *daemon;
    int listen_fd;
    uint16_t port;
    atomic_uint active; /* requests between reaching a handler and the end of their answer */
    atomic_bool stopping;
    atomic_uint marks; /* flags of every answer */
    pthread_mutex_t conns_lock;
    conn_t *conns;
    hs_identity_t *identity; /* of connections to come; NULL: no TLS. Under conns_lock */
    pthread_mutex_t lock;    /* all below */
    pthread_cond_t work, answered;
    share_t slow;          /* connections for the workers */
    hs_pending_t pendings; /* a ring */
    unsigned deferred;     /* of it, */
    size_t deferred_bytes; /* with the bodies of their requests */
    bool quit;
    unsigned worker_count;
    pthread_t workers[WORKERS_MAX];
    worker_t *reaper;
    ws_hub_t *websockets; /* NULL: no route becomes one */
};

static void conn_deadline(conn_t *c)
{
    atomic_store_explicit(&c->deadline_ms, clock_monotonic_ms() + 2000u * (uint64_t)c->server->config.idle_timeout_s,
                          memory_order_relaxed);
}

/* ---- routes ---- */

static bool path_matches(const char *pattern, const char *path)
{
    size_t n = strlen(pattern);
    if (n && pattern[n - 1] == '*')
        return strncmp(pattern, path, n - 1) == 0;
    return strcmp(pattern, path) == 0;
}

/* The first route of this path; *out the one that also has the method, or NULL. */
static const hs_route_t *route_find(const hs_route_t **out, const hs_t *s, const char *method, const char *path)
{
    const hs_route_t *first = NULL;
    *out = NULL;
    for (size_t i = 0; i < s->config.route_count; i++) {
        const hs_route_t *r = &s->config.routes[i];
        if (!path_matches(r->path, path))
            continue;
        if (!first)
            first = r;
        if (strcmp(r->method, method) == 0) {
            *out = r;
            break;
        }
    }
    return first;
}

/* Fills Allow and CORS of each route from all routes of the same path. */
static void routes_learn(hs_t *s)
{
    for (size_t i = 0; i < s->config.route_count; i++) {
        size_t n = 0;
        for (size_t k = 0; k < s->config.route_count; k++) {
            const hs_route_t *r = &s->config.routes[k];
            if (strcmp(r->path, s->config.routes[i].path) != 0)
                continue;
            s->cors[i] |= (r->flags & HS_CORS) != 0;
            if (n < ALLOW_MAX - 32)
                n += (size_t)snprintf(s->allow[i] + n, 24, strcmp(r->method, "GET") == 0 ? "%.8s, HEAD, " : "%.8s, ",
                                      r->method);
        }
        snprintf(s->allow[i] + n, ALLOW_MAX - n, "OPTIONS");
    }
}

/* ---- answers ---- */

static reply_extra_t extra_of(const hs_t *s, const hs_route_t *first)
{
    size_t i = first ? (size_t)(first - s->config.routes) : 0;
    return (reply_extra_t){ .cors = first && s->cors[i],
                            .marks = atomic_load_explicit(&s->marks, memory_order_relaxed),
                            .allow = first ? s->allow[i] : NULL };
}

static enum MHD_Result send_reply(conn_t *c, const reply_extra_t *extra)
{
    hs_response_t *r = &c->response;
    struct MHD_Response *m;
    enum MHD_Result sent = MHD_NO;
    unsigned status;
    if (!r->shared && (r->status < 200 || r->status > 599))
        hs_problem(r, 500, "internal", "the handler gave no answer");
    status = reply_status(r);
    conn_deadline(c);
    c->at = AT_SENDING;
    if (r->shared) {
        sent = MHD_queue_response(c->mhd, status, reply_shared(r->shared));
        hs_response_clear(r);
        return sent;
    }
    m = reply_make(r, extra);
    if (m) {
        sent = MHD_queue_response(c->mhd, status, m);
        MHD_destroy_response(m);
    }
    return sent;
}

static enum MHD_Result send_problem(conn_t *c, reply_extra_t extra, int status, const char *slug, const char *detail)
{
    hs_problem(&c->response, status, slug, detail);
    if (status != 405)
        extra.allow = NULL;
    if (status == 503)
        c->response.retry_after_s = 1;
    return send_reply(c, &extra);
}

static enum MHD_Result send_options(conn_t *c, reply_extra_t extra)
{
    c->response.status = 204;
    extra.preflight = true;
    return send_reply(c, &extra);
}

static enum MHD_Result send_handled(conn_t *c)
{
    reply_extra_t extra = extra_of(c->server, c->route);
    extra.allow = NULL;
    extra.close = atomic_load_explicit(&c->server->stopping, memory_order_relaxed);
    return send_reply(c, &extra);
}

/* ---- slow requests ---- */

static void run_handler(conn_t *c)
{
    c->route->handler(c->server->config.ctx, &c->request, &c->response);
}

static void fill_busy(hs_response_t *r, bool over_share)
{
    if (over_share)
        hs_problem(r, 429, "over-share", "this client has more requests waiting than its share, and others wait");
    else
        hs_problem(r, 503, "busy", "too many requests are waiting");
    r->retry_after_s = 1;
}

static bool has_share(const hs_client_t *client, unsigned held, unsigned places)
{
    return client->turns[SHARE_WORKERS].exempt || held < share_part(places);
}

/* Makes room in the workers' queue for a client that has not had its share: whoever holds most gives his last one up,
 * which gets 429. With the lock held. */
static bool queue_yield(hs_t *s, const hs_client_t *to)
{
    share_turn_t *most = share_longest(&s->slow);
    if (!has_share(to, to->turns[SHARE_WORKERS].waiting, s->config.queue_max) || !most ||
        most->waiting <= to->turns[SHARE_WORKERS].waiting + 1)
        return false;
    conn_t *c = (conn_t *)(void *)((char *)share_take_last(&s->slow, most) - offsetof(conn_t, item));
    fill_busy(&c->response, true);
    c->at = AT_ANSWERED;
    MHD_resume_connection(c->mhd);
    return true;
}

/* Suspends the connection and queues it for the workers; false when too many wait. */
static bool queue_push(conn_t *c)
{
    hs_t *s = c->server;
    share_turn_t *turn = &c->client->turns[SHARE_WORKERS];
    bool room;
    pthread_mutex_lock(&s->lock);
    room = !s->quit &&
           (s->slow.waiting + s->slow.running < s->worker_count + s->config.queue_max || queue_yield(s, c->client));
    if (room) {
        MHD_suspend_connection(c->mhd);
        atomic_store_explicit(&c->deadline_ms, 0, memory_order_relaxed);
        c->at = AT_QUEUED;
        share_push(&s->slow, turn, &c->item);
        pthread_cond_signal(&s->work);
    } else {
        fill_busy(&c->response, turn->waiting >= share_part(s->config.queue_max));
    }
    pthread_mutex_unlock(&s->lock);
    return room;
}

/* Whether the other side has closed the connection, at least for sending. Its fd is open as long as it is suspended. */
static bool has_left(const conn_t *c)
{
    struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };
    return poll(&p, 1, 0) == 1 && p.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

static void *worker_main(void *arg)
{
    hs_t *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        share_turn_t *turn;
        share_item_t *item = share_next(&s->slow, &turn);
        bool abandon = s->quit;
        if (!item && s->quit)
            break;
        if (!item) {
            pthread_cond_wait(&s->work, &s->lock);
            continue;
        }
        conn_t *c = (conn_t *)(void *)((char *)item - offsetof(conn_t, item));
        hs_client_t *client = hs_client_ref(c->client);
        pthread_mutex_unlock(&s->lock);
        const uint64_t began = clock_monotonic_ms();
        if (abandon)
            hs_problem(&c->response, 503, "stopping", "the server is stopping");
        else if (has_left(c))
            hs_problem(&c->response, 503, "left", "nobody waits for the answer");
        else
            run_handler(c);
        c->at = AT_ANSWERED;
        MHD_resume_connection(c->mhd); /* c is the event thread's again */
        pthread_mutex_lock(&s->lock);
        share_done(&s->slow, turn, 1000 * (clock_monotonic_ms() - began));
        hs_client_unref(client);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- deferred requests ---- */

static void pending_unref(hs_pending_t *p)
{
    if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    free((void *)(uintptr_t)p->request.body.p);
    free((void *)(uintptr_t)p->request.path);
    free((void *)(uintptr_t)p->request.query);
    free((void *)(uintptr_t)p->request.content_type);
    hs_client_unref(p->request.client);
    free(p);
}

/* The request of a connection, whose body goes over to it. NULL: no memory. */
static hs_pending_t *pending_new(conn_t *c)
{
    hs_pending_t *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    atomic_init(&p->refs, 1);
    p->request = (hs_request_t){ .method = c->route->method,
                                 .path = strdup(c->request.path),
                                 .query = strdup(c->request.query),
                                 .content_type = strdup(c->request.content_type),
                                 .gzip = c->request.gzip,
                                 .client = hs_client_ref(c->client) };
    if (!p->request.path || !p->request.query || !p->request.content_type) {
        pending_unref(p);
        return NULL;
    }
    return p;
}

/* Answers a connection that was taken out of its p. The server lives until p has left its ring; with its lock held. */
static void pending_answer(hs_pending_t *p, conn_t *c, hs_response_t *r)
{
    hs_t *s = c->server;
    c->response = *r;
    *r = (hs_response_t){ 0 };
    c->at = AT_ANSWERED;
    MHD_resume_connection(c->mhd); /* c is the event thread's again */
    p->prev->next = p->next;
    p->next->prev = p->prev;
    s->deferred_bytes -= p->request.body.n;
    p->request.client->deferred_bytes -= p->request.body.n;
    p->request.client->deferred--;
    if (!--s->deferred)
        pthread_cond_broadcast(&s->answered);
}

static bool fits(const hs_t *s, size_t body_len)
{
    return s->deferred < s->config.deferred_max && body_len <= s->config.deferred_body_max - s->deferred_bytes;
}

/* How much of what can be put off a client holds, in thousandths: of the number or of the bytes, whichever is more. */
static unsigned held(const hs_t *s, const hs_client_t *c, unsigned more, size_t more_bytes)
{
    const size_t number = 1000 * (size_t)(c->deferred + more) / s->config.deferred_max;
    const size_t bytes = 1000 * (c->deferred_bytes + more_bytes) / s->config.deferred_body_max;
    return (unsigned)(number > bytes ? number : bytes);
}

static bool is_over(const hs_t *s, const hs_client_t *c, size_t body_len)
{
    return !c->turns[SHARE_WORKERS].exempt && held(s, c, 1, body_len) > 1000 / SHARE_PART;
}

/* The client that holds most of what is put off. */
static hs_client_t *holds_most(const hs_t *s)
{
    hs_client_t *most = NULL;
    for (hs_pending_t *p = s->pendings.next; p != &s->pendings; p = p->next) {
        hs_client_t *c = p->request.client;
        if (!c->turns[SHARE_WORKERS].exempt && (!most || held(s, c, 0, 0) > held(s, most, 0, 0)))
            most = c;
    }
    return most;
}

typedef enum { TAKE_OVER_SHARE, TAKE_STOPPING, TAKE_LEFT } take_why_t;

/* Takes a request's connection from whoever is to answer, and answers it. With the lock held. */
static bool take_back(hs_pending_t *p, take_why_t why)
{
    conn_t *c = atomic_exchange(&p->conn, NULL);
    hs_response_t r = { 0 };
    if (!c)
        return false; /* it is being answered just now */
    if (why == TAKE_OVER_SHARE)
        fill_busy(&r, true);
    else if (why == TAKE_STOPPING)
        hs_problem(&r, 503, "stopping", "the server is stopping");
    else
        hs_problem(&r, 503, "left", "nobody waits for the answer");
    pending_answer(p, c, &r);
    pending_unref(p);
    return true;
}

/* Makes room for a client that has not had its share: whoever holds most gives up what came last, which gets 429. With
 * the lock held. */
static bool defer_yield(hs_t *s, const hs_client_t *to, size_t body_len)
{
    hs_client_t *most = is_over(s, to, body_len) ? NULL : holds_most(s);
    if (!most || held(s, most, 0, 0) <= held(s, to, 1, body_len))
        return false;
    hs_pending_t *p = s->pendings.prev, *before;
    for (; p != &s->pendings && !fits(s, body_len); p = before) {
        before = p->prev;
        if (p->request.client == most)
            (void)take_back(p, TAKE_OVER_SHARE);
    }
    return fits(s, body_len);
}

/* The connection goes from its event thread to p. With the lock held. */
static void put_off(hs_t *s, hs_pending_t *p, conn_t *c)
{
    MHD_suspend_connection(c->mhd);
    atomic_store_explicit(&c->deadline_ms, 0, memory_order_relaxed);
    p->request.body = view_of(c->body, c->body_len);
    c->body = NULL;
    c->at = AT_DEFERRED;
    c->deferred = true;
    atomic_store(&p->conn, c);
    atomic_store(&p->refs, 2);
    p->prev = s->pendings.prev;
    p->next = &s->pendings;
    p->prev->next = p->next->prev = p;
    s->deferred++;
    s->deferred_bytes += c->body_len;
    c->client->deferred++;
    c->client->deferred_bytes += c->body_len;
}

hs_pending_t *hs_defer(const hs_request_t *request, hs_response_t *response)
{
    conn_t *c = (conn_t *)(uintptr_t)((const char *)request - offsetof(conn_t, request));
    hs_t *s = c->server;
    hs_pending_t *p = pending_new(c);
    pthread_mutex_lock(&s->lock);
    const bool over = is_over(s, c->client, c->body_len);
    const bool room = p && !s->quit && (fits(s, c->body_len) || defer_yield(s, c->client, c->body_len));
    if (room)
        put_off(s, p, c);
    pthread_mutex_unlock(&s->lock);
    if (room)
        return p;
    if (p)
        pending_unref(p);
    fill_busy(response, over);
    return NULL;
}

bool hs_pending_gone(const hs_pending_t *p)
{
    return !atomic_load_explicit(&p->conn, memory_order_relaxed);
}

const hs_request_t *hs_pending_request(const hs_pending_t *p)
{
    return &p->request;
}

void hs_answer(hs_pending_t *p, hs_response_t *response)
{
    conn_t *c = atomic_exchange(&p->conn, NULL);
    if (c) {
        hs_t *s = c->server;
        pthread_mutex_lock(&s->lock);
        pending_answer(p, c, response);
        pthread_mutex_unlock(&s->lock);
        pending_unref(p);
    }
    hs_response_clear(response);
    pending_unref(p);
}

/* Answers all that wait with 503, and waits for those that are being answered. */
static void drop_deferred(hs_t *s)
{
    hs_pending_t *next;
    pthread_mutex_lock(&s->lock);
    for (hs_pending_t *p = s->pendings.next; p != &s->pendings; p = next) {
        next = p->next;
        (void)take_back(p, TAKE_STOPPING);
    }
    while (s->deferred)
        pthread_cond_wait(&s->answered, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

/* ---- requests ---- */

/* Called with the raw request target before it is split and decoded; what it returns is the request's context. */
static void *on_uri(void *ctx, const char *uri, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    conn_t *c = info ? info->socket_context : NULL;
    const char *query;
    (void)ctx;
    if (!c)
        return NULL;
    c->mhd = mhd;
    query = strchr(uri, '?');
    if (query) {
        c->query = strdup(query + 1);
        c->bad_uri = !c->query;
    }
    if (strstr(uri, "%00")) /* would cut the decoded path short */
        c->bad_uri = true;
    return c;
}

static const char *header_of(struct MHD_Connection *mhd, const char *name)
{
    return MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name);
}

static bool takes_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

/* The headers are here, the body is not: refuses what can be refused without it. An answer now closes it. */
static enum MHD_Result on_headers(conn_t *c, const char *method, const char *path)
{
    const char *length, *coding;
    const hs_route_t *route;
    reply_extra_t extra;
    if (!takes_body(method))
        return MHD_YES;
    length = header_of(c->mhd, "Content-Length");
    coding = header_of(c->mhd, "Transfer-Encoding");
    extra = extra_of(c->server, route_find(&route, c->server, method, path));
    if (length && coding)
        return send_problem(c, extra, 400, "bad-request", "both Content-Length and Transfer-Encoding");
    if (!length && !coding)
        return send_problem(c, extra, 411, "length-required",
                            "the request has neither Content-Length nor chunked coding");
    if (length && strtoull(length, NULL, 10) > c->server->config.body_max)
        return send_problem(c, extra, 413, "too-large", "the body is larger than this server takes");
    return MHD_YES;
}

/* libmicrohttpd cannot queue an answer in the middle of an upload: says 413 by hand and has the connection closed. */
static enum MHD_Result refuse_midway(conn_t *c)
{
    static const char answer[] = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    if (c->tls)
        tls_send(c->tls, view_of(answer, sizeof answer - 1));
    else
        (void)send(c->fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return MHD_NO;
}

static enum MHD_Result on_body(conn_t *c, const char *p, size_t n)
{
    size_t max = c->server->config.body_max;
    if (n > max - c->body_len)
        return refuse_midway(c);
    if (n > c->body_cap - c->body_len) { /* grows with what came, not with what was announced */
        size_t cap = c->body_cap ? c->body_cap : 1024;
        while (cap - c->body_len < n)
            cap *= 2;
        uint8_t *grown = realloc(c->body, cap);
        if (!grown)
            return MHD_NO;
        c->body = grown;
        c->body_cap = cap;
    }
    memcpy(c->body + c->body_len, p, n);
    c->body_len += n;
    return MHD_YES;
}

/* ---- WebSockets ---- */

/* Of whom a connection is. */
static bool key_of(uint8_t key[CLIENT_KEY_LEN], struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info && hs_client_key(key, info->client_addr);
}

static void close_upgraded(void *handle)
{
    (void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

/* The answer is sent; from now on the bytes are the WebSocket's. */
static void on_upgraded(void *ctx, struct MHD_Connection *mhd, void *request_ctx, const char *early, size_t early_len,
                        MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    conn_t *c = ctx;
    uint8_t key[CLIENT_KEY_LEN];
    (void)request_ctx;
    (void)key_of(key, mhd);
    atomic_store_explicit(&c->deadline_ms, 0, memory_order_relaxed);
    c->counted = false;
    atomic_fetch_sub(&c->server->active, 1);
    ws_hub_add(c->server->websockets, &(ws_socket_t){ close_upgraded, handle }, fd, key, view_of(early, early_len));
}

static enum MHD_Result send_upgrade(conn_t *c, const char *accept, unsigned marks)
{
    struct MHD_Response *m = reply_upgrade(on_upgraded, c, accept, marks);
    if (!m)
        return MHD_NO;
    conn_deadline(c);
    c->at = AT_SENDING;
    const enum MHD_Result sent = MHD_queue_response(c->mhd, MHD_HTTP_SWITCHING_PROTOCOLS, m);
    MHD_destroy_response(m);
    return sent;
}

static enum MHD_Result on_websocket(conn_t *c, reply_extra_t extra)
{
    const upgrade_t asked = { .upgrade = header_of(c->mhd, "Upgrade"),
                              .connection = header_of(c->mhd, "Connection"),
                              .version = header_of(c->mhd, "Sec-WebSocket-Version"),
                              .key = header_of(c->mhd, "Sec-WebSocket-Key") };
    char accept[UPGRADE_ACCEPT_LEN + 1];
    uint8_t key[CLIENT_KEY_LEN];
    const int status = upgrade_check(accept, &asked);
    extra.websocket = status == 426;
    if (status == 426)
        return send_problem(c, extra, status, "upgrade-required", "a GET of this path is a WebSocket of version 13");
    if (status != 101)
        return send_problem(c, extra, status, "bad-request", "Sec-WebSocket-Key must be the base64 of 16 bytes");
    if (!c->server->websockets || !key_of(key, c->mhd) || !ws_hub_admits(c->server->websockets, key))
        return send_problem(c, extra, 503, "busy", "too many WebSockets are open");
    return send_upgrade(c, accept, extra.marks);
}

/* The request is complete: answers it, or queues it for a worker. */
static enum MHD_Result on_request(conn_t *c, const char *method, const char *path)
{
    hs_t *s = c->server;
    bool head = strcmp(method, "HEAD") == 0;
    const char *type = header_of(c->mhd, "Content-Type");
    const hs_route_t *first = route_find(&c->route, s, head ? "GET" : method, path);
    reply_extra_t extra = extra_of(s, first);
    atomic_fetch_add(&s->active, 1); /* before looking at stopping: hs_stop sets that, then counts */
    c->counted = true;
    if (atomic_load(&s->stopping)) {
        extra.close = true;
        return send_problem(c, extra, 503, "stopping", "the server is stopping");
    }
    if (c->bad_uri)
        return send_problem(c, extra, 400, "bad-request", "the request target is not valid");
    if (!first)
        return send_problem(c, extra, 404, "not-found", "no such path");
    if (!c->route && strcmp(method, "OPTIONS") == 0)
        return send_options(c, extra);
    if (!c->route)
        return send_problem(c, extra, 405, "method-not-allowed", "this path does not take this method");
    if (c->route->flags & HS_WEBSOCKET)
        return on_websocket(c, extra);
    c->request = (hs_request_t){ .method = head ? "GET" : method,
                                 .path = path,
                                 .query = c->query ? c->query : "",
                                 .content_type = type ? type : "",
                                 .body = { c->body, c->body_len },
                                 .client = c->client,
                                 .gzip = gzip_accepted(header_of(c->mhd, "Accept-Encoding")) };
    if (!(c->route->flags & HS_SLOW)) {
        run_handler(c);
        return c->deferred ? MHD_YES : send_handled(c);
    }
    return queue_push(c) ? MHD_YES : send_handled(c);
}

static enum MHD_Result on_access(void *ctx, struct MHD_Connection *mhd, const char *path, const char *method,
                                 const char *version, const char *upload, size_t *upload_len, void **request_ctx)
{
    conn_t *c = *request_ctx;
    (void)ctx;
    (void)mhd;
    (void)version;
    if (!c)
        return MHD_NO;
    if (c->at == AT_ANSWERED)
        return send_handled(c);
    if (*upload_len) {
        enum MHD_Result result = on_body(c, upload, *upload_len);
        *upload_len = 0;
        return result;
    }
    if (!c->begun) {
        c->begun = true;
        return on_headers(c, method, path);
    }
    return on_request(c, method, path);
}

static void on_completed(void *ctx, struct MHD_Connection *mhd, void **request_ctx, enum MHD_RequestTerminationCode how)
{
    conn_t *c = *request_ctx;
    (void)ctx;
    (void)mhd;
    (void)how;
    if (!c)
        return;
    *request_ctx = NULL;
    if (c->counted)
        atomic_fetch_sub(&c->server->active, 1);
    free(c->query);
    free(c->body);
    hs_response_clear(&c->response);
    c->query = NULL;
    c->body = NULL;
    c->body_len = c->body_cap = 0;
    c->route = NULL;
    c->request = (hs_request_t){ 0 };
    c->begun = c->counted = c->bad_uri = c->deferred = false;
    c->at = AT_RECEIVING;
    conn_deadline(c);
}

/* ---- connections ---- */

static void conn_free(conn_t *c)
{
    hs_identity_unref(c->identity);
    hs_client_unref(c->client);
    free(c);
}

/* The record of a new connection. NULL: no memory. */
static conn_t *conn_new(hs_t *s, struct MHD_Connection *mhd)
{
    uint8_t key[CLIENT_KEY_LEN];
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    conn_t *c = calloc(1, sizeof *c);
    if (!c || !info || !hs_client_key(key, info->client_addr) || !(c->client = hs_client_get(s->clients, key))) {
        free(c);
        return NULL;
    }
    c->server = s;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    conn_deadline(c);
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION); /* before its handshake */
    c->tls = info ? info->tls_session : NULL;
    return c;
}

static void conn_enter(hs_t *s, conn_t *c)
{
    pthread_mutex_lock(&s->conns_lock);
    c->identity = c->tls ? hs_identity_ref(s->identity) : NULL;
    c->next = s->conns;
    if (c->next)
        c->next->prev = c;
    s->conns = c;
    pthread_mutex_unlock(&s->conns_lock);
    if (c->tls)
        tls_attach(c->tls, c->identity);
}

static void conn_leave(hs_t *s, conn_t *c)
{
    pthread_mutex_lock(&s->conns_lock);
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    pthread_mutex_unlock(&s->conns_lock);
}

static void on_connection(void *ctx, struct MHD_Connection *mhd, void **socket_ctx,
                          enum MHD_ConnectionNotificationCode code)
{
    hs_t *s = ctx;
    conn_t *c = *socket_ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_ctx = c = conn_new(s, mhd);
        if (c) /* else its requests are refused */
            conn_enter(s, c);
    } else if (c) {
        *socket_ctx = NULL;
        conn_leave(s, c);
        conn_free(c);
    }
}

static void reap(hs_t *s)
{
    uint64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&s->conns_lock); /* a connection leaves the list before its descriptor is closed */
    for (conn_t *c = s->conns; c; c = c->next) {
        uint64_t deadline = atomic_load_explicit(&c->deadline_ms, memory_order_relaxed);
        if (deadline && now > deadline)
            (void)shutdown(c->fd, SHUT_RDWR); /* its event thread sees the end and closes */
    }
    pthread_mutex_unlock(&s->conns_lock);
}

/* Takes back what was put off for connections whose other side has closed: so many from p on. Gives where it stopped;
 * with the lock held. */
static hs_pending_t *drop_some(hs_t *s, hs_pending_t *p)
{
    struct pollfd fds[LOOK_AT];
    hs_pending_t *whose[LOOK_AT];
    nfds_t n = 0;
    for (; p != &s->pendings && n < LOOK_AT; p = p->next) {
        const conn_t *c = atomic_load(&p->conn); /* stays suspended as long as the lock is held */
        if (!c)
            continue;
        whose[n] = p;
        fds[n++] = (struct pollfd){ .fd = c->fd, .events = POLLRDHUP };
    }
    if (poll(fds, n, 0) > 0)
        for (nfds_t i = 0; i < n; i++)
            if (fds[i].revents)
                (void)take_back(whose[i], TAKE_LEFT);
    return p;
}

static void drop_left(hs_t *s)
{
    pthread_mutex_lock(&s->lock);
    for (hs_pending_t *p = s->pendings.next; p != &s->pendings;)
        p = drop_some(s, p);
    pthread_mutex_unlock(&s->lock);
}

static void reaper_main(worker_t *w, void *ctx)
{
    do {
        reap(ctx);
        drop_left(ctx);
    } while (worker_sleep_until(w, clock_monotonic_ms() + REAP_MS));
}

/* ---- start and stop ---- */

static void quiet(void *ctx, const char *format, va_list args)
{
    (void)ctx;
    (void)format;
    (void)args;
}

static rc_t start_threads(hs_t *s, err_t *e)
{
    const hs_config_t *k = &s->config;
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)quiet, NULL }, /* first, so that it also covers the others */
        { MHD_OPTION_LISTEN_SOCKET, s->listen_fd, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)k->connections_max, NULL },
        { MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)k->per_ip_max, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)k->idle_timeout_s, NULL },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_uri, s },
        { k->event_threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)k->event_threads, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem tls_options[] = {
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
        { MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_no_certificate() },
        { MHD_OPTION_END, 0, NULL },
    };
    unsigned tls = s->identity ? MHD_USE_TLS : 0;
    while (s->worker_count < k->workers) {
        if (pthread_create(&s->workers[s->worker_count], NULL, worker_main, s) != 0)
            goto failed;
        s->worker_count++;
    }
    if (worker_start(&s->reaper, NULL, "http-reaper", reaper_main, s))
        goto failed;
    if (k->websocket && ws_hub_start(&s->websockets, NULL, k->websocket))
        goto failed;
    s->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | tls |
                                     (s->websockets ? MHD_ALLOW_UPGRADE : 0u),
                                 0, NULL, NULL, on_access, s, MHD_OPTION_ARRAY, options,
                                 tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls_options, MHD_OPTION_END);
    if (s->daemon)
        return RC_OK;
failed:
    return err_say(e, RC_IO, "cannot start the server's threads");
}

/* A number of the configuration, or its default. */
#define OR_DEFAULT(field, usual) s->config.field = s->config.field ? s->config.field : (usual)

static void defaults(hs_t *s)
{
    OR_DEFAULT(event_threads, 2);
    OR_DEFAULT(workers, 8);
    OR_DEFAULT(queue_max, 64);
    OR_DEFAULT(deferred_max, 1024);
    OR_DEFAULT(deferred_body_max, (size_t)64 << 20);
    OR_DEFAULT(body_max, (size_t)1 << 20);
    OR_DEFAULT(connections_max, 1024);
    OR_DEFAULT(per_ip_max, 256);
    OR_DEFAULT(idle_timeout_s, 30);
}

rc_t hs_start(hs_t **out, err_t *e, const hs_config_t *config)
{
    if (config->route_count > HS_ROUTES_MAX || config->workers > WORKERS_MAX)
        return err_say(e, RC_LIMIT, "too many routes or workers");
    hs_t *s = calloc(1, sizeof *s);
    if (!s)
        return err_say(e, RC_NOMEM, "out of memory");
    s->config = *config;
    s->marks = config->flags;
    defaults(s);
    s->identity = config->identity ? hs_identity_ref(config->identity) : NULL;
    s->config.identity = NULL; /* s->identity is the present one */
    s->listen_fd = -1;
    s->pendings.prev = s->pendings.next = &s->pendings;
    pthread_mutex_init(&s->conns_lock, NULL);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->answered, NULL);
    routes_learn(s);
    s->clients = hs_clients_new();
    rc_t rc = s->clients ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    if (!rc)
        rc = listen_open(&s->listen_fd, &s->port, e, s->config.address, s->config.port);
    share_init(&s->slow, s->config.workers);
    if (!rc)
        rc = start_threads(s, e);
    if (rc) {
        hs_stop(s, 0);
        return rc;
    }
    *out = s;
    return RC_OK;
}

uint16_t hs_port(const hs_t *s)
{
    return s->port;
}

void hs_mark(hs_t *s, unsigned flags)
{
    atomic_fetch_or_explicit(&s->marks, flags, memory_order_relaxed);
}

void hs_set_identity(hs_t *s, hs_identity_t *identity)
{
    pthread_mutex_lock(&s->conns_lock);
    hs_identity_t *old = s->identity;
    s->identity = hs_identity_ref(identity);
    pthread_mutex_unlock(&s->conns_lock);
    hs_identity_unref(old);
}

/* Waits until no request is active, at most ms. */
static void wait_idle(hs_t *s, unsigned ms)
{
    uint64_t end = clock_monotonic_ms() + ms;
    while (atomic_load(&s->active) && clock_monotonic_ms() < end)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

void hs_stop(hs_t *s, unsigned grace_ms)
{
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    if (s->daemon)
        wait_idle(s, grace_ms);
    pthread_mutex_lock(&s->lock);
    s->quit = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    drop_deferred(s);
    for (unsigned i = 0; i < s->worker_count; i++)
        pthread_join(s->workers[i], NULL);
    worker_stop(s->reaper);
    ws_hub_stop(s->websockets); /* those that are upgraded from now on are closed at once */
    /* MHD_quiesce_daemon would close the port sooner, but it aborts the program when an event thread is awake just
     * then. */
    if (s->daemon) {
        wait_idle(s, DRAIN_MS);
        MHD_stop_daemon(s->daemon); /* closes the port, too */
    } else if (s->listen_fd >= 0) {
        close(s->listen_fd);
    }
    pthread_mutex_destroy(&s->conns_lock);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->answered);
    hs_identity_unref(s->identity);
    hs_clients_unref(s->clients);
    free(s);
}
