/* reply.h - private to http/: from a handler's answer to libmicrohttpd's response. Also makes what message.h
 * declares for handlers: problems and shared answers.
 *
 * Floor:  2, http. No state of its own; thread-safe.
 * Tests:  tests/unit/test_http_server.c
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <microhttpd.h>

#include "http/message.h"

typedef struct {
    bool cors;         /* any page may read the answer */
    bool preflight;    /* with cors: also what a page may send */
    bool close;        /* the connection ends with this answer */
    bool gzip;         /* filled in by reply_make */
    bool websocket;    /* says what is to be asked for */
    bool quoted;       /* HS_QUOTED */
    unsigned marks;    /* HS_SIMULATED, HS_DEVELOPMENT */
    const char *allow; /* value of Allow; NULL: no header */
} reply_extra_t;

/* Makes a response of r and leaves r empty: its body belongs to the response (or is freed). NULL: out of memory. */
struct MHD_Response *reply_make(hs_response_t *r, const reply_extra_t *extra);

/* Turns a problem of hs_problem into a JSON string that holds {"error": detail}; another answer stays. Without memory
 * the status alone is left. */
void reply_quote(hs_response_t *r);

/* Makes the answer that turns a connection into a WebSocket; handler gets it. NULL: out of memory. */
struct MHD_Response *reply_upgrade(MHD_UpgradeHandler handler, void *ctx, const char *accept, unsigned marks);

/* The status that reply_make's answer or the shared one has. */
unsigned reply_status(const hs_response_t *r);

/* How long its body is; of a stream 0. */
size_t reply_length(const hs_response_t *r);
/* How much of that is in memory for its sake: what others send, too, is divided by them. */
size_t reply_memory(const hs_response_t *r);

/* The response inside a shared answer; lives as long as the caller's reference. */
struct MHD_Response *reply_shared(const hs_shared_t *a);

#endif
