/* join_world.h - members of a cluster on the network in memory, with the doubles of mattest_world.h in place of the
 * verifier; and an attacker, whose end of each protocol a test drives by hand. */
#ifndef TESTS_UNIT_JOIN_WORLD_H
#define TESTS_UNIT_JOIN_WORLD_H

#include "overlay/join.h"
#include "overlay/keyshare.h"
#include "overlay/net/memory.h"
#include "overlay/wire/proto.h"
#include "tests/unit/mattest_world.h"
#include "tests/unit/net_pair.h"

#define STATEMENT "{\"kettle\":\"a cluster statement\"}"

typedef struct {
    net_t *net;
    join_t *join;
    wire_id_t id;
    keyring_t *ring;
    join_config_t config;
    order_signed_t order;         /* in force at the start */
    join_job_t *jobs, **jobs_end; /* posted, and not run yet */
    unsigned keyed, released, changed, ordered, delivered, closed;
    unsigned bye; /* of the last connection that was closed */
    int64_t now_s;
    uint64_t quote_ms; /* how long a quote takes */
    uint64_t keyed_ms;
    bool deaf;        /* its jobs do not end */
    bool quotes_wait; /* the jobs of its quotes are put aside, */
    join_job_t *aside;
    unsigned quotes; /* that were made */
} member_t;

static memory_t *net_world;
static member_t *members[8];
static size_t member_count;
static const memory_faults_t fair_net = { .delay_min_ms = 10, .delay_max_ms = 10 };

static inline rc_t member_sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    const member_t *m = ctx;
    return ecdsa_sign(m->id.ecdsa, out, NULL, digest, m->id.secret);
}

static inline rc_t member_evidence(void *ctx, tee_evidence_t *out, err_t *e,
                                   const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    ((member_t *)ctx)->quotes++;
    return world.provider.get_evidence(world.provider.ctx, out, e, report_data);
}

static inline view_t member_collateral(void *ctx, arena_t *a)
{
    (void)ctx;
    return arena_dup(a, world.collateral);
}

static inline int64_t member_now(void *ctx)
{
    return ((const member_t *)ctx)->now_s;
}

static inline void member_post(void *ctx, join_job_t *job)
{
    member_t *m = ctx;
    job->next = NULL;
    if (job->slow && m->quotes_wait) {
        job->next = m->aside;
        m->aside = job;
        return;
    }
    *m->jobs_end = job;
    m->jobs_end = &job->next;
}

static inline void member_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    secret_random(out, n);
}

static inline void member_tell(void *ctx, state_t *out)
{
    const member_t *m = ctx;
    out->finalized = (state_claim_t){ .is_there = true, .slot = 96, .root = { { 0xf1 } } };
    if (join_newest(m->join))
        out->statement = view_str(STATEMENT);
}

static inline void member_changed(void *ctx)
{
    ((member_t *)ctx)->changed++;
}

static inline void member_ordered(void *ctx, net_conn_t *from, const order_signed_t *order)
{
    (void)from, (void)order;
    ((member_t *)ctx)->ordered++;
}

static inline void member_keyed(void *ctx)
{
    member_t *m = ctx;
    join_keys_t keys;
    join_keys(m->join, &keys);
    if (!keys.is_in_use || m->keyed)
        return;
    m->keyed++;
    m->keyed_ms = memory_now(net_world);
}

static inline void member_delivered(void *ctx, const flood_message_t *m)
{
    (void)m;
    ((member_t *)ctx)->delivered++;
}

static inline void member_released(void *ctx, const join_member_t *to, const key_name_t *name)
{
    (void)name;
    ck_assert(to->phase == JOIN_PEER && to->static_key);
    ((member_t *)ctx)->released++;
}

static inline void member_net_opened(void *ctx, net_conn_t *c)
{
    join_opened(((member_t *)ctx)->join, c);
}

static inline void member_net_closed(void *ctx, net_conn_t *c, const err_t *why)
{
    member_t *m = ctx;
    m->closed++;
    m->bye = net_bye_code(c);
    join_closed(m->join, c, why);
}

static inline bool member_net_serves(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    return join_serves(((member_t *)ctx)->join, c, p);
}

/* A member as it is configured when nothing is wrong; member_start makes it. */
static inline void member_new(member_t *m, const char *word)
{
    *m = (member_t){ .now_s = NOW, .order.id = { 0, { { 0x0d } } } };
    m->jobs_end = &m->jobs;
    wire_secp256k1(&m->id, word);
    uint8_t blind[32] = { 1 };
    ck_assert_int_eq(keyring_empty(&m->ring, blind), RC_OK);
    m->config = (join_config_t){ .sign = member_sign,
                                 .sign_ctx = m,
                                 .type = TEE_EVIDENCE_SIMULATED,
                                 .chain_id = 1,
                                 .genesis = { { 0x55 } },
                                 .policy = world.policy,
                                 .order = &m->order,
                                 .keyring = m->ring,
                                 .ecdsa = world.ecdsa,
                                 .evidence = member_evidence,
                                 .collateral = member_collateral,
                                 .now_s = member_now,
                                 .post = member_post,
                                 .random = member_random,
                                 .tell = member_tell,
                                 .changed = member_changed,
                                 .ordered = member_ordered,
                                 .keyed = member_keyed,
                                 .delivered = member_delivered,
                                 .released = member_released,
                                 .ctx = m };
    m->config.rules.ecdsa = world.ecdsa;
    memcpy(m->config.static_pubkey, m->id.who.key.b, 33);
}

/* Listens at 10.0.0.(its number, from 1). */
static inline void member_start(member_t *m)
{
    char text[64];
    net_config_t c = {
        .who = m->id.who,
        .agent = "kettle-test/1",
        .events = { .opened = member_net_opened, .closed = member_net_closed, .serves = member_net_serves, .ctx = m }
    };
    ck_assert_int_eq(join_new(&m->join, &m->config), RC_OK);
    c.protocols = join_protocols(m->join, &c.protocol_count);
    ck_assert_int_eq(net_new(&m->net, &c), RC_OK);
    ck_assert_int_eq(memory_join(net_world, m->net), RC_OK);
    members[member_count++] = m;
    snprintf(text, sizeof text, "/ip4/10.0.0.%zu/udp/4001/quic-v1", member_count);
    const maddr_t at = maddr(text);
    ck_assert_int_eq(net_listen(m->net, NULL, &at), RC_OK);
}

/* Runs what was posted; false: nothing was. */
static inline bool member_work(member_t *m)
{
    join_job_t *job = m->jobs;
    if (!job || m->deaf)
        return false;
    m->jobs = job->next;
    if (!m->jobs)
        m->jobs_end = &m->jobs;
    join_job_run(job);
    join_job_done(job);
    return true;
}

/* Makes the quotes that were put aside. */
static inline void member_quote(member_t *m)
{
    m->quotes_wait = false;
    for (join_job_t *job; (job = m->aside);) {
        m->aside = job->next;
        join_job_run(job);
        join_job_done(job);
    }
}

static inline void run_members(uint64_t ms)
{
    const uint64_t until = memory_now(net_world) + ms;
    for (uint64_t t = memory_now(net_world); t <= until; t += 5) {
        memory_run(net_world, t);
        for (size_t i = 0; i < member_count; i++)
            if (members[i]) {
                while (member_work(members[i]))
                    ;
                (void)join_turn(members[i]->join, t);
            }
    }
}

static inline net_conn_t *dial_member(member_t *from, size_t to)
{
    char text[64];
    net_conn_t *c = NULL;
    snprintf(text, sizeof text, "/ip4/10.0.0.%zu/udp/4001/quic-v1", to);
    const maddr_t m = maddr(text);
    ck_assert_int_eq(net_dial(from->net, &c, NULL, &m, NULL), RC_OK);
    return c;
}

static inline void member_stop(member_t *m)
{
    net_free(m->net);
    while (m->jobs) {
        join_job_t *job = m->jobs;
        m->jobs = job->next;
        join_job_drop(job);
    }
    for (join_job_t *job; (job = m->aside);) {
        m->aside = job->next;
        join_job_drop(job);
    }
    join_free(m->join);
    keyring_free(m->ring);
    wire_id_clear(&m->id);
    for (size_t i = 0; i < member_count; i++)
        if (members[i] == m)
            members[i] = NULL;
}

static inline void members_open(uint64_t seed, const memory_faults_t *faults)
{
    world_open();
    world.next->simulator_root = world.policy->simulator_root;
    ck_assert_int_eq(memory_new(&net_world, seed, faults), RC_OK);
    member_count = 0;
}

static inline void members_close(void)
{
    for (size_t i = 0; i < member_count; i++)
        if (members[i])
            member_stop(members[i]);
    memory_free(net_world);
    world_close();
}

static inline bool holds_key(const member_t *m)
{
    uint8_t pub[33];
    keyring_pubkey(m->ring, pub);
    return pub[0] != 0;
}

/* The only connection of a member. */
static inline join_member_t only_member(const member_t *m)
{
    join_member_t list[8];
    ck_assert_uint_eq(join_members(m->join, list, 8), 1);
    return list[0];
}

#endif
