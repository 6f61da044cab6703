#include "overlay/net/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "overlay/net/session.h"
#include "overlay/net/sock.h"

#define ACCEPT_BATCH 16
#define ACCEPT_PAUSE_MS 200u /* when no descriptor is left */

typedef struct tcp tcp_t;

typedef struct listener {
    struct listener *next;
    watch_t watch;
    tcp_t *tcp;
} listener_t;

struct tcp {
    net_transport_t transport;
    watches_t *ws;
    listener_t *listeners;
    uint64_t paused_until_ms; /* no descriptor was left; 0: goes on */
    session_pool_t pool;
};

typedef struct {
    session_t session;
    watch_t watch;
} tcp_conn_t;

static tcp_t *tcp_of(const tcp_conn_t *c)
{
    return (tcp_t *)c->session.conn.transport;
}

static bool alive(const tcp_conn_t *c)
{
    return c->session.conn.state != CONN_CLOSED;
}

/* ---- the socket of a connection ---- */

/* Gives the socket what waits. */
static bool push(session_t *s, err_t *why)
{
    tcp_conn_t *c = (tcp_conn_t *)s;
    view_t v;
    while ((v = sendq_next(&s->out)).n) {
        ssize_t n = send(c->watch.fd, v.p, v.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) {
            err_set(why, RC_IO, "the connection broke: %s", strerror(errno));
            return false;
        }
        if (n < 0)
            break;
        sendq_sent(&s->out, (size_t)n);
        sendq_arrived(&s->out, s->out.sent);
    }
    watch_want(tcp_of(c)->ws, &c->watch, sendq_size(&s->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return true;
}

static void shut(session_t *s)
{
    (void)shutdown(((tcp_conn_t *)s)->watch.fd, SHUT_WR);
}

static const session_carrier_t socket_carrier = { push, shut };

static void read_socket(tcp_conn_t *c)
{
    session_t *s = &c->session;
    err_t why;
    ssize_t n = recv(c->watch.fd, session_buffer(s), SESSION_READ_MAX, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        session_take(s, (size_t)n);
        return;
    }
    if (n < 0)
        err_set(&why, RC_IO, "the connection broke: %s", strerror(errno));
    else
        err_say(&why, RC_IO, "the peer closed the connection");
    session_fail(s, &why);
}

static void connected(tcp_conn_t *c)
{
    int error = 0;
    socklen_t n = sizeof error;
    err_t why;
    if (getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &error, &n) || error) {
        err_set(&why, RC_IO, "cannot connect: %s", strerror(error));
        session_fail(&c->session, &why);
        return;
    }
    session_start(&c->session);
}

static void ready(watch_t *w, uint32_t events)
{
    tcp_conn_t *c = (tcp_conn_t *)(void *)((uint8_t *)w - offsetof(tcp_conn_t, watch));
    if (!alive(c))
        return;
    if (c->session.stage == SESSION_IDLE) {
        connected(c);
        return;
    }
    if (events & EPOLLOUT)
        session_push(&c->session);
    if (alive(c) && events & ~(uint32_t)EPOLLOUT)
        read_socket(c);
}

/* Takes the socket over, also when it fails. */
static rc_t conn_new(tcp_t *t, tcp_conn_t **out, err_t *e, const maddr_t *addr, bool dialled, int fd)
{
    const int one = 1;
    tcp_conn_t *c = calloc(1, sizeof *c);
    rc_t rc = c ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!rc)
        c->watch = (watch_t){ .fd = -1, .ready = ready };
    if (!rc)
        rc = watch_begin(t->ws, &c->watch, e, fd, dialled ? EPOLLOUT : EPOLLIN);
    if (rc) {
        close(fd);
        free(c);
        return rc;
    }
    session_begin(&c->session, &t->transport, addr, dialled, &t->pool, &socket_carrier);
    *out = c;
    return RC_OK;
}

static rc_t tcp_dial(net_transport_t *transport, net_conn_t **out, err_t *e, const maddr_t *to)
{
    tcp_t *t = (tcp_t *)transport;
    tcp_conn_t *c;
    sock_addr_t a;
    int fd;
    rc_t rc = sock_new(&fd, e, to);
    if (rc)
        return rc;
    sock_addr(&a, to);
    if (connect(fd, (struct sockaddr *)&a.a, a.n) && errno != EINPROGRESS) {
        rc = err_set(e, RC_IO, "cannot connect: %s", strerror(errno));
        close(fd);
        return rc;
    }
    rc = conn_new(t, &c, e, to, true, fd);
    if (!rc)
        *out = &c->session.conn;
    return rc;
}

/* ---- listening ---- */

static void accepted(tcp_t *t, int fd, const sock_addr_t *from)
{
    maddr_t addr;
    tcp_conn_t *c;
    err_t why;
    sock_maddr(&addr, from, MADDR_TCP);
    if (!link_may_accept(t->transport.net, &addr))
        close(fd);
    else if (!conn_new(t, &c, &why, &addr, false, fd))
        session_start(&c->session);
}

static void pause_listening(tcp_t *t, bool pause)
{
    t->paused_until_ms = pause ? t->transport.net->now_ms + ACCEPT_PAUSE_MS : 0;
    for (listener_t *l = t->listeners; l; l = l->next)
        watch_want(t->ws, &l->watch, pause ? 0 : EPOLLIN);
}

static void accept_ready(watch_t *w, uint32_t events)
{
    tcp_t *t = ((listener_t *)(void *)((uint8_t *)w - offsetof(listener_t, watch)))->tcp;
    (void)events;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        sock_addr_t from = { .n = sizeof from.a };
        int fd = accept4(w->fd, (struct sockaddr *)&from.a, &from.n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            accepted(t, fd, &from);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR && errno != ECONNABORTED) {
            pause_listening(t, true);
            return;
        }
    }
}

static rc_t tcp_listen(net_transport_t *transport, err_t *e, const maddr_t *at)
{
    tcp_t *t = (tcp_t *)transport;
    maddr_t real = *at;
    int fd = -1;
    listener_t *l = calloc(1, sizeof *l);
    rc_t rc = l ? sock_bound(&fd, &real, e) : err_say(e, RC_NOMEM, "out of memory");
    if (!rc && listen(fd, SOMAXCONN))
        rc = err_set(e, RC_IO, "cannot listen: %s", strerror(errno));
    if (!rc) {
        l->tcp = t;
        l->watch = (watch_t){ .fd = -1, .ready = accept_ready };
        rc = watch_begin(t->ws, &l->watch, e, fd, EPOLLIN);
    }
    if (!rc && link_listening(transport->net, &real)) {
        watch_end(t->ws, &l->watch);
        free(l);
        return err_set(e, RC_LIMIT, "a node listens on at most %u addresses", NET_LISTEN_MAX);
    }
    if (rc) {
        if (fd >= 0)
            close(fd);
        free(l);
        return rc;
    }
    l->next = t->listeners;
    t->listeners = l;
    return RC_OK;
}

/* ---- the transport's side ---- */

static bool speaks(const net_transport_t *t, const maddr_t *m)
{
    (void)t;
    return sock_speaks(m, MADDR_TCP);
}

static void tcp_drop(net_conn_t *conn)
{
    tcp_conn_t *c = (tcp_conn_t *)conn;
    watch_end(tcp_of(c)->ws, &c->watch);
    session_clear(&c->session);
    free(c);
}

static void tcp_turn(net_transport_t *transport)
{
    tcp_t *t = (tcp_t *)transport;
    if (t->paused_until_ms && t->paused_until_ms <= transport->net->now_ms)
        pause_listening(t, false);
    for (net_conn_t *conn = transport->net->conns; conn; conn = conn->next)
        if (conn->transport == transport && conn->state == CONN_OPEN)
            session_turn((session_t *)conn);
}

static uint64_t tcp_next(const net_transport_t *transport)
{
    const tcp_t *t = (const tcp_t *)transport;
    uint64_t at = t->paused_until_ms ? t->paused_until_ms : UINT64_MAX;
    for (const net_conn_t *conn = transport->net->conns; conn; conn = conn->next) {
        if (conn->transport != transport || conn->state != CONN_OPEN)
            continue;
        const uint64_t next = session_next((const session_t *)conn);
        at = next < at ? next : at;
    }
    return at;
}

static void tcp_free(net_transport_t *transport)
{
    tcp_t *t = (tcp_t *)transport;
    while (t->listeners) {
        listener_t *l = t->listeners;
        t->listeners = l->next;
        watch_end(t->ws, &l->watch);
        free(l);
    }
    session_pool_clear(&t->pool);
    free(t);
}

rc_t tcp_add(net_t *n, err_t *e, watches_t *ws)
{
    static const net_transport_t ops = { .speaks = speaks,
                                         .listen = tcp_listen,
                                         .dial = tcp_dial,
                                         .next_ms = tcp_next,
                                         .turn = tcp_turn,
                                         .free = tcp_free,
                                         .open = session_open,
                                         .consumed = session_consumed,
                                         .reset = session_reset,
                                         .close = session_close,
                                         .exporter = session_exporter,
                                         .drop = tcp_drop };
    tcp_t *t = calloc(1, sizeof *t);
    if (!t)
        return err_say(e, RC_NOMEM, "out of memory");
    t->transport = ops;
    t->ws = ws;
    session_pool_init(&t->pool);
    link_add(n, &t->transport);
    return RC_OK;
}
