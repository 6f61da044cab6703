/* multistream.h - multistream-select 1.0: two ends agree on the protocol of a stream. A machine for either end.
 *
 *     opener                                listener
 *     /multistream/1.0.0, /first     ->     /multistream/1.0.0        header and proposal go in one write
 *                                    <-     /first  or  na
 *     /second                        ->     ...
 *
 * The opener may send the protocol's own bytes right behind its only proposal; mss_take leaves what is behind the
 * agreement to them.
 *
 * Spec:   libp2p/specs connections/README.md, "multistream-select"; overlay-facts section 6
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread: timeouts are the caller's.
 * Tests:  tests/unit/test_multistream.c, tests/fuzz/fuzz_multistream.c
 */
#ifndef OVERLAY_WIRE_MULTISTREAM_H
#define OVERLAY_WIRE_MULTISTREAM_H

#include "base/bytes.h"
#include "base/rc.h"

#define MSS_MESSAGE_MAX 1024u /* bytes of a message, its newline included */
#define MSS_NAME_MAX 64u      /* characters of a protocol's name of ours */
#define MSS_PROPOSALS_MAX 8u  /* that a listener answers on one stream */

typedef enum { MSS_RUNNING, MSS_AGREED, MSS_FAILED } mss_state_t;

/* The name as the listener keeps it, when it serves the proposed protocol; NULL: it does not. */
typedef const char *(*mss_serves_fn)(void *ctx, view_t name);

typedef struct {
    mss_state_t state;
    bool opener, greeted;      /* greeted: the other's header came */
    const char *const *wanted; /* of the opener, in order of preference */
    size_t wanted_count, next;
    mss_serves_fn serves;
    void *serves_ctx;
    unsigned proposals;
    const char *chosen;
    uint8_t in[2 + MSS_MESSAGE_MAX]; /* a message that has not come whole */
    size_t in_n;
    uint8_t out[128 + MSS_NAME_MAX];
    size_t out_n;
} mss_t;

/* Begins as the end that opened the stream; names are at most MSS_NAME_MAX long, at least one, and stay the caller's.
 * What is to be sent is there at once. */
void mss_open(mss_t *m, const char *const *wanted, size_t count);

/* Begins as the other end. */
void mss_accept(mss_t *m, mss_serves_fn serves, void *ctx);

/* Takes bytes of the peer, in any portions, until they agree; used says how many, the rest is the protocol's. When
 * output waits, not all may be taken: send it and call again. Not RC_OK: MSS_FAILED. RC_MALFORMED; RC_LIMIT: a message
 * is too long, or the proposals are too many; RC_UNSUPPORTED: the peer has none of what was wanted. */
NODISCARD rc_t mss_take(mss_t *m, size_t *used, view_t in);

/* What to send; it stays until mss_sent. */
view_t mss_output(const mss_t *m);
void mss_sent(mss_t *m, size_t n);

#endif
