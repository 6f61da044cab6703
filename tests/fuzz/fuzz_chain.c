/* No text verifies as a signing chain without a revocation list; when that is all that is missing, its last block is
 * the pinned root. */
#include <stdlib.h>

#include "tee/x509/cert.h"
#include "tee/x509/chain.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1751000000 /* 2025-06-27 */

static void require(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static cert_t cert;
    chain_signer_t out;
    err_t fault = { 0 };
    require(chain_verify_signer(&out, &fault, view_of(data, len), view_of(NULL, 0), CHAIN_INTEL_ROOT, NOW) != RC_OK);
    require(fault.code != TEE_OK && fault.text[0]);
    if (fault.code == E_CRL_MISSING) {
        rd_t r = rd_of(view_of(data, len));
        for (unsigned i = 0; i < 2; i++) {
            require(cert_read(&cert, &r, &fault) == RC_OK);
            pem_skip_lines(&r);
        }
        require(view_eq(CERT_VIEW(cert.der), CHAIN_INTEL_ROOT));
    }
    return 0;
}
