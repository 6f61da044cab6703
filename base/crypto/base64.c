#include "base/crypto/base64.h"

#include <sodium.h>

rc_t base64_decode(uint8_t *out, size_t *n, size_t cap, view_t text, const char *ignore)
{
    uint8_t none;
    size_t len = 0, most = 0;                /* most: bytes of the digits that are there */
    if (text.n && memchr(text.p, 0, text.n)) /* which the end of ignore would match */
        return RC_MALFORMED;
    for (size_t i = 0; i < text.n; i++)
        most += !(ignore && strchr(ignore, text.p[i])) && text.p[i] != '=';
    if (most / 4 * 3 + most % 4 * 3 / 4 > cap)
        return RC_LIMIT;
    if (text.n && sodium_base642bin(cap ? out : &none, cap, (const char *)text.p, text.n, ignore, &len, NULL,
                                    sodium_base64_VARIANT_ORIGINAL))
        return RC_MALFORMED;
    *n = len;
    return RC_OK;
}

void base64_encode(char *out, view_t in)
{
    sodium_bin2base64(out, base64_len(in.n) + 1, in.n ? in.p : (const uint8_t *)"", in.n,
                      sodium_base64_VARIANT_ORIGINAL);
}
