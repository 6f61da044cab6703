/* server.h - HTTP server: the door to libmicrohttpd. Routes are a table; quick ones are answered on the event threads,
 * slow ones on a pool of workers with a bounded queue, so that a slow upstream never blocks other requests.
 *
 * Every answer carries X-Content-Type-Options: nosniff and Cache-Control: no-store. HEAD is derived from GET; OPTIONS
 * tells the methods of a path (and is the CORS preflight); 404, and 405 with Allow, come by themselves. A POST without
 * Content-Length or chunked coding gets 411, a body over body_max 413 and a closed connection. Errors of the server are
 * RFC 9457 problems. A request that is not all there after twice the idle timeout, or an answer that is not taken in
 * that time, ends its connection, however steadily the bytes trickle.
 *
 * With an identity the port serves HTTPS and nothing else: TLS 1.3 and 1.2. The identity can be replaced while it runs.
 *
 * Floor:  2, http.
 * Tests:  tests/unit/test_http_server.c, tests/unit/test_http_tls_server.c; cost: tests/bench/block.c
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/bytes.h"
#include "base/rc.h"

typedef struct hs hs_t;

/* A finished answer that many requests can hand out at the same time: immutable, reference-counted, headers included,
 * so that serving it copies and allocates nothing. For answers that stay the same for a while, such as those of one
 * block. The count is thread-safe; whoever replaces a current answer holds its own lock around "read the pointer,
 * hs_shared_ref". */
typedef struct hs_shared hs_shared_t;

/* Certificate and private key of an HTTPS server: immutable, reference-counted; the count is thread-safe. */
typedef struct hs_identity hs_identity_t;

typedef struct {
    const char *method;       /* "GET"; a HEAD request arrives as "GET" */
    const char *path;         /* without query, percent-decoded */
    const char *query;        /* raw, without '?'; empty when absent */
    const char *content_type; /* empty when absent */
    view_t body;
} hs_request_t;

/* Zeroed before, filled by a handler. Either shared, or the other fields. status 0 or out of 200..599 becomes a 500. */
typedef struct {
    int status;
    const char *content_type; /* static text; NULL: application/json */
    uint8_t *body;            /* malloc'ed, taken over by the server */
    size_t body_len;
    unsigned retry_after_s; /* 0: no header */
    hs_shared_t *shared;    /* not NULL: the answer, and the other fields are ignored; takes over one reference */
} hs_response_t;

/* Called on an event thread (quick: must not wait for anything) or on a worker (HS_SLOW), by several threads at a time.
 * The request lives until it returns. */
typedef void (*hs_handler_t)(void *ctx, const hs_request_t *request, hs_response_t *response);

enum {
    HS_SLOW = 1,
    HS_CORS = 2,
    HS_SIMULATED = 4 /* X-Kettle-TEE: simulated, so that no answer of a simulated TEE passes for a real one's */
};

typedef struct {
    const char *method;
    const char
        *path; /* exact, or everything that starts with it when it ends in '*': "/v1/block/" "*". First match wins */
    hs_handler_t handler;
    unsigned flags;
} hs_route_t;

typedef struct {
    const char *address;      /* bind address; NULL: all IPv4 and IPv6 where available */
    uint16_t port;            /* 0: any; hs_port tells */
    const hs_route_t *routes; /* lives as long as the server */
    size_t route_count;       /* at most HS_ROUTES_MAX */
    void *ctx;
    unsigned flags;           /* HS_SIMULATED: on every answer of this server */
    hs_identity_t *identity;  /* not NULL: HTTPS, and the server takes a reference of its own; NULL: HTTP */
    unsigned event_threads;   /* 0: 2 */
    unsigned workers;         /* 0: 8 */
    unsigned queue_max;       /* waiting slow requests; 0: 64; beyond: 503 with Retry-After */
    size_t body_max;          /* 0: 1 MiB; beyond: 413 */
    unsigned connections_max; /* 0: 1024; split evenly among the event threads; beyond: they wait to be accepted */
    unsigned per_ip_max;      /* 0: 256; beyond: closed at once */
    unsigned idle_timeout_s;  /* 0: 30 */
} hs_config_t;

#define HS_ROUTES_MAX 64u

/* Starts listening. RC_IO with why filled (port in use, ...); RC_NOMEM; RC_LIMIT: too many routes. */
NODISCARD rc_t hs_start(hs_t **out, char *why, size_t why_cap, const hs_config_t *config);
uint16_t hs_port(const hs_t *s);

/* Connections that come from now on see this identity; those that are there keep theirs. Only for a server that was started
 * with one. Takes a reference of its own; may be called from any thread that does not race with hs_stop. */
void hs_set_identity(hs_t *s, hs_identity_t *identity);

/* Waits up to grace_ms until every request that has reached a handler is answered and the answer handed to the kernel;
 * new requests get 503 and "Connection: close" meanwhile. After grace_ms waiting slow requests get 503 instead of their
 * handler. Returns when no handler runs any more (a running one is never cut off: its own time limits bound this), the
 * port and all connections are closed, and s is freed. Not to be called from a handler. NULL allowed. */
void hs_stop(hs_t *s, unsigned grace_ms);

/* Fills an RFC 9457 problem object: {"type":"urn:kettle:error:<slug>","title":...,"status":...,"detail":...}. */
void hs_problem(hs_response_t *r, int status, const char *slug, const char *detail);

/* Makes an answer with one reference; copies body. content_type as in hs_response_t; flags: those of the routes that
 * hand it out (HS_CORS matters). NULL: out of memory. */
hs_shared_t *hs_shared_new(int status, const char *content_type, view_t body, unsigned flags);
hs_shared_t *hs_shared_ref(hs_shared_t *a); /* returns a */
void hs_shared_unref(hs_shared_t *a);       /* NULL allowed */

/* Makes an identity, with one reference, from a certificate and the key that belongs to it (SEC1 or PKCS #8), both DER.
 * RC_MALFORMED with why filled: they do not parse, or do not belong together; RC_NOMEM. */
NODISCARD rc_t hs_identity_new(hs_identity_t **out, char *why, size_t why_cap, view_t cert_der, view_t key_der);
hs_identity_t *hs_identity_ref(hs_identity_t *i); /* returns i */
void hs_identity_unref(hs_identity_t *i);         /* NULL allowed */

#endif
