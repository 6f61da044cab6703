/* An entry of the log of releases that is read is written again as the same bytes. */
#include <stdlib.h>

#include "overlay/releases.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    release_signed_t s;
    err_t e;
    uint8_t again[RELEASE_LEN];
    wr_t w = wr_of(again, sizeof again);
    if (release_read(&s, &e, view_of(data, len)))
        return 0;
    release_write(&w, &s);
    if (w.bad || !view_eq(wr_view(&w), view_of(data, len)))
        abort();
    return 0;
}
