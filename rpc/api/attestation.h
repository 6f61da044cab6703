/* attestation.h - the body of GET /v1/attest: written by the node, read by verifiers.
 *
 *   { "kettle": "attestation/2", "evidence_type": 1, "quote": "0x...", "event_log": "[...]", "pubkey": "0x...",
 *     "node_pubkey": "0x...", "nonce": "0x...", "cluster_statement": {...}, "node_statement": {...},
 *     "collateral": {...}, "unbound": { "provider": "dstack", "vm_config": "{...}", "cluster": {
 *       "generation": { "version": 2, "index": 0, "order": "0x..." }, "order_version": 2, "platforms": 3 } } }
 *
 * The quote is over type, nonce, both keys and both statements (tee_attest_report_data); the event log leads to its
 * registers, the collateral is signed by Intel. What nothing vouches for stands under "unbound". event_log and
 * vm_config are JSON as text, as the guest agent gives them; nonce and collateral are there only where asked for, and
 * without a nonce the quote shows that some TD once held the key, no more.
 *
 * Spec:   tee-facts section 17, as the binding "tee-attest-api/2"
 * Floor:  3, rpc/api. Pure.
 * Tests:  tests/unit/test_attestation.c, tests/fuzz/fuzz_attestation.c
 */
#ifndef RPC_API_ATTESTATION_H
#define RPC_API_ATTESTATION_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define ATTESTATION_MAX (8u << 20) /* bytes of a body */

/* How the cluster stands, as the node says: what binds it is in GET /v1/keys. */
typedef struct {
    bool is_there;
    uint64_t generation; /* that signs: the version of the order that asked for it (0: the first), */
    uint8_t index;       /* its maker's place in that order, */
    hash32_t order;      /* and its digest */
    uint64_t order_version;
    uint64_t platforms; /* distinct ones among this node and the members that it is connected to */
} attestation_cluster_t;

typedef struct {
    uint8_t evidence_type;
    view_t quote;
    view_t event_log;                         /* text; n 0: none */
    uint8_t pubkey[33];                       /* the cluster's: signs answers */
    uint8_t node_pubkey[33];                  /* the node's own */
    view_t cluster_statement, node_statement; /* canonical JSON (rpc/api/setup_statement.h) */
    bool has_nonce;
    uint8_t nonce[32];
    view_t collateral; /* JSON object as text (tee/collateral/collateral.h); n 0: none */
    /* Nothing vouches for these. */
    view_t provider, vm_config; /* texts; n 0: none */
    attestation_cluster_t cluster;
} attestation_t;

/* Writes a body: compact JSON in the arena. RC_NOMEM; RC_BUG: collateral or a statement is no JSON. */
NODISCARD rc_t attestation_write(view_t *out, arena_t *a, const attestation_t *in);

/* Reads a body; views in the arena. Members that it does not know are errors, but under "unbound". The statements are
 * given in canonical form, whatever their spacing and order were; whether they make sense is setup_cluster_read's and
 * setup_node_read's. out written only on RC_OK.
 *   e  names the member at fault; empty: the text as a whole
 * RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t attestation_read(attestation_t *out, err_t *e, arena_t *a, view_t body);

/* Reads the prototype's GET /attest: a JSON string that holds {"quote":hex,"pubkey":hex}. Results as
 * attestation_read. */
NODISCARD rc_t attestation_read_prototype(view_t *quote, uint8_t pubkey[33], err_t *e, arena_t *a, view_t body);

#endif
