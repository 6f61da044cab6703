#include "node/service.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/os/log.h"
#include "lightclient/exec/head.h"
#include "node/cluster/data.h"
#include "node/cluster/enter.h"
#include "node/evidence/pccs.h"
#include "overlay/join.h"

#define SETUP_ARENA_MAX ((size_t)64 << 10)
#define GATHER_MS 2u /* for which requests wait for others, to be asked together */

static rc_t make_node_key(keyring_t **out, uint8_t pubkey[ECDSA_PUBKEY_LEN], err_t *e)
{
    uint8_t secret[ECDSA_SECRET_LEN], blind[32];
    rc_t rc = RC_REFUSED;
    for (int tries = 0; rc == RC_REFUSED && tries < 8; tries++) { /* one in 2^128 is no key */
        secret_random(secret, sizeof secret);
        secret_random(blind, sizeof blind);
        rc = keyring_new(out, secret, blind);
    }
    secret_wipe(secret, sizeof secret);
    secret_wipe(blind, sizeof blind);
    if (rc)
        return err_set(e, rc, "a key could not be made: %s", rc_name(rc));
    keyring_pubkey(*out, pubkey);
    return RC_OK;
}

static rc_t make_ring(keyring_t **out, err_t *e)
{
    uint8_t blind[32];
    secret_random(blind, sizeof blind);
    const rc_t rc = keyring_empty(out, blind);
    secret_wipe(blind, sizeof blind);
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

static void draw(void *ctx, void *out, size_t n)
{
    (void)ctx;
    secret_random(out, n);
}

/* The key of a new cluster. */
static rc_t make_key(service_t *s, err_t *e)
{
    const rc_t rc = join_draw(s->keyring, s->with.config->policy_min_version, draw, NULL);
    if (rc)
        return err_set(e, rc, "a key could not be made: %s", rc_name(rc));
    keyring_pubkey(s->keyring, s->pubkey);
    return RC_OK;
}

static int64_t evidence_now(void *ctx)
{
    const service_t *s = ctx;
    return (int64_t)(timekeeper_least_ms(s->time) / 1000);
}

/* Collateral verified up to Intel's root. */
static void evidence_issued(void *ctx, int64_t newest_s)
{
    const service_t *s = ctx;
    timekeeper_collateral(s->time, (uint64_t)newest_s * 1000);
}

/* Our own quote, over this key: whatever else is made says whether it leads to Intel's root. */
static rc_t make_attest(service_t *s, err_t *e, const uint8_t pubkey[ECDSA_PUBKEY_LEN])
{
    static const char *const intel[] = { PCCS_INTEL };
    const config_t *c = s->with.config;
    attest_config_t config = { .tee = s->with.tee,
                               .pretended = s->with.options->tee_pretended && s->with.tee->type == TEE_EVIDENCE_DSTACK,
                               .http = s->with.http,
                               .collateral_file = c->collateral_file,
                               .state_dir = s->with.options->state_dir,
                               .policy = c->policy,
                               .now_s = evidence_now,
                               .issued = evidence_issued,
                               .time_ctx = s };
    config.pccs = c->pccs.count ? (const char *const *)c->pccs.urls : intel;
    config.pccs_count = c->pccs.count ? c->pccs.count : 1;
    config.pccs_root_crl = PCCS_INTEL_ROOT_CRL;
    config.pccs_ca_file = c->ca_file.pccs;
    memcpy(config.pubkey, pubkey, sizeof config.pubkey);
    memcpy(config.node_pubkey, s->node_pubkey, sizeof config.node_pubkey);
    return attest_new(&s->attest, e, &config);
}

static rc_t make_time(service_t *s, err_t *e)
{
    const node_options_t *o = s->with.options;
    s->time = timekeeper_new(&(timekeeper_config_t){ .now_ms = s->with.now_ms,
                                                     .source_file = o->clock_source_file,
                                                     .build_ms = (uint64_t)o->build_s * 1000,
                                                     .slot_ms = s->with.config->network.seconds_per_slot * 1000 });
    return s->time ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
}

static setup_world_t setup_world(const service_t *s)
{
    const node_options_t *o = s->with.options;
    return (setup_world_t){ .simulated = attest_simulated(s->attest),
                            .flags = o->flags,
                            .environment = o->environment,
                            .now_s = timekeeper_least_ms(s->time) / 1000,
                            .start = &s->with.found->start };
}

static rc_t make_setup(service_t *s, err_t *e)
{
    const setup_world_t world = setup_world(s);
    return setup_make(&s->setup, e, &s->arena, s->with.config, &world);
}

static rc_t make_lies(service_t *s, err_t *e)
{
    return lies_new(&s->lies, e,
                    &(lies_config_t){ .state_dir = s->with.options->state_dir,
                                      .network = s->with.config->network.name,
                                      .now_s = evidence_now,
                                      .ctx = s });
}

/* Who takes what clients send, when the configuration names others for it. A client's budget is counted elsewhere. */
static rc_t make_sending(service_t *s, err_t *e)
{
    const service_config_t *k = &s->with;
    const config_t *c = k->config;
    if (!c->send_rpc.count)
        return RC_OK;
    s->sending = up_new((const char *const *)c->send_rpc.urls, c->send_rpc.count);
    if (!s->sending)
        return err_say(e, RC_NOMEM, "out of memory");
    up_call(s->sending, "send_rpc");
    up_trust(s->sending, c->ca_file.execution);
    return ask_new(
        &s->sends, e,
        &(ask_config_t){ .http = k->http, .upstream = s->sending, .pool = k->pool, .now_ms = clock_monotonic_ms });
}

/* What drives queries, and takes what a head brings: a quote takes seconds, in which the follower has one already. */
static rc_t make_ask(service_t *s, err_t *e)
{
    const service_config_t *k = &s->with;
    const config_t *c = k->config;
    const rc_t rc = ask_new(&s->ask, e,
                            &(ask_config_t){ .http = k->http,
                                             .upstream = s->execution,
                                             .pool = k->pool,
                                             .now_ms = clock_monotonic_ms,
                                             .bytes_max = k->answers_max,
                                             .per_minute = c->hosting.upstream_budget,
                                             .chain_id = c->chain.chain_id,
                                             .gather_ms = GATHER_MS });
    linked_init(&s->linked, s->ask, k->cache, &s->held);
    return rc;
}

/* From whom we ask, and what drives queries of them. */
static rc_t make_upstreams(service_t *s, err_t *e)
{
    const service_config_t *k = &s->with;
    const config_t *c = k->config;
    s->execution = up_new((const char *const *)c->execution_rpc.urls, c->execution_rpc.count);
    s->consensus = up_new((const char *const *)c->consensus_rpc.urls, c->consensus_rpc.count);
    s->objects = objects_new(&c->network);
    s->claims = claims_new(&c->network);
    if (!s->execution || !s->consensus || !s->objects || !s->claims)
        return err_say(e, RC_NOMEM, "out of memory");
    up_trust(s->execution, c->ca_file.execution);
    up_trust(s->consensus, c->ca_file.consensus);
    lies_watch(s->lies, s->execution, s->consensus);
    hc_use_proxies(k->http, c->proxy_env);
    if (c->light_client_routes &&
        !(s->lcroutes = lcroutes_new(&c->network, s->objects, s->node_pubkey, service_marks(s))))
        return err_say(e, RC_NOMEM, "out of memory");
    const rc_t rc = make_sending(s, e);
    return rc ? rc : make_ask(s, e);
}

static rc_t submit(void *ctx, query_t *take_q, ask_done_fn done, void *done_ctx)
{
    return ask_submit(ctx, take_q, NULL, done, done_ctx);
}

/* Subscriptions are of WebSockets. */
static bool push(void *session, view_t text)
{
    return ws_push(session, text); /* one that takes nothing ends by itself */
}

static bool room(void *session)
{
    return ws_room(session);
}

static void push_event(void *session, view_t text)
{
    (void)push(session, text);
}

static void end(void *session)
{
    ws_end(session);
}

/* Filters outlive the program where there is a state directory and the TEE seals. */
static void make_news(service_t *s)
{
    const service_config_t *k = &s->with;
    uint8_t key[TEE_SEAL_KEY_LEN];
    char dir[400];
    err_t e;
    news_config_t config = { .submit = submit,
                             .submit_ctx = s->ask,
                             .cache = k->cache,
                             .chain = &k->config->chain,
                             .mode = (news_mode_t)k->config->log_follow,
                             .bytes_max = k->news_max,
                             .push = push,
                             .end = end,
                             .room = room };
    const bool keeps = k->options->state_dir && k->tee->seal_key &&
                       (size_t)snprintf(dir, sizeof dir, "%s/filters", k->options->state_dir) < sizeof dir;
    if (keeps && !k->tee->seal_key(k->tee->ctx, key, &e, KEPT_SEAL_PATH)) {
        config.keep_dir = dir;
        config.keep_key = key;
    } else if (keeps)
        log_write(LOG_WARN, "rpc", "filters will not survive a restart: %s", e.text);
    s->news = news_new(&config);
    secret_wipe(key, sizeof key);
}

/* What answers by them; every answer says what the setup is marked by. */
static rc_t make_engine(service_t *s, err_t *e)
{
    const service_config_t *k = &s->with;
    s->jobs = jobs_new(&(jobs_config_t){
        .ask = s->ask, .pool = k->pool, .flags = service_flags(s), .turn = service_turn, .turn_ctx = s });
    s->calls = calls_new(&(calls_config_t){ .jobs = s->jobs,
                                            .cache = k->cache,
                                            .chain = &k->config->chain,
                                            .signer = { s->keyring, service_sign },
                                            .ready = service_may_call,
                                            .ready_ctx = s });
    s->rpc = node_rpc_new(s->ask, s->sends, k->pool);
    make_news(s);
    return s->jobs && s->calls && s->rpc && s->news ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
}

/* A header that is being fetched, for ask_done_fn. */
typedef struct {
    service_t *service;
    follow_t *follow;
    head_kind_t kind;
    bool changes; /* with its block access list */
} fetched_t;

static void on_header(void *ctx, rc_t rc, const err_t *e, query_t *take_q)
{
    fetched_t *f = ctx;
    const ex_header_t *header = rc ? NULL : ex_head_result(take_q);
    if (header && f->kind == HEAD_LATEST)
        linked_take(&f->service->linked, header, ex_head_changes(take_q));
    else if (f->changes)
        linked_lost(&f->service->linked);
    follow_header(f->follow, f->kind, header, e, ex_head_wants_bytes(take_q));
    query_free(take_q);
    atomic_fetch_sub(&f->service->fetching, 1);
    free(f);
}

static void fetch_header(void *ctx, follow_t *follow, head_kind_t kind, const hash32_t *hash, bool raw)
{
    service_t *s = ctx;
    query_t *q;
    err_t e;
    fetched_t *f = malloc(sizeof *f);
    const bool changes = kind == HEAD_LATEST && !raw && linked_asks(&s->linked);
    rc_t rc = f ? ex_head_new(&q, &e, hash,
                              raw       ? EX_HEAD_BYTES
                              : changes ? EX_HEAD_AND_CHANGES
                                        : EX_HEAD_ONLY)
                : RC_NOMEM;
    if (f)
        *f = (fetched_t){ s, follow, kind, changes };
    atomic_fetch_add(&s->fetching, 1);
    if (!rc)
        rc = ask_submit(s->ask, q, NULL, on_header, f);
    if (!rc)
        return;
    atomic_fetch_sub(&s->fetching, 1);
    free(f);
    (void)err_say(&e, rc, "out of memory");
    follow_header(follow, kind, NULL, &e, false);
}

static rc_t make_statements(service_t *s, err_t *e)
{
    static const setup_by_t names[] = {
        [CONFIG_LATEST] = SETUP_BY_LATEST, [CONFIG_SAFE] = SETUP_BY_SAFE, [CONFIG_FINALIZED] = SETUP_BY_FINALIZED
    };
    const config_t *c = s->with.config;
    uint64_t seed[2];
    secret_random(seed, sizeof seed);
    s->said = said_new(0, seed);
    statements_config_t config = { .jobs = s->jobs,
                                   .cache = s->with.cache,
                                   .chain = &c->chain,
                                   .network = &c->network,
                                   .held = &s->held,
                                   .signer = { .ctx = s->keyring, .sign65 = service_sign65 },
                                   .setup = &s->setup.hash,
                                   .setup_text = s->setup.cluster_text,
                                   .objects = s->objects,
                                   .said = s->said,
                                   .flags = service_flags(s),
                                   .rules = &s->setup.cluster.rules,
                                   .default_block = names[c->default_block],
                                   .senders = c->ccip_senders,
                                   .sender_count = c->ccip_sender_count,
                                   .now_ms = service_least_ms,
                                   .ready = service_is_ready,
                                   .ready_ctx = s };
    if (!s->said)
        return err_say(e, RC_NOMEM, "out of memory");
    s->statements = statements_new(&config);
    return s->statements ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
}

static uint64_t least_s(void *ctx)
{
    return service_least_ms(ctx) / 1000;
}

/* Calls that stand outlive the program where filters do. */
static rc_t make_vigil(service_t *s, err_t *e)
{
    const service_config_t *k = &s->with;
    const config_standing_t *asked = &k->config->standing;
    uint8_t key[TEE_SEAL_KEY_LEN];
    err_t why;
    vigil_config_t config = { .limits = { (uint32_t)asked->max, asked->gas_per_head },
                              .statements = s->statements,
                              .ask = s->ask,
                              .pool = k->pool,
                              .now_s = least_s,
                              .turn = service_turn,
                              .ctx = s,
                              .sessions = { push_event, end } };
    if (!asked->max)
        return RC_OK;
    if (k->options->state_dir && k->tee->seal_key && !k->tee->seal_key(k->tee->ctx, key, &why, VIGIL_SEAL_PATH)) {
        config.keep_dir = k->options->state_dir;
        config.keep_key = key;
    } else if (k->options->state_dir && k->tee->seal_key)
        log_write(LOG_WARN, "standing", "standing calls will not survive a restart: %s", why.text);
    s->vigil = vigil_new(&config);
    secret_wipe(key, sizeof key);
    return s->vigil ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
}

static void on_listed(void *ctx, const rollcall_list_t *list)
{
    cluster_listed(((service_t *)ctx)->cluster, list);
}

/* The list of members, for programs on this machine, and for a node that has no other peers. */
static rc_t make_members(service_t *s, err_t *e)
{
    const service_config_t *k = &s->with;
    const unsigned marks =
        (attest_simulated(s->attest) ? HS_SIMULATED : 0u) | (k->config->development ? HS_DEVELOPMENT : 0u);
    const daemon_config_t config = { .membership = &k->config->membership,
                                     .tee = k->tee,
                                     .ask = s->ask,
                                     .chain = &k->config->chain,
                                     .cache = k->cache,
                                     .wg = s->wg,
                                     .flags = marks,
                                     .now_s = least_s,
                                     .listed = config_musters(k->config) ? on_listed : NULL,
                                     .overlay_port = k->config->overlay_port,
                                     .ctx = s };
    return k->config->membership.is_set ? daemon_start(&s->members, e, &config) : RC_OK;
}

static rc_t ask_member(void *ctx, follow_member_t *out, err_t *e, const lc_want_t *want, size_t nth,
                       bool (*stopping)(void *ctx), void *stop_ctx)
{
    service_t *s = ctx;
    cluster_t *c = atomic_load(&s->asked);
    *out = (follow_member_t){ .count = 0 };
    return c ? data_ask(c, out, e, want, nth, stopping, stop_ctx) : err_say(e, RC_NEED_DATA, "there is no cluster");
}

static rc_t make_follower(service_t *s, err_t *e)
{
    const config_t *c = s->with.config;
    const trial_found_t *found = s->with.found;
    follow_config_t follow = { .objects = s->objects,
                               .claims = s->claims,
                               .member = ask_member,
                               .member_ctx = s,
                               .network = &c->network,
                               .chain = &c->chain,
                               .checkpoint = s->root,
                               .bootstrap = hash32_eq(&s->root, &found->start.root)
                                                ? view_of(found->bootstrap, found->bootstrap_len)
                                                : view_of(NULL, 0),
                               .bootstrap_fork = found->fork,
                               .checkpoint_age_max_s = c->checkpoint_age_max_s,
                               .http = s->with.http,
                               .upstream = s->consensus,
                               .state_dir = s->with.options->state_dir,
                               .time = s->time,
                               .on_change = service_changed,
                               .on_change_ctx = s,
                               .fetch = fetch_header,
                               .fetch_ctx = s };
    return err_before(e, follow_start(&s->follow, e, &follow), "the follower could not start: ");
}

static rc_t make_foresight(service_t *s, err_t *e)
{
    const config_t *c = s->with.config;
    const foresight_config_t foresight = { .http = s->with.http,
                                           .consensus = s->consensus,
                                           .execution = s->execution,
                                           .network = &c->network,
                                           .chain = &c->chain };
    return foresight_start(&s->foresight, e, &foresight);
}

static rc_t make_pulse(service_t *s, err_t *e)
{
    const pulse_config_t pulse = { .http = s->with.http,
                                   .execution = s->execution,
                                   .chain_id = s->with.config->chain.chain_id };
    return pulse_start(&s->pulse, e, &pulse);
}

/* Which key answers name. */
static rc_t make_rekey(service_t *s, err_t *e)
{
    rekey_config_t config = { .cluster = s->cluster, .attest = s->attest, .jobs = s->jobs, .flags = service_flags(s) };
    rekey_t *rekey = NULL;
    memcpy(config.pubkey, s->pubkey, sizeof config.pubkey);
    const rc_t rc = rekey_start(&rekey, e, &config);
    atomic_store(&s->rekey, rekey);
    return rc;
}

/* Another key signs, or will: on the overlay's thread. */
static void on_keyed(void *ctx)
{
    service_t *s = ctx;
    rekey_wake(atomic_load(&s->rekey));
}

/* ---- the cluster ---- */

/* The interface, whose keys are said to members. */
static rc_t make_wireguard(service_t *s, err_t *e)
{
    const membership_t *m = &s->with.config->membership;
    if (!m->is_set || m->mode != MEMBERS_WIREGUARD)
        return RC_OK;
    const rc_t rc = wg_door_new(&s->wg_door);
    const wg_config_t config = {
        .contract = m->contract, .max_age_s = m->max_age_s, .port = WG_PORT, .door = s->wg_door
    };
    return rc ? err_say(e, rc, "no memory that may be locked for WireGuard") : wg_new(&s->wg, e, &config);
}

static rc_t make_cluster(service_t *s, err_t *e)
{
    const service_config_t *k = &s->with;
    cluster_config_t config = { .config = k->config,
                                .state_dir = k->options->state_dir,
                                .tee = k->tee,
                                .attest = s->attest,
                                .objects = s->objects,
                                .claims = s->claims,
                                .http = k->http,
                                .consensus = s->consensus,
                                .ring = s->keyring,
                                .node_key = s->node_keyring,
                                .now_s = evidence_now,
                                .time_ctx = s,
                                .keyed = on_keyed,
                                .keyed_ctx = s,
                                .by_list = config_musters(k->config) };
    if (!k->shows)
        return RC_OK;
    if (s->wg) {
        wg_side(s->wg, &s->side);
        config.side = &s->side;
    }
    memcpy(config.node_pubkey, s->node_pubkey, sizeof config.node_pubkey);
    const rc_t rc = err_before(e, cluster_start(&s->cluster, e, &config), "the overlay: ");
    if (!rc)
        k->shows(k->ctx, s->cluster);
    atomic_store(&s->asked, s->cluster);
    return rc;
}

/* Whether this node joins a cluster, or looks first for the one that it was in. */
static bool looks_for_a_cluster(const service_t *s)
{
    const config_t *c = s->with.config;
    const char *dir = s->with.options->state_dir;
    return s->with.shows && !c->cluster_new &&
           (c->peer_count || config_musters(c) || cluster_is_kept(dir) || cluster_may_recover(c, dir));
}

/* Frees a follower that led nowhere, once no header is being fetched for it. */
static void drop_follower(service_t *s)
{
    service_stop_follower(s);
    follow_free(s->follow);
    s->follow = NULL;
}

/* Where a cluster begins that nobody is in any more: where the configuration says, or where it began before. A root
 * that servers named whom the setup could choose is not one for a key that others rely on. */
static hash32_t recovered_root(const service_t *s)
{
    const hash32_t *own = &s->with.found->start.root;
    const bool is_own = !hash32_is_zero(own) && !config_quorum_is_anybodys(s->with.config);
    return is_own ? *own : s->setup.cluster.checkpoint;
}

/* One try from the root that members name now, or along the chain that is followed already. RC_NEED_DATA: again. */
static rc_t try_to_enter(service_t *s, err_t *e, const enter_t *x, cluster_offer_t *offer)
{
    rc_t rc = RC_OK;
    if (!x->musters) {
        s->root = offer->is_recovered ? recovered_root(s) : offer->root;
        rc = make_follower(s, e);
    }
    if (!rc)
        rc = offer->is_recovered ? enter_restore(x, e, s->follow, offer) : enter_verify(x, e, s->follow, offer);
    if (!rc)
        rc = enter_key(x, e, s->follow, offer);
    if (rc && s->follow && !x->musters)
        drop_follower(s);
    return rc;
}

static muster_do_t musters(void *ctx, err_t *why, bool answers, bool is_kept)
{
    return daemon_muster(((service_t *)ctx)->members, why, answers, is_kept);
}

/* Joins: statement, chain, key, in this order. RC_NEED_DATA: there is nobody to join. */
static rc_t enter(service_t *s, err_t *e)
{
    const config_t *c = s->with.config;
    const enter_t x = { .cluster = s->cluster,
                        .config = c,
                        .stopping = s->with.stopping,
                        .stop_ctx = s->with.ctx,
                        .recovers = cluster_may_recover(c, s->with.options->state_dir),
                        .musters = config_musters(c) ? musters : NULL,
                        .musters_ctx = s,
                        .gives_up = s->with.gives_up };
    const setup_world_t world = setup_world(s);
    cluster_offer_t *offer = malloc(sizeof *offer);
    rc_t rc = offer ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    for (bool again = true; !rc && again;) {
        const arena_mark_t mark = arena_mark(&s->arena);
        rc = enter_find(&x, &s->setup, offer, e, &s->arena, &world);
        if (rc)
            break;
        rc = try_to_enter(s, e, &x, offer);
        again = rc == RC_NEED_DATA;
        if (again)
            arena_rollback(&s->arena, mark);
        rc = again ? RC_OK : rc;
    }
    s->recovered = !rc && offer->is_recovered;
    s->joined = !rc && !s->recovered;
    free(offer);
    if (!rc)
        keyring_pubkey(s->keyring, s->pubkey);
    return rc ? rc : attest_key(s->attest, e, s->pubkey);
}

/* Makes a new cluster. */
static rc_t found(service_t *s, err_t *e, bool is_attested)
{
    s->root = s->with.found->start.root;
    rc_t rc = make_key(s, e);
    if (!rc && !s->follow)
        rc = make_follower(s, e);
    if (!rc) /* quotes take seconds on real hardware: the follower syncs meanwhile */
        rc = is_attested ? attest_key(s->attest, e, s->pubkey) : make_attest(s, e, s->pubkey);
    if (!rc)
        rc = make_setup(s, e);
    if (!rc && !is_attested)
        rc = make_cluster(s, e);
    return rc || !s->cluster ? rc : cluster_found(s->cluster, e, &s->setup.hash);
}

/* Follows the chain from this node's own checkpoint, and reads the contract's list there. */
static rc_t begin_muster(service_t *s, err_t *e)
{
    s->root = s->with.found->start.root;
    rc_t rc = make_members(s, e);
    if (!rc)
        rc = make_follower(s, e);
    if (rc)
        return rc;
    atomic_store(&s->musters, true);
    service_changed(s);
    return RC_OK;
}

/* A node that begins with others; by itself, when nobody of a former cluster is left. */
static rc_t enter_or_found(service_t *s, err_t *e)
{
    rc_t rc = make_attest(s, e, s->node_pubkey);
    if (!rc)
        rc = attest_collect(s->attest, e);
    if (!rc)
        rc = make_cluster(s, e);
    if (!rc && config_musters(s->with.config))
        rc = begin_muster(s, e);
    if (!rc)
        rc = enter(s, e);
    if (rc != RC_NEED_DATA)
        return rc;
    log_write(LOG_WARN, "cluster", "%s: a new key and a new cluster are made", e->text);
    return found(s, e, true);
}

/* A failure that names a member of the configuration, as the log and /v1/status tell it. */
static rc_t named(err_t *e, rc_t rc)
{
    const err_t bad = *e;
    return rc && bad.field[0] ? err_code(e, err_set(e, rc, "%s: %s", bad.field, bad.text), bad.code) : rc;
}

static rc_t make_all(service_t *s, err_t *e)
{
    rc_t rc = make_time(s, e);
    if (!rc)
        rc = make_ring(&s->keyring, e);
    if (!rc)
        rc = make_node_key(&s->node_keyring, s->node_pubkey, e);
    operator_gate_node(&s->operator, s->node_pubkey);
    if (!rc)
        rc = make_wireguard(s, e);
    if (!rc)
        rc = make_lies(s, e);
    if (!rc)
        rc = make_upstreams(s, e);
    if (!rc && config_musters(s->with.config) && !s->with.shows)
        rc = err_in(e, RC_UNSUPPORTED, "membership", "without an overlay nobody is joined by the list");
    if (!rc)
        rc = looks_for_a_cluster(s) ? enter_or_found(s, e) : found(s, e, false);
    if (!rc)
        rc = make_engine(s, e);
    if (!rc)
        rc = make_statements(s, e);
    if (!rc)
        rc = make_vigil(s, e);
    if (!rc)
        rc = make_foresight(s, e);
    if (!rc)
        rc = make_pulse(s, e);
    if (!rc && !s->members)
        rc = make_members(s, e);
    if (!rc && s->cluster)
        cluster_tell(s->cluster, s->setup.cluster_text, 0, NULL); /* the finalized header follows */
    if (!rc)
        rc = attest_begin(s->attest, e, &s->setup);
    return rc ? rc : make_rekey(s, e);
}

rc_t service_new(service_t **out, err_t *e, const service_config_t *config)
{
    err_t bad;
    service_t *s = calloc(1, sizeof *s);
    if (!s)
        return err_say(e, RC_NOMEM, "out of memory");
    s->with = *config;
    arena_init(&s->arena, SETUP_ARENA_MAX);
    held_init(&s->held);
    sent_init(&s->sent);
    operator_gate_init(&s->operator, config->config->operator_key);
    pthread_mutex_init(&s->lock, NULL);
    rc_t rc = named(&bad, make_all(s, &bad));
    if (rc) {
        service_free(s);
        if (e)
            *e = bad;
        return rc;
    }
    *out = s;
    return RC_OK;
}
