#include "overlay/wire/varint.h"

static uint64_t take(rd_t *r, unsigned bits)
{
    uint64_t x = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        uint8_t byte = rd_u8(r);
        unsigned room = bits - shift; /* of the last byte only some bits fit */
        if ((shift && !byte) || (room < 7 && byte >> room))
            break;
        x |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return r->bad ? 0 : x;
    }
    r->bad = true;
    return 0;
}

uint64_t varint_take(rd_t *r)
{
    return take(r, 63);
}

uint64_t varint_take64(rd_t *r)
{
    return take(r, 64);
}

void varint_put(wr_t *w, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        wr_u8(w, (uint8_t)(x | 0x80));
    wr_u8(w, (uint8_t)x);
}

size_t varint_len(uint64_t x)
{
    size_t n = 1;
    while (x >>= 7)
        n++;
    return n;
}

size_t varint_front(view_t in)
{
    for (size_t i = 0; i < in.n && i < VARINT_MAX; i++)
        if (!(in.p[i] & 0x80))
            return i + 1;
    return in.n < VARINT_MAX ? 0 : VARINT_TOO_LONG;
}
