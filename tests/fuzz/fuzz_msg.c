/* First byte even: a frame that reads is written as bytes that read to the same. Odd: two ends agree on a session, and
 * one is sent numbers; none is taken twice, and none that is more than the window away from what came. */
#include <stdlib.h>

#include "overlay/msg_session.h"
#include "overlay/msg_wire.h"
#include "tests/fuzz/fuzz.h"

static void frame(view_t in)
{
    static uint8_t out[MSG_FRAME_MAX + 64], twice[MSG_FRAME_MAX + 64];
    msg_frame_t m;
    err_t e;
    if (msg_frame_read(&m, &e, in))
        return;
    wr_t w = wr_of(out, sizeof out), again = wr_of(twice, sizeof twice);
    msg_frame_write(&w, &m);
    if (w.bad || msg_frame_read(&m, &e, wr_view(&w)))
        abort();
    msg_frame_write(&again, &m);
    if (!view_eq(wr_view(&w), wr_view(&again)))
        abort();
}

#define NUMBERS 1024u

/* Numbers near the next one, as the low bits of each byte say; a few from far away. */
static uint64_t pick(const msg_session_t *s, uint8_t b)
{
    if (b >= 0xf0)
        return s->value + ((uint64_t)b << (b % 16 * 4));
    return s->value + s->next - 16 + b % 48;
}

static void session(const uint8_t *data, size_t len)
{
    static bool taken[NUMBERS];
    msg_session_t a, b;
    err_t e;
    if (len < 2)
        return;
    memset(taken, 0, sizeof taken);
    msg_session_start(&a, (uint64_t)data[0] << 56 | data[0]);
    msg_session_start(&b, (uint64_t)data[1] << 56 | data[1]);
    const rc_t first = msg_session_hello(&a, &e, b.own, 1),
               second = msg_session_hello(&b, &e, a.draws ? b.own : a.own, 2);
    if (first != second || (!first && a.value != b.value))
        abort();
    if (first)
        return;
    for (size_t i = 2; i < len; i++) {
        const msg_session_t before = b;
        const uint64_t nonce = pick(&b, data[i]), k = nonce - b.value;
        if (msg_session_take(&b, &e, nonce)) {
            if (memcmp(&before, &b, sizeof b) != 0)
                abort();
            continue;
        }
        if (k > before.next + MSG_WINDOW || k + MSG_WINDOW < before.next)
            abort();
        if (k < NUMBERS && taken[k])
            abort();
        if (k < NUMBERS)
            taken[k] = true;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len)
        return 0;
    if (data[0] % 2)
        session(data + 1, len - 1);
    else
        frame(view_of(data + 1, len - 1));
    return 0;
}
