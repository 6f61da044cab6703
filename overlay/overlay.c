#include "overlay/overlay.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "overlay/agree.h"
#include "overlay/groups.h"
#include "overlay/talk.h"

#define STATEMENT_MAX (OVERLAY_NAME_MAX + 32u)

typedef struct {
    net_conn_t *conn; /* NULL: a free place */
    bool is_peer;
} link_t;

struct overlay {
    overlay_config_t c;
    net_t *net;
    join_t *join;
    peers_t *peers;
    talk_t *talk;
    agree_t *agree;
    groups_t *groups;
    circuits_t *circuits;
    order_signed_t order; /* the unsigned one, when none is given */
    char statement[STATEMENT_MAX];
    net_protocol_t protocols[OVERLAY_PROTOCOLS];
    link_t links[OVERLAY_PEERS_MAX];
    join_member_t seen[OVERLAY_PEERS_MAX]; /* room to look at them */
    bool dirty;                            /* something about members has changed */
    bool wants;
    hash32_t told; /* the generation that the application knows of */
};

/* ---- what join.h asks for ---- */

static rc_t evidence(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    const overlay_t *o = ctx;
    return o->c.evidence(o->c.ctx, out, e, report_data);
}

static view_t collateral(void *ctx, arena_t *a)
{
    const overlay_t *o = ctx;
    return o->c.collateral(o->c.ctx, a);
}

static int64_t now_s(void *ctx)
{
    const overlay_t *o = ctx;
    return o->c.now_s(o->c.ctx);
}

static void post(void *ctx, join_job_t *job)
{
    const overlay_t *o = ctx;
    o->c.post(o->c.ctx, job);
}

static void draw(void *ctx, void *out, size_t n)
{
    const overlay_t *o = ctx;
    o->c.random(o->c.ctx, out, n);
}

static void tell_state(void *ctx, state_t *out)
{
    overlay_t *o = ctx;
    out->statement = view_str(o->statement);
}

static void changed(void *ctx)
{
    ((overlay_t *)ctx)->dirty = true;
}

static void ordered(void *ctx, net_conn_t *from, const order_signed_t *order)
{
    (void)from;
    overlay_t *o = ctx;
    err_t e;
    if (o->c.events.ordered && !join_judge_order(o->join, &e, order))
        o->c.events.ordered(o->c.events_ctx, order);
}

static void released(void *ctx, const join_member_t *to, const key_name_t *name)
{
    const overlay_t *o = ctx;
    if (o->c.events.released)
        o->c.events.released(o->c.events_ctx, to, name);
}

static void flooded(void *ctx, const flood_message_t *m)
{
    const overlay_t *o = ctx;
    if (m->kind < FLOOD_APPLICATION || !o->c.events.flooded)
        return;
    const overlay_broadcast_t out = {
        .kind = m->kind - FLOOD_APPLICATION, .author = m->author, .seq = m->seq, .payload = m->payload
    };
    o->c.events.flooded(o->c.events_ctx, &out);
}

static bool serves(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    return !circuits_is(p) || circuits_serves(((overlay_t *)ctx)->circuits, c, p); /* to a PEER: all that we have */
}

/* ---- the other parts ---- */

static void agreed(void *ctx, const bracha_out_t *m)
{
    const overlay_t *o = ctx;
    const overlay_broadcast_t out = {
        .kind = m->send.kind, .author = m->send.sender, .payload = m->send.payload, .instance = m->instance
    };
    if (o->c.events.agreed)
        o->c.events.agreed(o->c.events_ctx, &out);
}

static void lied(void *ctx, const bracha_evidence_t *m)
{
    const overlay_t *o = ctx;
    if (o->c.events.evidence)
        o->c.events.evidence(o->c.events_ctx, m);
}

static void peer_is_there(void *ctx, const uint8_t key[33], bool is_there)
{
    const overlay_t *o = ctx;
    if (o->c.events.peer)
        o->c.events.peer(o->c.events_ctx, key, is_there);
}

static void writable(void *ctx, const uint8_t key[33])
{
    const overlay_t *o = ctx;
    if (o->c.events.writable)
        o->c.events.writable(o->c.events_ctx, key);
}

static rc_t read_rule(void *ctx, policy_t **out, err_t *e, view_t text)
{
    const overlay_t *o = ctx;
    return o->c.read_rule(o->c.ctx, out, e, text);
}

static void group_joined(void *ctx, const uint8_t group[MSG_GROUP_LEN], const keyring_t *ring)
{
    overlay_t *o = ctx;
    err_t e;
    if (!messages_join(talk_messages(o->talk), &e, group, ring) && o->c.events.grouped)
        o->c.events.grouped(o->c.events_ctx, group);
}

static bool is_judged(void *ctx, net_conn_t *c)
{
    return join_phase(((overlay_t *)ctx)->join, c) == JOIN_PEER;
}

static void reached(void *ctx)
{
    const overlay_t *o = ctx;
    maddr_t at[OVERLAY_REACHED_MAX];
    const size_t n = circuits_addrs(o->circuits, at, OVERLAY_REACHED_MAX);
    if (o->c.events.reached)
        o->c.events.reached(o->c.events_ctx, at, n);
}

/* ---- members ---- */

static link_t *find(overlay_t *o, const net_conn_t *c)
{
    for (size_t i = 0; i < OVERLAY_PEERS_MAX; i++)
        if (o->links[i].conn == c)
            return &o->links[i];
    return NULL;
}

static bool is_member(void *ctx, net_conn_t *c)
{
    const link_t *l = find(ctx, c);
    return l && l->is_peer;
}

static void resolve(void *ctx, size_t target, const maddr_t *name)
{
    const overlay_t *o = ctx;
    o->c.resolve(o->c.ctx, target, name);
}

static void open_link(overlay_t *o, link_t *l, const join_member_t *m)
{
    net_conn_t *c = l->conn;
    rc_t rc = talk_peer(o->talk, c, m->static_key);
    if (!rc && l->conn == c)
        rc = agree_peer(o->agree, c, m->static_key, &m->platform);
    if (!rc && l->conn == c)
        rc = groups_peer(o->groups, c);
    if (rc && l->conn == c)
        net_close(c, NET_BYE_SLOTS_FULL, "no room for another peer");
    else if (l->conn == c)
        circuits_peer(o->circuits, c);
}

static void hold_link(overlay_t *o, const link_t *l)
{
    talk_hold(o->talk, l->conn);
    agree_hold(o->agree, l->conn);
    groups_hold(o->groups, l->conn);
}

/* One member whose part has changed is told to the others; false: there is none. What is told may change members. */
static bool update_one(overlay_t *o)
{
    const size_t n = join_members(o->join, o->seen, OVERLAY_PEERS_MAX);
    for (size_t i = 0; i < n; i++) {
        link_t *l = find(o, o->seen[i].conn);
        const bool is_peer = o->seen[i].phase == JOIN_PEER;
        if (!l || l->is_peer == is_peer)
            continue;
        l->is_peer = is_peer;
        if (is_peer)
            open_link(o, l, &o->seen[i]);
        else
            hold_link(o, l);
        return true;
    }
    return false;
}

/* Asks for the key of the first cluster that a peer of this application is in. */
static void choose_cluster(overlay_t *o)
{
    err_t e;
    if (o->c.found || o->wants || join_first(o->join))
        return;
    const size_t n = join_members(o->join, o->seen, OVERLAY_PEERS_MAX);
    for (size_t i = 0; i < n && !o->wants; i++) {
        const join_member_t *m = &o->seen[i];
        if (m->phase == JOIN_PEER && m->first && view_eq(m->state->statement, view_str(o->statement)))
            o->wants = join_want(o->join, &e, m->first->pubkey) == RC_OK;
    }
}

static void look(overlay_t *o)
{
    while (o->dirty) {
        o->dirty = false;
        while (update_one(o))
            ;
        choose_cluster(o);
    }
}

static void keyed(void *ctx)
{
    overlay_t *o = ctx;
    join_keys_t keys;
    uint8_t pubkey[33];
    o->dirty = true;
    if (!o->join)
        return;
    join_keys(o->join, &keys);
    if (!keys.is_in_use || hash32_eq(&keys.newest, &o->told))
        return;
    o->told = keys.newest;
    keyring_pubkey(o->c.keyring, pubkey);
    if (o->c.events.keyed)
        o->c.events.keyed(o->c.events_ctx, pubkey);
}

/* ---- events of the net ---- */

static void net_opened(void *ctx, net_conn_t *c)
{
    overlay_t *o = ctx;
    link_t *l;
    if (!peers_opened(o->peers, c))
        return;
    l = find(o, NULL);
    if (!l) {
        net_close(c, NET_BYE_SLOTS_FULL, "too many connections");
        return;
    }
    *l = (link_t){ .conn = c };
    join_opened(o->join, c);
}

static void net_closed(void *ctx, net_conn_t *c, const err_t *why)
{
    overlay_t *o = ctx;
    link_t *l = find(o, c);
    if (l)
        *l = (link_t){ .conn = NULL };
    talk_closed(o->talk, c);
    agree_closed(o->agree, c);
    groups_closed(o->groups, c);
    circuits_closed(o->circuits, c);
    join_closed(o->join, c, why);
    peers_closed(o->peers, c, why);
}

static bool net_serves(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    return join_serves(((overlay_t *)ctx)->join, c, p);
}

static bool net_accepts(void *ctx, const maddr_t *from)
{
    return peers_accepts(((overlay_t *)ctx)->peers, from);
}

static void refused(void *ctx, net_conn_t *conn, unsigned bye, const err_t *why)
{
    bans_fault_t fault;
    if (bans_fault_of(&fault, bye, why))
        peers_fault(((overlay_t *)ctx)->peers, conn, fault);
}

void overlay_net(overlay_t *o, net_config_t *out)
{
    size_t n;
    const net_protocol_t *own = join_protocols(o->join, &n);
    memcpy(o->protocols, own, n * sizeof *own);
    talk_protocol(o->talk, &o->protocols[n]);
    agree_protocol(o->agree, &o->protocols[n + 1]);
    groups_protocol(o->groups, &o->protocols[n + 2]);
    circuits_protocols(o->circuits, &o->protocols[n + 3]);
    out->events = (net_events_t){ .opened = net_opened,
                                  .closed = net_closed,
                                  .serves = net_serves,
                                  .identified = NULL,
                                  .accepts = net_accepts,
                                  .ctx = o };
    out->protocols = o->protocols;
    out->protocol_count = n + 3 + CIRCUITS_PROTOCOLS;
}

/* ---- life ---- */

static rc_t make_join(overlay_t *o)
{
    join_config_t j = { .sign = o->c.sign,
                        .sign_ctx = o->c.sign_ctx,
                        .type = o->c.type,
                        .policy = o->c.policy,
                        .order = o->c.order ? o->c.order : &o->order,
                        .rules = o->c.rules,
                        .keyring = o->c.keyring,
                        .ecdsa = o->c.ecdsa,
                        .memory = o->c.memory,
                        .evidence = evidence,
                        .collateral = collateral,
                        .now_s = now_s,
                        .post = post,
                        .random = draw,
                        .tell = tell_state,
                        .changed = changed,
                        .ordered = ordered,
                        .keyed = keyed,
                        .delivered = flooded,
                        .released = released,
                        .refused = refused,
                        .serves = serves,
                        .ctx = o };
    static const uint8_t tag[] = "kettle-app/1";
    const view_t parts[] = { view_of(tag, sizeof tag), view_str(o->c.application) };
    sha256_parts(&j.genesis, parts, 2); /* in the place of a chain's */
    memcpy(j.static_pubkey, o->c.static_pubkey, sizeof j.static_pubkey);
    memcpy(j.cluster, o->c.cluster, sizeof j.cluster);
    return join_new(&o->join, &j);
}

static rc_t make_talk(overlay_t *o)
{
    talk_config_t t = { .messages = { .sign = o->c.sign,
                                      .sign_ctx = o->c.sign_ctx,
                                      .ecdsa = o->c.ecdsa,
                                      .ring = o->c.keyring,
                                      .random = draw },
                        .peer = peer_is_there,
                        .writable = writable,
                        .ctx = o };
    memcpy(t.messages.self, o->c.static_pubkey, sizeof t.messages.self);
    return talk_new(&o->talk, &t);
}

static rc_t make_agree(overlay_t *o)
{
    agree_config_t a = {
        .bracha = { .platform = o->c.platform, .sign = o->c.sign, .sign_ctx = o->c.sign_ctx, .ecdsa = o->c.ecdsa },
        .deliver = agreed,
        .evidence = lied,
        .ctx = o
    };
    memcpy(a.bracha.self, o->c.static_pubkey, sizeof a.bracha.self);
    const rc_t rc = agree_new(&o->agree, &a);
    return rc ? rc : agree_order(o->agree, o->c.order ? o->c.order : &o->order);
}

static rc_t make_groups(overlay_t *o)
{
    const groups_config_t g = {
        .random = draw, .read_rule = o->c.read_rule ? read_rule : NULL, .joined = group_joined, .ctx = o
    };
    return groups_new(&o->groups, o->join, &g);
}

static rc_t make_circuits(overlay_t *o)
{
    const circuits_config_t c = { .who = o->c.who,
                                  .serves = o->c.relays,
                                  .uses = o->c.uses_relays,
                                  .is_peer = is_judged,
                                  .now_s = now_s,
                                  .changed = reached,
                                  .ctx = o };
    return circuits_new(&o->circuits, &c);
}

static rc_t make_parts(overlay_t *o)
{
    const peers_config_t p = {
        .random = draw, .resolve = o->c.resolve ? resolve : NULL, .is_member = is_member, .ctx = o
    };
    order_unsigned(&o->order, policy_digest(o->c.policy), o->c.rules.min_version);
    rc_t rc = make_join(o);
    if (!rc)
        rc = peers_new(&o->peers, &p);
    if (!rc)
        rc = make_talk(o);
    if (!rc)
        rc = make_agree(o);
    if (!rc)
        rc = make_circuits(o);
    return rc ? rc : make_groups(o);
}

rc_t overlay_new(overlay_t **out, err_t *e, const overlay_config_t *config)
{
    static const uint8_t none[33];
    const view_t name = view_str(config->application);
    if (name.n > OVERLAY_NAME_MAX || !msg_type_is(name) || memchr(name.p, '"', name.n) || memchr(name.p, '\\', name.n))
        return err_say(e, RC_MALFORMED, "an application's name has 1 to 64 visible characters, without quotes");
    if (config->found && memcmp(config->cluster, none, sizeof none) != 0)
        return err_say(e, RC_REFUSED, "a node that is pinned to a cluster founds none");
    overlay_t *o = calloc(1, sizeof *o);
    if (!o)
        return err_say(e, RC_NOMEM, "out of memory");
    o->c = *config;
    snprintf(o->statement, sizeof o->statement, "{\"application\":\"%s\"}", config->application);
    const rc_t rc = make_parts(o);
    if (rc) {
        overlay_free(o);
        return err_say(e, rc, "out of memory");
    }
    *out = o;
    return RC_OK;
}

rc_t overlay_bind(overlay_t *o, err_t *e, net_t *n)
{
    hash32_t setup;
    o->net = n;
    peers_bind(o->peers, n);
    if (circuits_bind(o->circuits, n))
        return err_say(e, RC_NOMEM, "out of memory");
    sha256(&setup, view_str(o->statement));
    return o->c.found ? join_found(o->join, e, &setup) : RC_OK;
}

void overlay_free(overlay_t *o)
{
    if (!o)
        return;
    groups_free(o->groups);
    circuits_free(o->circuits);
    join_free(o->join);
    peers_free(o->peers);
    talk_free(o->talk);
    agree_free(o->agree);
    free(o);
}

rc_t overlay_peer_at(overlay_t *o, const maddr_t *ways, size_t count)
{
    return peers_add(o->peers, PEERS_CONFIGURED, ways, count, NULL);
}

void overlay_resolved(overlay_t *o, size_t target, const maddr_t *numbers, size_t n)
{
    peers_resolved(o->peers, target, numbers, n);
}

/* In place of a chain's head, by which generations come into use: seconds. */
uint64_t overlay_turn(overlay_t *o, uint64_t now_ms)
{
    uint64_t at[6];
    join_head(o->join, (uint64_t)now_s(o));
    at[0] = join_turn(o->join, now_ms);
    at[1] = peers_turn(o->peers, now_ms);
    at[2] = talk_turn(o->talk, now_ms);
    at[3] = agree_turn(o->agree, now_ms);
    at[4] = groups_turn(o->groups, now_ms);
    at[5] = circuits_turn(o->circuits, now_ms);
    look(o);
    for (size_t i = 1; i < 6; i++)
        at[0] = at[i] < at[0] ? at[i] : at[0];
    return o->dirty ? now_ms : at[0];
}

/* ---- messages ---- */

rc_t overlay_register(overlay_t *o, err_t *e, const message_type_t *type)
{
    return messages_register(talk_messages(o->talk), e, type);
}

void overlay_unregister(overlay_t *o, const char *name)
{
    messages_unregister(talk_messages(o->talk), name);
}

rc_t overlay_send(overlay_t *o, rc_t *each, err_t *e, const uint8_t (*keys)[33], size_t n, const message_out_t *out)
{
    uint64_t lines[OVERLAY_PEERS_MAX];
    if (n > OVERLAY_PEERS_MAX)
        return err_set(e, RC_LIMIT, "a message goes to at most %u peers", OVERLAY_PEERS_MAX);
    for (size_t i = 0; i < n; i++)
        lines[i] = messages_line(talk_messages(o->talk), keys[i]);
    return messages_send(talk_messages(o->talk), each, e, lines, n, out);
}

size_t overlay_peers(const overlay_t *o, uint8_t (*keys)[33], size_t cap)
{
    return talk_peers(o->talk, keys, cap);
}

rc_t overlay_send_all(overlay_t *o, err_t *e, const message_out_t *out)
{
    uint8_t keys[OVERLAY_PEERS_MAX][33];
    const size_t n = overlay_peers(o, keys, OVERLAY_PEERS_MAX);
    return overlay_send(o, NULL, e, (const uint8_t(*)[33])keys, n, out);
}

void overlay_resume(overlay_t *o)
{
    talk_resume(o->talk);
}

void overlay_counts(const overlay_t *o, message_counts_t *out)
{
    messages_counts(talk_messages(o->talk), out);
}

rc_t overlay_make_group(overlay_t *o, uint8_t group[MSG_GROUP_LEN], err_t *e, view_t rule)
{
    return groups_make(o->groups, group, e, rule);
}

rc_t overlay_join_group(overlay_t *o, err_t *e, const uint8_t group[MSG_GROUP_LEN])
{
    return groups_want(o->groups, e, group);
}

void overlay_leave_group(overlay_t *o, const uint8_t group[MSG_GROUP_LEN])
{
    messages_leave(talk_messages(o->talk), group);
    groups_leave(o->groups, group);
}

/* ---- to all ---- */

rc_t overlay_flood(overlay_t *o, err_t *e, uint32_t kind, view_t payload)
{
    if (kind >= 1u << 31)
        return err_say(e, RC_LIMIT, "kinds are below 2^31");
    return join_publish(o->join, e, FLOOD_APPLICATION + kind, payload);
}

rc_t overlay_agree(overlay_t *o, err_t *e, uint32_t kind, view_t payload)
{
    return agree_send(o->agree, e, kind, payload);
}

rc_t overlay_set_order(overlay_t *o, err_t *e, const order_signed_t *order, const policy_t *policy)
{
    rc_t rc = join_judge_order(o->join, e, order);
    if (!rc)
        rc = join_set_order(o->join, order, policy);
    return rc ? rc : agree_order(o->agree, order);
}

/* ---- the key ---- */

rc_t overlay_sign(const overlay_t *o, uint8_t out[64], const hash32_t *digest)
{
    return keyring_sign(o->c.keyring, out, NULL, digest);
}

rc_t overlay_seal(const overlay_t *o, uint8_t *out, view_t plain, view_t ad)
{
    uint8_t nonce[XAEAD_NONCE_LEN];
    o->c.random(o->c.ctx, nonce, sizeof nonce);
    return keyring_seal_message(o->c.keyring, out, plain, ad, nonce);
}

rc_t overlay_open(const overlay_t *o, uint8_t *out, view_t sealed, view_t ad)
{
    return keyring_open_message(o->c.keyring, out, sealed, ad);
}

rc_t overlay_derive(const overlay_t *o, uint8_t out[KEY_DERIVED_LEN], view_t label)
{
    return keyring_derive(o->c.keyring, out, label);
}

const join_t *overlay_members(const overlay_t *o)
{
    return o->join;
}
