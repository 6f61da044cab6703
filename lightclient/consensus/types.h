/* types.h - light-client containers, decoded from SSZ. One decoded form serves every fork; what differs is in the
 * layout table of types.c.
 *
 * Spec:   consensus-specs specs/{altair,capella,deneb,electra,gloas}/light-client/sync-protocol.md
 * Floor:  2, consensus. May include base/, ssz/, bls/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_lc_types.c, tests/fuzz/fuzz_lc_types.c
 */
#ifndef CONSENSUS_TYPES_H
#define CONSENSUS_TYPES_H

#include "base/bytes.h"
#include "base/rc.h"
#include "base/u256.h"
#include "lightclient/bls/bls.h"
#include "lightclient/consensus/forks.h"

#define LC_COMMITTEE_MAX 512u
#define LC_EXTRA_DATA_MAX 32u
#define LC_EXECUTION_BRANCH_MAX 11u
#define LC_BRANCH_MAX 11u
#define LC_OBJECT_LEN_MAX 65536u /* bytes of the largest SSZ object accepted */

typedef struct {
    uint64_t slot;
    uint64_t proposer_index;
    hash32_t parent_root;
    hash32_t state_root;
    hash32_t body_root;
} lc_beacon_t;

/* ExecutionPayloadHeader; blob fields are zero before Deneb. */
typedef struct {
    hash32_t parent_hash;
    addr_t fee_recipient;
    hash32_t state_root;
    hash32_t receipts_root;
    uint8_t logs_bloom[256];
    hash32_t prev_randao;
    uint64_t block_number;
    uint64_t gas_limit;
    uint64_t gas_used;
    uint64_t timestamp; /* seconds */
    uint8_t extra_data[LC_EXTRA_DATA_MAX];
    uint8_t extra_data_len;
    u256_t base_fee_per_gas; /* wei */
    hash32_t block_hash;
    hash32_t transactions_root; /* SSZ root, not the execution trie's */
    hash32_t withdrawals_root;  /* SSZ root */
    uint64_t blob_gas_used;
    uint64_t excess_blob_gas;
    uint64_t slot_number; /* never on the wire: of a header that was fetched by its hash, from Amsterdam on */
} lc_execution_t;

/* LightClientHeader. fork says which form it had on the wire; execution is all zero before Capella. From Gloas on only
 * execution.block_hash is there: of the block that the beacon block builds on, not of its own payload. */
typedef struct {
    lc_fork_t fork;
    lc_beacon_t beacon;
    lc_execution_t execution;
    hash32_t execution_branch[LC_EXECUTION_BRANCH_MAX]; /* zeros before a shorter one */
} lc_header_t;

/* Whether the header is in a form that has only the hash of its execution block. */
static inline bool lc_header_by_hash(const lc_header_t *h)
{
    const lc_layout_t *form = lc_layout(h->fork);
    return form->execution_branch_len && !form->execution_fixed_len;
}

typedef struct {
    bls_pubkey_t pubkeys[LC_COMMITTEE_MAX]; /* the first preset.committee_size are used */
    bls_pubkey_t aggregate_pubkey;
} lc_committee_t;

typedef struct {
    uint8_t bits[LC_COMMITTEE_MAX / 8];
    uint8_t signature[BLS_SIG_LEN];
} lc_sync_aggregate_t;

typedef struct {
    lc_header_t header;
    lc_committee_t committee;
    hash32_t committee_branch[LC_BRANCH_MAX];
    uint8_t committee_branch_len;
} lc_bootstrap_t;

/* LightClientUpdate; finality and optimistic updates are the same without the parts that their kind lacks. */
typedef struct {
    lc_header_t attested_header;
    bool has_committee;                 /* is_sync_committee_update: the branch on the wire is not all zero */
    lc_committee_t next_sync_committee; /* undefined unless has_committee */
    hash32_t committee_branch[LC_BRANCH_MAX];
    uint8_t committee_branch_len;
    bool has_finality;            /* is_finality_update: the branch on the wire is not all zero */
    lc_header_t finalized_header; /* all zero unless has_finality */
    hash32_t finality_branch[LC_BRANCH_MAX];
    uint8_t finality_branch_len;
    lc_sync_aggregate_t sync_aggregate;
    uint64_t signature_slot;
} lc_update_t;

typedef enum { LC_BOOTSTRAP = 1, LC_UPDATE, LC_FINALITY, LC_OPTIMISTIC } lc_kind_t;

/* Decoders: out is caller-owned (large: not for the stack of a small thread), undefined unless RC_OK.
 * RC_MALFORMED: any length or offset that the SSZ schema of that fork does not allow, or an absent part (all-zero
 * branch) whose committee or header is not all zero (validate_light_client_update demands that, so it is not left to
 * the store). */
NODISCARD rc_t lc_bootstrap_decode(lc_bootstrap_t *out, const lc_network_t *net, lc_fork_t fork, view_t ssz);
NODISCARD rc_t lc_update_decode(lc_update_t *out, const lc_network_t *net, lc_fork_t fork, lc_kind_t kind, view_t ssz);

/* hash_tree_root of BeaconBlockHeader, ExecutionPayloadHeader (in the form of fork), SyncCommittee. */
void lc_beacon_root(hash32_t *out, const lc_beacon_t *h);
void lc_execution_root(hash32_t *out, const lc_execution_t *h, lc_fork_t fork);
void lc_committee_root(hash32_t *out, const lc_committee_t *c, uint32_t committee_size);

/* True when every field of the header, fork aside, is zero: LightClientHeader(). */
bool lc_header_is_zero(const lc_header_t *h);

/* is_valid_light_client_header: the execution header, or the execution block's hash, is the one that the beacon header
 * commits to, by the fork at its slot; before Capella there is none, before Deneb there are no blob fields.
 * RC_MALFORMED: with an execution header, at a slot whose block commits to a hash only; RC_REFUSED: otherwise. */
NODISCARD rc_t lc_header_verify(const lc_header_t *h, const lc_network_t *net);

/* Whether the hash in a header that was refused is the block's own payload's (bid.block_hash) instead of its parent's,
 * by the place that its branch begins at. That place is 14 deep, and a header has room for the lowest 11 nodes: enough
 * to say where it was taken from, never to prove it. */
bool lc_header_of_own_payload(const lc_header_t *h, const lc_network_t *net);

/* is_valid_normalized_merkle_branch: like ssz_branch_verify for a branch that may be longer than gindex needs, when the
 * object is of an older fork than its container: the surplus at the front must be zero. */
NODISCARD rc_t lc_branch_verify(const hash32_t *root, const hash32_t *leaf, uint64_t gindex, const hash32_t *branch,
                                size_t count);

#endif
