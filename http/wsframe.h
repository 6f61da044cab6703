/* wsframe.h - the frames of one WebSocket, server's side, without I/O: bytes in, messages out, and back. The door to
 * libwslay.
 *
 *     wsf_feed(bytes of the peer) -> config.message for each that is whole -> wsf_send(answer)
 *     wsf_out -> bytes for the peer -> wsf_sent
 *
 * Pings are answered here; text that is not UTF-8, frames without a mask, with reserved bits or out of turn, and
 * messages over the maximum end the stream by the close frame that RFC 6455 has for it. A message grows with what came,
 * not with what was announced. No extension is spoken.
 *
 * Spec:   RFC 6455
 * Floor:  2, http. No I/O, clock or thread; one thread at a time.
 * Tests:  tests/unit/test_wsframe.c, tests/fuzz/fuzz_wsframe.c
 */
#ifndef HTTP_WSFRAME_H
#define HTTP_WSFRAME_H

#include "base/bytes.h"
#include "base/rc.h"

/* Codes of a close frame (RFC 6455 section 7.4.1). */
enum {
    WSF_CLOSE_NORMAL = 1000,
    WSF_CLOSE_GOING_AWAY = 1001,
    WSF_CLOSE_PROTOCOL = 1002,
    WSF_CLOSE_NOT_UTF8 = 1007,
    WSF_CLOSE_POLICY = 1008,
    WSF_CLOSE_TOO_BIG = 1009,
    WSF_CLOSE_AGAIN_LATER = 1013
};

typedef struct wsf wsf_t;

typedef struct {
    size_t message_max; /* bytes of a message */
    /* A whole message, text or binary, during wsf_feed; text is the receiver's to free. May call wsf_pause. */
    void (*message)(void *ctx, uint8_t *take_text, size_t n);
    void *ctx;
} wsf_config_t;

/* NULL: out of memory. */
wsf_t *wsf_new(const wsf_config_t *config);
void wsf_free(wsf_t *f); /* NULL allowed */

/* Takes bytes of the peer; after a close frame of either side they are passed over. RC_NOMEM: the stream is of no more
 * use. */
NODISCARD rc_t wsf_feed(wsf_t *f, view_t bytes);

/* The message that is being told is the last for now: what came behind it waits for the next wsf_feed, of no more bytes
 * perhaps. */
void wsf_pause(wsf_t *f);

/* Bytes of the peer that wait so. */
size_t wsf_waiting(const wsf_t *f);

/* Frames a text message, or a ping, for wsf_out. After a close frame nothing is sent, which is no error. RC_NOMEM. */
NODISCARD rc_t wsf_send(wsf_t *f, view_t text);
NODISCARD rc_t wsf_ping(wsf_t *f);

/* Ends the stream: a close frame with this code is the last that is sent. A second one is passed over. RC_NOMEM. */
NODISCARD rc_t wsf_close(wsf_t *f, unsigned code);

/* Bytes for the peer, until the next call; and so many of them are on their way. */
view_t wsf_out(const wsf_t *f);
void wsf_sent(wsf_t *f, size_t n);

/* Bytes of a message that has begun and is not whole. */
size_t wsf_begun(const wsf_t *f);

/* Bytes of memory that messages take here, in either direction. */
size_t wsf_held(const wsf_t *f);

/* A close frame was sent, or stands in wsf_out: nothing else follows it. */
bool wsf_closing(const wsf_t *f);

/* The peer has sent its close frame. */
bool wsf_closed_by_peer(const wsf_t *f);

#endif
