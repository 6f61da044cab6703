/* Requests and shares that read, written again and read, say the same. The first byte says which. */
#include <stdlib.h>

#include "overlay/keyshare.h"
#include "tests/fuzz/fuzz.h"

static void request(view_t in)
{
    uint8_t out[KEYSHARE_REQUEST_MAX], twice[KEYSHARE_REQUEST_MAX];
    keyshare_request_t m;
    err_t e;
    if (keyshare_request_read(&m, &e, in))
        return;
    wr_t w = wr_of(out, sizeof out), again = wr_of(twice, sizeof twice);
    keyshare_request_write(&w, &m);
    if (w.bad || keyshare_request_read(&m, &e, wr_view(&w)))
        abort();
    keyshare_request_write(&again, &m);
    if (!view_eq(wr_view(&w), wr_view(&again)))
        abort();
}

static void share(view_t in)
{
    static uint8_t out[KEYSHARE_MAX], twice[KEYSHARE_MAX];
    static keyshare_t m;
    err_t e;
    if (keyshare_read(&m, &e, in))
        return;
    wr_t w = wr_of(out, sizeof out), again = wr_of(twice, sizeof twice);
    keyshare_write(&w, &m);
    if (w.bad || keyshare_read(&m, &e, wr_view(&w)))
        abort();
    keyshare_write(&again, &m);
    if (!view_eq(wr_view(&w), wr_view(&again)))
        abort();
    again = wr_of(twice, sizeof twice);
    keyshare_ad(&again, &m);
    if (again.bad)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len)
        return 0;
    if (data[0] % 2)
        share(view_of(data + 1, len - 1));
    else
        request(view_of(data + 1, len - 1));
    return 0;
}
