/* enter.h - the way into a cluster, for the thread that begins a service: each step waits until it is done, and says
 * what it waits for (cluster_say).
 *
 * What a member says of the chain is where to begin, not what to believe: the key is asked for once this node itself
 * has verified a finalized header that builds on the root that members name, or, where it reads the contract's list on
 * a chain from a checkpoint of its own, once both have the same finalized block. A node with an invented chain never
 * comes there, and so gets no key.
 *
 * Spec:   issue 13, steps 2 and 6; overlay-facts-more E9, E12
 * Floor:  5, node/cluster.
 * Tests:  tests/unit/test_enter.c, tests/e2e (cluster)
 */
#ifndef NODE_CLUSTER_ENTER_H
#define NODE_CLUSTER_ENTER_H

#include "node/chain/follow.h"
#include "node/cluster/cluster.h"
#include "node/evidence/setup.h"
#include "node/p2p/muster.h"

#define ENTER_ALONE_MS 8000u    /* without configured peers: how long former ones are waited for; */
#define ENTER_ATTEST_MS 90000u  /* longer while one of them attests */
#define ENTER_REFUSED_MS 60000u /* that every peer refuses this node without a break, before it is for good */
#define ENTER_SYNC_MS 120000u   /* to verify a finalized header from one root, before a newer one is tried */

typedef struct {
    cluster_t *cluster;
    const config_t *config;
    bool (*stopping)(void *ctx);
    void *stop_ctx;
    bool recovers; /* cluster_may_recover: no other key is made, and shares are waited for */
    /* Of a node that comes together with others by the contract's list: whether it founds the cluster now, and what is
     * waited for (node/p2p/muster.h). NULL: of another one. */
    muster_do_t (*musters)(void *ctx, err_t *why, bool answers, bool is_kept);
    void *musters_ctx;
    bool gives_up; /* who is refused by every peer does not wait for ever */
} enter_t;

/* Waits for a cluster whose statement is what we would say ourselves, and takes that over: of members, or, when nobody
 * holds its key any more, of what brings that back (out->is_recovered).
 *   setup, a  as setup_join
 * RC_NEED_DATA: no peers are configured, and no former member holds a key any more, or this node founds by the list;
 * RC_REFUSED, with TRIAL_FOR_GOOD: no peer lets this node join; RC_TIMEOUT: it is to stop. */
NODISCARD rc_t enter_find(const enter_t *x, setup_t *setup, cluster_offer_t *out, err_t *e, arena_t *a,
                          const setup_world_t *world);

/* Waits until the follower, which began at the offer's root, has verified a finalized header from there; or, where it
 * began at a root of its own, until its finalized block is the offer's. RC_NEED_DATA: it takes too long, or is another
 * one: with a newer offer again; RC_TIMEOUT: it is to stop. */
NODISCARD rc_t enter_verify(const enter_t *x, err_t *e, follow_t *follow, const cluster_offer_t *offer);

/* Verifies a finalized header from where the follower began, and brings the key back. RC_NEED_DATA: not now, for a
 * reason that is said; RC_TIMEOUT: it is to stop. */
NODISCARD rc_t enter_restore(const enter_t *x, err_t *e, follow_t *follow, const cluster_offer_t *offer);

/* Asks for the key and waits until it signs: one that a newer order made does from its slot on. RC_REFUSED: pinned to
 * another cluster; RC_TIMEOUT: it is to stop. */
NODISCARD rc_t enter_key(const enter_t *x, err_t *e, follow_t *follow, const cluster_offer_t *offer);

#endif
