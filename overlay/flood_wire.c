#include "overlay/flood_wire.h"

#include "overlay/wire/proto.h"

enum { MESSAGE = 1, HAVE = 2, WANT = 3 };
enum { KIND = 1, AUTHOR = 2, SEQ = 3, PAYLOAD = 4, SIGNATURE = 5, ALL = 0x3e };

static void read_message(flood_message_t *m, rd_t *r, const pb_field_t *in)
{
    rd_t inner = rd_of(pb_bytes(r, in, FLOOD_FRAME_MAX));
    unsigned seen = 0;
    pb_field_t f;
    while (pb_next(&inner, &f)) {
        const unsigned bit = f.number < 32 ? 1u << f.number : 0;
        inner.bad = inner.bad || (seen & bit);
        seen |= bit;
        switch (f.number) {
        case KIND: m->kind = pb_u32(&inner, &f); break;
        case AUTHOR: pb_copy(&inner, &f, m->author, sizeof m->author); break;
        case SEQ: m->seq = pb_u64(&inner, &f); break;
        case PAYLOAD: m->payload = pb_bytes(&inner, &f, FLOOD_PAYLOAD_MAX); break;
        case SIGNATURE: pb_copy(&inner, &f, m->signature, sizeof m->signature); break;
        default: break;
        }
    }
    if (!rd_done(&inner) || (seen & ALL) != ALL)
        r->bad = true;
}

static bool is_id(rd_t *r, const pb_field_t *f)
{
    hash32_t id;
    pb_copy(r, f, id.b, sizeof id.b);
    return !r->bad;
}

rc_t flood_frame_read(flood_frame_t *out, err_t *e, view_t frame)
{
    flood_message_t m = { .kind = 0 };
    rd_t r = rd_of(frame);
    pb_field_t f;
    uint32_t kind = 0;
    size_t n = 0;
    if (frame.n > FLOOD_FRAME_MAX)
        return err_set(e, RC_LIMIT, "a flood frame has more than %u bytes", FLOOD_FRAME_MAX);
    while (pb_next(&r, &f)) {
        if (f.number > WANT)
            continue;
        r.bad = r.bad || (kind && (kind != f.number || kind == MESSAGE));
        kind = f.number;
        if (kind == MESSAGE)
            read_message(&m, &r, &f);
        else
            n += is_id(&r, &f);
    }
    if (!rd_done(&r) || !kind)
        return err_say(e, RC_MALFORMED, "a flood frame is malformed");
    if (n > FLOOD_KEPT_MAX)
        return err_set(e, RC_LIMIT, "a flood frame has more than %u ids", FLOOD_KEPT_MAX);
    *out = (flood_frame_t){ .kind = kind == MESSAGE ? FLOOD_SEND : kind == WANT ? FLOOD_PULL : FLOOD_IDS };
    out->message = m;
    for (r = rd_of(frame); pb_next(&r, &f);)
        if (f.number == HAVE || f.number == WANT)
            pb_copy(&r, &f, out->ids[out->id_count++].b, 32);
    return RC_OK;
}

static void write_message(wr_t *w, const flood_message_t *m)
{
    const size_t mark = pb_begin(w, MESSAGE);
    pb_put_u64(w, KIND, m->kind);
    pb_put_bytes(w, AUTHOR, view_of(m->author, sizeof m->author));
    pb_put_u64(w, SEQ, m->seq);
    pb_put_bytes(w, PAYLOAD, m->payload);
    pb_put_bytes(w, SIGNATURE, view_of(m->signature, sizeof m->signature));
    pb_end(w, mark);
}

void flood_frame_write(wr_t *w, const flood_out_t *out)
{
    if (out->kind == FLOOD_SEND) {
        write_message(w, out->message);
        return;
    }
    for (size_t i = 0; i < out->id_count; i++)
        pb_put_bytes(w, out->kind == FLOOD_PULL ? WANT : HAVE, view_of(out->ids[i].b, 32));
}
