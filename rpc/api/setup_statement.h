/* setup_statement.h - what a setup means, in two JSON objects that hold no secret: the cluster statement and the node
 * statement.
 *
 * The cluster statement is made once, by the node that makes the first key, and belongs to that key for ever: it is the
 * same on every member, and its SHA-256 is `setup`, the member of every signed statement. The node statement says how
 * this one program may be told what to do. GET /v1/attest and GET /v1/status show both; the quote of /v1/attest binds
 * both by their SHA-256.
 *
 *   { "chain_id": 1, "checkpoint": { "age_max_s": 0, "found": "configuration", "root": "0x..." }, "development": false,
 *     "kettle": "cluster-statement/1",
 *     "network": { "digest": "0x...", "forks_until": 1767747671, "genesis_validators_root": "0x...",
 *                  "name": "mainnet" },
 *     "policy_signers": "0x...", "recovery": "none",
 *     "rules": { "call_gas": 50000000, "finalized_age_s": 6144, "head_age_s": 300,
 *                "valid_s": { "block": 86400, "finalized": 1800, "latest": 120, "safe": 1800 } },
 *     "simulated": false }
 *
 *   { "default_block": "latest", "kettle": "node-statement/1",
 *     "may_set": { "environment": ["STATE_DIRECTORY"], "flags": ["api-port"], "setup": ["peers", "port"] },
 *     "policy": { "digest": "0x...", "version": 1 }, "program": "0.1.0" }
 *
 * (without the spaces.) Where operators hold shares of the key, they stand behind the word, keys ascending:
 *
 *     "recovery": "shares", "recovery_shares": { "keys": ["0x...", "0x...", "0x..."], "threshold": 2 }
 *
 * A checkpoint that several servers named has two members more: "by", the host names of those
 * that agreed, and "of", how many were asked:
 *
 *     "checkpoint": { "age_max_s": 0, "by": ["a.example", "c.example"], "found": "configuration", "of": 3, "root": .. }
 *
 * Both are canonical (RFC 8785): a text that says the same otherwise is refused, so that one meaning has one hash. All
 * text is printable ASCII, all integers are below 2^53.
 *
 * Spec:   RFC 8785
 * Floor:  3, rpc/api. Pure.
 * Tests:  tests/unit/test_setup_statement.c, tests/fuzz/fuzz_setup_statement.c
 */
#ifndef RPC_API_SETUP_STATEMENT_H
#define RPC_API_SETUP_STATEMENT_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define SETUP_STATEMENT_MAX 8192u               /* bytes of either text */
#define SETUP_INT_MAX (((uint64_t)1 << 53) - 1) /* of a JSON integer that every reader understands */
#define SETUP_NAME_MAX 31u                      /* characters of a network's name, of a program's version */
#define SETUP_NAMES_MAX 64u                     /* names in one list of may_set */
#define SETUP_HOSTS_MAX 16u                     /* servers that may name a checkpoint, */
#define SETUP_HOST_MAX 64u                      /* characters of the host name of each */

/* Who named the checkpoint, which everything is proven from, or the servers that did. */
typedef enum {
    SETUP_FOUND_CONFIGURATION, /* the configuration in the measured image */
    SETUP_FOUND_SETUP          /* whoever sent POST /setup */
} setup_found_t;

/* How a block was asked for, which decides how long a signature is to be relied upon. */
typedef enum { SETUP_BY_LATEST, SETUP_BY_SAFE, SETUP_BY_FINALIZED, SETUP_BY_BLOCK, SETUP_BY_COUNT } setup_by_t;

/* The rules of answering: the same for every member, for as long as the key lives. */
typedef struct {
    uint64_t head_age_s;              /* an older head is not signed; */
    uint64_t finalized_age_s;         /* nor is an older finalized one */
    uint64_t valid_s[SETUP_BY_COUNT]; /* validUntil less issuedAt; SETUP_BY_BLOCK: by number or hash */
    uint64_t call_gas;                /* of a call that names no gas */
} setup_rules_t;

#define SETUP_OPERATORS_MAX 16u

/* What comes back of the key when all nodes have died. */
typedef enum { SETUP_RECOVERY_NONE, SETUP_RECOVERY_SEAL, SETUP_RECOVERY_SHARES } setup_recovery_mode_t;

typedef struct {
    setup_recovery_mode_t mode;
    unsigned threshold, count;             /* of SETUP_RECOVERY_SHARES: so many of so many operators, else 0 */
    uint8_t keys[SETUP_OPERATORS_MAX][32]; /* X25519 public keys of the operators, ascending */
} setup_recovery_t;

/* The cluster statement. */
typedef struct {
    char network[SETUP_NAME_MAX + 1];
    hash32_t genesis_validators_root;
    hash32_t network_digest; /* of the parameters and of what changed until forks_until (node/config/network.h) */
    uint64_t forks_until;    /* Unix seconds: when the newest fork or blob schedule in force at the making began */
    uint64_t chain_id;
    hash32_t checkpoint;       /* beacon block root */
    uint64_t checkpoint_age_s; /* how old it may be instead of the network's own bound; 0: that bound */
    setup_found_t found;
    const char *by[SETUP_HOSTS_MAX]; /* servers that named it, in the order of the configuration; */
    size_t by_count;
    uint64_t of; /* of so many that were asked; 0: it was named by no servers */
    setup_rules_t rules;
    hash32_t policy_signers; /* who may change the policy: setup_signers_digest */
    setup_recovery_t recovery;
    bool development; /* open to whatever the operator sends */
    bool simulated;   /* the first node's quote did not lead to Intel's root */
} setup_cluster_t;

/* Names, NUL-terminated. */
typedef struct {
    const char *names[SETUP_NAMES_MAX];
    size_t count;
} setup_names_t;

/* The node statement. */
typedef struct {
    const char *program;                     /* version */
    hash32_t policy_digest;                  /* of the policy that it holds its peers to */
    uint64_t policy_version;                 /* of its form */
    setup_by_t default_block;                /* not SETUP_BY_BLOCK */
    setup_names_t setup, flags, environment; /* what each was allowed to set */
} setup_node_t;

/* Whether a text may stand in a statement: 1 to SETUP_NAME_MAX characters of printable ASCII but '"' and '\\'. */
bool setup_is_name(view_t text);

#define SETUP_SIGNERS_MAX 16u

/* SHA-256 of the empty list, "[]": nobody may. */
extern const hash32_t SETUP_NO_SIGNERS;

/* Who may change the policy, as the cluster statement names it: SHA-256 of {"keys":["0x02...",...],"threshold":2}, keys
 * compressed and ascending, at most SETUP_SIGNERS_MAX. count 0: SETUP_NO_SIGNERS. */
void setup_signers_digest(hash32_t *out, const uint8_t (*keys)[33], size_t count, unsigned threshold);

/* "none", "seal", "shares", then NULL. */
extern const char *const SETUP_RECOVERY_WORDS[];

/* Whether so many shares of so many operators are a way to recover a key: 2 <= threshold <= count <=
 * SETUP_OPERATORS_MAX. */
bool setup_shares_are_right(unsigned threshold, unsigned count);

/* Whether two say the same. */
bool setup_recovery_eq(const setup_recovery_t *a, const setup_recovery_t *b);

/* "latest", "safe", "finalized", "block". */
const char *setup_by_name(setup_by_t by);

/* "configuration", "setup". */
const char *setup_found_name(setup_found_t found);

/* Writes a statement into the arena, with a NUL behind it, and its SHA-256 to hash (NULL allowed).
 * RC_NOMEM; RC_BUG: what it says has no place in a statement (text, number). */
NODISCARD rc_t setup_cluster_write(view_t *out, hash32_t *hash, arena_t *a, const setup_cluster_t *in);
NODISCARD rc_t setup_node_write(view_t *out, hash32_t *hash, arena_t *a, const setup_node_t *in);

/* Reads a statement; texts go to the arena. out written only on RC_OK.
 *   e  names the member at fault; empty: the text as a whole, also when it is not canonical
 * RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t setup_cluster_read(setup_cluster_t *out, err_t *e, arena_t *a, view_t text);
NODISCARD rc_t setup_node_read(setup_node_t *out, err_t *e, arena_t *a, view_t text);

/* Whether a cluster's statement is what this node would itself say, so that it may belong to it: every member alike.
 *   own  made with theirs->forks_until, since a younger program may know of later forks
 * RC_REFUSED: e names the first member that differs. */
NODISCARD rc_t setup_cluster_check(const setup_cluster_t *theirs, err_t *e, const setup_cluster_t *own);

#endif
