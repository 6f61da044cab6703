#include "base/hex.h"

#include <stdbool.h>

void hex_encode(char *out, view_t in)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < in.n; i++) {
        *out++ = digits[in.p[i] >> 4];
        *out++ = digits[in.p[i] & 15];
    }
    *out = '\0';
}

/* Of each character its value with bit 4, VALID; 0: no digit. */
#define VALID 0x10u
static const uint8_t values[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15, ['6'] = 0x16, ['7'] = 0x17,
    ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1a, ['b'] = 0x1b, ['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f,
    ['A'] = 0x1a, ['B'] = 0x1b, ['C'] = 0x1c, ['D'] = 0x1d, ['E'] = 0x1e, ['F'] = 0x1f,
};

static bool all_digits(const uint8_t *text, size_t len)
{
    unsigned all = VALID;
    for (size_t i = 0; i < len; i++)
        all &= values[text[i]];
    return all & VALID;
}

rc_t hex_decode(uint8_t *out, size_t *out_len, size_t cap, const char *text, size_t text_len)
{
    if (text_len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
        text_len -= 2;
    }
    if (text_len % 2)
        return RC_MALFORMED;
    if (text_len / 2 > cap)
        return RC_LIMIT;
    const uint8_t *at = (const uint8_t *)text;
    if (!all_digits(at, text_len)) /* before the first write: out stays untouched on failure */
        return RC_MALFORMED;
    for (size_t i = 0; i < text_len / 2; i++)
        out[i] = (uint8_t)(values[at[2 * i]] << 4 | (values[at[2 * i + 1]] & 15));
    *out_len = text_len / 2;
    return RC_OK;
}

rc_t hex_decode_exact(uint8_t *out, size_t n, const char *text, size_t text_len)
{
    size_t prefix = text_len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 2 : 0;
    size_t got;
    if (text_len - prefix != 2 * n)
        return RC_MALFORMED;
    return hex_decode(out, &got, n, text, text_len);
}
