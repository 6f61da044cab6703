/* codec.h - messages of trusted pods as protobuf: bytes to the structs of pod.h and back.
 *
 * Unknown fields are passed over; a wrong type on the wire is an error; of a scalar the last value counts, of a oneof
 * the last field, of a map the last value of a name. A message inside that may be there once, and comes twice, is an
 * error: protobuf would merge them, and nobody writes that. Texts must be UTF-8, integers must fit.
 *
 * The depth is the schema's, never the input's: what is nested in an unknown field is passed over as bytes.
 *
 * Spec:   overlay-facts 13 (parsing rules), sdk-facts 7
 * Floor:  4, overlay/tpod. No I/O, clock or thread; lists in the caller's arena, texts stay in the input.
 * Tests:  tests/unit/test_tpod_codec.c, tests/fuzz/fuzz_tpod.c
 */
#ifndef OVERLAY_TPOD_CODEC_H
#define OVERLAY_TPOD_CODEC_H

#include "base/arena.h"
#include "base/err.h"
#include "overlay/tpod/schema.h"

#define TPOD_MESSAGE_MAX (1u << 20) /* bytes of a message */
#define TPOD_LIST_MAX 1024u         /* elements of one list */
/* Bytes that reading a message takes of the arena at most. */
#define TPOD_READ_MAX(n) ((size_t)4 * (n) + 8192u)

/* Reads a message to its end.
 *   out   the message's struct; written only on RC_OK; views point into bytes
 *   a     needs room for TPOD_READ_MAX(bytes.n)
 * RC_MALFORMED; RC_LIMIT: longer than TPOD_MESSAGE_MAX, a list longer than TPOD_LIST_MAX, or more memory than
 * TPOD_READ_MAX: e names the field; RC_NOMEM. */
NODISCARD rc_t tpod_read(void *out, err_t *e, arena_t *a, const tpod_message_t *m, view_t bytes);

/* Writes a message, without its length: fields in the order of their numbers, zeros and empty ones left out. */
void tpod_write(wr_t *w, const tpod_message_t *m, const void *in);

#endif
