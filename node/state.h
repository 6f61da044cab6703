/* state.h - what the parts of a running node share. Private to node/: node.c owns it, routes.c and status.c read it.
 *
 * Floor:  5, node.
 */
#ifndef NODE_STATE_H
#define NODE_STATE_H

#include <pthread.h>

#include "base/crypto/keyring.h"
#include "http/server.h"
#include "lightclient/exec/cache.h"
#include "node/chain/follow.h"
#include "node/config/config.h"
#include "node/evidence/attest.h"
#include "node/evidence/https.h"
#include "node/node.h"
#include "node/query/calls.h"
#include "node/rpc.h"
#include "tee/tee.h"

/* What a client may ask of the node now, in the words of /v1/status. */
typedef enum { NODE_AWAITING_SETUP, NODE_BOOTSTRAPPING, NODE_SYNCING, NODE_READY, NODE_DEGRADED } node_state_t;

struct node {
    node_options_t options;
    clock_fn now_ms;
    uint64_t started_ms; /* monotonic */
    tee_provider_t tee;
    hc_t *http;
    ex_cache_t *cache;
    pthread_mutex_t cache_lock;
    pool_t *pool;
    hs_t *setup_server, *api_server; /* the controller's thread only, once it runs */
    hs_t *next_api_server;           /* a setup asked for another port */
    https_t *https;                  /* with api_tls; the controller's thread only */
    uint16_t setup_port, api_port;   /* as opened at start */
    view_t base_config;              /* text of --config; owned */
    pthread_t controller;
    bool controller_runs;

    pthread_mutex_t lock; /* guards what follows, except where it says once */
    pthread_cond_t changed;
    bool stop;
    bool setup_taken;        /* a /setup was accepted; the port is about to close */
    config_t *config;        /* accepted; set once, then constant */
    bool serving;            /* what follows is set; set once, then constant, except the last four */
    char failure[256];       /* why the node could not begin; empty otherwise */
    keyring_t *keyring;      /* of the cluster's key: signs answers */
    keyring_t *node_keyring; /* of the node's own key: its identity among peers, fresh at each start */
    uint8_t pubkey[ECDSA_PUBKEY_LEN], node_pubkey[ECDSA_PUBKEY_LEN];
    attest_t *attest;
    hs_shared_t *attest_answer;
    up_t *execution, *consensus;
    ask_t *ask;
    calls_t *calls;
    node_rpc_t *rpc;
    follow_t *follow;
    hs_shared_t *block_answer; /* of GET /block for the head at block_slot; NULL: none yet */
    uint64_t block_slot;
    node_state_t logged_state;
    bool was_ready;
};

/* The state, and in why (empty for NODE_READY) the reason. view receives the follower's view once there is one. */
node_state_t node_state(node_t *n, follow_view_t *view, char *why, size_t why_cap);

/* Word for a state: "awaiting-setup", ... */
const char *node_state_name(node_state_t state);

/* A reference to the answer of GET /block for the head of this view, or a newer one; NULL: it could not be signed. */
hs_shared_t *node_block_answer(node_t *n, const follow_view_t *view);

/* The head that is signed under the configured default_block. */
const lc_head_t *node_head(const node_t *n, const follow_view_t *view);

/* Reads and accepts a setup: RC_OK, or why not. RC_REPLAY: one was accepted before. */
NODISCARD rc_t node_accept_setup(node_t *n, err_t *error, view_t body);

/* Signs a digest with the cluster key; ctx is the keyring. */
rc_t node_sign(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest);

/* The routes of both ports (routes.c). */
extern const hs_route_t NODE_SETUP_ROUTES[], NODE_API_ROUTES[];
extern const size_t NODE_SETUP_ROUTE_COUNT, NODE_API_ROUTE_COUNT;

/* Body of GET /v1/status (status.c): text from malloc, or NULL. */
char *node_status_json(node_t *n);

#endif
