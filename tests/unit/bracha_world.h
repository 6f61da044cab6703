/* bracha_world.h - nodes of reliable broadcast in a test: each has a seat, or none, and what they say is carried at once.
 * The static key of node i's k-th boot is (1 + i + 16 k) G; its platform is 32 times i + 1. */
#ifndef TESTS_UNIT_BRACHA_WORLD_H
#define TESTS_UNIT_BRACHA_WORLD_H

#include "overlay/bracha.h"
#include "tests/unit/overlay_keys.h"

#define NODES_MAX 12u

typedef struct {
    unsigned secret;
    uint8_t key[33];
    hash32_t platform;
    bracha_t *b;
    bool linked[NODES_MAX];
    unsigned delivered, evidence, sends, echos, readys, certs;
    uint64_t last_seq;
    uint8_t last[8];
    hash32_t last_instance;
} seat_t;

static seat_t seats[NODES_MAX];
static size_t seat_count;
static uint64_t now;
static order_signed_t in_force;

static inline rc_t seat_sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    key_sign(out, ((seat_t *)ctx)->secret, digest);
    return RC_OK;
}

static inline void seat_start(size_t i, unsigned boot)
{
    seat_t *x = &seats[i];
    *x = (seat_t){ .secret = 1 + (unsigned)i + 16 * boot };
    key_point(x->key, x->secret);
    memset(&x->platform, (int)i + 1, 32);
    bracha_config_t c = { .platform = x->platform, .sign = seat_sign, .sign_ctx = x, .ecdsa = ecdsa };
    memcpy(c.self, x->key, 33);
    ck_assert_int_eq(bracha_new(&x->b, &c), RC_OK);
}

static inline void seat_carry(seat_t *from, seat_t *to, const bracha_out_t *out)
{
    rc_t rc = RC_OK;
    if (!to->b || !from->linked[to - seats])
        return;
    if (out->kind == BRACHA_OUT_SEND)
        rc = bracha_take_send(to->b, NULL, from->key, &out->send, now);
    else if (out->kind == BRACHA_OUT_VOTE)
        rc = bracha_take_vote(to->b, NULL, from->key, &out->vote, now);
    else if (out->kind == BRACHA_OUT_CERT)
        rc = bracha_take_cert(to->b, NULL, from->key, &out->cert, now);
    ck_assert_msg(rc == RC_OK, "%zu to %zu, kind %d: %d", (size_t)(from - seats), (size_t)(to - seats), out->kind, rc);
}

static inline void seat_hear(seat_t *x, const bracha_out_t *out)
{
    if (out->kind == BRACHA_OUT_DELIVER) {
        x->delivered++;
        x->last_seq = out->send.seq;
        x->last_instance = out->instance;
        memset(x->last, 0, sizeof x->last);
        memcpy(x->last, out->send.payload.p, out->send.payload.n < 7 ? out->send.payload.n : 7);
    }
    x->evidence += out->kind == BRACHA_OUT_EVIDENCE;
    x->sends += out->kind == BRACHA_OUT_SEND && out->to_all; /* not the answers to PULLs */
    x->certs += out->kind == BRACHA_OUT_CERT;
    x->echos += out->kind == BRACHA_OUT_VOTE && out->vote.step == BRACHA_ECHO;
    x->readys += out->kind == BRACHA_OUT_VOTE && out->vote.step == BRACHA_READY;
}

/* Carries what nodes say until all is quiet; a node without links to others still hears itself. */
static inline void seats_settle(void)
{
    static bracha_out_t out;
    for (bool busy = true; busy;) {
        busy = false;
        for (size_t i = 0; i < seat_count; i++)
            while (seats[i].b && bracha_poll(seats[i].b, &out)) {
                busy = true;
                seat_hear(&seats[i], &out);
                for (size_t j = 0; j < seat_count && out.kind != BRACHA_OUT_DELIVER; j++)
                    if (j != i && (out.to_all || memcmp(out.to, seats[j].key, 33) == 0))
                        seat_carry(&seats[i], &seats[j], &out);
            }
    }
}

static inline void seat_link(size_t i, size_t j, bool on)
{
    seats[i].linked[j] = seats[j].linked[i] = on;
    if (on) {
        ck_assert_int_eq(bracha_attested(seats[i].b, seats[j].key, &seats[j].platform, now), RC_OK);
        ck_assert_int_eq(bracha_attested(seats[j].b, seats[i].key, &seats[i].platform, now), RC_OK);
    } else {
        bracha_gone(seats[i].b, seats[j].key, now);
        bracha_gone(seats[j].b, seats[i].key, now);
    }
}

/* Node i says nothing of what it had to say until now. */
static inline void seat_mute(size_t i)
{
    static bracha_out_t out;
    while (bracha_poll(seats[i].b, &out))
        seat_hear(&seats[i], &out);
}

static inline void seat_stop(size_t i)
{
    for (size_t j = 0; j < seat_count; j++)
        if (j != i && seats[i].linked[j])
            seat_link(i, j, false);
    bracha_free(seats[i].b);
    seats[i].b = NULL;
}

/* An order of version v whose seats are the platforms of nodes first to first + n - 1. */
static inline void seats_order(order_signed_t *o, uint64_t v, size_t first, size_t n)
{
    *o = (order_signed_t){ .order = { .version = v, .seat_count = (uint8_t)n }, .id = { .version = v } };
    for (size_t i = 0; i < n; i++)
        memset(&o->order.seats[i], (int)(first + i) + 1, 32);
    order_digest(&o->id.digest, &o->order);
}

static inline void seats_take(const order_signed_t *o)
{
    for (size_t i = 0; i < seat_count; i++)
        if (seats[i].b)
            ck_assert_int_eq(bracha_order(seats[i].b, o, now), RC_OK);
}

/* n nodes with seats and extra without, all linked, under order 1. */
static inline void seats_open(size_t n, size_t extra)
{
    now = 1000;
    seat_count = n + extra;
    for (size_t i = 0; i < seat_count; i++)
        seat_start(i, 0);
    seats_order(&in_force, 1, 0, n);
    seats_take(&in_force);
    for (size_t i = 0; i < seat_count; i++)
        for (size_t j = 0; j < i; j++)
            seat_link(i, j, true);
    seats_settle();
}

static inline void seats_close(void)
{
    for (size_t i = 0; i < NODES_MAX; i++) {
        bracha_free(seats[i].b);
        seats[i].b = NULL;
    }
    seat_count = 0;
}

static inline void seat_send(size_t i, uint32_t kind, const char *text)
{
    err_t e;
    ck_assert_msg(bracha_send(seats[i].b, &e, kind, view_str(text), now) == RC_OK, "%s", e.text);
}

#endif
