/* inbox.h - what of a message has come on a stream, until it is whole: for protocols of one message each way.
 *
 * Floor:  4, overlay. All calls on the net's thread.
 * Tests:  tests/unit/test_gossip.c
 */
#ifndef OVERLAY_INBOX_H
#define OVERLAY_INBOX_H

#include "overlay/net/net.h"

/* Adds what came, and gives the room back; the inbox is the stream's user. Once the message is whole it is given,
 * without its length; the view is good until the next call.
 *   max  bytes that the message may have
 * RC_NEED_DATA: not all there yet; RC_LIMIT: longer than max; RC_MALFORMED: bytes behind it, or no length; RC_NOMEM. */
NODISCARD rc_t inbox_take(net_stream_t *s, view_t *message, view_t bytes, size_t max);

/* Frees it: in the closed callback. */
void inbox_free(net_stream_t *s);

#endif
