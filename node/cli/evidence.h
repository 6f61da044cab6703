/* evidence.h - attestations as the commands get them: from a file or a node, in any of the forms in use.
 *
 * Floor:  5, node/cli. Private to the commands quote and verify.
 */
#ifndef NODE_CLI_EVIDENCE_H
#define NODE_CLI_EVIDENCE_H

#include "rpc/api/attestation.h"

typedef enum {
    EVIDENCE_V1,        /* GET /v1/attest */
    EVIDENCE_PROTOTYPE, /* GET /attest: quote and pubkey only */
    EVIDENCE_QUOTE,     /* a quote alone, raw or hex */
} evidence_form_t;

/* Takes any of the forms. Views in the arena or in text. out and form written only on RC_OK. RC_MALFORMED, RC_LIMIT,
 * RC_NOMEM; e names the member at fault. */
NODISCARD rc_t evidence_read(attestation_t *out, evidence_form_t *form, err_t *e, arena_t *a, view_t text);

/* Gets a URL; the body is in the arena.
 *   peer        not NULL: an https server may show any certificate, and it is put here (PEM, in the arena; n 0:
 *   none) to
 *               be checked; NULL: it must be of an issuer that the system trusts
 *   timeout_ms  of the whole request
 * RC_IO, RC_TIMEOUT, ...; e names the endpoint. */
NODISCARD rc_t evidence_fetch(view_t *out, view_t *peer, err_t *e, arena_t *a, const char *url, uint32_t timeout_ms);

#endif
