/* exchange.h - a few requests to several servers side by side, within the time that is left: for what is asked before
 * there is a service.
 *
 * Floor:  5, node/setup. Waits for answers.
 * Tests:  tests/unit/test_checkpoint.c, tests/unit/test_trial.c
 */
#ifndef NODE_SETUP_EXCHANGE_H
#define NODE_SETUP_EXCHANGE_H

#include "http/client.h"

#define EXCHANGE_MAX 64u   /* requests */
#define EXCHANGE_URL 1400u /* bytes of one URL */
#define EXCHANGE_MS 8000u  /* of one exchange, unless less is left */

/* Until when, and whether somebody wants it to end. Borrowed pointers. */
typedef struct {
    hc_t *http;
    uint64_t until_ms; /* monotonic */
    bool (*cancel)(void *ctx);
    void *ctx;
} deadline_t;

/* Large: on the heap, zeroed. */
typedef struct {
    hc_request_t requests[EXCHANGE_MAX];
    hc_response_t responses[EXCHANGE_MAX];
    size_t who[EXCHANGE_MAX]; /* the caller's */
    char urls[EXCHANGE_MAX][EXCHANGE_URL];
    size_t n;
    size_t slowest; /* who of all exchanges took longest, and how long; 0 ms: nobody was asked */
    uint32_t slowest_ms;
} exchange_t;

/* Adds a GET of a path below a server's URL, and gives it to be made something else of. who is kept beside it. */
hc_request_t *exchange_add(exchange_t *x, const char *base, const char *path, size_t who);

/* Performs all. RC_TIMEOUT: there is no time left, or it is to end; responses are empty then. */
NODISCARD rc_t exchange_perform(exchange_t *x, const deadline_t *d);

/* The body of an answer with status 200; else p is NULL, and e says why there is none: also which key of the measured
 * configuration lets a setup lead there. places: whoever reads it named the server, and may know where it leads. */
view_t exchange_body(const exchange_t *x, err_t *e, size_t i, bool places);

/* Frees the answers: the next exchange may be made. */
void exchange_clear(exchange_t *x);

#endif
