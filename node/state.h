/* state.h - what the parts of a running node share. Private to node/: node.c owns it, routes.c and status.c read it.
 *
 * Floor:  5, node.
 */
#ifndef NODE_STATE_H
#define NODE_STATE_H

#include "base/os/persist.h"
#include "base/os/worker.h"
#include "node/evidence/https.h"
#include "node/options.h"
#include "node/service.h"
#include "node/setup/trial.h"
#include "node/setup/trials.h"
#include "node/warnings.h"

#define NODE_TRIED_OFTEN 1003u /* code of an error, which no errno has: no more of them now */

typedef struct node node_t;

struct node {
    node_options_t options;
    clock_fn now_ms;
    uint64_t started_ms; /* monotonic */
    hosting_t hosting;   /* of the measured file */
    size_t files;        /* descriptors that may be open */
    tee_provider_t tee;
    hc_t *http;
    ex_cache_t *cache;
    pthread_mutex_t cache_lock;
    pool_t *pool;
    hs_t *setup_server, *api_server; /* the controller's thread only, once it runs */
    hs_t *next_api_server;           /* a setup asked for another port */
    https_t *https;                  /* with api_tls; the controller's thread only */
    uint16_t api_port;               /* as opened at start */
    tally_t certificate_s;           /* when the API port's expires, Unix seconds; 0: it has none */
    hs_tallies_t tallies;            /* of the API port's servers */
    view_t base_config;              /* text of --config; owned */

    /* Of the setup that was accepted; written before config is set, then the controller's thread only, and constant
     * while there is a service. */
    trial_found_t found; /* where to begin */
    view_t setup_text;   /* what was sent, until it is kept; p NULL: it did not come over the port, or is kept; owned */
    bool was_kept;       /* it is of an earlier run, which has kept it */
    uint64_t give_up_ms; /* monotonic: when it is given up */
    atomic_bool reopened; /* one was given up: the port has opened again, and will not a second time */
    atomic_bool ending;   /* node_stop was called */

    _Atomic(config_t *) config;   /* accepted, then constant; NULL: none yet, or it was given up */
    _Atomic(cluster_t *) cluster; /* the overlay, from when it runs; NULL: not yet */
    _Atomic(service_t *) service; /* what began with it; NULL: not yet. Gone only while no API server runs */

    pthread_mutex_t lock; /* guards what follows */
    worker_t *controller; /* waits for a setup, then begins; NULL: not started */
    trials_t tried;       /* setups, by the monotonic clock */
    bool setup_taken;     /* a /setup was accepted; the port is about to close */
    uint16_t setup_port;  /* as opened at start */
    err_t given_up;       /* why the former setup was; RC_OK: none was */
    char waits_for[240];  /* what keeps the service from beginning; empty: nothing */
    err_t failure;        /* why the service could not begin; RC_OK otherwise */
};

/* The service, or NULL as long as there is none. */
static inline service_t *node_service(node_t *n)
{
    return atomic_load_explicit(&n->service, memory_order_acquire);
}

/* The state, and in why (empty for NODE_READY) the reason. view receives the follower's view once there is a
 * service. */
node_state_t node_state(node_t *n, follow_view_t *view, err_t *why);

/* Opens a server of the API, or that of POST /setup (node.c). */
NODISCARD rc_t node_open_api(hs_t **out, err_t *e, node_t *n, uint16_t port);
NODISCARD rc_t node_open_setup(node_t *n, err_t *e);
#define NODE_STOP_GRACE_MS 3000u

/* The configuration file, and what is complete already: of it, or of an earlier run (accept.c). RC_OK also when none is
 * yet. */
NODISCARD rc_t node_read_config_file(node_t *n, err_t *e);
NODISCARD rc_t node_find_config(node_t *n, err_t *e);

/* Keeps the accepted setup for the next run, once it has shown that it works (accept.c). False: the disk did not take
 * it, which the log says once. */
bool node_keep_setup(node_t *n, persist_told_t *told);

/* The controller's thread (control.c); ctx is the node. */
void node_control(worker_t *w, void *ctx);

/* Reads, tries and accepts a setup: RC_OK, or why not. RC_REPLAY: one was accepted before. */
NODISCARD rc_t node_accept_setup(node_t *n, err_t *error, view_t body);
/* The same of a request, whose client has its own share of trials, and less time for one while others wait; NULL: of
 * nobody. */
NODISCARD rc_t node_accept_setup_of(node_t *n, err_t *error, view_t body, const hs_request_t *request);

/* The routes of both ports (routes.c). */
extern const hs_route_t NODE_SETUP_ROUTES[], NODE_API_ROUTES[];
extern const size_t NODE_SETUP_ROUTE_COUNT, NODE_API_ROUTE_COUNT;

/* What is to be warned of now; s NULL: there is no service (status.c). */
void node_warnings(warnings_t *out, node_t *n, service_t *s, const follow_view_t *view);

/* Body of GET /v1/status (status.c): text in the arena; p NULL: out of memory. */
view_t node_status_json(node_t *n, arena_t *a);

#endif
