/* flood_wire.h - the bytes of /kettle/flood/1: a message, the ids that a peer has, or those that it wants.
 *
 * Spec:   overlay-facts-more J (/kettle/flood/1): {1 message {1 kind, 2 author, 3 seq, 4 payload, 5 signature}} or
 *         {2 id, repeated} or {3 id that is wanted, repeated}
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_flood_wire.c, tests/fuzz/fuzz_flood.c
 */
#ifndef OVERLAY_FLOOD_WIRE_H
#define OVERLAY_FLOOD_WIRE_H

#include "overlay/flood.h"

#define FLOOD_PROTOCOL "/kettle/flood/1"
#define FLOOD_FRAME_MAX (80u << 10) /* bytes */

typedef struct {
    flood_out_kind_t kind;   /* SEND, IDS, PULL */
    flood_message_t message; /* of SEND; the payload lies in what was read */
    size_t id_count;
    hash32_t ids[FLOOD_KEPT_MAX];
} flood_frame_t;

/* Reads a frame to its end. out written only on RC_OK. RC_MALFORMED: a member is missing, doubled or of another length,
 * or the frame is of two kinds; RC_LIMIT: too long, or too many ids. */
NODISCARD rc_t flood_frame_read(flood_frame_t *out, err_t *e, view_t frame);

/* Writes what the machine wants sent, without its length: SEND, IDS or PULL; at most FLOOD_FRAME_MAX bytes. */
void flood_frame_write(wr_t *w, const flood_out_t *out);

#endif
