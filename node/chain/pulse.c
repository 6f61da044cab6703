#include "node/chain/pulse.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/os/clock.h"
#include "base/os/log.h"
#include "base/os/worker.h"
#include "rpc/upstream/jsonrpc.h"
#include "rpc/upstream/latest.h"

struct pulse {
    pulse_config_t config;
    worker_t *worker;
    worker_t *self;    /* the same, for its own thread; the next three are its own, too */
    uint64_t answered; /* requests of clients that were, at the last look; */
    uint64_t failed;   /* and that were not */
    uint64_t lost_ms;  /* when nobody answered any more */

    pthread_mutex_t lock; /* guards what follows */
    err_t why;            /* rc RC_OK: somebody answers */
};

static bool is_over(void *ctx)
{
    const pulse_t *p = ctx;
    return worker_stopping(p->self);
}

/* What one endpoint said to be, or showed. RC_OK: of the chain; or a proof. */
static rc_t judge(const pulse_t *p, err_t *e, size_t i, const hc_response_t *r, bool proof)
{
    const view_t body = view_of(r->body, r->body_len);
    rc_t rc = RC_OK;
    if (r->why.rc)
        *e = r->why, rc = r->why.rc;
    else if (r->status != 200)
        rc = err_set(e, RC_IO, "HTTP status %d", r->status);
    else if (proof)
        rc = err_before(e, latest_check_proves(e, body), "eth_getProof: ");
    else
        rc = err_before(e, latest_check_chain(e, body, p->config.chain_id), "eth_chainId: ");
    if (rc)
        up_hide(p->config.execution, i, e->text);
    return rc;
}

/* Whether requests of clients were answered since the last look; and whether any were not. */
static bool was_used(pulse_t *p, bool *failed)
{
    up_status_t rows[UP_ENDPOINTS_MAX];
    uint64_t answered = 0, failures = 0;
    const size_t n = up_snapshot(p->config.execution, rows);
    for (size_t i = 0; i < n; i++) {
        answered += rows[i].requests - rows[i].failures;
        failures += rows[i].failures;
    }
    const bool used = answered != p->answered;
    *failed = failures != p->failed;
    p->answered = answered;
    p->failed = failures;
    return used;
}

static hc_request_t request_to(const pulse_t *p, size_t i, const char *text)
{
    return (hc_request_t){ .ca_file = up_ca_file(p->config.execution),
                           .url = up_url(p->config.execution, i),
                           .post = view_str(text),
                           .body_max = LATEST_BODY_MAX,
                           .timeout_ms = PULSE_ANSWER_MS };
}

/* What came of one endpoint: its chain, and its proof where it was asked for one. */
static rc_t take(pulse_t *p, err_t *e, size_t who, hc_response_t *r, const hc_request_t *q, size_t each)
{
    rc_t rc = RC_OK;
    for (size_t k = 0; k < each; k++) {
        if (!rc)
            rc = judge(p, e, who, &r[k], k == 1);
        ledger_note_one(up_ledger(p->config.execution, who), k ? JR_PROOF : JR_CHAIN_ID, q[k].post.n, r[k].body_len);
        hc_response_clear(&r[k]);
    }
    return rc;
}

/* Asks all side by side. The first one's failure, or RC_OK when one is good.
 *   proofs  for one of each, too: a server may say which chain it is of, and refuse all else */
static err_t ask(pulse_t *p, bool proofs)
{
    up_t *u = p->config.execution;
    const size_t each = proofs ? 2 : 1;
    size_t n = 0, who[UP_ENDPOINTS_MAX];
    hc_request_t requests[2 * UP_ENDPOINTS_MAX];
    hc_response_t responses[2 * UP_ENDPOINTS_MAX] = { { .status = 0 } };
    err_t first = { .rc = RC_OK };
    bool good = false;
    for (size_t k = 0; k < up_count(u); k++) {
        if (up_is_retired(u, k))
            continue;
        requests[each * n] = request_to(p, k, LATEST_CHAIN_REQUEST);
        if (proofs)
            requests[each * n + 1] = request_to(p, k, LATEST_PROOF_REQUEST);
        who[n++] = k;
    }
    hc_perform(p->config.http, responses, requests, each * n, is_over, p);
    for (size_t i = 0; i < n; i++) {
        err_t e = { .rc = RC_OK };
        const rc_t rc = take(p, &e, who[i], &responses[each * i], &requests[each * i], each);
        good |= !rc;
        if (rc && !first.rc)
            (void)err_set(&first, rc, "execution_rpc[%zu]: %.200s", who[i], up_without_origin(u, who[i], e.text));
    }
    return good || !n ? (err_t){ .rc = RC_OK } : first;
}

static void tell(pulse_t *p, const err_t *before, const err_t *now)
{
    if (now->rc && !before->rc) {
        p->lost_ms = clock_monotonic_ms();
        log_write(LOG_WARN, "execution", "no execution RPC answers, calls cannot be answered: %s", now->text);
    } else if (!now->rc && before->rc)
        log_write(LOG_INFO, "execution", "the execution RPC answers again, after %llu s",
                  (unsigned long long)((clock_monotonic_ms() - p->lost_ms) / 1000));
}

static void run(worker_t *w, void *ctx)
{
    pulse_t *p = ctx;
    const uint32_t every = p->config.every_ms;
    err_t before = { .rc = RC_OK };
    bool failed;
    p->self = w;
    for (bool first = true;; first = false) {
        const err_t now = was_used(p, &failed) ? (err_t){ .rc = RC_OK } : ask(p, first || failed || before.rc);
        if (worker_stopping(w))
            return;
        tell(p, &before, &now);
        before = now;
        pthread_mutex_lock(&p->lock);
        p->why = now;
        pthread_mutex_unlock(&p->lock);
        const uint32_t wait_ms = every ? every : now.rc ? PULSE_AGAIN_MS : PULSE_EVERY_MS;
        if (!worker_sleep_until(w, clock_monotonic_ms() + wait_ms))
            return;
    }
}

rc_t pulse_start(pulse_t **out, err_t *e, const pulse_config_t *config)
{
    pulse_t *p = calloc(1, sizeof *p);
    if (!p)
        return err_say(e, RC_NOMEM, "out of memory");
    p->config = *config;
    pthread_mutex_init(&p->lock, NULL);
    const rc_t rc = worker_start(&p->worker, e, "pulse", run, p);
    if (rc) {
        pthread_mutex_destroy(&p->lock);
        free(p);
        return rc;
    }
    *out = p;
    return RC_OK;
}

bool pulse_beats(pulse_t *p, err_t *why)
{
    pthread_mutex_lock(&p->lock);
    *why = p->why;
    pthread_mutex_unlock(&p->lock);
    return !why->rc;
}

void pulse_free(pulse_t *p)
{
    if (!p)
        return;
    worker_stop(p->worker);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
