/* What a server says is finalized: read, or refused with a reason and nothing touched. */
#include <stdlib.h>

#include "rpc/upstream/finality.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint64_t epoch = 7;
    hash32_t root = { { 0 } };
    err_t e = { 0 };
    rc_t rc = finality_read(&epoch, &root, &e, view_of(data, len));
    if ((rc == RC_OK) == hash32_is_zero(&root) || (rc && (epoch != 7 || !e.text[0])))
        abort();
    root = (hash32_t){ { 0 } };
    rc = finality_read_root(&root, &e, view_of(data, len));
    if ((rc == RC_OK) == hash32_is_zero(&root) || (rc && !e.text[0]))
        abort();
    return 0;
}
