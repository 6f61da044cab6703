#include "base/printable.h"

#include <stdio.h>

#include "base/utf8.h"

/* The code point of a valid character of n bytes. */
static unsigned code_point(const uint8_t *s, size_t n)
{
    static const uint8_t masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    unsigned c = s[0] & masks[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (s[i] & 0x3f);
    return c;
}

size_t printable_next(char out[PRINTABLE_MAX], view_t *left, printable_t form)
{
    const uint8_t *s = left->p;
    const size_t n = utf8_len(*left), take = n ? n : 1;
    const bool json = form == PRINTABLE_JSON;
    *left = view_of(s + take, left->n - take);
    if (!n)
        return (size_t)snprintf(out, PRINTABLE_MAX, json ? "\\ufffd" : "\\x%02x", s[0]);
    if (!utf8_is_control(s, n) || (json && s[0] == '\n')) {
        memcpy(out, s, n);
        return n;
    }
    const unsigned c = code_point(s, n);
    return (size_t)snprintf(out, PRINTABLE_MAX, !json && c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}
