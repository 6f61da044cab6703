#include "overlay/gossip.h"

#include <stdlib.h>

#include "overlay/inbox.h"
#include "overlay/wire/proto.h"

#define TOLD_MAX (GOSSIP_TOLD_MAX * (ENVELOPE_MAX + 8u)) /* bytes of a question, or of what is told unasked */

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
    uint64_t answer_ms; /* from when on it is answered again; */
    uint64_t told_ms;   /* from when on it is listened to again */
    bool push;          /* it is to be told our own record, */
    uint64_t push_ms;   /* not before */
    uint64_t wait_ms;   /* after it served us not, for the next time */
} partner_t;

struct gossip {
    gossip_config_t config;
    net_protocol_t protocol, teller; /* teller: of streams on which we tell, and nothing is to come back */
    uint64_t now_ms, refused, changes;
    uint8_t own[ENVELOPE_MAX];
    size_t own_n;
    bool own_public;
    peerid_t self;
    kept_t kept[GOSSIP_KEPT_MAX];
    size_t kept_count;
    partner_t partners[GOSSIP_CONNS_MAX];
    size_t partner_count;
};

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
    for (size_t i = 0; i < g->partner_count; i++)
        g->partners[i].push = true;
    return RC_OK;
}

/* ---- records ---- */

static void drop_kept(gossip_t *g, size_t i)
{
    g->changes++;
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
    g->changes++;
    return true;
}

/* from: as gossip_config_t's learned. */
static rc_t take_record(gossip_t *g, record_t *r, view_t envelope, net_conn_t *from, bool kept)
{
    const rc_t rc = record_open(r, envelope);
    g->refused += rc != RC_OK;
    if (rc)
        return rc;
    if (peerid_eq(&r->id, &g->self))
        return RC_OK;
    if (from && maddr_is_public(net_addr(from)) && !all_public(r->addrs, r->addr_count))
        return RC_OK;
    if ((!kept || keep(g, r, envelope)) && r->addr_count)
        g->config.learned(g->config.ctx, r, from);
    return RC_OK;
}

rc_t gossip_restore(gossip_t *g, view_t envelope)
{
    record_t *r = malloc(sizeof *r);
    const rc_t rc = r ? take_record(g, r, envelope, NULL, true) : RC_NOMEM;
    free(r);
    return rc;
}

void gossip_each(const gossip_t *g, void (*take)(void *ctx, view_t envelope), void *ctx)
{
    for (size_t i = 0; i < g->kept_count; i++)
        take(ctx, view_of(g->kept[i].envelope, g->kept[i].n));
}

uint64_t gossip_changes(const gossip_t *g)
{
    return g->changes;
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

static rc_t take_answer(gossip_t *g, net_conn_t *c, view_t message, size_t max, bool kept)
{
    view_t envelopes[GOSSIP_RECORDS_MAX];
    size_t n;
    rc_t rc = gossip_read(envelopes, &n, message);
    if (!rc && n > max)
        rc = RC_LIMIT;
    record_t *r = rc ? NULL : malloc(sizeof *r);
    if (!rc && !r)
        rc = RC_NOMEM;
    for (size_t i = 0; i < n && !rc; i++)
        (void)take_record(g, r, envelopes[i], c, kept); /* what does not verify is counted, and passed over */
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

/* What a peer tells unasked. */
static rc_t take_told(gossip_t *g, net_stream_t *s, view_t message)
{
    partner_t *p = partner_of(g, net_conn_of(s));
    net_end(s);
    if (p && p->told_ms > g->now_ms)
        return RC_OK;
    if (p)
        p->told_ms = g->now_ms + GOSSIP_TOLD_MS;
    return take_answer(g, net_conn_of(s), message, GOSSIP_TOLD_MAX, p != NULL);
}

/* Whether a message tells: its first member is an envelope, and no number. */
static bool tells(view_t message)
{
    rd_t r = rd_of(message);
    pb_field_t f;
    return pb_next(&r, &f) && f.number == 1 && f.type == PB_BYTES;
}

static rc_t take_question(gossip_t *g, net_stream_t *s, view_t message)
{
    if (tells(message))
        return take_told(g, s, message);
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

static void on_data(void *ctx, net_stream_t *s, view_t bytes)
{
    gossip_t *g = ctx;
    view_t message;
    rc_t rc = inbox_take(s, &message, bytes, net_opener(s) ? GOSSIP_MESSAGE_MAX : TOLD_MAX);
    if (rc == RC_NEED_DATA)
        return;
    if (!rc)
        rc = net_opener(s) ? take_answer(g, net_conn_of(s), message, GOSSIP_RECORDS_MAX, true)
                           : take_question(g, s, message);
    if (rc)
        net_reset(s);
}

static void on_reply(void *ctx, net_stream_t *s, view_t bytes)
{
    (void)ctx, (void)bytes;
    net_reset(s);
}

static void on_ended(void *ctx, net_stream_t *s)
{
    (void)ctx;
    net_end(s);
}

/* A partner that does not serve us yet: the other end has not come as far as we have. Later, then. */
static uint64_t later(gossip_t *g, partner_t *p)
{
    p->wait_ms = p->wait_ms ? 2 * p->wait_ms : GOSSIP_AGAIN_MS;
    p->wait_ms = p->wait_ms < GOSSIP_ASK_MS ? p->wait_ms : GOSSIP_ASK_MS;
    return g->now_ms + p->wait_ms;
}

static void on_told(void *ctx, net_stream_t *s, rc_t why)
{
    partner_t *p = partner_of(ctx, net_conn_of(s));
    if (!p || why != RC_UNSUPPORTED)
        return;
    p->push = true;
    p->push_ms = later(ctx, p);
}

static void on_closed(void *ctx, net_stream_t *s, rc_t why)
{
    partner_t *p = net_opener(s) ? partner_of(ctx, net_conn_of(s)) : NULL;
    if (p && why == RC_UNSUPPORTED)
        p->ask_ms = later(ctx, p);
    inbox_free(s);
}

void gossip_protocol(gossip_t *g, net_protocol_t *out)
{
    g->protocol =
        (net_protocol_t){ .name = GOSSIP_NAME, .data = on_data, .ended = on_ended, .closed = on_closed, .ctx = g };
    *out = g->protocol;
    g->teller =
        (net_protocol_t){ .name = GOSSIP_NAME, .data = on_reply, .ended = on_ended, .closed = on_told, .ctx = g };
}

/* ---- asking ---- */

void gossip_opened(gossip_t *g, net_conn_t *c)
{
    if (g->partner_count < GOSSIP_CONNS_MAX && !partner_of(g, c))
        g->partners[g->partner_count++] = (partner_t){ .conn = c, .push = true }; /* in the next turn */
}

void gossip_closed(gossip_t *g, const net_conn_t *c)
{
    partner_t *p = partner_of(g, c);
    if (p)
        *p = g->partners[--g->partner_count];
}

/* Opens a stream for one message of ours. */
static void send_one(net_conn_t *c, const net_protocol_t *p, view_t message)
{
    net_stream_t *s;
    if (net_open(c, &s, p, NULL))
        return; /* the next time */
    if (net_write(s, message))
        net_reset(s);
    else
        net_end(s);
}

static void push(gossip_t *g, partner_t *p)
{
    uint8_t buf[ENVELOPE_MAX + 16];
    wr_t w = wr_of(buf, sizeof buf);
    p->push = false;
    if (!tell(&w, g->own, g->own_n, g->own_public || !maddr_is_public(net_addr(p->conn))))
        return;
    pb_delimit(&w, 0);
    send_one(p->conn, &g->teller, wr_view(&w));
}

bool gossip_redirect(gossip_t *g, net_conn_t *c)
{
    const bool to_public = maddr_is_public(net_addr(c));
    uint8_t *buf = malloc(TOLD_MAX + 16);
    uint32_t from = 0;
    unsigned told = 0;
    if (!buf)
        return false;
    wr_t w = wr_of(buf, TOLD_MAX);
    g->config.random(g->config.ctx, &from, sizeof from);
    for (size_t i = 0; i < g->kept_count && told < GOSSIP_TOLD_MAX; i++) {
        const kept_t *k = &g->kept[(from + i) % g->kept_count];
        told += tell(&w, k->envelope, k->n, k->all_public || !to_public);
    }
    w.cap += 16;
    pb_delimit(&w, 0);
    if (told)
        send_one(c, &g->teller, wr_view(&w));
    free(buf);
    return told != 0;
}

static void ask(gossip_t *g, partner_t *p)
{
    uint8_t question[16];
    wr_t w = wr_of(question, sizeof question);
    uint32_t chance = 0;
    g->config.random(g->config.ctx, &chance, sizeof chance);
    p->ask_ms = g->now_ms + GOSSIP_ASK_MS / 10 * 8 + chance % (GOSSIP_ASK_MS / 10 * 4);
    pb_put_u64(&w, 1, GOSSIP_RECORDS_MAX);
    pb_delimit(&w, 0);
    send_one(p->conn, &g->protocol, wr_view(&w));
}

uint64_t gossip_turn(gossip_t *g, uint64_t now_ms)
{
    uint64_t next = UINT64_MAX;
    g->now_ms = now_ms;
    for (size_t i = 0; i < g->partner_count; i++) {
        partner_t *p = &g->partners[i];
        if (p->push && p->push_ms <= now_ms)
            push(g, p);
        if (p->ask_ms <= now_ms)
            ask(g, p);
        next = p->ask_ms < next ? p->ask_ms : next;
        next = p->push && p->push_ms < next ? p->push_ms : next;
    }
    for (size_t i = g->kept_count; i-- > 0;)
        if (now_ms - g->kept[i].heard_ms >= GOSSIP_LIFE_MS)
            drop_kept(g, i);
    return next;
}
