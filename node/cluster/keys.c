/* keys.c - orders that change what a running cluster does, and which key generation signs. Orders are kept in the state
 * directory (file "order"): a cache, which is verified like one that a peer sends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/cluster/order_text.h"
#include "node/cluster/parts.h"
#include "tee/fault.h"

#define SELF_MS 60000u /* between two judgements of our own platform */
#define KEEP_MS 10000u /* between two tries to write the order */
static const char ORDER_FILE[] = "order";
typedef unsigned long long ull_t;

/* A policy of an order, in force or not: members are judged by it in other threads, so it stays until the end. */
struct kept_policy {
    kept_policy_t *next;
    policy_t *policy;
};

void keys_free(cluster_t *c)
{
    while (c->policies) {
        kept_policy_t *k = c->policies;
        c->policies = k->next;
        policy_free(k->policy);
        free(k);
    }
}

order_rules_t keys_rules(const cluster_t *c)
{
    const config_t *config = c->with.config;
    order_rules_t rules = { .threshold = (uint8_t)config->signers.threshold,
                            .signer_count = (uint8_t)config->signers.count,
                            .min_version = config->policy_min_version,
                            .ecdsa = c->ecdsa };
    memcpy(rules.signers, config->signers.keys, sizeof rules.signers);
    return rules;
}

/* ---- what is shown, and asked at each signature ---- */

/* Whether the policy in force admits this node itself: an honest one stops by itself. */
static void look_at_self(cluster_t *c)
{
    const order_signed_t *order = join_order(c->join);
    err_t e;
    const kept_policy_t *k = c->policies;
    const rc_t rc = k ? attest_admits_self(c->with.attest, &e, k->policy) : RC_OK;
    const bool excluded = rc && e.code && rc != RC_NEED_DATA && rc != RC_NOMEM;
    char text[240] = "";
    if (excluded)
        snprintf(text, sizeof text, "order %llu excludes this node: %s: %.150s", (ull_t)order->id.version,
                 tee_code_name(e.code), e.text);
    pthread_mutex_lock(&c->lock);
    const bool is_new = strcmp(c->excluded, text) != 0;
    snprintf(c->excluded, sizeof c->excluded, "%s", text);
    pthread_mutex_unlock(&c->lock);
    if (is_new)
        atomic_fetch_add(&c->silenced, 1);
    if (is_new && text[0])
        log_write(LOG_ERROR, "cluster", "%s", text);
}

static void copy_pubkey(uint8_t out[33], const keyring_t *ring, const key_name_t *name)
{
    if (!name || keyring_pubkey_of(ring, out, name))
        memset(out, 0, 33);
}

void keys_update(cluster_t *c)
{
    join_keys_t keys;
    uint8_t present[33], next[33];
    join_keys(c->join, &keys);
    const entry_proof_t *newest = join_newest(c->join);
    copy_pubkey(present, c->with.ring, keys.is_in_use ? &keys.in_use : NULL);
    copy_pubkey(next, c->with.ring, keys.holds ? &newest->entry.entry.name : NULL);
    pthread_mutex_lock(&c->lock);
    const bool changed = memcmp(c->present_key, present, 33) != 0 || memcmp(c->next_key, next, 33) != 0;
    if (c->keys.signer != keys.signer)
        atomic_fetch_add(&c->silenced, 1);
    if (!hash32_eq(&c->keys.newest, &keys.newest))
        c->rotation[0] = 0; /* the newest key is nobody's who lost trust before */
    if (newest && c->recalled[0]) {
        if (newest->entry.entry.name.version <= c->recalled_version)
            memcpy(c->rotation, c->recalled, sizeof c->rotation);
        c->recalled[0] = 0;
    }
    c->keys = keys;
    c->newest_version = newest ? newest->entry.entry.name.version : 0;
    c->order = join_order(c->join)->id;
    memcpy(c->present_key, present, 33);
    memcpy(c->next_key, next, 33);
    pthread_mutex_unlock(&c->lock);
    if (changed && keys.is_in_use)
        log_write(LOG_INFO, "key", "generation %llu.%u signs%s", (ull_t)keys.in_use.version, keys.in_use.index,
                  keys.until == UINT64_MAX ? "" : "; another is committed");
    if (changed && c->with.keyed)
        c->with.keyed(c->with.keyed_ctx);
}

/* Whether the peer of a connection holds the key that signs now. */
static bool holds(cluster_t *c, const net_conn_t *conn)
{
    const size_t n = join_members(c->join, c->seen, CLUSTER_MEMBERS_MAX);
    for (size_t i = 0; i < n; i++)
        if (c->seen[i].conn == conn)
            return c->seen[i].state && c->seen[i].state->holds;
    return false;
}

void keys_lost_trust(cluster_t *c, net_conn_t *conn, unsigned bye, const err_t *why)
{
    char peer[PEERID_TEXT_MAX + 1], text[240];
    if (bye != NET_BYE_POLICY || !why->code || !holds(c, conn))
        return;
    peerid_text(peer, net_peer(conn));
    snprintf(text, sizeof text, "member %s holds the key, and is not admitted any more: %s", peer,
             tee_code_name(why->code));
    pthread_mutex_lock(&c->lock);
    snprintf(c->rotation, sizeof c->rotation, "%s", text);
    pthread_mutex_unlock(&c->lock);
    log_write(LOG_WARN, "cluster", "rotation_needed: %s", text);
}

static const policy_t *policy_in_force(const cluster_t *c)
{
    return c->policies ? c->policies->policy : attest_policy(c->with.attest);
}

/* A reason for another key, unless there is one already. */
__attribute__((format(printf, 2, 3))) static void need_rotation(cluster_t *c, const char *format, ...)
{
    va_list ap;
    pthread_mutex_lock(&c->lock);
    const bool is_new = !c->rotation[0];
    va_start(ap, format);
    if (is_new)
        vsnprintf(c->rotation, sizeof c->rotation, format, ap);
    va_end(ap);
    pthread_mutex_unlock(&c->lock);
    if (is_new)
        log_write(LOG_WARN, "cluster", "rotation_needed: %s", c->rotation);
}

/* Whether the newest key signs for longer than the policy wants. The first one has no slot from which on it signs:
 * its age is counted from when this node saw it. */
static void look_at_age(cluster_t *c, const policy_t *policy)
{
    const uint64_t due_s = policy_rotate_after_s(policy), slot_s = c->with.config->network.seconds_per_slot;
    const entry_proof_t *newest = join_newest(c->join);
    pthread_mutex_lock(&c->lock);
    const uint64_t head = c->head;
    pthread_mutex_unlock(&c->lock);
    if (!newest || !head)
        return;
    if (!hash32_eq(&c->since_g, &newest->entry.g) || !c->since_slot) {
        c->since_g = newest->entry.g;
        c->since_slot = head;
    }
    const uint64_t from = newest->entry.entry.from_slot ? newest->entry.entry.from_slot : c->since_slot;
    if (due_s && head > from && (head - from) * slot_s >= due_s)
        need_rotation(c, "the key signs since slot %llu, longer than the %llu s of rotate_after_s", (ull_t)from,
                      (ull_t)due_s);
}

/* ---- the kept order ---- */

static rc_t keep(const cluster_t *c, err_t *e, const order_signed_t *order)
{
    const size_t max = ORDER_SIGNED_MAX + order->text.n;
    uint8_t *buf = c->with.state_dir ? malloc(max) : NULL;
    wr_t w = wr_of(buf, buf ? max : 0);
    if (!c->with.state_dir)
        return RC_OK;
    order_write(&w, order, true);
    const rc_t rc =
        w.bad ? err_say(e, RC_NOMEM, "out of memory") : persist_write(e, c->with.state_dir, ORDER_FILE, wr_view(&w));
    free(buf);
    return rc;
}

static void keep_told(cluster_t *c, const order_signed_t *order)
{
    err_t e;
    const rc_t rc = keep(c, &e, order);
    (void)persist_tell(&c->order_told, "state", "a restart has to be told the order again: ", rc, &e);
}

/* What a full disk kept from being written. */
static void keep_again(cluster_t *c, uint64_t now_ms)
{
    if (!c->order_told.failing || now_ms < c->order_ms || !join_order(c->join)->signature_count)
        return;
    c->order_ms = now_ms + KEEP_MS;
    keep_told(c, join_order(c->join));
}

/* A holder whose own platform the policy in force does not admit any more, its TCB out of date above all, says so; and
 * that the key is as old as the policy lets it become. */
void keys_turn(cluster_t *c, uint64_t now_ms)
{
    err_t e;
    keep_again(c, now_ms);
    if (!c->is_open || !c->keys.holds || now_ms < c->self_ms)
        return;
    c->self_ms = now_ms + SELF_MS;
    const policy_t *policy = policy_in_force(c);
    if (attest_admits_self(c->with.attest, &e, policy) && e.code >= E_TCB_STATUS && e.code < E_SIMULATED)
        need_rotation(c, "this node holds the key, and its own platform is not admitted any more: %s",
                      tee_code_name(e.code));
    look_at_age(c, policy);
}

void keys_platforms(cluster_t *c)
{
    const uint32_t least = policy_min_platforms(policy_in_force(c));
    attest_status_t own;
    char text[sizeof c->alone] = "";
    attest_status(c->with.attest, &own);
    pthread_mutex_lock(&c->lock);
    const unsigned n = report_platforms(c, &own);
    if (n < least)
        snprintf(text, sizeof text, "members that are connected run on %u platforms, and the policy wants %u", n,
                 least);
    const bool changes = !text[0] != !c->alone[0];
    snprintf(c->alone, sizeof c->alone, "%s", text);
    pthread_mutex_unlock(&c->lock);
    if (changes)
        atomic_fetch_add(&c->silenced, 1);
}

static const char *why_not(const join_keys_t *k)
{
    switch (k->signer) {
    case GEN_SIGNS: return NULL;
    case GEN_NO_KEY: return "this node holds no key of the cluster";
    case GEN_NEWER_KEY: return "newer_key: a newer key is committed, and this node does not hold it yet";
    case GEN_CONTRADICTED: return "the maker of the newest key committed two under one name: the next order ends that";
    case GEN_RETIRED: return "the key of this slot is retired";
    }
    return NULL;
}

/* With the lock held: whether a slot can be signed for by what was seen last. */
static bool signs(cluster_t *c, err_t *why, uint64_t slot)
{
    const char *text = c->excluded[0] ? c->excluded : why_not(&c->keys);
    if (!text && c->astray[0])
        text = c->astray;
    if (!text && c->alone[0])
        text = c->alone;
    if (!text && slot >= c->keys.until)
        text = "another key begins to sign";
    if (text)
        (void)err_say(why, RC_REFUSED, text);
    return !text && !floor_may_sign(&c->floor, why, slot, clock_monotonic_ms() + 1);
}

static rc_t head(cluster_t *c, err_t *e, const void *arg)
{
    (void)e;
    join_head(c->join, *(const uint64_t *)arg);
    keys_update(c);
    join_tell(c->join); /* our head goes along, with its proof */
    return RC_OK;
}

bool cluster_signs(cluster_t *c, err_t *why, uint64_t slot, bool unserved)
{
    pthread_mutex_lock(&c->lock);
    if (!unserved)
        floor_head(&c->floor, slot);
    const bool due = c->keys.is_in_use && slot >= c->keys.until && slot > c->head;
    bool may = signs(c, why, slot);
    pthread_mutex_unlock(&c->lock);
    if (!due)
        return may;
    cluster_head(c, slot);
    pthread_mutex_lock(&c->lock);
    may = signs(c, why, slot);
    pthread_mutex_unlock(&c->lock);
    return may;
}

uint64_t cluster_turn(const cluster_t *c)
{
    return keyring_turn(c->with.ring) + atomic_load(&c->silenced);
}

void cluster_head(cluster_t *c, uint64_t slot)
{
    err_t e;
    pthread_mutex_lock(&c->lock);
    const bool is_new = slot > c->head;
    if (is_new)
        c->head = slot;
    pthread_mutex_unlock(&c->lock);
    if (is_new && call_on_loop(c, &e, head, &slot))
        log_write(LOG_WARN, "cluster", "%s", e.text);
}

void cluster_key(cluster_t *c, uint8_t present[33], uint8_t next[33])
{
    pthread_mutex_lock(&c->lock);
    memcpy(present, c->present_key, 33);
    memcpy(next, c->next_key, 33);
    pthread_mutex_unlock(&c->lock);
}

void keys_status(const cluster_t *c, jw_t *w)
{
    const join_keys_t *k = &c->keys;
    jw_object(w, "order");
    jw_u64(w, "version", c->order.version);
    jw_hex(w, "digest", view_of(c->order.digest.b, 32));
    jw_end(w);
    if (k->is_in_use) {
        jw_object(w, "generation");
        jw_u64(w, "version", k->in_use.version);
        jw_u64(w, "index", k->in_use.index);
        jw_hex(w, "order", view_of(k->in_use.order.b, 32));
        k->until == UINT64_MAX ? jw_null(w, "until_slot") : jw_u64(w, "until_slot", k->until);
        jw_end(w);
    } else
        jw_null(w, "generation");
    c->rotation[0] ? jw_str(w, "rotation_needed", c->rotation) : jw_null(w, "rotation_needed");
}

/* ---- orders ---- */

/* Reads the policy of an order that is valid, and puts both into force. */
static rc_t put_into_force(cluster_t *c, err_t *e, const order_signed_t *order, bool is_kept)
{
    kept_policy_t *k = calloc(1, sizeof *k);
    rc_t rc = k ? RC_OK : err_say(e, RC_NOMEM, "out of memory");
    if (!rc)
        rc = err_under(e, attest_read_policy(c->with.attest, &k->policy, e, order->text), "policy");
    if (!rc && !is_kept)
        keep_told(c, order);
    if (!rc)
        rc = join_set_order(c->join, order, k->policy);
    if (rc) {
        if (k)
            policy_free(k->policy);
        free(k);
        return rc;
    }
    k->next = c->policies;
    c->policies = k;
    log_write(LOG_INFO, "order", "order %llu is in force%s: %u makers, %u seats", (ull_t)order->id.version,
              is_kept ? ", as kept" : "", order->order.maker_count, order->order.seat_count);
    look_at_self(c);
    keys_update(c);
    return RC_OK;
}

static rc_t take(cluster_t *c, err_t *e, const order_signed_t *order, bool is_kept)
{
    const rc_t rc = join_judge_order(c->join, e, order);
    return rc ? rc : put_into_force(c, e, order, is_kept);
}

/* Until a node that names peers knows which cluster is its own, they decide that (E9): an order of another one with the
 * same signers, which somebody else brings, would keep it from theirs for good. */
static bool may_bring(const cluster_t *c, const net_conn_t *from, const order_signed_t *order)
{
    static const uint8_t any[33];
    if (memcmp(order->order.cluster, any, sizeof any) == 0 || gen_cluster(join_generations(c->join)) ||
        (!c->with.config->peer_count && !c->with.by_list))
        return true;
    return net_dialled(from) || peers_rank(c->peers, net_peer(from)) != SIZE_MAX ||
           (!net_addr(from)->circuit && peers_names(c->peers, net_addr(from)));
}

void keys_ordered(void *ctx, net_conn_t *from, const order_signed_t *order)
{
    cluster_t *c = ctx;
    err_t e;
    if (!may_bring(c, from, order))
        return;
    const rc_t rc = take(c, &e, order, false);
    if (rc && rc != RC_REPLAY)
        log_write(LOG_WARN, "order", "order %llu of a peer is not taken: %s%s%s", (ull_t)order->id.version, e.field,
                  e.field[0] ? ": " : "", e.text);
}

void keys_recall(cluster_t *c)
{
    view_t kept = { NULL, 0 };
    bool found = false;
    err_t e;
    order_signed_t order;
    if (!c->with.state_dir)
        return;
    rc_t rc = persist_read(&kept, &found, &e, c->with.state_dir, ORDER_FILE, ORDER_MAX);
    if (!rc && found)
        rc = order_read(&order, &e, kept);
    if (!rc && found)
        rc = take(c, &e, &order, true);
    if (rc && rc != RC_REPLAY)
        log_write(LOG_WARN, "state", "the kept order is not taken: %s%s%s", e.field, e.field[0] ? ": " : "", e.text);
    file_free(kept);
}

rc_t keys_leave(cluster_t *c, err_t *e)
{
    static const uint8_t any[33];
    const policy_t *policy = attest_policy(c->with.attest);
    order_signed_t order;
    if (memcmp(join_order(c->join)->order.cluster, any, sizeof any) == 0 || join_newest(c->join))
        return RC_OK;
    log_write(LOG_WARN, "order", "order %llu was of a cluster that is gone: the configuration's policy is in force",
              (ull_t)join_order(c->join)->id.version);
    order_unsigned(&order, policy_digest(policy), c->with.config->policy_min_version);
    return join_leave(c->join, &order, policy) ? err_say(e, RC_NOMEM, "out of memory") : RC_OK;
}

static rc_t take_bytes(cluster_t *c, err_t *e, const void *arg)
{
    order_signed_t order;
    const rc_t rc = order_read(&order, e, *(const view_t *)arg);
    if (rc)
        return rc;
    if (order_id_cmp(&order.id, &join_order(c->join)->id) == 0)
        return RC_OK; /* it came another way */
    return take(c, e, &order, false);
}

rc_t keys_take_kept(cluster_t *c, err_t *e, view_t bytes)
{
    order_signed_t order;
    const order_signed_t *present = join_order(c->join);
    if (!bytes.n)
        return present->signature_count
                   ? err_in(e, RC_REPLAY, "order", "%llu is in force here: the key was kept before it",
                            (ull_t)present->id.version)
                   : RC_OK;
    rc_t rc = err_under(e, order_read(&order, e, bytes), "order");
    if (!rc && order_id_cmp(&order.id, &present->id) != 0)
        rc = err_under(e, take(c, e, &order, false), "order");
    if (!rc && c->excluded[0])
        rc = err_in(e, RC_REFUSED, "order", "%s", c->excluded);
    return rc;
}

rc_t cluster_take_order(cluster_t *c, err_t *e, view_t order)
{
    return call_on_loop(c, e, take_bytes, &order);
}

/* ---- GET /v1/keys ---- */

static void put_members(jw_t *w, const entry_t *x)
{
    jw_array(w, "members");
    for (size_t i = 0; i < x->member_count; i++)
        jw_hex(w, NULL, view_of(x->members[i], 33));
    jw_end(w);
}

static void put_generation(jw_t *w, const entry_proof_t *p, uint8_t buf[ENTRY_PROOF_MAX])
{
    const entry_t *x = &p->entry.entry;
    wr_t bytes = wr_of(buf, ENTRY_PROOF_MAX);
    entry_proof_write(&bytes, p);
    jw_object(w, NULL);
    jw_u64(w, "version", x->name.version);
    jw_u64(w, "index", x->name.index);
    jw_hex(w, "order", view_of(x->name.order.b, 32));
    jw_hex(w, "pubkey", view_of(x->pubkey, 33));
    jw_u64(w, "from_slot", x->from_slot);
    if (p->has_order)
        jw_decimal(w, "void_slot", p->order.order.void_slot);
    put_members(w, x);
    jw_hex(w, "proof", wr_view(&bytes));
    jw_end(w);
}

static void put_signers(jw_t *w, const config_signers_t *s)
{
    jw_object(w, "signers");
    jw_array(w, "keys");
    for (size_t i = 0; i < s->count; i++)
        jw_hex(w, NULL, view_of(s->keys[i], 33));
    jw_end(w);
    jw_u64(w, "threshold", s->threshold);
    jw_end(w);
}

static rc_t put_keys(cluster_t *c, err_t *e, const void *arg)
{
    jw_t *w = (jw_t *)(uintptr_t)arg;
    const entry_proof_t *all[KEYS_SHOWN_MAX];
    const gen_t *g = join_generations(c->join);
    const size_t n = gen_committed(g, all, KEYS_SHOWN_MAX);
    const uint8_t *cluster = gen_cluster(g);
    uint8_t *buf = malloc(ENTRY_PROOF_MAX);
    if (!buf)
        return err_say(e, RC_NOMEM, "out of memory");
    jw_object(w, NULL);
    cluster ? jw_hex(w, "cluster", view_of(cluster, 33)) : jw_null(w, "cluster");
    pthread_mutex_lock(&c->lock);
    c->statement.n ? jw_raw(w, "cluster_statement", c->statement) : jw_null(w, "cluster_statement");
    c->keys.is_in_use ? jw_hex(w, "pubkey", view_of(c->present_key, 33)) : jw_null(w, "pubkey");
    pthread_mutex_unlock(&c->lock);
    put_signers(w, &c->with.config->signers);
    order_text_write(w, "order", join_order(c->join));
    jw_array(w, "generations");
    for (size_t i = 0; i < n; i++)
        put_generation(w, all[i], buf);
    jw_end(w);
    jw_end(w);
    free(buf);
    return RC_OK;
}

rc_t cluster_keys(cluster_t *c, err_t *e, jw_t *w)
{
    return call_on_loop(c, e, put_keys, w);
}
