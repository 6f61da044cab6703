#include "overlay/net/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crypto/hash.h"
#include "base/crypto/kdf.h"
#include "base/crypto/secret.h"
#include "overlay/net/link.h"
#include "overlay/net/sock.h"
#include "overlay/wire/noise.h"
#include "overlay/wire/yamux.h"

#define NOISE_NAME "/noise"
#define YAMUX_NAME "/yamux/1.0.0"
#define RECORD_LEN (2u + NOISE_RECORD_MAX)
#define READ_LEN (64u << 10)
#define PLAIN_LEN (32u << 10)  /* of the records that we write */
#define OUT_MAX (64u << 10)    /* sealed bytes of streams that may wait for the socket */
#define OUT_LIMIT (256u << 10) /* ... of anything, before a peer that takes none is given up */
#define ACCEPT_BATCH 16
#define ACCEPT_PAUSE_MS 200u /* when no descriptor is left */
#define RESETS_MAX 8u        /* that wait for the next turn */

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
    uint8_t static_key[NOISE_KEY_LEN];
    uint8_t in[RECORD_LEN + READ_LEN]; /* what a connection kept, and what was just read */
    uint8_t plain[PLAIN_LEN];
    uint8_t sealed[2 + PLAIN_LEN + 16];
};

/* What each end goes through, in this order. */
typedef enum { CONNECTING, SELECT_NOISE, NOISE, SELECT_YAMUX, MUXED } stage_t;

typedef struct {
    net_conn_t conn;
    watch_t watch;
    stage_t stage;
    mss_t *select;
    noise_t noise;
    yamux_t yamux;
    uint8_t *kept; /* the beginning of a message or record */
    size_t kept_n;
    sendq_t out;
    bool broken; /* a record was lost on its way out: ends with the turn */
    uint64_t heard_ms, next_ping_ms, next_tick_ms;
} tcp_conn_t;

static tcp_t *tcp_of(const tcp_conn_t *c)
{
    return (tcp_t *)c->conn.transport;
}

static bool alive(const tcp_conn_t *c)
{
    return c->conn.state != CONN_CLOSED;
}

static void fail(tcp_conn_t *c, const err_t *why)
{
    link_closed(&c->conn, why);
}

/* ---- out ---- */

/* Gives the socket what waits. False: it is broken, errno says how. */
static bool push(tcp_conn_t *c)
{
    view_t v;
    while ((v = sendq_next(&c->out)).n) {
        ssize_t n = send(c->watch.fd, v.p, v.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0)
            break;
        sendq_sent(&c->out, (size_t)n);
        sendq_arrived(&c->out, c->out.sent);
    }
    watch_want(tcp_of(c)->ws, &c->watch, sendq_size(&c->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return true;
}

static void push_or_fail(tcp_conn_t *c)
{
    err_t why;
    if (push(c) || !alive(c))
        return;
    err_set(&why, RC_IO, "the connection broke: %s", strerror(errno));
    fail(c, &why);
}

/* Seals frames as one record. */
static rc_t queue_sealed(tcp_conn_t *c, view_t plain)
{
    tcp_t *t = tcp_of(c);
    wr_t w = wr_of(t->sealed, sizeof t->sealed);
    if (!plain.n)
        return RC_OK;
    rc_t rc = sendq_size(&c->out) > OUT_LIMIT ? RC_LIMIT : noise_seal(&c->noise, &w, plain);
    if (!rc)
        rc = sendq_add(&c->out, wr_view(&w));
    c->broken |= rc != RC_OK;
    return rc;
}

static void fail_broken(tcp_conn_t *c)
{
    err_t why;
    err_say(&why, sendq_size(&c->out) > OUT_LIMIT ? RC_LIMIT : RC_NOMEM,
            "a record cannot be kept: the peer takes none, or memory is short");
    fail(c, &why);
}

static bool seal_or_fail(tcp_conn_t *c, view_t plain)
{
    if (!queue_sealed(c, plain))
        return true;
    fail_broken(c);
    return false;
}

/* Answers to pings and refused streams are not left to the turn: they have little room to wait in. */
static void answer(tcp_conn_t *c)
{
    uint8_t frames[YAMUX_HEADER_LEN * (2 * YAMUX_PENDING_MAX + 8)];
    wr_t w = wr_of(frames, sizeof frames);
    yamux_write(&c->yamux, &w);
    (void)seal_or_fail(c, wr_view(&w));
}

static void fill(tcp_conn_t *c, net_stream_t *s, wr_t *w)
{
    const uint32_t id = (uint32_t)s->id;
    const size_t before = sendq_size(&s->out);
    view_t v;
    while (!s->gone && !s->blocked && (v = sendq_next(&s->out)).n) {
        size_t n = yamux_data(&c->yamux, w, id, v);
        s->blocked = !n && w->cap - w->n > YAMUX_HEADER_LEN;
        if (!n)
            break;
        sendq_sent(&s->out, n);
        sendq_arrived(&s->out, s->out.sent);
    }
    if (!s->gone)
        link_drained(s, before);
    if (!s->gone && s->end_wanted && !s->end_sent && s->out.sent == s->out.end)
        s->end_sent = yamux_end(&c->yamux, w, id);
}

/* Sends what all streams have, as far as their windows, and the room before the socket, go. */
static void flush(tcp_conn_t *c)
{
    tcp_t *t = tcp_of(c);
    while (alive(c) && sendq_size(&c->out) < OUT_MAX) {
        wr_t w = wr_of(t->plain, sizeof t->plain);
        yamux_write(&c->yamux, &w);
        for (net_stream_t *s = c->conn.streams; s && alive(c); s = s->next)
            if (!s->gone)
                fill(c, s, &w);
        if (!w.n || !alive(c) || !seal_or_fail(c, wr_view(&w)))
            break;
        push_or_fail(c);
    }
    if (alive(c))
        push_or_fail(c);
}

static bool has_to_send(const tcp_conn_t *c)
{
    if (sendq_size(&c->out) >= OUT_MAX)
        return false;
    for (const net_stream_t *s = c->conn.streams; s; s = s->next)
        if (!s->gone &&
            ((s->out.sent < s->out.end && !s->blocked) || (s->end_wanted && !s->end_sent && s->out.sent == s->out.end)))
            return true;
    return false;
}

/* ---- streams, as yamux tells of them ---- */

static net_stream_t *stream_of(void *ctx, uint32_t id)
{
    tcp_conn_t *c = ctx;
    return c->conn.state == CONN_OPEN ? link_find(&c->conn, id) : NULL;
}

static void mux_opened(void *ctx, uint32_t id)
{
    tcp_conn_t *c = ctx;
    if (!link_stream(&c->conn, id))
        yamux_reset(&c->yamux, id);
}

static void mux_data(void *ctx, uint32_t id, view_t bytes)
{
    net_stream_t *s = stream_of(ctx, id);
    if (s)
        link_data(s, bytes);
}

static void mux_ended(void *ctx, uint32_t id)
{
    net_stream_t *s = stream_of(ctx, id);
    if (s)
        link_ended(s);
}

static void mux_gone(void *ctx, uint32_t id, bool reset)
{
    net_stream_t *s = stream_of(ctx, id);
    if (s)
        link_gone(s, reset ? RC_REFUSED : RC_OK);
}

static void mux_writable(void *ctx, uint32_t id)
{
    net_stream_t *s = stream_of(ctx, id);
    if (s)
        s->blocked = false;
}

static void mux_pong(void *ctx, uint32_t value)
{
    (void)ctx;
    (void)value; /* that it came is all that counts */
}

static void mux_away(void *ctx, uint32_t reason)
{
    tcp_conn_t *c = ctx;
    err_t why;
    if (!alive(c))
        return;
    c->conn.bye_code = reason;
    err_set(&why, RC_REFUSED, "the peer closed with code %x", reason);
    fail(c, &why);
}

static const yamux_events_t mux_events = { .opened = mux_opened,
                                           .data = mux_data,
                                           .ended = mux_ended,
                                           .gone = mux_gone,
                                           .writable = mux_writable,
                                           .pong = mux_pong,
                                           .went_away = mux_away };

/* ---- in, stage by stage: each takes from v what it can, and leaves the rest ---- */

static rc_t begin_select(tcp_conn_t *c, const char *const *name)
{
    c->select = malloc(sizeof *c->select);
    if (!c->select)
        return RC_NOMEM;
    mss_open(c->select, name, 1);
    return RC_OK;
}

/* The listener's: it takes the one name. */
static const char *only(void *ctx, view_t name)
{
    const char *own = ctx;
    return view_eq(name, view_str(own)) ? own : NULL;
}

static char noise_name[] = NOISE_NAME, yamux_name[] = YAMUX_NAME;
static const char *const noise_names[] = { noise_name }, *const yamux_names[] = { yamux_name };

static rc_t select_begin(tcp_conn_t *c, err_t *e, stage_t stage)
{
    rc_t rc = begin_select(c, stage == SELECT_NOISE ? noise_names : yamux_names);
    if (rc)
        return err_say(e, rc, "out of memory");
    if (!c->conn.dialled)
        mss_accept(c->select, only, stage == SELECT_NOISE ? noise_name : yamux_name);
    c->stage = stage;
    return RC_OK;
}

static rc_t select_out(tcp_conn_t *c)
{
    view_t out = mss_output(c->select);
    rc_t rc = c->stage == SELECT_NOISE ? sendq_add(&c->out, out) : queue_sealed(c, out);
    if (!rc)
        mss_sent(c->select, out.n);
    return rc;
}

/* True in *agreed: it is done, and freed. */
static rc_t select_in(tcp_conn_t *c, bool *agreed, err_t *e, view_t *v)
{
    rc_t rc = select_out(c);
    while (!rc && c->select->state == MSS_RUNNING && v->n) {
        size_t used = 0;
        rc = mss_take(c->select, &used, *v);
        if (!rc)
            rc = select_out(c);
        *v = view_of(v->p + used, v->n - used);
    }
    if (rc)
        return err_set(e, rc, "no agreement on %s", c->stage == SELECT_NOISE ? NOISE_NAME : YAMUX_NAME);
    *agreed = c->select->state == MSS_AGREED;
    if (*agreed) {
        free(c->select);
        c->select = NULL;
    }
    return RC_OK;
}

static rc_t noise_out(tcp_conn_t *c, err_t *e)
{
    uint8_t message[1024];
    wr_t w = wr_of(message, sizeof message);
    rc_t rc = noise_writes(&c->noise) ? noise_write(&c->noise, &w) : RC_OK;
    if (!rc && w.n)
        rc = sendq_add(&c->out, wr_view(&w));
    return rc ? err_say(e, rc, "our Noise message cannot be written") : RC_OK;
}

static rc_t begin_noise(tcp_conn_t *c, err_t *e)
{
    uint8_t ephemeral[NOISE_KEY_LEN];
    secret_random(ephemeral, sizeof ephemeral);
    const noise_config_t config = { .initiator = c->conn.dialled,
                                    .who = &c->conn.net->config.who,
                                    .expected = &c->conn.addr.peer,
                                    .muxer = YAMUX_NAME,
                                    .ephemeral = ephemeral,
                                    .static_key = tcp_of(c)->static_key };
    noise_init(&c->noise, &config);
    secret_wipe(ephemeral, sizeof ephemeral);
    c->stage = NOISE;
    return noise_out(c, e);
}

static rc_t begin_yamux(tcp_conn_t *c, err_t *e)
{
    uint64_t seed[2];
    uint8_t ping[YAMUX_HEADER_LEN];
    wr_t w = wr_of(ping, sizeof ping);
    secret_random(seed, sizeof seed);
    c->stage = MUXED;
    rc_t rc = yamux_init(&c->yamux, c->conn.dialled, &mux_events, c, seed);
    if (!rc && c->conn.dialled) { /* whose answer confirms that the listener took our key */
        (void)yamux_ping(&c->yamux, &w, 0);
        rc = queue_sealed(c, wr_view(&w));
    }
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

/* Both keys are proven. */
static rc_t begin_secure(tcp_conn_t *c, err_t *e)
{
    c->conn.key = c->noise.peer_key;
    sha256(&c->conn.our_channel_key, view_of(c->noise.static_public, NOISE_KEY_LEN));
    sha256(&c->conn.peer_channel_key, view_of(c->noise.peer_static, NOISE_KEY_LEN));
    rc_t rc = c->noise.muxer_agreed ? begin_yamux(c, e) : select_begin(c, e, SELECT_YAMUX);
    if (!rc && c->stage == SELECT_YAMUX)
        rc = select_out(c);
    if (!rc && c->stage == MUXED && !c->conn.dialled)
        link_opened(&c->conn);
    return rc;
}

/* The next message with its length of two bytes. False: it has not come whole. */
static bool next_message(view_t *body, view_t *v)
{
    rd_t r = rd_of(*v);
    uint16_t n = rd_u16be(&r);
    if (r.bad || r.n < n)
        return false;
    *body = rd_take(&r, n);
    *v = view_of(v->p + 2 + n, v->n - 2 - n);
    return true;
}

static rc_t take_noise(tcp_conn_t *c, err_t *e, view_t body)
{
    rc_t rc = noise_read(&c->noise, e, body);
    if (!rc)
        rc = noise_out(c, e);
    return rc || c->noise.state != NOISE_OPEN ? rc : begin_secure(c, e);
}

/* Frames, opened in place. */
static rc_t take_plain(tcp_conn_t *c, err_t *e, view_t plain)
{
    bool agreed = false;
    rc_t rc = c->stage == SELECT_YAMUX ? select_in(c, &agreed, e, &plain) : RC_OK;
    if (!rc && agreed)
        rc = begin_yamux(c, e);
    if (rc || c->stage != MUXED)
        return rc;
    link_opened(&c->conn); /* once */
    rc = alive(c) ? yamux_take(&c->yamux, e, plain) : RC_OK;
    if (!rc && alive(c))
        answer(c);
    return rc;
}

static rc_t take_record(tcp_conn_t *c, err_t *e, view_t body)
{
    uint8_t *plain = tcp_of(c)->in + (body.p - tcp_of(c)->in);
    rc_t rc = noise_open(&c->noise, plain, body);
    if (rc)
        return err_say(e, rc, "a record is not sealed with the connection's keys");
    return take_plain(c, e, view_of(plain, body.n - 16));
}

static rc_t take(tcp_conn_t *c, err_t *e, view_t *v)
{
    view_t body;
    bool agreed = false;
    rc_t rc = c->stage == SELECT_NOISE ? select_in(c, &agreed, e, v) : RC_OK;
    if (!rc && agreed)
        rc = begin_noise(c, e);
    while (!rc && alive(c) && c->stage >= NOISE && next_message(&body, v))
        rc = c->stage == NOISE ? take_noise(c, e, body) : take_record(c, e, body);
    return rc;
}

/* ---- sockets ---- */

/* What a message lacks may come later: its beginning is kept. */
static rc_t keep(tcp_conn_t *c, err_t *e, view_t v)
{
    free(c->kept);
    c->kept = v.n ? malloc(v.n) : NULL;
    c->kept_n = c->kept ? v.n : 0;
    if (v.n && !c->kept)
        return err_say(e, RC_NOMEM, "out of memory");
    if (v.n)
        memcpy(c->kept, v.p, v.n);
    return RC_OK;
}

static void read_socket(tcp_conn_t *c)
{
    tcp_t *t = tcp_of(c);
    err_t why;
    if (c->kept_n)
        memcpy(t->in, c->kept, c->kept_n);
    ssize_t n = recv(c->watch.fd, t->in + c->kept_n, READ_LEN, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        if (n < 0)
            err_set(&why, RC_IO, "the connection broke: %s", strerror(errno));
        else
            err_say(&why, RC_IO, "the peer closed the connection");
        fail(c, &why);
        return;
    }
    c->heard_ms = c->conn.net->now_ms;
    view_t v = view_of(t->in, c->kept_n + (size_t)n);
    rc_t rc = take(c, &why, &v);
    if (!rc && alive(c))
        rc = keep(c, &why, v);
    if (rc && alive(c)) {
        c->conn.transport->close(&c->conn, rc_blames_input(rc) ? NET_BYE_PROTOCOL : NET_BYE, why.text);
        fail(c, &why);
    } else if (alive(c)) {
        push_or_fail(c);
    }
}

static void connected(tcp_conn_t *c)
{
    int error = 0;
    socklen_t n = sizeof error;
    err_t why;
    if (getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &error, &n) || error) {
        err_set(&why, RC_IO, "cannot connect: %s", strerror(error));
        fail(c, &why);
        return;
    }
    rc_t rc = select_begin(c, &why, SELECT_NOISE);
    if (!rc && select_out(c))
        rc = err_say(&why, RC_NOMEM, "out of memory");
    if (rc)
        fail(c, &why);
    else
        push_or_fail(c);
}

static void ready(watch_t *w, uint32_t events)
{
    tcp_conn_t *c = (tcp_conn_t *)(void *)((uint8_t *)w - offsetof(tcp_conn_t, watch));
    if (!alive(c))
        return;
    if (c->stage == CONNECTING) {
        connected(c);
        return;
    }
    if (events & EPOLLOUT)
        push_or_fail(c);
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
    link_begin(&c->conn, &t->transport, addr, dialled);
    c->heard_ms = t->transport.net->now_ms;
    c->next_ping_ms = c->heard_ms + NET_KEEP_ALIVE_MS;
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
        *out = &c->conn;
    return rc;
}

static void accepted(tcp_t *t, int fd, const sock_addr_t *from)
{
    maddr_t addr;
    tcp_conn_t *c;
    err_t why;
    sock_maddr(&addr, from, MADDR_TCP);
    if (!link_may_accept(t->transport.net, &addr)) {
        close(fd);
        return;
    }
    if (conn_new(t, &c, &why, &addr, false, fd))
        return;
    if (select_begin(c, &why, SELECT_NOISE) || select_out(c)) {
        err_say(&why, RC_NOMEM, "out of memory");
        fail(c, &why);
    } else {
        push_or_fail(c);
    }
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

static rc_t tcp_open(net_conn_t *conn, uint64_t *id)
{
    tcp_conn_t *c = (tcp_conn_t *)conn;
    uint8_t frame[YAMUX_HEADER_LEN];
    uint32_t number;
    wr_t w = wr_of(frame, sizeof frame);
    rc_t rc = yamux_open(&c->yamux, &number, &w);
    if (!rc)
        rc = queue_sealed(c, wr_view(&w));
    if (!rc)
        *id = number;
    return rc;
}

static void tcp_consumed(net_stream_t *s, size_t n)
{
    yamux_consumed(&((tcp_conn_t *)s->conn)->yamux, (uint32_t)s->id, n);
}

static void tcp_reset(net_stream_t *s)
{
    tcp_conn_t *c = (tcp_conn_t *)s->conn;
    yamux_reset(&c->yamux, (uint32_t)s->id);
    if (c->yamux.reset_count >= RESETS_MAX)
        answer(c);
}

static void tcp_close(net_conn_t *conn, unsigned code, const char *text)
{
    tcp_conn_t *c = (tcp_conn_t *)conn;
    uint8_t frame[YAMUX_HEADER_LEN];
    wr_t w = wr_of(frame, sizeof frame);
    (void)text;
    if (c->stage == CONNECTING)
        return;
    if (c->stage == MUXED && yamux_go_away(&c->yamux, &w, code) && !queue_sealed(c, wr_view(&w)))
        (void)push(c);
    (void)shutdown(c->watch.fd, SHUT_WR);
}

static rc_t tcp_exporter(net_conn_t *conn, uint8_t out[32], const char *label, const hash32_t *context)
{
    const tcp_conn_t *c = (const tcp_conn_t *)conn;
    const view_t parts[] = { view_str(label), view_of(context->b, sizeof context->b) };
    hmac_sha256_parts(out, view_of(c->noise.hash.b, sizeof c->noise.hash.b), parts, 2);
    return RC_OK;
}

static void tcp_drop(net_conn_t *conn)
{
    tcp_conn_t *c = (tcp_conn_t *)conn;
    watch_end(tcp_of(c)->ws, &c->watch);
    free(c->select);
    free(c->kept);
    if (c->stage == MUXED)
        yamux_free(&c->yamux);
    noise_clear(&c->noise);
    sendq_clear(&c->out);
    free(c);
}

static void keep_alive(tcp_conn_t *c)
{
    const uint64_t now = c->conn.net->now_ms;
    uint8_t frame[YAMUX_HEADER_LEN];
    wr_t w = wr_of(frame, sizeof frame);
    err_t why;
    if (now >= c->heard_ms + NET_IDLE_MS) {
        err_say(&why, RC_TIMEOUT, "the peer is silent");
        fail(c, &why);
        return;
    }
    if (now >= c->next_tick_ms) {
        yamux_tick(&c->yamux);
        c->next_tick_ms = now + 1000;
    }
    if (now < c->next_ping_ms)
        return;
    c->next_ping_ms = now + NET_KEEP_ALIVE_MS;
    if (sendq_size(&c->out) < OUT_MAX && yamux_ping(&c->yamux, &w, (uint32_t)now))
        (void)seal_or_fail(c, wr_view(&w));
}

static void tcp_turn(net_transport_t *transport)
{
    tcp_t *t = (tcp_t *)transport;
    if (t->paused_until_ms && t->paused_until_ms <= transport->net->now_ms)
        pause_listening(t, false);
    for (net_conn_t *conn = transport->net->conns; conn; conn = conn->next) {
        tcp_conn_t *c = (tcp_conn_t *)conn;
        if (conn->transport != transport || conn->state != CONN_OPEN)
            continue;
        keep_alive(c);
        if (alive(c))
            flush(c);
        if (alive(c) && c->broken)
            fail_broken(c);
    }
}

static uint64_t tcp_next(const net_transport_t *transport)
{
    const tcp_t *t = (const tcp_t *)transport;
    uint64_t at = t->paused_until_ms ? t->paused_until_ms : UINT64_MAX;
    for (const net_conn_t *conn = transport->net->conns; conn; conn = conn->next) {
        const tcp_conn_t *c = (const tcp_conn_t *)conn;
        if (conn->transport != transport || conn->state != CONN_OPEN)
            continue;
        const uint64_t idle = c->heard_ms + NET_IDLE_MS, next = idle < c->next_ping_ms ? idle : c->next_ping_ms;
        at = next < at ? next : at;
        if (has_to_send(c))
            at = transport->net->now_ms;
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
    secret_wipe(t->static_key, sizeof t->static_key);
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
                                         .open = tcp_open,
                                         .consumed = tcp_consumed,
                                         .reset = tcp_reset,
                                         .close = tcp_close,
                                         .exporter = tcp_exporter,
                                         .drop = tcp_drop };
    tcp_t *t = calloc(1, sizeof *t);
    if (!t)
        return err_say(e, RC_NOMEM, "out of memory");
    t->transport = ops;
    t->ws = ws;
    secret_random(t->static_key, sizeof t->static_key);
    link_add(n, &t->transport);
    return RC_OK;
}
