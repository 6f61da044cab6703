#include "overlay/net/relayed.h"

#include <stdlib.h>

#include "overlay/net/session.h"

#define CARRIED_MAX (64u << 10) /* bytes that wait on the stream */

struct relayed {
    net_transport_t transport;
    relayed_config_t config;
    session_pool_t pool;
};

typedef struct {
    session_t session;
    net_stream_t *stream; /* NULL: gone */
    bool ended;           /* we said goodbye, and send no more */
} relayed_conn_t;

static bool alive(const relayed_conn_t *c)
{
    return c->session.conn.state != CONN_CLOSED;
}

/* ---- the stream of a connection ---- */

static bool push(session_t *s, err_t *why)
{
    const relayed_conn_t *c = (const relayed_conn_t *)s;
    view_t v;
    while (c->stream && (v = sendq_next(&s->out)).n && sendq_size(&c->stream->out) < CARRIED_MAX) {
        const size_t room = net_room(c->stream), n = v.n < room ? v.n : room;
        if (!n)
            break;
        const rc_t rc = net_write(c->stream, view_of(v.p, n));
        if (rc) {
            err_say(why, rc, "the circuit takes no more");
            return false;
        }
        sendq_sent(&s->out, n);
        sendq_arrived(&s->out, s->out.sent);
    }
    return true;
}

static void shut(session_t *s)
{
    relayed_conn_t *c = (relayed_conn_t *)s;
    c->ended = true;
    if (c->stream)
        net_end(c->stream);
}

static const session_carrier_t stream_carrier = { push, shut };

void relayed_carry(net_conn_t *conn)
{
    if (conn->state != CONN_CLOSED)
        session_start((session_t *)conn);
}

void relayed_take(net_conn_t *conn, view_t bytes)
{
    relayed_conn_t *c = (relayed_conn_t *)conn;
    while (bytes.n && alive(c)) {
        const size_t n = bytes.n < SESSION_READ_MAX ? bytes.n : SESSION_READ_MAX;
        memcpy(session_buffer(&c->session), bytes.p, n);
        bytes = view_of(bytes.p + n, bytes.n - n);
        session_take(&c->session, n);
    }
}

void relayed_writable(net_conn_t *conn)
{
    if (conn->state != CONN_CLOSED)
        session_push((session_t *)conn);
}

void relayed_lost(net_conn_t *conn, const err_t *why)
{
    ((relayed_conn_t *)conn)->stream = NULL;
    session_fail((session_t *)conn, why);
}

/* ---- the transport's side ---- */

static relayed_conn_t *conn_new(relayed_t *t, const maddr_t *addr, bool dialled)
{
    relayed_conn_t *c = calloc(1, sizeof *c);
    if (c)
        session_begin(&c->session, &t->transport, addr, dialled, &t->pool, &stream_carrier);
    return c;
}

static bool speaks(const net_transport_t *t, const maddr_t *m)
{
    (void)t;
    return m->circuit && m->peer.n;
}

static rc_t no_listen(net_transport_t *t, err_t *e, const maddr_t *at)
{
    (void)t, (void)at;
    return err_say(e, RC_UNSUPPORTED, "a relay is asked for a place, not listened on");
}

static rc_t relayed_dial(net_transport_t *transport, net_conn_t **out, err_t *e, const maddr_t *to)
{
    relayed_t *t = (relayed_t *)transport;
    relayed_conn_t *c = conn_new(t, to, true);
    if (!c)
        return err_say(e, RC_NOMEM, "out of memory");
    const rc_t rc = t->config.dial(t->config.ctx, &c->stream, e, &c->session.conn, to);
    if (rc) {
        link_closed(&c->session.conn, e); /* of which nobody is told: it was never there */
        return rc;
    }
    *out = &c->session.conn;
    return RC_OK;
}

rc_t relayed_accept(relayed_t *t, net_conn_t **out, net_stream_t *s, const maddr_t *from)
{
    if (!link_may_accept(t->transport.net, from))
        return RC_LIMIT;
    relayed_conn_t *c = conn_new(t, from, false);
    if (!c)
        return RC_NOMEM;
    c->stream = s;
    *out = &c->session.conn;
    session_start(&c->session);
    return RC_OK;
}

static void relayed_drop(net_conn_t *conn)
{
    relayed_conn_t *c = (relayed_conn_t *)conn;
    const relayed_t *t = (const relayed_t *)conn->transport;
    net_stream_t *s = c->stream;
    if (s) {
        t->config.left(t->config.ctx, s);
        if (!c->ended)
            net_reset(s);
    }
    session_clear(&c->session);
    free(c);
}

static void relayed_turn(net_transport_t *transport)
{
    for (net_conn_t *conn = transport->net->conns; conn; conn = conn->next)
        if (conn->transport == transport && conn->state == CONN_OPEN)
            session_turn((session_t *)conn);
}

static uint64_t relayed_next(const net_transport_t *transport)
{
    uint64_t at = UINT64_MAX;
    for (const net_conn_t *conn = transport->net->conns; conn; conn = conn->next) {
        if (conn->transport != transport || conn->state != CONN_OPEN)
            continue;
        const uint64_t next = session_next((const session_t *)conn);
        at = next < at ? next : at;
    }
    return at;
}

static void relayed_free(net_transport_t *transport)
{
    relayed_t *t = (relayed_t *)transport;
    session_pool_clear(&t->pool);
    free(t);
}

rc_t relayed_add(relayed_t **out, net_t *n, const relayed_config_t *config)
{
    static const net_transport_t ops = { .speaks = speaks,
                                         .listen = no_listen,
                                         .dial = relayed_dial,
                                         .next_ms = relayed_next,
                                         .turn = relayed_turn,
                                         .free = relayed_free,
                                         .open = session_open,
                                         .consumed = session_consumed,
                                         .reset = session_reset,
                                         .close = session_close,
                                         .exporter = session_exporter,
                                         .drop = relayed_drop };
    relayed_t *t = calloc(1, sizeof *t);
    if (!t)
        return RC_NOMEM;
    t->transport = ops;
    t->config = *config;
    session_pool_init(&t->pool);
    link_add(n, &t->transport); /* before the others, so that what its turn writes leaves in theirs */
    *out = t;
    return RC_OK;
}
