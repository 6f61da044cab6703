/* msg_session.h - the order of messages on one connection: both ends say a random value, the larger is the session's,
 * and message k of each direction carries session + k. What comes twice, too far ahead, or under another session is
 * refused: streams are ordered and reliable, so it is an attack or a bug, and the connection ends.
 *
 *     msg_session_start -> (peer's value) msg_session_hello -> agreed: msg_session_next, msg_session_take
 *                                                           -> equal values: both draw again
 *
 * The value names a session and is no key: a new connection has a new one, and counts from 0 again.
 *
 * Spec:   overlay-facts 9, 15 (message layer); overlay-facts-more J
 * Floor:  4, overlay. No heap, I/O, clock or thread; random values are arguments.
 * Tests:  tests/unit/test_msg_session.c, tests/fuzz/fuzz_msg.c
 */
#ifndef OVERLAY_MSG_SESSION_H
#define OVERLAY_MSG_SESSION_H

#include "base/err.h"
#include "base/rc.h"

#include <stdbool.h>
#include <stdint.h>

#define MSG_WINDOW 10u /* how far a message may be ahead of the next, or behind */
#define MSG_DRAWS_MAX 3u

typedef struct {
    bool agreed;
    unsigned draws; /* after the first */
    uint64_t own;   /* what we said last */
    uint64_t value; /* of the session, once agreed */
    uint64_t sent;  /* our messages */
    uint64_t next;  /* the peer's number that comes next: one more than the highest */
    uint64_t seen;  /* bit i: next - 1 - i came */
} msg_session_t;

/* A session whose first frame says random. */
void msg_session_start(msg_session_t *s, uint64_t random);

/* The peer's value. RC_OK: agreed; RC_NEED_DATA: it is ours too, s->own is now random and is to be said anew;
 * RC_REFUSED: agreed before, or equal too often. */
NODISCARD rc_t msg_session_hello(msg_session_t *s, err_t *e, uint64_t value, uint64_t random);

/* The nonce of our next message, which then counts as sent. RC_REFUSED: not agreed. */
NODISCARD rc_t msg_session_next(msg_session_t *s, err_t *e, uint64_t *nonce);

/* A message of the peer with this nonce, which counts as come only on RC_OK. RC_REPLAY: it came before, or is too old
 * to tell; RC_REFUSED: not agreed, or more than MSG_WINDOW are left out, as with another session's. */
NODISCARD rc_t msg_session_take(msg_session_t *s, err_t *e, uint64_t nonce);

#endif
