/* Headers: what verifies under its own hash encodes to the same bytes, and nothing verifies under another. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/header.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    ex_header_t h;
    hash32_t hash;
    uint8_t buf[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    keccak256(&hash, view_of(data, len));
    if (ex_header_verify(&h, &hash, view_of(data, len)) == RC_OK) {
        ex_header_encode(&w, &h);
        if (w.bad || !view_eq(wr_view(&w), view_of(data, len)))
            abort();
    }
    hash.b[31] ^= 1;
    if (ex_header_verify(&h, &hash, view_of(data, len)) == RC_OK)
        abort();
    return 0;
}
