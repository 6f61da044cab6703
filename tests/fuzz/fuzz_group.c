/* A group's frame that reads is written as bytes that read to the same. */
#include <stdlib.h>

#include "overlay/groups.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[GROUP_FRAME_MAX], twice[GROUP_FRAME_MAX];
    group_frame_t m;
    err_t e;
    if (group_frame_read(&m, &e, view_of(data, len)))
        return 0;
    wr_t w = wr_of(out, sizeof out), again = wr_of(twice, sizeof twice);
    group_frame_write(&w, &m);
    if (w.bad || group_frame_read(&m, &e, wr_view(&w)))
        abort();
    group_frame_write(&again, &m);
    if (!view_eq(wr_view(&w), wr_view(&again)))
        abort();
    return 0;
}
