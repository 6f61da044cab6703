#include "overlay/net/basic.h"

#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/wire/proto.h"

#define PING_NAME "/ipfs/ping/1.0.0"
#define PING_LEN 32u
#define PING_STREAMS_MAX 2u /* that a peer may have open */
#define PROTOCOL_VERSION "kettle/1"
enum { IDENTIFY, PUSH, PING };

/* ---- identify ---- */

static void list_addrs(const net_t *n, identify_t *m, uint8_t store[NET_LISTEN_MAX][MADDR_BYTES_MAX])
{
    for (size_t i = 0; i < n->listening_count; i++) {
        wr_t w = wr_of(store[i], MADDR_BYTES_MAX);
        maddr_write(&w, &n->listening[i]);
        m->addrs[m->addr_count++] = wr_view(&w);
    }
}

/* Names what is served on this connection now: who is not attested does not learn more. */
static void list_protocols(net_conn_t *c, identify_t *m)
{
    const net_t *n = c->net;
    for (size_t i = 0; i < n->served_count; i++) {
        const net_protocol_t *p = &n->served[i];
        if (basic_is(n, p) || !n->config.events.serves || n->config.events.serves(n->config.events.ctx, c, p))
            m->protocols[m->protocol_count++] = view_str(p->name);
    }
}

static void tell(void *ctx, net_stream_t *s)
{
    net_t *n = ctx;
    uint8_t addrs[NET_LISTEN_MAX][MADDR_BYTES_MAX], observed[MADDR_BYTES_MAX], buf[IDENTIFY_MAX];
    wr_t w = wr_of(buf, sizeof buf), o = wr_of(observed, sizeof observed);
    if (net_opener(s))
        return;
    identify_t m = { .key = n->config.who.key,
                     .has_key = true,
                     .protocol_version = view_str(PROTOCOL_VERSION),
                     .agent_version = view_str(n->config.agent ? n->config.agent : "") };
    maddr_t seen = s->conn->addr;
    seen.peer.n = 0;
    if (!seen.circuit) { /* else it is the relay's */
        maddr_write(&o, &seen);
        m.observed = wr_view(&o);
    }
    list_addrs(n, &m, addrs);
    list_protocols(s->conn, &m);
    identify_write(&w, &m);
    if (w.bad || net_write(s, wr_view(&w)))
        net_reset(s);
    else
        net_end(s);
}

/* Keeps what came until there is a whole message; false: it can be none. */
static bool collect(net_stream_t *s, view_t bytes)
{
    if (!s->in)
        s->in = malloc(IDENTIFY_MAX + VARINT_MAX);
    if (!s->in || bytes.n > IDENTIFY_MAX + VARINT_MAX - s->in_n)
        return false;
    memcpy(s->in + s->in_n, bytes.p, bytes.n);
    s->in_n += bytes.n;
    return true;
}

/* The answer to our question, or what the peer pushes. */
static void heard(void *ctx, net_stream_t *s, view_t bytes)
{
    net_t *n = ctx;
    identify_t m;
    view_t message;
    size_t used;
    err_t e;
    net_consumed(s, bytes.n);
    if (!net_opener(s) && s->protocol == &n->served[IDENTIFY])
        return; /* who asks has nothing to say */
    rc_t rc = collect(s, bytes) ? pb_delimited(&message, &used, view_of(s->in, s->in_n), IDENTIFY_MAX) : RC_LIMIT;
    if (rc == RC_NEED_DATA)
        return;
    if (!rc)
        rc = identify_read(&m, &e, message, &s->conn->key);
    if (rc) {
        net_reset(s);
        return;
    }
    if (n->config.events.identified)
        n->config.events.identified(n->config.events.ctx, s->conn, &m);
    s->in_n = 0;
    net_end(s);
}

static void end_too(void *ctx, net_stream_t *s)
{
    (void)ctx;
    net_end(s);
}

void basic_identify(net_conn_t *c)
{
    net_stream_t *s;
    if (!net_open(c, &s, &c->net->served[IDENTIFY], NULL))
        net_end(s);
}

/* ---- ping ---- */

static void ping_opened(void *ctx, net_stream_t *s)
{
    unsigned count = 0;
    (void)ctx;
    for (const net_stream_t *o = s->conn->streams; o; o = o->next)
        count += o->protocol == s->protocol && !o->opener && !o->gone;
    if (!s->opener && count > PING_STREAMS_MAX)
        net_reset(s);
}

static void pong(net_conn_t *c, rc_t rc)
{
    net_pong_fn fn = c->pong;
    uint64_t ms = c->net->now_ms - c->pinged_ms;
    c->pong = NULL;
    c->ping = NULL;
    if (fn)
        fn(c->pong_ctx, c, rc, ms);
}

static void take_pong(net_stream_t *s, view_t bytes)
{
    net_conn_t *c = s->conn;
    if (bytes.n > PING_LEN - c->ping_got || memcmp(bytes.p, c->ping_bytes + c->ping_got, bytes.n) != 0) {
        net_reset(s);
        return;
    }
    c->ping_got += bytes.n;
    if (c->ping_got < PING_LEN)
        return;
    net_end(s);
    pong(c, RC_OK);
}

static void ping_data(void *ctx, net_stream_t *s, view_t bytes)
{
    (void)ctx;
    net_consumed(s, bytes.n);
    if (s->opener && s == s->conn->ping)
        take_pong(s, bytes);
    else if (!s->opener && net_write(s, bytes))
        net_reset(s);
}

static void ping_closed(void *ctx, net_stream_t *s, rc_t why)
{
    (void)ctx;
    if (s == s->conn->ping)
        pong(s->conn, why ? why : RC_REFUSED);
}

rc_t net_ping(net_conn_t *c, net_pong_fn fn, void *ctx)
{
    net_stream_t *s;
    if (c->ping)
        return RC_LIMIT;
    rc_t rc = net_open(c, &s, &c->net->served[PING], NULL);
    if (rc)
        return rc;
    secret_random(c->ping_bytes, sizeof c->ping_bytes);
    c->ping = s;
    c->ping_got = 0;
    c->pong = fn;
    c->pong_ctx = ctx;
    c->pinged_ms = c->net->now_ms;
    s->deadline_ms = c->net->now_ms + NET_SELECT_MS;
    rc = net_write(s, view_of(c->ping_bytes, sizeof c->ping_bytes));
    if (rc) {
        c->pong = NULL;
        net_reset(s);
    }
    return rc;
}

void basic_serve(net_t *n)
{
    n->served[IDENTIFY] =
        (net_protocol_t){ .name = IDENTIFY_NAME, .opened = tell, .data = heard, .ended = end_too, .ctx = n };
    n->served[PUSH] = (net_protocol_t){ .name = IDENTIFY_PUSH_NAME, .data = heard, .ended = end_too, .ctx = n };
    n->served[PING] = (net_protocol_t){
        .name = PING_NAME, .opened = ping_opened, .data = ping_data, .ended = end_too, .closed = ping_closed, .ctx = n
    };
}

bool basic_is(const net_t *n, const net_protocol_t *p)
{
    return p >= n->served && p < n->served + BASIC_COUNT;
}
