#include "base/hex.h"

#include <emmintrin.h>

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

/* --- sixteen characters at once --- */

#define WIDE 32u /* characters of a step: two vectors, whose bytes fill one */

/* Bytes that are at most n, as all ones. */
static inline __m128i at_most(__m128i v, char n)
{
    return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(n)), v);
}

/* The values of 16 digits, 0 for what is none; *valid: all ones for those that are one. */
static inline __m128i values_of(__m128i *valid, __m128i text)
{
    const __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    const __m128i letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i is_digit = at_most(digit, 9), is_letter = at_most(letter, 5);
    *valid = _mm_or_si128(is_digit, is_letter);
    return _mm_or_si128(_mm_and_si128(digit, is_digit),
                        _mm_and_si128(_mm_add_epi8(letter, _mm_set1_epi8(10)), is_letter));
}

/* Pairs of values as bytes, each in the lower half of a 16-bit lane. */
static inline __m128i paired(__m128i v)
{
    return _mm_and_si128(_mm_or_si128(_mm_slli_epi16(v, 4), _mm_srli_epi16(v, 8)), _mm_set1_epi16(0xff));
}

/* Writes the 16 bytes of 32 characters, whatever they are; bit i of the result: character i is a digit. */
static inline uint32_t wide_step(uint8_t *out, const uint8_t *text)
{
    __m128i valid[2];
    const __m128i first = values_of(&valid[0], _mm_loadu_si128((const __m128i *)(const void *)text));
    const __m128i second = values_of(&valid[1], _mm_loadu_si128((const __m128i *)(const void *)(text + 16)));
    _mm_storeu_si128((__m128i *)(void *)out, _mm_packus_epi16(paired(first), paired(second)));
    return (uint32_t)_mm_movemask_epi8(valid[0]) | (uint32_t)_mm_movemask_epi8(valid[1]) << 16;
}

size_t hex_run(uint8_t *out, const char *text, size_t n)
{
    const uint8_t *at = (const uint8_t *)text;
    size_t i = 0;
    for (; n - i >= WIDE; i += WIDE) {
        const uint32_t digits = wide_step(out + i / 2, at + i);
        if (~digits)
            return i + (size_t)__builtin_ctz(~digits);
    }
    for (; i < n && values[at[i]]; i++) {
        const uint8_t value = values[at[i]] & 15;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | value : value << 4);
    }
    return i;
}

static bool all_digits(const uint8_t *text, size_t len)
{
    uint8_t bytes[WIDE / 2];
    unsigned all = VALID;
    size_t i = 0;
    for (; len - i >= WIDE; i += WIDE)
        if (~wide_step(bytes, text + i))
            return false;
    for (; i < len; i++)
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
    if (!all_digits((const uint8_t *)text, text_len)) /* before the first write: out stays untouched on failure */
        return RC_MALFORMED;
    *out_len = hex_run(out, text, text_len) / 2;
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
