/* loop.h - the one loop that owns the overlay's sockets: it waits for them and for deadlines, and gives a node its
 * turns. Other threads hand it functions to run.
 *
 *     net_new(&n, &config)                     the node, without transports
 *     loop_new(&l, &e, n, LOOP_BOTH, NULL)     with sockets; n is the loop's now
 *     net_listen(n, &e, &at)                   while it has no thread, or in a posted function
 *     loop_start(&l, &e)                       from here on n is touched on the loop's thread alone
 *     loop_post(l, fn, ctx), loop_wake(l)      from any thread
 *     loop_free(l)                             ends the thread; closes and frees everything
 *
 * Floor:  4, overlay/net.
 * Tests:  tests/unit/test_loop.c
 */
#ifndef OVERLAY_NET_LOOP_H
#define OVERLAY_NET_LOOP_H

#include "base/os/clock.h"
#include "overlay/net/net.h"

enum { LOOP_QUIC = 1, LOOP_TCP = 2, LOOP_BOTH = LOOP_QUIC | LOOP_TCP };

typedef struct loop loop_t;

/* What the owner does in each turn, after what sockets and deadlines brought: it returns when it wants the next one at
 * the latest (monotonic milliseconds; UINT64_MAX: no time of its own). */
typedef struct {
    uint64_t (*turn)(void *ctx, uint64_t now_ms); /* NULL: nothing */
    void *ctx;
    clock_fn clock; /* monotonic; NULL: the system's */
} loop_owner_t;

/* Reads "quic", "tcp" or "both". False: another word; *out is as it was. */
bool loop_transports(unsigned *out, view_t word);

/* A loop for a node, with transports of LOOP_*.
 *   out     *out is freed with loop_free
 *   take_n  the loop's on RC_OK; freed with it, on its thread if it has one
 *   owner   copied; NULL: none
 * RC_NOMEM, RC_IO. */
NODISCARD rc_t loop_new(loop_t **out, err_t *e, net_t *take_n, unsigned transports, const loop_owner_t *owner);

/* Its node. */
net_t *loop_net(const loop_t *l);

/* Runs it on a thread of its own. RC_NOMEM, RC_IO. */
NODISCARD rc_t loop_start(loop_t *l, err_t *e);

/* One turn on the caller's thread, which waits at most so long: for who has not started it. */
void loop_step(loop_t *l, unsigned wait_ms);

/* Runs a function in one of the next turns, on the loop's thread, in the order of posting. What was posted before
 * loop_free runs before it returns. RC_NOMEM: it will not run. */
typedef void (*loop_fn)(void *ctx);
NODISCARD rc_t loop_post(loop_t *l, loop_fn fn, void *ctx);

/* Has the owner's turn come soon; from any thread, and without memory. */
void loop_wake(const loop_t *l);

/* Ends its thread, says goodbye to every peer and frees all. Not on its own thread. NULL allowed. */
void loop_free(loop_t *l);

#endif
