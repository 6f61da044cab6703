/* utf8.h - the one question everybody asks of foreign text: is this a whole character?
 *
 * Spec:   RFC 3629
 * Floor:  1, base. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_err.c
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/bytes.h"

/* Bytes of the valid character that text begins with, 1 to 4; 0: none (empty, cut, too long a form, a surrogate, above
 * the last code point). */
static inline size_t utf8_len(view_t text)
{
    const uint8_t *s = text.p;
    if (!text.n)
        return 0;
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    if (n > text.n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool bad = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
               (s[0] == 0xf4 && s[1] >= 0x90);
    return bad ? 0 : n;
}

/* True for a character (of n bytes) that a terminal would obey instead of showing: C0, DEL, C1, line and paragraph
 * ends, and what sets the direction of writing. */
static inline bool utf8_is_control(const uint8_t *s, size_t n)
{
    if (n == 1)
        return s[0] < 0x20 || s[0] == 0x7f;
    if (n == 2)
        return (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xd8 && s[1] == 0x9c); /* U+061C */
    return n == 3 && s[0] == 0xe2 &&
           ((s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) || /* U+200E to U+202E */
            (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));                                      /* U+2066 to U+2069 */
}

#endif
