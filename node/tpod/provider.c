#include "node/tpod/provider.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/os/log.h"
#include "base/os/worker.h"
#include "node/evidence/attest.h"
#include "node/evidence/pccs.h"
#include "node/tpod/hook.h"
#include "overlay/net/loop.h"
#include "overlay/tpod/attest.h"
#include "overlay/tpod/serve.h"
#include "overlay/wire/ringkey.h"

#define COLLATERAL_MS 30000u
#define JOB_MEMORY_MAX ((size_t)32 << 20)

typedef struct lane lane_t;

/* A request, from the loop's thread to a lane's and back. */
typedef struct job {
    struct job *next;
    lane_t *lane;
    const tpod_asked_t *asked;
    arena_t arena;
    tpod_attest_response_t attest;
    tpod_provision_response_t provision;
} job_t;

/* A thread that works on requests of one sort, one after the other. */
struct lane {
    provider_t *provider;
    worker_t *worker;
    pthread_mutex_t lock;
    job_t *first; /* the oldest */
};

struct provider {
    const offer_t *offer;
    hc_t *http;
    tpod_payment_t named; /* what a request has to name, where somebody pays */
    keyring_t *key;
    peerid_t self;
    attest_t *attest;
    tpod_serve_t *serve;
    loop_t *loop;
    lane_t lanes[2]; /* quotes; the program */
    pthread_mutex_t lock;
    job_t *done; /* worked on, to be answered in the loop's next turn */
    maddr_t listening[NET_LISTEN_MAX];
    size_t listening_count;
};

/* ---- what takes long ---- */

static int64_t now_s(void *ctx)
{
    (void)ctx;
    return (int64_t)(clock_system_ms() / 1000);
}

/* Soon after the start there is none yet. */
static rc_t wait_collateral(view_t *out, err_t *e, job_t *job)
{
    const lane_t *l = job->lane;
    const uint64_t until_ms = clock_monotonic_ms() + COLLATERAL_MS;
    for (;;) {
        const rc_t rc = attest_collateral(l->provider->attest, out, e, &job->arena);
        if (rc != RC_NEED_DATA || worker_stopping(l->worker) || clock_monotonic_ms() >= until_ms)
            return rc;
        (void)nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
    }
}

static rc_t make_evidence(job_t *job, err_t *e)
{
    provider_t *p = job->lane->provider;
    const tpod_attest_request_t *q = job->asked->request;
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    tee_evidence_t own = { .type = TEE_EVIDENCE_TDX };
    view_t collateral;
    rc_t rc = wait_collateral(&collateral, e, job);
    if (rc)
        return rc;
    tpod_report_data(report_data, q->nonce.p, &p->self, &job->asked->client);
    rc = attest_evidence(p->attest, &own, e, report_data);
    if (rc)
        return rc;
    const tee_claim_t claim = { own.type, own.quote, own.event_log, collateral, own.vm_config };
    rc = tpod_evidence_write(&job->attest.evidence, &job->arena, &claim);
    tee_evidence_free(&own);
    return rc ? err_say(e, rc, "the evidence cannot be written") : RC_OK;
}

/* The publisher is told that there is none, and the log why. */
static void work_attest(job_t *job)
{
    err_t e;
    job->attest = (tpod_attest_response_t){ .version = TPOD_ATTEST_VERSION };
    if (!make_evidence(job, &e))
        return;
    log_write(LOG_WARN, "tpod", "no evidence: %s", e.text);
    job->attest = (tpod_attest_response_t){ .error = view_str("no evidence can be made now") };
}

static bool is_stopping(void *ctx)
{
    return worker_stopping(((const lane_t *)ctx)->worker);
}

/* Only what is proven of the publisher's own channel is the publisher's to know. */
static bool is_paid(job_t *job)
{
    const provider_t *p = job->lane->provider;
    const tpod_provision_request_t *q = job->asked->request;
    err_t e;
    if (!p->offer->has_payment)
        return true;
    const rc_t rc = paid_check(&e, &job->arena, &p->offer->payment, q->payment, p->http, is_stopping, job->lane);
    if (!rc)
        return true;
    if (rc != RC_REFUSED)
        log_write(LOG_WARN, "tpod", "payment not proven: %s", e.text);
    char text[sizeof e.field + sizeof e.text + 4];
    snprintf(text, sizeof text, "%s: %s", rc == RC_REFUSED ? e.field : "payment",
             rc == RC_REFUSED ? e.text : "cannot be proven now");
    const char *told = arena_strdup(&job->arena, view_str(text));
    job->provision = (tpod_provision_response_t){ .error = view_str(told ? told : "out of memory") };
    return false;
}

static void work_provision(job_t *job)
{
    const offer_t *offer = job->lane->provider->offer;
    const hook_limits_t limits = { HOOK_MS, is_stopping, job->lane };
    err_t e;
    if (!is_paid(job))
        return;
    rc_t rc = offer->command ? hook_run(&job->provision, &e, &job->arena, offer->command, job->asked->request,
                                        &job->asked->client, &limits)
                             : err_say(&e, RC_UNSUPPORTED, "dry run");
    if (!rc)
        return;
    if (offer->command)
        log_write(LOG_WARN, "tpod", "not provisioned: %s", e.text);
    job->provision = (tpod_provision_response_t){
        .error = view_str(offer->command ? "the provider could not provision the pod" : "dry run")
    };
}

/* ---- jobs ---- */

static void job_free(job_t *job)
{
    arena_free(&job->arena);
    free(job);
}

/* On the loop's thread. */
static void answer(job_t *job)
{
    const bool attests = job->asked->call == TPOD_ATTEST;
    tpod_serve_answer(job->lane->provider->serve, job->asked,
                      attests ? (const void *)&job->attest : (const void *)&job->provision);
    job_free(job);
}

/* Gives a job back to the loop, which takes no memory: whoever asked is told how it went in any case. */
static void job_done(provider_t *p, job_t *job)
{
    pthread_mutex_lock(&p->lock);
    job->next = p->done;
    p->done = job;
    pthread_mutex_unlock(&p->lock);
    loop_wake(p->loop);
}

static job_t *take_done(provider_t *p)
{
    pthread_mutex_lock(&p->lock);
    job_t *job = p->done;
    if (job)
        p->done = job->next;
    pthread_mutex_unlock(&p->lock);
    return job;
}

static job_t *take(lane_t *l)
{
    pthread_mutex_lock(&l->lock);
    job_t *job = l->first;
    if (job)
        l->first = job->next;
    pthread_mutex_unlock(&l->lock);
    return job;
}

static void work(worker_t *w, void *ctx)
{
    lane_t *l = ctx;
    do {
        for (job_t *job; !worker_stopping(w) && (job = take(l));) {
            if (job->asked->call == TPOD_ATTEST)
                work_attest(job);
            else
                work_provision(job);
            job_done(l->provider, job);
        }
    } while (worker_sleep_until(w, UINT64_MAX));
}

static void asked(void *ctx, const tpod_asked_t *a)
{
    provider_t *p = ctx;
    lane_t *l = &p->lanes[a->call == TPOD_PROVISION];
    job_t *job = calloc(1, sizeof *job);
    if (!job) {
        static const tpod_provision_response_t none = { .error = { (const uint8_t *)"out of memory", 13 } };
        static const tpod_attest_response_t no_quote = { .error = { (const uint8_t *)"out of memory", 13 } };
        tpod_serve_answer(p->serve, a, a->call == TPOD_ATTEST ? (const void *)&no_quote : (const void *)&none);
        return;
    }
    *job = (job_t){ .lane = l, .asked = a };
    arena_init(&job->arena, JOB_MEMORY_MAX);
    pthread_mutex_lock(&l->lock);
    job_t **at = &l->first;
    while (*at)
        at = &(*at)->next;
    *at = job;
    pthread_mutex_unlock(&l->lock);
    worker_wake(l->worker);
}

/* Takes a request that has not been begun out of its lane; NULL: it has. */
static job_t *take_back(lane_t *l, const tpod_asked_t *a)
{
    pthread_mutex_lock(&l->lock);
    job_t **at = &l->first;
    while (*at && (*at)->asked != a)
        at = &(*at)->next;
    job_t *job = *at;
    if (job)
        *at = job->next;
    pthread_mutex_unlock(&l->lock);
    return job;
}

/* Nobody is told anything any more, and so nothing is made. */
static void left(void *ctx, const tpod_asked_t *a)
{
    provider_t *p = ctx;
    job_t *job = take_back(&p->lanes[a->call == TPOD_PROVISION], a);
    if (job)
        answer(job);
}

/* On the loop's thread. */
static void answer_done(void *ctx)
{
    for (job_t *job; (job = take_done(ctx));)
        answer(job);
}

static uint64_t turn(void *ctx, uint64_t now_ms)
{
    provider_t *p = ctx;
    answer_done(p);
    return tpod_serve_turn(p->serve, now_ms);
}

/* ---- life ---- */

static rc_t make_attest(provider_t *p, err_t *e, const tee_provider_t *tee, hc_t *http)
{
    static const char *const intel[] = { PCCS_INTEL };
    const offer_t *o = p->offer;
    attest_config_t c = { .tee = tee,
                          .http = http,
                          .pccs = o->pccs_count ? o->pccs : intel,
                          .pccs_count = o->pccs_count ? o->pccs_count : 1,
                          .pccs_root_crl = PCCS_INTEL_ROOT_CRL,
                          .collateral_file = o->collateral_file,
                          .now_s = now_s };
    keyring_pubkey(p->key, c.pubkey);
    memcpy(c.node_pubkey, c.pubkey, sizeof c.node_pubkey);
    const rc_t rc = attest_new(&p->attest, e, &c);
    return rc ? rc : attest_collect(p->attest, e);
}

static rc_t make_loop(provider_t *p, err_t *e)
{
    const loop_owner_t owner = { .turn = turn, .ctx = p };
    net_config_t n = { .agent = "kettle/" KETTLE_VERSION };
    net_t *net;
    ringkey_identity(&n.who, p->key);
    tpod_serve_net(p->serve, &n);
    rc_t rc = net_new(&net, &n);
    if (rc)
        return err_say(e, rc, "out of memory");
    rc = loop_new(&p->loop, e, net, LOOP_BOTH, &owner);
    if (rc) {
        net_free(net);
        return rc;
    }
    p->self = *net_self(net);
    for (size_t i = 0; !rc && i < p->offer->listen_count; i++) {
        maddr_t at;
        rc = err_under(e, maddr_read_text(&at, e, view_str(p->offer->listen[i])), "listen");
        if (!rc)
            rc = err_before(e, net_listen(net, e, &at), "%s: ", p->offer->listen[i]);
    }
    const maddr_t *at = net_listening(net, &p->listening_count);
    for (size_t i = 0; i < p->listening_count; i++) {
        p->listening[i] = at[i];
        p->listening[i].peer = p->self;
    }
    return rc;
}

static rc_t start(provider_t *p, err_t *e, const tee_provider_t *tee, hc_t *http)
{
    p->named = paid_named(&p->offer->payment);
    const tpod_serve_config_t c = { .capacity = &p->offer->capacity,
                                    .payment = p->offer->has_payment ? &p->named : NULL,
                                    .asked = asked,
                                    .left = left,
                                    .ctx = p };
    rc_t rc = ringkey_new(&p->key);
    if (rc)
        return err_say(e, rc, "no memory that may be locked");
    rc = make_attest(p, e, tee, http);
    if (!rc && (rc = tpod_serve_new(&p->serve, &c)))
        (void)err_say(e, rc, "out of memory");
    if (!rc)
        rc = make_loop(p, e);
    if (!rc)
        rc = worker_start(&p->lanes[0].worker, e, "tpod quotes", work, &p->lanes[0]);
    if (!rc)
        rc = worker_start(&p->lanes[1].worker, e, "tpod pods", work, &p->lanes[1]);
    return rc ? rc : loop_start(p->loop, e);
}

rc_t provider_start(provider_t **out, err_t *e, const offer_t *offer, const tee_provider_t *tee, hc_t *http)
{
    provider_t *p = calloc(1, sizeof *p);
    if (!p)
        return err_say(e, RC_NOMEM, "out of memory");
    p->offer = offer;
    p->http = http;
    pthread_mutex_init(&p->lock, NULL);
    for (int i = 0; i < 2; i++) {
        p->lanes[i].provider = p;
        pthread_mutex_init(&p->lanes[i].lock, NULL);
    }
    const rc_t rc = start(p, e, tee, http);
    if (rc) {
        provider_stop(p);
        return rc;
    }
    *out = p;
    return RC_OK;
}

void provider_stop(provider_t *p)
{
    if (!p)
        return;
    for (int i = 0; i < 2; i++)
        worker_ask_to_stop(p->lanes[i].worker);
    for (int i = 0; i < 2; i++)
        worker_stop(p->lanes[i].worker);
    const rc_t rc = p->loop ? loop_post(p->loop, answer_done, p) : RC_OK; /* else they are not told, as it ends */
    (void)rc;
    loop_free(p->loop);
    for (job_t *job; (job = take_done(p));)
        job_free(job);
    pthread_mutex_destroy(&p->lock);
    for (int i = 0; i < 2; i++) {
        for (job_t *job; (job = take(&p->lanes[i]));)
            job_free(job);
        pthread_mutex_destroy(&p->lanes[i].lock);
    }
    tpod_serve_free(p->serve);
    attest_free(p->attest);
    keyring_free(p->key);
    free(p);
}

const maddr_t *provider_listening(const provider_t *p, size_t *count)
{
    *count = p->listening_count;
    return p->listening;
}
