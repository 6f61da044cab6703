/* However the bytes come, the same is told of every stream; memory and streams stay within their bounds; a machine that failed
 * takes nothing. Of the first byte, bit 0 says which end this is, and the rest into how small pieces the bytes fall. */
#include <stdlib.h>

#include "overlay/wire/yamux.h"
#include "tests/fuzz/fuzz.h"

typedef struct {
    yamux_t y;
    uint64_t told; /* a hash of all that was told; of payload byte by byte */
    unsigned opened;
} end_t;

static void tell(end_t *e, unsigned what, uint64_t x)
{
    e->told = (e->told ^ (x << 8 | what)) * 0x100000001b3u;
}
static void opened(void *ctx, uint32_t id)
{
    end_t *e = ctx;
    tell(e, 1, id);
    e->opened++;
}
static void data(void *ctx, uint32_t id, view_t bytes)
{
    end_t *e = ctx;
    for (size_t i = 0; i < bytes.n; i++)
        tell(e, 2, (uint64_t)id << 8 | bytes.p[i]);
    if (id % 3 == 0)
        yamux_consumed(&e->y, id, bytes.n);
}
static void ended(void *ctx, uint32_t id)
{
    tell(ctx, 3, id);
}
static void gone(void *ctx, uint32_t id, bool reset)
{
    tell(ctx, 4 + reset, id);
}
static void writable(void *ctx, uint32_t id)
{
    tell(ctx, 6, id);
}
static void pong(void *ctx, uint32_t value)
{
    tell(ctx, 7, value);
}
static void went_away(void *ctx, uint32_t reason)
{
    tell(ctx, 8, reason);
}

static void feed(end_t *e, int initiator, view_t in, size_t portion)
{
    static const yamux_events_t events = { opened, data, ended, gone, writable, pong, went_away };
    static const uint64_t seed[2] = { 3, 4 };
    uint8_t out[256];
    uint32_t id;
    err_t err = { 0 };
    *e = (end_t){ 0 };
    if (yamux_init(&e->y, initiator, &events, e, seed))
        abort();
    wr_t w = wr_of(out, sizeof out);
    if (yamux_open(&e->y, &id, &w))
        abort();
    rc_t rc = RC_OK;
    for (size_t at = 0; at < in.n && !rc; at += portion)
        rc = yamux_take(&e->y, &err, view_of(in.p + at, in.n - at < portion ? in.n - at : portion));
    tell(e, 9, rc);
    uint64_t told = e->told;
    if (rc && (!err.text[0] || !yamux_take(&e->y, &err, view_str("x")) || e->told != told))
        abort();
    if (yamux_count(&e->y) > YAMUX_STREAMS_MAX || e->y.arena.used > YAMUX_MEMORY_MAX)
        abort();
    yamux_write(&e->y, &w);
    yamux_free(&e->y);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    static end_t whole, parts;
    if (!len)
        return 0;
    feed(&whole, in[0] & 1, view_of(in + 1, len - 1), len);
    feed(&parts, in[0] & 1, view_of(in + 1, len - 1), 1 + (in[0] >> 1) % 30);
    if (whole.told != parts.told)
        abort();
    return 0;
}
