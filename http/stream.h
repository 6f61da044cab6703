/* stream.h - answers that go on: a body of unknown length whose parts come when they are there, as server-sent events.
 *
 * Who answers so is asked for bytes as the other side takes them, so that a slow reader holds nothing back and nothing
 * has to be kept for it. While there is nothing to be sent the connection waits without a thread. A reader that takes
 * nothing for twice the server's idle timeout, or has closed its side, is let go.
 *
 * Streams have places: a quarter of those of connections, of which a client has a quarter (http/server.h).
 *
 * Floor:  2, http. Any thread.
 * Tests:  tests/unit/test_http_stream.c
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "http/message.h"

#define HS_STREAM_END SIZE_MAX
#define HS_STREAM_IDLE_MS 15000u

typedef struct hs_stream hs_stream_t;

typedef struct {
    /* Writes what comes next, at most cap bytes, and gives how many. 0: nothing is there before hs_stream_wake;
     * HS_STREAM_END: that was all. On an event thread, one at a time: must not wait for anything. */
    size_t (*read)(void *ctx, char *out, size_t cap);
    /* The connection is over: read is not called again, and ctx may go. Before hs_stop returns. */
    void (*closed)(void *ctx);
    void *ctx;
    const char *idle; /* static text that is sent after HS_STREAM_IDLE_MS without anything; NULL: none */
} hs_source_t;

/* Makes the answer to a request a stream, in its handler; the status is 200. Gives a reference for hs_stream_wake.
 * NULL: there is no place for it, and r is the 503 or 429 that says so; closed is not called then. */
hs_stream_t *hs_stream_new(const hs_request_t *request, hs_response_t *r, const char *content_type,
                           const hs_source_t *source);

/* There is something to be read. Must not be called by read. Without effect once the connection is over. */
void hs_stream_wake(hs_stream_t *s);

void hs_stream_unref(hs_stream_t *s); /* NULL allowed */

/* ---- for reply.c ---- */

struct MHD_Response;

/* The answer of a stream, which it takes. NULL: out of memory. */
struct MHD_Response *stream_reply(hs_stream_t *take);

/* A stream by which nothing was answered. NULL allowed. */
void stream_drop(hs_stream_t *take);

#endif
