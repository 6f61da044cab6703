/* call.h - a proven call against the execution RPCs: drives the machine of exec/call.h, one JSON-RPC batch per round, over the
 * endpoints in order.
 *
 * Floor:  5, node/query. Any thread.
 * Tests:  tests/unit/test_node_call.c, tests/e2e (live, roundtrips, offline, lies)
 */
#ifndef NODE_QUERY_CALL_H
#define NODE_QUERY_CALL_H

#include "base/os/clock.h"
#include "http/client.h"
#include "lightclient/exec/call.h"
#include "rpc/upstream/endpoints.h"

#define CALL_TIME_MAX_MS 30000u /* a whole call, upstream included */
#define CALL_ASK_MAX_MS 10000u  /* one batch, so that a slow endpoint leaves time for the next ones */
#define CALL_RUN_MAX_MS 10000u  /* time in the EVM, all runs of a call together */

typedef struct {
    hc_t *http;
    up_t *upstream;
    const evm_chain_t *chain;
    ex_cache_t *cache;
    clock_fn now_ms;
    bool (*cancelled)(void *ctx); /* the program stops; may be NULL */
    void *cancelled_ctx;
} call_edge_t;

/* Runs request on block.
 *   out  on RC_OK a finished call, to be freed with query_free; ex_call_result has the outcome (also a revert is one)
 *   why  sentence for the client on anything else; names the endpoint when one is at fault
 * RC_REFUSED: the request itself; RC_IO: no endpoint gave an answer that could be proven; RC_TIMEOUT, RC_LIMIT, RC_UNSUPPORTED, RC_NOMEM. */
NODISCARD rc_t call_run(query_t **out, char *why, size_t why_cap, const call_edge_t *edge, const ex_block_t *block,
                        const ex_request_t *request);

#endif
