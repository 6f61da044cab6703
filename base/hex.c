#include "base/hex.h"

void hex_encode(char *out, view_t in)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < in.n; i++) {
        *out++ = digits[in.p[i] >> 4];
        *out++ = digits[in.p[i] & 15];
    }
    *out = '\0';
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
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
    for (size_t i = 0; i < text_len; i++) /* all of it before the first write: out stays untouched on failure */
        if (digit(text[i]) < 0)
            return RC_MALFORMED;
    for (size_t i = 0; i < text_len / 2; i++)
        out[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
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
