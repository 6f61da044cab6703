#include "node/node.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/os/file.h"
#include "base/os/limits.h"
#include "base/os/log.h"
#include "base/os/worker.h"
#include "node/state.h"
#include "node/wsrpc.h"
#include "tee/provider/open.h"

#define SETUP_BODY_MAX CONFIG_TEXT_MAX
#define API_BODY_MAX ((size_t)API_RPC_BODY_MAX)
#define FILES_MAX 65536u

/* What every answer says as long as there is no service, which knows better. */
static unsigned server_flags(node_t *n)
{
    const service_t *s = node_service(n);
    return s ? service_marks(s)
             : (n->tee.simulated ? HS_SIMULATED : 0u) | (n->options.development ? HS_DEVELOPMENT : 0u);
}

/* Where a port is, and who stands in front of it: as the measured file says. Without one, and without
 * --listen, nobody but this machine is served. at: room for the addresses, borrowed by k. */
static void place(hs_config_t *k, const char *at[HOSTING_ADDRESSES_MAX], const node_t *n)
{
    const hosting_t *h = &n->hosting;
    for (size_t i = 0; i < h->listen_count; i++)
        at[i] = h->listen[i];
    k->addresses = at;
    k->address_count = h->listen_count;
    k->address = n->options.config_path || h->listen_count ? NULL : "127.0.0.1";
    k->proxies = &h->proxies;
    k->proxy_protocol = h->proxy_protocol;
    k->by_forwarded = h->proxy_header == PROXY_FORWARDED;
}

rc_t node_open_api(hs_t **out, err_t *e, node_t *n, uint16_t port)
{
    const ws_config_t websocket = node_wsrpc(n);
    const size_t bodies = hosting_memory(&n->hosting).bodies;
    hs_config_t api = { .port = port,
                        .websocket = &websocket,
                        .tallies = &n->tallies,
                        .routes = NODE_API_ROUTES,
                        .route_count = NODE_API_ROUTE_COUNT,
                        .ctx = n,
                        .flags = server_flags(n),
                        .identity = n->https ? https_identity(n->https) : NULL,
                        .body_max = API_BODY_MAX,
                        .bodies_max = bodies,
                        .deferred_body_max = bodies,
                        .connections_max = (unsigned)limits_for_clients(n->files, hosting_connections(&n->hosting)),
                        .workers = ATTEST_WORKERS,
                        .deferred_max = (unsigned)hosting_requests(&n->hosting) };
    const char *at[HOSTING_ADDRESSES_MAX];
    place(&api, at, n);
    return hs_start(out, e, &api);
}

/* A setup is known, and there is no key yet. */
static node_state_t state_without_key(node_t *n, err_t *why)
{
    char said[240] = "";
    cluster_t *cluster = atomic_load(&n->cluster);
    if (cluster)
        cluster_said(cluster, said);
    const config_t *config = atomic_load(&n->config);
    if (said[0] || config->peer_count || config_musters(config)) {
        (void)err_say(why, RC_OK, said[0] ? said : "making this node's evidence, for its peers");
        return NODE_JOINING;
    }
    pthread_mutex_lock(&n->lock);
    (void)err_say(why, RC_OK, n->waits_for[0] ? n->waits_for : "no peers: making the cluster's key");
    pthread_mutex_unlock(&n->lock);
    return NODE_BOOTSTRAPPING;
}

node_state_t node_state(node_t *n, follow_view_t *view, err_t *why)
{
    service_t *service = node_service(n);
    err_t given_up;
    if (service)
        return service_state(service, view, why);
    pthread_mutex_lock(&n->lock);
    bool configured = atomic_load(&n->config) != NULL;
    uint16_t setup_port = n->setup_port;
    *why = n->failure;
    given_up = n->given_up;
    pthread_mutex_unlock(&n->lock);
    if (why->rc)
        return NODE_DEGRADED;
    if (!configured) {
        (void)err_set(why, RC_OK, "waiting for POST /setup on port %u%s%.170s", setup_port,
                      given_up.rc ? "; the last one was given up: " : "", given_up.rc ? given_up.text : "");
        return NODE_AWAITING_SETUP;
    }
    return state_without_key(n, why);
}

static rc_t open_tee(node_t *n, err_t *e)
{
    const tee_open_t options = { .which = n->options.tee ? n->options.tee : "auto",
                                 .socket = n->options.tee_socket,
                                 .seed = n->options.simulator_seed,
                                 .image = n->options.simulator_image };
    rc_t rc = tee_open(&n->tee, e, &options);
    if (rc)
        return err_before(e, rc, "--tee %s: ", options.which);
    log_write(n->tee.simulated ? LOG_WARN : LOG_INFO, "tee", "%s", n->tee.where);
    return RC_OK;
}

static void cache_lock(void *ctx)
{
    pthread_mutex_lock(ctx);
}

static void cache_unlock(void *ctx)
{
    pthread_mutex_unlock(ctx);
}

rc_t node_open_setup(node_t *n, err_t *e)
{
    hs_config_t setup = { .port = n->setup_port ? n->setup_port : n->options.setup_port,
                          .routes = NODE_SETUP_ROUTES,
                          .route_count = NODE_SETUP_ROUTE_COUNT,
                          .ctx = n,
                          .flags = server_flags(n),
                          .body_max = SETUP_BODY_MAX,
                          .bodies_max = 8 * SETUP_BODY_MAX,
                          .event_threads = 1,
                          .workers = 1,
                          .connections_max = 64 };
    const char *at[HOSTING_ADDRESSES_MAX];
    place(&setup, at, n);
    const rc_t rc = hs_start(&n->setup_server, e, &setup);
    if (rc)
        return rc;
    pthread_mutex_lock(&n->lock);
    n->setup_port = hs_port(n->setup_server);
    pthread_mutex_unlock(&n->lock);
    return RC_OK;
}

static rc_t open_servers(node_t *n, err_t *e)
{
    const config_t *config = atomic_load(&n->config);
    uint16_t port = config && config->api_port ? config->api_port : n->options.api_port;
    rc_t rc = node_open_api(&n->api_server, e, n, port);
    if (rc)
        return rc;
    n->api_port = hs_port(n->api_server);
    if (config) {
        log_write(LOG_INFO, "start", "kettle " KETTLE_VERSION ": API on port %u, setup is known", n->api_port);
        return RC_OK;
    }
    rc = node_open_setup(n, e);
    if (!rc)
        log_write(LOG_INFO, "start", "kettle " KETTLE_VERSION ": API on port %u, waiting for POST /setup on port %u",
                  n->api_port, n->setup_port);
    return rc;
}

/* What a node has whatever its configuration will be. */
static rc_t make_parts(node_t *n, err_t *e)
{
    ex_cache_config_t cache = { .bytes_max = hosting_memory(&n->hosting).cache,
                                .lock_ctx = &n->cache_lock,
                                .lock = cache_lock,
                                .unlock = cache_unlock };
    secret_random(cache.seed, sizeof cache.seed);
    n->cache = ex_cache_new(&cache);
    n->http = hc_new(NULL);
    if (!n->cache || !n->http)
        return err_say(e, RC_NOMEM, "out of memory");
    return pool_new(&n->pool, e, 0);
}

rc_t node_start(node_t **out, err_t *e, const node_options_t *options)
{
    node_t *n = calloc(1, sizeof *n);
    if (!n)
        return err_say(e, RC_NOMEM, "out of memory");
    n->options = *options;
    n->now_ms = options->now_ms ? options->now_ms : clock_system_ms;
    n->started_ms = clock_monotonic_ms();
    n->files = limits_raise_files(FILES_MAX);
    pthread_mutex_init(&n->lock, NULL);
    pthread_mutex_init(&n->cache_lock, NULL);
    rc_t rc = node_read_config_file(n, e);
    if (!rc)
        rc = make_parts(n, e);
    if (!rc)
        rc = open_tee(n, e);
    if (!rc)
        rc = node_find_config(n, e);
    if (!rc)
        rc = open_servers(n, e);
    if (!rc) {
        pthread_mutex_lock(&n->lock); /* a setup may come at any moment, and wakes it */
        rc = worker_start(&n->controller, e, "control", node_control, n);
        pthread_mutex_unlock(&n->lock);
    }
    if (rc) {
        node_stop(n);
        return rc;
    }
    *out = n;
    return RC_OK;
}

void node_stop(node_t *n)
{
    if (!n)
        return;
    atomic_store(&n->ending, true);
    worker_stop(n->controller);
    service_cancel(node_service(n));
    https_close(n->https);
    hs_stop(n->setup_server, NODE_STOP_GRACE_MS);
    hs_stop(n->next_api_server, NODE_STOP_GRACE_MS);
    hs_stop(n->api_server, NODE_STOP_GRACE_MS);
    service_free(node_service(n));
    cluster_free(atomic_load(&n->cluster));
    hc_free(n->http);
    pool_free(n->pool);
    ex_cache_free(n->cache);
    if (n->tee.free)
        n->tee.free(n->tee.ctx);
    config_free(atomic_load(&n->config));
    trial_clear(&n->found);
    file_free(n->setup_text);
    file_free(n->base_config);
    pthread_mutex_destroy(&n->cache_lock);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

uint16_t node_api_port(const node_t *n)
{
    return n->api_port;
}

bool node_is_ready(node_t *n)
{
    follow_view_t v;
    err_t why;
    return node_state(n, &v, &why) == NODE_READY;
}

unsigned node_round_trips(node_t *n)
{
    follow_view_t v = { 0 };
    service_t *s = node_service(n);
    if (s)
        follow_view(s->follow, &v);
    return v.round_trips;
}
