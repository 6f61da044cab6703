/* The first answers of an execution RPC: taken with the hash that they have, or refused with a reason. */
#include <stdlib.h>

#include "rpc/upstream/latest.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    ex_header_t h;
    hash32_t hash;
    err_t e = { 0 };
    if (latest_read_block(&h, &hash, &e, view_of(data, len)) ? !e.text[0] : ex_header_check(&h, &hash) != RC_OK)
        abort();
    err_clear(&e);
    if (latest_check_chain(&e, view_of(data, len), 1) && !e.text[0])
        abort();
    err_clear(&e);
    if (latest_check_proves(&e, view_of(data, len)) && !e.text[0])
        abort();
    return 0;
}
