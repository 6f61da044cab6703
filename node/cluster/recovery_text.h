/* recovery_text.h - what operators and a node that is to be recovered say to each other, as JSON: the shares that they
 * keep (GET /v1/recovery/shares), the node's evidence over the key to which they send theirs (GET /v1/recovery), and
 * the share that each sends (POST /v1/recovery).
 *
 *   { "kettle": "recovery-shares/1", "cluster": "0x...", "version": 2, "index": 0, "threshold": 2,
 *     "holders": ["0x..."], "recovery": "0x..." }
 *   { "kettle": "recovery/1", "evidence_type": 1, "quote": "0x...", "event_log": "[...]",
 *     "vm_config": "{...}", "nonce": "0x...", "recovery_key": "0x...", "node_pubkey": "0x...", "collateral": {...},
 *     "have": 0, "needed": 2 }
 *   { "recovery": "0x...", "holder": 0, "nonce": "0x...", "share": "0x..." }
 *
 * recovery are the bytes of overlay/recovery.h; what stands beside them in the first is for people.
 *
 * Floor:  5, node/cluster. No I/O.
 * Tests:  tests/unit/test_recovery_text.c, tests/fuzz/fuzz_recovery.c
 */
#ifndef NODE_CLUSTER_RECOVERY_TEXT_H
#define NODE_CLUSTER_RECOVERY_TEXT_H

#include "base/json.h"
#include "overlay/gather.h"

#define RECOVERY_JSON_MAX (4u * RECOVERY_MAX)
#define RECOVERY_EVIDENCE_MAX (8u << 20)

/* What a node shows before a share is sent to it. */
typedef struct {
    uint8_t evidence_type;
    view_t quote, event_log, vm_config; /* event_log, vm_config: texts, n 0: none */
    view_t collateral;                  /* JSON object as text, n 0: none */
    uint8_t nonce[32];
    uint8_t recovery_key[X25519_LEN], node_pubkey[33];
    unsigned have, needed; /* shares */
} recovery_evidence_t;

/* Writes each. bytes: of r. */
void recovery_shares_write(jw_t *w, const recovery_t *r, view_t bytes);
void recovery_evidence_write(jw_t *w, arena_t *a, const recovery_evidence_t *x);
void recovery_share_write(jw_t *w, const gather_share_t *s);

/* Read each; views in the arena, written only on RC_OK. Of the shares the bytes alone count. RC_MALFORMED, RC_LIMIT,
 * RC_NOMEM: e names the member. */
NODISCARD rc_t recovery_shares_read(view_t *bytes, err_t *e, arena_t *a, view_t json);
NODISCARD rc_t recovery_evidence_read(recovery_evidence_t *out, err_t *e, arena_t *a, view_t json);
NODISCARD rc_t recovery_share_read(gather_share_t *out, err_t *e, arena_t *a, view_t json);

#endif
