#include "tee/x509/der_write.h"

#include <stdio.h>

#include "base/calendar.h"

size_t derw_begin(wr_t *w, uint8_t tag)
{
    wr_u8(w, tag);
    return w->n;
}

void derw_end(wr_t *w, size_t mark)
{
    if (w->bad)
        return;
    uint8_t length[3];
    size_t n = w->n - mark;
    wr_t l = wr_of(length, sizeof length);
    if (n >= 0x80)
        wr_u8(&l, n < 0x100 ? 0x81 : 0x82);
    wr_be(&l, n, n < 0x100 ? 1 : 2);
    if (n > 0xffff || !wr_grab(w, l.n)) {
        w->bad = true;
        return;
    }
    memmove(w->p + mark + l.n, w->p + mark, n);
    memcpy(w->p + mark, length, l.n);
}

void derw_value(wr_t *w, uint8_t tag, view_t contents)
{
    size_t mark = derw_begin(w, tag);
    wr_bytes(w, contents.p, contents.n);
    derw_end(w, mark);
}

void derw_unsigned(wr_t *w, uint8_t tag, view_t number)
{
    while (number.n > 1 && number.p[0] == 0)
        number = view_of(number.p + 1, number.n - 1);
    size_t mark = derw_begin(w, tag);
    if (number.p[0] & 0x80)
        wr_u8(w, 0);
    wr_bytes(w, number.p, number.n);
    derw_end(w, mark);
}

void derw_number(wr_t *w, uint8_t tag, uint64_t number)
{
    uint8_t bytes[8];
    store_u64be(bytes, number);
    derw_unsigned(w, tag, view_of(bytes, sizeof bytes));
}

void derw_bool(wr_t *w, bool value)
{
    const uint8_t byte = value ? 0xff : 0;
    derw_value(w, DER_BOOLEAN, view_of(&byte, 1));
}

void derw_time(wr_t *w, int64_t unix_seconds)
{
    civil_t c;
    char text[80];
    if (!time_to_civil(&c, unix_seconds)) {
        w->bad = true;
        return;
    }
    const bool utc = c.year < 2050;
    snprintf(text, sizeof text, "%0*d%02d%02d%02d%02d%02dZ", utc ? 2 : 4, utc ? c.year % 100 : c.year, c.month, c.day,
             c.hour, c.minute, c.second);
    derw_value(w, utc ? DER_UTC_TIME : DER_GENERAL_TIME, view_str(text));
}
