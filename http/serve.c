#include "http/server.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/os/clock.h"
#include "base/os/log.h"
#include "base/os/worker.h"
#include "http/accept.h"
#include "http/framing.h"
#include "http/gaps.h"
#include "http/gzip.h"
#include "http/listen.h"
#include "http/reply.h"
#include "http/server_state.h"
#include "http/upgrade.h"

#define DRAIN_MS 500u /* after the grace: time to hand answers to the kernel */
#define REAP_MS 250u

#define SPARE 64u /* connections that are being evicted */

static void conn_deadline_in(conn_t *c, uint64_t ms)
{
    const uint64_t most = 2000u * (uint64_t)c->server->config.idle_timeout_s;
    atomic_store_explicit(&c->deadline_ms, clock_monotonic_ms() + (ms < most ? ms : most), memory_order_relaxed);
}

static void conn_deadline(conn_t *c)
{
    conn_deadline_in(c, UINT64_MAX);
}

/* So many bytes are to be taken by the other side: in the time that so much of a body has to come in. */
static void begin_sending(conn_t *c, size_t n)
{
    const hs_config_t *k = &c->server->config;
    conn_deadline_in(c, k->headers_ms + n * 1000 / k->body_rate);
    c->at = AT_SENDING;
    conn_stage(c, STAGE_SENDING);
}

/* ---- routes ---- */

static bool path_matches(const char *pattern, const char *path)
{
    size_t n = strlen(pattern);
    if (n && pattern[n - 1] == '*')
        return strncmp(pattern, path, n - 1) == 0;
    return strcmp(pattern, path) == 0;
}

static bool takes_any(const hs_route_t *r)
{
    return strcmp(r->method, "ANY") == 0;
}

/* What Allow says of a route, before OPTIONS. */
static const char *allow_of(const hs_route_t *r)
{
    if (takes_any(r))
        return "GET, HEAD, POST, PUT, PATCH, DELETE, ";
    return strcmp(r->method, "GET") == 0      ? "GET, HEAD, "
           : strcmp(r->method, "POST") == 0   ? "POST, "
           : strcmp(r->method, "DELETE") == 0 ? "DELETE, "
                                              : "";
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
        if (strcmp(r->method, method) == 0 || (takes_any(r) && strcmp(method, "OPTIONS") != 0)) {
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
            if (n + strlen(allow_of(r)) < ALLOW_MAX - sizeof "OPTIONS")
                n += (size_t)snprintf(s->allow[i] + n, ALLOW_MAX - n, "%s", allow_of(r));
        }
        snprintf(s->allow[i] + n, ALLOW_MAX - n, "OPTIONS");
    }
}

/* ---- answers ---- */

static reply_extra_t extra_of(const hs_t *s, const hs_route_t *first)
{
    size_t i = first ? (size_t)(first - s->config.routes) : 0;
    return (reply_extra_t){ .cors = first && s->cors[i],
                            .quoted = first && (first->flags & HS_QUOTED),
                            .marks = atomic_load_explicit(&s->marks, memory_order_relaxed),
                            .allow = first ? s->allow[i] : NULL };
}

/* Counts an answer. */
static void note_answer(conn_t *c, unsigned status)
{
    hs_tallies_t *t = c->server->config.tallies;
    const size_t row = c->route ? (size_t)(c->route - c->server->config.routes) : c->server->config.route_count;
    if (!t)
        return;
    tally_add(&t->of[row].answers[status / 100 % 6], 1);
    spread_add(&t->of[row].took, clock_monotonic_ms() - c->begun_ms);
}

static enum MHD_Result send_reply(conn_t *c, const reply_extra_t *extra)
{
    hs_response_t *r = &c->response;
    struct MHD_Response *m;
    enum MHD_Result sent = MHD_NO;
    unsigned status;
    const bool streams = r->take_stream != NULL;
    if (!r->shared && (r->status < 200 || r->status > 599))
        hs_problem(r, 500, "internal", "the handler gave no answer");
    if (extra->quoted)
        reply_quote(r);
    if (!conn_answer_room(c)) {
        hs_problem(r, 503, "busy", "too many answers are being sent");
        r->retry_after_s = 1;
    }
    status = reply_status(r);
    note_answer(c, status);
    begin_sending(c, reply_length(r));
    if (r->shared) /* kept until it is sent, and so seen to be shared */
        return MHD_queue_response(c->mhd, status, reply_shared(r->shared));
    m = reply_make(r, extra);
    if (streams)
        conn_stage(c, STAGE_LASTING);
    if (streams && c->counted) { /* nobody waits for its end */
        c->counted = false;
        atomic_fetch_sub(&c->server->active, 1);
    }
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

/* ---- requests ---- */

/* Called with the raw request target before it is split and decoded; what it returns is the request's context. */
static void *on_uri(void *ctx, const char *uri, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    conn_t *c = info ? info->socket_context : NULL;
    (void)ctx;
    if (!c)
        return NULL;
    c->mhd = mhd;
    conn_deadline_in(c, c->server->config.headers_ms);
    c->raw = uri;
    c->target = strdup(uri);
    if (!c->target)
        return NULL;
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

typedef struct {
    framing_t framing;
    forwarded_t forwarded;
    gaps_t gaps;
} fields_t;

static enum MHD_Result on_field(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                const char *value, size_t value_len)
{
    fields_t *f = ctx;
    const view_t n = view_of(name, name_len), v = view_of(value, value ? value_len : 0);
    (void)kind;
    gaps_field(&f->gaps, name, value, value_len);
    framing_field(&f->framing, n, v);
    if (f->forwarded.proxies)
        forwarded_field(&f->forwarded, n, v);
    return MHD_YES;
}

/* Who has an address, with a reference. NULL: no memory. */
static hs_client_t *client_at(hs_t *s, const ip_t *ip)
{
    const bool listed = proxies_have(&s->proxies, ip);
    uint8_t key[CLIENT_KEY_LEN];
    struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
    memcpy(&at.sin6_addr, ip->b, sizeof ip->b);
    (void)hs_client_key(key, (const struct sockaddr *)(const void *)&at);
    return hs_client_get(s->clients, listed ? ip->b : key, listed);
}

/* Whom a listed proxy says the request is from. One that says it by the other field alone is set up wrongly, and all
 * who are behind it are one that no share binds: that is told, once. */
static void take_forwarded(conn_t *c, const forwarded_t *f)
{
    hs_t *s = c->server;
    if (f->known)
        conn_name(c, client_at(s, &f->client));
    else if (f->other && !atomic_exchange(&s->told_other, true))
        log_write(LOG_WARN, "proxy",
                  "a listed proxy names a client by %s alone, and proxy_header is %s: all behind it "
                  "are taken for one that has no bounds",
                  f->standard ? "X-Forwarded-For" : "Forwarded", f->standard ? "forwarded" : "x-forwarded-for");
}

/* The headers are here, the body is not: refuses what can be refused without it. An answer now closes it. */
static enum MHD_Result on_headers(conn_t *c, const char *method, const char *path, const char *version)
{
    const hs_route_t *route;
    reply_extra_t extra = extra_of(c->server, route_find(&route, c->server, method, path));
    fields_t fields = { .forwarded = { .proxies = c->client->turns[0].exempt ? &c->server->proxies : NULL,
                                       .standard = c->server->config.by_forwarded } };
    int status;
    gaps_line(&fields.gaps, c->raw, strlen(c->target), version);
    (void)MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, on_field, &fields);
    const char *fault = framing_fault(&status, &fields.framing, method, c->target, version);
    if (!fault && gaps_found(&fields.gaps))
        fault = "the request's head has a NUL, or lines that do not end as they should or continue another";
    take_forwarded(c, &fields.forwarded);
    if (fault) {
        extra.close = true;
        return send_problem(c, extra, status, "bad-request", fault);
    }
    if (!takes_body(method))
        return MHD_YES;
    const char *length = header_of(c->mhd, "Content-Length");
    if (!length && !fields.framing.codings && !(route && takes_any(route)))
        return send_problem(c, extra, 411, "length-required",
                            "the request has neither Content-Length nor chunked coding");
    if (length && strtoull(length, NULL, 10) > c->server->config.body_max)
        return send_problem(c, extra, 413, "too-large", "the body is larger than this server takes");
    return MHD_YES;
}

/* libmicrohttpd cannot queue an answer in the middle of an upload: says it by hand and has the connection closed. */
static enum MHD_Result refuse_midway(const conn_t *c, const char *status)
{
    char answer[160];
    const int n =
        snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status);
    if (c->tls)
        tls_send(c->tls, view_of(answer, (size_t)n));
    else
        (void)send(c->fd, answer, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
    return MHD_NO;
}

static enum MHD_Result on_body(conn_t *c, const char *p, size_t n)
{
    size_t max = c->server->config.body_max;
    if (n > max - c->body_len)
        return refuse_midway(c, "413 Content Too Large");
    const uint64_t due_ms = c->server->config.headers_ms + (c->body_len + n) * 1000 / c->server->config.body_rate;
    atomic_store_explicit(&c->deadline_ms, c->begun_ms + due_ms, memory_order_relaxed);
    if (n > c->body_cap - c->body_len) { /* grows with what came, not with what was announced */
        size_t cap = c->body_cap ? c->body_cap : 1024;
        while (cap - c->body_len < n)
            cap *= 2;
        if (!conn_body_room(c, cap - c->body_cap))
            return refuse_midway(c, "503 Service Unavailable\r\nRetry-After: 1");
        uint8_t *grown = realloc(c->body, cap);
        if (!grown) {
            conn_body_gone(c, cap - c->body_cap);
            return MHD_NO;
        }
        c->body = grown;
        c->body_cap = cap;
    }
    memcpy(c->body + c->body_len, p, n);
    c->body_len += n;
    return MHD_YES;
}

/* ---- WebSockets ---- */

static void close_upgraded(void *handle)
{
    (void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

/* The answer is sent; from now on the bytes are the WebSocket's. */
static void on_upgraded(void *ctx, struct MHD_Connection *mhd, void *request_ctx, const char *early, size_t early_len,
                        MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    conn_t *c = ctx;
    (void)request_ctx;
    (void)mhd;
    atomic_store_explicit(&c->deadline_ms, 0, memory_order_relaxed);
    c->counted = false;
    atomic_fetch_sub(&c->server->active, 1);
    ws_hub_add(c->server->websockets, &(ws_socket_t){ close_upgraded, handle }, fd, conn_asker(c),
               view_of(early, early_len));
}

static enum MHD_Result send_upgrade(conn_t *c, const char *accept, unsigned marks)
{
    struct MHD_Response *m = reply_upgrade(on_upgraded, c, accept, marks);
    if (!m)
        return MHD_NO;
    note_answer(c, MHD_HTTP_SWITCHING_PROTOCOLS);
    conn_deadline(c);
    c->at = AT_SENDING;
    conn_stage(c, STAGE_LASTING);
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
    const int status = upgrade_check(accept, &asked);
    extra.websocket = status == 426;
    if (status == 426)
        return send_problem(c, extra, status, "upgrade-required", "a GET of this path is a WebSocket of version 13");
    if (status != 101)
        return send_problem(c, extra, status, "bad-request", "Sec-WebSocket-Key must be the base64 of 16 bytes");
    if (!c->server->websockets || !ws_hub_admits(c->server->websockets, conn_asker(c)))
        return send_problem(c, extra, 503, "busy", "too many WebSockets are open");
    return send_upgrade(c, accept, extra.marks);
}

/* Browsers send Origin with every POST, and their newer ones Sec-Fetch-Site with everything. */
static bool is_from_page(struct MHD_Connection *mhd)
{
    const char *site = header_of(mhd, "Sec-Fetch-Site");
    return header_of(mhd, "Origin") || (site && strcmp(site, "none") != 0);
}

/* The request is complete: answers it, or queues it for a worker. */
static enum MHD_Result on_request(conn_t *c, const char *method, const char *path)
{
    hs_t *s = c->server;
    bool head = strcmp(method, "HEAD") == 0;
    const char *query = strchr(c->target, '?');
    const char *type = header_of(c->mhd, "Content-Type"), *authorization = header_of(c->mhd, "Authorization");
    const char *command = header_of(c->mhd, "Kettle-Operator"), *accept = header_of(c->mhd, "Accept");
    const char *last_event_id = header_of(c->mhd, "Last-Event-ID");
    const hs_route_t *first = route_find(&c->route, s, head ? "GET" : method, path);
    reply_extra_t extra = extra_of(s, first);
    conn_stage(c, STAGE_AT_WORK);
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
                                 .query = query ? query + 1 : "",
                                 .content_type = type ? type : "",
                                 .body = { c->body, c->body_len },
                                 .client = conn_asker(c),
                                 .server = s,
                                 .authorization = authorization ? authorization : "",
                                 .operator_signature = command ? command : "",
                                 .accept = accept ? accept : "",
                                 .last_event_id = last_event_id ? last_event_id : "",
                                 .from_page = is_from_page(c->mhd),
                                 .gzip = gzip_accepted(header_of(c->mhd, "Accept-Encoding")) };
    if (!(c->route->flags & HS_SLOW)) {
        conn_handle(c);
        return c->deferred ? MHD_YES : send_handled(c);
    }
    return conn_queue(c) ? MHD_YES : send_handled(c);
}

/* The path of a target that names scheme and host, too, as it is sent to proxies. */
static const char *path_in(const char *decoded)
{
    const char *host = *decoded == '/' ? NULL : strstr(decoded, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path ? path : host ? "/" : decoded;
}

static enum MHD_Result on_access(void *ctx, struct MHD_Connection *mhd, const char *path, const char *method,
                                 const char *version, const char *upload, size_t *upload_len, void **request_ctx)
{
    conn_t *c = *request_ctx;
    (void)ctx;
    (void)mhd;
    path = path_in(path);
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
        c->begun_ms = clock_monotonic_ms();
        conn_deadline_in(c, c->server->config.headers_ms);
        return on_headers(c, method, path, version);
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
    free(c->target);
    free(c->body);
    conn_memory_gone(c);
    if (c->named)
        conn_name(c, NULL);
    hs_response_clear(&c->response);
    c->target = NULL;
    c->body = NULL;
    c->body_len = c->body_cap = 0;
    c->route = NULL;
    c->request = (hs_request_t){ 0 };
    c->begun = c->counted = c->bad_uri = c->deferred = false;
    c->at = AT_RECEIVING;
    conn_stage(c, STAGE_RECEIVING);
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
    ip_t ip = { .b = { 0 } }; /* of whoever is at a Unix socket */
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    conn_t *c = calloc(1, sizeof *c);
    const bool is_known = s->config.unix_path || (info && ip_of(&ip, info->client_addr));
    if (!c || !is_known || !(c->client = client_at(s, &ip))) {
        free(c);
        return NULL;
    }
    c->server = s;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    conn_deadline_in(c, s->config.headers_ms);
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION); /* before its handshake */
    c->tls = info ? info->tls_session : NULL;
    return c;
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

static void reaper_main(worker_t *w, void *ctx)
{
    do {
        conns_reap(ctx);
        drop_left(ctx);
        streams_look(ctx);
    } while (worker_sleep_until(w, clock_monotonic_ms() + REAP_MS));
}

/* ---- start and stop ---- */

static void quiet(void *ctx, const char *format, va_list args)
{
    (void)ctx;
    (void)format;
    (void)args;
}

static void close_ports(hs_t *s)
{
    for (size_t i = 0; i < s->listen_count; i++)
        close(s->listen_fds[i]);
    s->listen_count = 0;
}

static void on_accepted(void *ctx, int fd, const struct sockaddr *from, socklen_t from_len)
{
    hs_t *s = ctx;
    (void)MHD_add_connection(s->daemon, fd, from, from_len); /* closes it where it cannot */
}

#define WEBSOCKETS_OF_ONE 128u

static unsigned at_most(unsigned n, unsigned usual, unsigned most)
{
    n = n ? n : usual;
    return n < most ? n : most;
}

/* WebSockets leave room for connections that do not last. */
static rc_t start_websockets(hs_t *s)
{
    ws_config_t k = *s->config.websocket;
    const unsigned most = lasting_max(s);
    k.connections_max = at_most(k.connections_max, most, most);
    k.per_address_max = at_most(k.per_address_max, WEBSOCKETS_OF_ONE, share_part(most));
    return ws_hub_start(&s->websockets, NULL, &k);
}

static rc_t start_threads(hs_t *s, err_t *e)
{
    const hs_config_t *k = &s->config;
    const bool own = k->proxy_protocol || s->listen_count > 1;
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)quiet, NULL }, /* first, so that it also covers the others */
        { MHD_OPTION_LISTEN_SOCKET, s->listen_fds[0], NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(k->connections_max + SPARE), NULL },
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
        if (pthread_create(&s->workers[s->worker_count], NULL, conn_worker, s) != 0)
            goto failed;
        s->worker_count++;
    }
    if (worker_start(&s->reaper, NULL, "http-reaper", reaper_main, s))
        goto failed;
    if (k->websocket && start_websockets(s))
        goto failed;
    if (own)
        options[1] = (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_MEMORY_LIMIT, 32768, NULL }; /* as usual */
    s->daemon =
        MHD_start_daemon((own ? MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC : 0u) | MHD_USE_EPOLL_INTERNAL_THREAD |
                             MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | tls | (s->websockets ? MHD_ALLOW_UPGRADE : 0u),
                         0, NULL, NULL, on_access, s, MHD_OPTION_ARRAY, options,
                         tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls_options, MHD_OPTION_END);
    if (!s->daemon)
        goto failed;
    if (!own)
        return RC_OK;
    if (!acceptor_start(&s->acceptor, NULL,
                        &(acceptor_config_t){ .fds = s->listen_fds,
                                              .count = s->listen_count,
                                              .proxies = k->proxy_protocol ? &s->proxies : NULL,
                                              .take = on_accepted,
                                              .ctx = s }))
        return RC_OK;
    close_ports(s); /* which nobody has taken over */
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
    OR_DEFAULT(bodies_max, (size_t)32 << 20);
    OR_DEFAULT(body_max, (size_t)1 << 20);
    OR_DEFAULT(connections_max, 1024);
    if (s->config.unix_path)
        s->config.per_client_max = s->config.connections_max;
    OR_DEFAULT(per_client_max, s->config.connections_max / SHARE_PART ? s->config.connections_max / SHARE_PART : 1);
    OR_DEFAULT(idle_timeout_s, 30);
    OR_DEFAULT(headers_ms, 10000);
    OR_DEFAULT(body_rate, 16384);
}

/* Listens everywhere, on the same port. */
static rc_t open_ports(hs_t *s, err_t *e)
{
    const hs_config_t *k = &s->config;
    const size_t count = k->address_count ? k->address_count : 1;
    if (k->unix_path) {
        const rc_t rc = listen_unix(&s->listen_fds[0], e, k->unix_path);
        s->listen_count = rc ? 0 : 1;
        return rc;
    }
    s->port = k->port;
    for (size_t i = 0; i < count; i++) {
        const char *at = k->address_count ? k->addresses[i] : k->address;
        rc_t rc = listen_open(&s->listen_fds[i], &s->port, e, at, s->port);
        if (rc)
            return rc;
        s->listen_count++;
    }
    return RC_OK;
}

rc_t hs_start(hs_t **out, err_t *e, const hs_config_t *config)
{
    if (config->route_count > HS_ROUTES_MAX || config->workers > WORKERS_MAX || config->address_count > LISTEN_MAX)
        return err_say(e, RC_LIMIT, "too many routes, workers or addresses");
    hs_t *s = calloc(1, sizeof *s);
    if (!s)
        return err_say(e, RC_NOMEM, "out of memory");
    s->config = *config;
    s->marks = config->flags;
    defaults(s);
    s->identity = config->identity ? hs_identity_ref(config->identity) : NULL;
    s->config.identity = NULL; /* s->identity is the present one */
    s->proxies = config->proxies ? *config->proxies : (proxies_t){ .count = 0 };
    s->pendings.prev = s->pendings.next = &s->pendings;
    pthread_mutex_init(&s->conns_lock, NULL);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->answered, NULL);
    routes_learn(s);
    s->clients = hs_clients_new();
    streams_init(s);
    rc_t rc = s->clients && s->streams ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    if (!rc)
        rc = open_ports(s, e);
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
    if (s->config.unix_path && s->listen_count)
        (void)unlink(s->config.unix_path);
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
    if (s->streams)
        streams_end(s);
    ws_hub_stop(s->websockets); /* those that are upgraded from now on are closed at once */
    /* MHD_quiesce_daemon would close the port sooner, but it aborts the program when an event thread is awake just
     * then. */
    if (s->daemon) {
        wait_idle(s, DRAIN_MS);
        if (s->acceptor)
            acceptor_stop(s->acceptor);
        else
            s->listen_count = 0; /* the daemon closes its port itself */
        MHD_stop_daemon(s->daemon);
    } else {
        close_ports(s);
    }
    pthread_mutex_destroy(&s->conns_lock);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->answered);
    hs_identity_unref(s->identity);
    hs_clients_unref(s->clients);
    streams_clear(s);
    free(s);
}
