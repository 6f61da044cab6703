/* bracha_wire.h - the bytes of /kettle/rbc/1: a SEND, a vote, or a certificate.
 *
 * Spec:   overlay-facts-more J (/kettle/rbc/1): {1 send {1 order digest, 2 sender, 3 seq, 4 boots, 5 kind, 6 payload,
 *         7 signature, 8 again} | 2 vote {1 step, 2 instance, 3 hash, 4 signature of a READY} | 3 certificate
 *         {1 instance, 2 hash, 3 share {1 seat, 2 signature}}}; again: the instance that this one repeats
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_bracha_wire.c, tests/fuzz/fuzz_bracha.c
 */
#ifndef OVERLAY_BRACHA_WIRE_H
#define OVERLAY_BRACHA_WIRE_H

#include "overlay/bracha.h"

#define BRACHA_PROTOCOL "/kettle/rbc/1"
#define BRACHA_FRAME_MAX (80u << 10) /* bytes */

typedef struct {
    bracha_out_kind_t kind; /* SEND, VOTE, CERT */
    bracha_send_t send;     /* the payload lies in what was read */
    bracha_vote_t vote;
    bracha_cert_t cert;
} bracha_frame_t;

/* Reads a frame to its end. out written only on RC_OK. RC_MALFORMED: a member is missing, doubled, out of range or of
 * another length, seats of a certificate do not ascend; RC_LIMIT: too long. */
NODISCARD rc_t bracha_frame_read(bracha_frame_t *out, err_t *e, view_t frame);

/* Writes what the machine wants sent, without its length: SEND, VOTE or CERT; at most BRACHA_FRAME_MAX bytes. */
void bracha_frame_write(wr_t *w, const bracha_out_t *out);

#endif
