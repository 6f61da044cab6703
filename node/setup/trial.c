#include "node/setup/trial.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/os/clock.h"
#include "base/os/log.h"
#include "node/setup/tries.h"
#include "overlay/net/sock.h"
#include "rpc/upstream/finality.h"

#define REQUESTS_ARENA_MAX ((size_t)256 << 10)
#define QUOTE_LEAST_MS 3000u /* for the quote, whatever the others have taken; */
#define ANSWER_MS 2000u      /* and what of the trial's time is left for the answer */

static rc_t open_list(tries_t *t, err_t *e, const char *field, const option_urls_t *urls, const char *ca_file,
                      bool by_owner)
{
    t->field = field;
    t->by_owner = by_owner;
    t->count = urls->count;
    t->up = urls->count ? up_new((const char *const *)urls->urls, urls->count) : NULL;
    if (t->up)
        up_trust(t->up, ca_file);
    return t->up || !urls->count ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
}

static void take(trial_run_t *r, size_t i)
{
    const try_kind_t kind = (try_kind_t)(r->exchange.who[i] / UP_ENDPOINTS_MAX);
    const size_t endpoint = r->exchange.who[i] % UP_ENDPOINTS_MAX;
    if (kind == TRY_GENESIS || kind == TRY_BOOTSTRAP)
        try_consensus_take(r, i, kind, endpoint);
    else
        try_execution_take(r, i, kind, endpoint);
}

static bool is_cancelled(const deadline_t *d)
{
    return d->cancel && d->cancel(d->ctx);
}

/* The time of the trial has gone by: by whom, when it was a server's doing. */
static rc_t out_of_time(const trial_run_t *r, err_t *e)
{
    const exchange_t *x = &r->exchange;
    if (is_cancelled(&r->trial->deadline))
        return err_say(e, RC_TIMEOUT, "the trial of the setup was ended");
    if (x->slowest_ms) {
        const bool execution = x->slowest / UP_ENDPOINTS_MAX < TRY_GENESIS;
        const tries_t *t = execution ? &r->execution : &r->consensus;
        const size_t who = x->slowest % UP_ENDPOINTS_MAX;
        log_write(LOG_WARN, "setup", "%s: took %u s", up_origin(t->up, who), x->slowest_ms / 1000);
        return err_in(e, RC_REFUSED, t->field, "%s[%zu] took %u s, too long for the setup to be tried in time",
                      t->field, who, x->slowest_ms / 1000);
    }
    if (r->trial->config->checkpoint.kind == CHECKPOINT_QUORUM)
        return err_in(e, RC_REFUSED, "checkpoint", "%s", "its servers took too long for the setup to be tried in time");
    return err_say(e, RC_TIMEOUT, "the setup could not be tried to an end in time");
}

/* Both lists side by side: first what needs nothing, then what the first answers lead to, and those that follow. */
static rc_t ask_all(trial_run_t *r, err_t *e)
{
    for (unsigned round = 0; round < 3; round++) {
        try_execution_ask(r, round);
        try_consensus_ask(r, round);
        if (!r->exchange.n)
            break;
        if (exchange_perform(&r->exchange, &r->trial->deadline))
            return out_of_time(r, e);
        for (size_t i = 0; i < r->exchange.n; i++)
            take(r, i);
        exchange_clear(&r->exchange);
    }
    return RC_OK;
}

static uint32_t time_for_quote(const deadline_t *d)
{
    const uint64_t now = clock_monotonic_ms(), end = now + QUOTE_LEAST_MS + ANSWER_MS;
    return (uint32_t)((d->until_ms > end ? d->until_ms : end) - ANSWER_MS - now);
}

static rc_t try_tee(const trial_t *t, err_t *e)
{
    const uint8_t nothing[TEE_REPORT_DATA_LEN] = { 0 };
    const tee_provider_t *tee = t->tee;
    tee_evidence_t evidence;
    err_t bad;
    if (!tee)
        return RC_OK;
    if (tee->set_patience)
        tee->set_patience(tee->ctx, time_for_quote(&t->deadline));
    const rc_t rc = tee->get_evidence(tee->ctx, &evidence, &bad, nothing);
    if (tee->set_patience)
        tee->set_patience(tee->ctx, 0);
    if (rc)
        return err_in(e, rc == RC_NOMEM ? rc : RC_REFUSED, "tee", "%s gives no quote: %s", tee->name, bad.text);
    tee_evidence_free(&evidence);
    return RC_OK;
}

/* Whether the overlay can have its port. Where one of its sockets cannot, the node would begin, and be half deaf. */
static rc_t try_port(err_t *e, const config_t *c)
{
    static const maddr_transport_t kinds[] = { MADDR_TCP, MADDR_QUIC };
    for (size_t i = 0; c->overlay_port && i < sizeof kinds / sizeof kinds[0]; i++) {
        maddr_t at = { .transport = kinds[i], .host = MADDR_IP4, .port = c->overlay_port };
        err_t bad;
        int fd;
        if (c->transport == (kinds[i] == MADDR_TCP ? 1 : 2)) /* the other one alone */
            continue;
        if (sock_bound(&fd, &at, &bad))
            return err_in(e, RC_REFUSED, "port", "%s (%s)", bad.text, kinds[i] == MADDR_TCP ? "TCP" : "UDP");
        close(fd);
    }
    return RC_OK;
}

/* Where the chain is followed from; servers that do not agree, or not on a young one, are the setup's fault. */
static rc_t find_start(trial_run_t *r, err_t *e)
{
    const trial_t *t = r->trial;
    if (t->config->peer_count)
        return RC_OK;
    const bool by_owner = t->config->checkpoint_found == SETUP_FOUND_SETUP && !t->begun;
    const rc_t rc =
        checkpoint_find(&r->found->start, e, &(checkpoint_ask_t){ t->config, t->now_ms, t->deadline, by_owner });
    const bool slow = rc == RC_TIMEOUT && !is_cancelled(&t->deadline);
    return rc == RC_NEED_DATA || rc == RC_LIMIT || slow ? RC_REFUSED : rc;
}

/* What came of both lists: of the first that has a fault, unless the other's is one for good. */
static rc_t conclude(trial_run_t *r, err_t *e)
{
    err_t second = { .rc = RC_OK };
    const rc_t rc = tries_conclude(&r->execution, e), other = try_consensus_conclude(r, &second);
    if (!other || (rc && (e->code == TRIAL_FOR_GOOD || second.code != TRIAL_FOR_GOOD)))
        return rc;
    *e = second;
    return other;
}

static rc_t run(trial_run_t *r, err_t *e)
{
    const trial_t *t = r->trial;
    rc_t rc = t->begun ? RC_OK : try_port(e, t->config);
    if (!rc)
        rc = open_list(&r->execution, e, "execution_rpc", &t->config->execution_rpc, t->config->ca_file.execution,
                       t->config->execution_by_setup && !t->begun);
    if (!rc)
        rc = open_list(&r->consensus, e, "consensus_rpc", &t->config->consensus_rpc, t->config->ca_file.consensus,
                       t->config->consensus_by_setup && !t->begun);
    if (!rc)
        rc = find_start(r, e);
    if (!rc)
        rc = ask_all(r, e);
    if (!rc)
        rc = conclude(r, e);
    if (!rc)
        rc = try_tee(t, e);
    return rc;
}

rc_t trial_run(trial_found_t *out, err_t *e, const trial_t *t)
{
    arena_t arena;
    trial_found_t found = { .bootstrap = NULL };
    err_t bad = { 0 };
    trial_run_t *r = calloc(1, sizeof *r);
    arena_init(&arena, REQUESTS_ARENA_MAX);
    rc_t rc = r ? RC_OK : err_say(&bad, RC_NOMEM, "out of memory");
    if (r) {
        r->trial = t;
        hc_use_proxies(t->deadline.http, t->config->proxy_env);
        r->found = &found;
        r->arena = &arena;
        rc = run(r, &bad);
        up_free(r->execution.up);
        up_free(r->consensus.up);
    }
    arena_free(&arena);
    free(r);
    if (rc) {
        trial_clear(&found);
        if (e)
            *e = bad;
        return rc;
    }
    *out = found;
    return RC_OK;
}

void trial_clear(trial_found_t *found)
{
    free(found->bootstrap);
    *found = (trial_found_t){ .bootstrap = NULL };
}
