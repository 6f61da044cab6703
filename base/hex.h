/* hex.h - hexadecimal text to bytes and back.
 *
 * Floor:  1, base. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_base.c
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/bytes.h"
#include "base/rc.h"

/* Writes 2 * in.n lower-case digits and a terminating NUL to out (2 * in.n + 1 characters). */
void hex_encode(char *out, view_t in);

/* Decodes text with or without "0x", either case, into exactly n bytes.
 *   out  written only on RC_OK
 * RC_MALFORMED: other characters, an odd number of digits, or any other length. */
NODISCARD rc_t hex_decode_exact(uint8_t *out, size_t n, const char *text, size_t text_len);

/* Decodes text with or without "0x" of any even number of digits into at most cap bytes.
 *   out, out_len  written only on RC_OK
 * RC_MALFORMED: other characters or an odd number; RC_LIMIT: more than cap bytes. */
NODISCARD rc_t hex_decode(uint8_t *out, size_t *out_len, size_t cap, const char *text, size_t text_len);

/* Decodes the digits, of either case, that text begins with, at most n, in one pass: for scanners, which find the end
 * of a text that way. Their number; an odd last digit is the upper half of its byte.
 *   out  room for (n + 1) / 2 bytes; what lies behind the digits' own is undefined */
size_t hex_run(uint8_t *out, const char *text, size_t n);

#endif
