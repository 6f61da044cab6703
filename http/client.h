/* client.h - HTTP client: the door to libcurl.
 *
 * Floor:  2, http. Thread-safe: one hc_t serves all threads and keeps connections alive between calls.
 * Tests:  tests/unit/test_http_client.c
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/bytes.h"
#include "base/rc.h"

typedef struct hc hc_t;

typedef struct {
    const char *url;             /* http or https; no other scheme, no redirects followed */
    view_t post;                 /* body; p NULL: GET */
    const char *accept;          /* NULL: application/json */
    uint32_t connect_timeout_ms; /* 0: 5000 */
    uint32_t timeout_ms;         /* whole request; 0: 15000 */
    uint32_t stall_timeout_ms;   /* no byte for this long; 0: 5000 */
    size_t body_max;             /* bytes, after decompression; 0: 16 MiB */
    const char *want_header;     /* "Name:" of a response header to keep; NULL: none */
    bool any_peer; /* https: takes any certificate and keeps it: the caller checks it, for instance by its quote */
    const char *unix_socket; /* path of a Unix socket to speak to instead of the URL's host; NULL: none */
} hc_request_t;

typedef struct {
    rc_t rc;    /* RC_OK: a complete answer with any status. RC_IO: no connection, or the answer broke off; RC_TIMEOUT;
                 * RC_LIMIT: body or headers too large; RC_MALFORMED: not HTTP, or not a URL; RC_NOMEM */
    int status; /* 100 to 599 */
    char content_type[96];
    char consensus_version[24]; /* Eth-Consensus-Version; empty when absent */
    uint32_t retry_after_ms;    /* Retry-After, capped at one minute; 0 when absent */
    char *header;  /* value of want_header, printable ASCII; NULL when absent; freed by hc_response_clear */
    char *peer;    /* with any_peer: the server's certificate, PEM; NULL: none; freed by hc_response_clear */
    uint8_t *body; /* malloc; freed by hc_response_clear */
    size_t body_len;
    char error[160]; /* sentence when rc is not RC_OK: what failed, without the URL's path or credentials */
    uint32_t elapsed_ms;
} hc_response_t;

/* One client. ca_file: PEM bundle, NULL for the system's; NULL on failure. */
hc_t *hc_new(const char *ca_file);
void hc_free(hc_t *c);

/* Performs n requests in parallel and returns when all have ended. out has n elements, each to be cleared. The result
 * of each is in its rc. cancel (may be NULL) is polled at least every 100 ms: true ends everything with RC_TIMEOUT. */
void hc_perform(hc_t *c, hc_response_t *out, const hc_request_t *requests, size_t n, bool (*cancel)(void *ctx),
                void *cancel_ctx);
void hc_response_clear(hc_response_t *r);

/* RC_OK when url is an http or https URL with a host that this client would ask; RC_MALFORMED otherwise. */
NODISCARD rc_t hc_url_check(const char *url);

/* "scheme://host:port" of a URL for logs and errors: no credentials, path or query (providers put keys there). */
void hc_url_origin(char *out, size_t cap, const char *url);

#endif
