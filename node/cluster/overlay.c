#include "node/cluster/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/os/log.h"
#include "node/cluster/data.h"
#include "node/cluster/parts.h"
#include "overlay/wire/ringkey.h"

#define LISTEN_AGAIN_MS 5000u
#define LOOK_MS 1000u /* between two looks at what is shown */
#define OPEN_MS 50u   /* ... at whether our own evidence is there */

/* ---- who we are ---- */

static rc_t sign_static(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    return keyring_sign(ctx, out, NULL, digest);
}

/* ---- what members ask of the node ---- */

static rc_t make_evidence(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    const cluster_t *c = ctx;
    return c->with.tee->get_evidence(c->with.tee->ctx, out, e, report_data);
}

static view_t copy_collateral(void *ctx, arena_t *a)
{
    const cluster_t *c = ctx;
    view_t text;
    return attest_collateral(c->with.attest, &text, NULL, a) ? view_of(NULL, 0) : text;
}

static int64_t now_s(void *ctx)
{
    const cluster_t *c = ctx;
    return c->with.now_s(c->with.time_ctx);
}

static void post(void *ctx, join_job_t *job)
{
    crew_post(((cluster_t *)ctx)->crew, job);
}

static void draw(void *ctx, void *out, size_t n)
{
    (void)ctx;
    secret_random(out, n);
}

static void named(void *ctx, size_t target, const maddr_t *numbers, size_t n)
{
    peers_resolved(((cluster_t *)ctx)->peers, target, numbers, n);
}

static void resolve(void *ctx, size_t target, const maddr_t *name)
{
    cluster_t *c = ctx;
    if (!crew_resolve(c->crew, target, name))
        named(c, target, NULL, 0);
}

static void fill_state(void *ctx, state_t *out)
{
    cluster_t *c = ctx;
    pthread_mutex_lock(&c->lock);
    out->statement = c->statement; /* set once, and kept */
    pthread_mutex_unlock(&c->lock);
    heads_fill(c, out);
}

static void look(cluster_t *c)
{
    const size_t n = join_members(c->join, c->seen, CLUSTER_MEMBERS_MAX);
    for (size_t i = 0; i < n; i++)
        if (c->seen[i].phase == JOIN_PEER) {
            book_learn(c, &c->seen[i]);
            circuits_peer(c->circuits, c->seen[i].conn);
        }
    heads_look(c);
    report_update(c);
}

static void changed(void *ctx)
{
    cluster_t *c = ctx;
    if (c->join)
        look(c);
}

static void keyed(void *ctx)
{
    cluster_t *c = ctx;
    if (c->join)
        keys_update(c);
    changed(ctx);
}

static void released(void *ctx, const join_member_t *to, const key_name_t *name)
{
    char peer[PEERID_TEXT_MAX + 1];
    peerid_text(peer, net_peer(to->conn));
    log_write(LOG_INFO, "cluster", "the key of generation %llu.%u goes to %s", (unsigned long long)name->version,
              name->index, peer);
    given_key(ctx, to, name);
}

static void delivered(void *ctx, const flood_message_t *m)
{
    if (m->kind == FLOOD_RELEASE)
        given_heard(ctx, m);
    else
        heads_heard(ctx, m);
}

/* ---- who is a member, and who did wrong ---- */

static bool is_member(void *ctx, net_conn_t *conn)
{
    return join_phase(((cluster_t *)ctx)->join, conn) != JOIN_ATTESTING;
}

static bool is_judged(void *ctx, net_conn_t *conn)
{
    return join_phase(((cluster_t *)ctx)->join, conn) == JOIN_PEER;
}

static bool redirect(void *ctx, net_conn_t *conn)
{
    return gossip_redirect(((cluster_t *)ctx)->gossip, conn);
}

static void refused(void *ctx, net_conn_t *conn, unsigned bye, const err_t *why)
{
    cluster_t *c = ctx;
    bans_fault_t fault;
    keys_lost_trust(c, conn, bye, why);
    if (bans_fault_of(&fault, bye, why))
        peers_fault(c->peers, conn, fault);
}

/* ---- events of the net ---- */

static bool accepts(void *ctx, const maddr_t *from)
{
    return peers_accepts(((cluster_t *)ctx)->peers, from);
}

static void opened(void *ctx, net_conn_t *conn)
{
    cluster_t *c = ctx;
    if (peers_opened(c->peers, conn))
        join_opened(c->join, conn);
    look(c);
}

static void closed(void *ctx, net_conn_t *conn, const err_t *why)
{
    cluster_t *c = ctx;
    char addr[MADDR_TEXT_MAX + 1];
    maddr_text(addr, net_addr(conn));
    log_write(LOG_DEBUG, "cluster", "connection to %s ended: %s", addr, why->text);
    join_closed(c->join, conn, why);
    gossip_closed(c->gossip, conn);
    circuits_closed(c->circuits, conn);
    if (c->side)
        side_closed(c->side, conn);
    peers_closed(c->peers, conn, why);
    look(c);
}

/* Records are told to members; whom we dialled may tell us of others, though it has no slot for us. */
static bool serves(void *ctx, net_conn_t *conn, const net_protocol_t *p)
{
    const cluster_t *c = ctx;
    if (!strcmp(p->name, GOSSIP_NAME))
        return join_phase(c->join, conn) == JOIN_PEER || (net_dialled(conn) && !is_member(ctx, conn));
    if (!strcmp(p->name, LCDATA_NAME) || (c->side && !strcmp(p->name, c->with.side->name)))
        return join_phase(c->join, conn) == JOIN_PEER;
    if (circuits_is(p))
        return circuits_serves(c->circuits, conn, p);
    return join_serves(c->join, conn, p);
}

static void identified(void *ctx, net_conn_t *conn, const identify_t *id)
{
    cluster_t *c = ctx;
    book_heard(c, conn, id);
    look(c);
}

/* ---- the loop's turn ---- */

static void say_port_trouble(cluster_t *c, const char *text)
{
    pthread_mutex_lock(&c->lock);
    const bool is_new = strcmp(c->port_trouble, text) != 0;
    snprintf(c->port_trouble, sizeof c->port_trouble, "%s", text);
    pthread_mutex_unlock(&c->lock);
    if (is_new && text[0])
        log_write(LOG_WARN, "cluster", "no peer is served: %s", text);
}

/* Opens the port for every transport that we have; one of them must do. */
static void listen_now(cluster_t *c, uint64_t now_ms)
{
    static const maddr_host_t hosts[] = { MADDR_IP4, MADDR_IP4, MADDR_IP6, MADDR_IP6 };
    const config_t *config = c->with.config;
    err_t e, why;
    err_clear(&why);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        const maddr_t at = { .host = hosts[i],
                             .transport = i % 2 ? MADDR_TCP : MADDR_QUIC,
                             .port = config->overlay_port };
        if (config->transport && (config->transport == 1) != (at.transport == MADDR_QUIC))
            continue;
        const rc_t rc = net_listen(c->net, &e, &at);
        if (!rc)
            c->listening = true;
        else if (at.host == MADDR_IP4 && rc != RC_UNSUPPORTED)
            why = e;
    }
    c->listen_ms = now_ms + LISTEN_AGAIN_MS;
    say_port_trouble(c, c->listening ? "" : why.text);
}

/* Peers are verified by a policy that knows what we are ourselves, so only once our own evidence is. */
static bool may_open(cluster_t *c)
{
    attest_status_t status;
    if (c->is_open)
        return true;
    attest_status(c->with.attest, &status);
    c->is_open = status.verified;
    if (c->is_open)
        keys_recall(c);
    else {
        err_t e;
        (void)err_set(&e, RC_NEED_DATA, "this node's own evidence is not verified yet%s%s",
                      status.trouble[0] ? ": " : "", status.trouble);
        say_port_trouble(c, e.text);
    }
    return c->is_open;
}

static uint64_t turn(void *ctx, uint64_t now_ms)
{
    cluster_t *c = ctx;
    recover_turn(c, now_ms); /* our key signs whether or not peers may see us: what outlives it does not wait either */
    if (!may_open(c))
        return now_ms + OPEN_MS;
    if (!c->listening && now_ms >= c->listen_ms)
        listen_now(c, now_ms);
    const uint64_t next[] = { join_turn(c->join, now_ms),         peers_turn(c->peers, now_ms),
                              gossip_turn(c->gossip, now_ms),     lcdata_turn(c->lcdata, now_ms),
                              circuits_turn(c->circuits, now_ms), c->side ? side_turn(c->side, now_ms) : UINT64_MAX };
    uint64_t at = now_ms + LOOK_MS;
    for (size_t i = 0; i < sizeof next / sizeof next[0]; i++)
        at = next[i] < at ? next[i] : at;
    book_write(c, now_ms);
    given_turn(c, now_ms);
    keys_turn(c, now_ms);
    heads_look(c);
    heads_keep_again(c, now_ms);
    report_update(c);
    return at;
}

/* ---- calls from other threads ---- */

typedef struct {
    cluster_t *cluster;
    rc_t (*fn)(cluster_t *c, err_t *e, const void *arg);
    const void *arg;
    err_t *e;
    rc_t rc;
    bool ended;
} call_t;

static void run_call(void *ctx)
{
    call_t *call = ctx;
    cluster_t *c = call->cluster;
    const rc_t rc = call->fn(c, call->e, call->arg);
    report_update(c);
    pthread_mutex_lock(&c->lock);
    call->rc = rc;
    call->ended = true;
    pthread_cond_broadcast(&c->done);
    pthread_mutex_unlock(&c->lock);
}

rc_t call_on_loop(cluster_t *c, err_t *e, rc_t (*fn)(cluster_t *, err_t *, const void *), const void *arg)
{
    call_t call = { .cluster = c, .fn = fn, .arg = arg, .e = e };
    pthread_mutex_lock(&c->lock);
    const rc_t rc = c->stopping ? RC_REFUSED : loop_post(c->loop, run_call, &call); /* what is posted will be run */
    if (rc) {
        pthread_mutex_unlock(&c->lock);
        return rc == RC_NOMEM ? err_say(e, rc, "out of memory") : err_say(e, RC_NEED_DATA, "the overlay has ended");
    }
    while (!call.ended)
        pthread_cond_wait(&c->done, &c->lock);
    pthread_mutex_unlock(&c->lock);
    return call.rc;
}

static rc_t want(cluster_t *c, err_t *e, const void *arg)
{
    return join_want(c->join, e, arg);
}

rc_t cluster_want(cluster_t *c, err_t *e, const uint8_t pubkey[33])
{
    return call_on_loop(c, e, want, pubkey);
}

/* A kept order of a cluster that has died is of no use for a new one. */
static rc_t found(cluster_t *c, err_t *e, const void *arg)
{
    const rc_t rc = keys_leave(c, e);
    return rc ? rc : join_found(c->join, e, arg);
}

rc_t cluster_found(cluster_t *c, err_t *e, const hash32_t *setup)
{
    return call_on_loop(c, e, found, setup);
}

static void tell_members(void *ctx)
{
    cluster_t *c = ctx;
    pthread_mutex_lock(&c->lock);
    c->telling = false;
    pthread_mutex_unlock(&c->lock);
    join_tell(c->join);
    heads_announce(c);
}

void cluster_tell(cluster_t *c, view_t statement, uint64_t slot, const hash32_t *root)
{
    pthread_mutex_lock(&c->lock);
    const bool is_new = !c->telling && (slot > c->slot || !view_eq(statement, c->statement));
    c->statement = statement;
    if (slot > c->slot) {
        c->slot = slot;
        c->root = *root;
    }
    if (is_new && !c->stopping) /* without memory: with the next head, then */
        c->telling = loop_post(c->loop, tell_members, c) == RC_OK;
    pthread_mutex_unlock(&c->lock);
}

bool cluster_has_key(cluster_t *c)
{
    pthread_mutex_lock(&c->lock);
    const bool has = c->keys.is_in_use;
    pthread_mutex_unlock(&c->lock);
    return has;
}

void cluster_say(cluster_t *c, const char *text)
{
    pthread_mutex_lock(&c->lock);
    const bool is_new = strcmp(c->said, text) != 0;
    snprintf(c->said, sizeof c->said, "%s", text);
    pthread_mutex_unlock(&c->lock);
    if (is_new)
        log_write(LOG_INFO, "joining", "%s", text);
}

void cluster_said(cluster_t *c, char out[240])
{
    pthread_mutex_lock(&c->lock);
    snprintf(out, 240, "%s", c->said);
    pthread_mutex_unlock(&c->lock);
}

/* ---- life ---- */

static rc_t make_join(cluster_t *c)
{
    const config_t *config = c->with.config;
    order_signed_t order;
    join_config_t j = { .sign = sign_static,
                        .sign_ctx = (void *)(uintptr_t)c->with.node_key,
                        .type = c->with.tee->type,
                        .chain_id = config->chain.chain_id,
                        .genesis = config->network.genesis_validators_root,
                        .policy = attest_policy(c->with.attest),
                        .keyring = c->with.ring,
                        .ecdsa = c->ecdsa,
                        .memory = &c->memory,
                        .evidence = make_evidence,
                        .collateral = copy_collateral,
                        .now_s = now_s,
                        .slot_now = heads_slot_now,
                        .post = post,
                        .random = draw,
                        .tell = fill_state,
                        .changed = changed,
                        .ordered = keys_ordered,
                        .keyed = keyed,
                        .released = released,
                        .delivered = delivered,
                        .refused = refused,
                        .ctx = c };
    order_unsigned(&order, policy_digest(j.policy), config->policy_min_version);
    j.order = &order;
    j.rules = keys_rules(c);
    memcpy(j.static_pubkey, c->with.node_pubkey, sizeof j.static_pubkey);
    memcpy(j.cluster, config->cluster, sizeof j.cluster);
    return join_new(&c->join, &j);
}

static identity_t host_identity(const cluster_t *c)
{
    identity_t who;
    ringkey_identity(&who, c->with.node_key);
    return who;
}

static rc_t make_net(cluster_t *c)
{
    net_config_t n = { .who = host_identity(c),
                       .agent = "kettle/" KETTLE_VERSION,
                       .events = { opened, closed, serves, identified, c, accepts },
                       .protocols = c->protocols,
                       .tell_identify = true };
    const net_protocol_t *of_join = join_protocols(c->join, &n.protocol_count);
    memcpy(c->protocols, of_join, n.protocol_count * sizeof *of_join);
    gossip_protocol(c->gossip, &c->protocols[n.protocol_count++]);
    lcdata_protocol(c->lcdata, &c->protocols[n.protocol_count++]);
    circuits_protocols(c->circuits, &c->protocols[n.protocol_count]);
    n.protocol_count += CIRCUITS_PROTOCOLS;
    if (c->side)
        side_protocol(c->side, &c->protocols[n.protocol_count++]);
    return net_new(&c->net, &n);
}

size_t peer_ways(const cluster_t *c, maddr_t ways[PEERS_WAYS_MAX], const config_peer_t *peer)
{
    const config_t *config = c->with.config;
    size_t n = 0;
    for (size_t k = 0; k < peer->count; k++)
        if (!config->transport || (config->transport == 1) == (peer->ways[k].transport == MADDR_QUIC))
            ways[n++] = peer->ways[k];
    return n;
}

static rc_t add_peers(cluster_t *c)
{
    const config_t *config = c->with.config;
    for (size_t i = 0; i < config->peer_count; i++) {
        maddr_t ways[PEERS_WAYS_MAX];
        const size_t n = peer_ways(c, ways, &config->peers[i]);
        const rc_t rc = n ? peers_add(c->peers, PEERS_CONFIGURED, ways, n, NULL) : RC_OK;
        if (rc)
            return rc;
    }
    return RC_OK;
}

static rc_t make_circuits(cluster_t *c)
{
    const circuits_config_t config = { .who = host_identity(c),
                                       .serves = c->with.config->relay == CONFIG_RELAY_SERVE,
                                       .uses = c->with.config->relay == CONFIG_RELAY_USE,
                                       .is_peer = is_judged,
                                       .now_s = now_s,
                                       .changed = book_reached,
                                       .ctx = c };
    return circuits_new(&c->circuits, &config);
}

static rc_t make_parts(cluster_t *c, err_t *e)
{
    uint8_t blind[32];
    const unsigned transports[] = { LOOP_BOTH, LOOP_QUIC, LOOP_TCP };
    secret_random(blind, sizeof blind);
    c->ecdsa = ecdsa_new(blind);
    rc_t rc = c->ecdsa ? make_join(c) : RC_NOMEM;
    if (!rc)
        rc = peers_new(&c->peers, &(peers_config_t){ draw, resolve, is_member, redirect, c });
    if (!rc)
        rc = gossip_new(&c->gossip, &(gossip_config_t){ host_identity(c), draw, book_learned, c });
    if (!rc)
        rc = given_open(c);
    if (!rc)
        rc = data_new(c);
    if (!rc)
        rc = make_circuits(c);
    if (!rc && c->with.side)
        rc = side_new(&c->side, c->join, c->with.side, c->with.node_pubkey);
    if (!rc)
        rc = make_net(c);
    if (rc)
        return err_say(e, rc, "out of memory");
    peers_bind(c->peers, c->net);
    const loop_owner_t owner = { .turn = turn, .ctx = c };
    rc = loop_new(&c->loop, e, c->net, transports[c->with.config->transport], &owner);
    if (rc) {
        net_free(c->net);
        return rc;
    }
    if (circuits_bind(c->circuits, c->net))
        return err_say(e, RC_NOMEM, "out of memory");
    rc = add_peers(c);
    if (rc)
        return err_say(e, rc, "too many peers");
    book_read(c);
    heads_begin(c);
    return RC_OK;
}

rc_t cluster_start(cluster_t **out, err_t *e, const cluster_config_t *config)
{
    cluster_t *c = calloc(1, sizeof *c);
    if (!c)
        return err_say(e, RC_NOMEM, "out of memory");
    c->with = *config;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    rc_t rc = make_parts(c, e);
    if (!rc)
        rc = recover_open(c, e);
    if (!rc)
        rc = crew_start(&c->crew, e, c->loop, named, c);
    if (!rc)
        rc = data_start(c, e);
    if (!rc)
        rc = loop_start(c->loop, e);
    if (rc) {
        cluster_free(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

void cluster_stop(cluster_t *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_mutex_unlock(&c->lock);
    crew_stop(c->crew);
    worker_stop(c->fetcher);
    loop_free(c->loop); /* frees the net */
    crew_free(c->crew);
    side_free(c->side);
    join_free(c->join);
    gossip_free(c->gossip);
    circuits_free(c->circuits);
    keys_free(c);
    lcdata_free(c->lcdata);
    releases_free(c->releases);
    peers_free(c->peers);
    ecdsa_free(c->ecdsa);
    c->crew = NULL;
    c->fetcher = NULL;
    c->loop = NULL;
    c->side = NULL;
    c->join = NULL;
    c->peers = NULL;
    c->gossip = NULL;
    c->circuits = NULL;
    c->lcdata = NULL;
    c->releases = NULL;
    c->ecdsa = NULL;
}

void cluster_free(cluster_t *c)
{
    if (!c)
        return;
    cluster_stop(c);
    recover_free(c->recover);
    free(c->split);
    pthread_cond_destroy(&c->done);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
