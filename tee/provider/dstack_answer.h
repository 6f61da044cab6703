/* dstack_answer.h - answers of the dstack guest agent (GetQuote) and of the older tappd (Tappd.RawQuote).
 *
 *   { "quote": "<hex>", "event_log": "[...]", "vm_config": "{...}", ... }      or      { "error": "..." }
 *
 * Spec:   dstack guest agent API; tee-facts sections 11.3, 11.4
 * Floor:  3, tee/provider. Pure; trees of JSON take heap memory.
 * Tests:  tests/unit/test_provider_dstack.c, tests/fuzz/fuzz_dstack.c
 */
#ifndef TEE_PROVIDER_DSTACK_ANSWER_H
#define TEE_PROVIDER_DSTACK_ANSWER_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "tee/tee.h"

#define DSTACK_ANSWER_MAX (4u << 20) /* bytes of an answer: quote as hex, event log and VM configuration with escapes */
#define DSTACK_ERROR_MAX 160u        /* bytes of an error that are kept, with the NUL */

/* A key that dstack's KMS gives an application, and who says so: the app's key signs it, and the KMS that key. */
typedef struct {
    uint8_t secret[32];
    uint8_t app_signature[65], kms_signature[65]; /* r, s, recovery id */
} dstack_key_t;

#define DSTACK_ID_LEN 20u

typedef struct {
    char instance_id[2 * DSTACK_ID_LEN + 1]; /* digits, as the agent writes it */
    uint8_t app_id[DSTACK_ID_LEN];
} dstack_info_t;

/* Reads an answer: *out receives views in the arena, its buffer stays NULL. An event log must be a JSON array; what
 * the quote says is not looked at. Other members are passed over. out written only on RC_OK.
 * RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t dstack_answer_read(tee_evidence_t *out, err_t *e, arena_t *a, view_t body);

/* Reads the key of an answer to GetKey: {"key": "<64 hex digits>", ...}. out written only on RC_OK. RC_MALFORMED,
 * RC_LIMIT. */
NODISCARD rc_t dstack_key_read(uint8_t out[TEE_SEAL_KEY_LEN], err_t *e, view_t body);

/* The same with its signatures: {"key": ..., "signature_chain": ["<130 hex digits>", "<130 hex digits>"], ...}. */
NODISCARD rc_t dstack_chain_read(dstack_key_t *out, err_t *e, view_t body);

/* Reads {"app_id": "<40 hex digits>", "instance_id": "<40 hex digits>", ...}. out written only on RC_OK. RC_REFUSED:
 * the instance has no id; RC_MALFORMED, RC_LIMIT. */
NODISCARD rc_t dstack_info_read(dstack_info_t *out, err_t *e, view_t body);

/* The text of {"error": text}, cut and with all that is not printable ASCII as spaces; empty when the body is something
 * else. */
void dstack_error_read(char out[DSTACK_ERROR_MAX], view_t body);

/* Body of a request for a quote, NUL-terminated. */
#define DSTACK_REQUEST_MAX (2u * TEE_REPORT_DATA_LEN + 32u)
void dstack_request_write(char out[DSTACK_REQUEST_MAX], const uint8_t report_data[TEE_REPORT_DATA_LEN]);

#endif
