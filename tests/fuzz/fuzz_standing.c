/* Standing calls as they come: "R" and a request, or "F" and a file. Properties: a request that is taken can be added, is
 * due once, and what is written of the table is read again as the same bytes; a refused file leaves a table that can be
 * freed. */
#include <stdlib.h>
#include <string.h>

#include "rpc/api/standing.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1800000000u

static void round_trip(const standing_t *s, arena_t *a)
{
    view_t kept, again;
    err_t e;
    size_t left;
    standing_t *back = standing_new(&(standing_limits_t){ 0, UINT64_MAX / 2 });
    if (!back || standing_write(s, &kept, a)) {
        standing_free(back);
        return;
    }
    if (standing_read(back, &left, &e, kept, NOW) || standing_write(back, &again, a) || !view_eq(kept, again))
        abort();
    standing_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const standing_owner_t by = { .id = { 1 }, .is_operator = true };
    standing_ask_t ask;
    standing_due_t due[2];
    size_t left;
    err_t e = { .rc = RC_OK };
    arena_t a;
    standing_t *s = standing_new(&(standing_limits_t){ 0, UINT64_MAX / 2 });
    if (!len || !s) {
        standing_free(s);
        return 0;
    }
    const view_t text = view_of(data + 1, len - 1);
    arena_init(&a, (size_t)16 << 20);
    if (data[0] == 'R' && !standing_ask_read(&ask, &e, &a, text, NOW, false)) {
        if (standing_add(s, &e, &ask, &by) || standing_due(s, due, 2, 1) != 1 || !view_eq(due[0].call, ask.call) ||
            standing_due(s, due, 2, 1))
            abort();
        round_trip(s, &a);
    } else if (data[0] == 'F' && !standing_read(s, &left, &e, text, NOW)) {
        round_trip(s, &a);
    }
    standing_free(s);
    arena_free(&a);
    return 0;
}
