/* service.h - what begins with an accepted setup: keys, upstreams, the follower, evidence, the engine of calls.
 * Made whole, then published, and constant from then on, but for the answer of GET /block.
 *
 * Floor:  5, node. Any thread, once it is made.
 * Tests:  tests/unit/test_service.c, tests/unit/test_node.c, tests/e2e (live, lies, restart)
 */
#ifndef NODE_SERVICE_H
#define NODE_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/crypto/keyring.h"
#include "http/server.h"
#include "lightclient/exec/cache.h"
#include "node/chain/follow.h"
#include "node/chain/foresight.h"
#include "node/chain/pulse.h"
#include "node/cluster/cluster.h"
#include "node/config/config.h"
#include "node/evidence/attest.h"
#include "node/evidence/setup.h"
#include "node/judge.h"
#include "node/lcroutes.h"
#include "node/lies.h"
#include "node/linked.h"
#include "node/news.h"
#include "node/operator.h"
#include "node/options.h"
#include "node/p2p/daemon.h"
#include "node/query/calls.h"
#include "node/query/said.h"
#include "node/query/sent.h"
#include "node/query/statements.h"
#include "node/rekey.h"
#include "node/rpc.h"
#include "node/setup/trial.h"
#include "node/vigil.h"
#include "tee/tee.h"

/* Everything borrowed until service_free. */
typedef struct {
    const config_t *config;
    const tee_provider_t *tee;
    hc_t *http;
    pool_t *pool;
    ex_cache_t *cache;
    const node_options_t *options; /* how the program was started */
    size_t answers_max;            /* bytes of upstreams' answers; 0: FLIGHT_BYTES_MAX */
    size_t news_max;               /* bytes of blocks and logs that are kept for filters; 0: NEWS_BYTES_MAX */
    const trial_found_t *found;    /* where to begin without peers, and the bootstrap if it is here already */
    clock_fn now_ms;               /* the system's clock */
    /* Told of the overlay as soon as it runs: to show it while the service is being made. It is stopped by
     * service_free; cluster_free is left to who was told. NULL: no overlay. */
    void (*shows)(void *ctx, cluster_t *c);
    bool (*stopping)(void *ctx); /* whether the making is to end */
    bool gives_up;               /* the making fails, with TRIAL_FOR_GOOD, when no peer lets this node join */
    void (*ready)(void *ctx);    /* called when it is ready for the first time; any thread; NULL allowed */
    void *ctx;                   /* of both */
} service_config_t;

typedef struct {
    service_config_t with;
    timekeeper_t *time;      /* all times but durations come from it */
    arena_t arena;           /* of the statements' texts */
    setup_t setup;           /* what the setup means; setup.hash is in every signed statement */
    keyring_t *keyring;      /* generations of the cluster's key: signs answers */
    keyring_t *node_keyring; /* of the node's own key: its identity among peers, fresh at each start */
    uint8_t pubkey[ECDSA_PUBKEY_LEN], node_pubkey[ECDSA_PUBKEY_LEN]; /* pubkey: with which it begins */
    lies_t *lies;                                                    /* the records of theirs; */
    up_t *execution, *consensus, *sending; /* sending: who takes transactions in place of execution; NULL: nobody */
    ask_t *ask, *sends;                    /* sends: what asks those; NULL: ask does */
    jobs_t *jobs;                          /* requests under way, and kept answers */
    calls_t *calls;
    held_t held;     /* heads that were signed for, and may be asked for again */
    linked_t linked; /* what was proven before a block, after it */
    statements_t *statements;
    sent_t sent; /* what was forwarded for clients */
    node_rpc_t *rpc;
    news_t *news;         /* filters and subscriptions */
    vigil_t *vigil;       /* standing calls; NULL: the configuration has none */
    objects_t *objects;   /* what the follower accepted, for members and for evidence */
    lcroutes_t *lcroutes; /* for strangers; NULL: the configuration does not say so */
    said_t *said;         /* what was signed */
    claims_t *claims;     /* what members claim, for the follower */
    follow_t *follow;
    foresight_t *foresight;
    wg_door_t wg_door;   /* of mode wireguard, */
    wg_t *wg;            /* NULL: another mode; else */
    side_owner_t side;   /* what it says to members */
    daemon_t *members;   /* the list of members on chain; NULL: there is no contract */
    atomic_bool musters; /* it is read before there is a key, since it says whom to ask */
    pulse_t *pulse;      /* whether an execution RPC answers */
    attest_t *attest;
    cluster_t *cluster;         /* NULL: there is no overlay */
    _Atomic(cluster_t *) asked; /* the same, for the follower's thread, which may run before it does */
    bool joined;                /* a peer gave the key */
    bool recovered;             /* it was brought back: nobody held it any more */
    hash32_t root;              /* where the follower begins: the checkpoint, or what members named */
    _Atomic(rekey_t *) rekey;   /* which key answers name; NULL: not made yet */
    atomic_uint fetching;       /* headers that are being fetched for the follower */
    atomic_bool begun;          /* all above is there: the follower's changes are looked at */
    atomic_bool was_ready;      /* it was, or would have been had it been kept */
    atomic_bool kept;           /* its setup outlives the program, or cannot: from then on it may be ready */
    atomic_ullong blocks;       /* answers of GET /block */
    api_tallies_t tallies;
    operator_gate_t operator; /* commands of operator_key */

    pthread_mutex_t lock;            /* what follows, once it is published */
    hs_shared_t *block_answer;       /* of GET /block for the head at block_slot; NULL: none yet */
    uint64_t block_slot, block_turn; /* turn: of the key that signed it */
    node_state_t logged_state;
} service_t;

/* Makes everything; returns when the key and the quote over it are there, while the follower syncs: of a node with
 * peers once they gave the key, which may take for ever. RC_TIMEOUT: it was to stop; RC_NOMEM, RC_IO, and what
 * attest_new and attest_begin say. */
NODISCARD rc_t service_new(service_t **out, err_t *e, const service_config_t *config);

/* Whether it has ever been ready, but for service_kept. NULL: not. */
bool service_was_ready(service_t *s);

/* Its setup has been put on the disk, or needs not to be: only now it is ready. */
void service_kept(service_t *s);

/* Flags of every answer from now on: HS_SIMULATED, HS_DEVELOPMENT. */
unsigned service_marks(const service_t *s);

/* The service is published: signs what is there and tells the log its state, now and at each change. */
void service_begin(service_t *s);

/* Ends the queries soon, so that whoever waits for one is answered. NULL is allowed. */
void service_cancel(service_t *s);

/* Ends the follower's thread; afterwards no header is on its way to it, which would tell others of a new head. */
void service_stop_follower(service_t *s);

/* After the servers have stopped. NULL is allowed. */
void service_free(service_t *s);

/* The state, and in why (empty for NODE_READY) the reason; view receives the follower's view. */
node_state_t service_state(service_t *s, follow_view_t *view, err_t *why);

/* A reference to the answer of GET /block for the head of this view, or a newer one; NULL: there is none to sign,
 * or it could not be signed. */
hs_shared_t *service_block_answer(service_t *s, const follow_view_t *view);

/* ---- what the parts ask; ctx: the service ---- */

/* Flags of every answer: who may read it, and what it is marked by. */
unsigned service_flags(const service_t *s);

/* Signatures by the cluster's key; ctx: the keyring. RC_REFUSED: there is no key; RC_NOMEM. */
NODISCARD rc_t service_sign(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest);
NODISCARD rc_t service_sign65(void *ctx, uint8_t out[ECDSA_SIG65_LEN], addr_t *by, const hash32_t *digest);

/* Which key signs: another number for another one. */
uint64_t service_turn(void *ctx);

/* The earliest time that it can be, in ms since 1970. */
uint64_t service_least_ms(void *ctx);

/* Whether it is ready, which is asked before each signature; view receives the follower's. why: the state and its
 * reason. */
bool service_is_ready(void *ctx, follow_view_t *view, err_t *why);
bool service_may_call(void *ctx, err_t *why);

/* The follower or the cluster has something new: signs it, tells the parts, and the log when the state changes. */
void service_changed(void *ctx);

#endif
