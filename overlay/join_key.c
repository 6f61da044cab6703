#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/guard.h"
#include "overlay/join_parts.h"
#include "overlay/wire/proto.h"

#define NEVER UINT64_MAX
#define LENGTH_MAX 4u /* bytes of a message's length */

/* ---- founding ---- */

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

static rc_t found(join_t *j, const hash32_t *setup)
{
    const key_name_t name = { .version = j->config.rules.min_version };
    uint8_t pubkey[ECDSA_PUBKEY_LEN];
    rc_t rc = RC_OK;
    if (keyring_pubkey_of(j->config.keyring, pubkey, &name))
        rc = join_draw(j->config.keyring, name.version, j->config.random, j->config.ctx);
    return rc ? rc : gen_found(j->gen, NULL, setup);
}

rc_t join_found(join_t *j, err_t *e, const hash32_t *setup)
{
    static const uint8_t none[33];
    if (gen_newest(j->gen))
        return err_say(e, RC_REFUSED, "there is a key already");
    if (memcmp(j->config.cluster, none, sizeof none) != 0)
        return err_say(e, RC_REFUSED, "pinned to a cluster, this node makes no other");
    if (gen_cluster(j->gen))
        return err_say(e, RC_REFUSED, "the order in force is of a cluster that exists: it is to be left first");
    const rc_t rc = found(j, setup);
    if (rc)
        return err_set(e, rc, "a key could not be made: %s", rc_name(rc));
    spread_pump(j);
    return RC_OK;
}

/* ---- bringing back ---- */

/* Whether a member of this cluster says that a newer generation than this one is committed. */
static bool knows_newer(const session_t *s, const uint8_t cluster[33], const key_name_t *name)
{
    const state_t *state = &s->state;
    if (!s->attested || !s->has_state || !state->has_generation)
        return false;
    if (s->first && memcmp(s->first->entry.pubkey, cluster, 33) != 0)
        return false;
    return state->version > name->version || (state->version == name->version && state->index > name->index);
}

rc_t join_restore(join_t *j, err_t *e, view_t proof, view_t first, gen_take_fn take, void *take_ctx)
{
    entry_proof_t p;
    entry_signed_t f;
    rc_t rc = entry_proof_read(&p, e, proof);
    if (!rc && first.n)
        rc = entry_read(&f, e, first);
    if (rc)
        return rc;
    const uint8_t *cluster = first.n ? f.entry.pubkey : p.has_order ? p.order.order.cluster : p.entry.entry.pubkey;
    for (const session_t *s = j->sessions; s; s = s->next)
        if (knows_newer(s, cluster, &p.entry.entry.name))
            return err_in(e, RC_REPLAY, "name", "a member knows of a newer generation");
    rc = gen_restore(j->gen, e, proof, first, take, take_ctx);
    if (!rc)
        spread_pump(j);
    return rc;
}

/* ---- asking ---- */

static void drop_request(session_t *s)
{
    key_ephemeral_free(s->ephemeral);
    s->ephemeral = NULL;
    s->ask.n = 0;
    lane_reset(&s->ask);
}

void key_stop_asking(join_t *j)
{
    if (gen_wants_key(j->gen))
        return;
    for (session_t *s = j->sessions; s; s = s->next)
        if (s->ephemeral)
            drop_request(s);
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

/* Whether the peer says that it holds a generation that we want: one above the newest that we hold, or the newest that
 * we know and do not hold. Orders of one version look alike here; what it says is checked in the share. */
static bool holds_newer(const session_t *s)
{
    const gen_t *g = s->join->gen;
    const entry_proof_t *newest = gen_newest(g);
    if (!s->state.holds || (s->first && memcmp(s->first->entry.pubkey, s->join->wanted, sizeof s->join->wanted) != 0))
        return false;
    if (!newest)
        return true;
    const key_name_t *name = &newest->entry.entry.name;
    if (s->state.version != name->version)
        return s->state.version > name->version;
    return gen_wants_key(g) ? s->state.index >= name->index : s->state.index > name->index;
}

/* What we say that we have; NULL: nothing. Between two orders of one version it says nothing to who has the higher. */
static const key_name_t *said_to_have(const gen_t *g)
{
    const entry_proof_t *newest = gen_newest(g);
    const key_name_t *own = gen_in_use(g);
    if (newest && !gen_wants_key(g))
        return &newest->entry.entry.name;
    return own && newest && own->version == newest->entry.entry.name.version ? NULL : own;
}

static bool may_ask(const session_t *s)
{
    return session_is_peer(s) && !s->ask.stream && holds_newer(s) && s->join->now_ms >= s->again_ms;
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
    const key_name_t *own = said_to_have(j->gen);
    s->request = (keyshare_request_t){ .has_cluster = true, .order = j->order.id.digest, .has_name = own != NULL };
    if (own) {
        s->request.version = own->version;
        s->request.index = own->index;
    }
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

/* Whether an attested peer is of another cluster than the one that is wanted: that keeps nobody from asking the
 * others. */
static bool others_differ(const join_t *j)
{
    for (const session_t *s = j->sessions; s; s = s->next)
        if (session_is_peer(s) && s->first && memcmp(s->first->entry.pubkey, j->wanted, sizeof j->wanted) != 0)
            return true;
    return false;
}

void key_ask_due(join_t *j)
{
    unsigned open = 0;
    if (!j->wants || (!GUARD(OTHERS_PASS) && others_differ(j)))
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
    return s->join->wants && session_is_peer(s) && holds_newer(s) ? s->again_ms : NEVER;
}

/* ---- the answer ---- */

/* The cluster that a share is of; NULL: its bootstrap entry or its order is malformed. */
static bool is_of_cluster(const keyshare_t *m, const entry_proof_t *p, const uint8_t cluster[33])
{
    entry_signed_t first;
    err_t e;
    if (m->bootstrap.n)
        return !entry_read(&first, &e, m->bootstrap) && !memcmp(first.entry.pubkey, cluster, 33);
    return !memcmp(p->has_order ? p->order.order.cluster : p->entry.entry.pubkey, cluster, 33);
}

rc_t key_box(key_box_t *out, session_t *s, box_texts_t *buf, key_ephemeral_t *own, const keyshare_t *m)
{
    wr_t ad = wr_of(buf->ad, sizeof buf->ad);
    keyshare_ad(&ad, m);
    keyshare_info(buf->info, m->id, key_ephemeral_pubkey(own), m->ephemeral);
    *out = (key_box_t){ own, m->ephemeral, mattest_channel(s->m), view_of(buf->info, sizeof buf->info), wr_view(&ad) };
    return ad.bad ? RC_LIMIT : RC_OK;
}

/* What taking a share needs room for. */
typedef struct {
    entry_proof_t proof;
    box_texts_t box;
    uint8_t bytes[ENTRY_PROOF_MAX];
} taking_t;

static rc_t open_share(session_t *s, taking_t *t, err_t *e, const keyshare_t *m)
{
    key_box_t box;
    wr_t w = wr_of(t->bytes, sizeof t->bytes);
    rc_t rc = keyshare_proof(&t->proof, e, m);
    if (rc)
        return rc;
    if (!is_of_cluster(m, &t->proof, s->request.cluster))
        return err_say(e, RC_REFUSED, "a share of another cluster");
    entry_proof_write(&w, &t->proof);
    if (w.bad || key_box(&box, s, &t->box, s->ephemeral, m))
        return err_say(e, RC_LIMIT, "a share that is too long");
    return gen_share(s->join->gen, e, wr_view(&w), m->bootstrap, m->sealed, &box);
}

static rc_t take_share(session_t *s, err_t *e, const keyshare_t *m)
{
    taking_t *t = malloc(sizeof *t);
    const rc_t rc = t ? open_share(s, t, e, m) : err_say(e, RC_NOMEM, "out of memory");
    free(t);
    return rc;
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
        spread_pump(s->join);
    else
        session_trouble(s, rc, e.text);
}

/* ---- giving ---- */

rc_t key_write(net_stream_t *stream, const keyshare_t *m)
{
    uint8_t *buf = malloc(KEYSHARE_MAX + LENGTH_MAX);
    wr_t w = wr_of(buf, buf ? KEYSHARE_MAX + LENGTH_MAX : 0);
    keyshare_write(&w, m);
    pb_delimit(&w, 0);
    const rc_t rc = w.bad ? RC_NOMEM : net_write(stream, wr_view(&w));
    if (!rc)
        net_end(stream);
    free(buf);
    return rc;
}

/* RC_OK: all of it is in the channel. */
static rc_t answer(session_t *s, const keyshare_t *m)
{
    const rc_t rc = s->answering->stream ? key_write(s->answering->stream, m) : RC_REFUSED;
    if (rc)
        lane_reset(s->answering);
    return rc;
}

static void decline(session_t *s, keyshare_status_t status)
{
    keyshare_t m = { .status = status };
    memcpy(m.id, s->peers_request.id, sizeof m.id);
    (void)answer(s, &m); /* else the peer has left */
}

/* Whether there is something to give to whoever asks so, and what. */
static keyshare_status_t look(const session_t *s, key_name_t *name, const keyshare_request_t *r)
{
    static const keyshare_status_t statuses[] = { [GEN_GIVES] = KEYSHARE_OK,
                                                  [GEN_HAS_NONE] = KEYSHARE_NOT_HOLDER,
                                                  [GEN_OTHER_ORDER] = KEYSHARE_ORDER_DIFFERS,
                                                  [GEN_OTHER_CLUSTER] = KEYSHARE_WRONG_CLUSTER };
    if (!gen_newest(s->join->gen))
        return KEYSHARE_NOT_HOLDER;
    if (!session_is_peer(s))
        return KEYSHARE_ORDER_DIFFERS;
    if ((!GUARD(ASK_ANY_TIME) && !mattest_peer_hello(s->m)->wants_key) || (!GUARD(HELD_SINCE) && !s->said_holds))
        return KEYSHARE_NOT_HOLDER;
    const gen_answer_t found = gen_give(s->join->gen, name, &r->order, r->has_cluster ? r->cluster : NULL, NULL);
    if (found != GEN_GIVES)
        return statuses[found];
    if (r->has_name && (r->version > name->version || (r->version == name->version && r->index >= name->index)))
        return KEYSHARE_NOT_HOLDER;
    return s->busy || s->releasing ? KEYSHARE_BUSY : KEYSHARE_OK;
}

static void give(session_t *s)
{
    key_name_t name;
    const keyshare_status_t status = look(s, &name, &s->peers_request);
    if (status != KEYSHARE_OK) {
        decline(s, status);
        return;
    }
    job_t *job = job_new(s, JOB_RELEASE);
    if (!job)
        return;
    job->name = name;
    s->releasing = true;
    job_post(job);
}

/* What a share says besides the secrets; its views point into bufs. */
typedef struct {
    uint8_t entry[ENTRY_MAX], first[ENTRY_MAX], order[ORDER_SIGNED_MAX];
} share_texts_t;

static void describe(const join_t *j, keyshare_t *m, share_texts_t *t)
{
    const entry_proof_t *newest = gen_newest(j->gen);
    const entry_signed_t *bootstrap = join_first(j);
    wr_t entry = wr_of(t->entry, sizeof t->entry), first = wr_of(t->first, sizeof t->first),
         order = wr_of(t->order, sizeof t->order);
    entry_write(&entry, &newest->entry);
    m->entry = wr_view(&entry);
    if (bootstrap && newest->has_order) {
        entry_write(&first, bootstrap);
        m->bootstrap = wr_view(&first);
    }
    if (newest->has_order) {
        order_write(&order, &newest->order, false);
        m->order = wr_view(&order);
    }
    m->ack_count = newest->ack_count;
    for (size_t i = 0; i < m->ack_count; i++) {
        memcpy(m->acks[i].key, newest->acks[i].key, 33);
        memcpy(m->acks[i].signature, newest->acks[i].signature, 64);
    }
}

static rc_t seal(session_t *s, keyshare_t *m, uint8_t *ad, key_grant_t *grant, key_ephemeral_t *own,
                 const uint8_t ephemeral[X25519_LEN])
{
    uint8_t info[KEYSHARE_INFO_LEN];
    wr_t w = wr_of(ad, KEYSHARE_MAX);
    memcpy(m->ephemeral, key_ephemeral_pubkey(own), sizeof m->ephemeral);
    keyshare_ad(&w, m);
    keyshare_info(info, m->id, ephemeral, m->ephemeral);
    const key_box_t box = { own, ephemeral, mattest_channel(s->m), view_of(info, sizeof info), wr_view(&w) };
    return w.bad ? RC_BUG : keyring_seal(s->join->config.keyring, m->sealed, grant, &box);
}

rc_t key_seal(session_t *s, keyshare_t *m, key_grant_t *grant, const uint8_t ephemeral[X25519_LEN])
{
    const join_t *j = s->join;
    uint8_t random[X25519_LEN], *ad = malloc(KEYSHARE_MAX);
    key_ephemeral_t *own = NULL;
    j->config.random(j->config.ctx, random, sizeof random);
    rc_t rc = ad ? key_ephemeral_new(&own, random) : RC_NOMEM;
    secret_wipe(random, sizeof random);
    if (!rc)
        rc = seal(s, m, ad, grant, own, ephemeral);
    key_ephemeral_free(own);
    free(ad);
    return rc;
}

/* Where a request is answered: on the connection that it came by, not on the peer's newest. */
static session_t *answered_on(session_t *s)
{
    session_t *at = s;
    for (session_t *o = GUARD(SAME_STREAM) ? NULL : s->join->sessions; o; o = o->next)
        at = o->conn && peerid_eq(net_peer(o->conn), net_peer(s->conn)) && o->opened_ms > at->opened_ms ? o : at;
    return at;
}

/* Seals and sends what was granted. False: it did not get into the channel. */
static bool share(session_t *s, const job_t *job)
{
    const join_config_t *c = &s->join->config;
    key_grant_t grant = job->grant;
    keyshare_t *m = calloc(1, sizeof *m);
    share_texts_t *t = malloc(sizeof *t);
    rc_t rc = m && t ? RC_OK : RC_NOMEM;
    if (!rc) {
        memcpy(m->id, s->peers_request.id, sizeof m->id);
        describe(s->join, m, t);
        rc = key_seal(s, m, &grant, s->peers_request.ephemeral);
    }
    if (rc) {
        decline(s, KEYSHARE_BUSY);
    } else {
        join_member_t to;
        session_t *at = answered_on(s);
        session_member(at, &to);
        rc = at == s ? answer(at, m) : RC_OK; /* which it always is, but where the simulation looks without it */
        if (!rc && c->released)
            c->released(c->ctx, &to, &job->name);
    }
    free(m);
    free(t);
    return !rc;
}

void key_released(session_t *s, const job_t *job)
{
    const join_t *j = s->join;
    key_name_t name;
    if (job->draft) {
        draft_released(s, job);
        return;
    }
    bool sent = false;
    s->releasing = false;
    if (job->rc && job->e.code != E_KEY_RELEASE && job->e.code != E_EXPIRED)
        session_refuse(s, NET_BYE_POLICY, &job->e);
    else if (job->rc)
        decline(s, job->e.code == E_EXPIRED ? KEYSHARE_EVIDENCE_EXPIRED : KEYSHARE_BUSY);
    else if (job->policy != j->config.policy || look(s, &name, &s->peers_request) != KEYSHARE_OK ||
             key_name_cmp(&job->name, &name) != 0)
        decline(s, KEYSHARE_BUSY); /* something changed while it was judged */
    else
        sent = share(s, job);
    if (!job->rc && !sent)
        mattest_unreleased(s->m, &job->name, false);
}

static void refuse(session_t *s, rc_t rc, const char *text)
{
    err_t why;
    (void)err_say(&why, rc, text);
    session_refuse(s, NET_BYE_PROTOCOL, &why);
}

/* A request, or a draft that comes unasked, which waits until the peer is one. RC_NEED_DATA: not all there, not yet. */
static rc_t read_asked(session_t *s, lane_t *l)
{
    view_t message;
    size_t used;
    err_t e;
    keyshare_t *m = NULL;
    rc_t rc = pb_delimited(&message, &used, view_of(l->bytes, l->n), KEYSHARE_MAX);
    if (rc)
        return rc;
    if (used != l->n)
        return RC_MALFORMED;
    if (message.n <= KEYSHARE_REQUEST_MAX && !keyshare_request_read(&s->peers_request, &e, message)) {
        if (!s->has_state) /* of who is a peer from then on: it comes on another stream */
            return RC_NEED_DATA;
        s->answering = l;
        lane_use(l, used);
        give(s);
        return RC_OK;
    }
    if (!session_is_peer(s))
        return RC_NEED_DATA;
    m = malloc(sizeof *m);
    rc = m ? keyshare_read(m, &e, message) : RC_NOMEM;
    if (!rc && m->status == KEYSHARE_OK && m->draft)
        draft_take(s, m);
    else if (!rc)
        rc = RC_MALFORMED;
    if (!rc && l->stream) {
        lane_use(l, used);
        net_end(l->stream);
    }
    free(m);
    return rc;
}

void key_read_held(session_t *s)
{
    for (size_t i = 0; i < 2 && s->conn; i++) {
        lane_t *l = &s->asked[i];
        if (!l->stream || !l->n || !s->attested || s->releasing)
            continue;
        const rc_t rc = read_asked(s, l);
        if (rc && rc != RC_NEED_DATA)
            refuse(s, RC_MALFORMED, "a message of the key share that is malformed, or too long");
    }
}

/* ---- streams ---- */

void key_opened(void *ctx, net_stream_t *stream)
{
    session_t *s = join_find(ctx, net_conn_of(stream));
    if (net_opener(stream))
        return;
    lane_t *l = !s ? NULL : !s->asked[0].stream ? &s->asked[0] : !s->asked[1].stream ? &s->asked[1] : NULL;
    if (!l || (s->releasing && s->answering == l)) {
        net_reset(stream);
        return;
    }
    l->n = 0;
    l->stream = stream;
    net_set_stream_user(stream, l);
}

void key_data(void *ctx, net_stream_t *stream, view_t bytes)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx;
    if (!l)
        return;
    session_t *s = l->session;
    if (lane_add(l, bytes, KEYSHARE_MAX + LENGTH_MAX))
        refuse(s, RC_LIMIT, "a message of the key share that is too long");
    else if (l == &s->ask)
        read_answer(s);
    else if (l != &s->gave)
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
