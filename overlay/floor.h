/* floor.h - whether a node may sign for a slot, by what its attested peers have shown of the chain.
 *
 *     attested -> (what its state claims is judged by our own store) claim, ... -> answered     or gone
 *
 * A claim counts only with the light-client update that proves it; one that is not proven, or of a slot that has not
 * come, is shown and changes nothing. Before its first signature a node has the answer of every attested peer, or that
 * peer is gone; from when it could sign on it waits FLOOR_WAIT_MS for each platform, however often that connects anew,
 * and FLOOR_WAIT_ALL_MS in all. It never signs below a slot for which it has signed, or a peer had when it began. A
 * proven head is taken over by the node's own store (not here); while the node's usable head is behind it by more than
 * a bound, it does not sign. Once two proven headers of one slot contradict each other it does not sign any more.
 *
 * Spec:   overlay-facts-more C5 to C7
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_floor.c, tests/overlay/floor_world.c
 */
#ifndef OVERLAY_FLOOR_H
#define OVERLAY_FLOOR_H

#include "base/bytes.h"
#include "base/err.h"

#define FLOOR_PEERS_MAX 64u
#define FLOOR_WAIT_MS 20000u     /* for the answers of one platform, */
#define FLOOR_WAIT_ALL_MS 60000u /* and of all */
#define FLOOR_BOUND_SLOTS 3u     /* a usable head may be so many slots behind a proven one */

/* What our own store says of a claim. */
typedef enum {
    FLOOR_UNPROVEN, /* nothing, or not that, is proven */
    FLOOR_PROVEN,   /* this slot is */
    FLOOR_LATER     /* not to be told yet: its signers are not known so far */
} floor_proof_t;

/* What is claimed of the slot: that the chain has a head there, or also that the peer has signed for it. */
typedef enum { FLOOR_HEAD, FLOOR_SIGNED } floor_kind_t;

typedef struct {
    uint64_t number; /* of its connection; 0: free */
    bool answered;
    hash32_t platform;
} floor_peer_t;

/* A platform for which the first signature has waited. */
typedef struct {
    hash32_t platform;
    uint64_t until_ms;
} floor_wait_t;

typedef struct {
    floor_peer_t peers[FLOOR_PEERS_MAX];
    floor_wait_t waits[FLOOR_PEERS_MAX];
    size_t wait_count;
    uint64_t waits_until_ms; /* for all; 0: it has not waited yet */
    bool begun;              /* something was signed */
    uint64_t signed_slot;    /* the highest that was, or that a peer proved before */
    uint64_t head;           /* our usable one */
    uint64_t proven;         /* the highest head that a peer proved */
    bool is_split;
    uint64_t split_slot;
} floor_t;

/* A peer's connection is attested. RC_LIMIT: there are too many to wait for; it is not waited for then. */
NODISCARD rc_t floor_attested(floor_t *f, uint64_t number, const hash32_t *platform);

/* It is over: nobody waits for it any more. */
void floor_gone(floor_t *f, uint64_t number);

/* One claim of a peer, as our store judged it. slot_now: which slot it is, as far as it is known. True: it is told yet;
 * false: it is to be judged again later. */
bool floor_claim(floor_t *f, floor_kind_t kind, uint64_t slot, floor_proof_t proof, uint64_t slot_now);

/* All that its state claimed is judged. */
void floor_answered(floor_t *f, uint64_t number);

/* Our usable head. */
void floor_head(floor_t *f, uint64_t slot);

/* Two headers of this slot are proven. */
void floor_split(floor_t *f, uint64_t slot);

/* Whether the node may sign for a slot, now; what it waits for before its first signature, it waits for from then on.
 * now_ms: above 0. RC_NEED_DATA: peers have not answered yet; RC_REFUSED: why not. */
NODISCARD rc_t floor_may_sign(floor_t *f, err_t *e, uint64_t slot, uint64_t now_ms);

/* It has signed for a slot. */
void floor_signed(floor_t *f, uint64_t slot);

#endif
