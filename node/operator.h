/* operator.h - the routes of a node's operator: commands that operator_key has signed (rpc/api/operator.h).
 *
 *     POST /v1/providers {"counter", "not_after", "execution"?: URLs, "consensus"?: URLs, "pccs"?: URLs}
 *     POST /v1/keys/rotate {"counter", "not_after"}             refused: a key is rotated by an order
 *     POST /v1/log-level {"counter", "not_after", "level": "debug"}
 *     GET  /v1/log?after=N&counter=...&not_after=...
 *     GET  /v1/providers/N/faults?of=consensus&counter=...   of execution_rpc[N] without of=
 *
 * Floor:  5, node. Any thread.
 * Tests:  tests/unit/test_operator_routes.c
 */
#ifndef NODE_OPERATOR_H
#define NODE_OPERATOR_H

#include <pthread.h>

#include "http/message.h"
#include "node/lies.h"
#include "rpc/api/operator.h"
#include "rpc/upstream/endpoints.h"

/* A node's commands so far. */
typedef struct {
    pthread_mutex_t lock;
    operator_t state; /* under it */
} operator_gate_t;

/* key: of the configuration; zeros: nobody's. Then this node's own key, before anybody asks. */
void operator_gate_init(operator_gate_t *g, const uint8_t key[OPERATOR_KEY_LEN]);
void operator_gate_node(operator_gate_t *g, const uint8_t node[OPERATOR_KEY_LEN]);
void operator_gate_clear(operator_gate_t *g);

/* Whether a request is a command that is to be obeyed, once. False: r is filled with 401, 403, 409 or 400, a problem
 * whose word begins with operator-.
 *   now_s  Unix seconds: what time it is at least */
bool operator_admits(operator_gate_t *g, hs_response_t *r, const hs_request_t *request, uint64_t now_s);

/* What a command that was admitted does. */
typedef struct {
    up_t *execution, *consensus;
    rc_t (*set_pccs)(void *ctx, const char *const *urls, size_t count); /* RC_NOMEM */
    void *ctx;
} operator_upstreams_t;

/* Other endpoints from now on, until the next start: r is 200, 400 or, when the former ones are not over yet, 503.
 * *changed: whether the execution RPCs may have. */
void operator_set_providers(hs_response_t *r, const hs_request_t *request, const operator_upstreams_t *of,
                            uint64_t now_ms, bool *changed);

/* r is 409, and says who can. */
void operator_rotate(hs_response_t *r);

/* {"level"}: how much is logged from now on; r is 200, 400 or 503 (out of memory). */
void operator_set_log_level(hs_response_t *r, const hs_request_t *request);

/* The lines of the log that are kept, behind the number in ?after=N: {"lines": [line, ...]}. */
void operator_read_log(hs_response_t *r, const hs_request_t *request);

/* The records of an endpoint's lies, for `kettle fault`: {"endpoint", "faults": [record, ...]}, the oldest first. */
void operator_read_faults(hs_response_t *r, const hs_request_t *request, lies_t *lies);

#endif
