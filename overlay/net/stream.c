#include <stdlib.h>

#include "overlay/net/basic.h"
#include "overlay/net/link.h"

/* Some streams of a connection wait to be agreed on, or for a ping: they have a time for it. */
#define NEVER UINT64_MAX

static net_stream_t *stream_new(net_conn_t *c, uint64_t id, bool opener)
{
    net_stream_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->select = malloc(sizeof *s->select);
    if (!s->select) {
        free(s);
        return NULL;
    }
    s->conn = c;
    s->id = id;
    s->opener = opener;
    s->deadline_ms = c->net->now_ms + NET_SELECT_MS;
    s->next = c->streams;
    c->streams = s;
    c->stream_count++;
    return s;
}

/* The last word on a stream; what is freed now, is not used by callbacks. */
static void finish(net_stream_t *s, rc_t why)
{
    if (s->gone)
        return;
    s->gone = true;
    s->conn->queued -= sendq_size(&s->out);
    sendq_clear(&s->out);
    free(s->select);
    s->select = NULL;
    if (s->protocol && s->protocol->closed)
        s->protocol->closed(s->protocol->ctx, s, why);
}

static void drop(net_stream_t *s, rc_t why)
{
    if (s->gone)
        return;
    s->conn->transport->reset(s);
    finish(s, why);
}

static rc_t queue(net_stream_t *s, view_t bytes)
{
    rc_t rc = sendq_add(&s->out, bytes);
    if (!rc)
        s->conn->queued += bytes.n;
    return rc;
}

/* ---- agreeing ---- */

/* The protocol of this name, when it may be served on the stream's connection now. */
static const char *serves(void *ctx, view_t name)
{
    net_stream_t *s = ctx;
    net_t *n = s->conn->net;
    for (size_t i = 0; i < n->served_count; i++) {
        const net_protocol_t *p = &n->served[i];
        if (!view_eq(name, view_str(p->name)))
            continue;
        const net_events_t *ev = &n->config.events;
        if (!basic_is(n, p) && ev->serves && !ev->serves(ev->ctx, s->conn, p))
            return NULL;
        s->protocol = p;
        return p->name;
    }
    return NULL;
}

static rc_t send_select(net_stream_t *s)
{
    view_t out = mss_output(s->select);
    rc_t rc = out.n ? queue(s, out) : RC_OK;
    if (!rc)
        mss_sent(s->select, out.n);
    return rc;
}

static void agreed(net_stream_t *s)
{
    free(s->select);
    s->select = NULL;
    s->agreed = true;
    if (s != s->conn->ping)
        s->deadline_ms = NEVER;
    if (s->protocol->opened)
        s->protocol->opened(s->protocol->ctx, s);
}

/* Feeds the negotiation; what lies behind the agreement stays in *bytes. */
static rc_t select_take(net_stream_t *s, view_t *bytes)
{
    while (s->select->state == MSS_RUNNING && bytes->n) {
        size_t used = 0;
        rc_t rc = mss_take(s->select, &used, *bytes);
        if (!rc)
            rc = send_select(s);
        if (rc)
            return rc;
        s->conn->transport->consumed(s, used);
        *bytes = view_of(bytes->p + used, bytes->n - used);
    }
    return RC_OK;
}

/* ---- what transports call ---- */

net_stream_t *link_find(const net_conn_t *c, uint64_t id)
{
    for (net_stream_t *s = c->streams; s; s = s->next)
        if (s->id == id && !s->gone)
            return s;
    return NULL;
}

net_stream_t *link_stream(net_conn_t *c, uint64_t id)
{
    if (c->state != CONN_OPEN || c->stream_count >= NET_STREAMS_MAX)
        return NULL;
    net_stream_t *s = stream_new(c, id, false);
    if (!s)
        return NULL;
    mss_accept(s->select, serves, s);
    if (send_select(s))
        drop(s, RC_NOMEM);
    return s->gone ? NULL : s;
}

void link_data(net_stream_t *s, view_t bytes)
{
    if (s->gone)
        return;
    if (s->select) {
        rc_t rc = select_take(s, &bytes);
        if (rc) {
            drop(s, rc == RC_UNSUPPORTED ? rc : RC_REFUSED);
            return;
        }
        if (s->select->state == MSS_AGREED)
            agreed(s);
    }
    if (bytes.n && !s->gone && s->protocol && s->protocol->data)
        s->protocol->data(s->protocol->ctx, s, bytes);
    else if (bytes.n && !s->gone)
        s->conn->transport->consumed(s, bytes.n);
}

void link_ended(net_stream_t *s)
{
    if (s->gone || s->peer_ended)
        return;
    s->peer_ended = true;
    if (s->select)
        drop(s, RC_REFUSED); /* nothing was agreed, and nothing will be */
    else if (s->protocol->ended)
        s->protocol->ended(s->protocol->ctx, s);
}

void link_gone(net_stream_t *s, rc_t why)
{
    finish(s, why);
}

void link_drained(net_stream_t *s, size_t queued_before)
{
    size_t now = sendq_size(&s->out);
    s->conn->queued -= queued_before - now;
    if (queued_before && !now && s->agreed && !s->gone && !s->end_wanted && s->protocol->writable)
        s->protocol->writable(s->protocol->ctx, s);
}

/* ---- what owners call ---- */

rc_t net_open(net_conn_t *c, net_stream_t **out, const net_protocol_t *p, void *user)
{
    uint64_t id;
    if (c->state != CONN_OPEN)
        return RC_REFUSED;
    if (c->stream_count >= NET_STREAMS_MAX)
        return RC_LIMIT;
    rc_t rc = c->transport->open(c, &id);
    if (rc)
        return rc;
    net_stream_t *s = stream_new(c, id, true);
    if (!s) {
        net_stream_t lost = { .conn = c, .id = id };
        c->transport->reset(&lost);
        return RC_NOMEM;
    }
    s->wanted[0] = p->name;
    s->user = user;
    mss_open(s->select, s->wanted, 1);
    rc = send_select(s);
    if (rc) {
        drop(s, rc); /* without a protocol nobody is told */
        return rc;
    }
    s->protocol = p;
    *out = s;
    return RC_OK;
}

static bool may_write(const net_stream_t *s)
{
    return !s->gone && !s->end_wanted && s->conn->state == CONN_OPEN;
}

size_t net_room(const net_stream_t *s)
{
    const size_t waits = sendq_size(&s->out), all = s->conn->queued;
    if (!may_write(s) || waits >= NET_QUEUE_MAX || all >= NET_CONN_QUEUE_MAX)
        return 0;
    const size_t here = NET_QUEUE_MAX - waits, there = NET_CONN_QUEUE_MAX - all;
    return here < there ? here : there;
}

rc_t net_write(net_stream_t *s, view_t bytes)
{
    if (!may_write(s))
        return RC_REFUSED;
    return bytes.n > net_room(s) ? RC_LIMIT : queue(s, bytes);
}

void net_end(net_stream_t *s)
{
    s->end_wanted = true;
}

void net_reset(net_stream_t *s)
{
    drop(s, RC_REFUSED);
}

void net_consumed(net_stream_t *s, size_t n)
{
    if (!s->gone)
        s->conn->transport->consumed(s, n);
}

net_conn_t *net_conn_of(const net_stream_t *s)
{
    return s->conn;
}

bool net_opener(const net_stream_t *s)
{
    return s->opener;
}

void net_set_stream_user(net_stream_t *s, void *user)
{
    s->user = user;
}

void *net_stream_user(const net_stream_t *s)
{
    return s->user;
}

/* ---- the turn ---- */

void stream_deadlines(net_conn_t *c)
{
    for (net_stream_t *s = c->streams; s; s = s->next)
        if (!s->gone && s->deadline_ms <= c->net->now_ms)
            drop(s, RC_TIMEOUT);
}

uint64_t stream_next(const net_conn_t *c)
{
    uint64_t at = NEVER;
    for (const net_stream_t *s = c->streams; s; s = s->next)
        if (!s->gone && s->deadline_ms < at)
            at = s->deadline_ms;
    return at;
}

void stream_close_all(net_conn_t *c, rc_t why)
{
    for (net_stream_t *s = c->streams; s; s = s->next)
        finish(s, why);
}

void stream_sweep(net_conn_t *c)
{
    for (net_stream_t **at = &c->streams; *at;) {
        net_stream_t *s = *at;
        if (!s->gone) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        c->stream_count--;
        free(s->in);
        free(s);
    }
}
