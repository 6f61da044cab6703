/* server.h - HTTP server: the door to libmicrohttpd. Routes are a table; quick ones are answered on the event threads, slow
 * ones on a pool of workers with a bounded queue, so that a slow upstream never blocks other requests.
 *
 * Floor:  6, edge.
 * Tests:  tests/unit/test_http_server.c
 */
#ifndef RPC_HTTP_SERVER_H
#define RPC_HTTP_SERVER_H

#include "base/bytes.h"
#include "base/rc.h"

typedef struct hs hs_t;

typedef struct {
    const char *method; /* "GET" */
    const char *path;   /* without query, percent-decoded */
    const char *query;  /* raw, without '?'; empty when absent */
    const char *content_type; /* empty when absent */
    view_t body;
} hs_request_t;

/* Filled by a handler. body is malloc'ed and taken over by the server (or shared: a refcounted block, see hs_body_t). */
typedef struct {
    int status;
    const char *content_type; /* static text; NULL: application/json */
    uint8_t *body;
    size_t body_len;
    unsigned retry_after_s; /* 0: no header */
} hs_response_t;

typedef void (*hs_handler_t)(void *ctx, const hs_request_t *request, hs_response_t *response);

enum { HS_SLOW = 1, HS_CORS = 2 };

typedef struct {
    const char *method;
    const char *path; /* exact */
    hs_handler_t handler;
    unsigned flags;
} hs_route_t;

typedef struct {
    const char *address;   /* bind address; NULL: all IPv4 and IPv6 where available */
    uint16_t port;         /* 0: any; hs_port tells */
    const hs_route_t *routes; /* HEAD and OPTIONS (CORS) are derived; 404 and 405 with Allow come by themselves */
    size_t route_count;
    void *ctx;
    unsigned event_threads; /* 0: 2 */
    unsigned workers;       /* 0: 8 */
    unsigned queue_max;     /* waiting slow requests; 0: 64; beyond: 503 with Retry-After */
    size_t body_max;        /* 0: 1 MiB; beyond: 413 */
    unsigned connections_max; /* 0: 1024 */
    unsigned per_ip_max;      /* 0: 256 */
    unsigned idle_timeout_s;  /* 0: 30 */
} hs_config_t;

/* Starts listening. RC_IO with why filled (port in use, ...); RC_NOMEM. */
NODISCARD rc_t hs_start(hs_t **out, char *why, size_t why_cap, const hs_config_t *config);
uint16_t hs_port(const hs_t *s);
/* Stops accepting, finishes running handlers (at most grace_ms), closes. NULL allowed. */
void hs_stop(hs_t *s, unsigned grace_ms);

/* Fills an RFC 9457 problem object: {"type":"urn:kettle:error:<slug>","title":...,"status":...,"detail":...}. */
void hs_problem(hs_response_t *r, int status, const char *slug, const char *detail);

#endif
