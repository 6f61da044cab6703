/* pccs.h - Intel's signed documents for one platform, from a provisioning certification service (PCS or PCCS).
 *
 * The transport is not trusted: everything is signed and verified by tee/verify/verify.h. Four requests go out side by
 * side, and one more where a service does not hand out the root's revocation list itself.
 *
 * Spec:   Intel PCS API v4; tee-facts section 4.1
 * Floor:  5, node/evidence.
 * Tests:  tests/unit/test_pccs.c
 */
#ifndef NODE_EVIDENCE_PCCS_H
#define NODE_EVIDENCE_PCCS_H

#include "base/arena.h"
#include "http/client.h"
#include "rpc/upstream/heard.h"
#include "tee/collateral/collateral.h"

#define PCCS_INTEL "https://api.trustedservices.intel.com"
#define PCCS_INTEL_ROOT_CRL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

typedef struct {
    hc_t *http;
    const char *base;     /* URL without path, with the path before "/sgx", or up to "/sgx/certification/v4" */
    const char *ca_file;  /* who vouches for its certificate; NULL: the system's */
    const char *root_crl; /* asked when the service has no /rootcacrl */
    uint8_t fmspc[6];
    bool processor_ca;            /* the PCK certificate's issuer: Processor CA, else Platform CA */
    bool (*cancelled)(void *ctx); /* may be NULL */
    void *cancelled_ctx;
} pccs_request_t;

/* Fetches the documents. Views are in the arena. out written only on RC_OK.
 *   heard  what an answer that is of no use began with: for the log; empty: nothing
 * RC_IO, RC_TIMEOUT, RC_MALFORMED, RC_LIMIT, RC_NOMEM; e names the document, and nothing of the service. */
NODISCARD rc_t pccs_fetch(collateral_t *out, char heard[HEARD_MAX + 1], err_t *e, arena_t *a,
                          const pccs_request_t *request);

#endif
