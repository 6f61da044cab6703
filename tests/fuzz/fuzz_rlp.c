/* RLP: whatever decodes to its last leaf encodes to the same bytes: each value has one form only. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/rlp_walk.h"

#define INPUT_MAX ((size_t)1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t buf[INPUT_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    if (len <= INPUT_MAX && rlp_walk(&w, view_of(data, len)) == RC_OK && !view_eq(wr_view(&w), view_of(data, len)))
        abort();
    return 0;
}
