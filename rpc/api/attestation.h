/* attestation.h - the body of GET /v1/attest: written by the node, read by verifiers.
 *
 *   { "tee": "tdx" | "dstack-tdx" | "simulated", "provider": "dstack", "evidence_type": 1, "quote": "0x...",
 *     "event_log": "[...]", "vm_config": "{...}", "pubkey": "0x...", "node_pubkey": "0x...", "chain_id": 1,
 *     "nonce": "0x...", "policy_digest": "0x...", "setup_hash": "0x...", "collateral": {...} }
 *
 * event_log and vm_config are JSON as text, as the guest agent gives them; nonce and collateral only where asked
 * for. A quote without a nonce binds the prototype's way (tee_register_report_data): it shows that some TD once
 * held the key, no more.
 *
 * Spec:   tee-facts section 17
 * Floor:  3, rpc/api. Pure.
 * Tests:  tests/unit/test_attestation.c, tests/fuzz/fuzz_attestation.c
 */
#ifndef RPC_API_ATTESTATION_H
#define RPC_API_ATTESTATION_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define ATTESTATION_MAX (8u << 20) /* bytes of a body */

typedef struct {
    view_t tee, provider; /* texts */
    uint8_t evidence_type;
    view_t quote;
    view_t event_log, vm_config; /* texts; n 0: none */
    uint8_t pubkey[33];          /* the cluster's: signs answers */
    uint8_t node_pubkey[33];     /* the node's own */
    uint64_t chain_id;
    bool has_nonce;
    uint8_t nonce[32];
    hash32_t policy_digest; /* SHA-256 of the policy that the node holds its peers to */
    hash32_t setup_hash;
    view_t collateral; /* JSON object as text (tee/collateral/collateral.h); n 0: none */
} attestation_t;

/* Writes a body: compact JSON in the arena. RC_NOMEM; RC_BUG: collateral is no JSON. */
NODISCARD rc_t attestation_write(view_t *out, arena_t *a, const attestation_t *in);

/* Reads a body; views in the arena. Unknown members are passed over: later versions may say more. out written only
 * on RC_OK.
 *   e  names the member at fault; empty: the text as a whole
 * RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t attestation_read(attestation_t *out, err_t *e, arena_t *a, view_t body);

/* Reads the prototype's GET /attest: a JSON string that holds {"quote":hex,"pubkey":hex}. Results as
 * attestation_read. */
NODISCARD rc_t attestation_read_prototype(view_t *quote, uint8_t pubkey[33], err_t *e, arena_t *a, view_t body);

#endif
