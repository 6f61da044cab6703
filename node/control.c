/* control.c - the controller's thread: waits for a configuration, begins the service with it, and watches until it has
 * been ready once. A setup that does not get there is given up, and the port opens again, once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "node/state.h"

#define START_ASK_MS 20000u /* one search for a checkpoint; */
#define AGAIN_MS 2000u      /* and after it, or after a service that could not begin, the next one, ever later, */
#define AGAIN_MAX_MS 60000u
#define SETUP_LIMIT_MS 900000u /* from an accepted setup to the first ready: 15 minutes, after which it is given up */
#define LOOK_MS 1000u          /* between two looks whether it is ready */
#define KEEP_MS 10000u         /* between two tries to write what a full disk did not take */
#define RETRIALS 15u           /* looks whether it ever will be, within that time: one a minute */

/* Turns the API port to HTTPS: the certificate comes first, since its quote may take a while. */
static rc_t turn_to_https(node_t *n, err_t *e)
{
    uint16_t port = hs_port(n->api_server);
    rc_t rc = https_open(&n->https, e, &n->tee, n->now_ms, HTTPS_LIFETIME_S);
    if (rc)
        return rc;
    https_tell(n->https, &n->certificate_s);
    hs_stop(n->api_server, NODE_STOP_GRACE_MS);
    n->api_server = NULL;
    rc = node_open_api(&n->api_server, e, n, port);
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
              s->joined      ? "a peer gave the cluster's key"
              : s->recovered ? "brought back the cluster's key"
                             : "made the key of a new cluster",
              key, n->tee.name);
}

static void show_cluster(void *ctx, cluster_t *c)
{
    node_t *n = ctx;
    atomic_store(&n->cluster, c);
}

static uint64_t limit_ms(const node_t *n)
{
    return n->options.setup_limit_ms ? n->options.setup_limit_ms : SETUP_LIMIT_MS;
}

/* Whether giving this setup up would open the port again. */
static bool may_reopen(const node_t *n)
{
    return n->setup_text.p && !n->reopened;
}

/* One that an earlier run has kept did work once. It is given up only when its time has gone by and it is seen to have
 * failed for good, which whoever answers this node can pretend; so the file stays until another setup is kept. */
static bool may_replace(const node_t *n)
{
    return n->was_kept && !n->reopened;
}

/* Whether a setup that came over the port has had its time, and the port may open again. */
static bool is_overdue(const node_t *n)
{
    return may_reopen(n) && clock_monotonic_ms() >= n->give_up_ms;
}

static bool is_stopping(void *ctx)
{
    node_t *n = ctx;
    return atomic_load(&n->ending) || is_overdue(n);
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
    uint64_t wait_ms = AGAIN_MS;
    if (config->peer_count || !hash32_is_zero(&n->found.start.root))
        return true;
    for (;;) {
        const uint64_t now = clock_monotonic_ms();
        const rc_t rc = checkpoint_find(
            &n->found.start, &e,
            &(checkpoint_ask_t){
                .config = config,
                .now_ms = n->now_ms(),
                .deadline = { .http = n->http, .until_ms = now + START_ASK_MS, .cancel = is_stopping, .ctx = n } });
        if (!rc || is_stopping(n))
            break;
        if (strcmp(told.text, e.text) != 0)
            log_write(LOG_WARN, "checkpoint", "%s", e.text);
        told = e;
        say_waiting(n, e.text);
        if (!worker_sleep_until(n->controller, clock_monotonic_ms() + wait_ms))
            return false;
        wait_ms = wait_ms < AGAIN_MAX_MS ? 2 * wait_ms : wait_ms;
    }
    say_waiting(n, "");
    return !is_stopping(n);
}

/* It has become ready. */
static void wake(void *ctx)
{
    node_t *n = ctx;
    pthread_mutex_lock(&n->lock);
    worker_wake(n->controller);
    pthread_mutex_unlock(&n->lock);
}

/* From an accepted configuration to a published service. */
static rc_t begin(node_t *n, err_t *e, const config_t *config)
{
    service_t *s;
    rc_t rc = config->api_tls && !n->https ? turn_to_https(n, e) : RC_OK;
    if (!rc)
        rc = service_new(&s, e,
                         &(service_config_t){ .config = config,
                                              .found = &n->found,
                                              .tee = &n->tee,
                                              .http = n->http,
                                              .pool = n->pool,
                                              .cache = n->cache,
                                              .options = &n->options,
                                              .answers_max = hosting_memory(&n->hosting).answers,
                                              .news_max = hosting_memory(&n->hosting).news,
                                              .now_ms = n->now_ms,
                                              .shows = show_cluster,
                                              .stopping = is_stopping,
                                              .gives_up = may_reopen(n),
                                              .ready = wake,
                                              .ctx = n });
    if (rc)
        return rc;
    hs_mark(n->api_server, service_marks(s));
    atomic_store_explicit(&n->service, s, memory_order_release);
    log_setup(n, s);
    service_begin(s);
    return RC_OK;
}

/* The service that could not begin, or is given up, is gone: with whoever looks at it, since the API server is. */
static void drop_service(node_t *n)
{
    service_t *s = node_service(n);
    service_cancel(s);
    hs_stop(n->api_server, NODE_STOP_GRACE_MS);
    n->api_server = NULL;
    atomic_store_explicit(&n->service, NULL, memory_order_release);
    service_free(s);
    cluster_free(atomic_exchange(&n->cluster, NULL));
}

static void set_failure(node_t *n, const err_t *e)
{
    pthread_mutex_lock(&n->lock);
    n->failure = e ? *e : (err_t){ .rc = RC_OK };
    pthread_mutex_unlock(&n->lock);
}

/* Opens the API port anew, which another program may have at the moment. False: it is to stop, or the setup's time has
 * gone by. */
static bool reopen_api(node_t *n, uint16_t port)
{
    err_t e, told = { .rc = RC_OK };
    while (node_open_api(&n->api_server, &e, n, port)) {
        if (strcmp(told.text, e.text) != 0)
            log_write(LOG_ERROR, "setup", "%s; again every %u s", e.text, AGAIN_MS / 1000);
        told = e;
        if (!worker_sleep_until(n->controller, clock_monotonic_ms() + AGAIN_MS) || is_stopping(n))
            return false;
    }
    return true;
}

/* What the service needs may be there a little later: the TEE's agent, above all. False: it is to stop, or the setup is
 * given up, with why if it never can begin. */
static bool begin_at_last(node_t *n, err_t *why, const config_t *config)
{
    for (uint64_t wait_ms = AGAIN_MS;; wait_ms = wait_ms < AGAIN_MAX_MS ? 2 * wait_ms : wait_ms) {
        err_t e;
        const uint16_t port = hs_port(n->api_server);
        const rc_t rc = begin(n, &e, config);
        if (!rc)
            set_failure(n, NULL);
        if (!rc || is_stopping(n))
            return !rc;
        e.rc = rc;
        if (e.code == TRIAL_FOR_GOOD && may_reopen(n)) {
            *why = e;
            return false;
        }
        log_write(LOG_ERROR, "setup", "%s; again in %u s", e.text, (unsigned)(wait_ms / 1000));
        set_failure(n, &e);
        drop_service(n);
        if (!reopen_api(n, port) || !worker_sleep_until(n->controller, clock_monotonic_ms() + wait_ms))
            return false;
    }
}

/* Why a setup that is not ready yet never will be, as far as can be seen. RC_OK: it may be, yet, and why stays. */
static rc_t look_again(node_t *n, err_t *why, const config_t *config)
{
    trial_found_t found;
    err_t e;
    const rc_t rc = trial_run(&found, &e,
                              &(trial_t){ .config = config,
                                          .now_ms = n->now_ms(),
                                          .begun = true,
                                          .deadline = { .http = n->http,
                                                        .until_ms = clock_monotonic_ms() + TRIAL_MS,
                                                        .cancel = is_stopping,
                                                        .ctx = n } });
    if (!rc)
        trial_clear(&found);
    if (!rc || e.code != TRIAL_FOR_GOOD)
        return RC_OK;
    *why = e;
    return rc;
}

/* Waits until the service is ready but for the setup, which is kept first, also of a node that is told to stop that
 * instant. False, with why: the setup is to be given up. */
static bool watch(node_t *n, err_t *why, const config_t *config)
{
    const uint64_t every = may_replace(n) ? limit_ms(n) : limit_ms(n) / RETRIALS;
    for (uint64_t look = clock_monotonic_ms() + every; !service_was_ready(node_service(n));) {
        if (is_overdue(n))
            return false;
        if ((may_reopen(n) || may_replace(n)) && clock_monotonic_ms() >= look) {
            look = clock_monotonic_ms() + every;
            if (look_again(n, why, config))
                return false;
        }
        if (!worker_sleep_until(n->controller, clock_monotonic_ms() + LOOK_MS) && !service_was_ready(node_service(n)))
            return true;
    }
    persist_told_t told = { 0 };
    bool kept = node_keep_setup(n, &told);
    service_kept(node_service(n));
    while (!kept && worker_sleep_until(n->controller, clock_monotonic_ms() + KEEP_MS))
        kept = node_keep_setup(n, &told);
    return true;
}

/* Opens both ports once more, as far as they are not: another program may have one, and then it is tried again. */
static void open_again(node_t *n)
{
    err_t e = { .rc = RC_OK };
    rc_t rc = n->api_server ? RC_OK : node_open_api(&n->api_server, &e, n, n->api_port);
    if (!rc)
        rc = node_open_setup(n, &e);
    if (!rc)
        log_write(LOG_WARN, "setup", "given up, and POST /setup is open again on port %u, for the last time: %s",
                  n->setup_port, n->given_up.text);
    else if (strcmp(n->failure.text, e.text) != 0)
        log_write(LOG_ERROR, "setup", "given up, and POST /setup cannot open again yet: %s", e.text);
    set_failure(n, rc ? &e : NULL);
}

/* What a setup before this one has left in the state directory. A sealed key stays: it may be an earlier one. */
static void remove_kept(const node_t *n)
{
    static const char *const kept[] = { "lightclient", "peers", "order" };
    char path[512];
    for (size_t i = 0; n->options.state_dir && i < sizeof kept / sizeof kept[0]; i++)
        if (snprintf(path, sizeof path, "%s/%s", n->options.state_dir, kept[i]) < (int)sizeof path)
            (void)unlink(path);
}

/* Nothing of the setup stays but the reason, and the port opens again. */
static void give_up(node_t *n, const err_t *why)
{
    if (n->api_server)
        drop_service(n);
    https_close(n->https);
    n->https = NULL;
    atomic_store(&n->certificate_s, 0);
    if (!n->was_kept)
        remove_kept(n);
    trial_clear(&n->found);
    file_free(n->setup_text);
    n->setup_text = view_of(NULL, 0);
    config_t *config = atomic_exchange(&n->config, NULL);
    pthread_mutex_lock(&n->lock);
    n->setup_taken = false;
    n->failure = (err_t){ .rc = RC_OK };
    n->waits_for[0] = '\0';
    n->given_up = *why;
    if (why->field[0])
        (void)err_before(&n->given_up, why->rc, "%s: ", why->field);
    pthread_mutex_unlock(&n->lock);
    config_free(config);
    open_again(n);
    atomic_store(&n->reopened, true);
}

/* The setup port closes, and what came begins. True: the setup was given up, another one may come. */
static bool serve(node_t *n)
{
    const config_t *config = atomic_load(&n->config);
    err_t why = { .rc = RC_OK };
    hs_stop(n->setup_server, NODE_STOP_GRACE_MS);
    n->setup_server = NULL;
    n->give_up_ms = clock_monotonic_ms() + limit_ms(n);
    if (n->next_api_server) {
        hs_stop(n->api_server, NODE_STOP_GRACE_MS);
        n->api_server = n->next_api_server;
        n->next_api_server = NULL;
        log_write(LOG_INFO, "setup", "API moved to port %u", hs_port(n->api_server));
    }
    if (n->was_kept && n->reopened) { /* another setup than the one that was kept */
        remove_kept(n);
        n->was_kept = false;
    }
    if (find_start(n, config) && begin_at_last(n, &why, config) && watch(n, &why, config))
        return false;
    if (atomic_load(&n->ending) || !(may_reopen(n) || (may_replace(n) && why.text[0])))
        return false;
    if (!why.text[0]) {
        follow_view_t view;
        err_t state;
        (void)node_state(n, &view, &state);
        (void)err_set(&why, RC_TIMEOUT, "not ready in %llu s: %.180s", (unsigned long long)(limit_ms(n) / 1000),
                      state.text);
    }
    give_up(n, &why);
    return true;
}

/* Waits for a setup. False: it is to stop. */
static bool await(node_t *n, worker_t *w)
{
    while (!atomic_load(&n->config)) {
        const bool shut = atomic_load(&n->reopened) && !n->setup_server;
        if (!worker_sleep_until(w, shut ? clock_monotonic_ms() + AGAIN_MS : UINT64_MAX))
            return false;
        if (shut)
            open_again(n);
    }
    return true;
}

void node_control(worker_t *w, void *ctx)
{
    node_t *n = ctx;
    do
        if (!await(n, w))
            return;
    while (serve(n));
}
