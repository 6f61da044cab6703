/* attest.h - what an attestation of trusted pods is over, and its evidence as bytes.
 *
 * A publisher may be any libp2p program, whose stack hands out no exporter: so the quote binds the publisher's nonce
 * and both ends' authenticated identities, and vouches for this connection's other end. It gives no key.
 *
 *     report_data = SHA-512("tpod-attest/1" || nonce 32 || length, server's peer id || length, client's peer id)
 *
 * lengths as varints, ids as bytes (multihash). Evidence is a JSON object:
 *
 *     { "kettle": "tpod-attestation/1", "evidence_type": 1, "quote": "0x...", "event_log": "[...]",
 *       "vm_config": "{...}", "collateral": {...} }
 *
 * with event_log, vm_config (JSON as text) and collateral where there are any.
 *
 * Spec:   overlay-facts 8 (report_data), 13; sdk-facts 7
 * Floor:  4, overlay/tpod. No I/O, clock or thread.
 * Tests:  tests/unit/test_tpod_attest.c
 */
#ifndef OVERLAY_TPOD_ATTEST_H
#define OVERLAY_TPOD_ATTEST_H

#include "base/arena.h"
#include "overlay/wire/peerid.h"
#include "tee/tee.h"
#include "tee/verify/verify.h"

#define TPOD_NONCE_LEN 32u
#define TPOD_ATTEST_VERSION 1u /* of what report_data binds */
#define TPOD_EVIDENCE_MAX (1000u << 10)

/* server: who attests; client: who asked. */
void tpod_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const uint8_t nonce[TPOD_NONCE_LEN], const peerid_t *server,
                      const peerid_t *client);

/* Writes evidence, text in the arena. RC_LIMIT: longer than TPOD_EVIDENCE_MAX; RC_BUG: the collateral is no JSON;
 * RC_NOMEM. */
NODISCARD rc_t tpod_evidence_write(view_t *out, arena_t *a, const tee_claim_t *in);

/* Reads it; views in the arena. out written only on RC_OK. Nothing is verified: that is tee_appraise. RC_MALFORMED,
 * RC_LIMIT, RC_NOMEM; e names the member. */
NODISCARD rc_t tpod_evidence_read(tee_claim_t *out, err_t *e, arena_t *a, view_t text);

#endif
