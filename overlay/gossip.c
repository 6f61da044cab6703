#include "overlay/gossip.h"

#include <stdlib.h>

#include "overlay/wire/proto.h"

#define REQUEST_MAX 64u /* bytes of a question */

/* A record of another peer, as it was signed. */
typedef struct {
    peerid_t id;
    uint64_t seq, heard_ms;
    bool all_public;
    uint8_t *envelope;
    size_t n;
} kept_t;

typedef struct {
    net_conn_t *conn;
    uint64_t ask_ms;    /* when it is asked next */
    uint64_t answer_ms; /* from when on it is answered again */
} partner_t;

struct gossip {
    gossip_config_t config;
    net_protocol_t protocol;
    uint64_t now_ms, refused;
    uint8_t own[ENVELOPE_MAX];
    size_t own_n;
    bool own_public;
    peerid_t self;
    kept_t kept[GOSSIP_KEPT_MAX];
    size_t kept_count;
    partner_t partners[GOSSIP_CONNS_MAX];
    size_t partner_count;
};

/* What of a message has come. */
typedef struct {
    size_t n, cap;
    uint8_t b[];
} inbox_t;

rc_t gossip_new(gossip_t **out, const gossip_config_t *config)
{
    gossip_t *g = calloc(1, sizeof *g);
    if (!g)
        return RC_NOMEM;
    g->config = *config;
    peerid_of(&g->self, &config->who.key);
    *out = g;
    return RC_OK;
}

void gossip_free(gossip_t *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->kept_count; i++)
        free(g->kept[i].envelope);
    free(g);
}

size_t gossip_count(const gossip_t *g)
{
    return g->kept_count;
}

uint64_t gossip_refused(const gossip_t *g)
{
    return g->refused;
}

static bool all_public(const maddr_t *addrs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!maddr_is_public(&addrs[i]))
            return false;
    return true;
}

rc_t gossip_announce(gossip_t *g, const maddr_t *addrs, size_t count, uint64_t seq)
{
    uint8_t buf[ENVELOPE_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    if (count > RECORD_ADDRS_MAX)
        return RC_LIMIT;
    record_t *r = calloc(1, sizeof *r);
    if (!r)
        return RC_NOMEM;
    r->seq = seq;
    r->addr_count = count;
    memcpy(r->addrs, addrs, count * sizeof *addrs);
    rc_t rc = record_write(&w, &g->config.who, r);
    free(r);
    if (rc)
        return rc;
    memcpy(g->own, buf, g->own_n = w.n);
    g->own_public = all_public(addrs, count);
    return RC_OK;
}

/* ---- records ---- */

static void drop_kept(gossip_t *g, size_t i)
{
    free(g->kept[i].envelope);
    g->kept[i] = g->kept[--g->kept_count];
}

static kept_t *find_kept(gossip_t *g, const peerid_t *id)
{
    for (size_t i = 0; i < g->kept_count; i++)
        if (peerid_eq(&g->kept[i].id, id))
            return &g->kept[i];
    return NULL;
}

static void make_room(gossip_t *g)
{
    size_t oldest = 0;
    if (g->kept_count < GOSSIP_KEPT_MAX)
        return;
    for (size_t i = 1; i < g->kept_count; i++)
        if (g->kept[i].heard_ms < g->kept[oldest].heard_ms)
            oldest = i;
    drop_kept(g, oldest);
}

/* Keeps a record that verified. False: it says nothing new, or memory is short. */
static bool keep(gossip_t *g, const record_t *r, view_t envelope)
{
    kept_t *k = find_kept(g, &r->id);
    if (k && k->seq >= r->seq) {
        if (k->seq == r->seq)
            k->heard_ms = g->now_ms;
        return false;
    }
    uint8_t *copy = malloc(envelope.n);
    if (!copy)
        return false;
    memcpy(copy, envelope.p, envelope.n);
    if (!k) {
        make_room(g);
        k = &g->kept[g->kept_count++];
        k->envelope = NULL;
    }
    free(k->envelope);
    *k = (kept_t){ .id = r->id,
                   .seq = r->seq,
                   .heard_ms = g->now_ms,
                   .all_public = all_public(r->addrs, r->addr_count),
                   .envelope = copy,
                   .n = envelope.n };
    return true;
}

static void take_record(gossip_t *g, record_t *r, view_t envelope, bool teller_public)
{
    if (record_open(r, envelope)) {
        g->refused++;
        return;
    }
    if (peerid_eq(&r->id, &g->self) || (teller_public && !all_public(r->addrs, r->addr_count)))
        return;
    if (keep(g, r, envelope) && r->addr_count)
        g->config.learned(g->config.ctx, r);
}

rc_t gossip_read(view_t out[GOSSIP_RECORDS_MAX], size_t *n, view_t message)
{
    view_t found[GOSSIP_RECORDS_MAX];
    size_t count = 0;
    rd_t r = rd_of(message);
    pb_field_t f;
    while (pb_next(&r, &f)) {
        if (f.number != 1)
            continue;
        if (count == GOSSIP_RECORDS_MAX || f.bytes.n > ENVELOPE_MAX)
            return RC_LIMIT;
        found[count++] = pb_bytes(&r, &f, ENVELOPE_MAX);
    }
    if (!rd_done(&r))
        return RC_MALFORMED;
    memcpy(out, found, count * sizeof *found);
    *n = count;
    return RC_OK;
}

static rc_t take_answer(gossip_t *g, net_conn_t *c, view_t message)
{
    view_t envelopes[GOSSIP_RECORDS_MAX];
    size_t n;
    rc_t rc = gossip_read(envelopes, &n, message);
    record_t *r = rc ? NULL : malloc(sizeof *r);
    if (!rc && !r)
        rc = RC_NOMEM;
    for (size_t i = 0; i < n && !rc; i++)
        take_record(g, r, envelopes[i], maddr_is_public(net_addr(c)));
    free(r);
    return rc;
}

/* ---- answering ---- */

static partner_t *partner_of(gossip_t *g, const net_conn_t *c)
{
    for (size_t i = 0; i < g->partner_count; i++)
        if (g->partners[i].conn == c)
            return &g->partners[i];
    return NULL;
}

/* Adds a record when there is room for it, and the asker may hear of it. */
static unsigned tell(wr_t *w, const uint8_t *envelope, size_t n, bool may)
{
    if (!n || !may || n + 8 > w->cap - w->n)
        return 0;
    pb_put_bytes(w, 1, view_of(envelope, n));
    return 1;
}

static rc_t write_answer(gossip_t *g, net_stream_t *s, uint32_t max)
{
    const bool to_public = maddr_is_public(net_addr(net_conn_of(s)));
    uint8_t *buf = malloc(GOSSIP_MESSAGE_MAX);
    uint32_t from = 0;
    unsigned told = 0;
    if (!buf)
        return RC_NOMEM;
    wr_t w = wr_of(buf, GOSSIP_MESSAGE_MAX - 8); /* and its length */
    max = max < GOSSIP_RECORDS_MAX ? max : GOSSIP_RECORDS_MAX;
    if (max)
        told += tell(&w, g->own, g->own_n, g->own_public || !to_public);
    g->config.random(g->config.ctx, &from, sizeof from); /* whom it tells of first, of too many */
    for (size_t i = 0; i < g->kept_count && told < max; i++) {
        const kept_t *k = &g->kept[(from + i) % g->kept_count];
        told += tell(&w, k->envelope, k->n, k->all_public || !to_public);
    }
    w.cap = GOSSIP_MESSAGE_MAX;
    pb_delimit(&w, 0);
    rc_t rc = w.bad ? RC_BUG : net_write(s, wr_view(&w));
    free(buf);
    return rc;
}

static rc_t take_question(gossip_t *g, net_stream_t *s, view_t message)
{
    partner_t *p = partner_of(g, net_conn_of(s));
    rd_t r = rd_of(message);
    pb_field_t f;
    uint32_t max = GOSSIP_RECORDS_MAX;
    while (pb_next(&r, &f))
        if (f.number == 1)
            max = pb_u32(&r, &f);
    if (!rd_done(&r))
        return RC_MALFORMED;
    if (!p || p->answer_ms > g->now_ms)
        max = 0;
    else
        p->answer_ms = g->now_ms + GOSSIP_ANSWER_MS;
    rc_t rc = write_answer(g, s, max);
    net_end(s);
    return rc;
}

/* ---- streams ---- */

/* Keeps bytes until the message is whole. RC_LIMIT: it is too long. */
static rc_t collect(net_stream_t *s, view_t bytes, size_t max)
{
    inbox_t *in = net_stream_user(s);
    const size_t have = in ? in->n : 0;
    if (bytes.n > max + VARINT_MAX - have)
        return RC_LIMIT;
    if (!in || have + bytes.n > in->cap) {
        const size_t cap = 2 * (have + bytes.n);
        inbox_t *more = realloc(in, sizeof *in + cap);
        if (!more)
            return RC_NOMEM;
        in = more;
        in->n = have;
        in->cap = cap;
        net_set_stream_user(s, in);
    }
    memcpy(in->b + in->n, bytes.p, bytes.n);
    in->n += bytes.n;
    return RC_OK;
}

static void on_data(void *ctx, net_stream_t *s, view_t bytes)
{
    gossip_t *g = ctx;
    const size_t max = net_opener(s) ? GOSSIP_MESSAGE_MAX : REQUEST_MAX;
    view_t message;
    size_t used;
    net_consumed(s, bytes.n);
    rc_t rc = collect(s, bytes, max);
    inbox_t *in = net_stream_user(s);
    if (!rc)
        rc = pb_delimited(&message, &used, view_of(in->b, in->n), max);
    if (rc == RC_NEED_DATA)
        return;
    if (!rc && used != in->n)
        rc = RC_MALFORMED;
    if (!rc)
        rc = net_opener(s) ? take_answer(g, net_conn_of(s), message) : take_question(g, s, message);
    if (rc)
        net_reset(s);
}

static void on_ended(void *ctx, net_stream_t *s)
{
    (void)ctx;
    net_end(s);
}

static void on_closed(void *ctx, net_stream_t *s, rc_t why)
{
    (void)ctx;
    (void)why;
    free(net_stream_user(s));
    net_set_stream_user(s, NULL);
}

void gossip_protocol(gossip_t *g, net_protocol_t *out)
{
    g->protocol =
        (net_protocol_t){ .name = GOSSIP_NAME, .data = on_data, .ended = on_ended, .closed = on_closed, .ctx = g };
    *out = g->protocol;
}

/* ---- asking ---- */

void gossip_opened(gossip_t *g, net_conn_t *c)
{
    if (g->partner_count < GOSSIP_CONNS_MAX && !partner_of(g, c))
        g->partners[g->partner_count++] = (partner_t){ .conn = c }; /* asked in the next turn */
}

void gossip_closed(gossip_t *g, const net_conn_t *c)
{
    partner_t *p = partner_of(g, c);
    if (p)
        *p = g->partners[--g->partner_count];
}

static void ask(gossip_t *g, partner_t *p)
{
    uint8_t question[16];
    wr_t w = wr_of(question, sizeof question);
    net_stream_t *s;
    uint32_t chance = 0;
    g->config.random(g->config.ctx, &chance, sizeof chance);
    p->ask_ms = g->now_ms + GOSSIP_ASK_MS / 10 * 8 + chance % (GOSSIP_ASK_MS / 10 * 4);
    pb_put_u64(&w, 1, GOSSIP_RECORDS_MAX);
    pb_delimit(&w, 0);
    if (net_open(p->conn, &s, &g->protocol, NULL))
        return; /* the next time */
    if (net_write(s, wr_view(&w)))
        net_reset(s);
    else
        net_end(s);
}

uint64_t gossip_turn(gossip_t *g, uint64_t now_ms)
{
    uint64_t next = UINT64_MAX;
    g->now_ms = now_ms;
    for (size_t i = 0; i < g->partner_count; i++) {
        if (g->partners[i].ask_ms <= now_ms)
            ask(g, &g->partners[i]);
        next = g->partners[i].ask_ms < next ? g->partners[i].ask_ms : next;
    }
    for (size_t i = g->kept_count; i-- > 0;)
        if (now_ms - g->kept[i].heard_ms >= GOSSIP_LIFE_MS)
            drop_kept(g, i);
    return next;
}
