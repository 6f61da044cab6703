#include "node/node.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/file.h"
#include "base/os/limits.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "base/os/worker.h"
#include "node/state.h"
#include "node/wsrpc.h"
#include "tee/provider/open.h"

#define CACHE_BYTES_MAX ((size_t)64 << 20) /* proven state kept between calls */
#define SETUP_BODY_MAX CONFIG_TEXT_MAX
#define API_BODY_MAX ((size_t)API_RPC_BODY_MAX)
#define API_CONNECTIONS_MAX 4096u
#define FILES_MAX 65536u
#define QUOTE_WORKERS (1 + ATTEST_QUEUE_MAX) /* all that make a quote or wait for one */
#define STOP_GRACE_MS 3000u
#define START_ASK_MS 20000u  /* one search for a checkpoint; */
#define START_AGAIN_MS 2000u /* and after it the next one, ever later, */
#define START_AGAIN_MAX_MS 60000u
static const char SETUP_FILE[] = "setup";

/* What every answer says as long as there is no service, which knows better. */
static unsigned server_flags(node_t *n)
{
    const service_t *s = node_service(n);
    return s ? service_marks(s)
             : (n->tee.simulated ? HS_SIMULATED : 0u) | (n->options.development ? HS_DEVELOPMENT : 0u);
}

static rc_t open_api(hs_t **out, err_t *e, node_t *n, uint16_t port)
{
    const ws_config_t websocket = node_wsrpc(n);
    hs_config_t api = { .port = port,
                        .websocket = &websocket,
                        .routes = NODE_API_ROUTES,
                        .route_count = NODE_API_ROUTE_COUNT,
                        .ctx = n,
                        .flags = server_flags(n),
                        .identity = n->https ? https_identity(n->https) : NULL,
                        .body_max = API_BODY_MAX,
                        .connections_max = (unsigned)limits_for_clients(n->files, API_CONNECTIONS_MAX),
                        .workers = QUOTE_WORKERS,
                        .deferred_max = API_CONNECTIONS_MAX };
    return hs_start(out, e, &api);
}

/* A setup is known, and there is no key yet. */
static node_state_t state_without_key(node_t *n, err_t *why)
{
    char said[240] = "";
    cluster_t *cluster = atomic_load(&n->cluster);
    if (cluster)
        cluster_said(cluster, said);
    if (said[0] || atomic_load(&n->config)->peer_count) {
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
    if (service)
        return service_state(service, view, why);
    pthread_mutex_lock(&n->lock);
    bool configured = atomic_load(&n->config) != NULL;
    uint16_t setup_port = n->setup_port;
    *why = n->failure;
    pthread_mutex_unlock(&n->lock);
    if (why->rc)
        return NODE_DEGRADED;
    if (!configured) {
        (void)err_set(why, RC_OK, "waiting for POST /setup on port %u", setup_port);
        return NODE_AWAITING_SETUP;
    }
    return state_without_key(n, why);
}

/* Turns the API port to HTTPS: the certificate comes first, since its quote may take a while. */
static rc_t turn_to_https(node_t *n, err_t *e)
{
    uint16_t port = hs_port(n->api_server);
    rc_t rc = https_open(&n->https, e, &n->tee, n->now_ms, HTTPS_LIFETIME_S);
    if (rc)
        return rc;
    hs_stop(n->api_server, STOP_GRACE_MS);
    n->api_server = NULL;
    rc = open_api(&n->api_server, e, n, port);
    if (rc)
        return rc;
    log_write(LOG_INFO, "https", "API port %u serves HTTPS; its certificate carries a quote by %s", port, n->tee.name);
    return https_keep(n->https, e, n->api_server);
}

static void log_setup(const node_t *n, const service_t *s)
{
    char hash[65], key[2 * ECDSA_PUBKEY_LEN + 1];
    hex_encode(hash, view_of(s->setup.hash.b, 32));
    hex_encode(key, view_of(s->pubkey, sizeof s->pubkey)); /* not published yet */
    log_write(LOG_INFO, "setup", "network %s, setup 0x%s: %s", s->with.config->network.name, hash,
              (const char *)s->setup.cluster_text.p);
    log_write(LOG_INFO, "key", "%s, public key %s, quote by the %s",
              s->joined ? "a peer gave the cluster's key" : "made the key of a new cluster", key, n->tee.name);
}

static void show_cluster(void *ctx, cluster_t *c)
{
    node_t *n = ctx;
    atomic_store(&n->cluster, c);
}

static bool is_stopping(void *ctx)
{
    const node_t *n = ctx;
    return worker_stopping(n->controller);
}

static void say_waiting(node_t *n, const char *text)
{
    pthread_mutex_lock(&n->lock);
    snprintf(n->waits_for, sizeof n->waits_for, "%s", text);
    pthread_mutex_unlock(&n->lock);
}

/* Where a node without peers begins: it asks a quorum of servers until they agree. False: it is to stop. */
static bool find_start(node_t *n, const config_t *config)
{
    err_t e, told = { 0 };
    uint64_t wait_ms = START_AGAIN_MS;
    if (config->peer_count || n->start.of)
        return true;
    for (;;) {
        const uint64_t now = clock_monotonic_ms();
        const rc_t rc = checkpoint_find(&n->start, &e,
                                        &(checkpoint_ask_t){ .http = n->http,
                                                             .config = config,
                                                             .now_ms = n->now_ms(),
                                                             .until_ms = now + START_ASK_MS,
                                                             .cancel = is_stopping,
                                                             .ctx = n });
        if (!rc || is_stopping(n))
            break;
        if (strcmp(told.text, e.text) != 0)
            log_write(LOG_WARN, "checkpoint", "%s", e.text);
        told = e;
        say_waiting(n, e.text);
        if (!worker_sleep_until(n->controller, clock_monotonic_ms() + wait_ms))
            return false;
        wait_ms = wait_ms < START_AGAIN_MAX_MS ? 2 * wait_ms : wait_ms;
    }
    say_waiting(n, "");
    return !is_stopping(n);
}

/* From an accepted configuration to a published service. */
static rc_t begin(node_t *n, err_t *e, const config_t *config)
{
    service_t *s;
    rc_t rc = config->api_tls ? turn_to_https(n, e) : RC_OK;
    if (!rc)
        rc = service_new(&s, e,
                         &(service_config_t){ .config = config,
                                              .start = &n->start,
                                              .tee = &n->tee,
                                              .http = n->http,
                                              .pool = n->pool,
                                              .cache = n->cache,
                                              .options = &n->options,
                                              .now_ms = n->now_ms,
                                              .shows = show_cluster,
                                              .stopping = is_stopping,
                                              .ctx = n });
    if (rc)
        return rc;
    hs_mark(n->api_server, service_marks(s));
    atomic_store_explicit(&n->service, s, memory_order_release);
    log_setup(n, s);
    service_begin(s);
    return RC_OK;
}

/* Waits for a configuration, closes the setup port, begins. */
static void control(worker_t *w, void *ctx)
{
    node_t *n = ctx;
    err_t e;
    while (!atomic_load(&n->config))
        if (!worker_sleep_until(w, UINT64_MAX))
            return;
    hs_stop(n->setup_server, STOP_GRACE_MS);
    n->setup_server = NULL;
    if (n->next_api_server) {
        hs_stop(n->api_server, STOP_GRACE_MS);
        n->api_server = n->next_api_server;
        n->next_api_server = NULL;
        log_write(LOG_INFO, "setup", "API moved to port %u", hs_port(n->api_server));
    }
    if (!find_start(n, atomic_load(&n->config)))
        return;
    rc_t rc = begin(n, &e, atomic_load(&n->config));
    if (!rc)
        return;
    pthread_mutex_lock(&n->lock);
    n->failure = e;
    n->failure.rc = rc;
    pthread_mutex_unlock(&n->lock);
    log_write(LOG_ERROR, "setup", "%s", e.text);
}

/* Whether this build knows the network's forks until now; says which it will not know some day. */
static rc_t check_forks(const node_t *n, err_t *e, const config_t *c)
{
    const lc_network_t *net = &c->network;
    const lc_unknown_fork_t *fork = lc_unknown_fork(net);
    if (!fork)
        return RC_OK;
    const uint64_t slot = lc_first_slot(net, fork->epoch);
    if (lc_slot_at(net, n->now_ms()) >= slot)
        return err_in(e, RC_REFUSED, "network", "its fork %s began at slot %llu, and this build does not know it",
                      fork->name, (unsigned long long)slot);
    log_write(LOG_WARN, "forks", "this build does not know the network's fork %s: it signs nothing from slot %llu on",
              fork->name, (unsigned long long)slot);
    return RC_OK;
}

/* Whether the TEE that a configuration names, if it names one, is the one that was opened. */
static rc_t check_tee(const node_t *n, err_t *e, const config_t *c)
{
    if (!c->tee[0] || tee_is(&n->tee, c->tee))
        return RC_OK;
    return err_in(e, RC_REFUSED, "tee", "this node was started with the TEE provider \"%s\"", n->tee.name);
}

/* What a setup says about the process itself: the TEE must be the one that was opened; another API port is opened
 * here, so that one that is taken is an error of the setup. */
static rc_t fit_to_process(node_t *n, err_t *e, const config_t *c)
{
    err_t taken;
    rc_t rc = check_tee(n, e, c);
    if (!rc)
        rc = check_forks(n, e, c);
    if (rc || !c->api_port || c->api_port == n->api_port)
        return rc;
    if (open_api(&n->next_api_server, &taken, n, c->api_port))
        return err_in(e, RC_REFUSED, "api_port", "%s", taken.text);
    return RC_OK;
}

rc_t node_accept_setup(node_t *n, err_t *error, view_t body)
{
    config_t *c = NULL;
    err_t e;
    rc_t rc = config_read(&c, error, n->base_config, body, n->options.development);
    if (rc)
        return rc;
    pthread_mutex_lock(&n->lock); /* the setup port has one worker, but a second request may wait behind the first */
    rc = n->setup_taken ? err_set(error, RC_REPLAY, "a setup was already accepted") : fit_to_process(n, error, c);
    n->setup_taken |= rc == RC_OK;
    pthread_mutex_unlock(&n->lock);
    if (rc) {
        config_free(c);
        return rc;
    }
    if (n->options.state_dir && persist_write(&e, n->options.state_dir, SETUP_FILE, body))
        log_write(LOG_WARN, "state", "%s: a restart will need /setup again", e.text);
    pthread_mutex_lock(&n->lock);
    atomic_store(&n->config, c);
    worker_wake(n->controller);
    pthread_mutex_unlock(&n->lock);
    return RC_OK;
}

/* Takes a configuration that needs no POST /setup. */
static rc_t take_config(node_t *n, err_t *error, view_t setup)
{
    config_t *c = NULL;
    rc_t rc = config_read(&c, error, n->base_config, setup, n->options.development);
    if (!rc)
        rc = check_tee(n, error, c);
    if (!rc)
        rc = check_forks(n, error, c);
    if (rc) {
        config_free(c);
        return rc;
    }
    atomic_store(&n->config, c);
    n->setup_taken = true;
    return RC_OK;
}

/* A configuration from the file alone, or from the setup that an earlier run accepted. RC_OK also when there is
 * none yet. */
static rc_t find_config(node_t *n, err_t *said)
{
    err_t error;
    view_t kept;
    bool found = false;
    err_t e;
    if (n->base_config.p && config_is_complete(n->base_config)) {
        rc_t rc = take_config(n, &error, (view_t){ NULL, 0 });
        return rc ? err_set(said, rc, "%s: %s: %s", n->options.config_path, error.field, error.text) : RC_OK;
    }
    if (!n->options.state_dir)
        return RC_OK;
    if (persist_read(&kept, &found, &e, n->options.state_dir, SETUP_FILE, SETUP_BODY_MAX)) {
        log_write(LOG_WARN, "state", "%s: waiting for a new setup", e.text);
        return RC_OK;
    }
    if (found && take_config(n, &error, kept))
        log_write(LOG_WARN, "state", "the kept setup is not valid any more (%s: %s): waiting for a new one",
                  error.field, error.text);
    file_free(kept);
    return RC_OK;
}

static rc_t read_config_file(node_t *n, err_t *e)
{
    err_t error;
    const char *path = n->options.config_path;
    if (!path && !n->options.development)
        return err_say(e, RC_REFUSED, "a node needs --config FILE, the measured configuration, or --development");
    rc_t rc = path ? file_read(&n->base_config, e, path, CONFIG_TEXT_MAX, 0) : RC_OK;
    if (rc || !path)
        return rc;
    rc = config_check_base(&n->options.development, &error, n->base_config);
    return rc ? err_set(e, rc, "%s: %s%s%s", path, error.field, error.field[0] ? ": " : "", error.text) : RC_OK;
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

static rc_t open_servers(node_t *n, err_t *e)
{
    hs_config_t setup = { .port = n->options.setup_port,
                          .routes = NODE_SETUP_ROUTES,
                          .route_count = NODE_SETUP_ROUTE_COUNT,
                          .ctx = n,
                          .flags = server_flags(n),
                          .body_max = SETUP_BODY_MAX,
                          .event_threads = 1,
                          .workers = 1,
                          .connections_max = 64 };
    const config_t *config = atomic_load(&n->config);
    uint16_t port = config && config->api_port ? config->api_port : n->options.api_port;
    rc_t rc = open_api(&n->api_server, e, n, port);
    if (rc)
        return rc;
    n->api_port = hs_port(n->api_server);
    if (config) {
        log_write(LOG_INFO, "start", "kettle " KETTLE_VERSION ": API on port %u, setup is known", n->api_port);
        return RC_OK;
    }
    rc = hs_start(&n->setup_server, e, &setup);
    if (rc)
        return rc;
    pthread_mutex_lock(&n->lock);
    n->setup_port = hs_port(n->setup_server);
    pthread_mutex_unlock(&n->lock);
    log_write(LOG_INFO, "start", "kettle " KETTLE_VERSION ": API on port %u, waiting for POST /setup on port %u",
              n->api_port, n->setup_port);
    return RC_OK;
}

/* What a node has whatever its configuration will be. */
static rc_t make_parts(node_t *n, err_t *e)
{
    ex_cache_config_t cache = {
        .bytes_max = CACHE_BYTES_MAX, .lock_ctx = &n->cache_lock, .lock = cache_lock, .unlock = cache_unlock
    };
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
    rc_t rc = make_parts(n, e);
    if (!rc)
        rc = read_config_file(n, e);
    if (!rc)
        rc = open_tee(n, e);
    if (!rc)
        rc = find_config(n, e);
    if (!rc)
        rc = open_servers(n, e);
    if (!rc) {
        pthread_mutex_lock(&n->lock); /* a setup may come at any moment, and wakes it */
        rc = worker_start(&n->controller, e, "control", control, n);
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
    worker_stop(n->controller);
    service_cancel(node_service(n));
    https_close(n->https);
    hs_stop(n->setup_server, STOP_GRACE_MS);
    hs_stop(n->next_api_server, STOP_GRACE_MS);
    hs_stop(n->api_server, STOP_GRACE_MS);
    service_free(node_service(n));
    cluster_free(atomic_load(&n->cluster));
    hc_free(n->http);
    pool_free(n->pool);
    ex_cache_free(n->cache);
    if (n->tee.free)
        n->tee.free(n->tee.ctx);
    config_free(atomic_load(&n->config));
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
