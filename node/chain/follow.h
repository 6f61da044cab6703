/* follow.h - follows the chain: a thread that feeds the consensus machine from the beacon APIs, keeps what it accepted
 * on disk, and publishes the verified heads.
 *
 * The file "lightclient" in the state directory holds answers of beacon nodes (bootstrap, one update per period, the
 * last finality update). It is replayed at start through the same checks as an answer from the network, beginning at
 * the configured checkpoint, so the disk needs no trust: a damaged or forged file costs a fresh sync, nothing else.
 *
 * Floor:  5, node/chain.
 * Tests:  tests/unit/test_follow.c, tests/e2e (live, lies, restart)
 */
#ifndef NODE_CHAIN_FOLLOW_H
#define NODE_CHAIN_FOLLOW_H

#include "base/err.h"
#include "base/os/clock.h"
#include "http/client.h"
#include "lightclient/consensus/sync.h"
#include "rpc/upstream/endpoints.h"

typedef struct follow follow_t;

typedef struct {
    const lc_network_t *network; /* borrowed until follow_free, as all pointers here */
    hash32_t checkpoint;
    uint64_t checkpoint_age_max_s;
    hc_t *http;
    up_t *upstream;
    const char *state_dir;        /* NULL: nothing is kept */
    clock_fn now_ms;              /* the system's clock: slots; all waiting is on the monotonic one */
    void (*on_change)(void *ctx); /* called on the follower's thread after each exchange; may be NULL */
    void *on_change_ctx;
} follow_config_t;

/* A consistent copy of what is known. */
typedef struct {
    lc_head_t latest, finalized;
    uint64_t latest_moved_ms; /* monotonic: when latest became what it is */
    lc_progress_t progress;
    char trouble[240];    /* why nothing moves, with the endpoint; empty when all is well */
    unsigned round_trips; /* sequential exchanges with beacon nodes since start */
} follow_view_t;

/* Replays the state directory and starts the thread. RC_NOMEM, RC_IO; *out is untouched then. */
NODISCARD rc_t follow_start(follow_t **out, err_t *e, const follow_config_t *config);

/* Copies the present view. Any thread. */
void follow_view(follow_t *f, follow_view_t *out);

/* Ends the thread (a request under way is cancelled) and frees. NULL is allowed. */
void follow_free(follow_t *f);

#endif
