#include "overlay/framed.h"

#include <stdlib.h>

#include "overlay/wire/proto.h"

#define NEVER UINT64_MAX

/* One connection. */
typedef struct line {
    struct line *next;
    framed_t *framed;
    net_conn_t *conn;       /* NULL: over; freed at the next turn */
    net_stream_t *out, *in; /* NULL: there is none */
    bool open, agreed;      /* may be talked to; the peer serves our stream */
    bool told;              /* up was called, and down was not */
    bool waits;             /* take did not want a message */
    bool busy;              /* take runs */
    uint64_t again_ms, wait_ms;
    uint8_t *bytes; /* that came and are not used */
    size_t n, cap;
    size_t owed; /* of them, room that the peer was not given back */
} line_t;

struct framed {
    framed_config_t config;
    net_protocol_t protocol;
    line_t *lines;
    uint64_t now_ms;
};

static line_t *find(const framed_t *f, const net_conn_t *c)
{
    line_t *l = f->lines;
    while (l && l->conn != c)
        l = l->next;
    return l;
}

static line_t *line_new(framed_t *f, net_conn_t *c)
{
    line_t *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (line_t){ .next = f->lines, .framed = f, .conn = c, .again_ms = f->now_ms, .wait_ms = FRAMED_AGAIN_MS };
    f->lines = l;
    return l;
}

static void refuse(line_t *l, const char *text)
{
    if (l->conn)
        net_close(l->conn, NET_BYE_PROTOCOL, text);
}

/* Tells the owner what has changed. */
static void tell(line_t *l)
{
    const framed_config_t *c = &l->framed->config;
    const bool up = l->conn && l->open && l->agreed;
    if (up == l->told)
        return;
    l->told = up;
    if (up)
        c->up(c->ctx, l->conn);
}

static void tell_down(line_t *l, net_conn_t *conn)
{
    const framed_config_t *c = &l->framed->config;
    if (l->told) {
        l->told = false;
        c->down(c->ctx, conn);
    }
}

/* ---- our stream ---- */

static void ask(line_t *l)
{
    framed_t *f = l->framed;
    net_stream_t *stream;
    const rc_t rc = net_open(l->conn, &stream, &f->protocol, l);
    l->again_ms = NEVER;
    if (!rc)
        l->out = stream;
    else if (rc != RC_REFUSED) /* the connection is over, and closed comes */
        refuse(l, "no stream for messages");
}

static void ask_later(line_t *l)
{
    l->again_ms = l->framed->now_ms + l->wait_ms;
    l->wait_ms = 2 * l->wait_ms < FRAMED_AGAIN_MAX_MS ? 2 * l->wait_ms : FRAMED_AGAIN_MAX_MS;
}

rc_t framed_write(framed_t *f, net_conn_t *c, view_t message)
{
    const line_t *l = find(f, c);
    uint8_t head[VARINT_MAX];
    wr_t w = wr_of(head, sizeof head);
    if (!l || !l->told)
        return RC_REFUSED;
    if (message.n > f->config.max)
        return RC_LIMIT;
    varint_put(&w, message.n);
    if (w.n + message.n > net_room(l->out))
        return RC_LIMIT;
    rc_t rc = net_write(l->out, wr_view(&w));
    if (!rc && (rc = net_write(l->out, message)))
        net_reset(l->out); /* half a message is none */
    return rc;
}

/* ---- the peer's ---- */

static rc_t keep(line_t *l, view_t bytes)
{
    const size_t n = l->n + bytes.n;
    if (n > l->framed->config.max + FRAMED_LENGTH_MAX + NET_WINDOW)
        return RC_LIMIT;
    if (n > l->cap) {
        const size_t cap = n < 2 * l->cap ? 2 * l->cap : n;
        uint8_t *more = realloc(l->bytes, cap);
        if (!more)
            return RC_NOMEM;
        l->bytes = more;
        l->cap = cap;
    }
    memcpy(l->bytes + l->n, bytes.p, bytes.n);
    l->n = n;
    l->owed += bytes.n;
    return RC_OK;
}

/* Whether the next message may be offered. */
static bool may_take(const line_t *l)
{
    return l->conn && l->open && !l->waits && !l->busy;
}

/* Offers the messages that bytes begin with; how much of them was used. */
static size_t offer(line_t *l, view_t bytes)
{
    const framed_config_t *c = &l->framed->config;
    size_t used = 0;
    while (may_take(l)) {
        view_t message;
        size_t n;
        err_t e;
        rc_t rc = pb_delimited(&message, &n, view_of(bytes.p + used, bytes.n - used), c->max);
        if (rc == RC_NEED_DATA)
            break;
        if (rc) {
            refuse(l, "a message that is malformed, or too long");
            break;
        }
        err_clear(&e);
        l->busy = true;
        rc = c->take(c->ctx, &e, l->conn, message);
        l->busy = false;
        l->waits = rc == RC_NEED_DATA;
        if (rc && !l->waits)
            refuse(l, e.text);
        if (rc)
            break;
        used += n;
    }
    return used;
}

/* Gives back the room of so many bytes at the front; of all that is kept while a message is not whole. */
static void release(line_t *l, size_t used)
{
    if (used) /* what is used was the first to come */
        memmove(l->bytes, l->bytes + used, l->n - used);
    l->n -= used;
    const size_t due = may_take(l) ? l->owed : l->owed > l->n ? l->owed - l->n : 0;
    l->owed -= due;
    if (due && l->in)
        net_consumed(l->in, due);
    if (l->n)
        return;
    free(l->bytes);
    l->bytes = NULL;
    l->cap = 0;
}

static void drain(line_t *l)
{
    if (may_take(l) && l->n)
        release(l, offer(l, view_of(l->bytes, l->n)));
}

/* ---- streams ---- */

static void stream_opened(void *ctx, net_stream_t *stream)
{
    framed_t *f = ctx;
    line_t *l = find(f, net_conn_of(stream));
    if (net_opener(stream)) {
        if (l && l->out == stream) {
            l->agreed = true;
            tell(l);
        }
        return;
    }
    if (!l) /* the peer was faster than our owner */
        l = line_new(f, net_conn_of(stream));
    if (!l || l->in) {
        net_reset(stream);
        return;
    }
    l->in = stream;
    net_set_stream_user(stream, l);
}

static void stream_data(void *ctx, net_stream_t *stream, view_t bytes)
{
    line_t *l = net_stream_user(stream);
    (void)ctx;
    if (!l || l->in != stream) {
        net_consumed(stream, bytes.n); /* nobody answers on our own stream */
        return;
    }
    size_t used = l->n ? 0 : offer(l, bytes);
    if (used && l->in)
        net_consumed(l->in, used);
    if (used < bytes.n && l->conn && keep(l, view_of(bytes.p + used, bytes.n - used)))
        refuse(l, "more bytes than fit");
    else if (used < bytes.n && l->conn)
        release(l, offer(l, view_of(l->bytes, l->n)));
}

static void stream_closed(void *ctx, net_stream_t *stream, rc_t why)
{
    line_t *l = net_stream_user(stream);
    (void)ctx;
    if (!l || !l->conn)
        return;
    if (l->in == stream) {
        l->in = NULL;
        refuse(l, "a stream of messages ended");
    } else if (l->out == stream) {
        l->out = NULL;
        if (l->agreed || why != RC_UNSUPPORTED)
            refuse(l, "a stream of messages ended");
        else
            ask_later(l);
    }
}

static void stream_writable(void *ctx, net_stream_t *stream)
{
    const framed_t *f = ctx;
    const line_t *l = net_stream_user(stream);
    if (l && l->out == stream && l->told && f->config.writable)
        f->config.writable(f->config.ctx, l->conn);
}

/* ---- what the owner says ---- */

rc_t framed_open(framed_t *f, net_conn_t *c)
{
    line_t *l = find(f, c);
    if (!l)
        l = line_new(f, c);
    if (!l)
        return RC_NOMEM;
    l->open = true;
    if (!l->out && l->again_ms <= f->now_ms)
        ask(l);
    tell(l);
    drain(l);
    return RC_OK;
}

void framed_hold(framed_t *f, net_conn_t *c)
{
    line_t *l = find(f, c);
    if (!l)
        return;
    l->open = false;
    tell_down(l, c);
}

void framed_closed(framed_t *f, net_conn_t *c)
{
    line_t *l = find(f, c);
    if (!l)
        return;
    l->conn = NULL;
    l->out = l->in = NULL;
    tell_down(l, c);
}

void framed_resume(framed_t *f, net_conn_t *c)
{
    line_t *l = find(f, c);
    if (!l)
        return;
    l->waits = false;
    drain(l);
}

static void free_line(line_t *l)
{
    free(l->bytes);
    free(l);
}

static void sweep(framed_t *f)
{
    for (line_t **at = &f->lines; *at;) {
        line_t *l = *at;
        if (l->conn) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        free_line(l);
    }
}

uint64_t framed_turn(framed_t *f, uint64_t now_ms)
{
    uint64_t at = NEVER;
    f->now_ms = now_ms;
    sweep(f);
    for (line_t *l = f->lines; l; l = l->next) {
        if (l->conn && l->open && !l->out && l->again_ms <= now_ms)
            ask(l);
        if (l->conn && l->open && l->again_ms < at)
            at = l->again_ms;
    }
    return at;
}

/* ---- life ---- */

rc_t framed_new(framed_t **out, const framed_config_t *config)
{
    framed_t *f = calloc(1, sizeof *f);
    if (!f)
        return RC_NOMEM;
    f->config = *config;
    f->protocol = (net_protocol_t){ .name = config->name,
                                    .opened = stream_opened,
                                    .data = stream_data,
                                    .writable = stream_writable,
                                    .closed = stream_closed,
                                    .ctx = f };
    *out = f;
    return RC_OK;
}

void framed_free(framed_t *f)
{
    if (!f)
        return;
    while (f->lines) {
        line_t *l = f->lines;
        f->lines = l->next;
        free_line(l);
    }
    free(f);
}

void framed_protocol(framed_t *f, net_protocol_t *out)
{
    *out = f->protocol;
}
