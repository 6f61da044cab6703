/* mattest_world.h - two ends of a connection, in memory, with simulated quotes. Their verifier is judged in
 * test_verify.c and its neighbours; here tee_appraise and the policy are doubles that check what the protocol hands
 * them and answer as told. */
#ifndef TESTS_UNIT_MATTEST_WORLD_H
#define TESTS_UNIT_MATTEST_WORLD_H

#include <stdlib.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/p256.h"
#include "base/crypto/secret.h"
#include "tee/channel/hello.h"
#include "tee/channel/mattest.h"
#include "tee/sim/sim.h"
#include "tee/verify/policy.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"

#define NOW 1750000000
#define MESSAGES_MAX (64u << 10) /* bytes that one end says in these tests */

struct policy {
    hash32_t digest;
    view_t simulator_root;
};

static struct {
    ecdsa_t *ecdsa;
    tee_provider_t provider;
    policy_t policy[1], production[1], next[1]; /* next: of a later order, admits these ends no more */
    view_t collateral;
    tee_code_t verdict; /* TEE_OK: the double of tee_appraise accepts what is genuine */
    view_t lenient;     /* collateral that does not lead to the verdict */
    int64_t expiry;     /* of evidence */
    view_t vm_config;   /* of providers; evidence without it is not admitted. n 0: none */
    bool platforms;     /* each provider's attestation key is a platform of its own */
} world;

const hash32_t *policy_digest(const policy_t *p)
{
    return &p->digest;
}

view_t policy_simulator_root(const policy_t *p)
{
    return p->simulator_root;
}

/* Signature of the quote, collateral, verdict and report data, in the order of the real one. */
rc_t tee_appraise(tee_verified_t *out, eventlog_t *log, rollback_t *memory, err_t *fault, arena_t *a,
                  const tee_claim_t *claim, const uint8_t report_data[TEE_REPORT_DATA_LEN], const policy_t *policy,
                  int64_t now)
{
    quote_t q;
    hash32_t digest;
    (void)a;
    if (log || memory || (policy != world.policy && policy != world.next) || now < NOW)
        abort(); /* not ck_assert, which allocates */
    if (claim->type != TEE_EVIDENCE_SIMULATED)
        return tee_fail(fault, E_ROOT, NULL);
    bool is_lenient = view_eq(claim->collateral, world.lenient);
    if (!is_lenient && !view_eq(claim->collateral, world.collateral))
        return tee_fail(fault, E_COLLATERAL, NULL);
    rc_t rc = quote_parse(&q, fault, claim->quote);
    if (rc)
        return rc;
    sha256(&digest, q.signed_part);
    if (p256_verify(q.signature, &digest, q.attestation_key))
        return tee_fail(fault, E_QUOTE_SIG, NULL);
    if (policy == world.next || (world.vm_config.n && !view_eq(claim->vm_config, world.vm_config)))
        return tee_fail(fault, E_MEASUREMENT, NULL);
    if (world.verdict && !is_lenient)
        return tee_fail(fault, world.verdict, NULL);
    if (memcmp(q.td.report_data, report_data, TEE_REPORT_DATA_LEN) != 0)
        return tee_fail(fault, E_REPORTDATA, NULL);
    *out = (tee_verified_t){ .quote = q, .earliest_expiry = world.expiry, .platform = { { 0x9a } } };
    if (world.platforms)
        sha256(&out->platform, view_of(q.attestation_key, 64));
    return RC_OK;
}

/* By what a peer is judged when nothing has changed. */
static inline mattest_present_t present(int64_t now)
{
    return (mattest_present_t){ world.policy, world.collateral, now };
}

/* One end, its machine and its edge. */
typedef struct {
    mattest_t *m;
    mattest_config_t c;
    uint8_t secret[32];
    uint8_t channel[32]; /* stands for the TLS exporter secret: equal on both ends of one connection */
    view_t known;        /* collateral that it would use */
    view_t staples;
    size_t changed_byte; /* of its exporter, counted from 1; 0: none */
    bool slow;           /* gives its machine neither exporter nor evidence */
    bool no_signature;   /* its key does not sign */
} end_t;

static rc_t sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    const end_t *e = ctx;
    return e->no_signature ? RC_IO : ecdsa_sign(world.ecdsa, out, NULL, digest, e->secret);
}

static void world_open(void)
{
    static const uint8_t seed[32] = { 9 };
    err_t why;
    ck_assert_int_eq(secret_init(), RC_OK);
    world.ecdsa = ecdsa_new(NULL);
    ck_assert_ptr_nonnull(world.ecdsa);
    ck_assert_int_eq(tee_simulator_open(&world.provider, &why, seed), RC_OK);
    sha256(&world.policy->digest, view_str("policy"));
    world.policy->simulator_root = view_str("a root");
    world.production->simulator_root = view_of(NULL, 0);
    world.collateral = view_str("collateral");
    world.lenient = view_str("older collateral");
    world.verdict = TEE_OK;
    world.expiry = NOW + 3600;
    world.platforms = false;
}

static void world_close(void)
{
    world.provider.free(world.provider.ctx);
    ecdsa_free(world.ecdsa);
}

/* A new connection: a new machine of the same configuration. */
static inline void reopen(end_t *e)
{
    mattest_free(e->m);
    ck_assert_int_eq(mattest_new(&e->m, &e->c), RC_OK);
}

static inline void open_end(end_t *e, mattest_role_t role)
{
    mattest_free(e->m);
    *e = (end_t){ .known = world.collateral };
    e->c = (mattest_config_t){ .role = role,
                               .type = TEE_EVIDENCE_SIMULATED,
                               .wants_key = role == MATTEST_INITIATOR,
                               .holds_key = role == MATTEST_RESPONDER,
                               .chain_id = 1,
                               .version = 7,
                               .genesis = { { 0x55 } },
                               .key_log = { { 0x66 } },
                               .order = { { 0x0d } },
                               .policy = world.policy,
                               .sign = sign,
                               .sign_ctx = e };
    memset(e->c.nonce, 0x10 * (int)role, sizeof e->c.nonce);
    memset(e->channel, 0x77, sizeof e->channel);
    sha256(&e->c.spki, view_str(role == MATTEST_INITIATOR ? "certificate I" : "certificate R"));
    sha256(&e->c.peer_spki, view_str(role == MATTEST_INITIATOR ? "certificate R" : "certificate I"));
    e->secret[31] = (uint8_t)role;
    ck_assert_int_eq(ecdsa_pubkey(world.ecdsa, e->c.static_pubkey, e->secret), RC_OK);
    ck_assert_int_eq(mattest_new(&e->m, &e->c), RC_OK);
}

/* The same two ends, from the start. */
static inline void pair_again(end_t *initiator, end_t *responder)
{
    open_end(initiator, MATTEST_INITIATOR);
    open_end(responder, MATTEST_RESPONDER);
}

static inline void pair(end_t *initiator, end_t *responder)
{
    initiator->m = responder->m = NULL;
    pair_again(initiator, responder);
}

static inline void close_pair(end_t *a, end_t *b)
{
    mattest_free(a->m);
    mattest_free(b->m);
}

static inline void exporter(uint8_t out[32], const end_t *e, const hash32_t *context)
{
    const view_t parts[] = { view_str(MATTEST_EXPORTER_LABEL), view_of(e->channel, 32), view_of(context->b, 32) };
    hash32_t h;
    sha256_parts(&h, parts, 3);
    memcpy(out, h.b, 32);
}

/* Gives the machine what it wants. */
static inline void serve(end_t *e)
{
    if (e->slow)
        return;
    if (mattest_state(e->m) == MATTEST_EXPORT) {
        uint8_t ex[32];
        hash32_t context;
        mattest_exporter_context(e->m, &context);
        exporter(ex, e, &context);
        if (e->changed_byte)
            ex[e->changed_byte - 1] ^= 1;
        ck_assert_int_eq(mattest_exporter(e->m, ex), RC_OK);
        rc_t rc = COUNTED(mattest_take(e->m, view_of(NULL, 0), e->known, NOW, 0));
        ck_assert((rc == RC_OK) == (mattest_state(e->m) != MATTEST_FAILED));
    }
    if (mattest_state(e->m) == MATTEST_QUOTE) {
        uint8_t report_data[TEE_REPORT_DATA_LEN];
        tee_evidence_t evidence;
        err_t why;
        mattest_report_data(e->m, report_data);
        ck_assert_int_eq(world.provider.get_evidence(world.provider.ctx, &evidence, &why, report_data), RC_OK);
        evidence.vm_config = world.vm_config; /* the buffer alone is freed */
        rc_t rc = COUNTED(mattest_evidence(e->m, &evidence, e->staples));
        ck_assert((rc == RC_OK || rc == RC_NOMEM) == (mattest_state(e->m) != MATTEST_FAILED));
        tee_evidence_free(&evidence);
    }
}

/* Bytes of the peer arrive. */
static inline void feed(end_t *e, view_t bytes)
{
    rc_t rc = COUNTED(mattest_take(e->m, bytes, e->known, NOW, 0));
    ck_assert((rc == RC_OK) == (mattest_state(e->m) != MATTEST_FAILED));
    serve(e);
}

/* What both machines have said, and the exporter of a's side. */
static inline void hellos(hello_t *i, hello_t *r, uint8_t ex[32], const end_t *a, const end_t *b)
{
    hello_t *const out[2] = { i, r };
    const end_t *const ends[2] = { a, b };
    hash32_t context;
    for (int k = 0; k < 2; k++) {
        const mattest_config_t *c = &ends[k]->c;
        *out[k] = (hello_t){ .role = c->role,
                             .type = c->type,
                             .wants_key = c->wants_key,
                             .holds_key = c->holds_key,
                             .spki = c->spki,
                             .order = c->order,
                             .chain_id = c->chain_id,
                             .version = c->version,
                             .genesis = c->genesis,
                             .key_log = c->key_log };
        memcpy(out[k]->cluster, c->cluster, 33);
        memcpy(out[k]->nonce, c->nonce, 32);
        memcpy(out[k]->static_pubkey, c->static_pubkey, 33);
    }
    hello_transcript(&context, i, r);
    exporter(ex, a, &context);
}

/* An EVIDENCE message over any report data. */
static inline size_t evidence_message(uint8_t *out, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    tee_evidence_t e;
    err_t why;
    wr_t w = wr_of(out, MESSAGES_MAX);
    ck_assert_int_eq(world.provider.get_evidence(world.provider.ctx, &e, &why, report_data), RC_OK);
    wr_be(&w, 17 + e.quote.n, 4);
    wr_u8(&w, 2);
    wr_u8(&w, (uint8_t)e.type);
    wr_be(&w, e.quote.n, 4);
    wr_bytes(&w, e.quote.p, e.quote.n);
    for (int i = 0; i < 3; i++)
        wr_be(&w, 0, 4);
    tee_evidence_free(&e);
    ck_assert(!w.bad);
    return w.n;
}

#endif
