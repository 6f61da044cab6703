/* base58.h - base58 text as Bitcoin and libp2p write it, and RFC 4648's base32 in lower case without padding.
 *
 * Spec:   draft-msporny-base58; multibase codes z and b
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread. Not constant time: never for secrets.
 * Tests:  tests/unit/test_peerid.c, tests/fuzz/fuzz_peerid.c
 */
#ifndef OVERLAY_WIRE_BASE58_H
#define OVERLAY_WIRE_BASE58_H

#include "base/bytes.h"
#include "base/rc.h"

#define BASE58_BYTES_MAX 64u /* of what is encoded */
#define BASE58_TEXT_MAX 88u  /* characters of that many bytes, without a NUL */

/* Writes text and a NUL to out, which has room for BASE58_TEXT_MAX + 1; in has at most BASE58_BYTES_MAX bytes. */
void base58_encode(char *out, view_t in);

/* Text to at most cap bytes (cap itself at most BASE58_BYTES_MAX).
 *   out, n  written only on RC_OK, but for bytes of out behind what was written
 * RC_MALFORMED: another character, or none at all; RC_LIMIT: more than cap bytes. */
NODISCARD rc_t base58_decode(uint8_t *out, size_t *n, size_t cap, view_t text);

/* The same for base32: the last character's unused bits are zero. */
NODISCARD rc_t base32_decode(uint8_t *out, size_t *n, size_t cap, view_t text);

#endif
