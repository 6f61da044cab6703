#include "overlay/places.h"

#include <stdlib.h>

#define NEVER UINT64_MAX

typedef struct {
    peerid_t relay;
    void *stream;     /* NULL: nothing is asked */
    circuit_in_t *in; /* of it */
    bool held;
    uint64_t until_ms; /* of the place that is held */
    uint64_t due_ms;   /* of the question, or of its answer */
    uint64_t wait_ms;
    maddr_t addrs[PLACES_ADDRS_MAX]; /* the one at which we reached it first */
    size_t addr_count;
} relay_at_t;

struct places {
    places_config_t config;
    relay_at_t relays[PLACES_RELAYS_MAX];
    size_t count;
    uint64_t now_ms, now_s;
};

/* ---- the table ---- */

static relay_at_t *of_peer(places_t *p, const peerid_t *relay)
{
    for (size_t i = 0; i < p->count; i++)
        if (peerid_eq(&p->relays[i].relay, relay))
            return &p->relays[i];
    return NULL;
}

static relay_at_t *of_stream(places_t *p, const void *stream)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->relays[i].stream == stream)
            return &p->relays[i];
    return NULL;
}

size_t places_count(const places_t *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++)
        n += p->relays[i].held;
    return n;
}

void places_relay(places_t *p, const peerid_t *relay, const maddr_t *at)
{
    if (at->circuit || of_peer(p, relay) || p->count == PLACES_RELAYS_MAX)
        return;
    relay_at_t *x = &p->relays[p->count++];
    *x = (relay_at_t){ .relay = *relay, .due_ms = p->now_ms, .wait_ms = PLACES_AGAIN_MS, .addr_count = 1 };
    x->addrs[0] = *at;
    x->addrs[0].peer = *relay;
}

/* The stream is not ours any more. */
static void let_go(relay_at_t *x)
{
    free(x->in);
    x->in = NULL;
    x->stream = NULL;
}

static void drop_place(places_t *p, relay_at_t *x)
{
    const bool was = x->held;
    x->held = false;
    if (was)
        p->config.changed(p->config.ctx);
}

void places_left(places_t *p, const peerid_t *relay)
{
    relay_at_t *x = of_peer(p, relay);
    if (!x)
        return;
    const bool was = x->held;
    let_go(x); /* its stream ends with the connection */
    *x = p->relays[--p->count];
    if (was)
        p->config.changed(p->config.ctx);
}

/* ---- asking ---- */

static void ask_later(places_t *p, relay_at_t *x)
{
    x->due_ms = p->now_ms + x->wait_ms;
    x->wait_ms = 2 * x->wait_ms < PLACES_AGAIN_MAX_MS ? 2 * x->wait_ms : PLACES_AGAIN_MAX_MS;
}

static void ask(places_t *p, relay_at_t *x)
{
    const places_config_t *c = &p->config;
    const circuit_message_t m = { .type = CIRCUIT_RESERVE };
    uint8_t bytes[16];
    wr_t w = wr_of(bytes, sizeof bytes);
    circuit_write(&w, CIRCUIT_HOP, &m);
    x->in = calloc(1, sizeof *x->in);
    x->stream = x->in ? c->open(c->ctx, &x->relay) : NULL;
    void *stream = x->stream;
    if (!stream || c->send(c->ctx, stream, wr_view(&w))) {
        let_go(x);
        ask_later(p, x);
        if (stream)
            c->reset(c->ctx, stream);
        return;
    }
    x->due_ms = p->now_ms + PLACES_ANSWER_MS;
}

/* ---- the answer ---- */

static void add_addr(relay_at_t *x, view_t bytes)
{
    maddr_t m;
    if (x->addr_count == PLACES_ADDRS_MAX || maddr_read(&m, bytes) || m.circuit || !peerid_eq(&m.peer, &x->relay))
        return;
    for (size_t i = 0; i < x->addr_count; i++)
        if (maddr_eq(&x->addrs[i], &m))
            return;
    x->addrs[x->addr_count++] = m;
}

/* Whether the relay gave a place. */
static bool is_given(const places_t *p, const relay_at_t *x, const circuit_message_t *m)
{
    uint64_t expires;
    if (m->type != CIRCUIT_STATUS || m->status != CIRCUIT_OK || !m->has_reservation || m->expires_s <= p->now_s)
        return false;
    return !m->voucher.n || !circuit_voucher_open(&expires, m->voucher, &x->relay, &p->config.self);
}

static void hold(places_t *p, relay_at_t *x, const circuit_message_t *m)
{
    const uint64_t left = m->expires_s - p->now_s, s = left < PLACES_LIFE_MAX_S ? left : PLACES_LIFE_MAX_S;
    const bool is_new = !x->held;
    x->held = true;
    x->until_ms = p->now_ms + s * 1000;
    x->due_ms = p->now_ms + s * 500;
    x->wait_ms = PLACES_AGAIN_MS;
    x->addr_count = 1;
    for (size_t i = 0; i < m->addr_count; i++)
        add_addr(x, m->addrs[i]);
    if (is_new)
        p->config.changed(p->config.ctx);
}

void places_take(places_t *p, void *stream, view_t bytes)
{
    relay_at_t *x = of_stream(p, stream);
    circuit_message_t m;
    size_t used = 0;
    if (!x)
        return;
    const rc_t rc = circuit_take(x->in, &m, &used, CIRCUIT_HOP, bytes);
    if (rc == RC_NEED_DATA)
        return;
    if (!rc && is_given(p, x, &m)) {
        p->config.end(p->config.ctx, stream);
        hold(p, x, &m);
        let_go(x);
        return;
    }
    let_go(x);
    ask_later(p, x);
    p->config.reset(p->config.ctx, stream);
}

void places_gone(places_t *p, void *stream)
{
    relay_at_t *x = of_stream(p, stream);
    if (!x)
        return;
    let_go(x);
    ask_later(p, x);
}

/* ---- time ---- */

static void late(places_t *p, relay_at_t *x)
{
    void *stream = x->stream;
    let_go(x);
    ask_later(p, x);
    p->config.reset(p->config.ctx, stream);
}

uint64_t places_turn(places_t *p, uint64_t now_ms, uint64_t now_s)
{
    uint64_t at = NEVER;
    size_t wanted = PLACES_HELD_MAX;
    p->now_ms = now_ms;
    p->now_s = now_s;
    for (size_t i = 0; i < p->count; i++) {
        relay_at_t *x = &p->relays[i];
        if (x->held && x->until_ms <= now_ms)
            drop_place(p, x);
        if (x->stream && x->due_ms <= now_ms)
            late(p, x);
        wanted -= wanted && (x->held || x->stream);
    }
    for (size_t i = 0; i < p->count; i++) {
        relay_at_t *x = &p->relays[i];
        if (!x->stream && x->due_ms <= now_ms && (x->held || wanted)) {
            wanted -= wanted && !x->held;
            ask(p, x);
        }
        if (x->held || x->stream || wanted)
            at = x->due_ms < at ? x->due_ms : at;
        if (x->held)
            at = x->until_ms < at ? x->until_ms : at;
    }
    return at;
}

/* ---- what is known ---- */

size_t places_addrs(const places_t *p, maddr_t *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; p->relays[i].held && k < p->relays[i].addr_count && n < cap; k++) {
            out[n] = p->relays[i].addrs[k];
            out[n].circuit = true;
            out[n++].target = p->config.self;
        }
    return n;
}

rc_t places_new(places_t **out, const places_config_t *config)
{
    places_t *p = calloc(1, sizeof *p);
    if (!p)
        return RC_NOMEM;
    p->config = *config;
    *out = p;
    return RC_OK;
}

void places_free(places_t *p)
{
    for (size_t i = 0; p && i < p->count; i++)
        free(p->relays[i].in);
    free(p);
}
