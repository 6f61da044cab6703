/* gather.h - a node that waits for its operators' shares: a key to which each of them sends his, the shares that came,
 * and, once there are enough, the generation that they are.
 *
 * A share counts when the holder of an operator's key sent it (box_seal_from), what the generation's key signed names
 * its hash, and the generation is a committed one: else one operator could keep the others' shares out by a newer
 * generation that he made up. Who does not hold one of the measured configuration's keys cannot bring anything here; so
 * many of them together could bring a key that they chose, but they could read the cluster's as well.
 *
 * Spec:   overlay-facts-more G
 * Floor:  4, overlay. No I/O, clock or thread; one block of locked memory, and a copy of the recovery.
 * Tests:  tests/unit/test_recovery.c
 */
#ifndef OVERLAY_GATHER_H
#define OVERLAY_GATHER_H

#include "overlay/recovery.h"

typedef struct gather gather_t;

/* A gatherer for these holders, copied. take_random: X25519_LEN bytes, wiped in any case. RC_NOMEM. */
NODISCARD rc_t gather_new(gather_t **out, const key_holders_t *holders, uint8_t take_random[X25519_LEN]);

/* Wipes; NULL allowed. */
void gather_free(gather_t *g);

/* The X25519 key that shares are sent to. */
const uint8_t *gather_pubkey(const gather_t *g);

/* A share, as an operator sends it. */
typedef struct {
    view_t recovery; /* the bytes of recovery.h */
    unsigned holder; /* whose share it is, from 0 */
    uint8_t nonce[BOX_NONCE_LEN];
    view_t sealed; /* box_seal_from of KEY_SHARE_LEN bytes */
} gather_share_t;

/* Takes it. Of two recoveries the one of the newer generation counts, whose shares are gathered anew then; of one
 * generation that with the higher order.
 *   rules  of orders, with the cluster that this node is pinned to
 * RC_MALFORMED, RC_LIMIT: it does not read; RC_REFUSED: not for these holders, not signed, of no committed generation
 * or another cluster, not from this holder, or not the share whose hash stands there; RC_REPLAY: of an older
 * generation, or this holder's is here; RC_NOMEM. */
NODISCARD rc_t gather_take(gather_t *g, err_t *e, const gather_share_t *share, const order_rules_t *rules);

/* Shares that are here, and how many are needed. */
unsigned gather_count(const gather_t *g, unsigned *needed);

/* What they are shares of; NULL: none came yet. bytes: NULL allowed. Until the next gather_take. */
const recovery_t *gather_recovery(const gather_t *g, view_t *bytes);

/* Joins them in a ring: as keyring_join. RC_NEED_DATA: they are too few. */
NODISCARD rc_t gather_join(const gather_t *g, keyring_t *ring);

#endif
