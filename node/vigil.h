/* vigil.h - standing calls of this node: runs those that are due at each head, serves at once what came of them, tells
 * who listens, and keeps the table over the program's end.
 *
 *     POST   /v1/standing       {"call", "every"?, "until"?}: {"id", "token", "until"}; with another one's token as
 *                               Authorization: Bearer it is of the same owner, and no token is made
 *     GET    /v1/standing       with the token: all of its owner
 *     GET    /v1/standing/{id}  the last good statement, its head and its age; 503 once its validUntil has passed
 *     DELETE /v1/standing/{id}  with the token
 *     GET    /v1/stream         server-sent events (node/vigil_events.h) of ?ids=ID,ID..., or, with the token, of
 *                               all of its owner at that time
 *     eth_subscribe "standing"  over a WebSocket, with {"ids": ["0x...", ...]} or {"token": "0x..."}, and
 *                               {"last": ID}: the same events, pushed
 *
 * An answer to POST is given once the table is on the disk, or says that it could not be put there. A change of a
 * client costs the size of the file: who makes too many is refused for a while. Kept form: nonce,
 * then what standing_write gives, sealed by XChaCha20-Poly1305 under a key of the TEE provider (base/os/persist.h
 * around it).
 *
 * Spec:   api-facts 14; issue 19, item 3
 * Floor:  5, node. Any thread.
 * Tests:  tests/unit/test_vigil.c, tests/unit/test_vigil_kept.c
 */
#ifndef NODE_VIGIL_H
#define NODE_VIGIL_H

#include "http/server.h"
#include "node/query/statements_run.h"
#include "node/vigil_events.h"
#include "rpc/api/standing.h"

#define VIGIL_SEAL_PATH "kettle/seal/standing/1" /* of the provider's key */
#define VIGIL_KEY_LEN 32u
#define VIGIL_WRITES_KIB (512u << 10) /* a minute, for changes of clients; http/budget.h: nobody takes all of them */

typedef struct vigil vigil_t;

/* Everything borrowed until vigil_free. */
typedef struct {
    standing_limits_t limits;
    statements_t *statements;
    ask_t *ask;
    pool_t *pool;
    uint64_t (*now_s)(void *ctx); /* Unix seconds: what time it is at least */
    uint64_t (*turn)(void *ctx);  /* as for jobs_t; NULL: it is always the same */
    void *ctx;
    vigil_sessions_t sessions; /* of WebSockets */
    uint64_t writes_kib;       /* 0: VIGIL_WRITES_KIB */
    const char *keep_dir;      /* where the table is kept, and */
    const uint8_t *keep_key;   /* by which key, VIGIL_KEY_LEN; copied. NULL: in memory only */
} vigil_config_t;

/* Brings back what is kept. NULL: out of memory. */
vigil_t *vigil_new(const vigil_config_t *config);

/* After ask_cancel, once no server runs: waits until all calls have ended, and frees. NULL is allowed. */
void vigil_free(vigil_t *v);

/* Statements may be signed now, and these are the heads. Calls run at each latest one, whichever block is the default
 * one; it is new by its slot: a reorganisation leaves the block's number as it was, or lowers it. */
void vigil_heads(vigil_t *v, const lc_network_t *net, const follow_view_t *heads);

/* The routes; is_operator: the request is a command of the operator's that was admitted. All but the last two on a
 * worker. */
void vigil_post(vigil_t *v, hs_response_t *r, const hs_request_t *request, bool is_operator);
void vigil_delete(vigil_t *v, hs_response_t *r, const hs_request_t *request);
void vigil_get(vigil_t *v, hs_response_t *r, const hs_request_t *request);
void vigil_stream(vigil_t *v, hs_response_t *r, const hs_request_t *request);

/* For api_world_t: subscriptions of sessions; its context is a vigil_t. */
extern const api_standing_t VIGIL_STANDING;

/* The answer that tells a session its subscriptions' ids is on its way; and: the session is over, which may be said
 * more than once. */
void vigil_begin(vigil_t *v, void *session, const void *message);
void vigil_over(vigil_t *v, void *session);

/* For /v1/status and /metrics. */
typedef struct {
    uint64_t calls, listeners; /* now */
    uint64_t signed_so_far, failed;
    bool survives;
} vigil_counts_t;
void vigil_counts(vigil_t *v, vigil_counts_t *out);

#endif
