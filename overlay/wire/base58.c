#include "overlay/wire/base58.h"

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

void base58_encode(char *out, view_t in)
{
    uint8_t digits[BASE58_TEXT_MAX] = { 0 }; /* base 58, the lowest first */
    size_t count = 0, zeros = 0, n = 0;
    while (zeros < in.n && in.p[zeros] == 0)
        zeros++;
    for (size_t i = zeros; i < in.n && i < BASE58_BYTES_MAX; i++) {
        unsigned carry = in.p[i];
        for (size_t k = 0; k < count || carry; k++) {
            carry += digits[k] * 256u;
            digits[k] = (uint8_t)(carry % 58);
            carry /= 58;
            count = k < count ? count : k + 1;
        }
    }
    while (n < zeros)
        out[n++] = '1';
    while (count)
        out[n++] = alphabet[digits[--count]];
    out[n] = 0;
}

/* The digit that a character stands for; -1: none. */
static int digit_of(char c, const char *of)
{
    const char *at = c ? strchr(of, c) : NULL;
    return at ? (int)(at - of) : -1;
}

rc_t base58_decode(uint8_t *out, size_t *n, size_t cap, view_t text)
{
    uint8_t bytes[BASE58_BYTES_MAX] = { 0 }; /* the lowest first */
    size_t count = 0, zeros = 0;
    if (text.n == 0)
        return RC_MALFORMED;
    if (text.n > BASE58_TEXT_MAX)
        return RC_LIMIT;
    while (zeros < text.n && text.p[zeros] == '1')
        zeros++;
    for (size_t i = zeros; i < text.n; i++) {
        int digit = digit_of((char)text.p[i], alphabet);
        if (digit < 0)
            return RC_MALFORMED;
        unsigned carry = (unsigned)digit;
        for (size_t k = 0; k < count || carry; k++) {
            if (k == sizeof bytes)
                return RC_LIMIT;
            carry += bytes[k] * 58u;
            bytes[k] = (uint8_t)carry;
            carry >>= 8;
            count = k < count ? count : k + 1;
        }
    }
    if (zeros + count > cap)
        return RC_LIMIT;
    memset(out, 0, zeros);
    for (size_t i = 0; i < count; i++)
        out[zeros + i] = bytes[count - 1 - i];
    *n = zeros + count;
    return RC_OK;
}

rc_t base32_decode(uint8_t *out, size_t *n, size_t cap, view_t text)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++) {
        int digit = digit_of((char)text.p[i], "abcdefghijklmnopqrstuvwxyz234567");
        if (digit < 0)
            return RC_MALFORMED;
        bits = (bits << 5 | (uint32_t)digit) & 0xfff;
        have += 5;
        if (have < 8)
            continue;
        have -= 8;
        if (count == cap)
            return RC_LIMIT;
        out[count++] = (uint8_t)(bits >> have);
    }
    if (text.n == 0 || have >= 5 || bits & ((1u << have) - 1))
        return RC_MALFORMED;
    *n = count;
    return RC_OK;
}
