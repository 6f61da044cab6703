/* The record of a lie, as anybody may hand it to `kettle fault`: read, written again, replayed. */
#include <stdlib.h>

#include "rpc/upstream/lie.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/lc_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const lc_network_t net = fx_minimal_fulu();
    arena_t a;
    lie_t lie, back;
    view_t text;
    err_t e = { 0 };
    arena_init(&a, (size_t)64 << 20);
    rc_t rc = lie_read(&lie, &e, &a, view_of(data, len));
    if (rc && !e.text[0])
        abort();
    if (!rc && !lie_write(&text, &e, &a, &lie) && lie_read(&back, &e, &a, text))
        abort();
    err_clear(&e);
    if (!rc && lie_replay(&e, &a, &lie, &net) && !e.text[0])
        abort();
    arena_free(&a);
    return 0;
}
