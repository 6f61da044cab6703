/* accept.c - a configuration comes to the node: from --config, from an earlier run, or by POST /setup, which is tried
 * before it is taken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os/file.h"
#include "base/os/harden.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/node.h"
#include "node/state.h"

#define KEYS_ROOM (32u << 10) /* bytes of keys, at most, with their guards */

static const char SETUP_FILE[] = "setup";

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

/* A configuration of the file, what is given, and a setup, with what it says to be in a file of its own. */
static rc_t read_config(config_t **out, err_t *e, const node_t *n, view_t setup, bool kept)
{
    config_t *c = NULL;
    view_t urls;
    rc_t rc = config_read_given(&c, e, n->base_config, n->options.setup, setup, kept, n->options.development);
    if (!rc && !c->execution_rpc.count) {
        rc = err_under(e, file_read(&urls, e, c->execution_rpc_file, CONFIG_SECRET_MAX, FILE_REGULAR),
                       "execution_rpc_file");
        if (!rc) {
            rc = config_take_urls(c, e, urls);
            file_free(urls);
        }
    }
    if (rc)
        config_free(c);
    else
        *out = c;
    return rc;
}

/* Whether the TEE that a configuration names, if it names one, is the one that was opened. */
static rc_t check_tee(const node_t *n, err_t *e, const config_t *c)
{
    if (!c->tee[0] || tee_is(&n->tee, c->tee))
        return RC_OK;
    return err_in(e, RC_REFUSED, "tee", "this node was started with the TEE provider \"%s\"", n->tee.name);
}

/* Another API port is opened here, so that one that is taken is an error of the setup. */
static rc_t open_next_api(node_t *n, err_t *e, const config_t *c)
{
    err_t taken;
    if (!c->api_port || c->api_port == n->api_port)
        return RC_OK;
    if (node_open_api(&n->next_api_server, &taken, n, c->api_port))
        return err_in(e, RC_REFUSED, "api_port", "%s", taken.text);
    return RC_OK;
}

/* A trial that runs. */
typedef struct {
    node_t *node;
    const hs_request_t *request; /* NULL: of nobody */
    uint64_t began_ms;
    bool cut; /* others wait, and it has had its time */
} running_t;

static bool is_crowded(const running_t *r)
{
    return r->request && hs_others_wait(r->request);
}

static bool is_to_end(void *ctx)
{
    running_t *r = ctx;
    r->cut |= clock_monotonic_ms() - r->began_ms > TRIAL_CROWDED_MS && is_crowded(r);
    return r->cut || atomic_load(&r->node->ending);
}

/* Whether one more trial may begin: each sends requests to wherever a setup says. */
static rc_t may_try(node_t *n, err_t *e, const hs_client_t *client)
{
    static const uint8_t nobody[CLIENT_KEY_LEN];
    if (n->options.development)
        return RC_OK;
    pthread_mutex_lock(&n->lock);
    const uint64_t wait_ms = trials_take(&n->tried, client ? client->key : nobody, clock_monotonic_ms());
    pthread_mutex_unlock(&n->lock);
    return wait_ms ? err_code(e,
                              err_set(e, RC_LIMIT, "%u setups were tried within a minute: try again in %u s",
                                      TRIALS_MAX, (unsigned)((wait_ms + 999) / 1000)),
                              NODE_TRIED_OFTEN)
                   : RC_OK;
}

/* Tries it. Trials run one after the other, and strangers' may hang: whoever waits behind them has his turn. */
static rc_t run_trial(node_t *n, err_t *e, trial_found_t *found, const config_t *c, const hs_request_t *request)
{
    running_t r = { .node = n, .request = request, .began_ms = clock_monotonic_ms() };
    const rc_t rc =
        trial_run(found, e,
                  &(trial_t){ .config = c,
                              .tee = &n->tee,
                              .now_ms = n->now_ms(),
                              .deadline = { .http = n->http,
                                            .until_ms = r.began_ms + (is_crowded(&r) ? TRIAL_CROWDED_MS : TRIAL_MS),
                                            .cancel = is_to_end,
                                            .ctx = &r } });
    if (!rc || !r.cut)
        return rc;
    (void)err_set(e, RC_LIMIT, "other setups wait, and this one was not tried to its end in %u s: try again",
                  TRIAL_CROWDED_MS / 1000);
    return err_code(e, RC_LIMIT, NODE_TRIED_OFTEN);
}

/* Whether the setup works, unless its sender wants it taken as it is. */
static rc_t try_setup(node_t *n, err_t *e, trial_found_t *found, const config_t *c, const hs_request_t *request)
{
    rc_t rc = check_tee(n, e, c);
    if (!rc)
        rc = check_forks(n, e, c);
    if (rc || c->force)
        return rc;
    rc = may_try(n, e, request ? request->client : NULL);
    return rc ? rc : run_trial(n, e, found, c, request);
}

/* From now on the setup is the node's. */
static rc_t take_setup(node_t *n, err_t *e, config_t *c, const trial_found_t *found, view_t body)
{
    const view_t text = file_dup(body);
    rc_t rc = text.p ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    pthread_mutex_lock(&n->lock); /* the setup port has one worker, but a second request may wait behind the first */
    if (!rc)
        rc = n->setup_taken ? err_set(e, RC_REPLAY, "a setup was already accepted") : open_next_api(n, e, c);
    if (!rc) {
        n->setup_taken = true;
        n->setup_text = text;
        n->found = *found;
        atomic_store(&n->config, c);
        worker_wake(n->controller);
    }
    pthread_mutex_unlock(&n->lock);
    if (rc)
        file_free(text);
    return rc;
}

rc_t node_accept_setup_of(node_t *n, err_t *error, view_t body, const hs_request_t *request)
{
    config_t *c = NULL;
    trial_found_t found = { .bootstrap = NULL };
    pthread_mutex_lock(&n->lock);
    const bool taken = n->setup_taken;
    pthread_mutex_unlock(&n->lock);
    if (taken)
        return err_set(error, RC_REPLAY, "a setup was already accepted");
    rc_t rc = read_config(&c, error, n, body, false);
    if (!rc)
        rc = try_setup(n, error, &found, c, request);
    if (!rc)
        rc = take_setup(n, error, c, &found, body);
    if (rc) {
        trial_clear(&found);
        config_free(c);
    }
    return rc;
}

rc_t node_accept_setup(node_t *n, err_t *error, view_t body)
{
    return node_accept_setup_of(n, error, body, NULL);
}

bool node_keep_setup(node_t *n, persist_told_t *told)
{
    err_t e;
    if (!n->setup_text.p)
        return true;
    const rc_t rc = n->options.state_dir ? persist_write(&e, n->options.state_dir, SETUP_FILE, n->setup_text) : RC_OK;
    if (!persist_tell(told, "state", "a restart will need /setup again: ", rc, &e))
        return false;
    file_free(n->setup_text);
    n->setup_text = view_of(NULL, 0);
    return true;
}

/* Takes a configuration that needs no POST /setup: what is given, and what was kept (p NULL: nothing). */
static rc_t take_config(node_t *n, err_t *error, view_t kept)
{
    config_t *c = NULL;
    rc_t rc = read_config(&c, error, n, kept, true);
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

/* From the command line and the environment, which may set what a setup may. A part of a setup is no fault: POST /setup
 * brings the rest. */
static rc_t take_given(node_t *n, err_t *said)
{
    err_t error;
    const rc_t rc = take_config(n, &error, view_of(NULL, 0));
    if (!rc)
        return RC_OK;
    if (rc == RC_MALFORMED && !config_check_given(NULL, n->base_config, n->options.setup, n->options.development)) {
        log_write(LOG_INFO, "setup", "options, environment and credentials give a part of the setup: %s%s%s",
                  error.field, error.field[0] ? " " : "", error.text);
        return RC_OK;
    }
    (void)err_set(said, rc, "%s%s%s (of what options, environment and credentials give)", error.field,
                  error.field[0] ? ": " : "", error.text);
    return err_code(said, rc, NODE_BAD_FLAGS);
}

/* A configuration from the file alone, from what is given, or from the setup that an earlier run accepted. RC_OK also
 * when there is none yet. */
rc_t node_find_config(node_t *n, err_t *said)
{
    err_t error;
    view_t kept;
    bool found = false;
    err_t e;
    if (!n->options.setup.p && n->base_config.p && config_is_complete(n->base_config)) {
        rc_t rc = take_config(n, &error, (view_t){ NULL, 0 });
        return rc ? err_set(said, rc, "%s: %s: %s", n->options.config_path, error.field, error.text) : RC_OK;
    }
    if (n->options.setup.p) {
        const rc_t rc = take_given(n, said);
        if (rc || n->setup_taken)
            return rc;
    }
    if (!n->options.state_dir)
        return RC_OK;
    if (persist_read(&kept, &found, &e, n->options.state_dir, SETUP_FILE, CONFIG_TEXT_MAX)) {
        log_write(LOG_WARN, "state", "%s: waiting for a new setup", e.text);
        return RC_OK;
    }
    n->was_kept = found && !take_config(n, &error, kept);
    if (found && !n->was_kept)
        log_write(LOG_WARN, "state", "the kept setup is not valid any more (%s: %s): waiting for a new one",
                  error.field, error.text);
    file_free(kept);
    return RC_OK;
}

/* Where the ports are, as the command line says. */
static rc_t take_listen(node_t *n, err_t *e)
{
    err_t error;
    if (!n->options.listen || !n->options.listen[0])
        return RC_OK;
    rc_t rc = hosting_set_listen(&n->hosting, &error, n->options.listen);
    if (!rc && n->options.config_path && !n->options.development)
        rc = err_say(&error, RC_REFUSED, "belongs into the measured configuration");
    return rc ? err_code(e, err_set(e, rc, "listen: %s (of the options and the environment)", error.text),
                         NODE_BAD_FLAGS)
              : RC_OK;
}

/* Keys must not be swapped out, unless whoever starts the node can live with it. */
static rc_t check_memory(const node_t *n, err_t *e)
{
    err_t why;
    const rc_t rc = harden_can_lock(&why, KEYS_ROOM);
    if (rc && !n->options.development && !n->options.may_swap)
        return err_set(e, rc, "%s; --may-swap allows that", why.text);
    if (rc)
        log_write(LOG_WARN, "start", "%s", why.text);
    return RC_OK;
}

static rc_t read_config_file(node_t *n, err_t *e)
{
    err_t error;
    const char *path = n->options.config_path;
    if (!path && !n->options.development)
        return err_say(e, RC_REFUSED, "a node needs --config FILE, the measured configuration, or --development");
    rc_t rc = path ? file_read(&n->base_config, e, path, CONFIG_TEXT_MAX, FILE_REGULAR) : RC_OK;
    if (rc)
        return rc;
    if (!path)
        return take_listen(n, e);
    rc = config_check_base(&n->options.development, &n->hosting, &error, n->base_config);
    if (!rc && !n->options.development)
        rc = config_check_supply(&error, n->base_config);
    return rc ? err_set(e, rc, "%s: %s%s%s", path, error.field, error.field[0] ? ": " : "", error.text)
              : take_listen(n, e);
}

rc_t node_read_config_file(node_t *n, err_t *e)
{
    const rc_t rc = read_config_file(n, e);
    return rc ? rc : check_memory(n, e);
}
