#include "overlay/agree.h"

#include <stdlib.h>

#include "overlay/framed.h"

#define TICK_MS 1000u

typedef struct {
    net_conn_t *conn; /* NULL: a free place */
    uint64_t number;
    uint8_t key[33];
    hash32_t platform;
    bool up;
} link_t;

struct agree {
    agree_config_t c;
    bracha_t *bracha;
    framed_t *framed;
    link_t links[AGREE_LINKS_MAX];
    uint64_t now_ms, tick_ms;
    bool pumping;
    bracha_out_t out; /* of the last poll */
    bracha_frame_t in;
    uint8_t frame[BRACHA_FRAME_MAX];
};

static link_t *find(agree_t *a, const net_conn_t *c)
{
    for (size_t i = 0; i < AGREE_LINKS_MAX; i++)
        if (a->links[i].conn == c)
            return &a->links[i];
    return NULL;
}

/* The newest connection of a peer that is up; NULL: none. */
static link_t *newest(agree_t *a, const uint8_t key[33])
{
    link_t *best = NULL;
    for (size_t i = 0; i < AGREE_LINKS_MAX; i++) {
        link_t *l = &a->links[i];
        if (l->conn && l->up && memcmp(l->key, key, 33) == 0 && (!best || l->number > best->number))
            best = l;
    }
    return best;
}

/* ---- going out ---- */

static void send_to(agree_t *a, const uint8_t key[33], view_t frame)
{
    const link_t *l = newest(a, key);
    if (l && framed_write(a->framed, l->conn, frame))
        net_close(l->conn, NET_BYE, "too much of a broadcast waits for this peer");
}

/* To each peer once, however many connections it has. */
static void send_to_all(agree_t *a, view_t frame)
{
    for (size_t i = 0; i < AGREE_LINKS_MAX; i++)
        if (a->links[i].conn && newest(a, a->links[i].key) == &a->links[i])
            send_to(a, a->links[i].key, frame);
}

static void carry_out(agree_t *a)
{
    const bracha_out_t *out = &a->out;
    wr_t w = wr_of(a->frame, sizeof a->frame);
    switch (out->kind) {
    case BRACHA_OUT_DELIVER: a->c.deliver(a->c.ctx, out); return;
    case BRACHA_OUT_EVIDENCE:
        if (a->c.evidence)
            a->c.evidence(a->c.ctx, &out->evidence);
        return;
    default: break;
    }
    bracha_frame_write(&w, out);
    if (w.bad)
        return; /* a SEND's payload is bounded when it is made or read, so that a frame fits */
    if (out->to_all)
        send_to_all(a, wr_view(&w));
    else
        send_to(a, out->to, wr_view(&w));
}

/* A payload that is delivered lives until the machine's next call, so what comes of it waits. */
static void pump(agree_t *a)
{
    if (a->pumping)
        return;
    a->pumping = true;
    while (bracha_poll(a->bracha, &a->out))
        carry_out(a);
    a->pumping = false;
}

/* ---- coming in ---- */

static rc_t take(void *ctx, err_t *e, net_conn_t *c, view_t message)
{
    agree_t *a = ctx;
    const link_t *l = find(a, c);
    if (!l || !l->up || a->pumping)
        return RC_NEED_DATA;
    rc_t rc = bracha_frame_read(&a->in, e, message);
    if (rc)
        return rc;
    if (a->in.kind == BRACHA_OUT_SEND)
        rc = bracha_take_send(a->bracha, e, l->key, &a->in.send, a->now_ms);
    else if (a->in.kind == BRACHA_OUT_VOTE)
        rc = bracha_take_vote(a->bracha, e, l->key, &a->in.vote, a->now_ms);
    else
        rc = bracha_take_cert(a->bracha, e, l->key, &a->in.cert, a->now_ms);
    pump(a);
    return rc == RC_LIMIT ? RC_OK : rc; /* who passes it on is not to blame for its sender */
}

static void up(void *ctx, net_conn_t *c)
{
    agree_t *a = ctx;
    link_t *l = find(a, c);
    if (!l)
        return;
    l->up = true;
    if (bracha_attested(a->bracha, l->key, &l->platform, a->now_ms))
        net_close(c, NET_BYE, "out of memory");
    pump(a);
    framed_resume(a->framed, c); /* what the peer said before */
}

/* What was under way may be lost; with another connection it is said again there. */
static void down(void *ctx, net_conn_t *c)
{
    agree_t *a = ctx;
    link_t *l = find(a, c);
    if (!l)
        return;
    l->up = false;
    bracha_gone(a->bracha, l->key, a->now_ms);
    const link_t *other = newest(a, l->key);
    if (other && bracha_attested(a->bracha, other->key, &other->platform, a->now_ms))
        net_close(other->conn, NET_BYE, "out of memory");
    pump(a);
}

/* ---- what the owner says ---- */

rc_t agree_peer(agree_t *a, net_conn_t *c, const uint8_t key[33], const hash32_t *platform)
{
    link_t *l = find(a, c);
    if (!l)
        l = find(a, NULL);
    if (!l)
        return RC_LIMIT;
    l->conn = c;
    l->number = net_number(c);
    memcpy(l->key, key, sizeof l->key);
    l->platform = *platform;
    return framed_open(a->framed, c);
}

void agree_hold(agree_t *a, net_conn_t *c)
{
    framed_hold(a->framed, c);
}

void agree_closed(agree_t *a, net_conn_t *c)
{
    link_t *l = find(a, c);
    framed_closed(a->framed, c); /* down, if it was up */
    if (l)
        memset(l, 0, sizeof *l);
}

rc_t agree_order(agree_t *a, const order_signed_t *order)
{
    const rc_t rc = bracha_order(a->bracha, order, a->now_ms);
    pump(a);
    return rc;
}

rc_t agree_send(agree_t *a, err_t *e, uint32_t kind, view_t payload)
{
    const rc_t rc = bracha_send(a->bracha, e, kind, payload, a->now_ms);
    pump(a);
    return rc;
}

uint64_t agree_turn(agree_t *a, uint64_t now_ms)
{
    a->now_ms = now_ms;
    if (now_ms >= a->tick_ms) {
        bracha_tick(a->bracha, now_ms);
        a->tick_ms = now_ms + TICK_MS;
    }
    pump(a);
    for (size_t i = 0; i < AGREE_LINKS_MAX; i++)
        if (a->links[i].conn)
            framed_resume(a->framed, a->links[i].conn);
    const uint64_t at = framed_turn(a->framed, now_ms);
    return at < a->tick_ms ? at : a->tick_ms;
}

/* ---- life ---- */

rc_t agree_new(agree_t **out, const agree_config_t *config)
{
    agree_t *a = calloc(1, sizeof *a);
    if (!a)
        return RC_NOMEM;
    const framed_config_t f = {
        .name = BRACHA_PROTOCOL, .max = BRACHA_FRAME_MAX, .up = up, .down = down, .take = take, .ctx = a
    };
    a->c = *config;
    rc_t rc = bracha_new(&a->bracha, &config->bracha);
    if (!rc)
        rc = framed_new(&a->framed, &f);
    if (rc) {
        agree_free(a);
        return rc;
    }
    *out = a;
    return RC_OK;
}

void agree_free(agree_t *a)
{
    if (!a)
        return;
    framed_free(a->framed);
    bracha_free(a->bracha);
    free(a);
}

void agree_protocol(agree_t *a, net_protocol_t *out)
{
    framed_protocol(a->framed, out);
}
