/* lookup.h - the search for one peer's addresses in a Kademlia table that others keep: whom to ask next, at most
 * LOOKUP_AT_ONCE at a time, and what was told of the peer, which is tried meanwhile.
 *
 *     lookup_init, lookup_seed ...
 *     while (!lookup_over(l, now)) {
 *         while ((t = lookup_next(l, now)) != LOOKUP_NONE)    l->tries[t]: dial `at`; of a peer that is not the
 *             ...                                             target ask kad_find_node
 *         lookup_answer(l, t, message) or lookup_failed(l, t) each ends the try
 *     }
 *
 * Nothing told is believed. Addresses are numbers; one inside a network is taken only from a peer that was itself
 * reached inside one, one of this machine only from this machine: nobody outside has this node dial what is within.
 * That who answers at an address is the target its handshake proves, and until it did the search goes on. So those who
 * are asked can hide a peer, never give another one.
 *
 * The bootstrap peers come first, all of them, then whoever is nearest of what was told. Of one answer at most
 * LOOKUP_TAKEN are taken, the nearest, so that nobody alone fills the search.
 *
 * Spec:   libp2p/specs kad-dht/README.md, "Peer routing"
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_kad.c, tests/fuzz/fuzz_kad.c
 */
#ifndef OVERLAY_LOOKUP_H
#define OVERLAY_LOOKUP_H

#include "overlay/wire/kad.h"

#define LOOKUP_MS 10000u    /* whole */
#define LOOKUP_TRY_MS 3000u /* one address, from the dial to the answer */
#define LOOKUP_AT_ONCE 3u   /* peers asked, and as many addresses of the target dialled beside them */
#define LOOKUP_ASKED_MAX 20u
#define LOOKUP_SEEDS_MAX 8u
#define LOOKUP_TAKEN 8u
#define LOOKUP_KNOWN 48u          /* peers that are kept */
#define LOOKUP_TARGET_ADDRS 16u   /* addresses of the target */
#define LOOKUP_TARGET_PER_PEER 4u /* ... that one peer may tell */
#define LOOKUP_TRIES (2u * LOOKUP_AT_ONCE)
#define LOOKUP_NONE SIZE_MAX

typedef struct {
    kad_peer_t peer;
    hash32_t distance;
    size_t next; /* address to be tried */
    bool seed, asked, busy, over;
} lookup_peer_t;

typedef struct {
    bool busy, target;
    size_t who; /* in known, unless it is the target */
    maddr_t at;
    uint64_t until_ms;
} lookup_try_t;

typedef struct {
    peerid_t target, self;
    hash32_t target_hash;
    uint64_t until_ms;
    lookup_peer_t known[LOOKUP_KNOWN];
    size_t known_count, seed_count, asked_count;
    maddr_t told[LOOKUP_TARGET_ADDRS]; /* of the target */
    size_t told_count, told_next;
    lookup_try_t tries[LOOKUP_TRIES];
    kad_answer_t answer;
} lookup_t;

/* A search that has not begun, by who is self. Its time runs from now on. */
void lookup_init(lookup_t *l, const peerid_t *target, const peerid_t *self, uint64_t now_ms);

/* A peer to begin with: numbers, and its id in it. RC_REFUSED: without; RC_LIMIT: too many. One that is the target
 * itself is only dialled. */
NODISCARD rc_t lookup_seed(lookup_t *l, const maddr_t *at);

/* The next try, begun now; LOOKUP_NONE: none for the moment. */
size_t lookup_next(lookup_t *l, uint64_t now_ms);

/* Ends a try: with the answer, without its length, or without one. Of a try that is not under way: nothing. */
void lookup_answer(lookup_t *l, size_t t, view_t message);
void lookup_failed(lookup_t *l, size_t t);

/* A try whose time is over, still to be ended; LOOKUP_NONE: none. */
size_t lookup_late(const lookup_t *l, uint64_t now_ms);

/* Nothing is left to try, or the time is over. */
bool lookup_over(const lookup_t *l, uint64_t now_ms);

#endif
