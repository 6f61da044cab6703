#include "overlay/generation.h"

#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/guard.h"

#define RECORDS 12u
#define NONE RECORDS
#define PENDING 64u /* acknowledgements of entries that we do not have yet */
#define OUT_MAX 512u

/* A generation that we have heard of: a draft, or a committed one. */
typedef struct {
    bool there, held, committed, contradicted;
    entry_proof_t proof;
} record_t;

typedef struct {
    gen_kind_t kind;
    bool to_all;
    uint8_t to[33];
    hash32_t g;
    uint8_t of[33]; /* of an ACK: the member's, whose place among them moves as others come */
} send_t;

struct gen {
    gen_config_t c;
    uint8_t pinned[33];   /* zeros: to none */
    bool has_order, made; /* made: our own generation for that order */
    order_signed_t order;
    uint64_t taken_ms;
    bool has_head;
    uint64_t head;
    uint8_t peers[GEN_PEERS_MAX][33];
    size_t peer_count;
    record_t records[RECORDS];
    size_t in_use;
    bool has_acked;
    key_name_t acked; /* the newest that we acknowledged */
    entry_ack_t pending[PENDING];
    size_t pending_count, pending_next;
    send_t out[OUT_MAX]; /* a ring */
    size_t out_first, out_count;
    uint8_t bytes[ENTRY_PROOF_MAX];
};

rc_t gen_new(gen_t **out, const gen_config_t *config)
{
    gen_t *g = calloc(1, sizeof *g);
    if (!g)
        return RC_NOMEM;
    g->c = *config;
    memcpy(g->pinned, config->rules.cluster, sizeof g->pinned);
    g->in_use = NONE;
    *out = g;
    return RC_OK;
}

void gen_free(gen_t *g)
{
    free(g);
}

/* ---- records ---- */

static const entry_t *entry_of(const record_t *r)
{
    return &r->proof.entry.entry;
}

static const key_name_t *name_of(const record_t *r)
{
    return &entry_of(r)->name;
}

static order_id_t order_of(const record_t *r)
{
    return (order_id_t){ name_of(r)->version, name_of(r)->order };
}

/* The first public key of the cluster that a proof is of. */
static const uint8_t *cluster_of(const entry_proof_t *p)
{
    return p->has_order ? p->order.order.cluster : p->entry.entry.pubkey;
}

const uint8_t *gen_cluster(const gen_t *g)
{
    static const uint8_t zeros[33];
    return memcmp(g->c.rules.cluster, zeros, sizeof zeros) ? g->c.rules.cluster : NULL;
}

static bool is_of(const record_t *r, const uint8_t *cluster)
{
    return r->there && cluster && memcmp(cluster_of(&r->proof), cluster, 33) == 0;
}

static size_t find(const gen_t *g, const hash32_t *digest)
{
    for (size_t i = 0; i < RECORDS; i++)
        if (g->records[i].there && hash32_eq(&g->records[i].proof.entry.g, digest))
            return i;
    return NONE;
}

/* The newest committed generation of a cluster that signs at a slot. */
static size_t newest_at(const gen_t *g, const uint8_t *cluster, uint64_t slot)
{
    size_t best = NONE;
    for (size_t i = 0; i < RECORDS; i++) {
        const record_t *r = &g->records[i];
        if (is_of(r, cluster) && r->committed && entry_of(r)->from_slot <= slot &&
            (best == NONE || key_name_cmp(name_of(r), name_of(&g->records[best])) > 0))
            best = i;
    }
    return best;
}

static size_t newest(const gen_t *g)
{
    return newest_at(g, gen_cluster(g), UINT64_MAX);
}

static void forget(gen_t *g, size_t i)
{
    if (g->records[i].held)
        keyring_drop(g->c.keys, name_of(&g->records[i]));
    if (g->in_use == i)
        g->in_use = NONE;
    g->records[i].there = g->records[i].held = false;
}

/* A free record; the lowest name that is of no use makes room. NONE: all are. */
static size_t room(gen_t *g)
{
    size_t lowest = NONE, keep = newest(g);
    for (size_t i = 0; i < RECORDS; i++) {
        const record_t *r = &g->records[i];
        if (!r->there)
            return i;
        if (i == keep || i == g->in_use || entry_is_first(entry_of(r)))
            continue;
        if (lowest == NONE || key_name_cmp(name_of(r), name_of(&g->records[lowest])) < 0)
            lowest = i;
    }
    if (lowest != NONE)
        forget(g, lowest);
    return lowest;
}

/* From now on this is our cluster: what is known of others goes. */
static void adopt(gen_t *g, const uint8_t cluster[33])
{
    memcpy(g->c.rules.cluster, cluster, sizeof g->c.rules.cluster);
    for (size_t i = 0; i < RECORDS; i++)
        if (g->records[i].there && !is_of(&g->records[i], cluster))
            forget(g, i);
}

/* ---- what is sent ---- */

static void send(gen_t *g, gen_kind_t kind, const uint8_t *to, size_t record)
{
    if (g->out_count == OUT_MAX)
        return; /* whoever lacks it gets it on the next connection */
    send_t *s = &g->out[(g->out_first + g->out_count++) % OUT_MAX];
    *s = (send_t){ .kind = kind, .to_all = !to, .g = g->records[record].proof.entry.g };
    if (to)
        memcpy(s->to, to, sizeof s->to);
}

static void send_ack(gen_t *g, const uint8_t *to, size_t record, const uint8_t of[33])
{
    const size_t before = g->out_count;
    send(g, GEN_ACK, to, record);
    if (g->out_count > before)
        memcpy(g->out[(g->out_first + before) % OUT_MAX].of, of, 33);
}

/* A member's acknowledgement; NULL: not here. */
static const entry_ack_t *ack_of(const entry_proof_t *p, const uint8_t key[33])
{
    for (size_t i = 0; i < p->ack_count; i++)
        if (memcmp(p->acks[i].key, key, 33) == 0)
            return &p->acks[i];
    return NULL;
}

static void write_out(wr_t *w, const send_t *s, const record_t *r)
{
    switch (s->kind) {
    case GEN_ACK: entry_ack_write(w, ack_of(&r->proof, s->of)); break;
    case GEN_DRAFT: entry_write(w, &r->proof.entry); break;
    case GEN_COMMIT:
    case GEN_EVIDENCE: entry_proof_write(w, &r->proof); break;
    }
}

/* A draft goes only to peers that were judged under its order. */
static bool may_send_draft(const gen_t *g, const record_t *r)
{
    const order_id_t id = order_of(r);
    return r->held && order_id_cmp(&id, &g->order.id) == 0;
}

bool gen_poll(gen_t *g, gen_out_t *out)
{
    while (g->out_count) {
        const send_t s = g->out[g->out_first];
        g->out_first = (g->out_first + 1) % OUT_MAX;
        g->out_count--;
        size_t i = find(g, &s.g);
        if (i == NONE || (s.kind == GEN_DRAFT && !may_send_draft(g, &g->records[i])) ||
            (s.kind == GEN_ACK && !ack_of(&g->records[i].proof, s.of)))
            continue; /* overtaken */
        wr_t w = wr_of(g->bytes, sizeof g->bytes);
        write_out(&w, &s, &g->records[i]);
        *out =
            (gen_out_t){ .kind = s.kind, .to_all = s.to_all, .name = *name_of(&g->records[i]), .bytes = wr_view(&w) };
        memcpy(out->to, s.to, sizeof out->to);
        return true;
    }
    return false;
}

/* ---- use ---- */

/* E6: at the first head from from_slot on, the newest committed generation that we hold is used, and what is older
 * wiped. */
static void switch_if_due(gen_t *g)
{
    size_t due = newest_at(g, gen_cluster(g), g->has_head ? g->head : 0);
    if (due == NONE || due == g->in_use || !g->records[due].held || g->records[due].contradicted)
        return;
    if (keyring_use(g->c.keys, name_of(&g->records[due])))
        return;
    g->in_use = due;
    for (size_t i = 0; i < RECORDS; i++) {
        record_t *r = &g->records[i];
        if (r->there && key_name_cmp(name_of(r), name_of(&g->records[due])) < 0) {
            r->held = false; /* the keyring wiped it */
            if (!r->committed)
                r->there = false;
        }
    }
}

/* Whether another entry of this name is committed too; then nobody signs with either. */
static void check_contradiction(gen_t *g, size_t at)
{
    for (size_t i = 0; i < RECORDS; i++) {
        record_t *r = &g->records[i];
        if (i == at || !r->there || !r->committed || !entry_proofs_contradict(&r->proof, &g->records[at].proof))
            continue;
        r->contradicted = g->records[at].contradicted = true;
        send(g, GEN_EVIDENCE, NULL, i);
        send(g, GEN_EVIDENCE, NULL, at);
    }
}

static void commit(gen_t *g, size_t i, bool tell)
{
    g->records[i].committed = true;
    if (tell)
        send(g, GEN_COMMIT, NULL, i);
    check_contradiction(g, i);
    switch_if_due(g);
}

/* Adds an acknowledgement that was judged; may commit. */
static void count_ack(gen_t *g, size_t i, const entry_ack_t *ack)
{
    entry_proof_t *p = &g->records[i].proof;
    size_t at = 0;
    int order = 1;
    while (at < p->ack_count && (order = memcmp(ack->key, p->acks[at].key, sizeof ack->key)) > 0)
        at++;
    if (g->records[i].committed || p->ack_count == ENTRY_MEMBERS_MAX || (at < p->ack_count && order == 0))
        return;
    memmove(&p->acks[at + 1], &p->acks[at], (p->ack_count - at) * sizeof p->acks[0]);
    p->acks[at] = *ack;
    p->ack_count++;
    if (entry_commits(&p->entry.entry, p->ack_count))
        commit(g, i, true);
}

/* Our own acknowledgement of a record. */
static rc_t acknowledge(gen_t *g, size_t i)
{
    hash32_t digest;
    entry_ack_t ack = { .g = g->records[i].proof.entry.g };
    memcpy(ack.key, g->c.self, sizeof ack.key);
    entry_ack_digest(&digest, &ack.g);
    rc_t rc = g->c.sign(g->c.sign_ctx, ack.signature, &digest);
    if (rc)
        return rc;
    g->has_acked = true;
    g->acked = *name_of(&g->records[i]);
    count_ack(g, i, &ack);
    if (!g->records[i].committed) /* else the COMMIT says it */
        send_ack(g, NULL, i, g->c.self);
    return RC_OK;
}

/* Acknowledgements that came before their entry. */
static void count_pending(gen_t *g, size_t i)
{
    for (size_t k = 0; k < g->pending_count; k++)
        if (!entry_ack_judge(NULL, &g->pending[k], &g->records[i].proof.entry, g->c.rules.ecdsa))
            count_ack(g, i, &g->pending[k]);
}

/* ---- inputs ---- */

void gen_order(gen_t *g, const order_signed_t *order, uint64_t now_ms)
{
    static const uint8_t any[33];
    g->order = *order;
    g->order.text = view_of(NULL, 0);
    g->has_order = true;
    g->made = false;
    g->taken_ms = now_ms;
    if (!gen_cluster(g) && memcmp(order->order.cluster, any, sizeof any) != 0)
        adopt(g, order->order.cluster);
}

void gen_leave(gen_t *g)
{
    for (size_t i = 0; i < RECORDS; i++)
        if (g->records[i].there)
            forget(g, i);
    memcpy(g->c.rules.cluster, g->pinned, sizeof g->pinned);
    g->has_order = g->made = g->has_acked = false;
    g->pending_count = g->out_count = 0;
}

void gen_peers(gen_t *g, const uint8_t (*keys)[33], size_t count)
{
    g->peer_count = count < GEN_PEERS_MAX ? count : GEN_PEERS_MAX;
    if (g->peer_count)
        memcpy(g->peers, keys, g->peer_count * sizeof g->peers[0]);
}

/* Whether we made a record. */
static bool is_own(const gen_t *g, const record_t *r)
{
    return r->proof.has_order && order_maker_index(&r->proof.order.order, g->c.self) == r->proof.entry.entry.name.index;
}

void gen_connected(gen_t *g, const uint8_t peer[33])
{
    size_t top = newest(g);
    if (top != NONE && g->records[top].proof.has_order)
        send(g, GEN_COMMIT, peer, top);
    for (size_t i = 0; i < RECORDS; i++) {
        const record_t *r = &g->records[i];
        if (!r->there || r->committed)
            continue;
        for (size_t a = 0; a < r->proof.ack_count; a++)
            send_ack(g, peer, i, r->proof.acks[a].key);
        if (r->held && is_own(g, r) && entry_member_index(entry_of(r), peer) >= 0 && !ack_of(&r->proof, peer))
            send(g, GEN_DRAFT, peer, i);
    }
}

void gen_head(gen_t *g, uint64_t slot)
{
    if (g->has_head && slot <= g->head)
        return;
    g->has_head = true;
    g->head = slot;
    switch_if_due(g);
}

/* Puts an entry that we hold into a record: signs it with the new key. */
static rc_t write_own(gen_t *g, size_t i)
{
    entry_signed_t *s = &g->records[i].proof.entry;
    rc_t rc = keyring_pubkey_of(g->c.keys, s->entry.pubkey, &s->entry.name);
    if (rc)
        return rc;
    entry_digest(&s->g, &s->entry);
    rc = g->c.sign(g->c.sign_ctx, s->by_maker, &s->g);
    return rc ? rc : keyring_sign_as(g->c.keys, s->by_key, &s->entry.name, &s->g);
}

rc_t gen_found(gen_t *g, uint8_t *take_secrets, const hash32_t *setup)
{
    size_t i = room(g);
    rc_t rc = gen_cluster(g) || i == NONE ? RC_REFUSED : RC_OK;
    if (rc) {
        if (take_secrets)
            secret_wipe(take_secrets, KEY_SECRETS_LEN);
        return rc;
    }
    record_t *r = &g->records[i];
    *r = (record_t){ .proof.entry.entry = {
                         .name = { .version = g->c.rules.min_version }, .member_count = 1, .setup = *setup } };
    memcpy(r->proof.entry.entry.members[0], g->c.self, 33);
    rc = take_secrets ? keyring_add(g->c.keys, name_of(r), take_secrets) : RC_OK;
    if (rc)
        return rc;
    r->there = r->held = true;
    rc = write_own(g, i);
    if (rc) {
        forget(g, i);
        return rc;
    }
    adopt(g, entry_of(r)->pubkey);
    commit(g, i, false);
    return RC_OK;
}

bool gen_wants_secrets(const gen_t *g, uint64_t now_ms)
{
    int index = g->has_order ? order_maker_index(&g->order.order, g->c.self) : -1;
    if (index < 0 || g->made || !g->has_head || !gen_cluster(g) ||
        memcmp(g->order.order.cluster, gen_cluster(g), sizeof g->order.order.cluster) != 0)
        return false;
    size_t top = newest(g);
    const order_id_t of_top = top == NONE ? (order_id_t){ 0 } : order_of(&g->records[top]);
    if (top != NONE && order_id_cmp(&of_top, &g->order.id) >= 0)
        return false; /* this order is carried out */
    const key_name_t own = { g->order.id.version, g->order.id.digest, (uint8_t)index };
    if (g->has_acked && key_name_cmp(&g->acked, &own) >= 0)
        return false; /* a later maker's draft is acknowledged */
    return now_ms - g->taken_ms >= (index ? GEN_NEXT_WAIT_MS * (uint64_t)index : GEN_FIRST_WAIT_MS);
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, 33);
}

/* Ourselves and our peers, ascending. */
static void list_members(const gen_t *g, entry_t *x)
{
    memcpy(x->members[0], g->c.self, 33);
    x->member_count = 1;
    for (size_t i = 0; i < g->peer_count; i++)
        if (entry_member_index(x, g->peers[i]) < 0)
            memcpy(x->members[x->member_count++], g->peers[i], 33);
    qsort(x->members, x->member_count, sizeof x->members[0], by_key);
}

rc_t gen_make(gen_t *g, uint8_t take_secrets[KEY_SECRETS_LEN], uint64_t now_ms)
{
    size_t i = gen_wants_secrets(g, now_ms) ? room(g) : NONE;
    if (i == NONE) {
        secret_wipe(take_secrets, KEY_SECRETS_LEN);
        return RC_REFUSED;
    }
    record_t *r = &g->records[i];
    *r = (record_t){ .proof = { .has_order = true, .order = g->order } };
    entry_t *x = &r->proof.entry.entry;
    x->name =
        (key_name_t){ g->order.id.version, g->order.id.digest, (uint8_t)order_maker_index(&g->order.order, g->c.self) };
    x->from_slot = g->head + GEN_FROM_SLOTS;
    list_members(g, x);
    rc_t rc = keyring_add(g->c.keys, name_of(r), take_secrets);
    if (rc)
        return rc;
    r->there = r->held = true;
    rc = write_own(g, i);
    if (!rc)
        rc = acknowledge(g, i);
    if (rc) {
        forget(g, i);
        return rc;
    }
    g->made = true;
    for (size_t k = 0; k < x->member_count; k++)
        if (memcmp(x->members[k], g->c.self, 33) != 0)
            send(g, GEN_DRAFT, x->members[k], i);
    return RC_OK;
}

/* Whether a generation begins at a slot that no member lets its maker name now. */
static rc_t check_from(const gen_t *g, err_t *e, const entry_t *x)
{
    const uint64_t now = g->c.slot_now ? g->c.slot_now(g->c.slot_ctx) : UINT64_MAX;
    if (x->from_slot > now && x->from_slot - now > GEN_FROM_SLOTS_MAX)
        return err_in(e, RC_REFUSED, "from_slot", "is too far ahead");
    return RC_OK;
}

/* E5: whether a draft from this maker may be held and acknowledged. */
static rc_t judge_draft(const gen_t *g, err_t *e, const entry_signed_t *s, const uint8_t from[33])
{
    const entry_t *x = &s->entry;
    size_t top = newest(g);
    if (!g->has_order)
        return err_in(e, RC_REFUSED, "name", "this node runs no order");
    rc_t rc = entry_judge(e, s, entry_is_first(x) ? NULL : &g->order, g->c.rules.ecdsa);
    if (rc)
        return rc;
    if (entry_is_first(x) || (GUARD(NAMED_MAKER) && memcmp(g->order.order.makers[x->name.index], from, 33) != 0))
        return err_in(e, RC_REFUSED, "from", "a draft comes from its maker");
    if (entry_member_index(x, g->c.self) < 0)
        return err_in(e, RC_REFUSED, "members", "do not list this node");
    if (GUARD(ACK_ONCE) && g->has_acked && key_name_cmp(&x->name, &g->acked) <= 0)
        return err_in(e, RC_REFUSED, "name", "one of this name or a newer was acknowledged");
    if (top != NONE && key_name_cmp(&x->name, name_of(&g->records[top])) <= 0)
        return err_in(e, RC_REFUSED, "name", "this or a newer one is committed");
    if (g->has_head && x->from_slot > g->head && x->from_slot - g->head > GEN_FROM_SLOTS_MAX)
        return err_in(e, RC_REFUSED, "from_slot", "is too far ahead");
    return check_from(g, e, x);
}

typedef struct {
    const uint8_t *sealed;
    const key_box_t *box;
} share_box_t;

static rc_t take_share(void *ctx, keyring_t *keys, const key_name_t *name, const uint8_t expected[33])
{
    const share_box_t *s = ctx;
    return keyring_take(keys, name, expected, s->sealed, s->box);
}

/* Takes the secrets of an entry into the keyring; an uncommitted draft makes room where there is none. */
static rc_t take_secrets_of(gen_t *g, const entry_t *x, gen_take_fn take, void *ctx)
{
    size_t lowest = NONE;
    rc_t rc = take(ctx, g->c.keys, &x->name, x->pubkey);
    if (rc != RC_LIMIT)
        return rc;
    for (size_t i = 0; i < RECORDS; i++)
        if (g->records[i].there && g->records[i].held && !g->records[i].committed &&
            (lowest == NONE || key_name_cmp(name_of(&g->records[i]), name_of(&g->records[lowest])) < 0))
            lowest = i;
    if (lowest == NONE)
        return rc;
    forget(g, lowest);
    return take(ctx, g->c.keys, &x->name, x->pubkey);
}

rc_t gen_draft(gen_t *g, err_t *e, const uint8_t from[33], view_t entry, const uint8_t sealed[KEY_SEALED_LEN],
               const key_box_t *box)
{
    entry_signed_t s;
    rc_t rc = entry_read(&s, e, entry);
    if (!rc && find(g, &s.g) != NONE && g->records[find(g, &s.g)].held)
        rc = err_say(e, RC_REPLAY, "this draft is held already");
    if (!rc)
        rc = judge_draft(g, e, &s, from);
    size_t i = rc ? NONE : room(g);
    if (!rc && i == NONE)
        rc = err_say(e, RC_LIMIT, "too many generations at once");
    if (rc)
        return rc;
    share_box_t opens = { sealed, box };
    rc = take_secrets_of(g, &s.entry, take_share, &opens);
    if (rc)
        return err_say(e, rc, "the draft does not open to its public key");
    g->records[i] =
        (record_t){ .there = true, .held = true, .proof = { .has_order = true, .order = g->order, .entry = s } };
    rc = acknowledge(g, i);
    if (rc) {
        forget(g, i);
        return err_say(e, rc, "our own static key gave no signature");
    }
    count_pending(g, i);
    if (!GUARD(COMMIT_FIRST))
        commit(g, i, true);
    return RC_OK;
}

static bool is_peer(const gen_t *g, const uint8_t key[33])
{
    for (size_t i = 0; i < g->peer_count; i++)
        if (memcmp(g->peers[i], key, 33) == 0)
            return true;
    return false;
}

/* One of each member, the last. */
static void keep_pending(gen_t *g, const entry_ack_t *ack)
{
    size_t at = 0;
    while (at < g->pending_count && memcmp(g->pending[at].key, ack->key, sizeof ack->key) != 0)
        at++;
    if (at == PENDING)
        at = g->pending_next++ % PENDING;
    g->pending[at] = *ack;
    g->pending_count += at == g->pending_count;
}

rc_t gen_ack(gen_t *g, err_t *e, view_t bytes)
{
    entry_ack_t ack;
    hash32_t digest;
    rc_t rc = entry_ack_read(&ack, e, bytes);
    if (rc)
        return rc;
    size_t i = find(g, &ack.g);
    if (i != NONE) {
        rc = entry_ack_judge(e, &ack, &g->records[i].proof.entry, g->c.rules.ecdsa);
        if (!rc)
            count_ack(g, i, &ack);
        return rc;
    }
    entry_ack_digest(&digest, &ack.g);
    if (ecdsa_verify(g->c.rules.ecdsa, ack.signature, &digest, ack.key))
        return err_in(e, RC_REFUSED, "signature", "does not verify");
    if (is_peer(g, ack.key)) /* nobody else may crowd them out */
        keep_pending(g, &ack);
    return RC_OK;
}

/* Whether two entries of this name are known already: more would prove nothing new, and take room. */
static bool is_contradicted(const gen_t *g, const key_name_t *name)
{
    for (size_t i = 0; i < RECORDS; i++)
        if (g->records[i].there && g->records[i].contradicted && key_name_cmp(name_of(&g->records[i]), name) == 0)
            return true;
    return false;
}

/* Puts a committed proof into a record, over the draft that may be there. NONE: no room. */
static size_t put_proof(gen_t *g, const entry_proof_t *p)
{
    size_t i = find(g, &p->entry.g);
    if (i != NONE) {
        g->records[i].proof = *p;
        return i;
    }
    i = room(g);
    if (i != NONE)
        g->records[i] = (record_t){ .there = true, .proof = *p };
    return i;
}

rc_t gen_commit(gen_t *g, err_t *e, view_t bytes)
{
    entry_proof_t p;
    rc_t rc = entry_proof_read(&p, e, bytes);
    if (rc)
        return rc;
    size_t i = find(g, &p.entry.g);
    if ((i != NONE && g->records[i].committed) || is_contradicted(g, &p.entry.entry.name))
        return RC_OK;
    rc = entry_proof_judge(e, &p, &g->c.rules);
    if (rc || !p.has_order)
        return rc; /* a first generation comes with a share: whoever has had its secret can write others */
    rc = check_from(g, e, &p.entry.entry);
    if (rc)
        return rc;
    i = put_proof(g, &p);
    if (i == NONE)
        return err_say(e, RC_LIMIT, "too many generations at once");
    commit(g, i, false);
    return RC_OK;
}

/* The version of a first generation is its maker's least one (E1): no order of the cluster is below it. */
static rc_t judge_first(const gen_t *g, err_t *e, const entry_signed_t *first)
{
    const uint64_t order = g->has_order ? g->order.id.version : 0;
    if (!entry_is_first(&first->entry))
        return err_in(e, RC_REFUSED, "bootstrap", "is not of a first generation");
    if (first->entry.name.version > order && first->entry.name.version > g->c.rules.min_version)
        return err_in(e, RC_REFUSED, "bootstrap", "its version is above the order in force");
    return err_under(e, entry_judge(e, first, NULL, g->c.rules.ecdsa), "bootstrap");
}

/* E9, before anything is opened. first: read, not yet judged. */
static rc_t judge_share(const gen_t *g, err_t *e, const entry_proof_t *p, const entry_signed_t *first)
{
    order_rules_t rules = g->c.rules;
    const uint8_t *own = gen_cluster(g), *cluster = first ? first->entry.pubkey : cluster_of(p);
    if (own && memcmp(own, cluster, 33) != 0)
        return err_in(e, RC_REFUSED, "cluster", "is another");
    memcpy(rules.cluster, cluster, sizeof rules.cluster);
    rc_t rc = first ? judge_first(g, e, first) : RC_OK;
    if (!rc)
        rc = entry_proof_judge(e, p, &rules);
    if (!rc && memcmp(cluster_of(p), cluster, 33) != 0)
        rc = err_in(e, RC_REFUSED, "cluster", "is another than the bootstrap entry's");
    if (!rc)
        rc = check_from(g, e, &p->entry.entry);
    if (rc)
        return rc;
    const key_name_t *name = &p->entry.entry.name;
    size_t top = newest_at(g, cluster, UINT64_MAX);
    if (is_contradicted(g, name))
        return err_in(e, RC_REFUSED, "name", "its maker committed two keys under it");
    if (GUARD(NEWER_COMMIT) && top != NONE && key_name_cmp(name, name_of(&g->records[top])) < 0)
        return err_in(e, RC_REPLAY, "name", "a newer generation is committed");
    if (g->in_use != NONE && key_name_cmp(name, name_of(&g->records[g->in_use])) <= 0)
        return err_in(e, RC_REPLAY, "name", "is not above the one in use");
    return RC_OK;
}

/* A draft of the same name that is another entry: its maker lied, and what is committed counts. */
static void drop_rival(gen_t *g, const entry_proof_t *p)
{
    for (size_t i = 0; i < RECORDS; i++)
        if (g->records[i].there && !g->records[i].committed && entry_proofs_contradict(&g->records[i].proof, p))
            forget(g, i);
}

rc_t gen_share(gen_t *g, err_t *e, view_t proof, view_t first, const uint8_t sealed[KEY_SEALED_LEN],
               const key_box_t *box)
{
    share_box_t opens = { sealed, box };
    return gen_restore(g, e, proof, first, take_share, &opens);
}

rc_t gen_restore(gen_t *g, err_t *e, view_t proof, view_t first, gen_take_fn take, void *take_ctx)
{
    entry_proof_t p;
    entry_signed_t f = { .entry = { .member_count = 0 } };
    rc_t rc = entry_proof_read(&p, e, proof);
    const bool lost = !rc && !first.n && p.has_order; /* all who had it died: the order says which cluster it is */
    if (!rc && first.n)
        rc = err_under(e, entry_read(&f, e, first), "bootstrap");
    else if (!rc && !lost)
        f = p.entry;
    if (!rc)
        rc = judge_share(g, e, &p, lost ? NULL : &f);
    size_t i = rc ? NONE : find(g, &p.entry.g);
    if (!rc && i != NONE && g->records[i].held && g->records[i].committed)
        rc = err_say(e, RC_REPLAY, "this generation is held already");
    if (rc)
        return rc;
    drop_rival(g, &p);
    if (i == NONE || !g->records[i].held)
        rc = take_secrets_of(g, &p.entry.entry, take, take_ctx);
    if (rc)
        return err_say(e, rc, "the share does not open to its public key");
    adopt(g, cluster_of(&p));
    const entry_proof_t bootstrap = { .entry = f };
    size_t at = lost || gen_first(g) ? NONE : put_proof(g, &bootstrap);
    if (at != NONE)
        g->records[at].committed = true;
    i = put_proof(g, &p);
    if (i == NONE) {
        keyring_drop(g->c.keys, &p.entry.entry.name);
        return err_say(e, RC_LIMIT, "too many generations at once");
    }
    g->records[i].held = true;
    commit(g, i, false);
    return RC_OK;
}

/* ---- questions ---- */

uint64_t gen_until(const gen_t *g)
{
    uint64_t until = g->in_use == NONE ? 0 : UINT64_MAX;
    for (size_t i = 0; i < RECORDS; i++) {
        const record_t *r = &g->records[i];
        if (is_of(r, gen_cluster(g)) && r->committed && i != g->in_use && entry_of(r)->from_slot < until &&
            key_name_cmp(name_of(r), name_of(&g->records[g->in_use])) > 0)
            until = entry_of(r)->from_slot;
    }
    return until;
}

size_t gen_committed(const gen_t *g, const entry_proof_t **out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < RECORDS && n < cap; i++) {
        const record_t *r = &g->records[i];
        size_t at = n;
        if (!is_of(r, gen_cluster(g)) || !r->committed)
            continue;
        for (; at && key_name_cmp(&out[at - 1]->entry.entry.name, name_of(r)) > 0; at--)
            out[at] = out[at - 1];
        out[at] = &r->proof;
        n++;
    }
    return n;
}

gen_signer_t gen_signer(const gen_t *g, uint64_t slot)
{
    size_t due = newest_at(g, gen_cluster(g), slot);
    if (g->in_use == NONE && (due == NONE || !g->records[due].committed))
        return GEN_NO_KEY;
    if (due != NONE && g->records[due].contradicted)
        return GEN_CONTRADICTED;
    if (due == NONE || due == g->in_use)
        return due == NONE ? GEN_RETIRED : GEN_SIGNS;
    if (g->in_use != NONE && key_name_cmp(name_of(&g->records[due]), name_of(&g->records[g->in_use])) < 0)
        return GEN_RETIRED;
    if (!GUARD(NEWER_SILENT) && g->in_use != NONE)
        return GEN_SIGNS;
    return g->records[due].held ? GEN_NO_KEY : GEN_NEWER_KEY;
}

const key_name_t *gen_in_use(const gen_t *g)
{
    return g->in_use == NONE ? NULL : name_of(&g->records[g->in_use]);
}

const entry_proof_t *gen_newest(const gen_t *g)
{
    size_t i = newest(g);
    return i == NONE ? NULL : &g->records[i].proof;
}

const entry_proof_t *gen_first(const gen_t *g)
{
    for (size_t i = 0; i < RECORDS; i++)
        if (is_of(&g->records[i], gen_cluster(g)) && entry_is_first(entry_of(&g->records[i])))
            return &g->records[i].proof;
    return NULL;
}

bool gen_wants_key(const gen_t *g)
{
    size_t top = newest(g);
    return top == NONE || !g->records[top].held;
}

gen_answer_t gen_give(const gen_t *g, key_name_t *name, const hash32_t *peer_order, const uint8_t *peer_cluster,
                      const key_name_t *have)
{
    size_t top = newest(g);
    if (GUARD(SAME_ORDER) && (!g->has_order || !hash32_eq(peer_order, &g->order.id.digest)))
        return GEN_OTHER_ORDER;
    if (peer_cluster && gen_cluster(g) && memcmp(peer_cluster, gen_cluster(g), 33) != 0)
        return GEN_OTHER_CLUSTER;
    if (top == NONE || !g->records[top].held || g->records[top].contradicted)
        return GEN_HAS_NONE;
    if (have && key_name_cmp(have, name_of(&g->records[top])) >= 0)
        return GEN_HAS_NONE;
    *name = *name_of(&g->records[top]);
    return GEN_GIVES;
}
