/* loop_pair.h - two nodes on loopback, each with its loop, given their turns by one thread under a clock of the test's. */
#ifndef TESTS_LOOP_PAIR_H
#define TESTS_LOOP_PAIR_H

#include "overlay/net/loop.h"
#include "tests/unit/net_pair.h"

typedef struct {
    peer_t peer;
    loop_t *loop;
    maddr_t at; /* where it listens, with the real port */
} looped_t;

static uint64_t pair_now = 1000000;

static inline uint64_t pair_clock(void)
{
    return pair_now;
}

/* at: NULL: does not listen. */
static inline void looped_new(looped_t *x, const char *word, bool secp256k1, unsigned transports, const char *at)
{
    const loop_owner_t owner = { .clock = pair_clock };
    err_t e;
    size_t count;
    peer_new(&x->peer, word, secp256k1);
    ck_assert_msg(loop_new(&x->loop, &e, x->peer.net, transports, &owner) == RC_OK, "%s", e.text);
    if (!at)
        return;
    const maddr_t m = maddr(at);
    ck_assert_msg(net_listen(x->peer.net, &e, &m) == RC_OK, "%s: %s", at, e.text);
    const maddr_t *list = net_listening(x->peer.net, &count);
    x->at = list[count - 1];
    ck_assert_uint_ne(x->at.port, 0);
}

static inline void looped_clear(looped_t *x)
{
    if (x->loop)
        loop_free(x->loop);
    x->loop = NULL;
    x->peer.net = NULL;
    peer_clear(&x->peer);
}

/* Lets time pass, so many milliseconds in each round. */
static inline void pair_run(looped_t *a, looped_t *b, uint64_t ms, uint64_t round_ms)
{
    for (const uint64_t until = pair_now + ms; pair_now < until; pair_now += round_ms) {
        if (a && a->loop)
            loop_step(a->loop, 0);
        if (b && b->loop)
            loop_step(b->loop, 0);
    }
}

static inline net_conn_t *pair_dial(looped_t *from, const maddr_t *to)
{
    net_conn_t *c = NULL;
    err_t e;
    ck_assert_msg(net_dial(from->peer.net, &c, &e, to, from) == RC_OK, "%s", e.text);
    return c;
}

#endif
