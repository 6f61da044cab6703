/* app_world.h - nodes of an application on the network in memory, as overlay.h gives them, with the doubles of
 * mattest_world.h in place of the verifier. Node i listens at 10.0.0.(i + 1), and is a platform of its own. */
#ifndef TESTS_UNIT_APP_WORLD_H
#define TESTS_UNIT_APP_WORLD_H

#include "overlay/net/memory.h"
#include "overlay/overlay.h"
#include "tests/unit/mattest_world.h"
#include "tests/unit/net_pair.h"

#define APPS_MAX 8u

/* Rules of groups, by their words: whom they admit is the double of tee_appraise's to say. */
rc_t policy_read(policy_t **out, err_t *e, view_t json)
{
    if (!view_eq(json, view_str("everybody")) && !view_eq(json, view_str("nobody")))
        return err_say(e, RC_MALFORMED, "no such rule");
    *out = view_eq(json, view_str("nobody")) ? world.next : world.policy;
    return RC_OK;
}

void policy_free(policy_t *p)
{
    (void)p;
}

typedef struct {
    size_t self;
    wire_id_t id;
    keyring_t *ring;
    tee_provider_t tee;
    hash32_t platform;
    overlay_config_t config;
    overlay_t *o;
    net_t *net;
    join_job_t *jobs, **jobs_end;
    unsigned peers, lost, keyed, got, flooded, agreed, writable, ordered, grouped;
    bool busy, tells; /* tells: floods an answer from inside agreed */
    uint8_t sender[33], author[33];
    uint32_t kind;
    char text[64];
    size_t text_n;
} app_t;

static memory_t *app_net;
static app_t apps[APPS_MAX];
static size_t app_count;
static order_signed_t app_order; /* of nodes that are opened now, if has_app_order */
static bool has_app_order;
static order_rules_t app_rules;

static inline rc_t app_sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    const app_t *a = ctx;
    return ecdsa_sign(a->id.ecdsa, out, NULL, digest, a->id.secret);
}

static inline rc_t app_evidence(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[64])
{
    app_t *a = ctx;
    return a->tee.get_evidence(a->tee.ctx, out, e, report_data);
}

static inline view_t app_collateral(void *ctx, arena_t *a)
{
    (void)ctx;
    return arena_dup(a, world.collateral);
}

static inline int64_t app_now(void *ctx)
{
    (void)ctx;
    return NOW + (int64_t)(memory_now(app_net) / 1000);
}

static inline void app_post(void *ctx, join_job_t *job)
{
    app_t *a = ctx;
    job->next = NULL;
    *a->jobs_end = job;
    a->jobs_end = &job->next;
}

static inline void app_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    secret_random(out, n);
}

static inline void app_peer(void *ctx, const uint8_t key[33], bool is_there)
{
    app_t *a = ctx;
    (void)key;
    a->peers += is_there;
    a->lost += !is_there;
}

static inline void app_writable(void *ctx, const uint8_t key[33])
{
    (void)key;
    ((app_t *)ctx)->writable++;
}

static inline void app_keyed(void *ctx, const uint8_t pubkey[33])
{
    (void)pubkey;
    ((app_t *)ctx)->keyed++;
}

static inline void app_note(app_t *a, view_t payload)
{
    a->text_n = payload.n;
    snprintf(a->text, sizeof a->text, "%.*s", (int)(payload.n < 60 ? payload.n : 60), (const char *)payload.p);
}

static inline void app_flooded(void *ctx, const overlay_broadcast_t *m)
{
    app_t *a = ctx;
    a->flooded++;
    a->kind = m->kind;
    memcpy(a->author, m->author, 33);
    app_note(a, m->payload);
}

static inline void app_agreed(void *ctx, const overlay_broadcast_t *m)
{
    app_t *a = ctx;
    err_t e;
    a->agreed++;
    a->kind = m->kind;
    memcpy(a->author, m->author, 33);
    app_note(a, m->payload);
    if (a->tells)
        ck_assert_int_eq(overlay_agree(a->o, &e, 1, view_str("again")), RC_OK);
    a->tells = false;
}

static inline void app_grouped(void *ctx, const uint8_t group[MSG_GROUP_LEN])
{
    (void)group;
    ((app_t *)ctx)->grouped++;
}

static inline void app_ordered(void *ctx, const order_signed_t *order)
{
    app_t *a = ctx;
    err_t e;
    a->ordered++;
    ck_assert_int_eq(overlay_set_order(a->o, &e, order, world.policy), RC_OK);
}

static inline bool app_take(void *ctx, const message_t *m)
{
    app_t *a = ctx;
    if (a->busy)
        return false;
    a->got++;
    memcpy(a->sender, m->sender, 33);
    memcpy(a->author, m->author, 33);
    app_note(a, m->payload);
    return true;
}

/* A node as it is configured when nothing is wrong; app_start makes it. */
static inline void app_new(app_t *a, const char *word)
{
    static const uint8_t blind[32] = { 1 };
    const uint8_t seed[32] = { (uint8_t)word[0], (uint8_t)word[1] };
    const uint8_t nothing[64] = { 0 };
    tee_evidence_t evidence;
    quote_t q;
    err_t e;
    *a = (app_t){ .self = (size_t)(a - apps) };
    a->jobs_end = &a->jobs;
    wire_secp256k1(&a->id, word);
    ck_assert_int_eq(keyring_empty(&a->ring, blind), RC_OK);
    ck_assert_int_eq(tee_simulator_open(&a->tee, &e, seed), RC_OK);
    ck_assert_int_eq(a->tee.get_evidence(a->tee.ctx, &evidence, &e, nothing), RC_OK);
    ck_assert_int_eq(quote_parse(&q, &e, evidence.quote), RC_OK);
    sha256(&a->platform, view_of(q.attestation_key, 64));
    tee_evidence_free(&evidence);
    a->config = (overlay_config_t){ .application = "test",
                                    .sign = app_sign,
                                    .sign_ctx = a,
                                    .who = a->id.who,
                                    .type = TEE_EVIDENCE_SIMULATED,
                                    .platform = a->platform,
                                    .policy = world.policy,
                                    .rules = app_rules,
                                    .order = has_app_order ? &app_order : NULL,
                                    .keyring = a->ring,
                                    .ecdsa = world.ecdsa,
                                    .evidence = app_evidence,
                                    .collateral = app_collateral,
                                    .now_s = app_now,
                                    .post = app_post,
                                    .random = app_random,
                                    .ctx = a,
                                    .events = { .peer = app_peer,
                                                .writable = app_writable,
                                                .keyed = app_keyed,
                                                .flooded = app_flooded,
                                                .agreed = app_agreed,
                                                .ordered = app_ordered,
                                                .grouped = app_grouped },
                                    .events_ctx = a };
    a->config.rules.ecdsa = world.ecdsa;
    memcpy(a->config.static_pubkey, a->id.who.key.b, 33);
}

static inline maddr_t app_address(size_t i)
{
    char text[64];
    snprintf(text, sizeof text, "/ip4/10.0.0.%zu/udp/4001/quic-v1", i + 1);
    return maddr(text);
}

static inline void app_start(app_t *a)
{
    const message_type_t chat = { .name = "chat", .take = app_take, .ctx = a },
                         news = { .name = "news", .relayed = true, .take = app_take, .ctx = a };
    net_config_t c = { .who = a->id.who, .agent = "kettle-test/1" };
    const maddr_t at = app_address(a->self);
    err_t e;
    ck_assert_msg(overlay_new(&a->o, &e, &a->config) == RC_OK, "%s", e.text);
    overlay_net(a->o, &c);
    ck_assert_int_eq(net_new(&a->net, &c), RC_OK);
    ck_assert_int_eq(memory_join(app_net, a->net), RC_OK);
    ck_assert_msg(overlay_bind(a->o, &e, a->net) == RC_OK, "%s", e.text);
    ck_assert_int_eq(net_listen(a->net, NULL, &at), RC_OK);
    ck_assert_int_eq(overlay_register(a->o, &e, &chat), RC_OK);
    ck_assert_int_eq(overlay_register(a->o, &e, &news), RC_OK);
}

static inline void app_work(app_t *a)
{
    for (join_job_t *job; (job = a->jobs);) {
        a->jobs = job->next;
        if (!a->jobs)
            a->jobs_end = &a->jobs;
        join_job_run(job);
        join_job_done(job);
    }
}

static inline void apps_run(uint64_t ms)
{
    const uint64_t until = memory_now(app_net) + ms;
    for (uint64_t t = memory_now(app_net); t <= until; t += 5) {
        memory_run(app_net, t);
        for (size_t i = 0; i < app_count; i++)
            if (apps[i].o) {
                app_work(&apps[i]);
                (void)overlay_turn(apps[i].o, t);
            }
    }
}

static inline void app_stop(app_t *a, bool dies)
{
    if (!a->o)
        return;
    if (dies)
        memory_leave(app_net, a->net);
    net_free(a->net);
    while (a->jobs) {
        join_job_t *job = a->jobs;
        a->jobs = job->next;
        join_job_drop(job);
    }
    overlay_free(a->o);
    keyring_free(a->ring);
    a->tee.free(a->tee.ctx);
    wire_id_clear(&a->id);
    a->o = NULL;
}

static inline void apps_world(uint64_t seed)
{
    static const memory_faults_t fair = { .delay_min_ms = 10, .delay_max_ms = 10 };
    world_open();
    world.platforms = true;
    ck_assert_int_eq(memory_new(&app_net, seed, &fair), RC_OK);
    app_count = 0;
    has_app_order = false;
    app_rules = (order_rules_t){ .ecdsa = world.ecdsa };
}

/* Dials in the order of numbers: i dials all below it. */
static inline void app_dial(size_t i, size_t j)
{
    const maddr_t at = app_address(j);
    ck_assert_int_eq(overlay_peer_at(apps[i].o, &at, 1), RC_OK);
}

static const char *const app_words[APPS_MAX] = { "ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal" };

/* n nodes, each connected with each, or in a row; the first founds the cluster. */
static inline void apps_open(size_t n, bool row)
{
    app_count = n;
    for (size_t i = 0; i < n; i++) {
        app_new(&apps[i], app_words[i]);
        apps[i].config.found = i == 0;
        app_start(&apps[i]);
        for (size_t j = 0; j < i; j++)
            if (!row || j + 1 == i)
                app_dial(i, j);
    }
    apps_run(3000);
}

static inline void apps_close(void)
{
    for (size_t i = 0; i < app_count; i++)
        app_stop(&apps[i], false);
    memory_free(app_net);
    world_close();
}

/* An order of this version, signed by 9 G, with the platforms of the first seats nodes as seats. */
static inline void app_make_order(order_signed_t *o, uint64_t version, size_t seats)
{
    static const uint8_t secret[32] = { [31] = 9 };
    *o = (order_signed_t){ .order = { .version = version, .seat_count = (uint8_t)seats }, .signature_count = 1 };
    for (size_t i = 0; i < seats; i++)
        o->order.seats[i] = apps[i].platform;
    for (size_t i = 0; i < seats; i++) /* ascending */
        for (size_t j = i + 1; j < seats; j++)
            if (memcmp(o->order.seats[j].b, o->order.seats[i].b, 32) < 0) {
                const hash32_t h = o->order.seats[i];
                o->order.seats[i] = o->order.seats[j];
                o->order.seats[j] = h;
            }
    o->text = view_str("the policy of an order");
    sha256(&o->order.policy, o->text);
    o->id.version = version;
    order_digest(&o->id.digest, &o->order);
    ck_assert_int_eq(ecdsa_pubkey(world.ecdsa, o->signatures[0].key, secret), RC_OK);
    ck_assert_int_eq(ecdsa_sign(world.ecdsa, o->signatures[0].signature, NULL, &o->id.digest, secret), RC_OK);
}

static inline void app_signer(void)
{
    static const uint8_t secret[32] = { [31] = 9 };
    app_rules.threshold = app_rules.signer_count = 1;
    ck_assert_int_eq(ecdsa_pubkey(world.ecdsa, app_rules.signers[0], secret), RC_OK);
}

#endif
