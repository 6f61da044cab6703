#include "overlay/wire/proto.h"

#define NUMBER_MAX ((1u << 29) - 1)

bool pb_next(rd_t *r, pb_field_t *f)
{
    if (r->bad || r->n == 0)
        return false;
    uint64_t key = varint_take64(r);
    *f = (pb_field_t){ .number = (uint32_t)(key >> 3 & NUMBER_MAX), .type = key & 7 };
    if (key >> 3 == 0 || key >> 3 > NUMBER_MAX)
        r->bad = true;
    switch (f->type) {
    case PB_VARINT: f->value = varint_take64(r); break;
    case PB_FIXED64: f->value = rd_u64le(r); break;
    case PB_FIXED32: f->value = rd_u32le(r); break;
    case PB_BYTES: f->bytes = rd_take(r, varint_take(r)); break;
    default: r->bad = true;
    }
    return !r->bad;
}

view_t pb_bytes(rd_t *r, const pb_field_t *f, size_t max)
{
    if (f->type == PB_BYTES && f->bytes.n <= max)
        return f->bytes;
    r->bad = true;
    return (view_t){ NULL, 0 };
}

static uint64_t number(rd_t *r, const pb_field_t *f, unsigned type, uint64_t max)
{
    if (f->type == type && f->value <= max)
        return f->value;
    r->bad = true;
    return 0;
}

uint64_t pb_u64(rd_t *r, const pb_field_t *f)
{
    return number(r, f, PB_VARINT, UINT64_MAX);
}

uint32_t pb_u32(rd_t *r, const pb_field_t *f)
{
    return (uint32_t)number(r, f, PB_VARINT, UINT32_MAX);
}

uint64_t pb_fixed64(rd_t *r, const pb_field_t *f)
{
    return number(r, f, PB_FIXED64, UINT64_MAX);
}

void pb_copy(rd_t *r, const pb_field_t *f, void *out, size_t n)
{
    if (f->type == PB_BYTES && f->bytes.n == n)
        memcpy(out, f->bytes.p, n);
    else
        r->bad = true;
}

static void put_key(wr_t *w, uint32_t field, unsigned type)
{
    varint_put(w, (uint64_t)field << 3 | type);
}

void pb_put_bytes(wr_t *w, uint32_t field, view_t v)
{
    put_key(w, field, PB_BYTES);
    varint_put(w, v.n);
    wr_bytes(w, v.p, v.n);
}

void pb_put_u64(wr_t *w, uint32_t field, uint64_t x)
{
    put_key(w, field, PB_VARINT);
    varint_put(w, x);
}

void pb_put_fixed64(wr_t *w, uint32_t field, uint64_t x)
{
    put_key(w, field, PB_FIXED64);
    wr_u64le(w, x);
}

size_t pb_begin(wr_t *w, uint32_t field)
{
    put_key(w, field, PB_BYTES);
    return w->n;
}

void pb_delimit(wr_t *w, size_t from)
{
    if (w->bad)
        return;
    uint8_t length[VARINT64_MAX];
    wr_t l = wr_of(length, sizeof length);
    size_t n = w->n - from;
    varint_put(&l, n);
    if (!wr_grab(w, l.n))
        return;
    memmove(w->p + from + l.n, w->p + from, n);
    memcpy(w->p + from, length, l.n);
}

void pb_end(wr_t *w, size_t mark)
{
    pb_delimit(w, mark);
}

rc_t pb_delimited(view_t *message, size_t *used, view_t in, size_t max)
{
    size_t head = varint_front(in);
    if (head == 0)
        return RC_NEED_DATA;
    rd_t r = rd_of(in);
    uint64_t n = head == VARINT_TOO_LONG ? 0 : varint_take(&r);
    if (head == VARINT_TOO_LONG || r.bad)
        return RC_MALFORMED;
    if (n > max)
        return RC_LIMIT;
    if (n > r.n)
        return RC_NEED_DATA;
    *message = rd_take(&r, (size_t)n);
    *used = head + (size_t)n;
    return RC_OK;
}
