/* message.h - requests and answers of HTTP, of both directions: what client.h and server.h carry.
 *
 * Floor:  2, http. Types only; hs_problem and shared answers are made by reply.c.
 * Tests:  tests/unit/test_http_client.c, tests/unit/test_http_led.c, tests/unit/test_http_server.c
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "base/bytes.h"
#include "base/err.h"
#include "http/reach.h"

/* ---- what we ask others ---- */

#define HC_REDIRECTS_MAX 3u

typedef struct {
    const char *url;    /* http or https; no other scheme. Redirects are followed, at most HC_REDIRECTS_MAX and as
                                    hc_url_may_follow has it: a GET by 301, 302, 303, 307, 308, a POST by 307, 308 */
    const char *led;    /* of a POST: where url has led before (hc_response_t.led), asked first, if url may lead there;
                                    NULL: nowhere. Without an answer with 2xx, url is asked, but after 429, 503 */
    view_t post;        /* body; p NULL: GET */
    const char *accept; /* NULL: application/json */
    uint32_t connect_timeout_ms; /* 0: 5000 */
    uint32_t timeout_ms;         /* whole request; 0: 15000 */
    uint32_t stall_timeout_ms;   /* no byte for this long; 0: 5000 */
    size_t body_max;             /* bytes, after decompression; 0: 16 MiB */
    const char *want_header;     /* "Name:" of a response header to keep; NULL: none */
    bool any_peer; /* https: takes any certificate and keeps it: the caller checks it, for instance by its quote */
    const char *ca_file;     /* PEM: who vouches for the server's certificate; NULL: the client's */
    const char *unix_socket; /* path of a Unix socket to speak to instead of the URL's host; NULL: none */
    bool plain;              /* the answer is asked for in no content coding, else in gzip or none */
    bool secret;   /* the answer holds one: no buffer keeps a byte of its body, and whoever takes it wipes it */
    reach_t reach; /* which addresses it may lead to, also by redirects and proxies; on connections of its own then */
} hc_request_t;

typedef struct {
    err_t why;  /* rc RC_OK: a complete answer with any status. RC_IO: no connection, or the answer broke off;
                 * RC_TIMEOUT; RC_LIMIT: body or headers too large; RC_MALFORMED: not HTTP, or not a URL; RC_REFUSED:
                 * out of its reach; RC_NOMEM. The text names nothing of the URL, nor repeats a byte of the answer */
    int status; /* 100 to 599 */
    char content_type[96];
    char consensus_version[24]; /* Eth-Consensus-Version; empty when absent */
    uint32_t retry_after_ms;    /* Retry-After, capped at one minute; 0 when absent */
    char moved[320];            /* origin of where a redirect points that was not followed; empty: nowhere */
    char *led;                  /* where redirects led a POST that came to a 2xx; NULL: nowhere; freed as header is */
    bool led_for_good;          /* ... each of them by 308 */
    bool led_failed;            /* the request's own led gave no answer with 2xx */
    bool misread;               /* its content coding was of no use, and it was asked for once more in none */
    int64_t date_s;             /* Date, Unix seconds: what the server takes for the time; 0 when absent */
    char *header;  /* value of want_header, printable ASCII; NULL when absent; freed by hc_response_clear */
    char *peer;    /* with any_peer: the server's certificate, PEM; NULL: none; freed by hc_response_clear */
    uint8_t *body; /* malloc; freed by hc_response_clear */
    size_t body_len;
    uint32_t elapsed_ms;
} hc_response_t;

/* ---- what others ask us ---- */

/* A finished answer that many requests can hand out at the same time: immutable, reference-counted, headers included,
 * so that serving it copies and allocates nothing. For answers that stay the same for a while, such as those of one
 * block. The count is thread-safe; whoever replaces a current answer holds its own lock around "read the pointer,
 * hs_shared_ref". */
typedef struct hs_shared hs_shared_t;

typedef struct {
    const char *method;       /* "GET"; a HEAD request arrives as "GET" */
    const char *path;         /* without query, percent-decoded */
    const char *query;        /* raw, without '?'; empty when absent */
    const char *content_type; /* empty when absent */
    view_t body;
    const char *authorization;      /* empty when absent; not in the copy of a request that was put off */
    const char *operator_signature; /* of the header Kettle-Operator; likewise */
    const char *accept;             /* which forms of an answer the client takes; likewise */
    const char *last_event_id;      /* of a stream that the client takes up again; likewise */
    bool from_page;                 /* a browser's page sent it: Origin is there, or a Sec-Fetch-Site other than none */
    bool gzip;                      /* the client takes an answer so (http/gzip.h) */
    struct hs_client *client;       /* who asks (http/clients.h): a reference of the request's */
    struct hs *server;              /* that runs the handler; not in the copy of a request that was put off */
} hs_request_t;

struct hs_stream;

/* Zeroed before, filled by a handler. Either shared, or the other fields. status 0 or out of 200..599 becomes a 500. */
typedef struct {
    int status;
    const char *content_type; /* static text; NULL: application/json */
    uint8_t *body;            /* malloc'ed, taken over by the server */
    size_t body_len;
    bool gzip;                     /* body is */
    unsigned retry_after_s;        /* 0: no header */
    struct hs_stream *take_stream; /* not NULL: the body, in place of the other one; of hs_stream_new alone */
    hs_shared_t *shared; /* not NULL: the answer, and the other fields are ignored; takes over one reference */
} hs_response_t;

enum {
    HS_SLOW = 1,
    HS_CORS = 2,
    HS_SIMULATED = 4,   /* X-Kettle-TEE: simulated, so that no answer of a simulated TEE passes for a real one's */
    HS_DEVELOPMENT = 8, /* Kettle-Development: true, on every answer of a node that is open to whatever is sent */
    HS_WEBSOCKET = 16,  /* of a route of GET, which needs no handler: becomes a WebSocket (hs_config_t.websocket) */
    HS_QUOTED = 32      /* of a route whose answers are JSON strings that hold JSON: its problems are {"error": detail}
                         * in that form */
};

/* Fills an RFC 9457 problem object: {"type":"urn:kettle:error:<slug>","title":...,"status":...,"detail":...}. */
void hs_problem(hs_response_t *r, int status, const char *slug, const char *detail);

/* Frees what a response owns and leaves it empty. */
void hs_response_clear(hs_response_t *r);

/* Makes an answer with one reference; copies body. content_type as in hs_response_t; flags: those of the routes that
 * hand it out (HS_CORS matters). NULL: out of memory. */
hs_shared_t *hs_shared_new(int status, const char *content_type, view_t body, unsigned flags);
/* The same of a static text, which is not copied. */
hs_shared_t *hs_shared_static(int status, const char *content_type, view_t text, unsigned flags);
/* Adds a header to an answer that nobody else has yet. False: out of memory. */
bool hs_shared_header(hs_shared_t *a, const char *name, const char *value);
hs_shared_t *hs_shared_ref(hs_shared_t *a); /* returns a */
void hs_shared_unref(hs_shared_t *a);       /* NULL allowed */

#endif
