/* msg_wire.h - the bytes of /kettle/msg/1: an application's message to a peer. The first frame of each direction says a
 * session value; what follows are messages.
 *
 * Spec:   overlay-facts-more J (/kettle/msg/1): {1 session} or {1 nonce, 2 type, 3 mode, 4 payload, 5 author,
 *         6 author's signature, 7 group}; field 8 is ours: the author's own number of a relayed message, by which it
 *         is handed on once. A relayed message has 6 and 8, and 5 once its sender is not its author.
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_msg_wire.c, tests/fuzz/fuzz_msg.c
 */
#ifndef OVERLAY_MSG_WIRE_H
#define OVERLAY_MSG_WIRE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/rc.h"

#define MSG_PROTOCOL "/kettle/msg/1"
#define MSG_FRAME_MAX ((1u << 20) - 16u) /* bytes of a frame: with its length it fits a stream's queue */
#define MSG_TYPE_MAX 64u                 /* characters of a type's name */
#define MSG_PAYLOAD_MAX ((1u << 20) - 512u)
#define MSG_GROUP_LEN 16u

/* For whom the payload is. */
typedef enum {
    MSG_PEER = 0,   /* for the peer on whose connection it comes, which encrypts it */
    MSG_SHARED = 1, /* sealed under the cluster's message secret */
    MSG_GROUP = 2   /* sealed under the secret of a group */
} msg_mode_t;

typedef struct {
    bool is_hello; /* only session means something */
    uint64_t session;
    uint64_t nonce;
    view_t type; /* 1 to MSG_TYPE_MAX characters of visible ASCII */
    msg_mode_t mode;
    view_t payload;
    uint8_t group[MSG_GROUP_LEN]; /* of MSG_GROUP */
    bool relayed;                 /* it has an author's number and signature */
    bool has_author;              /* who is not the sender: */
    uint8_t author[33];           /* static key */
    uint64_t seq;
    uint8_t signature[64]; /* over msg_digest */
} msg_frame_t;

/* Whether a name may be a type's. */
bool msg_type_is(view_t name);

/* Reads a frame to its end; views point into it. out written only on RC_OK. RC_MALFORMED: a member is missing, doubled,
 * out of range, of another length, or not of this mode; RC_LIMIT: too long. */
NODISCARD rc_t msg_frame_read(msg_frame_t *out, err_t *e, view_t frame);

/* Writes it without its length; at most MSG_FRAME_MAX bytes. */
void msg_frame_write(wr_t *w, const msg_frame_t *m);

/* What the author of a relayed message signs: SHA-256 of `kettle-msg/1` padded to 16, author 33, seq u64, mode u8,
 * group 16 (zeros: none), length of the type u8, type, payload. */
void msg_digest(hash32_t *out, const msg_frame_t *m, const uint8_t author[33]);

/* What sealing covers besides the payload: the key of who sealed it, type, and number u64: the nonce, or of a relayed
 * message the author's own. */
#define MSG_AD_MAX (33u + MSG_TYPE_MAX + 8u)
void msg_ad(wr_t *w, const uint8_t author[33], view_t type, uint64_t number);

#endif
