/* node.h - the whole node: from waiting for its setup to serving signed answers.
 *
 *   awaiting-setup -> bootstrapping -> syncing -> ready <-> degraded
 *
 * Floor:  5, node. Knows everybody.
 * Tests:  tests/e2e
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/bytes.h"
#include "base/os/clock.h"
#include "base/rc.h"

typedef struct node node_t;

typedef struct {
    const char *config_path;       /* NULL: none */
    const char *state_dir;         /* NULL: nothing is kept */
    const char *tee;               /* "auto", "dstack", "tdx", "simulator" */
    const char *tee_socket;        /* of dstack's guest agent; NULL: the well-known places */
    uint16_t setup_port, api_port; /* 0: any free port, for tests */
    clock_fn now_ms;               /* NULL: the system's clock */
} node_options_t;

/* Starts a node: ports open when it returns. RC_IO, RC_REFUSED, RC_MALFORMED, RC_NOMEM with a sentence in why. */
NODISCARD rc_t node_start(node_t **out, char *why, size_t why_cap, const node_options_t *options);

/* Finishes what runs, closes the ports, wipes the key. NULL is allowed. */
void node_stop(node_t *n);

/* The port that serves /block, /call, /attest. */
uint16_t node_api_port(const node_t *n);

/* True once /block would be answered. */
bool node_is_ready(node_t *n);

/* Sequential exchanges with beacon nodes since start, for benches. */
unsigned node_round_trips(node_t *n);

#endif
