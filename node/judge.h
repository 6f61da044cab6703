/* judge.h - the state of a node that follows: whether it may sign, and why not. Pure.
 *
 * A clock that cannot be right is a reason of its own: nobody is blamed for what a wrong clock makes of the chain.
 *
 * Floor:  5, node. No I/O, clock or thread.
 * Tests:  tests/unit/test_judge.c
 */
#ifndef NODE_JUDGE_H
#define NODE_JUDGE_H

#include "node/chain/follow.h"
#include "node/config/config.h"

/* What a client may ask of the node now, in the words of /v1/status. */
typedef enum {
    NODE_AWAITING_SETUP,
    NODE_BOOTSTRAPPING,
    NODE_JOINING,
    NODE_SYNCING,
    NODE_READY,
    NODE_DEGRADED,
    NODE_UNSUPPORTED
} node_state_t;
#define NODE_STATES (NODE_UNSUPPORTED + 1u)

/* Word for a state: "awaiting-setup", ... */
const char *node_state_name(node_state_t state);

/* The head that is signed under the configured default_block. */
const lc_head_t *judge_head(const config_t *config, const follow_view_t *view);

/* The state, and in why (empty for NODE_READY) the reason.
 *   time, at   what is known of time, and both clocks
 *   was_ready  it was NODE_READY before: an old head is no matter of a start any more */
node_state_t judge_state(err_t *why, const config_t *config, const follow_view_t *view, const timebound_t *time,
                         timebound_at_t at, bool was_ready);

#endif
