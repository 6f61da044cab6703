#include "overlay/tpod/serve.h"

#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/tpod/attest.h"
#include "overlay/tpod/check.h"
#include "overlay/tpod/codec.h"
#include "overlay/wire/proto.h"

#define LENGTH_MAX 4u /* bytes of a message's length */

/* The struct of any request. */
typedef union {
    tpod_attest_request_t attest;
    tpod_capacity_request_t capacity;
    tpod_provision_request_t provision;
} request_t;

typedef struct line line_t;

/* One request, from the stream's opening to its answer. */
typedef struct req {
    tpod_asked_t asked; /* first */
    struct req *next;
    line_t *line;         /* NULL: its connection is over */
    net_stream_t *stream; /* NULL: nobody waits for the answer */
    const tpod_protocol_t *protocol;
    request_t request;
    arena_t arena;
    uint8_t *bytes; /* may hold keys */
    size_t n, cap;
    bool given; /* to the owner */
    uint64_t due_ms;
} req_t;

struct line {
    struct line *next;
    net_conn_t *conn;
    req_t *req; /* NULL: none is under way */
    bool attested;
    uint64_t since_ms; /* OPEN; once attested, the last answer */
};

/* What a callback of a protocol gets. */
typedef struct {
    tpod_serve_t *s;
    const tpod_protocol_t *protocol;
} served_t;

struct tpod_serve {
    tpod_serve_config_t c;
    served_t served[TPOD_PROTOCOLS];
    net_protocol_t protocols[TPOD_PROTOCOLS];
    line_t *lines;
    req_t *reqs;
    uint64_t now_ms;
};

/* ---- requests ---- */

static void req_free(tpod_serve_t *s, req_t *r)
{
    req_t **at = &s->reqs;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (r->line)
        r->line->req = NULL;
    if (r->stream)
        net_set_stream_user(r->stream, NULL);
    if (r->bytes)
        secret_wipe(r->bytes, r->cap);
    free(r->bytes);
    arena_free(&r->arena);
    free(r);
}

/* Ends a request without an answer. */
static void req_drop(tpod_serve_t *s, req_t *r)
{
    net_stream_t *stream = r->stream;
    req_free(s, r);
    if (stream)
        net_reset(stream);
}

/* Nothing of a request stays behind where it grew. */
static rc_t grow(req_t *r, size_t n)
{
    const size_t cap = n < 2 * r->cap ? 2 * r->cap : n;
    uint8_t *more = n > r->cap ? malloc(cap) : r->bytes;
    if (!more)
        return RC_NOMEM;
    if (more == r->bytes)
        return RC_OK;
    if (r->n)
        memcpy(more, r->bytes, r->n);
    if (r->bytes)
        secret_wipe(r->bytes, r->cap);
    free(r->bytes);
    r->bytes = more;
    r->cap = cap;
    return RC_OK;
}

/* ---- answers ---- */

/* False: it did not go out. */
static bool write_answer(const req_t *r, const void *response)
{
    uint8_t *bytes = malloc(TPOD_MESSAGE_MAX + LENGTH_MAX);
    wr_t w = wr_of(bytes, bytes ? TPOD_MESSAGE_MAX + LENGTH_MAX : 0);
    tpod_write(&w, r->protocol->response, response);
    pb_delimit(&w, 0);
    const bool sent = bytes && !w.bad && !net_write(r->stream, wr_view(&w));
    if (sent)
        net_end(r->stream);
    else
        net_reset(r->stream);
    free(bytes);
    return sent;
}

static bool is_attested(const req_t *r, const void *response)
{
    return r->protocol->call == TPOD_ATTEST && !((const tpod_attest_response_t *)response)->error.n;
}

static void answer(tpod_serve_t *s, req_t *r, const void *response)
{
    bool sent = false;
    if (r->stream) {
        net_set_stream_user(r->stream, NULL);
        sent = write_answer(r, response);
        r->stream = NULL;
    }
    if (r->line) {
        r->line->since_ms = s->now_ms;
        r->line->attested |= sent && is_attested(r, response);
    }
    req_free(s, r);
}

void tpod_serve_answer(tpod_serve_t *s, const tpod_asked_t *asked, const void *response)
{
    req_t *r = s->reqs;
    tpod_attest_response_t with;
    while (r && &r->asked != asked)
        r = r->next;
    if (!r)
        return;
    if (r->protocol->call == TPOD_ATTEST) {
        with = *(const tpod_attest_response_t *)response;
        with.capacity = r->request.attest.want_capacity && !with.error.n
                            ? (tpod_capacity_t *)(uintptr_t)s->c.capacity /* only read */
                            : NULL;
        response = &with;
    }
    answer(s, r, response);
}

/* Says why not, where the call has a place for it. */
static void refuse(tpod_serve_t *s, req_t *r, const err_t *e)
{
    char text[sizeof e->field + sizeof e->text + 4];
    const size_t at = strlen(e->field);
    memcpy(text, e->field, at);
    memcpy(text + at, ": ", 2);
    memcpy(text + at + 2, e->text, strlen(e->text) + 1);
    const view_t why = view_str(at ? text : e->text);
    const tpod_attest_response_t attest = { .error = why };
    const tpod_provision_response_t provision = { .error = why };
    if (r->protocol->call == TPOD_CAPACITY)
        req_drop(s, r);
    else
        answer(s, r, r->protocol->call == TPOD_ATTEST ? (const void *)&attest : (const void *)&provision);
}

/* ---- the three calls ---- */

/* Of what is asked for, what there is; asked for nothing, all. */
static void tell_capacity(tpod_serve_t *s, req_t *r)
{
    const tpod_capacity_request_t *q = &r->request.capacity;
    tpod_capacity_t all = *s->c.capacity, some = all;
    some.resources = arena_calloc(&r->arena, all.resource_count + 1, sizeof *some.resources);
    some.resource_count = 0;
    if (!some.resources) {
        req_drop(s, r);
        return;
    }
    for (size_t i = 0; i < all.resource_count; i++) {
        bool wanted = !q->resource_count;
        for (size_t k = 0; !wanted && k < q->resource_count; k++)
            wanted = view_eq(q->resources[k].resource, all.resources[i].resource);
        if (wanted)
            some.resources[some.resource_count++] = all.resources[i];
    }
    answer(s, r, &some);
}

/* How many slots are taken, those of attestations under way included. */
static size_t slots_taken(const tpod_serve_t *s)
{
    size_t n = 0;
    for (const line_t *l = s->lines; l; l = l->next)
        n += l->attested || (l->req && l->req->given);
    return n;
}

static rc_t check_attest(tpod_serve_t *s, err_t *e, const req_t *r)
{
    if (r->request.attest.nonce.n != TPOD_NONCE_LEN)
        return err_in(e, RC_REFUSED, "nonce", "must have %u bytes", TPOD_NONCE_LEN);
    if (!r->line->attested && slots_taken(s) >= TPOD_SLOTS)
        return err_say(e, RC_LIMIT, "no slot is free");
    return RC_OK;
}

static rc_t check_paid(const tpod_serve_t *s, err_t *e, const tpod_provision_request_t *q)
{
    const tpod_payment_t *ours = s->c.payment;
    if (q->pricing && (!s->c.capacity->pricing || !tpod_pricing_eq(q->pricing, s->c.capacity->pricing)))
        return err_in(e, RC_REFUSED, "pricing", "is not the table that is offered");
    if (!ours)
        return RC_OK;
    if (!q->payment)
        return err_in(e, RC_REFUSED, "payment", "is missing");
    if (!q->pricing && s->c.capacity->pricing)
        return err_in(e, RC_REFUSED, "pricing", "is missing");
    if (!view_eq(q->payment->contract, ours->contract))
        return err_in(e, RC_REFUSED, "payment.contractAddress", "is not the contract of this provider");
    if (!view_eq(q->payment->provider, ours->provider))
        return err_in(e, RC_REFUSED, "payment.providerAddress", "is not this provider");
    return RC_OK;
}

/* Leading zeros of a number say nothing. */
static view_t shortest(view_t v)
{
    while (v.n && !v.p[0])
        v = view_of(v.p + 1, v.n - 1);
    return v;
}

static rc_t check_provision(const tpod_serve_t *s, err_t *e, const tpod_provision_request_t *q)
{
    rc_t rc = tpod_check(e, q);
    if (!rc)
        rc = check_paid(s, e, q);
    if (!rc && s->c.payment && !view_eq(shortest(q->payment->chain_id), shortest(s->c.payment->chain_id)))
        rc = err_in(e, RC_REFUSED, "payment.chainID", "is not the chain of this provider");
    return rc;
}

static void take(tpod_serve_t *s, req_t *r, view_t message)
{
    err_t e;
    rc_t rc = tpod_read(&r->request, &e, &r->arena, r->protocol->request, message);
    if (!rc && r->protocol->call == TPOD_ATTEST)
        rc = check_attest(s, &e, r);
    else if (!rc && r->protocol->call == TPOD_PROVISION)
        rc = check_provision(s, &e, &r->request.provision);
    if (rc) {
        refuse(s, r, &e);
    } else if (r->protocol->call == TPOD_CAPACITY) {
        tell_capacity(s, r);
    } else {
        r->given = true;
        s->c.asked(s->c.ctx, &r->asked);
    }
}

/* ---- streams ---- */

static line_t *find(const tpod_serve_t *s, const net_conn_t *c)
{
    line_t *l = s->lines;
    while (l && l->conn != c)
        l = l->next;
    return l;
}

static void stream_opened(void *ctx, net_stream_t *stream)
{
    const served_t *served = ctx;
    tpod_serve_t *s = served->s;
    line_t *l = find(s, net_conn_of(stream));
    req_t *r = l && !l->req && !net_opener(stream) ? calloc(1, sizeof *r) : NULL;
    if (!r) {
        net_reset(stream);
        return;
    }
    *r = (req_t){ .asked = { .call = served->protocol->call, .client = *net_peer(l->conn) },
                  .next = s->reqs,
                  .line = l,
                  .stream = stream,
                  .protocol = served->protocol,
                  .due_ms = s->now_ms + TPOD_REQUEST_MS };
    r->asked.request = &r->request;
    arena_init(&r->arena, TPOD_READ_MAX(served->protocol->request_max) + ((size_t)64 << 10));
    s->reqs = l->req = r;
    net_set_stream_user(stream, r);
}

static void stream_data(void *ctx, net_stream_t *stream, view_t bytes)
{
    tpod_serve_t *s = ((const served_t *)ctx)->s;
    req_t *r = net_stream_user(stream);
    view_t message;
    size_t used;
    net_consumed(stream, bytes.n);
    if (!r)
        return;
    if (r->given || bytes.n > r->protocol->request_max + LENGTH_MAX - r->n || grow(r, r->n + bytes.n)) {
        req_drop(s, r);
        return;
    }
    memcpy(r->bytes + r->n, bytes.p, bytes.n);
    r->n += bytes.n;
    const rc_t rc = pb_delimited(&message, &used, view_of(r->bytes, r->n), r->protocol->request_max);
    if (rc == RC_NEED_DATA)
        return;
    if (rc || used != r->n)
        req_drop(s, r);
    else
        take(s, r, message);
}

static void stream_ended(void *ctx, net_stream_t *stream)
{
    req_t *r = net_stream_user(stream);
    if (r && !r->given)
        req_drop(((const served_t *)ctx)->s, r); /* half a request */
}

/* Nobody waits for the answer any more. r may go. */
static void leave(tpod_serve_t *s, req_t *r)
{
    r->stream = NULL;
    if (!r->given)
        req_free(s, r);
    else if (s->c.left)
        s->c.left(s->c.ctx, &r->asked);
}

static void stream_closed(void *ctx, net_stream_t *stream, rc_t why)
{
    req_t *r = net_stream_user(stream);
    (void)why;
    if (r)
        leave(((const served_t *)ctx)->s, r);
}

/* ---- connections ---- */

void tpod_serve_counts(const tpod_serve_t *s, size_t *attested, size_t *strangers)
{
    *attested = *strangers = 0;
    for (const line_t *l = s->lines; l; l = l->next)
        ++*(l->attested ? attested : strangers);
}

/* The stranger that has been there longest, long enough; NULL: none. */
static line_t *oldest_stranger(const tpod_serve_t *s)
{
    line_t *oldest = NULL;
    for (line_t *l = s->lines; l; l = l->next)
        if (!l->attested && !(l->req && l->req->given) && (!oldest || l->since_ms <= oldest->since_ms))
            oldest = l;
    return oldest && s->now_ms - oldest->since_ms >= TPOD_STRANGER_MS ? oldest : NULL;
}

static void opened(void *ctx, net_conn_t *c)
{
    tpod_serve_t *s = ctx;
    size_t attested, strangers;
    s->now_ms = net_opened_ms(c);
    tpod_serve_counts(s, &attested, &strangers);
    const line_t *out = strangers >= TPOD_STRANGERS ? oldest_stranger(s) : NULL;
    line_t *l = strangers < TPOD_STRANGERS || out ? calloc(1, sizeof *l) : NULL;
    if (!l) {
        net_close(c, NET_BYE_SLOTS_FULL, "too many connections");
        return;
    }
    *l = (line_t){ .next = s->lines, .conn = c, .since_ms = s->now_ms };
    s->lines = l;
    if (out)
        net_close(out->conn, NET_BYE_SLOTS_FULL, "makes room for another");
}

static void closed(void *ctx, net_conn_t *c, const err_t *why)
{
    tpod_serve_t *s = ctx;
    line_t **at = &s->lines, *l = find(s, c);
    (void)why;
    if (!l)
        return;
    req_t *r = l->req;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    free(l);
    if (!r)
        return;
    r->line = NULL;
    if (r->stream) /* its closed callback will not come */
        leave(s, r);
}

/* What is served to whom. */
static bool serves(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    const tpod_serve_t *s = ctx;
    const line_t *l = find(s, c);
    return l && (l->attested || ((const served_t *)p->ctx)->protocol->call == TPOD_ATTEST);
}

/* When a connection, or its request, is over: UINT64_MAX: not by itself. */
static uint64_t due(const line_t *l)
{
    if (l->req)
        return l->req->given ? UINT64_MAX : l->req->due_ms;
    return l->since_ms + (l->attested ? TPOD_IDLE_MS : TPOD_DEADLINE_MS);
}

static void end(tpod_serve_t *s, line_t *l)
{
    if (l->req)
        req_drop(s, l->req);
    else if (l->attested)
        net_close(l->conn, NET_BYE, "idle");
    else
        net_close(l->conn, NET_BYE_ATTEST, "not attested in time");
}

uint64_t tpod_serve_turn(tpod_serve_t *s, uint64_t now_ms)
{
    uint64_t at = UINT64_MAX;
    s->now_ms = now_ms;
    for (line_t *l = s->lines, *next; l; l = next) {
        next = l->next; /* a close's callback may come now, and take this one away */
        if (due(l) <= now_ms)
            end(s, l);
    }
    for (const line_t *l = s->lines; l; l = l->next)
        at = due(l) < at ? due(l) : at;
    return at;
}

/* ---- life ---- */

rc_t tpod_serve_new(tpod_serve_t **out, const tpod_serve_config_t *config)
{
    tpod_serve_t *s = calloc(1, sizeof *s);
    if (!s)
        return RC_NOMEM;
    s->c = *config;
    for (size_t i = 0; i < TPOD_PROTOCOLS; i++) {
        s->served[i] = (served_t){ s, &TPOD_PROTOCOL[i] };
        s->protocols[i] = (net_protocol_t){ .name = TPOD_PROTOCOL[i].name,
                                            .opened = stream_opened,
                                            .data = stream_data,
                                            .ended = stream_ended,
                                            .writable = NULL,
                                            .closed = stream_closed,
                                            .ctx = &s->served[i] };
    }
    *out = s;
    return RC_OK;
}

void tpod_serve_free(tpod_serve_t *s)
{
    if (!s)
        return;
    while (s->reqs)
        req_free(s, s->reqs);
    while (s->lines) {
        line_t *l = s->lines;
        s->lines = l->next;
        free(l);
    }
    free(s);
}

void tpod_serve_net(tpod_serve_t *s, net_config_t *out)
{
    out->events = (net_events_t){
        .opened = opened, .closed = closed, .serves = serves, .identified = NULL, .ctx = s, .accepts = NULL
    };
    out->protocols = s->protocols;
    out->protocol_count = TPOD_PROTOCOLS;
}
