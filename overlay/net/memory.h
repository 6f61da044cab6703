/* memory.h - a network inside one process: what replaces sockets in tests. Its time is virtual, and all that it
 * does follows from a seed: delay, loss (which a reliable transport shows as more delay), reordering between streams,
 * dials that fail, and links that are cut.
 *
 * As on the real ones, a dial takes two round trips until both ends are OPEN, the listener first; a stream has a window
 * of NET_WINDOW; the bytes of one stream stay in order.
 *
 * Floor:  4, overlay/net. No socket, clock or thread. Not part of the node: a library of its own.
 * Tests:  tests/unit/test_net.c
 */
#ifndef OVERLAY_NET_MEMORY_H
#define OVERLAY_NET_MEMORY_H

#include "overlay/net/net.h"

typedef struct memory memory_t;

typedef struct {
    uint32_t delay_min_ms, delay_max_ms; /* of each message, one way */
    uint32_t loss_per_mille;             /* a lost message comes a second later, lost again with the same chance */
    uint32_t dial_fail_per_mille;
} memory_faults_t;

/* An empty network at the time 0. It is to be freed after all nodes in it. RC_NOMEM. */
NODISCARD rc_t memory_new(memory_t **out, uint64_t seed, const memory_faults_t *faults);
void memory_free(memory_t *m);

/* Gives a node a transport of this network, of both kinds; it is reached at what it listens on. RC_NOMEM. */
NODISCARD rc_t memory_join(memory_t *m, net_t *n);

/* Takes a node out before it is freed, as if its machine had lost power: its peers notice by silence. */
void memory_leave(memory_t *m, net_t *n);

/* Cuts the link between two nodes, or heals it. What would arrive meanwhile arrives when it is healed, as it would be
 * sent again; a connection over a cut link ends NET_IDLE_MS later at both ends unless it is healed before. */
void memory_cut(memory_t *m, const net_t *a, const net_t *b, bool cut);

/* Lets time pass until there is nothing more to do before that time, or forever when nothing is left to happen. */
void memory_run(memory_t *m, uint64_t until_ms);
uint64_t memory_now(const memory_t *m);

/* The next random number of the network's seed, for tests that draw from the same. */
uint64_t memory_random(memory_t *m);

#endif
