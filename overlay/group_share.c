#include "overlay/groups.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "overlay/framed.h"

#define NEVER UINT64_MAX
#define INFO_LEN (14u + GROUP_ID_LEN + 2u * X25519_LEN)

typedef struct {
    bool there;
    uint8_t id[MSG_GROUP_LEN];
    keyring_t *ring; /* NULL: it is asked for */
    policy_t *policy;
    uint8_t *rule;
    size_t rule_n;
} group_t;

/* One connection. */
typedef struct {
    net_conn_t *conn; /* NULL: a free place */
    bool up;
    key_ephemeral_t *own; /* of our request; NULL: none is open */
    uint8_t request[GROUP_ID_LEN];
    size_t wanted;                    /* the place of its group, */
    uint8_t wanted_id[MSG_GROUP_LEN]; /* and its name */
    uint64_t again_ms;
    bool giving;         /* the peer's request is being judged */
    group_frame_t asked; /* the peer's request */
} link_t;

struct groups {
    groups_config_t c;
    join_t *join;
    framed_t *framed;
    group_t groups[MESSAGES_GROUPS_MAX];
    link_t links[MESSAGES_LINES_MAX];
    uint64_t now_ms;
};

/* ---- what a group is ---- */

static void name_of(key_name_t *out, view_t rule)
{
    *out = (key_name_t){ .version = 0 };
    sha256(&out->order, rule);
}

/* Its name: over the public key, the rule, and what is derived from the message secret. */
static rc_t id_of(uint8_t out[MSG_GROUP_LEN], const keyring_t *ring, view_t rule)
{
    static const uint8_t tag[16] = "kettle-group/1";
    uint8_t pubkey[ECDSA_PUBKEY_LEN], derived[KEY_DERIVED_LEN];
    hash32_t digest, rule_digest;
    keyring_pubkey(ring, pubkey);
    sha256(&rule_digest, rule);
    const rc_t rc = keyring_derive(ring, derived, view_str("group id"));
    const view_t parts[] = { view_of(tag, sizeof tag), view_of(pubkey, sizeof pubkey), view_of(rule_digest.b, 32),
                             view_of(derived, sizeof derived) };
    sha256_parts(&digest, parts, 4);
    secret_wipe(derived, sizeof derived);
    memcpy(out, digest.b, MSG_GROUP_LEN);
    return rc;
}

static group_t *find(groups_t *g, const uint8_t id[MSG_GROUP_LEN])
{
    for (size_t i = 0; i < MESSAGES_GROUPS_MAX; i++)
        if (g->groups[i].there && memcmp(g->groups[i].id, id, MSG_GROUP_LEN) == 0)
            return &g->groups[i];
    return NULL;
}

static group_t *free_place(groups_t *g)
{
    for (size_t i = 0; i < MESSAGES_GROUPS_MAX; i++)
        if (!g->groups[i].there)
            return &g->groups[i];
    return NULL;
}

static link_t *find_link(groups_t *g, const net_conn_t *c)
{
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++)
        if (g->links[i].conn == c)
            return &g->links[i];
    return NULL;
}

static void clear_group(group_t *x)
{
    keyring_free(x->ring);
    policy_free(x->policy);
    free(x->rule);
    memset(x, 0, sizeof *x);
}

static rc_t new_ring(groups_t *g, keyring_t **out)
{
    uint8_t blind[32];
    g->c.random(g->c.ctx, blind, sizeof blind);
    return keyring_empty(out, blind);
}

/* Reads a group's rule, and keeps it. */
static rc_t take_rule(groups_t *g, group_t *x, err_t *e, view_t rule)
{
    if (!rule.n || rule.n > GROUP_RULE_MAX)
        return err_set(e, RC_LIMIT, "a group's rule has 1 to %u bytes", GROUP_RULE_MAX);
    const rc_t rc = g->c.read_rule ? g->c.read_rule(g->c.ctx, &x->policy, e, rule) : policy_read(&x->policy, e, rule);
    if (rc)
        return rc;
    x->rule = malloc(rule.n);
    if (!x->rule)
        return err_say(e, RC_NOMEM, "out of memory");
    memcpy(x->rule, rule.p, rule.n);
    x->rule_n = rule.n;
    return RC_OK;
}

static view_t rule_of(const group_t *x)
{
    return view_of(x->rule, x->rule_n);
}

/* ---- making ---- */

static rc_t draw(groups_t *g, group_t *x)
{
    key_name_t name;
    uint8_t *secrets = secret_alloc(KEY_SECRETS_LEN);
    rc_t rc = secrets ? new_ring(g, &x->ring) : RC_NOMEM;
    name_of(&name, rule_of(x));
    if (!rc)
        rc = RC_REFUSED;
    for (int tries = 0; rc == RC_REFUSED && tries < 8; tries++) { /* one in 2^128 is no key */
        g->c.random(g->c.ctx, secrets, KEY_SECRETS_LEN);
        rc = keyring_add(x->ring, &name, secrets);
    }
    secret_free(secrets);
    if (!rc)
        rc = keyring_use(x->ring, &name);
    return rc ? rc : id_of(x->id, x->ring, rule_of(x));
}

rc_t groups_make(groups_t *g, uint8_t group[MSG_GROUP_LEN], err_t *e, view_t rule)
{
    group_t *x = free_place(g);
    if (!x)
        return err_set(e, RC_LIMIT, "a node is in at most %u groups", MESSAGES_GROUPS_MAX);
    rc_t rc = take_rule(g, x, e, rule);
    if (!rc && (rc = draw(g, x)))
        (void)err_say(e, rc, "no memory that may be locked");
    if (rc) {
        clear_group(x);
        return rc;
    }
    x->there = true;
    memcpy(group, x->id, MSG_GROUP_LEN);
    g->c.joined(g->c.ctx, x->id, x->ring);
    return RC_OK;
}

/* ---- sending ---- */

static rc_t send_frame(groups_t *g, const link_t *l, const group_frame_t *m)
{
    uint8_t *buf = malloc(GROUP_FRAME_MAX);
    wr_t w = wr_of(buf, buf ? GROUP_FRAME_MAX : 0);
    group_frame_write(&w, m);
    const rc_t rc = !buf ? RC_NOMEM : w.bad ? RC_BUG : framed_write(g->framed, l->conn, wr_view(&w));
    free(buf);
    return rc;
}

static void answer(groups_t *g, const link_t *l, group_status_t status)
{
    group_frame_t m = { .status = status };
    memcpy(m.id, l->asked.id, sizeof m.id);
    if (send_frame(g, l, &m))
        net_close(l->conn, NET_BYE, "too much waits for this peer");
}

static rc_t ephemeral(groups_t *g, key_ephemeral_t **out)
{
    uint8_t random[X25519_LEN];
    g->c.random(g->c.ctx, random, sizeof random);
    return key_ephemeral_new(out, random);
}

static void write_info(uint8_t out[INFO_LEN], const uint8_t request[GROUP_ID_LEN], const uint8_t *asker,
                       const uint8_t *member)
{
    wr_t w = wr_of(out, INFO_LEN);
    wr_bytes(&w, "kettle-group/1", 14);
    wr_bytes(&w, request, GROUP_ID_LEN);
    wr_bytes(&w, asker, X25519_LEN);
    wr_bytes(&w, member, X25519_LEN);
}

/* ---- giving ---- */

static rc_t give(groups_t *g, const link_t *l, group_t *x, key_grant_t *grant)
{
    uint8_t info[INFO_LEN];
    group_frame_t m = { .status = GROUP_OK, .rule = rule_of(x) };
    key_ephemeral_t *own;
    rc_t rc = ephemeral(g, &own);
    if (rc)
        return rc;
    memcpy(m.id, l->asked.id, sizeof m.id);
    memcpy(m.ephemeral, key_ephemeral_pubkey(own), sizeof m.ephemeral);
    keyring_pubkey(x->ring, m.pubkey);
    write_info(info, m.id, l->asked.ephemeral, m.ephemeral);
    const uint8_t *channel = join_channel(g->join, l->conn);
    const key_box_t box = { own, l->asked.ephemeral, channel, view_of(info, sizeof info),
                            view_of(x->id, sizeof x->id) };
    rc = channel ? keyring_seal(x->ring, m.sealed, grant, &box) : RC_REFUSED;
    key_ephemeral_free(own);
    return rc ? rc : send_frame(g, l, &m);
}

static void granted(void *ctx, net_conn_t *c, key_grant_t *grant, const err_t *why)
{
    groups_t *g = ctx;
    link_t *l = find_link(g, c);
    (void)why;
    if (!l || !l->giving)
        return;
    group_t *x = find(g, l->asked.group);
    l->giving = false;
    if (!grant || !x || !x->ring)
        answer(g, l, grant ? GROUP_NOT_MEMBER : GROUP_NOT_ADMITTED);
    else if (give(g, l, x, grant))
        answer(g, l, GROUP_BUSY);
}

static void take_request(groups_t *g, link_t *l, const group_frame_t *m)
{
    key_name_t name;
    group_t *x = find(g, m->group);
    const bool busy = l->giving;
    const group_frame_t before = l->asked;
    l->asked = *m;
    if (busy || !x || !x->ring) {
        answer(g, l, busy ? GROUP_BUSY : GROUP_NOT_MEMBER);
        if (busy)
            l->asked = before;
        return;
    }
    name_of(&name, rule_of(x));
    l->giving = true;
    if (join_grant(g->join, l->conn, x->policy, &name, granted, g)) {
        l->giving = false;
        answer(g, l, GROUP_BUSY);
    }
}

/* ---- asking ---- */

static void forget_request(link_t *l)
{
    key_ephemeral_free(l->own);
    l->own = NULL;
}

/* A share that answers our request, taken when all of it holds. */
static rc_t take_share(groups_t *g, err_t *e, link_t *l, const group_frame_t *m)
{
    uint8_t info[INFO_LEN], id[MSG_GROUP_LEN];
    key_name_t name;
    group_t *x = &g->groups[l->wanted], found = { .there = true };
    rc_t rc = take_rule(g, &found, e, m->rule);
    if (!rc)
        rc = new_ring(g, &found.ring);
    const uint8_t *channel = join_channel(g->join, l->conn);
    name_of(&name, m->rule);
    write_info(info, l->request, key_ephemeral_pubkey(l->own), m->ephemeral);
    const key_box_t box = { l->own, m->ephemeral, channel, view_of(info, sizeof info), view_of(x->id, sizeof x->id) };
    if (!rc)
        rc = channel ? keyring_take(found.ring, &name, m->pubkey, m->sealed, &box) : RC_REFUSED;
    if (!rc)
        rc = keyring_use(found.ring, &name);
    if (!rc)
        rc = id_of(id, found.ring, m->rule);
    if (!rc && memcmp(id, x->id, sizeof id) != 0)
        rc = RC_REFUSED;
    if (rc) {
        clear_group(&found);
        return err_say(e, rc, "a group's share does not hold");
    }
    memcpy(found.id, x->id, sizeof found.id);
    *x = found;
    return RC_OK;
}

static rc_t take_answer(groups_t *g, err_t *e, link_t *l, const group_frame_t *m)
{
    if (!l->own || memcmp(m->id, l->request, sizeof l->request) != 0)
        return err_say(e, RC_REFUSED, "a group's share that nobody asked for");
    group_t *x = &g->groups[l->wanted];
    rc_t rc = RC_OK;
    const bool wanted = x->there && !x->ring && memcmp(x->id, l->wanted_id, sizeof x->id) == 0;
    if (wanted && m->status == GROUP_OK)
        rc = take_share(g, e, l, m);
    forget_request(l);
    if (!rc && wanted && x->ring)
        g->c.joined(g->c.ctx, x->id, x->ring);
    return rc;
}

static void ask(groups_t *g, link_t *l, size_t wanted)
{
    group_frame_t m = { .is_request = true };
    if (ephemeral(g, &l->own))
        return;
    g->c.random(g->c.ctx, l->request, sizeof l->request);
    l->wanted = wanted;
    memcpy(l->wanted_id, g->groups[wanted].id, sizeof l->wanted_id);
    memcpy(m.id, l->request, sizeof m.id);
    memcpy(m.group, g->groups[wanted].id, sizeof m.group);
    memcpy(m.ephemeral, key_ephemeral_pubkey(l->own), sizeof m.ephemeral);
    if (send_frame(g, l, &m))
        forget_request(l);
}

/* One group after the other, of each peer. */
static void ask_due(groups_t *g, link_t *l)
{
    if (!l->conn || !l->up || l->own || g->now_ms < l->again_ms)
        return;
    for (size_t k = 1; k <= MESSAGES_GROUPS_MAX; k++) {
        const size_t i = (l->wanted + k) % MESSAGES_GROUPS_MAX;
        if (g->groups[i].there && !g->groups[i].ring) {
            l->again_ms = g->now_ms + GROUP_AGAIN_MS;
            ask(g, l, i);
            return;
        }
    }
}

rc_t groups_want(groups_t *g, err_t *e, const uint8_t group[MSG_GROUP_LEN])
{
    group_t *x = free_place(g);
    if (find(g, group))
        return err_say(e, RC_REPLAY, "this group is asked for, or here, already");
    if (!x)
        return err_set(e, RC_LIMIT, "a node is in at most %u groups", MESSAGES_GROUPS_MAX);
    x->there = true;
    memcpy(x->id, group, MSG_GROUP_LEN);
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++) {
        g->links[i].again_ms = 0;
        ask_due(g, &g->links[i]);
    }
    return RC_OK;
}

void groups_leave(groups_t *g, const uint8_t group[MSG_GROUP_LEN])
{
    group_t *x = find(g, group);
    if (x)
        clear_group(x);
}

/* ---- streams ---- */

static rc_t take(void *ctx, err_t *e, net_conn_t *c, view_t message)
{
    groups_t *g = ctx;
    link_t *l = find_link(g, c);
    group_frame_t m;
    if (!l || !l->up)
        return RC_NEED_DATA;
    rc_t rc = group_frame_read(&m, e, message);
    if (rc)
        return rc;
    if (!m.is_request)
        return take_answer(g, e, l, &m);
    take_request(g, l, &m);
    return RC_OK;
}

static void up(void *ctx, net_conn_t *c)
{
    groups_t *g = ctx;
    link_t *l = find_link(g, c);
    if (!l)
        return;
    l->up = true;
    ask_due(g, l);
    framed_resume(g->framed, c); /* what the peer said before */
}

static void down(void *ctx, net_conn_t *c)
{
    link_t *l = find_link(ctx, c);
    if (!l)
        return;
    l->up = l->giving = false;
    forget_request(l);
}

rc_t groups_peer(groups_t *g, net_conn_t *c)
{
    link_t *l = find_link(g, c);
    if (!l)
        l = find_link(g, NULL);
    if (!l)
        return RC_LIMIT;
    l->conn = c;
    return framed_open(g->framed, c);
}

void groups_hold(groups_t *g, net_conn_t *c)
{
    framed_hold(g->framed, c);
}

void groups_closed(groups_t *g, net_conn_t *c)
{
    link_t *l = find_link(g, c);
    framed_closed(g->framed, c);
    if (!l)
        return;
    forget_request(l);
    memset(l, 0, sizeof *l);
}

uint64_t groups_turn(groups_t *g, uint64_t now_ms)
{
    bool wants = false;
    g->now_ms = now_ms;
    for (size_t i = 0; i < MESSAGES_GROUPS_MAX; i++)
        wants |= g->groups[i].there && !g->groups[i].ring;
    for (size_t i = 0; wants && i < MESSAGES_LINES_MAX; i++)
        ask_due(g, &g->links[i]);
    const uint64_t at = framed_turn(g->framed, now_ms);
    return wants && now_ms + 1000 < at ? now_ms + 1000 : at;
}

/* ---- life ---- */

rc_t groups_new(groups_t **out, join_t *join, const groups_config_t *config)
{
    groups_t *g = calloc(1, sizeof *g);
    if (!g)
        return RC_NOMEM;
    const framed_config_t f = {
        .name = GROUP_PROTOCOL, .max = GROUP_FRAME_MAX, .up = up, .down = down, .take = take, .ctx = g
    };
    g->c = *config;
    g->join = join;
    const rc_t rc = framed_new(&g->framed, &f);
    if (rc) {
        free(g);
        return rc;
    }
    *out = g;
    return RC_OK;
}

void groups_free(groups_t *g)
{
    if (!g)
        return;
    framed_free(g->framed);
    for (size_t i = 0; i < MESSAGES_LINES_MAX; i++)
        forget_request(&g->links[i]);
    for (size_t i = 0; i < MESSAGES_GROUPS_MAX; i++)
        clear_group(&g->groups[i]);
    free(g);
}

void groups_protocol(groups_t *g, net_protocol_t *out)
{
    framed_protocol(g->framed, out);
}
