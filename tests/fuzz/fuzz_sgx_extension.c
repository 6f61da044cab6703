/* An SGX extension that is accepted keeps its promises, and is complete: not with one byte more or less. */
#include <stdlib.h>

#include "tee/x509/chain.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    chain_sgx_t s, again;
    err_t fault = { 0 };
    if (chain_sgx_parse(&s, &fault, view_of(data, len)) != RC_OK) {
        require(fault.code == E_SGXEXT && fault.text[0]);
        return 0;
    }
    require(memcmp(s.components, s.cpu_svn, sizeof s.cpu_svn) == 0 && s.sgx_type <= 2);
    require(chain_sgx_parse(&again, &fault, view_of(data, len - 1)) != RC_OK);
    uint8_t *longer = calloc(1, len + 1);
    if (longer) {
        memcpy(longer, data, len);
        require(chain_sgx_parse(&again, &fault, view_of(longer, len + 1)) != RC_OK);
    }
    free(longer);
    return 0;
}
