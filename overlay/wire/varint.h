/* varint.h - unsigned varints: seven bits a byte, the low ones first. One number has one form.
 *
 * Spec:   multiformats/unsigned-varint; protobuf's varints are the same, up to 64 bits
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_proto.c, tests/fuzz/fuzz_proto.c
 */
#ifndef OVERLAY_WIRE_VARINT_H
#define OVERLAY_WIRE_VARINT_H

#include "base/bytes.h"

#define VARINT_MAX 9u       /* bytes of a length or code: 63 bits */
#define VARINT64_MAX 10u    /* bytes of a protobuf number */
#define VARINT_TOO_LONG 11u /* varint_front: no varint */

/* The next number, of at most 63 bits, or of 64; bad when it has a longer form than it needs. */
uint64_t varint_take(rd_t *r);
uint64_t varint_take64(rd_t *r);

/* Writes a number; of 64 bits ten bytes. */
void varint_put(wr_t *w, uint64_t x);

/* Bytes of its form. */
size_t varint_len(uint64_t x);

/* Bytes of the varint that a stream begins with, 0: it is not all there yet, VARINT_TOO_LONG: it is longer than 63
 * bits. */
size_t varint_front(view_t in);

#endif
