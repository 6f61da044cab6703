#include "node/state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/chain/age.h"
#include "node/evidence/pccs.h"
#include "rpc/api/prototype.h"
#include "tee/provider/open.h"

#define CACHE_BYTES_MAX ((size_t)64 << 20) /* proven state kept between calls */
#define SETUP_BODY_MAX CONFIG_TEXT_MAX
#define API_BODY_MAX ((size_t)1 << 20)
#define API_CONNECTIONS_MAX 4096u
#define STOP_GRACE_MS 3000u
#define BODY_ARENA_MAX ((size_t)1 << 20)
static const char SETUP_FILE[] = "setup";

/* Every answer of a node with a simulated TEE says so. */
static unsigned server_flags(const node_t *n)
{
    return n->tee.simulated ? HS_SIMULATED : 0;
}

static rc_t open_api(hs_t **out, char *why, size_t cap, node_t *n, uint16_t port)
{
    hs_identity_t *identity = n->https ? https_identity(n->https) : NULL;
    hs_config_t api = { .port = port,
                        .routes = NODE_API_ROUTES,
                        .route_count = NODE_API_ROUTE_COUNT,
                        .ctx = n,
                        .flags = server_flags(n),
                        .identity = identity,
                        .body_max = API_BODY_MAX,
                        .connections_max = API_CONNECTIONS_MAX,
                        .deferred_max = API_CONNECTIONS_MAX };
    err_t e;
    rc_t rc = hs_start(out, &e, &api);
    if (rc)
        snprintf(why, cap, "%s", e.text);
    return rc;
}

rc_t node_sign(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest)
{
    return keyring_sign(ctx, out, NULL, digest);
}

const lc_head_t *node_head(const node_t *n, const follow_view_t *view)
{
    return n->config->default_block == CONFIG_LATEST ? &view->latest : &view->finalized;
}

const char *node_state_name(node_state_t state)
{
    switch (state) {
    case NODE_AWAITING_SETUP: return "awaiting-setup";
    case NODE_BOOTSTRAPPING: return "bootstrapping";
    case NODE_SYNCING: return "syncing";
    case NODE_READY: return "ready";
    case NODE_DEGRADED: return "degraded";
    }
    return "unknown";
}

/* The state of a node whose follower runs. */
static node_state_t follower_state(const node_t *n, const follow_view_t *v, bool was_ready, char *why, size_t cap)
{
    const lc_network_t *net = &n->config->network;
    const lc_head_t *head = node_head(n, v);
    if (v->progress.state != LC_STATE_FOLLOWING || !v->latest.valid) {
        snprintf(why, cap, "%s",
                 v->trouble[0] ? v->trouble : "following sync committees from the checkpoint to the present");
        return NODE_SYNCING;
    }
    if (!head->valid) {
        snprintf(why, cap, "no finalized header has been proven yet");
        return NODE_SYNCING;
    }
    if (!lc_proves_execution(net, head->header.beacon.slot)) {
        snprintf(why, cap, "the chain is before Capella: its headers prove no execution block");
        return NODE_DEGRADED;
    }
    uint64_t age_ms;
    age_t age = age_of_heads(&age_ms, net, &v->latest, head == &v->finalized ? head : NULL, n->now_ms(),
                             clock_monotonic_ms() - v->latest_moved_ms);
    if (age != AGE_FRESH && !was_ready && !v->trouble[0]) {
        snprintf(why, cap, "asking for the present head");
        return NODE_SYNCING;
    }
    if (age != AGE_FRESH) {
        const char *which = age == AGE_HEAD_STALE ? "head with 2/3 of the sync committee" : "finalized head";
        snprintf(why, cap, "the newest %s is %llu s old%s%s", which, (unsigned long long)(age_ms / 1000),
                 v->trouble[0] ? "; " : "", v->trouble);
        return NODE_DEGRADED;
    }
    why[0] = '\0';
    return NODE_READY;
}

node_state_t node_state(node_t *n, follow_view_t *view, char *why, size_t cap)
{
    pthread_mutex_lock(&n->lock);
    bool configured = n->config != NULL, serving = n->serving, was_ready = n->was_ready;
    uint16_t setup_port = n->setup_port;
    snprintf(why, cap, "%s", n->failure);
    pthread_mutex_unlock(&n->lock);
    if (why[0])
        return NODE_DEGRADED;
    if (!configured) {
        snprintf(why, cap, "waiting for POST /setup on port %u", setup_port);
        return NODE_AWAITING_SETUP;
    }
    if (!serving) {
        snprintf(why, cap, "no peers: making the cluster's key");
        return NODE_BOOTSTRAPPING;
    }
    follow_view(n->follow, view);
    return follower_state(n, view, was_ready, why, cap);
}

static hs_shared_t *sign_block(node_t *n, const lc_head_t *head)
{
    arena_t a;
    view_t body;
    const api_signer_t signer = { n->keyring, node_sign };
    hs_shared_t *answer = NULL;
    arena_init(&a, BODY_ARENA_MAX);
    if (!api_block_body(&body, &a, &signer, head->header.execution.block_number))
        answer = hs_shared_new(200, NULL, body, HS_CORS | server_flags(n));
    arena_free(&a);
    return answer;
}

/* The present answer, if it is at least as new as a slot. With the lock held. */
static hs_shared_t *answer_since(node_t *n, uint64_t slot)
{
    return n->block_answer && n->block_slot >= slot ? hs_shared_ref(n->block_answer) : NULL;
}

hs_shared_t *node_block_answer(node_t *n, const follow_view_t *v)
{
    const lc_head_t *head = node_head(n, v);
    uint64_t slot = head->header.beacon.slot;
    if (!head->valid || !lc_proves_execution(&n->config->network, head->header.beacon.slot))
        return NULL;
    pthread_mutex_lock(&n->lock);
    hs_shared_t *found = answer_since(n, slot), *old = NULL;
    pthread_mutex_unlock(&n->lock);
    if (found)
        return found;
    hs_shared_t *signed_now = sign_block(n, head);
    pthread_mutex_lock(&n->lock);
    found = answer_since(n, slot); /* another thread may have been faster: the head never moves back */
    if (found)
        old = signed_now;
    else if (signed_now) {
        old = n->block_answer;
        n->block_answer = signed_now;
        n->block_slot = slot;
        found = hs_shared_ref(signed_now);
    }
    pthread_mutex_unlock(&n->lock);
    hs_shared_unref(old);
    return found;
}

/* Signs what is new and tells the log when the state changes. Called on the follower's thread, and once by the controller. */
static void on_change(void *ctx)
{
    node_t *n = ctx;
    follow_view_t v;
    char why[256];
    pthread_mutex_lock(&n->lock);
    bool serving = n->serving;
    pthread_mutex_unlock(&n->lock);
    if (!serving) /* the controller calls again */
        return;
    node_state_t state = node_state(n, &v, why, sizeof why);
    hs_shared_unref(node_block_answer(n, &v));
    pthread_mutex_lock(&n->lock);
    bool changed = state != n->logged_state;
    n->logged_state = state;
    n->was_ready |= state == NODE_READY;
    pthread_mutex_unlock(&n->lock);
    if (changed && state == NODE_READY)
        log_write(LOG_INFO, "ready", "head slot %llu, block %llu, %u of %u signed",
                  (unsigned long long)v.latest.header.beacon.slot,
                  (unsigned long long)v.latest.header.execution.block_number, v.latest.participants,
                  n->config->network.preset.committee_size);
    else if (changed)
        log_write(state == NODE_DEGRADED ? LOG_WARN : LOG_INFO, node_state_name(state), "%s", why);
}

static rc_t make_key(keyring_t **out, uint8_t pubkey[ECDSA_PUBKEY_LEN], char *why, size_t cap)
{
    uint8_t secret[ECDSA_SECRET_LEN], blind[32];
    rc_t rc = RC_REFUSED;
    for (int tries = 0; rc == RC_REFUSED && tries < 8; tries++) { /* one in 2^128 is no key */
        secret_random(secret, sizeof secret);
        secret_random(blind, sizeof blind);
        rc = keyring_new(out, secret, blind);
    }
    secret_wipe(secret, sizeof secret);
    secret_wipe(blind, sizeof blind);
    if (rc)
        snprintf(why, cap, "a key could not be made: %s", rc_name(rc));
    else
        keyring_pubkey(*out, pubkey);
    return rc;
}

/* Time for the expiry of collateral: a host can hold the clock back, but not below the chain. */
static int64_t evidence_now(void *ctx)
{
    node_t *n = ctx;
    follow_view_t v;
    uint64_t now = n->now_ms(), head = 0;
    follow_view(n->follow, &v);
    if (v.latest.valid)
        head = lc_slot_start_ms(&n->config->network, v.latest.header.beacon.slot);
    return (int64_t)((now > head ? now : head) / 1000);
}

/* Quotes, and the answer of GET /attest. */
static rc_t begin_attest(node_t *n, char *why, size_t cap)
{
    static const char *const intel[] = { PCCS_INTEL };
    const config_t *c = n->config;
    attest_config_t config = { .tee = &n->tee,
                               .http = n->http,
                               .collateral_file = c->collateral_file,
                               .state_dir = n->options.state_dir,
                               .policy = c->policy,
                               .chain_id = c->chain.chain_id,
                               .setup_hash = c->setup_hash,
                               .now_s = evidence_now,
                               .now_ctx = n };
    arena_t a;
    view_t body;
    config.pccs = c->pccs.count ? (const char *const *)c->pccs.urls : intel;
    config.pccs_count = c->pccs.count ? c->pccs.count : 1;
    config.pccs_root_crl = PCCS_INTEL_ROOT_CRL;
    memcpy(config.pubkey, n->pubkey, sizeof config.pubkey);
    memcpy(config.node_pubkey, n->node_pubkey, sizeof config.node_pubkey);
    err_t e;
    rc_t rc = attest_start(&n->attest, &e, &config);
    if (rc)
        snprintf(why, cap, "%.60s%s%.190s", e.field, e.field[0] ? ": " : "", e.text);
    if (rc)
        return rc;
    arena_init(&a, BODY_ARENA_MAX);
    rc = api_attest_body(&body, &a, attest_quote(n->attest), n->pubkey);
    if (!rc && !(n->attest_answer = hs_shared_new(200, NULL, body, HS_CORS | server_flags(n))))
        rc = RC_NOMEM;
    if (rc)
        snprintf(why, cap, "the answer of /attest could not be made: %s", rc_name(rc));
    arena_free(&a);
    return rc;
}

/* From an accepted configuration to a running follower. */
static rc_t begin(node_t *n, char *why, size_t cap)
{
    config_t *c = n->config;
    rc_t rc = make_key(&n->keyring, n->pubkey, why, cap);
    if (!rc)
        rc = make_key(&n->node_keyring, n->node_pubkey, why, cap);
    if (rc)
        return rc;
    n->execution = up_new((const char *const *)c->execution_rpc.urls, c->execution_rpc.count);
    n->consensus = up_new((const char *const *)c->consensus_rpc.urls, c->consensus_rpc.count);
    if (!n->execution || !n->consensus) {
        snprintf(why, cap, "out of memory");
        return RC_NOMEM;
    }
    err_t e;
    rc = ask_new(&n->ask, &e,
                 &(ask_config_t){ .http = n->http, .upstream = n->execution, .pool = n->pool, .now_ms = n->now_ms });
    n->calls = rc ? NULL
                  : calls_new(&(calls_config_t){ .ask = n->ask,
                                                 .pool = n->pool,
                                                 .cache = n->cache,
                                                 .chain = &c->chain,
                                                 .signer = { n->keyring, node_sign },
                                                 .flags = HS_CORS | server_flags(n) });
    n->rpc = n->calls ? node_rpc_new(n->ask, n->pool) : NULL;
    if (!n->rpc) {
        snprintf(why, cap, "the engine of calls could not start");
        return rc ? rc : RC_NOMEM;
    }
    follow_config_t follow = { .network = &c->network,
                               .checkpoint = c->checkpoint,
                               .checkpoint_age_max_s = c->checkpoint_age_max_s,
                               .http = n->http,
                               .upstream = n->consensus,
                               .state_dir = n->options.state_dir,
                               .now_ms = n->now_ms,
                               .on_change = on_change,
                               .on_change_ctx = n };
    rc = follow_start(&n->follow, &e, &follow);
    if (rc) {
        err_before(&e, rc, "the follower could not start: ");
        snprintf(why, cap, "%s", e.text);
        return rc;
    }
    return begin_attest(n, why, cap); /* quotes take seconds on real hardware: the follower syncs meanwhile */
}

/* Turns the API port to HTTPS: the certificate comes first, since its quote may take a while. */
static rc_t turn_to_https(node_t *n, char *why, size_t cap)
{
    uint16_t port = hs_port(n->api_server);
    err_t e;
    rc_t rc = https_open(&n->https, &e, &n->tee, n->now_ms, HTTPS_LIFETIME_S);
    if (rc) {
        snprintf(why, cap, "%s", e.text);
        return rc;
    }
    hs_stop(n->api_server, STOP_GRACE_MS);
    n->api_server = NULL;
    rc = open_api(&n->api_server, why, cap, n, port);
    if (rc)
        return rc;
    log_write(LOG_INFO, "https", "API port %u serves HTTPS; its certificate carries a quote by %s", port, n->tee.name);
    rc = https_keep(n->https, &e, n->api_server);
    if (rc)
        snprintf(why, cap, "%s", e.text);
    return rc;
}

static void log_setup(const node_t *n)
{
    char hash[65], key[2 * ECDSA_PUBKEY_LEN + 1];
    hex_encode(hash, view_of(n->config->setup_hash.b, 32));
    hex_encode(key, view_of(n->pubkey, sizeof n->pubkey));
    log_write(LOG_INFO, "setup", "network %s, setup hash 0x%s", n->config->network.name, hash);
    log_write(LOG_INFO, "key", "no peers given: made the cluster's key, public key %s, quote by the %s", key,
              n->tee.name);
}

/* Waits for a configuration, closes the setup port, begins. */
static void *control(void *ctx)
{
    node_t *n = ctx;
    char why[256] = "";
    pthread_mutex_lock(&n->lock);
    while (!n->stop && !n->config)
        pthread_cond_wait(&n->changed, &n->lock);
    bool stop = n->stop;
    pthread_mutex_unlock(&n->lock);
    if (stop)
        return NULL;
    hs_stop(n->setup_server, STOP_GRACE_MS);
    n->setup_server = NULL;
    if (n->next_api_server) {
        hs_stop(n->api_server, STOP_GRACE_MS);
        n->api_server = n->next_api_server;
        n->next_api_server = NULL;
        log_write(LOG_INFO, "setup", "API moved to port %u", hs_port(n->api_server));
    }
    rc_t rc = n->config->api_tls ? turn_to_https(n, why, sizeof why) : RC_OK;
    if (!rc)
        rc = begin(n, why, sizeof why);
    pthread_mutex_lock(&n->lock);
    if (rc)
        snprintf(n->failure, sizeof n->failure, "%s", why);
    else
        n->serving = true;
    pthread_mutex_unlock(&n->lock);
    if (rc) {
        log_write(LOG_ERROR, "setup", "%s", why);
        return NULL;
    }
    log_setup(n);
    on_change(n);
    return NULL;
}

/* Whether the TEE that a configuration names, if it names one, is the one that was opened. */
static rc_t check_tee(const node_t *n, err_t *e, const config_t *c)
{
    if (!c->tee[0] || tee_is(&n->tee, c->tee))
        return RC_OK;
    return err_in(e, RC_REFUSED, "tee", "this node was started with the TEE provider \"%s\"", n->tee.name);
}

/* What a setup says about the process itself: the TEE must be the one that was opened; another API port is opened here, so that
 * one that is taken is an error of the setup. */
static rc_t fit_to_process(node_t *n, err_t *e, const config_t *c)
{
    char why[160];
    rc_t rc = check_tee(n, e, c);
    if (rc)
        return rc;
    if (!c->api_port || c->api_port == n->api_port)
        return RC_OK;
    if (open_api(&n->next_api_server, why, sizeof why, n, c->api_port))
        return err_in(e, RC_REFUSED, "api_port", "%s", why);
    return RC_OK;
}

rc_t node_accept_setup(node_t *n, err_t *error, view_t body)
{
    config_t *c = NULL;
    err_t e;
    rc_t rc = config_read(&c, error, n->base_config, body);
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
    n->config = c;
    pthread_cond_signal(&n->changed);
    pthread_mutex_unlock(&n->lock);
    return RC_OK;
}

/* Takes a configuration that needs no POST /setup. */
static rc_t take_config(node_t *n, err_t *error, view_t setup)
{
    config_t *c = NULL;
    rc_t rc = config_read(&c, error, n->base_config, setup);
    if (!rc)
        rc = check_tee(n, error, c);
    if (rc) {
        config_free(c);
        return rc;
    }
    n->config = c;
    n->setup_taken = true;
    return RC_OK;
}

/* A configuration from the file alone, or from the setup that an earlier run accepted. RC_OK also when there is none yet. */
static rc_t find_config(node_t *n, char *said, size_t cap)
{
    err_t error;
    view_t kept;
    bool found = false;
    err_t e;
    if (n->base_config.p && config_is_complete(n->base_config)) {
        rc_t rc = take_config(n, &error, (view_t){ NULL, 0 });
        if (rc)
            snprintf(said, cap, "%s: %s: %s", n->options.config_path, error.field, error.text);
        return rc;
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

static rc_t read_config_file(node_t *n, char *why, size_t cap)
{
    const char *path = n->options.config_path;
    if (!path)
        return RC_OK;
    FILE *f = fopen(path, "rb");
    uint8_t *text = malloc(CONFIG_TEXT_MAX + 1);
    size_t len = f && text ? fread(text, 1, CONFIG_TEXT_MAX + 1, f) : 0;
    bool failed = !f || !text || ferror(f);
    if (f)
        fclose(f);
    n->base_config = view_of(text, len);
    if (failed) {
        snprintf(why, cap, "%s: cannot be read", path);
        return RC_IO;
    }
    err_t error;
    if (config_check_base(&error, n->base_config)) {
        snprintf(why, cap, "%s: %s%s%s", path, error.field, error.field[0] ? ": " : "", error.text);
        return RC_MALFORMED;
    }
    return RC_OK;
}

static rc_t open_tee(node_t *n, char *why, size_t cap)
{
    const tee_open_t options = { .which = n->options.tee ? n->options.tee : "auto", .socket = n->options.tee_socket };
    char said[400];
    rc_t rc = tee_open(&n->tee, &options, said, sizeof said);
    if (rc)
        snprintf(why, cap, "--tee %s: %s", options.which, said);
    else
        log_write(n->tee.simulated ? LOG_WARN : LOG_INFO, "tee", "%s", said);
    return rc;
}

static void cache_lock(void *ctx)
{
    pthread_mutex_lock(ctx);
}

static void cache_unlock(void *ctx)
{
    pthread_mutex_unlock(ctx);
}

static rc_t open_servers(node_t *n, char *why, size_t cap)
{
    hs_config_t setup = { .port = n->options.setup_port,
                          .routes = NODE_SETUP_ROUTES,
                          .route_count = NODE_SETUP_ROUTE_COUNT,
                          .ctx = n,
                          .flags = server_flags(n),
                          .body_max = SETUP_BODY_MAX,
                          .event_threads = 1,
                          .workers = 1,
                          .connections_max = 64,
                          .per_ip_max = 64 };
    uint16_t port = n->config && n->config->api_port ? n->config->api_port : n->options.api_port;
    rc_t rc = open_api(&n->api_server, why, cap, n, port);
    if (rc)
        return rc;
    n->api_port = hs_port(n->api_server);
    if (n->config) {
        log_write(LOG_INFO, "start", "kettle " KETTLE_VERSION ": API on port %u, setup is known", n->api_port);
        return RC_OK;
    }
    err_t e;
    rc = hs_start(&n->setup_server, &e, &setup);
    if (rc) {
        snprintf(why, cap, "%s", e.text);
        return rc;
    }
    pthread_mutex_lock(&n->lock);
    n->setup_port = hs_port(n->setup_server);
    pthread_mutex_unlock(&n->lock);
    log_write(LOG_INFO, "start", "kettle " KETTLE_VERSION ": API on port %u, waiting for POST /setup on port %u",
              n->api_port, n->setup_port);
    return RC_OK;
}

rc_t node_start(node_t **out, char *why, size_t cap, const node_options_t *options)
{
    node_t *n = calloc(1, sizeof *n);
    snprintf(why, cap, "out of memory");
    if (!n)
        return RC_NOMEM;
    n->options = *options;
    n->now_ms = options->now_ms ? options->now_ms : clock_system_ms;
    n->started_ms = clock_monotonic_ms();
    pthread_mutex_init(&n->lock, NULL);
    pthread_mutex_init(&n->cache_lock, NULL);
    pthread_cond_init(&n->changed, NULL);
    ex_cache_config_t cache = {
        .bytes_max = CACHE_BYTES_MAX, .lock_ctx = &n->cache_lock, .lock = cache_lock, .unlock = cache_unlock
    };
    secret_random(cache.seed, sizeof cache.seed);
    n->cache = ex_cache_new(&cache);
    n->http = hc_new(NULL);
    rc_t rc = n->cache && n->http ? RC_OK : RC_NOMEM;
    if (!rc)
        rc = pool_new(&n->pool, NULL, 0);
    if (!rc)
        rc = read_config_file(n, why, cap);
    if (!rc)
        rc = open_tee(n, why, cap);
    if (!rc)
        rc = find_config(n, why, cap);
    if (!rc)
        rc = open_servers(n, why, cap);
    if (!rc)
        rc = pthread_create(&n->controller, NULL, control, n) ? RC_IO : RC_OK;
    if (rc) {
        node_stop(n);
        return rc;
    }
    n->controller_runs = true;
    *out = n;
    return RC_OK;
}

void node_stop(node_t *n)
{
    if (!n)
        return;
    pthread_mutex_lock(&n->lock);
    n->stop = true;
    pthread_cond_signal(&n->changed);
    pthread_mutex_unlock(&n->lock);
    if (n->controller_runs)
        pthread_join(n->controller, NULL);
    if (n->ask)
        ask_cancel(n->ask);
    https_close(n->https);
    hs_stop(n->setup_server, STOP_GRACE_MS);
    hs_stop(n->next_api_server, STOP_GRACE_MS);
    hs_stop(n->api_server, STOP_GRACE_MS);
    calls_free(n->calls);
    node_rpc_free(n->rpc);
    ask_free(n->ask);
    attest_free(n->attest);
    follow_free(n->follow);
    up_free(n->execution);
    up_free(n->consensus);
    keyring_free(n->keyring);
    keyring_free(n->node_keyring);
    hc_free(n->http);
    pool_free(n->pool);
    ex_cache_free(n->cache);
    if (n->tee.free)
        n->tee.free(n->tee.ctx);
    config_free(n->config);
    free((void *)(uintptr_t)n->base_config.p);
    hs_shared_unref(n->attest_answer);
    hs_shared_unref(n->block_answer);
    pthread_cond_destroy(&n->changed);
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
    char why[256];
    return node_state(n, &v, why, sizeof why) == NODE_READY;
}

unsigned node_round_trips(node_t *n)
{
    follow_view_t v = { 0 };
    char why[256];
    node_state(n, &v, why, sizeof why);
    return v.round_trips;
}
