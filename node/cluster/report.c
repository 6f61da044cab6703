/* report.c - what is known of members, copied on the loop's thread and shown on any. */
#include <stdio.h>

#include "base/crypto/hash.h"
#include "node/cluster/parts.h"
#include "tee/fault.h"

static void show_member(shown_member_t *out, const join_member_t *m)
{
    *out = (shown_member_t){ .peer = *net_peer(m->conn),
                             .addr = *net_addr(m->conn),
                             .dialled = net_dialled(m->conn),
                             .phase = m->phase,
                             .platform = m->platform,
                             .order_version = m->order.version };
    out->addr.peer.n = 0;
    if (m->static_key)
        memcpy(out->static_key, m->static_key, sizeof out->static_key);
    if (m->state) {
        out->has_state = true;
        out->holds = m->state->holds;
        out->finalized_slot = m->state->finalized.slot;
        out->head_slot = m->state->optimistic.slot;
    }
    if (m->first)
        memcpy(out->cluster, m->first->pubkey, sizeof out->cluster);
    snprintf(out->trouble, sizeof out->trouble, "%s", m->trouble->text);
}

/* ---- offers ---- */

static bool is_turned_down(const cluster_t *c, const uint8_t pubkey[33])
{
    for (size_t i = 0; i < c->turned_down_count; i++)
        if (memcmp(c->turned_down[i].pubkey, pubkey, 33) == 0)
            return true;
    return false;
}

static uint64_t slot_now(const cluster_t *c)
{
    const int64_t now_s = c->with.now_s(c->with.time_ctx);
    return lc_slot_at(&c->with.config->network, (uint64_t)now_s * 1000);
}

/* Members whose roots are looked at together, of one offer. */
typedef struct {
    const join_member_t *members;
    const size_t *offers;
    size_t count, offer;
    uint64_t now_slot;
} namers_t;

static bool has_misled(const cluster_t *c, const uint8_t key[33])
{
    for (size_t i = 0; i < c->misled_count; i++)
        if (memcmp(c->misled[i], key, 33) == 0)
            return true;
    return false;
}

/* Whether a member names a root, of a slot where somebody may be. */
static bool names_root(const cluster_t *c, const namers_t *n, size_t k)
{
    return n->offers[k] == n->offer && n->members[k].state->finalized.is_there &&
           n->members[k].state->finalized.slot <= n->now_slot + 1 && !has_misled(c, n->members[k].static_key);
}

static bool same_root(const state_claim_t *a, const state_claim_t *b)
{
    return a->slot == b->slot && hash32_eq(&a->root, &b->root);
}

/* Whether another member names the same root as one does. */
static bool is_seconded(const cluster_t *c, const namers_t *n, size_t k)
{
    for (size_t i = 0; i < n->count; i++)
        if (names_root(c, n, i) && memcmp(n->members[i].static_key, n->members[k].static_key, 33) != 0 &&
            same_root(&n->members[i].state->finalized, &n->members[k].state->finalized))
            return true;
    return false;
}

/* The highest root that two members of a cluster name, else the highest; two at one slot contradict. */
static void find_root(cluster_t *c, const namers_t *n)
{
    cluster_offer_t *o = &c->offers[n->offer];
    bool *contradicts = &c->offer_contradicts[n->offer], seconded = false;
    for (size_t k = 0; k < n->count; k++) {
        if (!names_root(c, n, k))
            continue;
        const state_claim_t *claim = &n->members[k].state->finalized;
        const bool agreed = is_seconded(c, n, k);
        if (o->has_root && agreed == seconded && claim->slot == o->slot && !hash32_eq(&claim->root, &o->root))
            *contradicts = true;
        if (o->has_root && (agreed == seconded ? claim->slot <= o->slot : seconded))
            continue;
        *contradicts = false;
        seconded = agreed;
        o->has_root = true;
        o->slot = claim->slot;
        o->root = claim->root;
        memcpy(o->by, n->members[k].static_key, sizeof o->by);
    }
}

void report_roots(cluster_t *c, const join_member_t *members, const size_t *offers, size_t count, uint64_t now_slot)
{
    for (size_t i = 0; i < c->offer_count; i++) {
        const namers_t n = { members, offers, count, i, now_slot };
        find_root(c, &n);
        if (c->offers[i].has_root || !c->misled_count)
            continue;
        c->misled_count = 0; /* all of them: it was for another reason */
        find_root(c, &n);
    }
}

void cluster_misled(cluster_t *c, const cluster_offer_t *offer)
{
    pthread_mutex_lock(&c->lock);
    if (!has_misled(c, offer->by)) {
        if (c->misled_count == CLUSTER_MEMBERS_MAX)
            c->misled_count = 0;
        memcpy(c->misled[c->misled_count++], offer->by, sizeof offer->by);
    }
    pthread_mutex_unlock(&c->lock);
}

/* Of which offer a member is; CLUSTER_OFFERS_MAX: of none. */
static size_t note_offer(cluster_t *c, const join_member_t *m)
{
    hash32_t hash;
    size_t i = 0;
    if (m->phase != JOIN_PEER || !m->state->holds || !m->first || !m->state->statement.n)
        return CLUSTER_OFFERS_MAX;
    sha256(&hash, m->state->statement);
    if (!hash32_eq(&hash, &m->first->setup) || is_turned_down(c, m->first->pubkey) || !listed_admits(c, m))
        return CLUSTER_OFFERS_MAX;
    while (i < c->offer_count && memcmp(c->offers[i].pubkey, m->first->pubkey, 33) != 0)
        i++;
    if (i == CLUSTER_OFFERS_MAX)
        return i;
    cluster_offer_t *o = &c->offers[i];
    const size_t rank = peers_rank(c->peers, net_peer(m->conn));
    if (i == c->offer_count) {
        c->offer_count++;
        *o = (cluster_offer_t){ .setup = hash, .statement_n = m->state->statement.n };
        memcpy(o->pubkey, m->first->pubkey, sizeof o->pubkey);
        memcpy(o->statement, m->state->statement.p, o->statement_n);
        c->offer_rank[i] = rank;
        c->offer_contradicts[i] = false;
    }
    if (rank < c->offer_rank[i])
        c->offer_rank[i] = rank;
    return i;
}

/* Who is banned now, with the lock held. */
static void show_bans(cluster_t *c)
{
    const bans_t *bans = peers_bans(c->peers);
    const uint64_t now_ms = clock_monotonic_ms();
    c->ban_count = 0;
    for (size_t i = 0; i < bans->count && c->ban_count < CLUSTER_BANS_MAX; i++)
        if (bans->rows[i].until_ms > now_ms)
            c->bans[c->ban_count++] = (shown_ban_t){ bans->rows[i], bans->rows[i].until_ms - now_ms };
}

static void show_circuits(cluster_t *c)
{
    size_t places;
    circuits_counts(c->circuits, &c->relayed, &places);
    c->reached_count = circuits_addrs(c->circuits, c->reached, CLUSTER_REACHED_MAX);
}

void report_update(cluster_t *c)
{
    const join_member_t *members = c->seen;
    const peers_row_t *rows = c->rows;
    const size_t count = join_members(c->join, c->seen, CLUSTER_MEMBERS_MAX);
    size_t offers[CLUSTER_MEMBERS_MAX];
    pthread_mutex_lock(&c->lock);
    c->member_count = count;
    c->offer_count = 0;
    for (size_t i = 0; i < count; i++) {
        show_member(&c->members[i], &members[i]);
        offers[i] = note_offer(c, &members[i]);
    }
    report_roots(c, members, offers, count, slot_now(c));
    c->refusal_count = join_refusals(c->join, c->refusals);
    c->address_count = peers_rows(c->peers, c->rows, PEERS_TARGETS_MAX);
    for (size_t i = 0; i < c->address_count; i++) {
        c->addresses[i].row = rows[i];
        snprintf(c->addresses[i].why, sizeof c->addresses[i].why, "%s", rows[i].why->text);
    }
    show_bans(c);
    show_circuits(c);
    listed_look(c);
    pthread_mutex_unlock(&c->lock);
    keys_platforms(c);
}

bool cluster_offer(cluster_t *c, cluster_offer_t *out)
{
    pthread_mutex_lock(&c->lock);
    size_t best = c->offer_count;
    for (size_t i = 0; i < c->offer_count; i++)
        if (!is_turned_down(c, c->offers[i].pubkey) &&
            (best == c->offer_count || c->offer_rank[i] < c->offer_rank[best]))
            best = i;
    const bool found = best < c->offer_count;
    if (found) {
        *out = c->offers[best];
        out->has_root &= !c->offer_contradicts[best];
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

void cluster_turn_down(cluster_t *c, const uint8_t pubkey[33], const err_t *why)
{
    pthread_mutex_lock(&c->lock);
    if (c->turned_down_count < CLUSTER_TURNED_DOWN_MAX && !is_turned_down(c, pubkey)) {
        memcpy(c->turned_down[c->turned_down_count].pubkey, pubkey, 33);
        c->turned_down[c->turned_down_count++].why = *why;
    }
    pthread_mutex_unlock(&c->lock);
}

void cluster_count(cluster_t *c, cluster_count_t *out)
{
    *out = (cluster_count_t){ 0 };
    pthread_mutex_lock(&c->lock);
    out->connected = (unsigned)c->member_count;
    for (size_t i = 0; i < c->member_count; i++) {
        out->attested += c->members[i].phase != JOIN_ATTESTING;
        out->holders += c->members[i].phase != JOIN_ATTESTING && c->members[i].holds;
    }
    out->knows_list = c->anchor.is_known;
    out->addresses = (unsigned)c->address_count;
    for (size_t i = 0; i < c->address_count; i++) {
        const peers_row_t *row = &c->addresses[i].row;
        out->untried += !row->connected && !row->failures && !row->self;
    }
    pthread_mutex_unlock(&c->lock);
}

/* ---- whom nobody takes in ---- */

/* The peer that answers at an address, as a member; NULL: it is none. */
static const shown_member_t *member_at(const cluster_t *c, const peers_row_t *row)
{
    for (size_t i = 0; i < c->member_count; i++)
        if (c->members[i].phase != JOIN_ATTESTING && peerid_eq(&c->members[i].peer, &row->peer))
            return &c->members[i];
    return NULL;
}

/* Why a member is none to join: it runs another order, or its cluster was turned down; NULL: it may be one. */
static const char *strange(const cluster_t *c, const shown_member_t *m)
{
    if (m->phase == JOIN_ATTESTED && m->has_state && m->trouble[0])
        return m->trouble;
    for (size_t i = 0; i < c->turned_down_count; i++)
        if (m->holds && memcmp(c->turned_down[i].pubkey, m->cluster, 33) == 0)
            return c->turned_down[i].why.text;
    return NULL;
}

/* Why this node and the peer that answered last at an address have nothing to do with each other; NULL: they may. */
static const char *refused_at(const cluster_t *c, const peers_row_t *row)
{
    const shown_member_t *m = member_at(c, row);
    if (m)
        return strange(c, m);
    if (row->failures > 1) /* nobody has answered since */
        return NULL;
    for (size_t i = 0; i < c->refusal_count; i++) {
        const join_refusal_t *r = &c->refusals[i];
        if (!peerid_eq(&r->peer, &row->peer))
            continue;
        const bool is_final = r->bye == NET_BYE_POLICY || r->bye == NET_BYE_WRONG_CHAIN || r->bye == NET_BYE_ATTEST;
        return is_final && r->why.rc != RC_TIMEOUT ? r->why.text : NULL;
    }
    return NULL;
}

/* With the lock held: the first configured peer that refuses, with its reason; NULL: none, or there is still hope. */
static const peers_row_t *first_refusing(const cluster_t *c, const char **reason)
{
    const peers_row_t *first = NULL;
    for (size_t i = 0; i < c->member_count; i++)
        if (c->members[i].phase != JOIN_ATTESTING && !strange(c, &c->members[i]))
            return NULL;
    for (size_t i = 0; i < c->address_count; i++) {
        const peers_row_t *row = &c->addresses[i].row;
        if (row->source != PEERS_CONFIGURED || row->self)
            continue;
        const char *of = refused_at(c, row);
        if (!of)
            return NULL;
        if (!first) {
            first = row;
            *reason = of;
        }
    }
    return first;
}

bool cluster_is_refused(cluster_t *c, err_t *why)
{
    char addr[MADDR_TEXT_MAX + 1];
    const char *of = NULL;
    pthread_mutex_lock(&c->lock);
    const peers_row_t *row = first_refusing(c, &of);
    if (row) {
        maddr_t at = row->way;
        at.peer.n = 0;
        maddr_text(addr, &at);
        (void)err_set(why, RC_REFUSED, "no peer lets this node join: %s: %.150s", addr, of);
    }
    pthread_mutex_unlock(&c->lock);
    return row != NULL;
}

/* ---- JSON ---- */

static void put_addr(jw_t *w, const maddr_t *addr)
{
    char text[MADDR_TEXT_MAX + 1];
    maddr_text(text, addr);
    jw_str(w, "address", text);
}

static void put_peer(jw_t *w, const peerid_t *peer)
{
    char text[PEERID_TEXT_MAX + 1];
    peerid_text(text, peer);
    if (peer->n)
        jw_str(w, "peer", text);
    else
        jw_null(w, "peer");
}

static void put_member(jw_t *w, const shown_member_t *m)
{
    static const char *const phases[] = {
        [JOIN_ATTESTING] = "attesting", [JOIN_ATTESTED] = "attested", [JOIN_PEER] = "peer"
    };
    jw_object(w, NULL);
    put_peer(w, &m->peer);
    put_addr(w, &m->addr);
    jw_bool(w, "dialled", m->dialled);
    jw_str(w, "state", phases[m->phase]);
    if (m->phase != JOIN_ATTESTING) {
        jw_hex(w, "node_pubkey", view_of(m->static_key, sizeof m->static_key));
        jw_hex(w, "platform", view_of(m->platform.b, 32));
        jw_u64(w, "order_version", m->order_version);
    }
    if (m->has_state) {
        jw_bool(w, "holds_key", m->holds);
        m->cluster[0] ? jw_hex(w, "cluster", view_of(m->cluster, sizeof m->cluster)) : jw_null(w, "cluster");
        jw_u64(w, "finalized_slot", m->finalized_slot);
        jw_u64(w, "head_slot", m->head_slot);
    }
    jw_str(w, "trouble", m->trouble);
    jw_end(w);
}

static void put_refusal(jw_t *w, const join_refusal_t *r, uint64_t now_ms)
{
    maddr_t addr = r->addr;
    addr.peer.n = 0;
    jw_object(w, NULL);
    put_peer(w, &r->peer);
    put_addr(w, &addr);
    jw_str(w, "code", r->why.code ? tee_code_name(r->why.code) : "");
    jw_str(w, "reason", r->why.text);
    jw_u64(w, "times", r->times);
    jw_u64(w, "seconds_ago", (now_ms - r->at_ms) / 1000);
    jw_end(w);
}

static void put_ban(jw_t *w, const shown_ban_t *b)
{
    maddr_t at = { .host = b->ban.host };
    char text[MADDR_TEXT_MAX + 1];
    memcpy(at.ip, b->ban.ip, sizeof at.ip);
    maddr_text(text, &at); /* "/ip4/192.0.2.1/tcp/0", of which the beginning is shown */
    *strstr(text, "/tcp") = 0;
    jw_object(w, NULL);
    put_peer(w, &b->ban.peer);
    if (b->ban.peer.n)
        jw_null(w, "host");
    else
        jw_str(w, "host", text);
    jw_str(w, "reason", bans_fault_name(b->ban.fault));
    jw_u64(w, "seconds_left", b->left_ms / 1000);
    jw_end(w);
}

/* With the lock held. */
static void put_lists(jw_t *w, const cluster_t *c)
{
    static const char *const sources[] = {
        [PEERS_CONFIGURED] = "configured", [PEERS_LEARNED] = "learned", [PEERS_HINTED] = "hinted"
    };
    const uint64_t now_ms = clock_monotonic_ms();
    jw_array(w, "members");
    for (size_t i = 0; i < c->member_count; i++)
        put_member(w, &c->members[i]);
    jw_end(w);
    jw_array(w, "addresses");
    for (size_t i = 0; i < c->address_count; i++) {
        const peers_row_t *row = &c->addresses[i].row;
        jw_object(w, NULL);
        put_addr(w, &row->way);
        jw_str(w, "source", sources[row->source]);
        jw_bool(w, "connected", row->connected);
        jw_u64(w, "failures", row->failures);
        jw_str(w, "trouble", row->self ? "that is this node itself" : c->addresses[i].why);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "refused");
    for (size_t i = 0; i < c->refusal_count; i++)
        put_refusal(w, &c->refusals[i], now_ms);
    jw_end(w);
    jw_array(w, "banned");
    for (size_t i = 0; i < c->ban_count; i++)
        put_ban(w, &c->bans[i]);
    jw_end(w);
}

void cluster_peers(cluster_t *c, jw_t *w)
{
    jw_object(w, NULL);
    pthread_mutex_lock(&c->lock);
    put_lists(w, c);
    pthread_mutex_unlock(&c->lock);
    jw_end(w);
}

static bool is_on(const shown_member_t *m, const hash32_t *platform)
{
    return m->phase == JOIN_PEER && hash32_eq(&m->platform, platform);
}

unsigned report_platforms(const cluster_t *c, const attest_status_t *own)
{
    unsigned n = own->verified;
    for (size_t i = 0; i < c->member_count; i++) {
        const shown_member_t *m = &c->members[i];
        size_t k = 0;
        while (k < i && !is_on(&c->members[k], &m->platform))
            k++;
        n += m->phase == JOIN_PEER && k == i && !(own->verified && hash32_eq(&m->platform, &own->platform));
    }
    return n;
}

void cluster_attested(cluster_t *c, attestation_cluster_t *out)
{
    attest_status_t own;
    attest_status(c->with.attest, &own);
    *out = (attestation_cluster_t){ .is_there = false };
    pthread_mutex_lock(&c->lock);
    if (c->keys.is_in_use)
        *out = (attestation_cluster_t){ .is_there = true,
                                        .generation = c->keys.in_use.version,
                                        .index = c->keys.in_use.index,
                                        .order = c->keys.in_use.order,
                                        .order_version = c->order.version,
                                        .platforms = report_platforms(c, &own) };
    pthread_mutex_unlock(&c->lock);
}

/* What goes through relays. With the lock held. */
static void put_relay(jw_t *w, const cluster_t *c)
{
    static const char *const words[] = { "off", "use", "serve" };
    jw_object(w, "relay");
    jw_str(w, "mode", words[c->with.config->relay]);
    jw_u64(w, "places", c->relayed.places);
    jw_u64(w, "circuits", c->relayed.circuits);
    jw_u64(w, "bytes", c->relayed.bytes);
    jw_array(w, "reached_at");
    for (size_t i = 0; i < c->reached_count; i++) {
        char text[MADDR_TEXT_MAX + 1];
        maddr_text(text, &c->reached[i]);
        jw_str(w, NULL, text);
    }
    jw_end(w);
    jw_end(w);
}

void cluster_status(cluster_t *c, jw_t *w)
{
    unsigned peers = 0;
    attest_status_t own;
    attest_status(c->with.attest, &own);
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->member_count; i++)
        peers += c->members[i].phase == JOIN_PEER;
    jw_object(w, "overlay");
    jw_u64(w, "port", c->with.config->overlay_port);
    jw_str(w, "trouble", c->port_trouble);
    jw_bool(w, "holds_key", c->keys.holds);
    keys_status(c, w);
    heads_status(c, w);
    jw_bool(w, "cluster_pinned", c->with.config->cluster[0] != 0);
    jw_u64(w, "peers", peers);
    jw_u64(w, "platforms", report_platforms(c, &own));
    put_relay(w, c);
    recover_status(c, w);
    put_lists(w, c);
    jw_array(w, "other_clusters");
    for (size_t i = 0; i < c->turned_down_count; i++) {
        jw_object(w, NULL);
        jw_hex(w, "cluster", view_of(c->turned_down[i].pubkey, 33));
        jw_str(w, "reason", c->turned_down[i].why.text);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
    pthread_mutex_unlock(&c->lock);
}
