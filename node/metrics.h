/* metrics.h - the body of GET /metrics: what is counted anywhere, for Prometheus. Endpoints are named by their place in
 * the configuration, never by URL.
 *
 * Floor:  5, node. Any thread; waits for nothing but short locks.
 * Tests:  tests/unit/test_metrics.c, tests/unit/test_node.c
 */
#ifndef NODE_METRICS_H
#define NODE_METRICS_H

#include "node/state.h"
#include "rpc/api/metrics.h"

#define METRICS_MAX ((size_t)1 << 20) /* bytes */

/* Writes all families that there are something of: without a service those of the program alone. */
void node_metrics(mx_t *m, node_t *n);

#endif
