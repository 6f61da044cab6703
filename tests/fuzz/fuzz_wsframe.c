/* Frames of WebSocket: however the bytes of a peer are cut, the same messages come and the same bytes are answered; no
 * message is over its maximum, and nothing comes after a close. (With which code a bad close is answered, and whether
 * before its end, may depend on the cuts: libwslay looks at its reason piece by piece.) The first byte says where the bytes are cut. */
#include <stdlib.h>
#include <string.h>

#include "http/wsframe.h"
#include "tests/fuzz/fuzz.h"

#define MESSAGE_MAX 300u

typedef struct {
    wsf_t *f;
    size_t count, bytes;
    uint64_t sum; /* of all messages */
} end_t;

static void on_message(void *ctx, uint8_t *take_text, size_t n)
{
    end_t *e = ctx;
    if (n > MESSAGE_MAX || wsf_closing(e->f))
        abort();
    e->count++;
    e->bytes += n;
    for (size_t i = 0; i < n; i++)
        e->sum = e->sum * 31 + take_text[i] + 1;
    e->sum = e->sum * 31;
    free(take_text);
}

static void run(end_t *e, const uint8_t *data, size_t len, size_t piece)
{
    *e = (end_t){ 0 };
    e->f = wsf_new(&(wsf_config_t){ MESSAGE_MAX, on_message, e });
    if (!e->f)
        abort();
    for (size_t at = 0; at < len; at += piece) {
        const size_t n = piece < len - at ? piece : len - at;
        uint8_t *part = malloc(n);
        memcpy(part, data + at, n);
        if (wsf_feed(e->f, view_of(part, n)) || wsf_begun(e->f) > MESSAGE_MAX)
            abort();
        free(part);
    }
}

/* Of two that differ, the one that has not seen yet that a close is bad gets the rest of it. */
static void end_close(const end_t *e, const end_t *other)
{
    static const uint8_t rest[125]; /* as many as a control frame has at most */
    if (wsf_closing(other->f) && !wsf_closing(e->f) && wsf_feed(e->f, view_of(rest, sizeof rest)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    end_t whole, cut;
    if (len < 2)
        return 0;
    run(&whole, data + 1, len - 1, len - 1);
    run(&cut, data + 1, len - 1, (size_t)data[0] + 1);
    end_close(&whole, &cut);
    end_close(&cut, &whole);
    if (whole.count != cut.count || whole.bytes != cut.bytes || whole.sum != cut.sum ||
        wsf_closing(whole.f) != wsf_closing(cut.f) ||
        (!wsf_closing(whole.f) && !view_eq(wsf_out(whole.f), wsf_out(cut.f))))
        abort();
    wsf_free(whole.f);
    wsf_free(cut.f);
    return 0;
}
