#include "overlay/net/session.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/kdf.h"
#include "base/crypto/secret.h"

#define NOISE_NAME "/noise"
#define YAMUX_NAME "/yamux/1.0.0"
#define OUT_MAX (64u << 10)    /* sealed bytes of streams that may wait for the carrier */
#define OUT_LIMIT (256u << 10) /* ... of anything, before a peer that takes none is given up */
#define RESETS_MAX 8u          /* that wait for the next turn */

static bool alive(const session_t *c)
{
    return c->conn.state != CONN_CLOSED;
}

void session_fail(session_t *c, const err_t *why)
{
    link_closed(&c->conn, why);
}

/* ---- out ---- */

/* Gives the carrier what waits. */
static void push_or_fail(session_t *c)
{
    err_t why;
    if (alive(c) && !c->carrier->push(c, &why) && alive(c))
        session_fail(c, &why);
}

/* Seals frames as one record. */
static rc_t queue_sealed(session_t *c, view_t plain)
{
    session_pool_t *pool = c->pool;
    wr_t w = wr_of(pool->sealed, sizeof pool->sealed);
    if (!plain.n)
        return RC_OK;
    rc_t rc = sendq_size(&c->out) > OUT_LIMIT ? RC_LIMIT : noise_seal(&c->noise, &w, plain);
    if (!rc)
        rc = sendq_add(&c->out, wr_view(&w));
    c->broken |= rc != RC_OK;
    return rc;
}

static void fail_broken(session_t *c)
{
    err_t why;
    err_say(&why, sendq_size(&c->out) > OUT_LIMIT ? RC_LIMIT : RC_NOMEM,
            "a record cannot be kept: the peer takes none, or memory is short");
    session_fail(c, &why);
}

static bool seal_or_fail(session_t *c, view_t plain)
{
    if (!queue_sealed(c, plain))
        return true;
    fail_broken(c);
    return false;
}

/* Answers to pings and refused streams are not left to the turn: they have little room to wait in. */
static void answer(session_t *c)
{
    uint8_t frames[YAMUX_HEADER_LEN * (2 * YAMUX_PENDING_MAX + 8)];
    wr_t w = wr_of(frames, sizeof frames);
    yamux_write(&c->yamux, &w);
    (void)seal_or_fail(c, wr_view(&w));
}

static void fill(session_t *c, net_stream_t *s, wr_t *w)
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
static void flush(session_t *c)
{
    session_pool_t *pool = c->pool;
    while (alive(c) && sendq_size(&c->out) < OUT_MAX) {
        wr_t w = wr_of(pool->plain, sizeof pool->plain);
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

static bool has_to_send(const session_t *c)
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
    session_t *c = ctx;
    return c->conn.state == CONN_OPEN ? link_find(&c->conn, id) : NULL;
}

static void mux_opened(void *ctx, uint32_t id)
{
    session_t *c = ctx;
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
    session_t *c = ctx;
    err_t why;
    if (!alive(c))
        return;
    c->conn.bye_code = reason;
    err_set(&why, RC_REFUSED, "the peer closed with code %x", reason);
    session_fail(c, &why);
}

static const yamux_events_t mux_events = { .opened = mux_opened,
                                           .data = mux_data,
                                           .ended = mux_ended,
                                           .gone = mux_gone,
                                           .writable = mux_writable,
                                           .pong = mux_pong,
                                           .went_away = mux_away };

/* ---- in, stage by stage: each takes from v what it can, and leaves the rest ---- */

static rc_t begin_select(session_t *c, const char *const *name)
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

static rc_t select_begin(session_t *c, err_t *e, session_stage_t stage)
{
    rc_t rc = begin_select(c, stage == SELECT_NOISE ? noise_names : yamux_names);
    if (rc)
        return err_say(e, rc, "out of memory");
    if (!c->conn.dialled)
        mss_accept(c->select, only, stage == SELECT_NOISE ? noise_name : yamux_name);
    c->stage = stage;
    return RC_OK;
}

static rc_t select_out(session_t *c)
{
    view_t out = mss_output(c->select);
    rc_t rc = c->stage == SELECT_NOISE ? sendq_add(&c->out, out) : queue_sealed(c, out);
    if (!rc)
        mss_sent(c->select, out.n);
    return rc;
}

/* True in *agreed: it is done, and freed. */
static rc_t select_in(session_t *c, bool *agreed, err_t *e, view_t *v)
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

static rc_t noise_out(session_t *c, err_t *e)
{
    uint8_t message[1024];
    wr_t w = wr_of(message, sizeof message);
    rc_t rc = noise_writes(&c->noise) ? noise_write(&c->noise, &w) : RC_OK;
    if (!rc && w.n)
        rc = sendq_add(&c->out, wr_view(&w));
    return rc ? err_say(e, rc, "our Noise message cannot be written") : RC_OK;
}

static rc_t begin_noise(session_t *c, err_t *e)
{
    uint8_t ephemeral[NOISE_KEY_LEN];
    secret_random(ephemeral, sizeof ephemeral);
    const noise_config_t config = { .initiator = c->conn.dialled,
                                    .who = &c->conn.net->config.who,
                                    .expected = c->conn.addr.circuit ? &c->conn.addr.target : &c->conn.addr.peer,
                                    .muxer = YAMUX_NAME,
                                    .ephemeral = ephemeral,
                                    .static_key = c->pool->static_key };
    noise_init(&c->noise, &config);
    secret_wipe(ephemeral, sizeof ephemeral);
    c->stage = NOISE;
    return noise_out(c, e);
}

static rc_t begin_yamux(session_t *c, err_t *e)
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
static rc_t begin_secure(session_t *c, err_t *e)
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

static rc_t take_noise(session_t *c, err_t *e, view_t body)
{
    rc_t rc = noise_read(&c->noise, e, body);
    if (!rc)
        rc = noise_out(c, e);
    return rc || c->noise.state != NOISE_OPEN ? rc : begin_secure(c, e);
}

/* Frames, opened in place. */
static rc_t take_plain(session_t *c, err_t *e, view_t plain)
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

static rc_t take_record(session_t *c, err_t *e, view_t body)
{
    uint8_t *plain = c->pool->in + (body.p - c->pool->in);
    rc_t rc = noise_open(&c->noise, plain, body);
    if (rc)
        return err_say(e, rc, "a record is not sealed with the connection's keys");
    return take_plain(c, e, view_of(plain, body.n - 16));
}

static rc_t take(session_t *c, err_t *e, view_t *v)
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

/* What a message lacks may come later: its beginning is kept. */
static rc_t keep(session_t *c, err_t *e, view_t v)
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

/* ---- what transports call ---- */

void session_begin(session_t *c, net_transport_t *t, const maddr_t *addr, bool dialled, session_pool_t *pool,
                   const session_carrier_t *carrier)
{
    c->pool = pool;
    c->carrier = carrier;
    link_begin(&c->conn, t, addr, dialled);
    c->heard_ms = t->net->now_ms;
    c->next_ping_ms = c->heard_ms + NET_KEEP_ALIVE_MS;
}

void session_start(session_t *c)
{
    err_t why;
    rc_t rc = select_begin(c, &why, SELECT_NOISE);
    if (!rc && select_out(c))
        rc = err_say(&why, RC_NOMEM, "out of memory");
    if (rc)
        session_fail(c, &why);
    else
        push_or_fail(c);
}

uint8_t *session_buffer(session_t *c)
{
    if (c->kept_n)
        memcpy(c->pool->in, c->kept, c->kept_n);
    return c->pool->in + c->kept_n;
}

void session_take(session_t *c, size_t n)
{
    err_t why;
    c->heard_ms = c->conn.net->now_ms;
    view_t v = view_of(c->pool->in, c->kept_n + n);
    rc_t rc = take(c, &why, &v);
    if (!rc && alive(c))
        rc = keep(c, &why, v);
    if (rc && alive(c)) {
        c->conn.transport->close(&c->conn, rc_blames_input(rc) ? NET_BYE_PROTOCOL : NET_BYE, why.text);
        session_fail(c, &why);
    } else if (alive(c)) {
        push_or_fail(c);
    }
}

void session_push(session_t *c)
{
    push_or_fail(c);
}

/* ---- of net_transport_t ---- */

rc_t session_open(net_conn_t *conn, uint64_t *id)
{
    session_t *c = (session_t *)conn;
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

void session_consumed(net_stream_t *s, size_t n)
{
    yamux_consumed(&((session_t *)s->conn)->yamux, (uint32_t)s->id, n);
}

void session_reset(net_stream_t *s)
{
    session_t *c = (session_t *)s->conn;
    yamux_reset(&c->yamux, (uint32_t)s->id);
    if (c->yamux.reset_count >= RESETS_MAX)
        answer(c);
}

void session_close(net_conn_t *conn, unsigned code, const char *text)
{
    session_t *c = (session_t *)conn;
    uint8_t frame[YAMUX_HEADER_LEN];
    wr_t w = wr_of(frame, sizeof frame);
    err_t why;
    (void)text;
    if (c->stage == SESSION_IDLE)
        return;
    if (c->stage == MUXED && yamux_go_away(&c->yamux, &w, code) && !queue_sealed(c, wr_view(&w)))
        (void)c->carrier->push(c, &why);
    c->carrier->shut(c);
}

rc_t session_exporter(net_conn_t *conn, uint8_t out[32], const char *label, const hash32_t *context)
{
    const session_t *c = (const session_t *)conn;
    const view_t parts[] = { view_str(label), view_of(context->b, sizeof context->b) };
    hmac_sha256_parts(out, view_of(c->noise.hash.b, sizeof c->noise.hash.b), parts, 2);
    return RC_OK;
}

/* ---- the turn ---- */

static void keep_alive(session_t *c)
{
    const uint64_t now = c->conn.net->now_ms;
    uint8_t frame[YAMUX_HEADER_LEN];
    wr_t w = wr_of(frame, sizeof frame);
    err_t why;
    if (now >= c->heard_ms + NET_IDLE_MS) {
        err_say(&why, RC_TIMEOUT, "the peer is silent");
        session_fail(c, &why);
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

void session_turn(session_t *c)
{
    keep_alive(c);
    if (alive(c))
        flush(c);
    if (alive(c) && c->broken)
        fail_broken(c);
}

uint64_t session_next(const session_t *c)
{
    const uint64_t idle = c->heard_ms + NET_IDLE_MS, next = idle < c->next_ping_ms ? idle : c->next_ping_ms;
    return has_to_send(c) ? c->conn.net->now_ms : next;
}

void session_clear(session_t *c)
{
    free(c->select);
    free(c->kept);
    if (c->stage == MUXED)
        yamux_free(&c->yamux);
    noise_clear(&c->noise);
    sendq_clear(&c->out);
}

void session_pool_init(session_pool_t *p)
{
    secret_random(p->static_key, sizeof p->static_key);
}

void session_pool_clear(session_pool_t *p)
{
    secret_wipe(p->static_key, sizeof p->static_key);
}
