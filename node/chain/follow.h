/* follow.h - follows the chain: a thread that feeds the consensus machine from the beacon APIs, keeps what it accepted
 * on disk, and publishes the verified heads.
 *
 * The file "lightclient" in the state directory holds answers of beacon nodes (bootstrap, one update per period, the
 * last finality update). It is replayed at start through the same checks as an answer from the network, beginning at
 * the configured checkpoint, so the disk needs no trust: a damaged or forged file costs a fresh sync, nothing else.
 *
 * Members of the cluster are asked for what no endpoint gave: one with a beacon API is enough for all. What they give
 * is checked as an endpoint's answer is.
 *
 * A head that a member brought, and that is more than FLOOR_BOUND_SLOTS ahead of ours, says that our endpoints are
 * behind: fetch is called for the header of its block, too, and until that came it is unserved.
 *
 * From Gloas on a head has only the hash of its execution block (node/chain/heads.h): fetch is then called for the
 * header with that hash, and follow_header takes it.
 *
 * Floor:  5, node/chain.
 * Tests:  tests/unit/test_follow.c, tests/unit/test_follow_members.c, tests/e2e (live, lies, restart)
 */
#ifndef NODE_CHAIN_FOLLOW_H
#define NODE_CHAIN_FOLLOW_H

#include "base/err.h"
#include "http/client.h"
#include "node/chain/claims.h"
#include "node/chain/heads.h"
#include "node/chain/objects.h"
#include "node/chain/timekeeper.h"
#include "rpc/upstream/endpoints.h"

typedef struct follow follow_t;

/* What a member of the cluster answered. */
typedef struct {
    char name[64];                      /* its peer id */
    view_t objects[LCDATA_OBJECTS_MAX]; /* fork digest, SSZ; in bytes */
    size_t count;
    uint8_t *bytes;           /* for the caller to free */
    char why[LCDATA_WHY_MAX]; /* its reason for having none, or no newer ones: foreign text */
} follow_member_t;

typedef struct {
    const lc_network_t *network; /* borrowed until follow_free, as all pointers here */
    const evm_chain_t *chain;    /* the execution side's schedule; NULL only where fetch is */
    hash32_t checkpoint;
    view_t bootstrap; /* of the checkpoint, if it was fetched already, needed until follow_start returns; n 0: none */
    lc_fork_t bootstrap_fork;
    uint64_t checkpoint_age_max_s;
    hc_t *http;
    up_t *upstream;
    const char *state_dir;        /* NULL: nothing is kept */
    timekeeper_t *time;           /* which slot it is, and is told what was signed; all waiting is monotonic */
    void (*on_change)(void *ctx); /* called after each exchange, also of follow_header; any thread; may be NULL */
    void *on_change_ctx;
    /* Fetches an execution header by its hash, or with raw its bytes, and then calls follow_header, once, on any
     * thread, also before it returns. Called on the follower's thread. NULL: heads of Gloas do not become usable. */
    void (*fetch)(void *ctx, follow_t *f, head_kind_t kind, const hash32_t *hash, bool raw);
    void *fetch_ctx;
    objects_t *objects; /* is told what was accepted, and what is in the way; NULL: nobody is */
    claims_t *claims;   /* what members claim of the chain: judged on the follower's thread; NULL: nothing is */
    /* Asks the nth of the members for what no endpoint gave; waits for the answer. out is written in any case.
     * RC_NEED_DATA: there are not so many; RC_TIMEOUT, or why there is no answer. NULL: there are no members. */
    rc_t (*member)(void *ctx, follow_member_t *out, err_t *e, const lc_want_t *want, size_t nth,
                   bool (*stopping)(void *ctx), void *stop_ctx);
    void *member_ctx;
} follow_config_t;

/* A consistent copy of what is known. */
typedef struct {
    lc_head_t latest, finalized; /* usable: their execution headers are here */
    lc_head_t known;             /* the newest proven head; latest, or newer */
    uint64_t latest_came_ms;     /* raw counter when latest became what it is */
    bool head_answered;          /* an endpoint was asked for the present head, and had one */
    bool unserved; /* a member brought a head far ahead of ours: the execution endpoints have not shown its block yet */
    lc_progress_t progress;
    struct {
        bool known;
        int64_t oldest_ms, newest_ms; /* of the endpoints' Date headers: up_status_t's date_ms */
    } dates;
    char trouble[240];     /* why nothing moves, with the endpoint; empty when all is well */
    char missing[240];     /* why known is not usable; empty when nothing failed */
    char unsupported[240]; /* what has proven that the chain's fork is newer than this build; empty: nothing */
    unsigned round_trips;  /* sequential exchanges with beacon nodes since start */
} follow_view_t;

/* Replays the state directory and starts the thread. RC_NOMEM, RC_IO; *out is untouched then. */
NODISCARD rc_t follow_start(follow_t **out, err_t *e, const follow_config_t *config);

/* Copies the present view. Any thread. */
void follow_view(follow_t *f, follow_view_t *out);

/* How a fetch ended.
 *   header  has the hash that was asked for; NULL: there is none, why says why (RC_UNSUPPORTED: a newer fork is proven)
 *   raw     its bytes may tell more than an answer did, and are to be asked for */
void follow_header(follow_t *f, head_kind_t kind, const ex_header_t *header, const err_t *why, bool raw);

/* Ends the thread: fetch is not called any more. Fetches under way may still end. */
void follow_stop(follow_t *f);

/* Ends the thread (a request under way is cancelled) and frees; every fetch must have ended. NULL is allowed. */
void follow_free(follow_t *f);

#endif
