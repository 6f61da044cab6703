/* rpc.h - JSON-RPC: requests by POST /rpc or over a WebSocket, the machine of rpc/api/rpc.h, and the engine that drives
 * its queries.
 *
 * A request of HTTP is put off (http/server.h). All are read on the pool, where clients take turns, but for a single
 * call by HTTP that needs nothing but memory (api_rpc_at_once), or that was answered before at the same head
 * (node/same.h): that is answered on the thread it came on. All queries of a batch run side by side; the one that ends
 * last writes the answer. Nothing waits on a thread.
 *
 * Floor:  5, node. Any thread.
 * Tests:  tests/unit/test_node_rpc.c, tests/e2e (rpc)
 */
#ifndef NODE_RPC_H
#define NODE_RPC_H

#include "http/server.h"
#include "node/query/ask.h"
#include "rpc/api/rpc.h"

typedef struct node_rpc node_rpc_t;

/* Calls of one method, those of them that ended in an error, and how long the requests took that they were in. */
typedef struct {
    tally_t calls, errors;
    spread_t took;
} node_rpc_tally_t;

/* Of row i of API_METHODS; of what named none, at API_METHOD_COUNT. */
const node_rpc_tally_t *node_rpc_tally(const node_rpc_t *r, size_t i);

/* All are borrowed until node_rpc_free. NULL: out of memory.
 *   sends  drives what forwards transactions; NULL: ask does */
node_rpc_t *node_rpc_new(ask_t *ask, ask_t *sends, pool_t *pool);

/* After ask_cancel: waits until every request is answered, and frees. NULL is allowed. */
void node_rpc_free(node_rpc_t *r);

/* Answers a request, in its handler, on an event thread: fills response, or puts the answer off. What goes wrong
 * with a call is told inside an answer of status 200; other statuses are HTTP's own matters (415, 503).
 *   r      NULL: there is no engine yet; then world must say why it is not ready
 *   world  copied, its text included */
void node_rpc_post(node_rpc_t *r, hs_response_t *response, const hs_request_t *request, const api_world_t *world);

/* Takes the text of an answer, on any thread; n 0: there is nothing to answer. */
typedef void (*node_rpc_done_fn)(void *ctx, view_t text);

/* A request that has come by another way than HTTP. */
typedef struct {
    uint8_t *take_body;
    size_t n;
    hs_client_t *client; /* whose it is; lives until done */
    node_rpc_done_fn done;
    bool (*unwanted)(void *ctx); /* whether nobody waits for the answer any more */
    void *ctx;                   /* of both */
} node_rpc_call_t;

/* Answers it, as node_rpc_post has r and world; done is called once, also before this returns. */
void node_rpc_run(node_rpc_t *r, const api_world_t *world, const node_rpc_call_t *call);

#endif
