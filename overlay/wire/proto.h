/* proto.h - protobuf messages, as far as libp2p's and ours need them: a strict reader and a writer.
 *
 *     while (pb_next(&r, &f))
 *         switch (f.number) {
 *         case 1: out->key = pb_bytes(&r, &f, KEY_MAX); break;
 *         case 2: out->seq = pb_u64(&r, &f); break;
 *         }
 *     if (!rd_done(&r))
 *         return RC_MALFORMED;
 *
 * Unknown fields are passed over; of a field that comes twice the reader sees both, in their order. Varints in their
 * shortest form only; groups and a wrong wire type are errors.
 *
 * Spec:   protobuf encoding; the wire form of both proto2 and proto3
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_proto.c, tests/fuzz/fuzz_proto.c
 */
#ifndef OVERLAY_WIRE_PROTO_H
#define OVERLAY_WIRE_PROTO_H

#include "base/rc.h"
#include "overlay/wire/varint.h"

enum { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

/* One field as it stands in a message. */
typedef struct {
    uint32_t number;
    uint8_t type;
    uint64_t value; /* of a varint or a fixed one */
    view_t bytes;   /* of PB_BYTES, in the input */
} pb_field_t;

/* The next field; false at the end, or once r is bad. */
bool pb_next(rd_t *r, pb_field_t *f);

/* What the field holds. r turns bad when it is of another type, longer than max, not of exactly n bytes, or does not
 * fit. Text is not looked at: foreign bytes. */
view_t pb_bytes(rd_t *r, const pb_field_t *f, size_t max);
uint64_t pb_u64(rd_t *r, const pb_field_t *f);
uint32_t pb_u32(rd_t *r, const pb_field_t *f);
uint64_t pb_fixed64(rd_t *r, const pb_field_t *f);
void pb_copy(rd_t *r, const pb_field_t *f, void *out, size_t n);

/* Writes a field. */
void pb_put_bytes(wr_t *w, uint32_t number, view_t v);
void pb_put_u64(wr_t *w, uint32_t number, uint64_t x);
void pb_put_fixed64(wr_t *w, uint32_t number, uint64_t x);

/* Opens a message inside; the mark goes to pb_end once its fields are written. */
size_t pb_begin(wr_t *w, uint32_t number);
void pb_end(wr_t *w, size_t mark);

/* Puts the length before what was written from there on: a message as it stands on a stream. */
void pb_delimit(wr_t *w, size_t from);

/* The message that a stream begins with, behind its length.
 *   message, used  written only on RC_OK; used counts the length too
 * RC_NEED_DATA: not all there yet; RC_LIMIT: longer than max; RC_MALFORMED: no length. */
NODISCARD rc_t pb_delimited(view_t *message, size_t *used, view_t in, size_t max);

#endif
