/* Evidence against a sync committee that reads is written again as the same bytes. */
#include <stdlib.h>

#include "node/chain/claims.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[CLAIMS_SPLIT_MAX];
    claims_split_t s;
    err_t e;
    wr_t w = wr_of(again, sizeof again);
    if (claims_split_read(&s, &e, view_of(data, len)))
        return 0;
    claims_split_write(&w, &s);
    if (w.bad || !view_eq(wr_view(&w), view_of(data, len)))
        abort();
    return 0;
}
