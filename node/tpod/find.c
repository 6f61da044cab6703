#include "node/tpod/find.h"

#include <stdlib.h>

#include "overlay/wire/proto.h"

#define LENGTH_MAX 4u

/* A try's connection and its one stream. */
typedef struct {
    find_t *find;
    net_conn_t *conn;     /* NULL: no try is under way */
    net_stream_t *stream; /* NULL: not open */
    size_t n;
    uint8_t bytes[KAD_MESSAGE_MAX + LENGTH_MAX];
} line_t;

struct find {
    net_t *net;
    net_protocol_t kad;
    lookup_t lookup;
    line_t lines[LOOKUP_TRIES];
};

/* Forgets a try's connection; what still happens to it is nobody's. */
static void let_go(line_t *l, bool close)
{
    net_conn_t *c = l->conn;
    net_stream_t *s = l->stream;
    l->conn = NULL;
    l->stream = NULL;
    if (s)
        net_set_stream_user(s, NULL);
    if (c)
        net_set_user(c, NULL);
    if (c && close)
        net_close(c, NET_BYE, "asked");
}

static size_t number(const line_t *l)
{
    return (size_t)(l - l->find->lines);
}

static void fail(line_t *l)
{
    lookup_failed(&l->find->lookup, number(l));
    let_go(l, true);
}

/* ---- the question ---- */

static void stream_opened(void *ctx, net_stream_t *s)
{
    find_t *f = ctx;
    line_t *l = net_stream_user(s);
    uint8_t bytes[KAD_REQUEST_MAX];
    wr_t w = wr_of(bytes, sizeof bytes);
    if (!l)
        return;
    kad_find_node(&w, &f->lookup.target);
    if (w.bad || net_write(s, wr_view(&w)))
        fail(l);
    else
        net_end(s);
}

static void stream_data(void *ctx, net_stream_t *s, view_t bytes)
{
    line_t *l = net_stream_user(s);
    view_t message;
    size_t used;
    (void)ctx;
    net_consumed(s, bytes.n);
    if (!l)
        return;
    if (bytes.n > sizeof l->bytes - l->n) {
        fail(l);
        return;
    }
    memcpy(l->bytes + l->n, bytes.p, bytes.n);
    l->n += bytes.n;
    const rc_t rc = pb_delimited(&message, &used, view_of(l->bytes, l->n), KAD_MESSAGE_MAX);
    if (rc == RC_NEED_DATA)
        return;
    if (rc)
        lookup_failed(&l->find->lookup, number(l));
    else
        lookup_answer(&l->find->lookup, number(l), message);
    let_go(l, true);
}

static void stream_closed(void *ctx, net_stream_t *s, rc_t why)
{
    line_t *l = net_stream_user(s);
    (void)ctx, (void)why;
    if (!l)
        return;
    l->stream = NULL;
    fail(l);
}

/* ---- connections ---- */

bool find_opened(find_t *f, net_conn_t *c)
{
    line_t *l = net_user(c);
    if (!l)
        return false;
    if (!f->lookup.tries[number(l)].target) {
        if (net_open(c, &l->stream, &f->kad, l))
            fail(l);
        return false;
    }
    let_go(l, false);
    for (size_t i = 0; i < LOOKUP_TRIES; i++)
        let_go(&f->lines[i], true);
    return true;
}

void find_closed(find_t *f, const net_conn_t *c)
{
    line_t *l = net_user(c);
    if (!l)
        return;
    lookup_failed(&f->lookup, number(l));
    l->conn = NULL;
    if (l->stream)
        net_set_stream_user(l->stream, NULL);
    l->stream = NULL;
}

bool find_turn(find_t *f, uint64_t now_ms)
{
    for (size_t t; (t = lookup_late(&f->lookup, now_ms)) != LOOKUP_NONE;)
        fail(&f->lines[t]);
    for (size_t t; (t = lookup_next(&f->lookup, now_ms)) != LOOKUP_NONE;) {
        line_t *l = &f->lines[t];
        l->n = 0;
        if (net_dial(f->net, &l->conn, NULL, &f->lookup.tries[t].at, l)) {
            l->conn = NULL;
            lookup_failed(&f->lookup, t);
        }
    }
    return !lookup_over(&f->lookup, now_ms);
}

/* ---- life ---- */

rc_t find_new(find_t **out, net_t *n, const peerid_t *who, uint64_t now_ms)
{
    find_t *f = calloc(1, sizeof *f);
    if (!f)
        return RC_NOMEM;
    f->net = n;
    f->kad = (net_protocol_t){ .name = KAD_NAME,
                               .opened = stream_opened,
                               .data = stream_data,
                               .ended = NULL,
                               .writable = NULL,
                               .closed = stream_closed,
                               .ctx = f };
    for (size_t i = 0; i < LOOKUP_TRIES; i++)
        f->lines[i].find = f;
    lookup_init(&f->lookup, who, net_self(n), now_ms);
    *out = f;
    return RC_OK;
}

rc_t find_seed(find_t *f, const maddr_t *at)
{
    return lookup_seed(&f->lookup, at);
}

size_t find_asked(const find_t *f)
{
    return f->lookup.asked_count;
}

void find_free(find_t *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < LOOKUP_TRIES; i++)
        let_go(&f->lines[i], true);
    free(f);
}
