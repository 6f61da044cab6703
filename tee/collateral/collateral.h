/* collateral.h - the signed documents that a quote is judged by, in one container.
 *
 * The container is the flattened JSON of tee-facts section 4.2: the form of our files, of the cache and of what peers
 * staple.
 *
 * Spec:   Intel PCS API v4; tee-facts section 4
 * Floor:  3, tee/collateral. No I/O, clock or thread; trees of JSON take heap memory.
 * Tests:  tests/unit/test_collateral.c, tests/fuzz/fuzz_collateral.c
 */
#ifndef TEE_COLLATERAL_COLLATERAL_H
#define TEE_COLLATERAL_COLLATERAL_H

#include "base/arena.h"
#include "base/bytes.h"
#include "tee/fault.h"

#define COLLATERAL_MAX (4u << 20)     /* bytes of a container */
#define COLLATERAL_DOC_MAX (1u << 20) /* bytes of TCB info or QE identity */

typedef struct {
    view_t root_ca_crl, pck_crl; /* DER */
    view_t pck_crl_issuer_chain; /* PEM; a quote verifies without it */
    view_t tcb_info;             /* the inner object, exactly the signed bytes */
    uint8_t tcb_info_signature[64];
    view_t tcb_info_issuer_chain; /* PEM: signer, root */
    view_t qe_identity;
    uint8_t qe_identity_signature[64];
    view_t qe_identity_issuer_chain;
} collateral_t;

/* Reads a container. Views lie in the arena. out written only on RC_OK. E_COLLATERAL, E_LIMIT, E_NOMEM. */
NODISCARD rc_t collateral_read(collateral_t *out, err_t *e, arena_t *a, view_t json);

/* Writes a container, compact. Text in the arena. RC_NOMEM; RC_MALFORMED: a text is not UTF-8. */
NODISCARD rc_t collateral_write(view_t *out, arena_t *a, const collateral_t *c);

/* Takes the inner object and the signature of a PCS answer {"<member>":{...},"signature":"<128 hex>"} apart: *inner is
 * the exact range of bytes inside body that the signature covers. member is "tcbInfo" or "enclaveIdentity".
 * E_COLLATERAL, E_LIMIT, E_NOMEM. */
NODISCARD rc_t collateral_split(view_t *inner, uint8_t signature[64], err_t *e, view_t body, const char *member);

#endif
