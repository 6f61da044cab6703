/* forks.h - networks: presets, fork schedules, blob schedule, signing domains, genesis data. All fork differences of
 * the consensus side are rows of the tables in forks.c.
 *
 * Spec:   consensus-specs presets/, configs/, compute_fork_digest (Fulu: EIP-7892), light-client sync-protocol.md
 * Floor:  2, consensus. May include base/, ssz/, bls/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_forks.c
 */
#ifndef CONSENSUS_FORKS_H
#define CONSENSUS_FORKS_H

#include "base/bytes.h"
#include "base/err.h"

typedef enum { LC_ALTAIR, LC_BELLATRIX, LC_CAPELLA, LC_DENEB, LC_ELECTRA, LC_FULU, LC_GLOAS, LC_FORKS } lc_fork_t;

#define LC_EPOCH_NEVER UINT64_MAX
#define LC_BLOB_ROWS_MAX 32u
#define LC_UNKNOWN_FORKS_MAX 4u
#define LC_MAX_BLOBS_ELECTRA 9u /* MAX_BLOBS_PER_BLOCK_ELECTRA of every public network */

/* What differs in the light-client objects from fork to fork. A new fork is a new row in forks.c. */
typedef struct {
    const char *name;             /* lower case */
    uint32_t execution_fixed_len; /* bytes of ExecutionPayloadHeader before extra_data; 0: the header has none */
    bool blob_fields;             /* blob_gas_used and excess_blob_gas */
    uint8_t execution_branch_len; /* nodes; without an execution header its leaf is the execution block's hash.
                                     0: the header proves nothing of the execution chain */
    uint64_t block_hash_gindex;   /* of that leaf in BeaconBlockBody, for headers of this fork in Gloas form */
    uint64_t finalized_gindex;    /* generalized indices in BeaconState */
    uint64_t current_committee_gindex;
    uint64_t next_committee_gindex;
    uint32_t due_part; /* sync messages are due when one part of so many of a slot has passed */
} lc_layout_t;

typedef struct {
    uint64_t epoch;
    uint64_t max_blobs;
} lc_blob_row_t;

#define LC_FORK_NAME_MAX 32u /* bytes, the NUL included */

/* A fork of a network's own configuration without rows here: nothing can be proven from its epoch on (maybe never). */
typedef struct {
    char name[LC_FORK_NAME_MAX]; /* as in the configuration, lower case */
    uint64_t epoch;
    uint8_t version[4];
} lc_unknown_fork_t;

typedef struct {
    uint64_t slots_per_epoch;   /* 32 mainnet, 8 minimal */
    uint64_t epochs_per_period; /* EPOCHS_PER_SYNC_COMMITTEE_PERIOD: 256, 8 */
    uint32_t committee_size;    /* SYNC_COMMITTEE_SIZE: 512, 32 */
} lc_preset_t;

extern const lc_preset_t LC_PRESET_MAINNET, LC_PRESET_MINIMAL;

typedef struct {
    char name[32];
    lc_preset_t preset;
    uint64_t seconds_per_slot;
    uint64_t genesis_time; /* Unix seconds */
    hash32_t genesis_validators_root;
    uint8_t genesis_fork_version[4];
    uint8_t fork_version[LC_FORKS][4];             /* by lc_fork_t */
    uint64_t fork_epoch[LC_FORKS];                 /* LC_EPOCH_NEVER when not scheduled */
    lc_blob_row_t blob_schedule[LC_BLOB_ROWS_MAX]; /* BLOB_SCHEDULE, by rising epoch */
    size_t blob_rows;
    lc_unknown_fork_t unknown_forks[LC_UNKNOWN_FORKS_MAX]; /* by rising epoch */
    size_t unknown_count;
    uint64_t max_blobs_electra;         /* in force in Fulu before the first row; 0: LC_MAX_BLOBS_ELECTRA */
    uint64_t chain_id;                  /* DEPOSIT_CHAIN_ID: the execution chain id */
    uint64_t min_withdrawability_delay; /* epochs; part of the weak-subjectivity period */
    uint64_t checkpoint_age_epochs;     /* how old a checkpoint may be; 0: min_withdrawability_delay, the part of the
                                           weak-subjectivity period that does not depend on the stake */
} lc_network_t;

/* A built-in network by name: mainnet, sepolia, hoodi. NULL for another name. */
const lc_network_t *lc_network_find(const char *name);

/* Checks a network that a configuration describes: preset within the bounds of this program (no zero, committee size a
 * power of two from 8 to 512), forks and blob rows in rising order, room for slot arithmetic without overflow.
 * RC_REFUSED, with a text that names the key at fault. */
NODISCARD rc_t lc_network_check(err_t *e, const lc_network_t *net);

/* The row of a fork. */
const lc_layout_t *lc_layout(lc_fork_t fork);

/* Whether objects of both forks have one form. */
bool lc_same_form(lc_fork_t a, lc_fork_t b);

/* The fork in force at an epoch (Altair before its epoch too: there are no light-client objects of phase 0), and its
 * lower-case name ("deneb") and back (LC_FORKS: unknown). */
lc_fork_t lc_fork_at_epoch(const lc_network_t *net, uint64_t epoch);
const char *lc_fork_name(lc_fork_t fork);
lc_fork_t lc_fork_from_name(const char *name);

/* "HEZE_FORK_EPOCH", a key of a consensus configuration, to "heze". False: another key, or
 * one with other characters than A to Z, 0 to 9 and _; name is untouched. */
bool lc_fork_of_key(char name[LC_FORK_NAME_MAX], const char *key);

/* compute_fork_version at an epoch: 4 bytes, borrowed from net; the genesis version before Altair. */
const uint8_t *lc_fork_version(const lc_network_t *net, uint64_t epoch);

/* The first fork that has an epoch in the network's configuration and no rows here; NULL: there is none. */
const lc_unknown_fork_t *lc_unknown_fork(const lc_network_t *net);

/* Takes a fork into the network's unknown ones, in order of epochs; one that has an epoch in the place of one that has
 * none, where there are LC_UNKNOWN_FORKS_MAX already. False: there is no room. */
NODISCARD bool lc_unknown_fork_add(lc_network_t *net, const lc_unknown_fork_t *fork);

/* Signing root of a beacon block root under DOMAIN_SYNC_COMMITTEE at a signature slot (compute_domain with the fork
 * version at the epoch of max(signature_slot, 1) - 1, compute_signing_root). */
void lc_signing_root(hash32_t *out, const lc_network_t *net, const hash32_t *beacon_root, uint64_t signature_slot);

/* The same under a fork version of the caller's. */
void lc_signing_root_under(hash32_t *out, const lc_network_t *net, const hash32_t *beacon_root,
                           const uint8_t version[4]);

/* compute_fork_digest at an epoch, and the fork that a digest announces (RC_REFUSED: no such digest on this network). A
 * digest only names the form of the object that follows, so lc_fork_from_digest also takes those under a zero genesis
 * validators root, which clients that start a chain of their own put in front of updates. */
void lc_fork_digest(uint8_t out[4], const lc_network_t *net, uint64_t epoch);
NODISCARD rc_t lc_fork_from_digest(lc_fork_t *out, const lc_network_t *net, const uint8_t digest[4]);

/* Slot arithmetic. */
static inline uint64_t lc_epoch_of_slot(const lc_network_t *net, uint64_t slot)
{
    return slot / net->preset.slots_per_epoch;
}

/* The first slot of an epoch; UINT64_MAX for one that never comes. */
static inline uint64_t lc_first_slot(const lc_network_t *net, uint64_t epoch)
{
    return epoch > UINT64_MAX / net->preset.slots_per_epoch ? UINT64_MAX : epoch * net->preset.slots_per_epoch;
}

/* Whether headers of this slot prove an execution block: from Capella on, whatever form they came in. */
static inline bool lc_proves_execution(const lc_network_t *net, uint64_t slot)
{
    return lc_fork_at_epoch(net, lc_epoch_of_slot(net, slot)) >= LC_CAPELLA;
}
static inline uint64_t lc_period_of_slot(const lc_network_t *net, uint64_t slot)
{
    return slot / (net->preset.slots_per_epoch * net->preset.epochs_per_period);
}
/* The slot at a time; 0 before genesis. */
uint64_t lc_slot_at(const lc_network_t *net, uint64_t now_ms);
/* Unix milliseconds at which a slot begins. */
uint64_t lc_slot_start_ms(const lc_network_t *net, uint64_t slot);

#endif
