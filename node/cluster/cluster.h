/* cluster.h - where overlay and node meet: a loop with the members of the cluster, the threads that make and verify
 * evidence, and what a node that joins needs to know.
 *
 *     no peers:  cluster_start -> cluster_found
 *     by list:   cluster_start -> cluster_listed, again and again -> as with peers, or cluster_found
 *     peers:     cluster_start -> cluster_offer -> (statement compared, a finalized header verified) -> cluster_want ->
 *                cluster_has_key
 *
 * node/cluster/enter.h walks that path. Signed records of members are kept in the state directory (file "peers"), so
 * that a node that had none in its setup finds its cluster again; they are hints, nothing more.
 *
 * Spec:   overlay-facts 8, 10; overlay-facts-more C, E9, E12; issue 13, step 6
 * Floor:  5, node/cluster. Any thread. Runs a loop and three workers.
 * Tests:  tests/unit/test_cluster_heads.c, tests/unit/test_cluster_refused.c, tests/e2e (cluster)
 */
#ifndef NODE_CLUSTER_CLUSTER_H
#define NODE_CLUSTER_CLUSTER_H

#include "base/json.h"
#include "node/chain/claims.h"
#include "node/chain/objects.h"
#include "node/config/config.h"
#include "node/evidence/attest.h"
#include "node/p2p/rollcall.h"
#include "overlay/side.h"
#include "overlay/state.h"
#include "rpc/upstream/endpoints.h"

typedef struct cluster cluster_t;

/* Everything borrowed until cluster_free. */
typedef struct {
    const config_t *config;
    const char *state_dir; /* NULL: nothing is kept */
    const tee_provider_t *tee;
    attest_t *attest;   /* collects already */
    objects_t *objects; /* what the follower accepts: given to members who ask */
    claims_t *claims;   /* what members claim of the chain: to be judged by the follower */
    hc_t *http;
    up_t *consensus; /* beacon APIs that are asked for what a member wants and this node does not keep */
    keyring_t *ring; /* generations of the cluster's key */
    const keyring_t *node_key;
    uint8_t node_pubkey[33];
    int64_t (*now_s)(void *ctx); /* Unix seconds: what time it is at least; any thread */
    void *time_ctx;
    /* Told on the loop's thread when another key signs, or one that will is held: cluster_key. */
    void (*keyed)(void *ctx);
    void *keyed_ctx;
    const side_owner_t *side; /* what else is said to members, on the loop's thread; borrowed. NULL: nothing */
    bool by_list;             /* peers come from cluster_listed, and no cluster is one to join that it does not admit */
} cluster_config_t;

/* A cluster that attested members are in, and where the chain is that they follow. */
typedef struct {
    uint8_t pubkey[33]; /* of its first generation */
    hash32_t setup;     /* hash of its statement */
    uint8_t statement[STATE_STATEMENT_MAX];
    size_t statement_n;
    bool has_root; /* the highest finalized root that two of them name, or one; false: none does, or they contradict */
    hash32_t root;
    uint64_t slot;
    uint8_t by[33];    /* static key of a member that names it */
    bool is_recovered; /* nobody is in it any more, and its key can be brought back: cluster_restore */
} cluster_offer_t;

/* Members, as far as they are. */
typedef struct {
    unsigned connected, attested, holders; /* each a part of the one before */
    unsigned addresses, untried;           /* that are known; of which were never dialled to an end */
    bool knows_list;                       /* of a cluster by_list: the list was read, and not too long ago */
} cluster_count_t;

/* Opens the port and dials what is known. A port that is taken is tried again, and is no failure. RC_NOMEM, RC_IO. */
NODISCARD rc_t cluster_start(cluster_t **out, err_t *e, const cluster_config_t *config);

/* Ends connections and threads: nothing that is borrowed is used any more. What was seen may still be shown. NULL
 * allowed. */
void cluster_stop(cluster_t *c);

/* After everybody who shows it. NULL allowed. */
void cluster_free(cluster_t *c);

/* Whether an earlier run has kept addresses of members in the state directory (NULL: none). */
bool cluster_is_kept(const char *state_dir);

/* Of a cluster by_list: whom to dial from now on in place of those before, and which cluster is one to join. A node
 * that is in another one than the contract names signs no more. Copied; not on the loop's thread. */
void cluster_listed(cluster_t *c, const rollcall_list_t *list);

/* Counts them. */
void cluster_count(cluster_t *c, cluster_count_t *out);

/* Whether every configured peer has answered, each refuses this node, is refused by it, runs another order or is in
 * a cluster that was turned down, and no other member is there: why, of the first of them. */
bool cluster_is_refused(cluster_t *c, err_t *why);

/* The cluster to join: of those that members are in, and that were not turned down, the one whose member stands first
 * in the list of peers. False: none yet. */
bool cluster_offer(cluster_t *c, cluster_offer_t *out);

/* The chain could not be verified from the root of an offer: those that other members name are tried first. */
void cluster_misled(cluster_t *c, const cluster_offer_t *offer);

/* That cluster is not ours to join: why. It is offered no more. */
void cluster_turn_down(cluster_t *c, const uint8_t pubkey[33], const err_t *why);

/* Asks holders for the key of this cluster, from now on. */
NODISCARD rc_t cluster_want(cluster_t *c, err_t *e, const uint8_t pubkey[33]);
bool cluster_has_key(cluster_t *c);

/* Founds a cluster with the key that the ring holds already. */
NODISCARD rc_t cluster_found(cluster_t *c, err_t *e, const hash32_t *setup);

/* --- when all who held the key have died (overlay/recovery.h) --- */

/* Whether this node is to bring back the key of a former cluster, and to make none by itself: there is what an earlier
 * run kept, or it is pinned to a cluster. */
bool cluster_may_recover(const config_t *config, const char *state_dir);

/* The cluster whose key can be brought back now: this TEE sealed it, or enough shares have come. False: none. */
bool cluster_recovers(cluster_t *c, cluster_offer_t *out);

/* Brings it back, with the order that was in force. RC_REFUSED, RC_REPLAY: a newer order or generation is known; that
 * order excludes this node; it is of another cluster than ours. */
NODISCARD rc_t cluster_restore(cluster_t *c, err_t *e);

/* It was not brought back, for this: shares are gathered anew, what was sealed is not looked at any more. */
void cluster_recovery_failed(cluster_t *c, const err_t *why);

/* What is waited for, as a sentence; empty: nothing that is worth one. */
void cluster_recovery_said(cluster_t *c, char out[240]);

/* The body of GET /v1/recovery/shares. RC_NEED_DATA: there are none. */
NODISCARD rc_t cluster_recovery_shares(cluster_t *c, err_t *e, jw_t *w);

/* The body of GET /v1/recovery, in the arena: evidence over this nonce and the key that shares are sent to. RC_REFUSED:
 * no shares here; RC_REPLAY: this node holds the key; RC_NEED_DATA: no collateral yet; as attest_evidence. */
NODISCARD rc_t cluster_recovery_evidence(cluster_t *c, view_t *out, err_t *e, arena_t *a, const uint8_t nonce[32]);

/* Takes the body of POST /v1/recovery. As gather_take, and as cluster_recovery_evidence. */
NODISCARD rc_t cluster_take_share(cluster_t *c, err_t *e, arena_t *a, view_t json);

/* What members are told: the cluster's statement (kept until cluster_stop), and the finalized header. slot 0: none is
 * known yet. */
void cluster_tell(cluster_t *c, view_t statement, uint64_t slot, const hash32_t *root);

/* Our verified head: from which slot on another generation signs is counted by it. */
void cluster_head(cluster_t *c, uint64_t slot);

/* Whether this node may sign for the slot of its usable head now: with the newest committed generation, which it holds,
 * no order excludes it, and nothing that members have proven of the chain is against it (overlay/floor.h). why:
 * RC_REFUSED and the reason; RC_NEED_DATA: members have not said yet what they signed. unserved: of follow_view_t. */
bool cluster_signs(cluster_t *c, err_t *why, uint64_t slot, bool unserved);

/* A number that is another one whenever another generation signs, or this node signs no more. */
uint64_t cluster_turn(const cluster_t *c);

/* It has signed for a slot. */
void cluster_signed(cluster_t *c, uint64_t slot);

/* The public keys of the generation that signs, and of the newest that is held; zeros: none. */
void cluster_key(cluster_t *c, uint8_t present[33], uint8_t next[33]);

/* Takes an order of the operators (overlay/order.h: its bytes, the policy's text at their end). RC_OK too when it is in
 * force already. RC_MALFORMED, RC_LIMIT, RC_REFUSED, RC_REPLAY: not above the one in force; RC_NEED_DATA: our own
 * evidence is not verified yet; RC_NOMEM. */
NODISCARD rc_t cluster_take_order(cluster_t *c, err_t *e, view_t order);

/* Writes the body of GET /v1/keys. RC_NOMEM. */
NODISCARD rc_t cluster_keys(cluster_t *c, err_t *e, jw_t *w);

/* Writes the body of GET /v1/keys/releases. RC_NEED_DATA: the overlay has ended; RC_NOMEM. */
NODISCARD rc_t cluster_releases(cluster_t *c, err_t *e, jw_t *w);

/* How the cluster stands, for GET /v1/attest; is_there false: no key signs. */
void cluster_attested(cluster_t *c, attestation_cluster_t *out);

/* What a node that has no key yet waits for, as a sentence. */
void cluster_say(cluster_t *c, const char *text);
void cluster_said(cluster_t *c, char out[240]);

/* Writes the member "overlay" of /v1/status; the list of GET /v1/peers. */
void cluster_status(cluster_t *c, jw_t *w);
void cluster_peers(cluster_t *c, jw_t *w);

#endif
