#include "http/reply.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/stream.h"

#define DETAIL_MAX 512u

struct hs_shared {
    atomic_uint refs;
    int status;
    size_t len; /* of the body */
    bool is_static;
    struct MHD_Response *response;
};

static bool add(struct MHD_Response *m, const char *name, const char *value)
{
    return MHD_add_response_header(m, name, value) == MHD_YES;
}

static bool add_all(struct MHD_Response *m, const char *content_type, size_t body_len, unsigned retry_after_s,
                    const reply_extra_t *x)
{
    bool ok = add(m, "X-Content-Type-Options", "nosniff") && add(m, "Cache-Control", "no-store");
    if (ok && body_len)
        ok = add(m, "Content-Type", content_type ? content_type : "application/json");
    if (ok && retry_after_s) {
        char text[16];
        snprintf(text, sizeof text, "%u", retry_after_s);
        ok = add(m, "Retry-After", text);
    }
    if (ok && x->gzip)
        ok = add(m, "Content-Encoding", "gzip") && add(m, "Vary", "Accept-Encoding");
    if (ok && x->allow)
        ok = add(m, "Allow", x->allow);
    if (ok && x->cors)
        ok = add(m, "Access-Control-Allow-Origin", "*");
    if (ok && x->cors && x->preflight)
        ok = add(m, "Access-Control-Allow-Methods", x->allow) &&
             add(m, "Access-Control-Allow-Headers", "content-type, authorization, last-event-id") &&
             add(m, "Access-Control-Max-Age", "86400");
    if (ok && x->marks & HS_SIMULATED)
        ok = add(m, "X-Kettle-TEE", "simulated");
    if (ok && x->marks & HS_DEVELOPMENT)
        ok = add(m, "Kettle-Development", "true");
    if (ok && x->websocket)
        ok = add(m, "Upgrade", "websocket") && add(m, "Sec-WebSocket-Version", "13");
    if (ok && x->close)
        ok = add(m, "Connection", "close");
    return ok;
}

struct MHD_Response *reply_make(hs_response_t *r, const reply_extra_t *extra)
{
    static char none[1];
    const bool streams = r->take_stream != NULL;
    struct MHD_Response *m =
        streams ? stream_reply(r->take_stream)
                : MHD_create_response_from_buffer(r->body_len, r->body_len ? (void *)r->body : (void *)none,
                                                  r->body_len ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    r->take_stream = NULL; /* the response's now, as is */
    if (m && r->body_len)
        r->body = NULL;
    reply_extra_t all = *extra;
    all.gzip = r->gzip;
    if (m && !add_all(m, r->content_type, streams ? 1 : r->body_len, r->retry_after_s, &all)) {
        MHD_destroy_response(m);
        m = NULL;
    }
    hs_response_clear(r);
    return m;
}

struct MHD_Response *reply_upgrade(MHD_UpgradeHandler handler, void *ctx, const char *accept, unsigned marks)
{
    struct MHD_Response *m = MHD_create_response_for_upgrade(handler, ctx);
    const reply_extra_t extra = { .marks = marks };
    if (m && add(m, "Upgrade", "websocket") && add(m, "Sec-WebSocket-Accept", accept) && add_all(m, NULL, 0, 0, &extra))
        return m;
    if (m)
        MHD_destroy_response(m);
    return NULL;
}

unsigned reply_status(const hs_response_t *r)
{
    return (unsigned)(r->shared ? r->shared->status : r->status);
}

size_t reply_length(const hs_response_t *r)
{
    return r->shared ? r->shared->len : r->body_len;
}

size_t reply_memory(const hs_response_t *r)
{
    if (!r->shared)
        return r->body_len;
    return r->shared->is_static ? 0 : r->shared->len / atomic_load(&r->shared->refs);
}

struct MHD_Response *reply_shared(const hs_shared_t *a)
{
    return a->response;
}

void hs_response_clear(hs_response_t *r)
{
    hs_shared_unref(r->shared);
    free(r->body);
    stream_drop(r->take_stream);
    *r = (hs_response_t){ 0 };
}

static hs_shared_t *shared_new(int status, const char *content_type, view_t body, unsigned flags, bool is_static)
{
    hs_shared_t *a = calloc(1, sizeof *a);
    reply_extra_t extra = { .cors = (flags & HS_CORS) != 0, .marks = flags };
    if (!a)
        return NULL;
    a->refs = 1;
    a->status = status;
    a->len = body.n;
    a->is_static = is_static;
    a->response = MHD_create_response_from_buffer(body.n, body.n ? (void *)(uintptr_t)body.p : (void *)a,
                                                  is_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
    if (!a->response || !add_all(a->response, content_type, body.n, 0, &extra)) {
        hs_shared_unref(a);
        return NULL;
    }
    return a;
}

hs_shared_t *hs_shared_new(int status, const char *content_type, view_t body, unsigned flags)
{
    return shared_new(status, content_type, body, flags, false);
}

hs_shared_t *hs_shared_static(int status, const char *content_type, view_t text, unsigned flags)
{
    return shared_new(status, content_type, text, flags, true);
}

bool hs_shared_header(hs_shared_t *a, const char *name, const char *value)
{
    return add(a->response, name, value);
}

hs_shared_t *hs_shared_ref(hs_shared_t *a)
{
    atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
    return a;
}

void hs_shared_unref(hs_shared_t *a)
{
    if (!a || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (a->response)
        MHD_destroy_response(a->response);
    free(a);
}

/* ---- problems ---- */

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } rows[] = {
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 409, "Conflict" },
        { 411, "Length Required" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 422, "Unprocessable Content" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return rows[i].title;
    return status < 500 ? "Request Failed" : "Server Failed";
}

/* JSON text of s, cut at DETAIL_MAX bytes. Only ASCII goes out: details may quote what a stranger sent. */
static void json_escape(char out[6 * DETAIL_MAX + 1], const char *s)
{
    char *p = out;
    for (size_t i = 0; s[i] && i < DETAIL_MAX; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') {
            *p++ = '\\';
            *p++ = (char)c;
        } else if (c < 0x20) {
            p += snprintf(p, 7, "\\u%04x", c);
        } else {
            *p++ = c < 0x7f ? (char)c : '?';
        }
    }
    *p = 0;
}

static const char PROBLEM[] = "application/problem+json", DETAIL[] = "\"detail\":\"";

void hs_problem(hs_response_t *r, int status, const char *slug, const char *detail)
{
    char text[6 * DETAIL_MAX + 1];
    char *body = NULL;
    int n;
    json_escape(text, detail);
    n = asprintf(&body, "{\"type\":\"urn:kettle:error:%s\",\"title\":\"%s\",\"status\":%d,%s%s\"}", slug,
                 title_of(status), status, DETAIL, text);
    hs_response_clear(r);
    r->status = status;
    r->content_type = PROBLEM;
    if (n > 0) { /* without memory the status alone has to do */
        r->body = (uint8_t *)body;
        r->body_len = (size_t)n;
    }
}

void reply_quote(hs_response_t *r)
{
    char text[12 * DETAIL_MAX + 1], *p = text, *body = NULL;
    if (r->content_type != PROBLEM || r->shared || !r->body)
        return;
    const char *problem = (const char *)r->body, *end = problem + r->body_len - 2; /* before "} */
    for (const char *c = strstr(problem, DETAIL) + sizeof DETAIL - 1; c < end; c++) {
        if (*c == '"' || *c == '\\')
            *p++ = '\\';
        *p++ = *c;
    }
    *p = 0;
    const int n = asprintf(&body, "\"{\\\"error\\\":\\\"%s\\\"}\"", text);
    free(r->body);
    r->body = n > 0 ? (uint8_t *)body : NULL;
    r->body_len = n > 0 ? (size_t)n : 0;
    r->content_type = NULL;
}
