/* What reads as a recovery is written again as the same bytes. */
#include <stdlib.h>

#include "overlay/recovery.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[RECOVERY_MAX];
    static recovery_t r;
    view_t covered;
    err_t e;
    wr_t w = wr_of(again, sizeof again);
    if (recovery_read(&r, &covered, &e, view_of(data, len)))
        return 0;
    recovery_write(&w, &r);
    if (w.bad || !view_eq(wr_view(&w), covered))
        abort();
    recovery_write_end(&w, &r);
    if (w.bad || !view_eq(wr_view(&w), view_of(data, len)))
        abort();
    return 0;
}
