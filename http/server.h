/* server.h - HTTP server: the door to libmicrohttpd. Routes are a table; quick ones are answered on the event threads,
 * slow ones on a pool of workers with a bounded queue. A quick handler may put its answer off: the connection then
 * waits without any thread, so that thousands of requests can wait for a slow upstream while others pass.
 *
 * Requests whose frame two servers could understand differently (http/framing.h) are refused once, before any routing,
 * and the connection is closed.
 *
 * Every answer carries X-Content-Type-Options: nosniff and Cache-Control: no-store. HEAD is derived from GET; OPTIONS
 * tells the methods of a path (and is the CORS preflight); 404, and 405 with Allow, come by themselves. A POST without
 * Content-Length or chunked coding gets 411, a body over body_max 413 and a closed connection. Errors of the server are
 * RFC 9457 problems. A request whose headers are not there after headers_ms, or whose body comes more slowly than
 * body_rate after that time, ends its connection, and so does an answer that is not taken in as much time as a body of
 * its length has, at most twice the idle timeout. When there are too many connections, the oldest one that is still
 * receiving its request goes, unless it is of a client that has fewer than the newcomer's; else the oldest that is
 * being answered, of whoever has most of them and more than that client; else the newcomer.
 *
 * Clients (http/clients.h) have turns at the workers, and shares of what waits. Whoever is alone may fill all places.
 * As soon as another comes, the client that holds most of them gives up its last ones, which get 429 with Retry-After;
 * a client that asks for more than a quarter then gets 429 itself. 503 with Retry-After is for a server that is full of
 * clients of equal shares.
 *
 * A GET of a route with HS_WEBSOCKET becomes a WebSocket (http/websocket.h), or is answered 426, 400, or 503 when there
 * is no room for another one. It counts as a connection, but for no timeout here. There are at most a quarter as many
 * as connections, of which a client has a quarter; and as many streams (http/stream.h).
 *
 * Bodies that are being received have bodies_max bytes, and so have answers that are being sent, of which those of more
 * than 4 KiB count, each as a quarter at most and one that several share as one. When that is full, a client that holds
 * less than a quarter gets room from whoever holds most, and more than it will, whose oldest one is closed; others get
 * 503 with Retry-After.
 *
 * Connections whose requests wait are looked at every quarter of a second: when the other side has closed it, nobody
 * waits any more, and a request that has not begun is dropped.
 *
 * A client behind a listed proxy is whom that names (http/proxy.h): by the PROXY header of the connection, or the last
 * element of X-Forwarded-For, or where that is configured of Forwarded, that is not itself listed; all whose element
 * cannot be read are one client. One that says nothing stands for many, and has no bounds.
 *
 * On a Unix socket all are one client, with all places.
 *
 * With an identity the port serves HTTPS and nothing else: TLS 1.3 and 1.2. The identity can be replaced while it runs.
 *
 * Floor:  2, http.
 * Tests:  tests/unit/test_http_server.c, tests/unit/test_http_tls_server.c; cost: tests/bench/bench_block.c
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/err.h"
#include "base/tally.h"
#include "http/message.h"
#include "http/proxy.h"
#include "http/tls.h"
#include "http/websocket.h"

typedef struct hs hs_t;

/* Called on an event thread (quick: must not wait for anything) or on a worker (HS_SLOW), by several threads at a time.
 * The request lives until it returns. */
typedef void (*hs_handler_t)(void *ctx, const hs_request_t *request, hs_response_t *response);

/* A request whose answer was put off. */
typedef struct hs_pending hs_pending_t;

/* Puts off the answer to a request, in its handler on an event thread; the handler then returns without touching
 * response again. hs_answer has to be called for what this gives, exactly once, also after hs_stop.
 * NULL: too many wait, or the server stops; response is filled with the 503 or 429 that says so. */
hs_pending_t *hs_defer(const hs_request_t *request, hs_response_t *response);

/* The deferred request: a copy of its own, which lives until hs_answer. */
const hs_request_t *hs_pending_request(const hs_pending_t *p);

/* Whether nobody waits for the answer any more: the connection has ended (its other side closed it, at least for
 * sending), or was answered in the caller's place. Costs nothing. */
bool hs_pending_gone(const hs_pending_t *p);

/* Gives the answer, on any thread, and ends p; leaves response empty. Without effect but for that when the server
 * stopped meanwhile. */
void hs_answer(hs_pending_t *p, hs_response_t *response);

typedef struct {
    const char *method; /* GET (and so HEAD), POST, DELETE, or ANY: all but OPTIONS */
    const char *path; /* exact; one that ends in '*' is everything that begins so: "/v1/block/" "*". First match wins */
    hs_handler_t handler;
    unsigned flags;
} hs_route_t;

#define HS_ROUTES_MAX 64u

/* What a server has answered, and what it holds now. Zeroed at first; several servers, one after the other, may count
 * in the same one. */
typedef struct {
    struct {
        tally_t answers[6];  /* by the status' first digit */
        spread_t took;       /* from the request's headers to the answer */
    } of[HS_ROUTES_MAX + 1]; /* of each route, and at route_count of what has none */
    tally_t connections, put_off;
} hs_tallies_t;

typedef struct {
    /* Where it listens, at most LISTEN_MAX of http/accept.h; count 0: address alone. */
    const char *const *addresses;
    size_t address_count;
    const proxies_t *proxies; /* whose word for who asks is taken; copied; NULL: nobody's */
    bool proxy_protocol;      /* connections of those begin with a PROXY header, before TLS */
    bool by_forwarded;        /* they name clients by Forwarded; else by X-Forwarded-For */
    const char *address;      /* bind address; NULL: all IPv4 and IPv6 where available */
    uint16_t port;            /* 0: any; hs_port tells */
    const char *unix_path;    /* listens on a Unix socket at this place instead of all that; lives as long; NULL: not */
    const hs_route_t *routes; /* lives as long as the server */
    size_t route_count;       /* at most HS_ROUTES_MAX */
    void *ctx;
    unsigned flags;           /* HS_SIMULATED, HS_DEVELOPMENT: on every answer of this server */
    hs_identity_t *identity;  /* not NULL: HTTPS, and the server takes a reference of its own; NULL: HTTP */
    unsigned event_threads;   /* 0: 2 */
    unsigned workers;         /* 0: 8 */
    unsigned queue_max;       /* waiting slow requests; 0: 64 */
    unsigned deferred_max;    /* requests that wait for hs_answer; 0: 1024 */
    size_t deferred_body_max; /* bytes of their bodies together; 0: 64 MiB */
    size_t bodies_max;        /* bytes of bodies under way, and of answers not taken; 0: 32 MiB; beyond: 503 */
    size_t body_max;          /* 0: 1 MiB; beyond: 413 */
    unsigned connections_max; /* 0: 1024; beyond: one goes, or the newcomer */
    unsigned per_client_max;  /* 0: a quarter of it; beyond: the client's oldest that is still receiving goes */
    unsigned idle_timeout_s;  /* 0: 30 */
    unsigned headers_ms;      /* for a request's line and headers, and before the rate of its body counts; 0: 10000 */
    unsigned body_rate;       /* bytes a second that a body has to come, and an answer to be taken with; 0: 16384 */
    hs_tallies_t *tallies;    /* borrowed; NULL: nothing is counted */
    const ws_config_t *websocket; /* for routes with HS_WEBSOCKET; copied. NULL: there are none */
} hs_config_t;

/* Starts listening. RC_IO: port in use, ...; RC_NOMEM; RC_LIMIT: too many routes or workers. */
NODISCARD rc_t hs_start(hs_t **out, err_t *e, const hs_config_t *config);
uint16_t hs_port(const hs_t *s);

/* Adds flags of hs_config_t, for answers from now on that are not shared ones. */
void hs_mark(hs_t *s, unsigned flags);

/* Whether a request of another client waits for a worker, while a handler answers this one. */
bool hs_others_wait(const hs_request_t *request);

/* Connections that come from now on see this identity; those that are there keep theirs. Only for a server that was
 * started with one. Takes a reference of its own; may be called from any thread that does not race with hs_stop. */
void hs_set_identity(hs_t *s, hs_identity_t *identity);

/* Waits up to grace_ms until every request that has reached a handler is answered and the answer handed to the kernel;
 * new requests get 503 and "Connection: close" meanwhile. After grace_ms slow requests that wait for a worker, and
 * deferred ones, get 503. Returns when no handler runs any more (a running one is never cut off: its own time limits
 * bound this), WebSockets are told and closed, the port and all connections are closed, and s is freed. Not to be
 * called from a handler. NULL allowed. */
void hs_stop(hs_t *s, unsigned grace_ms);

#endif
