#include "node/evidence/attest.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "base/os/worker.h"
#include "node/evidence/pccs.h"

#define ARENA_MAX ((size_t)64 << 20)
#define RENEW_MAX_S (6 * 3600) /* between two looks for newer collateral */
#define RENEW_MIN_S 60
#define RETRY_MIN_S 15
#define RETRY_MAX_S 3600
#define WAIT_MS 20000u
#define ROLLBACK_FILE_MAX 65536u /* more than any release has written, so that what is found is told of */
static const char COLLATERAL_FILE[] = "collateral", ROLLBACK_FILE[] = "rollback";

struct attest {
    attest_config_t config;
    policy_t *policy; /* constant once self is set, by the worker, before the first collateral is published */
    tee_evidence_t own;
    uint8_t own_report[TEE_REPORT_DATA_LEN];
    tee_evidence_t keyed; /* over the cluster's key, if that came later than own; no quote: own is */
    tee_evidence_t next;  /* over a key that is to come: next_pubkey */
    uint8_t next_pubkey[33];
    bool simulated;       /* own does not lead to Intel's root */
    const setup_t *setup; /* since attest_begin */
    worker_t *worker;
    /* of the worker alone */
    bool knows_self;
    rollback_t memory;
    unsigned failures; /* in a row */
    persist_told_t told;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    char **pccs; /* services in place of the configuration's; NULL: those */
    size_t pccs_count;
    uint8_t *collateral; /* flattened JSON that verified our own quote; NULL: none yet */
    size_t collateral_len;
    attest_status_t status;
    bool making; /* a quote that was asked for */
    unsigned waiting;
    uint8_t pubkey[33];   /* the cluster's key, or our own until there is one */
    tee_evidence_t plain; /* over it, without a nonce */
    bool has_plain;
};

static bool stopping(void *ctx)
{
    const attest_t *s = ctx;
    return worker_stopping(s->worker);
}

static int64_t now_s(const attest_t *s)
{
    return s->config.now_s(s->config.time_ctx);
}

/* --- collateral --- */

/* Puts what was judged, and the code of the judgement, before its sentence. */
static rc_t judged(err_t *e, rc_t rc, const char *what)
{
    return err_before(e, rc, "%s: %s: ", what, rc ? tee_code_name(e->code) : "");
}

/* Where this platform's documents are asked for: from our own quote's certificates. */
static rc_t platform_of(pccs_request_t *request, err_t *e, const attest_t *s)
{
    quote_t q;
    rc_t rc = quote_parse(&q, e, s->own.quote);
    if (!rc)
        rc = chain_platform(request->fmspc, &request->processor_ca, e, q.certs);
    return judged(e, rc, "our own quote");
}

static size_t services(attest_t *s)
{
    pthread_mutex_lock(&s->lock);
    const size_t n = s->pccs ? s->pccs_count : s->config.pccs_count;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* The URL of service number i, in the arena. NULL: there is none any more, or no memory. */
static const char *service(attest_t *s, arena_t *a, size_t i)
{
    view_t copy = { NULL, 0 };
    pthread_mutex_lock(&s->lock);
    const char *url = s->pccs                    ? i < s->pccs_count ? s->pccs[i] : NULL
                      : i < s->config.pccs_count ? s->config.pccs[i]
                                                 : NULL;
    if (url)
        copy = arena_dup(a, view_of((const uint8_t *)url, strlen(url) + 1));
    pthread_mutex_unlock(&s->lock);
    return (const char *)copy.p;
}

static void free_list(char **urls, size_t count)
{
    for (size_t i = 0; urls && i < count; i++)
        free(urls[i]);
    free(urls);
}

rc_t attest_set_pccs(attest_t *s, const char *const *urls, size_t count)
{
    char **copy = calloc(count + 1, sizeof *copy);
    bool whole = copy != NULL;
    for (size_t i = 0; whole && i < count; i++)
        whole = (copy[i] = strdup(urls[i]));
    if (!whole) {
        free_list(copy, count);
        return RC_NOMEM;
    }
    pthread_mutex_lock(&s->lock);
    char **old = s->pccs;
    const size_t old_count = s->pccs_count;
    s->pccs = copy;
    s->pccs_count = count;
    pthread_mutex_unlock(&s->lock);
    free_list(old, old_count);
    worker_wake(s->worker);
    return RC_OK;
}

/* Where collateral is from, and what came from there: for the log alone. */
typedef struct {
    char origin[320]; /* of a service, or a file's path; empty: there is but one place */
    char heard[HEARD_MAX + 1];
} place_t;

/* From service number i, which whoever may ask knows by that number. */
static rc_t fetch(attest_t *s, view_t *text, place_t *place, err_t *e, arena_t *a, size_t i)
{
    collateral_t c;
    pccs_request_t request = {
        .http = s->config.http, .root_crl = s->config.pccs_root_crl, .cancelled = stopping, .cancelled_ctx = s
    };
    rc_t rc = platform_of(&request, e, s);
    if (rc)
        return rc;
    request.base = service(s, a, i);
    if (!request.base)
        return err_say(e, RC_IO, "the services have been replaced");
    hc_url_origin(place->origin, sizeof place->origin, request.base);
    request.ca_file = s->config.pccs_ca_file;
    rc = pccs_fetch(&c, place->heard, e, a, &request);
    if (!rc && (rc = collateral_write(text, a, &c)))
        (void)err_set(e, rc, "the collateral cannot be written: %s", rc_name(rc));
    return err_before(e, rc, "pccs[%zu]: ", i);
}

static rc_t read_collateral_file(const attest_t *s, view_t *text, place_t *place, err_t *e, arena_t *a)
{
    view_t file;
    err_t why;
    snprintf(place->origin, sizeof place->origin, "%s", s->config.collateral_file);
    rc_t rc = file_read(&file, &why, s->config.collateral_file, COLLATERAL_MAX, FILE_REGULAR);
    const size_t n = strlen(s->config.collateral_file);
    if (rc) /* its path is in front, which is the operator's matter */
        return err_set(e, rc, "collateral_file: %s", n + 2 < strlen(why.text) ? why.text + n + 2 : "cannot be read");
    *text = arena_dup(a, file);
    rc = file.n && !text->p ? err_say(e, RC_NOMEM, "out of memory") : RC_OK;
    file_free(file);
    return rc;
}

static bool asks_services(const attest_t *s)
{
    return !s->config.tee->simulated && !s->config.tee->get_collateral && !s->config.collateral_file;
}

/* From service number i, or from the one place there is. */
static rc_t get_collateral(attest_t *s, view_t *text, place_t *place, err_t *e, arena_t *a, size_t i)
{
    const tee_provider_t *tee = s->config.tee;
    if (tee->get_collateral) {
        const rc_t rc = tee->get_collateral(tee->ctx, text, a, now_s(s));
        return rc ? err_set(e, rc, "the %s gave no collateral: %s", tee->name, rc_name(rc)) : RC_OK;
    }
    if (tee->simulated)
        return err_set(e, RC_IO, "the %s gives no collateral", tee->name);
    return s->config.collateral_file ? read_collateral_file(s, text, place, e, a) : fetch(s, text, place, e, a, i);
}

/* Each for itself: a disk that has no room for the documents may have some for the memory of them, which is worth
 * more. */
static void keep(attest_t *s, view_t text)
{
    uint8_t memory[ROLLBACK_CODE_MAX];
    err_t e, other;
    if (!s->config.state_dir || s->config.tee->simulated)
        return;
    rc_t rc = persist_write(&e, s->config.state_dir, ROLLBACK_FILE, rollback_encode(memory, &s->memory));
    const rc_t second = persist_write(rc ? &other : &e, s->config.state_dir, COLLATERAL_FILE, text);
    rc = rc ? rc : second;
    (void)persist_tell(&s->told, "state", "collateral is not kept: ", rc, &e);
}

static void publish(attest_t *s, uint8_t *take_copy, size_t len, const tee_verified_t *v)
{
    pthread_mutex_lock(&s->lock);
    free(s->collateral);
    s->collateral = take_copy;
    s->collateral_len = len;
    s->status = (attest_status_t){
        .verified = true, .status = v->grade.status, .platform = v->platform, .verifiable_until = v->earliest_expiry
    };
    pthread_mutex_unlock(&s->lock);
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What Intel signed tells the time too; what a simulator signed tells what our own clock told it. */
static void tell_issued(const attest_t *s, const tee_verified_t *v)
{
    const int64_t documents = max_i64(v->info->issue_date, v->identity->issue_date);
    const int64_t lists = max_i64(v->root_crl.this_update, v->pck_crl.this_update);
    if (v->production_root && s->config.issued)
        s->config.issued(s->config.time_ctx, max_i64(documents, lists));
}

/* Tells the policy what we are, once. */
static void set_self(attest_t *s, arena_t *a, const quote_t *q)
{
    eventlog_t log;
    if (s->knows_self)
        return;
    const bool replays = s->own.event_log.n && !eventlog_verify(&log, NULL, a, s->own.event_log, q->td.rtmr);
    policy_set_self(s->policy, q, replays ? &log : NULL);
    s->knows_self = true;
}

/* The root that our own quote is to lead to: the provider's; that of the policy's simulator, behind a real provider's
 * interface, where every answer says simulated; Intel's. */
static view_t own_root(const attest_t *s)
{
    const view_t simulators = s->simulated ? policy_simulator_root(s->policy) : view_of(NULL, 0);
    return s->config.tee->root.n ? s->config.tee->root : simulators.n ? simulators : CHAIN_INTEL_ROOT;
}

/* Takes collateral if our own quote verifies by it. *expiry: until when. */
static rc_t adopt(attest_t *s, int64_t *expiry, err_t *e, arena_t *a, view_t text)
{
    collateral_t c;
    tee_verified_t v;
    const view_t root = own_root(s);
    rc_t rc = collateral_read(&c, e, a, text);
    if (!rc)
        rc = tee_verify(&v, &s->memory, e, a, s->own.quote, &c, root, now_s(s));
    if (rc)
        return judged(e, rc, "our own quote does not verify");
    uint8_t *copy = malloc(text.n);
    if (!copy)
        return err_say(e, RC_NOMEM, "out of memory");
    set_self(s, a, &v.quote);
    memcpy(copy, text.p, text.n);
    publish(s, copy, text.n, &v);
    tell_issued(s, &v);
    *expiry = v.earliest_expiry;
    return RC_OK;
}

/* Tells the operator what came of one place. */
static void log_place(const place_t *p, const err_t *e)
{
    log_write(LOG_WARN, "collateral", "%s%s%s%s%s", p->origin, p->origin[0] ? ": " : "", e->text, heard_word(p->heard),
              p->heard);
}

static void tell_trouble(attest_t *s, const err_t *e)
{
    pthread_mutex_lock(&s->lock);
    snprintf(s->status.trouble, sizeof s->status.trouble, "%s", e->text);
    if (s->status.verified && now_s(s) > s->status.verifiable_until)
        s->status.verified = false;
    pthread_mutex_unlock(&s->lock);
}

/* Asks one place after the other until what it gives is good. */
static rc_t find_collateral(attest_t *s, int64_t *expiry, err_t *e)
{
    const size_t places = asks_services(s) ? services(s) : 1;
    rc_t rc = RC_IO;
    if (!places) {
        (void)err_say(e, RC_IO, "no provisioning certification service is configured (pccs)");
        log_place(&(place_t){ .origin = "" }, e);
    }
    for (size_t i = 0; rc && i < places && !stopping(s); i++) {
        arena_t a;
        view_t text = { NULL, 0 };
        place_t place = { .origin = "" };
        arena_init(&a, ARENA_MAX);
        rc = get_collateral(s, &text, &place, e, &a, i);
        if (!rc)
            rc = adopt(s, expiry, e, &a, text);
        if (!rc)
            keep(s, text);
        else if (!stopping(s))
            log_place(&place, e);
        arena_free(&a);
    }
    return rc;
}

/* Looks for newer collateral. Returns seconds until the next look.
 *   first  what is found is news for the log */
static int64_t renew(attest_t *s, bool first)
{
    err_t e;
    int64_t expiry = 0;
    const rc_t rc = find_collateral(s, &expiry, &e);
    if (stopping(s))
        return 0;
    if (rc) {
        const int64_t wait_s = (int64_t)RETRY_MIN_S << (s->failures < 8 ? s->failures : 8);
        tell_trouble(s, &e);
        s->failures++;
        return wait_s < RETRY_MAX_S ? wait_s : RETRY_MAX_S;
    }
    const int64_t left_s = expiry - now_s(s), wait_s = left_s / 2;
    if (first)
        log_write(LOG_INFO, "collateral", "our own quote verifies: %s, for %lld h", tcb_status_name(s->status.status),
                  (long long)(left_s / 3600));
    s->failures = 0;
    const int64_t most_s = s->told.failing ? RETRY_MAX_S : RENEW_MAX_S;
    return wait_s > most_s ? most_s : wait_s < RENEW_MIN_S ? RENEW_MIN_S : wait_s;
}

/* The memory against rollback that an earlier run kept. */
static void recall_memory(attest_t *s)
{
    view_t kept;
    bool found;
    err_t e;
    rc_t rc = persist_read(&kept, &found, &e, s->config.state_dir, ROLLBACK_FILE, ROLLBACK_FILE_MAX);
    if (!rc && found)
        rc = err_before(&e, rollback_decode(&s->memory, &e, kept), "%s/%s ", s->config.state_dir, ROLLBACK_FILE);
    if (rc)
        log_write(LOG_WARN, "state", "%s: what collateral was accepted before is forgotten", e.text);
    file_free(kept);
}

/* The documents that an earlier run kept, verified like fetched ones. True: they are good still. */
static bool recall_collateral(attest_t *s)
{
    view_t kept;
    bool found;
    int64_t expiry;
    err_t e;
    rc_t rc = persist_read(&kept, &found, &e, s->config.state_dir, COLLATERAL_FILE, COLLATERAL_MAX);
    if (!rc && found) {
        arena_t a;
        arena_init(&a, ARENA_MAX);
        rc = adopt(s, &expiry, &e, &a, kept);
        arena_free(&a);
    }
    if (rc)
        log_write(LOG_INFO, "state", "the kept collateral is not taken: %s", e.text);
    file_free(kept);
    return found && !rc;
}

static bool recall(attest_t *s)
{
    if (!s->config.state_dir || s->config.tee->simulated)
        return false;
    recall_memory(s);
    return recall_collateral(s);
}

static bool is_verified(attest_t *s)
{
    attest_status_t status;
    attest_status(s, &status);
    return status.verified;
}

static void keep_fresh(worker_t *w, void *ctx)
{
    attest_t *s = ctx;
    int64_t wait_s = renew(s, !recall(s));
    while (worker_sleep_until(w, clock_monotonic_ms() + (uint64_t)wait_s * 1000))
        wait_s = renew(s, !is_verified(s));
}

/* --- life --- */

static rc_t read_policy(attest_t *s, err_t *e)
{
    const rc_t rc =
        s->config.policy ? policy_read(&s->policy, e, view_str(s->config.policy)) : policy_default(&s->policy);
    if (rc && !s->config.policy)
        return err_say(e, rc, "out of memory");
    return err_under(e, rc, "policy");
}

/* Evidence over report data, by the provider. */
static rc_t make_evidence(const attest_t *s, tee_evidence_t *out, err_t *e,
                          const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    const rc_t rc = s->config.tee->get_evidence(s->config.tee->ctx, out, e, report_data);
    return err_before(e, rc, "no quote from the %s: ", s->config.tee->name);
}

static rc_t make_own(attest_t *s, err_t *e)
{
    err_t why;
    tee_register_report_data(s->own_report, s->config.pubkey);
    memcpy(s->pubkey, s->config.pubkey, sizeof s->pubkey);
    const rc_t rc = make_evidence(s, &s->own, e, s->own_report);
    if (rc)
        return rc;
    s->simulated = s->config.tee->simulated || s->config.pretended;
    if (s->config.pretended)
        log_write(LOG_WARN, "tee", "the %s is a simulator by DSTACK_SIMULATOR_ENDPOINT: every answer says simulated",
                  s->config.tee->name);
    if (!s->simulated && tee_leads_to(&why, s->own.quote, CHAIN_INTEL_ROOT)) {
        s->simulated = true;
        log_write(LOG_WARN, "tee", "quotes of the %s do not lead to Intel's root (%s): every answer says simulated",
                  s->config.tee->name, why.text);
    }
    return RC_OK;
}

rc_t attest_new(attest_t **out, err_t *e, const attest_config_t *config)
{
    pthread_condattr_t monotonic;
    attest_t *s = calloc(1, sizeof *s);
    if (!s)
        return err_say(e, RC_NOMEM, "out of memory");
    s->config = *config;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    rc_t rc = read_policy(s, e);
    if (!rc)
        rc = make_own(s, e);
    if (rc)
        attest_free(s);
    else
        *out = s;
    return rc;
}

bool attest_simulated(const attest_t *s)
{
    return s->simulated;
}

rc_t attest_collect(attest_t *s, err_t *e)
{
    return worker_start(&s->worker, e, "collateral", keep_fresh, s);
}

rc_t attest_prepare(attest_t *s, err_t *e, const uint8_t pubkey[33])
{
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    tee_evidence_t made = { 0 };
    if (s->next.quote.n && memcmp(s->next_pubkey, pubkey, sizeof s->next_pubkey) == 0)
        return RC_OK;
    tee_register_report_data(report_data, pubkey);
    const rc_t rc = make_evidence(s, &made, e, report_data);
    if (rc)
        return rc;
    tee_evidence_free(&s->next);
    s->next = made;
    memcpy(s->next_pubkey, pubkey, sizeof s->next_pubkey);
    return RC_OK;
}

rc_t attest_key(attest_t *s, err_t *e, const uint8_t pubkey[33])
{
    const rc_t rc = attest_prepare(s, e, pubkey);
    if (rc)
        return rc;
    pthread_mutex_lock(&s->lock);
    tee_evidence_free(&s->keyed);
    tee_evidence_free(&s->plain);
    s->keyed = s->next;
    s->next = s->plain = (tee_evidence_t){ 0 };
    s->has_plain = false;
    memcpy(s->pubkey, pubkey, sizeof s->pubkey);
    pthread_mutex_unlock(&s->lock);
    return RC_OK;
}

/* Whether our own evidence is verified, so that a policy can know it. */
static rc_t check_verified(attest_t *s, err_t *e)
{
    return is_verified(s) ? RC_OK : err_say(e, RC_NEED_DATA, "this node's own evidence is not verified yet");
}

rc_t attest_read_policy(attest_t *s, policy_t **out, err_t *e, view_t text)
{
    arena_t a;
    quote_t q;
    eventlog_t log;
    policy_t *p = NULL;
    rc_t rc = check_verified(s, e);
    if (!rc)
        rc = policy_read(&p, e, text);
    if (!rc)
        rc = quote_parse(&q, e, s->own.quote);
    if (rc) {
        policy_free(p);
        return rc;
    }
    arena_init(&a, ARENA_MAX);
    const bool replays = s->own.event_log.n && !eventlog_verify(&log, NULL, &a, s->own.event_log, q.td.rtmr);
    policy_set_self(p, &q, replays ? &log : NULL);
    arena_free(&a);
    *out = p;
    return RC_OK;
}

rc_t attest_admits_self(attest_t *s, err_t *e, const policy_t *policy)
{
    arena_t a;
    tee_verified_t v;
    tee_claim_t claim = {
        .type = s->config.tee->type, .quote = s->own.quote, .event_log = s->own.event_log, .vm_config = s->own.vm_config
    };
    arena_init(&a, ARENA_MAX);
    rc_t rc = check_verified(s, e);
    if (!rc)
        rc = attest_collateral(s, &claim.collateral, e, &a);
    if (!rc)
        rc = tee_appraise(&v, NULL, NULL, e, &a, &claim, s->own_report, policy, now_s(s));
    arena_free(&a);
    return rc;
}

const policy_t *attest_policy(const attest_t *s)
{
    return s->policy;
}

rc_t attest_begin(attest_t *s, err_t *e, const setup_t *setup)
{
    const setup_cluster_t *c = &setup->cluster;
    const policy_chain_t chain = { c->chain_id, c->genesis_validators_root, setup->hash };
    s->setup = setup;
    rc_t rc = err_under(e, policy_check_chain(s->policy, e, &chain), "policy");
    return rc || s->worker ? rc : attest_collect(s, e);
}

void attest_free(attest_t *s)
{
    if (!s)
        return;
    worker_stop(s->worker);
    policy_free(s->policy);
    tee_evidence_free(&s->own);
    tee_evidence_free(&s->keyed);
    tee_evidence_free(&s->next);
    tee_evidence_free(&s->plain);
    free(s->collateral);
    free_list(s->pccs, s->pccs_count);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

view_t attest_quote(const attest_t *s)
{
    return s->keyed.quote.n ? s->keyed.quote : s->own.quote;
}

/* --- answers --- */

/* Waits until no quote is being made, but not longer than it may. With the lock held. */
static bool wait_turn(attest_t *s)
{
    const uint64_t until = clock_monotonic_ms() + (s->config.wait_ms ? s->config.wait_ms : WAIT_MS);
    const struct timespec at = { .tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000) * 1000000 };
    int timed_out = 0;
    s->waiting++;
    while (s->making && !timed_out)
        timed_out = pthread_cond_timedwait(&s->changed, &s->lock, &at);
    s->waiting--;
    return !s->making;
}

/* Waits for the turn to make a quote. */
static rc_t take_turn(attest_t *s, err_t *e)
{
    pthread_mutex_lock(&s->lock);
    const bool full = s->making && s->waiting >= ATTEST_QUEUE_MAX, mine = !full && wait_turn(s);
    if (mine)
        s->making = true;
    pthread_mutex_unlock(&s->lock);
    if (full)
        return err_set(e, RC_LIMIT, "too many ask for fresh quotes: one is made at a time, %u may wait",
                       ATTEST_QUEUE_MAX);
    return mine ? RC_OK : err_say(e, RC_LIMIT, "the quotes before take too long: ask again");
}

static void end_turn(attest_t *s)
{
    pthread_mutex_lock(&s->lock);
    s->making = false;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* The key that answers are over at present. */
static void present_key(attest_t *s, uint8_t out[33])
{
    pthread_mutex_lock(&s->lock);
    memcpy(out, s->pubkey, sizeof s->pubkey);
    pthread_mutex_unlock(&s->lock);
}

/* Evidence over what the setup means, with a nonce or without. */
static rc_t make_bound(const attest_t *s, tee_evidence_t *out, err_t *e, const uint8_t pubkey[33], const uint8_t *nonce)
{
    const attest_config_t *c = &s->config;
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    tee_attest_report_data(report_data, &(tee_attest_t){ .type = c->tee->type,
                                                         .nonce = nonce,
                                                         .cluster_pubkey = pubkey,
                                                         .node_pubkey = c->node_pubkey,
                                                         .cluster_statement = s->setup->hash,
                                                         .node_statement = s->setup->node_hash });
    return make_evidence(s, out, e, report_data);
}

/* A fresh quote over a nonce, one at a time. */
static rc_t make_fresh(attest_t *s, tee_evidence_t *out, err_t *e, const uint8_t pubkey[33], const uint8_t nonce[32])
{
    rc_t rc = take_turn(s, e);
    if (rc)
        return rc;
    rc = make_bound(s, out, e, pubkey, nonce);
    end_turn(s);
    return rc;
}

rc_t attest_evidence(attest_t *s, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    rc_t rc = take_turn(s, e);
    if (rc)
        return rc;
    rc = make_evidence(s, out, e, report_data);
    end_turn(s);
    return rc;
}

/* A copy in the arena of the quote without a nonce, if there is one over this key. RC_NEED_DATA: there is none;
 * RC_NOMEM. */
static rc_t copy_plain(attest_t *s, attestation_t *out, arena_t *a, const uint8_t pubkey[33])
{
    pthread_mutex_lock(&s->lock);
    const tee_evidence_t *from = &s->plain;
    rc_t rc = s->has_plain && memcmp(s->pubkey, pubkey, sizeof s->pubkey) == 0 ? RC_OK : RC_NEED_DATA;
    if (!rc) {
        out->quote = arena_dup(a, from->quote);
        out->event_log = from->event_log.n ? arena_dup(a, from->event_log) : view_of(NULL, 0);
        out->vm_config = from->vm_config.n ? arena_dup(a, from->vm_config) : view_of(NULL, 0);
        if (!out->quote.p || (from->event_log.n && !out->event_log.p) || (from->vm_config.n && !out->vm_config.p))
            rc = RC_NOMEM;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* Keeps the quote without a nonce, unless another key has come meanwhile. */
static void keep_plain(attest_t *s, tee_evidence_t *take_made, const uint8_t pubkey[33])
{
    pthread_mutex_lock(&s->lock);
    if (!s->has_plain && memcmp(s->pubkey, pubkey, sizeof s->pubkey) == 0) {
        s->plain = *take_made;
        s->has_plain = true;
        *take_made = (tee_evidence_t){ 0 };
    }
    pthread_mutex_unlock(&s->lock);
    tee_evidence_free(take_made);
}

/* The quote without a nonce over this key, made when there is none. */
static rc_t need_plain(attest_t *s, attestation_t *out, err_t *e, arena_t *a, const uint8_t pubkey[33])
{
    tee_evidence_t made = { 0 };
    rc_t rc = copy_plain(s, out, a, pubkey);
    if (rc != RC_NEED_DATA)
        return rc ? err_say(e, rc, "out of memory") : RC_OK;
    rc = take_turn(s, e);
    if (rc)
        return rc;
    rc = copy_plain(s, out, a, pubkey); /* another one may have made it meanwhile */
    if (rc == RC_NEED_DATA && !(rc = make_bound(s, &made, e, pubkey, NULL))) {
        keep_plain(s, &made, pubkey);
        rc = copy_plain(s, out, a, pubkey);
        if (rc == RC_NEED_DATA)
            rc = err_say(e, RC_LIMIT, "the key has just changed: ask again");
    }
    end_turn(s);
    return rc;
}

/* A copy of the present collateral. */
rc_t attest_collateral(attest_t *s, view_t *out, err_t *e, arena_t *a)
{
    pthread_mutex_lock(&s->lock);
    const bool have = s->collateral != NULL;
    const char *trouble = s->status.trouble;
    *out = have ? arena_dup(a, view_of(s->collateral, s->collateral_len)) : view_of(NULL, 0);
    rc_t rc =
        have ? RC_OK : err_set(e, RC_NEED_DATA, "there is no collateral yet%s%s", trouble[0] ? ": " : "", trouble);
    pthread_mutex_unlock(&s->lock);
    return have && !out->p ? err_say(e, RC_NOMEM, "out of memory") : rc;
}

rc_t attest_body(attest_t *s, view_t *out, err_t *e, arena_t *a, const attestation_cluster_t *cluster,
                 const uint8_t *nonce, bool staple)
{
    const tee_provider_t *tee = s->config.tee;
    tee_evidence_t fresh = { 0 };
    attestation_t x = { .evidence_type = (uint8_t)tee->type,
                        .cluster_statement = s->setup->cluster_text,
                        .node_statement = s->setup->node_text,
                        .has_nonce = nonce != NULL,
                        .provider = view_str(tee->name),
                        .cluster = *cluster };
    present_key(s, x.pubkey);
    memcpy(x.node_pubkey, s->config.node_pubkey, sizeof x.node_pubkey);
    if (nonce)
        memcpy(x.nonce, nonce, sizeof x.nonce);
    rc_t rc = staple ? attest_collateral(s, &x.collateral, e, a) : RC_OK;
    if (!rc)
        rc = nonce ? make_fresh(s, &fresh, e, x.pubkey, nonce) : need_plain(s, &x, e, a, x.pubkey);
    if (!rc) {
        if (nonce) {
            x.quote = fresh.quote;
            x.event_log = fresh.event_log;
            x.vm_config = fresh.vm_config;
        }
        rc = attestation_write(out, a, &x);
        if (rc)
            err_set(e, rc, "the attestation cannot be written: %s", rc_name(rc));
    }
    tee_evidence_free(&fresh);
    return rc;
}

void attest_status(attest_t *s, attest_status_t *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->status;
    pthread_mutex_unlock(&s->lock);
}
