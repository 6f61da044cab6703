/* transfer.h - one request on its way through libcurl: its limits, what comes of it, and how it ends. Private to http/.
 *
 * Floor:  2, http. All of one multi handle on one thread.
 * Tests:  tests/unit/test_http_client.c, tests/unit/test_http_connections.c
 */
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include <curl/curl.h>
#include <stdatomic.h>
#include <zlib.h>

#include "http/message.h"

#define EASY_KEPT_MAX 64u

/* Where transfers run: a multi handle with its connections, and spare easy handles. */
typedef struct {
    CURLM *multi;
    CURLSH *share;         /* TLS sessions of all transfers */
    const char *ca_file;   /* NULL: none found, then every https request fails */
    atomic_bool proxy_env; /* proxies of the environment are used */
    CURL *spare[EASY_KEPT_MAX];
    size_t spare_count;
} lane_t;

typedef struct {
    CURL *easy;
    struct curl_slist *headers;
    const hc_request_t *request;
    hc_response_t *out;
    void *owner; /* of whoever started it */
    size_t body_cap, body_max, header_bytes;
    curl_off_t seen_down, seen_up;
    uint64_t progress_ms; /* last byte in either direction; 0: not connected yet */
    uint64_t started_ms;
    uint32_t stall_ms;
    rc_t why;                   /* set by a callback that ends the transfer, */
    const char *what;           /* with its sentence */
    char said[CURL_ERROR_SIZE]; /* by curl, of what went wrong */
    z_stream unpack; /* of a body in gzip: here and not in curl, which takes a stream that breaks off for a whole one */
    bool packed, unpacking, unpacked;
    bool head_done; /* the empty line after the final answer's headers has come */
    bool misread;   /* the answer's content coding is of no use */
    bool plain;     /* none is asked for */
    bool walled;    /* an address was out of the request's reach */
    bool ended;
    char *url;     /* where a redirect led, now or before; NULL: the request's own */
    unsigned hops; /* how many were followed, */
    bool lasting;  /* ... each of them a 308 */
    bool direct;   /* url is where one led before */
} transfer_t;

/* Opens a lane. False: out of memory; what is there is for lane_close. */
bool lane_open(lane_t *l, const char *ca_file);
void lane_close(lane_t *l);

/* Begins a request; t is zeroed, out and request live until it has ended. t->ended afterwards: it failed at once. */
void transfer_start(transfer_t *t, lane_t *l, void *owner, hc_response_t *out, const hc_request_t *request);

/* The transfer that curl reports as ended, if any, fully judged; NULL: none. */
transfer_t *transfer_reap(lane_t *l);

/* Ends one that is on its way, with RC_TIMEOUT and a sentence. */
void transfer_stop(transfer_t *t, lane_t *l, const char *what);

/* Ends it when it has stalled; true: it did. */
bool transfer_stalled(transfer_t *t, lane_t *l, uint64_t now_ms);

/* Frees what an ended transfer holds; its handle becomes a spare one. */
void transfer_clear(transfer_t *t, lane_t *l);

/* Fills an answer for a request that never began. */
void transfer_refuse(hc_response_t *out, const hc_request_t *request, rc_t rc, const char *what);

#endif
