/* rollcall.h - the contract's roll of members for a node that names no peers: read on proven state at each new head,
 * kept while it is young, and looked at by the rules of node/p2p/muster.h.
 *
 *     a new head -> the roll is read -> kept
 *                   failed -> again after ROLLCALL_AGAIN_MS, or with the next head; the kept one, as long as its block
 *                   is younger than max_age_s, still says where to dial, and nobody founds
 *
 * Spec:   docs/sdk.md
 * Floor:  5, node/p2p. Any thread.
 * Tests:  tests/unit/test_p2p_rollcall.c, tests/e2e (muster)
 */
#ifndef NODE_P2P_ROLLCALL_H
#define NODE_P2P_ROLLCALL_H

#include "node/config/membership.h"
#include "node/p2p/muster.h"
#include "node/query/ask.h"

#define ROLLCALL_AGAIN_MS 4000u
#define ROLLCALL_TURN_MS 5000u /* a kept roll grows old */

typedef struct rollcall rollcall_t;

/* Everything borrowed until rollcall_free. */
typedef struct {
    ask_t *ask;
    const evm_chain_t *chain;
    ex_cache_t *cache;
    const membership_t *membership;
    uint16_t port; /* at which members are dialled */
    uint64_t (*now_s)(void *ctx);
    /* The address of the key that is this node's member. False: it has none, or not yet. */
    bool (*self)(void *ctx, addr_t *out);
    void (*read)(void *ctx); /* a reading has ended: rollcall_turn; must not wait for anything */
    void *ctx;
} rollcall_config_t;

/* NULL: out of memory. */
rollcall_t *rollcall_new(const rollcall_config_t *config);

/* After ask_free of its engine, so that no query is on its way. NULL is allowed. */
void rollcall_free(rollcall_t *r);

/* The head at which the roll is to be read; also told again. Copied. */
void rollcall_head(rollcall_t *r, const ex_block_t *block);

/* Begins to read when it is time; when to turn next (monotonic milliseconds). */
uint64_t rollcall_turn(rollcall_t *r, uint64_t now_ms);

/* Whom to dial, and which cluster is one to join. */
typedef struct {
    muster_anchor_t anchor;
    config_peer_t peers[MUSTER_DIAL_MAX];
    size_t count;
} rollcall_list_t;
void rollcall_list(rollcall_t *r, rollcall_list_t *out);

/* Whether this node is to found the cluster now; why: what is waited for. Of muster_view_t: answers, is_kept. */
muster_do_t rollcall_muster(rollcall_t *r, err_t *why, bool answers, bool is_kept, uint64_t now_ms);

#endif
