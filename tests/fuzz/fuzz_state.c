/* A state that reads, written again and read, says the same. */
#include <stdlib.h>

#include "overlay/state.h"
#include "tests/fuzz/fuzz.h"

static void write_whole(wr_t *w, const state_t *s)
{
    state_write(w, s);
    state_put_signature(w, s->signature);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[STATE_MAX], twice[STATE_MAX];
    state_t s;
    view_t part, again_part;
    err_t e;
    if (state_read(&s, &part, &e, view_of(data, len)))
        return 0;
    wr_t w = wr_of(out, sizeof out), again = wr_of(twice, sizeof twice);
    write_whole(&w, &s);
    if (w.bad || state_read(&s, &again_part, &e, wr_view(&w)))
        abort();
    write_whole(&again, &s);
    if (!view_eq(wr_view(&w), wr_view(&again)) || part.n > len)
        abort();
    return 0;
}
