#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/join_parts.h"
#include "overlay/wire/proto.h"

#define NEVER UINT64_MAX
#define LENGTH_MAX 4u /* bytes of a message's length */

/* ---- founding ---- */

/* Entry of the first generation, with both signatures. */
static rc_t make_first(join_t *j, entry_signed_t *out, const key_name_t *name, const hash32_t *setup,
                       uint64_t from_slot)
{
    const join_config_t *c = &j->config;
    *out = (entry_signed_t){ .entry = { .name = *name, .from_slot = from_slot, .member_count = 1, .setup = *setup } };
    memcpy(out->entry.members[0], c->static_pubkey, sizeof c->static_pubkey);
    rc_t rc = keyring_pubkey_of(c->keyring, out->entry.pubkey, name);
    entry_digest(&out->g, &out->entry);
    if (!rc)
        rc = c->sign(c->sign_ctx, out->by_maker, &out->g);
    return rc ? rc : keyring_sign_as(c->keyring, out->by_key, name, &out->g);
}

rc_t join_draw(keyring_t *ring, uint64_t version, void (*fill)(void *ctx, void *out, size_t n), void *ctx)
{
    const key_name_t name = { .version = version };
    uint8_t *secrets = secret_alloc(KEY_SECRETS_LEN);
    rc_t rc = secrets ? RC_REFUSED : RC_NOMEM;
    for (int tries = 0; rc == RC_REFUSED && tries < 8; tries++) { /* one in 2^128 is no key */
        fill(ctx, secrets, KEY_SECRETS_LEN);
        rc = keyring_add(ring, &name, secrets);
    }
    secret_free(secrets);
    return rc ? rc : keyring_use(ring, &name);
}

static rc_t hold(join_t *j, const entry_proof_t *newest, const entry_signed_t *first)
{
    entry_proof_t *p = malloc(sizeof *p);
    entry_signed_t *f = malloc(sizeof *f);
    if (!p || !f) {
        free(p);
        free(f);
        return RC_NOMEM;
    }
    *p = *newest;
    *f = *first;
    free(j->newest);
    free(j->first);
    j->newest = p;
    j->first = f;
    j->wants = false;
    memcpy(j->config.rules.cluster, first->entry.pubkey, sizeof first->entry.pubkey);
    return RC_OK;
}

static rc_t found(join_t *j, entry_proof_t *p, const key_name_t *name, const hash32_t *setup, uint64_t from_slot)
{
    uint8_t pubkey[ECDSA_PUBKEY_LEN];
    err_t e;
    rc_t rc = RC_OK;
    if (keyring_pubkey_of(j->config.keyring, pubkey, name))
        rc = join_draw(j->config.keyring, name->version, j->config.random, j->config.ctx);
    if (!rc)
        rc = make_first(j, &p->entry, name, setup, from_slot);
    if (!rc)
        rc = entry_judge(&e, &p->entry, NULL, j->config.ecdsa);
    return rc ? rc : hold(j, p, &p->entry);
}

rc_t join_found(join_t *j, err_t *e, const hash32_t *setup, uint64_t from_slot)
{
    static const uint8_t none[33];
    const key_name_t name = { .version = j->config.rules.min_version };
    if (j->newest)
        return err_say(e, RC_REFUSED, "there is a key already");
    if (memcmp(j->config.cluster, none, sizeof none) != 0)
        return err_say(e, RC_REFUSED, "pinned to a cluster, this node makes no other");
    entry_proof_t *p = calloc(1, sizeof *p);
    rc_t rc = p ? found(j, p, &name, setup, from_slot) : RC_NOMEM;
    free(p);
    if (rc)
        return err_set(e, rc, "a key could not be made: %s", rc_name(rc));
    join_tell(j);
    return RC_OK;
}

/* ---- asking ---- */

static void drop_request(session_t *s)
{
    key_ephemeral_free(s->ephemeral);
    s->ephemeral = NULL;
    s->ask.n = 0;
    lane_reset(&s->ask);
}

void key_forget(session_t *s)
{
    key_ephemeral_free(s->ephemeral);
    s->ephemeral = NULL;
}

rc_t join_want(join_t *j, err_t *e, const uint8_t cluster[33])
{
    static const uint8_t none[33];
    j->wants = false;
    if (!cluster)
        return RC_OK;
    if (memcmp(j->config.cluster, none, sizeof none) != 0 && memcmp(j->config.cluster, cluster, sizeof none) != 0)
        return err_say(e, RC_REFUSED, "this node is pinned to another cluster");
    j->wants = true;
    memcpy(j->wanted, cluster, sizeof j->wanted);
    key_ask_due(j);
    return RC_OK;
}

/* Whether a peer holds what we want. */
static bool may_ask(const session_t *s)
{
    const join_t *j = s->join;
    if (!session_is_peer(s) || !s->state.holds || !s->first || s->ask.stream)
        return false;
    return memcmp(s->first->entry.pubkey, j->wanted, sizeof j->wanted) == 0 && j->now_ms >= s->again_ms;
}

static rc_t send_request(session_t *s)
{
    uint8_t buf[KEYSHARE_REQUEST_MAX + LENGTH_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    net_stream_t *stream;
    keyshare_request_write(&w, &s->request);
    pb_delimit(&w, 0);
    rc_t rc = w.bad ? RC_BUG : net_open(s->conn, &stream, &s->join->protocols[JOIN_KEYSHARE], &s->ask);
    if (rc)
        return rc;
    s->ask.stream = stream;
    s->ask.n = 0;
    rc = net_write(stream, wr_view(&w));
    net_end(stream);
    return rc;
}

static void ask(session_t *s)
{
    join_t *j = s->join;
    uint8_t random[X25519_LEN];
    s->request = (keyshare_request_t){ .has_cluster = true, .order = j->config.order.digest };
    memcpy(s->request.cluster, j->wanted, sizeof j->wanted);
    j->config.random(j->config.ctx, s->request.id, sizeof s->request.id);
    j->config.random(j->config.ctx, random, sizeof random);
    rc_t rc = key_ephemeral_new(&s->ephemeral, random);
    secret_wipe(random, sizeof random);
    if (!rc) {
        memcpy(s->request.ephemeral, key_ephemeral_pubkey(s->ephemeral), X25519_LEN);
        rc = send_request(s);
    }
    s->ask_deadline_ms = j->now_ms + JOIN_REQUEST_MS;
    s->again_ms = j->now_ms + s->wait_ms;
    s->wait_ms = 2 * s->wait_ms < JOIN_AGAIN_MAX_MS ? 2 * s->wait_ms : JOIN_AGAIN_MAX_MS;
    if (rc) {
        drop_request(s);
        session_trouble(s, rc, "the key cannot be asked for");
    }
}

void key_ask_due(join_t *j)
{
    unsigned open = 0;
    if (!j->wants)
        return;
    for (session_t *s = j->sessions; s; s = s->next)
        open += s->ask.stream != NULL;
    for (session_t *s = j->sessions; s && open < JOIN_ASK_MAX; s = s->next)
        if (may_ask(s)) {
            ask(s);
            open++;
        }
}

uint64_t key_next(const session_t *s)
{
    if (s->ask.stream)
        return s->ask_deadline_ms;
    return s->join->wants && session_is_peer(s) && s->state.holds ? s->again_ms : NEVER;
}

/* ---- the answer ---- */

/* The generation that a share says it is, checked against what we asked for (E2, E9). */
static rc_t read_proof(session_t *s, entry_proof_t *p, entry_signed_t *first, err_t *e, const keyshare_t *m)
{
    order_rules_t rules = s->join->config.rules;
    rc_t rc = entry_read(&p->entry, e, m->entry);
    p->has_order = m->order.n != 0;
    if (!rc && p->has_order)
        rc = order_read(&p->order, e, m->order);
    if (!rc && m->bootstrap.n)
        rc = entry_read(first, e, m->bootstrap);
    else if (!rc)
        *first = p->entry;
    if (rc)
        return rc;
    if (!entry_is_first(&first->entry) || memcmp(first->entry.pubkey, s->request.cluster, 33) != 0)
        return err_say(e, RC_REFUSED, "a share of another cluster");
    rc = entry_judge(e, first, NULL, s->join->config.ecdsa);
    if (rc)
        return rc;
    p->ack_count = m->ack_count;
    for (size_t i = 0; i < m->ack_count; i++) {
        p->acks[i].g = p->entry.g;
        memcpy(p->acks[i].key, m->acks[i].key, sizeof m->acks[i].key);
        memcpy(p->acks[i].signature, m->acks[i].signature, sizeof m->acks[i].signature);
    }
    memcpy(rules.cluster, first->entry.pubkey, sizeof rules.cluster);
    return entry_proof_judge(e, p, &rules);
}

/* Opens a share into the ring, and puts its generation into use. */
static rc_t open_share(session_t *s, const entry_proof_t *p, const keyshare_t *m)
{
    uint8_t info[KEYSHARE_INFO_LEN];
    uint8_t *ad = malloc(KEYSHARE_MAX);
    wr_t w = wr_of(ad, ad ? KEYSHARE_MAX : 0);
    const key_name_t *name = &p->entry.entry.name;
    keyring_t *ring = s->join->config.keyring;
    keyshare_ad(&w, m);
    keyshare_info(info, s->request.id, s->request.ephemeral, m->ephemeral);
    const key_box_t box = { s->ephemeral, m->ephemeral, mattest_channel(s->m), view_of(info, sizeof info),
                            wr_view(&w) };
    rc_t rc = !ad ? RC_NOMEM : keyring_take(ring, name, p->entry.entry.pubkey, m->sealed, &box);
    if (!rc)
        rc = keyring_use(ring, name);
    free(ad);
    return rc;
}

static rc_t take_share(session_t *s, err_t *e, const keyshare_t *m)
{
    join_t *j = s->join;
    entry_proof_t *p = calloc(1, sizeof *p);
    entry_signed_t *first = calloc(1, sizeof *first);
    rc_t rc = p && first ? read_proof(s, p, first, e, m) : err_say(e, RC_NOMEM, "out of memory");
    if (!rc && (rc = open_share(s, p, m)))
        (void)err_set(e, rc, "a share does not open: %s", rc_name(rc));
    if (!rc && (rc = hold(j, p, first)))
        (void)err_say(e, rc, "out of memory");
    free(p);
    free(first);
    return rc;
}

/* The key is here: nobody else is asked any more. */
static void keyed(join_t *j)
{
    for (session_t *s = j->sessions; s; s = s->next)
        if (s->ephemeral)
            drop_request(s);
    join_tell(j);
    if (j->config.keyed)
        j->config.keyed(j->config.ctx, j->newest, j->first);
}

static rc_t judge_answer(session_t *s, err_t *e, view_t message)
{
    keyshare_t *m = malloc(sizeof *m);
    rc_t rc = m ? keyshare_read(m, e, message) : err_say(e, RC_NOMEM, "out of memory");
    if (!rc && memcmp(m->id, s->request.id, sizeof m->id) != 0)
        rc = err_say(e, RC_REFUSED, "a share that answers another request");
    if (!rc && m->status != KEYSHARE_OK)
        rc = err_set(e, RC_NEED_DATA, "the peer gives no key: %s", keyshare_status_name(m->status));
    if (!rc && m->draft)
        rc = err_say(e, RC_REFUSED, "a draft that was not announced");
    if (!rc)
        rc = take_share(s, e, m);
    if (m)
        secret_wipe(m->sealed, sizeof m->sealed);
    free(m);
    return rc;
}

static void read_answer(session_t *s)
{
    view_t message;
    size_t used;
    err_t e;
    rc_t rc = pb_delimited(&message, &used, view_of(s->ask.bytes, s->ask.n), KEYSHARE_MAX);
    if (rc == RC_NEED_DATA)
        return;
    rc = rc ? err_say(&e, rc, "a share that is malformed, or too long") : judge_answer(s, &e, message);
    drop_request(s);
    if (!rc)
        keyed(s->join);
    else
        session_trouble(s, rc, e.text);
}

/* ---- giving ---- */

static void answer(session_t *s, const keyshare_t *m)
{
    uint8_t *buf = malloc(KEYSHARE_MAX + LENGTH_MAX);
    wr_t w = wr_of(buf, buf ? KEYSHARE_MAX + LENGTH_MAX : 0);
    keyshare_write(&w, m);
    pb_delimit(&w, 0);
    if (s->asked.stream && (w.bad || net_write(s->asked.stream, wr_view(&w))))
        lane_reset(&s->asked);
    else if (s->asked.stream)
        net_end(s->asked.stream);
    free(buf);
}

static void decline(session_t *s, keyshare_status_t status)
{
    keyshare_t m = { .status = status };
    memcpy(m.id, s->peers_request.id, sizeof m.id);
    answer(s, &m);
}

/* Whether there is something to give to whoever asks so. */
static keyshare_status_t look(const session_t *s, const keyshare_request_t *r)
{
    const join_t *j = s->join;
    if (!j->newest)
        return KEYSHARE_NOT_HOLDER;
    const key_name_t *name = &j->newest->entry.entry.name;
    if (!session_is_peer(s) || !hash32_eq(&r->order, &j->config.order.digest))
        return KEYSHARE_ORDER_DIFFERS;
    if (r->has_cluster && memcmp(r->cluster, j->first->entry.pubkey, sizeof r->cluster) != 0)
        return KEYSHARE_WRONG_CLUSTER;
    if (r->has_name && (r->version > name->version || (r->version == name->version && r->index >= name->index)))
        return KEYSHARE_NOT_HOLDER;
    return s->busy || s->releasing ? KEYSHARE_BUSY : KEYSHARE_OK;
}

static void give(session_t *s)
{
    const keyshare_status_t status = look(s, &s->peers_request);
    if (status != KEYSHARE_OK) {
        decline(s, status);
        return;
    }
    job_t *job = job_new(s, JOB_RELEASE);
    if (!job)
        return;
    job->name = s->join->newest->entry.entry.name;
    s->releasing = true;
    job_post(job);
}

/* What a share says besides the secrets; its views point into bufs. */
typedef struct {
    uint8_t entry[ENTRY_MAX], first[ENTRY_MAX], order[ORDER_SIGNED_MAX];
} share_texts_t;

static void describe(const join_t *j, keyshare_t *m, share_texts_t *t)
{
    wr_t entry = wr_of(t->entry, sizeof t->entry), first = wr_of(t->first, sizeof t->first),
         order = wr_of(t->order, sizeof t->order);
    entry_write(&entry, &j->newest->entry);
    m->entry = wr_view(&entry);
    if (!entry_is_first(&j->newest->entry.entry)) {
        entry_write(&first, &j->first[0]);
        m->bootstrap = wr_view(&first);
    }
    if (j->newest->has_order) {
        order_write(&order, &j->newest->order, false);
        m->order = wr_view(&order);
    }
    m->ack_count = j->newest->ack_count;
    for (size_t i = 0; i < m->ack_count; i++) {
        memcpy(m->acks[i].key, j->newest->acks[i].key, 33);
        memcpy(m->acks[i].signature, j->newest->acks[i].signature, 64);
    }
}

static rc_t seal(session_t *s, keyshare_t *m, share_texts_t *t, key_grant_t *grant, wr_t *ad)
{
    const join_t *j = s->join;
    uint8_t random[X25519_LEN], info[KEYSHARE_INFO_LEN];
    key_ephemeral_t *own;
    j->config.random(j->config.ctx, random, sizeof random);
    rc_t rc = key_ephemeral_new(&own, random);
    secret_wipe(random, sizeof random);
    if (rc)
        return rc;
    describe(j, m, t);
    memcpy(m->id, s->peers_request.id, sizeof m->id);
    memcpy(m->ephemeral, key_ephemeral_pubkey(own), sizeof m->ephemeral);
    keyshare_ad(ad, m);
    keyshare_info(info, m->id, s->peers_request.ephemeral, m->ephemeral);
    const key_box_t box = { own, s->peers_request.ephemeral, mattest_channel(s->m), view_of(info, sizeof info),
                            wr_view(ad) };
    rc = ad->bad ? RC_BUG : keyring_seal(j->config.keyring, m->sealed, grant, &box);
    key_ephemeral_free(own);
    return rc;
}

/* Seals and sends what was granted. */
static void share(session_t *s, const job_t *job)
{
    const join_config_t *c = &s->join->config;
    key_grant_t grant = job->grant;
    keyshare_t *m = calloc(1, sizeof *m);
    share_texts_t *t = malloc(sizeof *t);
    uint8_t *buf = malloc(KEYSHARE_MAX);
    wr_t ad = wr_of(buf, buf ? KEYSHARE_MAX : 0);
    rc_t rc = m && t && buf ? seal(s, m, t, &grant, &ad) : RC_NOMEM;
    if (rc) {
        decline(s, KEYSHARE_BUSY);
    } else {
        join_member_t to;
        session_member(s, &to);
        answer(s, m);
        if (c->released)
            c->released(c->ctx, &to, &job->name);
    }
    free(m);
    free(t);
    free(buf);
}

void key_released(session_t *s, const job_t *job)
{
    const join_t *j = s->join;
    s->releasing = false;
    if (job->rc && job->e.code != E_KEY_RELEASE && job->e.code != E_EXPIRED)
        session_refuse(s, NET_BYE_POLICY, &job->e);
    else if (job->rc)
        decline(s, job->e.code == E_EXPIRED ? KEYSHARE_EVIDENCE_EXPIRED : KEYSHARE_BUSY);
    else if (job->policy != j->config.policy || !session_is_peer(s) ||
             key_name_cmp(&job->name, &j->newest->entry.entry.name) != 0)
        decline(s, KEYSHARE_BUSY); /* something changed while it was judged */
    else
        share(s, job);
}

static void refuse(session_t *s, rc_t rc, const char *text)
{
    err_t why;
    (void)err_say(&why, rc, text);
    session_refuse(s, NET_BYE_PROTOCOL, &why);
}

void key_read_held(session_t *s)
{
    lane_t *l = &s->asked;
    view_t message;
    size_t used;
    err_t e;
    if (!l->stream || !s->attested || s->releasing)
        return;
    rc_t rc = pb_delimited(&message, &used, view_of(l->bytes, l->n), KEYSHARE_REQUEST_MAX);
    if (rc == RC_NEED_DATA)
        return;
    if (rc || used != l->n || keyshare_request_read(&s->peers_request, &e, message)) {
        refuse(s, RC_MALFORMED, "a key request that is malformed");
        return;
    }
    lane_use(l, used);
    give(s);
}

/* ---- streams ---- */

void key_opened(void *ctx, net_stream_t *stream)
{
    session_t *s = join_find(ctx, net_conn_of(stream));
    if (net_opener(stream))
        return;
    if (!s || s->asked.stream || s->releasing) {
        net_reset(stream);
        return;
    }
    s->asked.n = 0;
    s->asked.stream = stream;
    net_set_stream_user(stream, &s->asked);
}

void key_data(void *ctx, net_stream_t *stream, view_t bytes)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx;
    if (!l)
        return;
    session_t *s = l->session;
    const bool is_answer = l == &s->ask;
    if (lane_add(l, bytes, is_answer ? KEYSHARE_MAX + LENGTH_MAX : KEYSHARE_REQUEST_MAX + LENGTH_MAX))
        refuse(s, RC_LIMIT, "a message of the key share that is too long");
    else if (is_answer)
        read_answer(s);
    else
        key_read_held(s);
}

void key_closed(void *ctx, net_stream_t *stream, rc_t why)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx, (void)why;
    if (!l || l->stream != stream)
        return;
    l->stream = NULL;
    if (l == &l->session->ask)
        key_forget(l->session);
}
