/* The kept records of peers, from a disk that is the host's: what is taken lies inside the file and is within bounds, and
 * what is written of it is read as the same. */
#include <stdlib.h>
#include <string.h>

#include "node/cluster/book_file.h"
#include "tests/fuzz/fuzz.h"

typedef struct {
    const uint8_t *from, *to;
    size_t items;
    wr_t *again; /* NULL: not written again */
} seen_t;

static void take_envelope(void *ctx, view_t envelope)
{
    seen_t *s = ctx;
    if (envelope.n > ENVELOPE_MAX || (envelope.n && (envelope.p < s->from || envelope.p + envelope.n > s->to)))
        abort();
    s->items++;
    if (s->again)
        book_put_envelope(s->again, envelope);
}

static void take_ban(void *ctx, const ban_t *ban, uint64_t left_ms)
{
    seen_t *s = ctx;
    if (ban->fault > BANS_FLOOD || ban->host > MADDR_IP6 || ban->peer.n > PEERID_MAX || !bans_fault_name(ban->fault))
        abort();
    s->items++;
    if (s->again)
        book_put_ban(s->again, ban, left_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    static uint8_t buf[BOOK_MAX + 64];
    if (len > BOOK_MAX)
        return 0;
    wr_t w = wr_of(buf, sizeof buf);
    seen_t s = { in, in + len, 0, &w };
    book_put_head(&w);
    if (book_decode(NULL, view_of(in, len), &(book_take_t){ take_envelope, take_ban, &s })) {
        if (s.items)
            abort(); /* nothing is taken of what is refused */
        return 0;
    }
    seen_t second = { buf, buf + w.n, 0, NULL };
    if (w.bad || book_decode(NULL, wr_view(&w), &(book_take_t){ take_envelope, take_ban, &second }) ||
        second.items != s.items)
        abort();
    return 0;
}
