/* store.h - the light client store of the specification: what an object must satisfy, and what it changes.
 *
 * One store serves every fork: objects are decoded to one form, and each header is checked by its own, so
 * upgrade_lc_store_to_* has nothing to do. The optimistic header is the specification's (a majority of recent
 * participation moves it); it is not what the node signs: see lc_sync_latest in sync.h for that.
 *
 * Spec:   consensus-specs specs/altair/light-client/sync-protocol.md with the changes of capella, deneb, electra, gloas
 * Floor:  2, consensus. May include base/, ssz/, bls/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_store.c, tests/unit/test_gloas.c, vectors kinds lightclient-mainnet, lightclient-spec,
 *         lightclient-gloas
 */
#ifndef CONSENSUS_STORE_H
#define CONSENSUS_STORE_H

#include "base/err.h"
#include "lightclient/consensus/types.h"

#define LC_MIN_PARTICIPANTS 1u /* MIN_SYNC_COMMITTEE_PARTICIPANTS */

/* A committee that a Merkle branch has proved, with what its first use would compute. */
typedef struct {
    bool known; /* false: SyncCommittee(), the rest is undefined */
    lc_committee_t keys;
    hash32_t root;         /* hash_tree_root(keys) */
    bls_point_t aggregate; /* keys.aggregate_pubkey, in the subgroup */
    bls_known_t
        decoded[LC_COMMITTEE_MAX]; /* of keys, those that valid updates took: nothing rests on what is missing */
} lc_store_committee_t;

/* LightClientStore. Large: heap or static storage. */
typedef struct {
    const lc_network_t *network; /* borrowed */
    lc_header_t finalized_header;
    lc_header_t optimistic_header;
    lc_store_committee_t current_sync_committee;
    lc_store_committee_t next_sync_committee;
    bool has_best_valid_update;
    lc_update_t best_valid_update;
    hash32_t best_committee_root; /* of best_valid_update.next_sync_committee, when it has one */
    bls_point_t best_committee_aggregate;
    uint64_t previous_max_active_participants;
    uint64_t current_max_active_participants;
} lc_store_t;

/* What a valid update says. */
typedef struct {
    hash32_t attested_root;  /* hash_tree_root of the beacon headers */
    hash32_t finalized_root; /* zero without finality, and at genesis */
    uint32_t participants;
    bool supermajority; /* participants * 3 >= committee size * 2 */
} lc_verdict_t;

/* initialize_light_client_store.
 *   out  written only on RC_OK
 * RC_REFUSED: another block root, a committee or execution header that the block does not commit to, or an aggregate
 * key that is none. */
NODISCARD rc_t lc_store_init(lc_store_t *out, err_t *e, const lc_network_t *net, const hash32_t *trusted_root,
                             const lc_bootstrap_t *bootstrap);

/* process_light_client_update (also for finality and optimistic updates, which are updates that lack parts).
 *   verdict  written only on RC_OK
 * RC_OK: valid, whether or not it changed the store. Otherwise the store is byte-identical: RC_REPLAY not newer than
 * the finalized header; RC_NEED_DATA signed by a committee that the store does not know yet; RC_MALFORMED, RC_REFUSED
 * invalid. */
NODISCARD rc_t lc_store_process(lc_store_t *s, lc_verdict_t *verdict, err_t *e, const lc_update_t *update,
                                uint64_t current_slot);

/* validate_light_client_update alone: changes nothing. Results as of lc_store_process. */
NODISCARD rc_t lc_store_check(const lc_store_t *s, lc_verdict_t *verdict, err_t *e, const lc_update_t *update,
                              uint64_t current_slot);

/* process_light_client_store_force_update: gives up waiting for finality after UPDATE_TIMEOUT slots. True when it moved
 * the store. The node never calls this: a head that it signs rests on two thirds of a committee. */
bool lc_store_force_update(lc_store_t *s, uint64_t current_slot);

/* The name of a fork under whose version two thirds of a known committee signed an update that lc_store_process has
 * refused, although by current_slot the network's schedule has that fork not yet, or without a date: the chain has
 * moved on, and the schedule is old. The signature slot, which nobody signs, is not believed: whether a fork of the
 * past was signed too early is not told. NULL: there is none. What else the update says is not checked. */
const char *lc_store_signed_ahead(const lc_store_t *s, const lc_update_t *update, uint64_t current_slot);

/* is_better_update */
bool lc_update_is_better(const lc_network_t *net, const lc_update_t *a, const lc_update_t *b);

/* sum(sync_committee_bits) */
uint32_t lc_participants(const lc_sync_aggregate_t *aggregate, uint32_t committee_size);

#endif
