#include "overlay/relay.h"

#include <stdlib.h>

#define NEVER UINT64_MAX
#define ANSWER_LEN (3u + CIRCUIT_MESSAGE_MAX)

/* ANSWERED: our last word went out, the end of the stream is to come; CUT: it is reset. */
typedef enum { ASKS, CALLS, CALLED, CIRCUIT, ANSWERED, CUT } phase_t;

struct relay_leg {
    relay_leg_t *next, *other; /* other: of its circuit; NULL: none */
    relay_t *relay;
    void *stream;
    peerid_t peer;
    phase_t phase;
    bool asked;       /* this end asked for the circuit */
    bool ended;       /* this end sends no more */
    circuit_in_t *in; /* while a message is to come */
    uint64_t deadline_ms;
    uint64_t bytes; /* that came through the circuit */
    size_t owed;    /* of them, those that have not left */
};

typedef struct {
    peerid_t peer;
    uint64_t until_ms;
} place_t;

struct relay {
    relay_config_t config;
    peerid_t self;
    place_t places[RELAY_PLACES_MAX];
    size_t place_count;
    relay_leg_t *legs;
    uint8_t addrs[CIRCUIT_ADDRS_MAX / 2][MADDR_BYTES_MAX];
    size_t addr_n[CIRCUIT_ADDRS_MAX / 2], addr_count;
    uint64_t now_ms, now_s, handed_on;
};

static const circuit_limit_t limit = { true, RELAY_DURATION_S, RELAY_BYTES_MAX };

/* ---- legs ---- */

static relay_leg_t *leg_new(relay_t *r, const peerid_t *peer, phase_t phase)
{
    relay_leg_t *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (relay_leg_t){ .next = r->legs,
                        .relay = r,
                        .peer = *peer,
                        .phase = phase,
                        .asked = phase == ASKS,
                        .in = calloc(1, sizeof *l->in),
                        .deadline_ms = r->now_ms + RELAY_ANSWER_MS };
    if (!l->in) {
        free(l);
        return NULL;
    }
    r->legs = l;
    return l;
}

static void forget(relay_leg_t *l)
{
    relay_leg_t **at = &l->relay->legs;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    free(l->in);
    free(l);
}

static void part(relay_leg_t *l)
{
    if (l->other)
        l->other->other = NULL;
    l->other = NULL;
}

/* Nothing more of a leg is wanted; its stream is reset, and may be gone afterwards. */
static void cut(relay_leg_t *l)
{
    const relay_config_t *c = &l->relay->config;
    if (l->phase == CUT)
        return;
    part(l);
    l->phase = CUT;
    l->deadline_ms = NEVER;
    c->events.reset(c->ctx, l->stream);
}

static void cut_both(relay_leg_t *l)
{
    relay_leg_t *other = l->other;
    cut(l);
    if (other)
        cut(other);
}

static bool write_message(const relay_leg_t *l, circuit_protocol_t protocol, const circuit_message_t *m)
{
    const relay_config_t *c = &l->relay->config;
    uint8_t bytes[ANSWER_LEN];
    wr_t w = wr_of(bytes, sizeof bytes);
    circuit_write(&w, protocol, m);
    return !w.bad && !c->events.send(c->ctx, l->stream, wr_view(&w));
}

/* The last word on what was asked for. */
static void answer(relay_leg_t *l, const circuit_message_t *m)
{
    const relay_config_t *c = &l->relay->config;
    if (!write_message(l, CIRCUIT_HOP, m)) {
        cut(l);
        return;
    }
    part(l);
    l->phase = ANSWERED;
    l->deadline_ms = l->relay->now_ms + RELAY_ANSWER_MS;
    c->events.end(c->ctx, l->stream);
}

static void refuse(relay_leg_t *l, uint32_t status)
{
    answer(l, &(circuit_message_t){ .type = CIRCUIT_STATUS, .status = status });
}

/* ---- places ---- */

static place_t *place_of(relay_t *r, const peerid_t *peer)
{
    for (size_t i = 0; i < r->place_count; i++)
        if (peerid_eq(&r->places[i].peer, peer))
            return &r->places[i];
    return NULL;
}

void relay_left(relay_t *r, const peerid_t *peer)
{
    place_t *p = place_of(r, peer);
    if (p)
        *p = r->places[--r->place_count];
}

static void reserve(relay_leg_t *l)
{
    relay_t *r = l->relay;
    uint8_t voucher[CIRCUIT_VOUCHER_MAX];
    wr_t w = wr_of(voucher, sizeof voucher);
    place_t *p = place_of(r, &l->peer);
    circuit_message_t m = { .type = CIRCUIT_STATUS,
                            .has_reservation = true,
                            .expires_s = r->now_s + RELAY_PLACE_S,
                            .addr_count = r->addr_count,
                            .limit = limit,
                            .status = CIRCUIT_OK };
    if ((!p && r->place_count == RELAY_PLACES_MAX) ||
        circuit_voucher_write(&w, &r->config.who, &l->peer, m.expires_s)) {
        refuse(l, CIRCUIT_RESERVATION_REFUSED);
        return;
    }
    for (size_t i = 0; i < r->addr_count; i++)
        m.addrs[i] = view_of(r->addrs[i], r->addr_n[i]);
    m.voucher = wr_view(&w);
    if (!p)
        p = &r->places[r->place_count++];
    *p = (place_t){ l->peer, r->now_ms + RELAY_PLACE_S * 1000u };
    answer(l, &m);
}

/* ---- circuits ---- */

/* Circuits that there are: of all, or those with this peer at an end. */
static unsigned circuits_of(const relay_t *r, const peerid_t *peer)
{
    unsigned n = 0;
    for (const relay_leg_t *l = r->legs; l; l = l->next)
        n += l->asked && l->other && (!peer || peerid_eq(&l->peer, peer) || peerid_eq(&l->other->peer, peer));
    return n;
}

/* What is wrong with a wish for a circuit; CIRCUIT_OK: nothing. */
static uint32_t judge(relay_t *r, const peerid_t *from, const peerid_t *to)
{
    if (peerid_eq(from, to) || peerid_eq(to, &r->self))
        return CIRCUIT_PERMISSION_DENIED;
    if (!place_of(r, to))
        return CIRCUIT_NO_RESERVATION;
    if (circuits_of(r, NULL) >= RELAY_CIRCUITS_MAX || circuits_of(r, from) >= RELAY_CIRCUITS_PER_PEER ||
        circuits_of(r, to) >= RELAY_CIRCUITS_PER_PEER)
        return CIRCUIT_RESOURCE_LIMIT_EXCEEDED;
    return CIRCUIT_OK;
}

static void call(relay_leg_t *l, const peerid_t *to)
{
    relay_t *r = l->relay;
    const uint32_t status = judge(r, &l->peer, to);
    relay_leg_t *stop = status == CIRCUIT_OK ? leg_new(r, to, CALLED) : NULL;
    if (stop)
        stop->stream = r->config.events.open(r->config.ctx, stop, to);
    if (!stop || !stop->stream) {
        if (stop)
            forget(stop);
        refuse(l, status == CIRCUIT_OK ? (uint32_t)CIRCUIT_CONNECTION_FAILED : status);
        return;
    }
    l->phase = CALLS;
    l->deadline_ms = NEVER; /* the other's counts */
    l->other = stop;
    stop->other = l;
    if (!write_message(stop, CIRCUIT_STOP,
                       &(circuit_message_t){ .type = CIRCUIT_CONNECT, .peer = l->peer, .limit = limit })) {
        cut(stop);
        refuse(l, CIRCUIT_CONNECTION_FAILED);
    }
}

/* Hands bytes on to the other end. */
static void hand_on(relay_leg_t *l, view_t bytes)
{
    relay_t *r = l->relay;
    if (l->bytes + bytes.n > RELAY_BYTES_MAX || r->config.events.send(r->config.ctx, l->other->stream, bytes)) {
        cut_both(l);
        return;
    }
    l->bytes += bytes.n;
    l->owed += bytes.n;
    r->handed_on += bytes.n;
}

/* The target takes the call: both streams are one circuit from here on. False: they are cut, and may be gone. */
static bool join_both(relay_leg_t *stop)
{
    relay_leg_t *hop = stop->other;
    const uint64_t until = stop->relay->now_ms + RELAY_DURATION_S * 1000u;
    if (!write_message(hop, CIRCUIT_HOP,
                       &(circuit_message_t){ .type = CIRCUIT_STATUS, .limit = limit, .status = CIRCUIT_OK })) {
        cut_both(stop);
        return false;
    }
    hop->phase = stop->phase = CIRCUIT;
    hop->deadline_ms = stop->deadline_ms = until;
    return true;
}

/* The target does not, or not in time. */
static void call_failed(relay_leg_t *stop)
{
    relay_leg_t *hop = stop->other;
    cut(stop);
    refuse(hop, CIRCUIT_CONNECTION_FAILED);
}

/* ---- bytes ---- */

static void take_hop(relay_leg_t *l, view_t bytes)
{
    const relay_config_t *c = &l->relay->config;
    circuit_message_t m;
    size_t used = 0;
    const rc_t rc = circuit_take(l->in, &m, &used, CIRCUIT_HOP, bytes);
    c->events.consumed(c->ctx, l->stream, bytes.n);
    if (rc == RC_NEED_DATA)
        return;
    if (rc)
        refuse(l, CIRCUIT_MALFORMED_MESSAGE);
    else if (m.type == CIRCUIT_STATUS || used != bytes.n) /* nobody speaks before the answer */
        refuse(l, CIRCUIT_UNEXPECTED_MESSAGE);
    else if (m.type == CIRCUIT_RESERVE)
        reserve(l);
    else
        call(l, &m.peer);
}

static void take_stop(relay_leg_t *l, view_t bytes)
{
    const relay_config_t *c = &l->relay->config;
    circuit_message_t m;
    size_t used = 0;
    const rc_t rc = circuit_take(l->in, &m, &used, CIRCUIT_STOP, bytes);
    if (rc == RC_NEED_DATA) {
        c->events.consumed(c->ctx, l->stream, bytes.n);
        return;
    }
    if (rc || m.type != CIRCUIT_STATUS || m.status != CIRCUIT_OK) {
        call_failed(l);
        return;
    }
    c->events.consumed(c->ctx, l->stream, used);
    free(l->in);
    l->in = NULL;
    free(l->other->in);
    l->other->in = NULL;
    if (join_both(l) && used < bytes.n)
        hand_on(l, view_of(bytes.p + used, bytes.n - used));
}

void relay_take(relay_leg_t *l, view_t bytes)
{
    const relay_config_t *c = &l->relay->config;
    switch (l->phase) {
    case ASKS: take_hop(l, bytes); break;
    case CALLED: take_stop(l, bytes); break;
    case CIRCUIT: hand_on(l, bytes); break;
    case CALLS: /* who speaks before the answer gets none but this */
        c->events.consumed(c->ctx, l->stream, bytes.n);
        call_failed(l->other);
        break;
    case ANSWERED:
    case CUT: c->events.consumed(c->ctx, l->stream, bytes.n); break;
    }
}

void relay_ended(relay_leg_t *l)
{
    const relay_config_t *c = &l->relay->config;
    l->ended = true;
    switch (l->phase) {
    case ASKS: cut(l); break;
    case CALLS: call_failed(l->other); break;
    case CALLED: call_failed(l); break;
    case CIRCUIT: c->events.end(c->ctx, l->other->stream); break;
    case ANSWERED:
    case CUT: break;
    }
}

void relay_drained(relay_leg_t *l)
{
    const relay_config_t *c = &l->relay->config;
    relay_leg_t *from = l->phase == CIRCUIT ? l->other : NULL;
    if (!from || !from->owed)
        return;
    const size_t n = from->owed;
    from->owed = 0;
    c->events.consumed(c->ctx, from->stream, n);
}

void relay_gone(relay_leg_t *l)
{
    relay_leg_t *other = l->other;
    const bool called = l->phase == CALLED, whole = other && l->ended && other->ended;
    part(l);
    forget(l);
    if (whole)
        other->phase = ANSWERED; /* what waits for it may still leave, until the circuit's time is over */
    else if (other && called)
        refuse(other, CIRCUIT_CONNECTION_FAILED);
    else if (other)
        cut(other);
}

/* ---- time ---- */

static void late(relay_leg_t *l)
{
    if (l->phase == CALLED)
        call_failed(l);
    else
        cut_both(l);
}

static relay_leg_t *first_late(const relay_t *r)
{
    relay_leg_t *l = r->legs;
    while (l && l->deadline_ms > r->now_ms)
        l = l->next;
    return l;
}

uint64_t relay_turn(relay_t *r, uint64_t now_ms, uint64_t now_s)
{
    uint64_t at = NEVER;
    relay_leg_t *l;
    r->now_ms = now_ms;
    r->now_s = now_s;
    while ((l = first_late(r)))
        late(l);
    for (size_t i = r->place_count; i-- > 0;)
        if (r->places[i].until_ms <= now_ms)
            r->places[i] = r->places[--r->place_count];
    for (l = r->legs; l; l = l->next)
        at = l->deadline_ms < at ? l->deadline_ms : at;
    for (size_t i = 0; i < r->place_count; i++)
        at = r->places[i].until_ms < at ? r->places[i].until_ms : at;
    return at;
}

/* ---- life ---- */

relay_leg_t *relay_opened(relay_t *r, void *stream, const peerid_t *peer)
{
    unsigned silent = 0;
    for (const relay_leg_t *l = r->legs; l; l = l->next)
        silent += l->phase == ASKS && peerid_eq(&l->peer, peer);
    relay_leg_t *l = silent < RELAY_ASKED_MAX ? leg_new(r, peer, ASKS) : NULL;
    if (l)
        l->stream = stream;
    return l;
}

void relay_addrs(relay_t *r, const maddr_t *addrs, size_t count)
{
    r->addr_count = 0;
    for (size_t i = 0; i < count && r->addr_count < CIRCUIT_ADDRS_MAX / 2; i++) {
        maddr_t m = addrs[i];
        wr_t w = wr_of(r->addrs[r->addr_count], MADDR_BYTES_MAX);
        m.peer = r->self;
        maddr_write(&w, &m);
        r->addr_n[r->addr_count] = w.n;
        r->addr_count += !m.circuit && !w.bad;
    }
}

rc_t relay_new(relay_t **out, const relay_config_t *config)
{
    relay_t *r = calloc(1, sizeof *r);
    if (!r)
        return RC_NOMEM;
    r->config = *config;
    peerid_of(&r->self, &config->who.key);
    *out = r;
    return RC_OK;
}

void relay_free(relay_t *r)
{
    while (r && r->legs)
        forget(r->legs);
    free(r);
}

void relay_counts(const relay_t *r, relay_count_t *out)
{
    *out =
        (relay_count_t){ .places = (unsigned)r->place_count, .circuits = circuits_of(r, NULL), .bytes = r->handed_on };
}
