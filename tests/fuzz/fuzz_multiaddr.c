/* An address as bytes has one form; as text it may have several (of IPv6), but they mean one address. */
#include <stdlib.h>

#include "overlay/wire/multiaddr.h"
#include "tests/fuzz/fuzz.h"

static void there_and_back(const maddr_t *m)
{
    uint8_t bytes[MADDR_BYTES_MAX];
    char text[MADDR_TEXT_MAX + 1];
    maddr_t again;
    wr_t w = wr_of(bytes, sizeof bytes);
    maddr_write(&w, m);
    if (w.bad || maddr_read(&again, wr_view(&w)) || !maddr_eq(m, &again))
        abort();
    maddr_text(text, m);
    if (maddr_read_text(&again, NULL, view_str(text)) || !maddr_eq(m, &again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t bytes[MADDR_BYTES_MAX];
    maddr_t m;
    err_t e = { 0 };
    if (!maddr_read(&m, view_of(data, len))) {
        wr_t w = wr_of(bytes, sizeof bytes);
        maddr_write(&w, &m);
        if (!view_eq(wr_view(&w), view_of(data, len)))
            abort();
        there_and_back(&m);
    }
    if (!maddr_read_text(&m, &e, view_of(data, len)))
        there_and_back(&m);
    else if (!e.text[0])
        abort();
    return 0;
}
