#include "overlay/host/host.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "overlay/host/crew.h"
#include "overlay/wire/ringkey.h"
#include "tee/verify/verify.h"

#define ARENA_MAX ((size_t)8 << 20)

struct host {
    host_config_t c;
    ecdsa_t *ecdsa;
    keyring_t *key, *ring; /* our static key; generations of the cluster's */
    uint8_t pubkey[33];
    hash32_t platform;
    tee_evidence_t own; /* of the start: what "self" means in policies */
    arena_t arena;      /* of its event log */
    quote_t quote;
    eventlog_t log;
    bool replays; /* the log, to the quote's registers */
    policy_t *policy;
    rollback_t memory; /* of the verifying thread */
    overlay_t *overlay;
    net_t *net;
    loop_t *loop;
    crew_t *crew;
    maddr_t listening[NET_LISTEN_MAX];
    size_t listening_count;
    pthread_mutex_t lock; /* of host_call */
    pthread_cond_t done;
};

/* ---- who we are ---- */

static rc_t sign_static(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    return keyring_sign(ctx, out, NULL, digest);
}

static rc_t make_keys(host_t *h)
{
    uint8_t blind[32], secret[ECDSA_SECRET_LEN];
    secret_random(blind, sizeof blind);
    h->ecdsa = ecdsa_new(blind);
    rc_t rc = h->ecdsa ? RC_REFUSED : RC_NOMEM;
    for (int tries = 0; rc == RC_REFUSED && tries < 8; tries++) { /* one in 2^128 is no key */
        secret_random(secret, sizeof secret);
        secret_random(blind, sizeof blind);
        rc = keyring_new(&h->key, secret, blind);
    }
    if (rc)
        return rc;
    keyring_pubkey(h->key, h->pubkey);
    secret_random(blind, sizeof blind);
    return keyring_empty(&h->ring, blind);
}

/* ---- our own evidence ---- */

static view_t provided(const host_t *h, arena_t *a, int64_t now)
{
    view_t text = view_of(NULL, 0);
    if (h->c.collateral)
        return h->c.collateral(h->c.ctx, a);
    if (h->c.tee->get_collateral && h->c.tee->get_collateral(h->c.tee->ctx, &text, a, now))
        return view_of(NULL, 0);
    return text;
}

static rc_t make_policy(const host_t *h, policy_t **out, err_t *e, view_t text)
{
    const rc_t rc = policy_read(out, e, text);
    if (!rc)
        policy_set_self(*out, &h->quote, h->replays ? &h->log : NULL);
    return rc;
}

/* That our own policy admits us; our platform. */
static rc_t appraise(host_t *h, err_t *e, arena_t *a, const uint8_t report_data[64])
{
    const int64_t now = (int64_t)(clock_system_ms() / 1000);
    const tee_claim_t claim = { h->own.type, h->own.quote, h->own.event_log, provided(h, a, now), h->own.vm_config };
    tee_verified_t verified;
    if (!claim.collateral.n)
        return err_say(e, RC_NEED_DATA, "there is no collateral for this platform");
    const rc_t rc = tee_appraise(&verified, NULL, NULL, e, a, &claim, report_data, h->policy, now);
    if (!rc)
        h->platform = verified.platform;
    return rc;
}

static rc_t know_self(host_t *h, err_t *e)
{
    const view_t text = view_str(h->c.policy ? h->c.policy : POLICY_DEFAULT);
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    arena_t a;
    tee_register_report_data(report_data, h->pubkey);
    rc_t rc = h->c.tee->get_evidence(h->c.tee->ctx, &h->own, e, report_data);
    if (!rc)
        rc = quote_parse(&h->quote, e, h->own.quote);
    if (rc)
        return err_before(e, rc, "this node's own evidence: ");
    h->replays = h->own.event_log.n && !eventlog_verify(&h->log, NULL, &h->arena, h->own.event_log, h->quote.td.rtmr);
    rc = err_under(e, make_policy(h, &h->policy, e, text), "policy");
    if (rc)
        return rc;
    arena_init(&a, ARENA_MAX);
    rc = appraise(h, e, &a, report_data);
    arena_free(&a);
    return err_before(e, rc, "this node's own evidence: ");
}

/* ---- what the overlay asks for ---- */

static rc_t evidence(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    const host_t *h = ctx;
    return h->c.tee->get_evidence(h->c.tee->ctx, out, e, report_data);
}

static int64_t now_s(void *ctx)
{
    (void)ctx;
    return (int64_t)(clock_system_ms() / 1000);
}

static view_t collateral(void *ctx, arena_t *a)
{
    return provided(ctx, a, now_s(ctx));
}

static void post(void *ctx, join_job_t *job)
{
    crew_post(((host_t *)ctx)->crew, job);
}

static void draw(void *ctx, void *out, size_t n)
{
    (void)ctx;
    secret_random(out, n);
}

static void named(void *ctx, size_t target, const maddr_t *numbers, size_t n)
{
    overlay_resolved(((host_t *)ctx)->overlay, target, numbers, n);
}

static void resolve(void *ctx, size_t target, const maddr_t *name)
{
    host_t *h = ctx;
    if (!crew_resolve(h->crew, target, name))
        overlay_resolved(h->overlay, target, NULL, 0);
}

static rc_t read_rule(void *ctx, policy_t **out, err_t *e, view_t text)
{
    return make_policy(ctx, out, e, text);
}

static uint64_t turn(void *ctx, uint64_t now_ms)
{
    return overlay_turn(((host_t *)ctx)->overlay, now_ms);
}

/* ---- life ---- */

static identity_t host_identity(const host_t *h)
{
    identity_t who;
    ringkey_identity(&who, h->key);
    return who;
}

static rc_t make_overlay(host_t *h, err_t *e)
{
    overlay_config_t o = { .application = h->c.application,
                           .found = h->c.found,
                           .sign = sign_static,
                           .sign_ctx = h->key,
                           .who = host_identity(h),
                           .relays = h->c.relays,
                           .uses_relays = h->c.uses_relays,
                           .type = h->c.tee->type,
                           .platform = h->platform,
                           .policy = h->policy,
                           .order = h->c.order,
                           .rules = h->c.rules,
                           .keyring = h->ring,
                           .ecdsa = h->ecdsa,
                           .memory = &h->memory,
                           .evidence = evidence,
                           .collateral = collateral,
                           .now_s = now_s,
                           .post = post,
                           .random = draw,
                           .resolve = resolve,
                           .read_rule = read_rule,
                           .ctx = h,
                           .events = h->c.events,
                           .events_ctx = h->c.ctx };
    o.rules.ecdsa = h->ecdsa;
    memcpy(o.cluster, h->c.cluster, sizeof o.cluster);
    memcpy(o.static_pubkey, h->pubkey, sizeof o.static_pubkey);
    return overlay_new(&h->overlay, e, &o);
}

static rc_t make_loop(host_t *h, err_t *e)
{
    net_config_t n = { .who = host_identity(h), .agent = "kettle/" KETTLE_VERSION };
    const loop_owner_t owner = { .turn = turn, .ctx = h };
    overlay_net(h->overlay, &n);
    rc_t rc = net_new(&h->net, &n);
    if (rc)
        return err_say(e, rc, "out of memory");
    rc = loop_new(&h->loop, e, h->net, h->c.transports ? h->c.transports : LOOP_BOTH, &owner);
    if (rc)
        net_free(h->net);
    return rc ? rc : overlay_bind(h->overlay, e, h->net);
}

/* Each of the addresses in words. */
static rc_t use_addresses(host_t *h, err_t *e)
{
    maddr_t m;
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < h->c.listen_count; i++) {
        rc = err_under(e, maddr_read_text(&m, e, view_str(h->c.listen[i])), "listen");
        if (!rc)
            rc = err_before(e, net_listen(h->net, e, &m), "%s: ", h->c.listen[i]);
    }
    for (size_t i = 0; !rc && i < h->c.peer_count; i++) {
        rc = err_under(e, maddr_read_text(&m, e, view_str(h->c.peers[i])), "peers");
        if (!rc && (rc = overlay_peer_at(h->overlay, &m, 1)))
            (void)err_say(e, rc, "too many peers");
    }
    if (rc)
        return rc;
    const maddr_t *at = net_listening(h->net, &h->listening_count);
    memcpy(h->listening, at, h->listening_count * sizeof *at);
    return RC_OK;
}

static rc_t start(host_t *h, err_t *e)
{
    rc_t rc = make_keys(h);
    if (rc)
        return err_say(e, rc, "no memory that may be locked");
    rc = know_self(h, e);
    if (!rc)
        rc = make_overlay(h, e);
    if (!rc)
        rc = make_loop(h, e);
    if (!rc)
        rc = use_addresses(h, e);
    if (!rc)
        rc = crew_start(&h->crew, e, h->loop, named, h);
    return rc ? rc : loop_start(h->loop, e);
}

rc_t host_start(host_t **out, err_t *e, const host_config_t *config)
{
    host_t *h = calloc(1, sizeof *h);
    if (!h)
        return err_say(e, RC_NOMEM, "out of memory");
    h->c = *config;
    arena_init(&h->arena, ARENA_MAX);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->done, NULL);
    const rc_t rc = start(h, e);
    if (rc) {
        host_stop(h);
        return rc;
    }
    *out = h;
    return RC_OK;
}

void host_stop(host_t *h)
{
    if (!h)
        return;
    crew_stop(h->crew);
    loop_free(h->loop); /* frees the net */
    crew_free(h->crew);
    overlay_free(h->overlay);
    policy_free(h->policy);
    tee_evidence_free(&h->own);
    arena_free(&h->arena);
    keyring_free(h->ring);
    keyring_free(h->key);
    ecdsa_free(h->ecdsa);
    pthread_cond_destroy(&h->done);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* ---- calls from other threads ---- */

typedef struct {
    host_t *host;
    host_fn fn;
    void *ctx;
    err_t *e;
    rc_t rc;
    bool ended;
} call_t;

static void run_call(void *ctx)
{
    call_t *call = ctx;
    host_t *h = call->host;
    const rc_t rc = call->fn(call->ctx, h->overlay, call->e);
    pthread_mutex_lock(&h->lock);
    call->rc = rc;
    call->ended = true;
    pthread_cond_broadcast(&h->done);
    pthread_mutex_unlock(&h->lock);
}

rc_t host_call(host_t *h, err_t *e, host_fn fn, void *ctx)
{
    call_t call = { .host = h, .fn = fn, .ctx = ctx, .e = e };
    const rc_t rc = loop_post(h->loop, run_call, &call);
    if (rc)
        return err_say(e, rc, "out of memory");
    pthread_mutex_lock(&h->lock);
    while (!call.ended)
        pthread_cond_wait(&h->done, &h->lock);
    pthread_mutex_unlock(&h->lock);
    return call.rc;
}

/* ---- what is known ---- */

const overlay_t *host_overlay(const host_t *h)
{
    return h->overlay;
}

const maddr_t *host_listening(const host_t *h, size_t *count)
{
    *count = h->listening_count;
    return h->listening;
}

const uint8_t *host_static_key(const host_t *h)
{
    return h->pubkey;
}

const hash32_t *host_platform(const host_t *h)
{
    return &h->platform;
}
