/* client.h - HTTP client: the door to libcurl. One I/O thread serves all requests; whoever asks may wait for the answer
 * (hc_perform) or be told of it (hc_submit).
 *
 * Floor:  2, http. Thread-safe: one hc_t serves all threads and keeps connections alive between requests.
 * Tests:  tests/unit/test_http_client.c, tests/unit/test_http_connections.c
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdatomic.h>

#include "http/message.h"
#include "http/url.h"

typedef struct hc hc_t;

/* One client. ca_file: PEM bundle, NULL for the system's; NULL on failure. */
hc_t *hc_new(const char *ca_file);

/* Whether requests from now on go by the proxies that the environment names (http_proxy, https_proxy, no_proxy), but
 * for those to Unix sockets. At first none does. */
void hc_use_proxies(hc_t *c, bool use);

/* Ends what is under way as hc_cancel does, waits until every done has returned, and frees. NULL is allowed. */
void hc_free(hc_t *c);

/* Requests that were submitted together. The caller's storage, zeroed or not; private to client.c. */
typedef struct hc_group {
    struct hc_group *prev, *next;
    hc_response_t *out;
    const hc_request_t *requests;
    size_t count, left; /* requests, and those of them that have not ended */
    void *transfers;
    void (*done)(void *ctx);
    void *ctx;
    atomic_bool cancelled;
} hc_group_t;

/* Begins n requests side by side and returns at once; the result of each will be in its rc. The requests, what they
 * point to, out (n elements, each to be cleared) and g are borrowed until done is called: once, when all have ended, on
 * the client's I/O thread. It must not wait for anything; it may free what was borrowed, and submit other requests. */
void hc_submit(hc_t *c, hc_group_t *g, hc_response_t *out, const hc_request_t *requests, size_t n,
               void (*done)(void *ctx), void *ctx);

/* Ends a group soon: what has no answer yet gets RC_TIMEOUT, "cancelled". Any time between hc_submit and the end of
 * done, any thread; does not wait. */
void hc_cancel(hc_t *c, hc_group_t *g);

/* Performs n requests in parallel and returns when all have ended. out has n elements, each to be cleared. The result
 * of each is in its rc. cancel (may be NULL) is polled at least every 100 ms: true ends everything as hc_cancel does.
 * Not on the I/O thread. */
void hc_perform(hc_t *c, hc_response_t *out, const hc_request_t *requests, size_t n, bool (*cancel)(void *ctx),
                void *cancel_ctx);
void hc_response_clear(hc_response_t *r);

#endif
