/* However the bytes come, the outcome is one; nothing behind an agreement is taken. The first byte says which end this is. */
#include <stdlib.h>

#include "overlay/wire/multistream.h"
#include "tests/fuzz/fuzz.h"

static const char *const names[] = { "/ipfs/ping/1.0.0", "/kettle/attest/1" };

static const char *serves(void *ctx, view_t name)
{
    (void)ctx;
    return view_eq(name, view_str(names[1])) ? names[1] : NULL;
}

static void begin(mss_t *m, int opener)
{
    if (opener)
        mss_open(m, names, 2);
    else
        mss_accept(m, serves, NULL);
}

/* Feeds in portions with all output sent at once; returns how many bytes were taken. */
static size_t feed(mss_t *m, view_t in, size_t portion)
{
    size_t at = 0;
    while (at < in.n && m->state == MSS_RUNNING) {
        size_t used = 0, n = in.n - at < portion ? in.n - at : portion;
        mss_sent(m, mss_output(m).n);
        rc_t rc = mss_take(m, &used, view_of(in.p + at, n));
        if (used > n || (rc != RC_OK) != (m->state == MSS_FAILED) || m->out_n > sizeof m->out)
            abort();
        at += used;
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    mss_t whole, parts;
    if (!len)
        return 0;
    begin(&whole, data[0] & 1);
    begin(&parts, data[0] & 1);
    const view_t in = view_of(data + 1, len - 1);
    size_t a = feed(&whole, in, in.n), b = feed(&parts, in, 1 + (data[0] >> 1) % 9);
    if (whole.state != parts.state || whole.chosen != parts.chosen || a != b)
        abort();
    if ((whole.state == MSS_AGREED) != (whole.chosen != NULL))
        abort();
    return 0;
}
