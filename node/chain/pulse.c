#include "node/chain/pulse.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/os/clock.h"
#include "base/os/log.h"
#include "base/os/worker.h"
#include "rpc/upstream/heard.h"
#include "rpc/upstream/jsonrpc.h"
#include "rpc/upstream/latest.h"

struct pulse {
    pulse_config_t config;
    worker_t *worker;
    worker_t *self;                  /* the same, for its own thread; what follows up to the lock is its own, too */
    uint64_t answered;               /* requests of clients that were, at the last look; */
    uint64_t failed;                 /* and that were not */
    uint64_t lost_ms;                /* when nobody answered any more */
    bool owes_proof;                 /* nobody has given one since somebody was to; */
    bool refused;                    /* and nobody did when asked */
    bool of_chain[UP_ENDPOINTS_MAX]; /* at the last look that asked for it */
    char heard[HEARD_MAX + 1];       /* what the answer began with that the last failed look is told by */

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
                           .plain = up_plain(p->config.execution, i),
                           .post = view_str(text),
                           .body_max = LATEST_BODY_MAX,
                           .timeout_ms = PULSE_ANSWER_MS };
}

/* Whom to ask: all, or those of the chain for a proof; nobody who asked for time, while there is another one. */
static size_t choose(const pulse_t *p, size_t who[UP_ENDPOINTS_MAX], bool proof)
{
    up_t *u = p->config.execution;
    const uint64_t now = clock_monotonic_ms();
    size_t all = 0, n = 0;
    for (size_t k = 0; k < up_count(u); k++)
        if (!up_is_retired(u, k) && (!proof || p->of_chain[k]))
            who[all++] = k;
    for (size_t i = 0; i < all; i++)
        if (!up_wait_ms(u, who[i], now))
            who[n++] = who[i];
    return n ? n : all; /* none was moved */
}

/* Asks them side by side for their chain, or for a proof. The first one's failure, or RC_OK when one is good. *asked:
 * how many there were. */
static err_t ask(pulse_t *p, size_t *asked, bool proof)
{
    up_t *u = p->config.execution;
    size_t who[UP_ENDPOINTS_MAX];
    const size_t n = choose(p, who, proof);
    hc_request_t requests[UP_ENDPOINTS_MAX];
    hc_response_t responses[UP_ENDPOINTS_MAX] = { { .status = 0 } };
    err_t first = { .rc = RC_OK };
    bool good = false;
    for (size_t i = 0; i < n; i++)
        requests[i] = request_to(p, who[i], proof ? LATEST_PROOF_REQUEST : LATEST_CHAIN_REQUEST);
    hc_perform(p->config.http, responses, requests, n, is_over, p);
    for (size_t i = 0; i < n; i++) {
        err_t e = { .rc = RC_OK };
        const rc_t rc = judge(p, &e, who[i], &responses[i], proof);
        up_note_coding(u, who[i], &responses[i]);
        ledger_note_one(up_ledger(u, who[i]), proof ? JR_PROOF : JR_CHAIN_ID, requests[i].post.n,
                        responses[i].body_len);
        good |= !rc;
        if (!proof)
            p->of_chain[who[i]] = !rc;
        if (rc && !first.rc) {
            (void)err_set(&first, rc, "execution_rpc[%zu]: %.200s", who[i], e.text);
            heard_of(p->heard, &responses[i], NULL);
            up_hide(u, who[i], p->heard);
        }
        hc_response_clear(&responses[i]);
    }
    *asked = n;
    return good || !n ? (err_t){ .rc = RC_OK } : first;
}

/* The chain, and after it a proof where one is owed. Who refused that is asked for that alone, so that somebody who
 * takes one request a second can give it. */
static err_t look(pulse_t *p)
{
    size_t n;
    err_t why = { .rc = RC_OK };
    if (!p->refused)
        why = ask(p, &n, false);
    if (why.rc || !p->owes_proof)
        return why;
    why = ask(p, &n, true);
    p->refused = why.rc && n;
    p->owes_proof = p->refused;
    return why;
}

static void tell(pulse_t *p, const err_t *before, const err_t *now)
{
    if (now->rc && !before->rc) {
        p->lost_ms = clock_monotonic_ms();
        log_write(LOG_WARN, "execution", "no execution RPC answers, calls cannot be answered: %s%s%s", now->text,
                  heard_word(p->heard), p->heard);
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
    p->owes_proof = true;
    for (;;) {
        const bool used = was_used(p, &failed);
        p->owes_proof |= failed;
        const err_t now = used && !failed && !p->refused ? (err_t){ .rc = RC_OK } : look(p);
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
