/* wsrpc.h - JSON-RPC over WebSocket: GET /rpc of the API port. Messages are requests as POST /rpc takes them, batches
 * included; answers come in the order in which they are ready.
 *
 * Floor:  5, node.
 * Tests:  tests/e2e (clients)
 */
#ifndef NODE_WSRPC_H
#define NODE_WSRPC_H

#include "http/websocket.h"
#include "node/state.h"

/* What the API's server does with its WebSockets. n is borrowed until that server has stopped. */
ws_config_t node_wsrpc(node_t *n);

#endif
