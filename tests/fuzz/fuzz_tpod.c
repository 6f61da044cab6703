/* The first byte says which message of trusted pods. What is read, written again and read, is written the same; it is no
 * longer than it was, reading takes no more memory than it may, and a refused message leaves the struct as it was. */
#include <stdlib.h>

#include "overlay/tpod/codec.h"
#include "tests/fuzz/fuzz.h"

static const tpod_message_t *const messages[] = { &TPOD_ATTEST_REQUEST,    &TPOD_ATTEST_RESPONSE,
                                                  &TPOD_CAPACITY_REQUEST,  &TPOD_CAPACITY_RESPONSE,
                                                  &TPOD_PROVISION_REQUEST, &TPOD_PROVISION_RESPONSE };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t once[4 * TPOD_MESSAGE_MAX], twice[4 * TPOD_MESSAGE_MAX];
    uint8_t first[128], again[128];
    arena_t a;
    if (!len || data[0] >= sizeof messages / sizeof *messages)
        return 0;
    const tpod_message_t *m = messages[data[0]];
    arena_init(&a, (size_t)64 << 20);
    memset(first, 0x5a, sizeof first);
    if (tpod_read(first, NULL, &a, m, view_of(data + 1, len - 1)) != RC_OK) {
        for (size_t i = 0; i < sizeof first; i++)
            if (first[i] != 0x5a)
                abort();
    } else {
        wr_t w = wr_of(once, sizeof once), v = wr_of(twice, sizeof twice);
        if (a.used > TPOD_READ_MAX(len) + 16384)
            abort();
        tpod_write(&w, m, first);
        /* pairs whose halves were absent grow: two bytes each, of which one half was left out */
        if (w.bad || w.n > 3 * len)
            abort();
        if (w.n <= TPOD_MESSAGE_MAX) {
            if (tpod_read(again, NULL, &a, m, wr_view(&w)) != RC_OK)
                abort();
            tpod_write(&v, m, again);
            if (!view_eq(wr_view(&w), wr_view(&v)))
                abort();
        }
    }
    arena_free(&a);
    return 0;
}
