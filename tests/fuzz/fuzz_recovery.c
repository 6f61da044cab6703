/* What reads as a recovery is written again as the same bytes; a share that is sent, likewise. */
#include <stdlib.h>

#include "node/cluster/recovery_text.h"
#include "tests/fuzz/fuzz.h"

static void share(view_t text)
{
    gather_share_t s, again;
    err_t e;
    arena_t a;
    arena_init(&a, (size_t)8 << 20);
    if (!recovery_share_read(&s, &e, &a, text)) {
        jw_t w = jw_of(&a, RECOVERY_JSON_MAX);
        recovery_share_write(&w, &s);
        if (recovery_share_read(&again, &e, &a, jw_done(&w)) || !view_eq(again.recovery, s.recovery) ||
            !view_eq(again.sealed, s.sealed) || again.holder != s.holder)
            abort();
    }
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[RECOVERY_MAX];
    static recovery_t r;
    view_t covered;
    err_t e;
    wr_t w = wr_of(again, sizeof again);
    if (len && data[0] == '{') {
        share(view_of(data, len));
        return 0;
    }
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
