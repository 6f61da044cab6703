/* data.h - light-client data among members: asked by the follower's thread, as of one more endpoint; given of what this
 * node's own store has verified, and, of what that does not keep, from its beacon APIs.
 *
 * Spec:   overlay-facts-more J (/kettle/lc/1); issue 13, step 6
 * Floor:  5, node/cluster.
 * Tests:  tests/e2e (cluster)
 */
#ifndef NODE_CLUSTER_DATA_H
#define NODE_CLUSTER_DATA_H

#include "node/chain/follow.h"
#include "node/cluster/parts.h"

/* For follow_config_t; ctx: the cluster. */
NODISCARD rc_t data_ask(void *ctx, follow_member_t *out, err_t *e, const lc_want_t *want, size_t nth,
                        bool (*stopping)(void *ctx), void *stop_ctx);

/* The protocol's machine, and the thread that asks beacon APIs for members. */
NODISCARD rc_t data_new(cluster_t *c);
NODISCARD rc_t data_start(cluster_t *c, err_t *e);

#endif
