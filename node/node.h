/* node.h - the whole node: from waiting for its setup to serving signed answers.
 *
 *   awaiting-setup -> bootstrapping (no peers) or joining -> syncing -> ready <-> degraded
 *
 * Floor:  5, node. Knows everybody.
 * Tests:  tests/unit/test_node.c, tests/e2e
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdbool.h>

#include "base/err.h"
#include "node/options.h"

typedef struct node node_t;

/* Code of node_start's error, which no errno has: what the command line and the environment give is no setup. */
#define NODE_BAD_FLAGS 1002u

/* Starts a node: ports open when it returns. RC_IO, RC_REFUSED, RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t node_start(node_t **out, err_t *e, const node_options_t *options);

/* Finishes what runs, closes the ports, wipes the key. NULL is allowed. */
void node_stop(node_t *n);

/* The port that serves /block, /call, /attest. */
uint16_t node_api_port(const node_t *n);

/* True once /block would be answered. */
bool node_is_ready(node_t *n);

/* Sequential exchanges with beacon nodes since start, for benches. */
unsigned node_round_trips(node_t *n);

#endif
