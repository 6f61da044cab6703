#include "node/evidence/attest.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/json_tree.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/evidence/pccs.h"
#include "rpc/api/attestation.h"

#define ARENA_MAX ((size_t)64 << 20)
#define RENEW_MAX_S (6 * 3600) /* between two looks for newer collateral */
#define RENEW_MIN_S 60
#define RETRY_MIN_S 15
#define RETRY_MAX_S 3600
static const char COLLATERAL_FILE[] = "collateral", ROLLBACK_FILE[] = "rollback";

struct attest {
    attest_config_t config;
    policy_t *policy; /* constant once self is set, on the thread, before the first collateral is published */
    bool knows_self;  /* of the thread */
    tee_evidence_t own;
    rollback_t memory; /* of the thread alone */
    pthread_t thread;
    bool runs;
    unsigned failures; /* of the thread: in a row */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool stop;
    uint8_t *collateral; /* flattened JSON that verified our own quote; NULL: none yet */
    size_t collateral_len;
    attest_status_t status;
    bool making; /* a quote over a nonce */
    unsigned waiting;
};

static bool stopping(void *ctx)
{
    attest_t *s = ctx;
    pthread_mutex_lock(&s->lock);
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

/* --- collateral --- */

/* Where this platform's documents are asked for: from our own quote's certificates. */
static rc_t platform_of(pccs_request_t *request, const attest_t *s, char *why, size_t cap)
{
    quote_t q;
    err_t f;
    rc_t rc = quote_parse(&q, &f, s->own.quote);
    if (!rc)
        rc = chain_platform(request->fmspc, &request->processor_ca, &f, q.certs);
    if (rc)
        snprintf(why, cap, "our own quote: %s: %.180s", tee_code_name(f.code), f.text);
    return rc;
}

/* From service number i. */
static rc_t fetch(view_t *text, attest_t *s, char *why, size_t cap, arena_t *a, size_t i)
{
    collateral_t c;
    pccs_request_t request = {
        .http = s->config.http, .root_crl = s->config.pccs_root_crl, .cancelled = stopping, .cancelled_ctx = s
    };
    rc_t rc = platform_of(&request, s, why, cap);
    if (rc)
        return rc;
    request.base = s->config.pccs[i];
    rc = pccs_fetch(&c, why, cap, a, &request);
    return rc ? rc : collateral_write(text, a, &c);
}

static rc_t read_file(view_t *text, const attest_t *s, char *why, size_t cap, arena_t *a)
{
    FILE *f = fopen(s->config.collateral_file, "rb");
    uint8_t *p = arena_alloc(a, COLLATERAL_MAX + 1);
    size_t n = f && p ? fread(p, 1, COLLATERAL_MAX + 1, f) : 0;
    bool failed = !f || !p || ferror(f);
    if (f)
        fclose(f);
    snprintf(why, cap, "%s: %s", s->config.collateral_file,
             failed ? "cannot be read" : "larger than a collateral may be");
    if (failed || n > COLLATERAL_MAX)
        return failed ? RC_IO : RC_LIMIT;
    *text = view_of(p, n);
    return RC_OK;
}

static bool asks_services(const attest_t *s)
{
    return !s->config.tee->simulated && !s->config.tee->get_collateral && !s->config.collateral_file;
}

/* From service number i, or from the one place there is. */
static rc_t get_collateral(view_t *text, attest_t *s, char *why, size_t cap, arena_t *a, size_t i)
{
    if (s->config.tee->simulated && !s->config.tee->get_collateral) {
        snprintf(why, cap, "the %s gives no collateral", s->config.tee->name);
        return RC_IO;
    }
    if (s->config.tee->get_collateral) {
        rc_t rc = s->config.tee->get_collateral(s->config.tee->ctx, text, a, s->config.now_s(s->config.now_ctx));
        snprintf(why, cap, "the %s gave no collateral", s->config.tee->name);
        return rc;
    }
    return s->config.collateral_file ? read_file(text, s, why, cap, a) : fetch(text, s, why, cap, a, i);
}

static void keep(attest_t *s, view_t text)
{
    err_t e;
    if (!s->config.state_dir || s->config.tee->simulated)
        return;
    if (persist_write(&e, s->config.state_dir, COLLATERAL_FILE, text) ||
        persist_write(&e, s->config.state_dir, ROLLBACK_FILE, view_of(&s->memory, sizeof s->memory)))
        log_write(LOG_WARN, "state", "%s", e.text);
}

static void publish(attest_t *s, uint8_t *copy, size_t len, const tee_verified_t *v)
{
    pthread_mutex_lock(&s->lock);
    free(s->collateral);
    s->collateral = copy;
    s->collateral_len = len;
    s->status =
        (attest_status_t){ .verified = true, .status = v->grade.status, .verifiable_until = v->earliest_expiry };
    pthread_mutex_unlock(&s->lock);
}

/* Tells the policy what we are, once. */
static rc_t set_self(attest_t *s, const quote_t *q, arena_t *a)
{
    eventlog_t log;
    err_t f;
    if (s->knows_self)
        return RC_OK;
    bool replays = s->own.event_log.n && !eventlog_verify(&log, &f, a, s->own.event_log, q->td.rtmr);
    policy_set_self(s->policy, q, replays ? &log : NULL);
    s->knows_self = true;
    return RC_OK;
}

/* Takes collateral if our own quote verifies by it. *expiry: until when. */
static rc_t adopt(attest_t *s, char *why, size_t cap, int64_t *expiry, arena_t *a, view_t text)
{
    collateral_t c;
    tee_verified_t v;
    err_t f;
    rc_t rc = collateral_read(&c, &f, a, text);
    if (!rc)
        rc = tee_verify(&v, &f, a, s->own.quote, &c, s->config.tee->root.n ? s->config.tee->root : CHAIN_INTEL_ROOT,
                        &s->memory, s->config.now_s(s->config.now_ctx));
    if (rc) {
        snprintf(why, cap, "our own quote does not verify: %s: %.180s", tee_code_name(f.code), f.text);
        return rc;
    }
    uint8_t *copy = malloc(text.n);
    rc = copy ? set_self(s, &v.quote, a) : RC_NOMEM;
    if (rc) {
        free(copy);
        snprintf(why, cap, "out of memory");
        return rc;
    }
    memcpy(copy, text.p, text.n);
    publish(s, copy, text.n, &v);
    *expiry = v.earliest_expiry;
    return RC_OK;
}

static void tell(attest_t *s, rc_t rc, const char *why, int64_t expiry, bool first)
{
    if (rc) {
        log_write(LOG_WARN, "collateral", "%s", why);
        pthread_mutex_lock(&s->lock);
        snprintf(s->status.trouble, sizeof s->status.trouble, "%s", why);
        json_whole_characters(s->status.trouble);
        if (s->status.verified && s->config.now_s(s->config.now_ctx) > s->status.verifiable_until)
            s->status.verified = false;
        pthread_mutex_unlock(&s->lock);
    } else if (first)
        log_write(LOG_INFO, "collateral", "our own quote verifies: %s, for %lld h", tcb_status_name(s->status.status),
                  (long long)((expiry - s->config.now_s(s->config.now_ctx)) / 3600));
}

/* Asks one place after the other until what it gives is good. */
static rc_t find_collateral(attest_t *s, char *why, size_t cap, int64_t *expiry)
{
    size_t places = asks_services(s) ? s->config.pccs_count : 1;
    rc_t rc = RC_IO;
    snprintf(why, cap, "no provisioning certification service is configured (pccs)");
    for (size_t i = 0; rc && i < places && !stopping(s); i++) {
        arena_t a;
        view_t text = { NULL, 0 };
        if (i)
            log_write(LOG_WARN, "collateral", "%s", why); /* the last one's is told by the caller */
        arena_init(&a, ARENA_MAX);
        rc = get_collateral(&text, s, why, cap, &a, i);
        if (!rc)
            rc = adopt(s, why, cap, expiry, &a, text);
        if (!rc)
            keep(s, text);
        arena_free(&a);
    }
    return rc;
}

/* Looks for newer collateral. Returns seconds until the next look. */
static int64_t renew(attest_t *s, bool first)
{
    char why[256];
    int64_t expiry = 0, wait_s;
    rc_t rc = find_collateral(s, why, sizeof why, &expiry);
    if (stopping(s))
        return 0;
    tell(s, rc, why, expiry, first);
    if (rc) {
        wait_s = RETRY_MIN_S << (s->failures < 8 ? s->failures : 8);
        s->failures++;
        return wait_s < RETRY_MAX_S ? wait_s : RETRY_MAX_S;
    }
    s->failures = 0;
    wait_s = (expiry - s->config.now_s(s->config.now_ctx)) / 2;
    return wait_s > RENEW_MAX_S ? RENEW_MAX_S : wait_s < RENEW_MIN_S ? RENEW_MIN_S : wait_s;
}

/* What an earlier run kept: the memory against rollback, then the documents, verified like fetched ones. */
static bool recall(attest_t *s)
{
    view_t kept;
    bool found = false, taken = false;
    char why[256];
    int64_t expiry;
    if (!s->config.state_dir || s->config.tee->simulated)
        return false;
    if (!persist_read(&kept, &found, NULL, s->config.state_dir, ROLLBACK_FILE, sizeof s->memory) &&
        kept.n == sizeof s->memory)
        memcpy(&s->memory, kept.p, kept.n);
    file_free(kept);
    if (!persist_read(&kept, &found, NULL, s->config.state_dir, COLLATERAL_FILE, COLLATERAL_MAX) && found) {
        arena_t a;
        arena_init(&a, ARENA_MAX);
        taken = adopt(s, why, sizeof why, &expiry, &a, kept) == RC_OK;
        arena_free(&a);
    }
    file_free(kept);
    return taken;
}

static void *keep_fresh(void *ctx)
{
    attest_t *s = ctx;
    bool first = !recall(s);
    for (;;) {
        int64_t wait_s = renew(s, first);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += wait_s;
        pthread_mutex_lock(&s->lock);
        first = !s->status.verified;
        while (!s->stop && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0) {
        }
        bool stop = s->stop;
        pthread_mutex_unlock(&s->lock);
        if (stop)
            return NULL;
    }
}

/* --- life --- */

static rc_t read_policy(attest_t *s, char *why, size_t cap)
{
    err_t e;
    snprintf(why, cap, "out of memory");
    if (!s->config.policy)
        return policy_default(&s->policy);
    rc_t rc = policy_read(&s->policy, &e, view_str(s->config.policy));
    if (rc)
        snprintf(why, cap, "policy: %s%s%s", e.field, e.field[0] ? ": " : "", e.text);
    return rc;
}

static rc_t make_own(attest_t *s, char *why, size_t cap)
{
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    err_t e;
    tee_register_report_data(report_data, s->config.pubkey);
    rc_t rc = s->config.tee->get_evidence(s->config.tee->ctx, &s->own, &e, report_data);
    if (rc)
        snprintf(why, cap, "no quote from the %s: %s", s->config.tee->name, e.text);
    return rc;
}

rc_t attest_start(attest_t **out, char *why, size_t cap, const attest_config_t *config)
{
    attest_t *s = calloc(1, sizeof *s);
    pthread_condattr_t attr;
    snprintf(why, cap, "out of memory");
    if (!s)
        return RC_NOMEM;
    s->config = *config;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attr);
    pthread_condattr_destroy(&attr);
    rc_t rc = read_policy(s, why, cap);
    if (!rc)
        rc = make_own(s, why, cap);
    if (!rc && pthread_create(&s->thread, NULL, keep_fresh, s)) {
        snprintf(why, cap, "no thread");
        rc = RC_IO;
    }
    s->runs = !rc;
    if (rc) {
        attest_free(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

void attest_free(attest_t *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->runs)
        pthread_join(s->thread, NULL);
    policy_free(s->policy);
    tee_evidence_free(&s->own);
    free(s->collateral);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

view_t attest_quote(const attest_t *s)
{
    return s->own.quote;
}

/* --- answers --- */

/* A fresh quote over a nonce, one at a time. */
static rc_t make_fresh(attest_t *s, tee_evidence_t *out, char *why, size_t cap, const uint8_t nonce[32])
{
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    err_t e;
    tee_attest_report_data(report_data, s->config.tee->type, nonce, s->config.pubkey, s->config.node_pubkey,
                           s->config.chain_id);
    pthread_mutex_lock(&s->lock);
    if (s->making && s->waiting >= ATTEST_QUEUE_MAX) {
        pthread_mutex_unlock(&s->lock);
        snprintf(why, cap, "too many ask for fresh quotes: one is made at a time, %u may wait", ATTEST_QUEUE_MAX);
        return RC_LIMIT;
    }
    s->waiting++;
    while (s->making)
        pthread_cond_wait(&s->changed, &s->lock);
    s->waiting--;
    s->making = true;
    pthread_mutex_unlock(&s->lock);
    rc_t rc = s->config.tee->get_evidence(s->config.tee->ctx, out, &e, report_data);
    if (rc)
        snprintf(why, cap, "no quote from the %s: %s", s->config.tee->name, e.text);
    pthread_mutex_lock(&s->lock);
    s->making = false;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* A copy of the present collateral; n 0: none. */
static rc_t copy_collateral(attest_t *s, view_t *out, arena_t *a)
{
    pthread_mutex_lock(&s->lock);
    *out = s->collateral ? arena_dup(a, view_of(s->collateral, s->collateral_len)) : view_of(NULL, 0);
    rc_t rc = !s->collateral ? RC_NEED_DATA : out->p ? RC_OK : RC_NOMEM;
    pthread_mutex_unlock(&s->lock);
    return rc;
}

rc_t attest_body(attest_t *s, view_t *out, char *why, size_t cap, arena_t *a, const uint8_t *nonce, bool staple)
{
    const tee_provider_t *tee = s->config.tee;
    tee_evidence_t fresh = { 0 };
    attest_status_t status;
    attestation_t x = { .tee = view_str(tee->tee),
                        .provider = view_str(tee->name),
                        .evidence_type = (uint8_t)tee->type,
                        .chain_id = s->config.chain_id,
                        .has_nonce = nonce != NULL,
                        .policy_digest = *policy_digest(s->policy),
                        .setup_hash = s->config.setup_hash };
    snprintf(why, cap, "out of memory");
    memcpy(x.pubkey, s->config.pubkey, sizeof x.pubkey);
    memcpy(x.node_pubkey, s->config.node_pubkey, sizeof x.node_pubkey);
    rc_t rc = staple ? copy_collateral(s, &x.collateral, a) : RC_OK;
    if (rc == RC_NEED_DATA) {
        attest_status(s, &status);
        snprintf(why, cap, "there is no collateral yet%s%s", status.trouble[0] ? ": " : "", status.trouble);
    }
    if (!rc && nonce) {
        memcpy(x.nonce, nonce, sizeof x.nonce);
        rc = make_fresh(s, &fresh, why, cap, nonce);
    }
    const tee_evidence_t *e = nonce ? &fresh : &s->own;
    x.quote = e->quote;
    x.event_log = e->event_log;
    x.vm_config = e->vm_config;
    if (!rc)
        rc = attestation_write(out, a, &x);
    tee_evidence_free(&fresh);
    return rc;
}

void attest_status(attest_t *s, attest_status_t *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->status;
    pthread_mutex_unlock(&s->lock);
}

const hash32_t *attest_policy_digest(const attest_t *s)
{
    return policy_digest(s->policy);
}
