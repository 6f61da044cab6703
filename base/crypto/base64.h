/* base64.h - base64 text to bytes and back: the standard alphabet with padding.
 *
 * Spec:   RFC 4648 section 4; strict: full padding, no set bits behind the end
 * Floor:  1, base/crypto (libsodium). No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_base64.c
 */
#ifndef BASE_CRYPTO_BASE64_H
#define BASE_CRYPTO_BASE64_H

#include "base/bytes.h"
#include "base/rc.h"

/* Characters of n bytes, without a NUL. */
static inline size_t base64_len(size_t n)
{
    return (n + 2) / 3 * 4;
}

/* Decodes text of at most cap bytes.
 *   out, n   written only on RC_OK, but for bytes of out behind what was written
 *   ignore   characters to pass over, such as "\r\n"; NULL: none
 * RC_MALFORMED; RC_LIMIT: more than cap bytes. */
NODISCARD rc_t base64_decode(uint8_t *out, size_t *n, size_t cap, view_t text, const char *ignore);

/* Writes base64_len(in.n) characters and a NUL to out. */
void base64_encode(char *out, view_t in);

#endif
