/* world.h - what answers of /rpc rest on, at one moment.
 *
 * Floor:  5, node. Any thread.
 * Tests:  tests/e2e (rpc)
 */
#ifndef NODE_WORLD_H
#define NODE_WORLD_H

#include "node/state.h"

typedef struct {
    api_world_t api; /* not_ready points into why, so it is not to be copied without its text */
    char why[320];
    service_t *service; /* NULL: there is none yet */
} world_t;

/* The head that answers are given for, under the tag latest, and the finalized one; or why there is none. */
void node_world(node_t *n, world_t *out);

#endif
