/* quorum.h - which checkpoint independent servers agree on. Pure.
 *
 *   1. Each server says which epoch it has finalized, and the root of its block.
 *   2. The epoch is the highest one that at least `quorum` of them have finalized: what fewer claim, however far ahead,
 *      moves nothing.
 *   3. Each that has finalized it names the root of that epoch's block. What at least `quorum` name is taken.
 *
 * A quorum is more than half of all that are listed, so there are no two.
 *
 * Nodes like this one (they say so by the header Kettle-Node) may be of one cluster, and have each other's data: all of
 * them together count as one server. So they are never the only ones that name a checkpoint, unless the one server of
 * the list is one.
 *
 * Floor:  5, node/setup. No I/O, clock or thread.
 * Tests:  tests/unit/test_quorum.c, tests/e2e (setup)
 */
#ifndef NODE_SETUP_QUORUM_H
#define NODE_SETUP_QUORUM_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"

#define QUORUM_SERVERS_MAX 16u

/* What one server has said. */
typedef struct {
    bool node;     /* it is a node like this one */
    bool answered; /* it said what it has finalized: */
    uint64_t epoch;
    bool named; /* the block root at the epoch in question */
    hash32_t root;
} quorum_server_t;

/* Steps 1 and 2.
 *   quorum  more than count / 2, at most count; count at most QUORUM_SERVERS_MAX
 *   oldest  the first epoch that is not too old to begin from
 * out written only on RC_OK. RC_NEED_DATA: fewer than quorum answered; RC_LIMIT: what they agree on is too old. */
NODISCARD rc_t quorum_epoch(uint64_t *out, err_t *e, const quorum_server_t *servers, size_t count, size_t quorum,
                            uint64_t oldest);

/* Step 3.
 *   by  on RC_OK bit i is set when server i names the root
 * RC_NEED_DATA: fewer than quorum name a root; RC_REFUSED: they do, and contradict each other. e counts them. */
NODISCARD rc_t quorum_root(hash32_t *out, uint32_t *by, err_t *e, const quorum_server_t *servers, size_t count,
                           size_t quorum);

#endif
