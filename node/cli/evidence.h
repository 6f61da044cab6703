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

/* Whether a source is a URL, and not a path. */
bool evidence_is_url(const char *source);

/* Asks a node, or what answers at a URL.
 *   url   the node's API ("http://host:3032"), for the route; with route NULL itself
 *   peer  not NULL: an https server may show any certificate, and it is put here (PEM, in the arena; n 0: none) to be
 *         checked; NULL: it must be of an issuer that the system trusts, and e tells a RA-TLS certificate from others
 * The body is in the arena. RC_IO, RC_TIMEOUT, RC_LIMIT, RC_NOMEM; e names the endpoint. */
NODISCARD rc_t evidence_ask(view_t *out, view_t *peer, err_t *e, arena_t *a, const char *url, const char *route);

/* Posts a JSON text to a node's route; the answer, of status 200, as evidence_ask. Any certificate is taken: what is
 * posted is no secret, and is signed. */
NODISCARD rc_t evidence_post(view_t *out, err_t *e, arena_t *a, const char *url, const char *route, view_t body);

#endif
