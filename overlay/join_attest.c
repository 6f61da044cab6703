#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "overlay/guard.h"
#include "overlay/join_parts.h"

#define ARENA_MAX ((size_t)1 << 20)
#define NEVER UINT64_MAX
#define MAKER_MS 500u /* between two looks of a maker at whether it is its turn */

/* ---- lanes ---- */

rc_t lane_add(lane_t *l, view_t bytes, size_t max)
{
    if (bytes.n > max - l->n)
        return RC_LIMIT;
    if (l->n + bytes.n > l->cap) {
        const size_t cap = 2 * (l->n + bytes.n);
        uint8_t *more = realloc(l->bytes, cap);
        if (!more)
            return RC_NOMEM;
        l->bytes = more;
        l->cap = cap;
    }
    if (bytes.n)
        memcpy(l->bytes + l->n, bytes.p, bytes.n);
    l->n += bytes.n;
    return RC_OK;
}

void lane_use(lane_t *l, size_t n)
{
    memmove(l->bytes, l->bytes + n, l->n - n);
    l->n -= n;
    if (l->stream)
        net_consumed(l->stream, n);
}

void lane_clear(lane_t *l)
{
    free(l->bytes);
    l->bytes = NULL;
    l->n = l->cap = 0;
    l->stream = NULL;
}

void lane_reset(lane_t *l)
{
    net_stream_t *stream = l->stream;
    l->stream = NULL;
    if (stream)
        net_reset(stream);
}

bool credit_take(credit_t *c, unsigned n, unsigned max, unsigned each_ms, uint64_t now_ms)
{
    const uint64_t more = (now_ms - c->at_ms) / each_ms;
    if (!c->at_ms || c->left + more >= max) {
        c->left = max;
        c->at_ms = now_ms;
    } else {
        c->left += (unsigned)more;
        c->at_ms += more * each_ms;
    }
    if (c->left < n)
        return false;
    c->left -= n;
    return true;
}

/* ---- sessions ---- */

session_t *join_find(const join_t *j, const net_conn_t *c)
{
    session_t *s = j->sessions;
    while (s && s->conn != c)
        s = s->next;
    return s;
}

bool session_same_order(const session_t *s)
{
    return s->attested && order_id_cmp(&s->order, &s->join->order.id) == 0;
}

bool session_is_peer(const session_t *s)
{
    return s->conn && session_same_order(s) && s->has_state && !s->rejudge && !s->leaves_ms;
}

void session_changed(session_t *s)
{
    spread_update(s->join);
    if (s->join->config.changed)
        s->join->config.changed(s->join->config.ctx);
}

void session_trouble(session_t *s, rc_t rc, const char *text)
{
    if (rc)
        (void)err_say(&s->trouble, rc, text);
    else
        err_clear(&s->trouble);
    session_changed(s);
}

/* What a session needs no more once its connection is gone, and no job has the machine. */
static void session_empty(session_t *s)
{
    lane_t *const lanes[] = { &s->attest,   &s->ordered,  &s->told, &s->heard,   &s->ask,
                              &s->asked[0], &s->asked[1], &s->gave, &s->flooded, &s->heard_flood };
    for (size_t i = 0; i < sizeof lanes / sizeof lanes[0]; i++)
        lane_clear(lanes[i]);
    mattest_free(s->m);
    key_ephemeral_free(s->ephemeral);
    key_ephemeral_free(s->draft_key);
    free(s->owed);
    free(s->draft);
    free(s->message);
    free(s->first);
    s->m = NULL;
    s->ephemeral = s->draft_key = NULL;
    s->owed = NULL;
    s->owed_count = 0;
    s->draft = NULL;
    s->message = NULL;
    s->first = NULL;
    s->has_state = false;
}

/* What is freed when a session is over; no job is out. */
static void session_free(session_t *s)
{
    session_empty(s);
    if (s->quote)
        join_job_drop(&s->quote->link);
    free(s);
}

/* Keeps a refusal, the newest of a peer in the place of its last one. */
static void note_refusal(join_t *j, const net_conn_t *c, unsigned bye, const err_t *why)
{
    size_t at = 0;
    const peerid_t *peer = net_peer(c);
    while (at < j->refusal_count && !peerid_eq(&j->refusals[at].peer, peer))
        at++;
    join_refusal_t r = { .peer = *peer, .addr = *net_addr(c), .why = *why, .bye = bye, .at_ms = j->now_ms, .times = 1 };
    if (at < j->refusal_count && j->refusals[at].why.code == why->code && !strcmp(j->refusals[at].why.text, why->text))
        r.times += j->refusals[at].times;
    if (at == j->refusal_count && at < JOIN_REFUSALS_MAX)
        j->refusal_count++;
    else if (at == JOIN_REFUSALS_MAX)
        at--;
    memmove(&j->refusals[1], &j->refusals[0], at * sizeof r);
    j->refusals[0] = r;
}

void session_refuse(session_t *s, unsigned code, const err_t *why)
{
    if (!s->conn || !net_is_open(s->conn))
        return; /* whoever closed it has said why */
    const join_config_t *c = &s->join->config;
    note_refusal(s->join, s->conn, code, why);
    s->refused = true;
    if (c->refused)
        c->refused(c->ctx, s->conn, code, why);
    net_close(s->conn, code, code == NET_BYE_ATTEST ? "attestation failed" : why->text);
}

static void refuse(session_t *s, unsigned code, rc_t rc, const char *text)
{
    err_t why;
    (void)err_say(&why, rc, text);
    session_refuse(s, code, &why);
}

/* ---- jobs ---- */

job_t *job_new(session_t *s, job_kind_t kind)
{
    job_t *job = calloc(1, sizeof *job);
    if (!job) {
        refuse(s, NET_BYE, RC_NOMEM, "out of memory");
        return NULL;
    }
    *job = (job_t){ .kind = kind,
                    .session = s,
                    .join = s->join,
                    .policy = s->join->config.policy,
                    .now_ms = s->join->now_ms,
                    .link.slow = kind == JOB_QUOTE };
    arena_init(&job->arena, ARENA_MAX);
    return job;
}

void job_post(job_t *job)
{
    job->session->jobs++;
    if (job->kind != JOB_QUOTE)
        job->session->busy = true;
    job->join->config.post(job->join->config.ctx, &job->link);
}

static void job_free(job_t *job)
{
    tee_evidence_free(&job->evidence);
    arena_free(&job->arena);
    free(job->bytes);
    free(job);
}

void join_job_run(join_job_t *link)
{
    job_t *job = (job_t *)link;
    const join_config_t *c = &job->join->config;
    job->collateral = c->collateral(c->ctx, &job->arena);
    job->now_s = c->now_s(c->ctx);
    const policy_t *policy = GUARD(JUDGED_NOW) ? job->policy : job->session->policy;
    const mattest_present_t present = { policy, job->collateral, job->now_s };
    mattest_t *m = job->kind == JOB_QUOTE ? NULL : job->session->m;
    switch (job->kind) {
    case JOB_QUOTE:
        job->rc = job->session->gone ? err_say(&job->e, RC_TIMEOUT, "the peer is gone")
                                     : c->evidence(c->ctx, &job->evidence, &job->e, job->report_data);
        break;
    case JOB_TAKE:
        job->rc = mattest_take(m, view_of(job->bytes, job->n), job->collateral, job->now_s, job->now_ms);
        break;
    case JOB_RELEASE: job->rc = mattest_release_key(m, &job->grant, &job->e, &job->name, &present, job->draft); break;
    case JOB_JUDGE: job->rc = mattest_judge(m, &job->e, &present); break;
    case JOB_GRANT: job->rc = mattest_release_group(m, &job->grant, &job->e, &job->name, &present); break;
    }
}

void join_job_drop(join_job_t *link)
{
    job_t *job = (job_t *)link;
    job->session->jobs--;
    job_free(job);
}

/* ---- attestation ---- */

static void pump(session_t *s);

/* Whether it is not asked for its quote yet, since too many of who is gone still have theirs to come. */
static bool is_put_off(const session_t *s)
{
    return s->conn && s->m && !s->busy && !s->attested && !s->quoting && mattest_state(s->m) == MATTEST_QUOTE;
}

/* Whether our quote is still to be made: then it is not the peer that is late. */
static bool is_our_turn(const session_t *s)
{
    return (s->quoting && !s->quoted) || is_put_off(s);
}

/* The code with which a connection ends whose attestation failed so. */
static unsigned bye_of(const session_t *s, const err_t *why)
{
    if (why->code == E_DEADLINE && is_our_turn(s))
        return NET_BYE;
    return why->code == E_CHAIN_ID || why->code == E_GENESIS ? NET_BYE_WRONG_CHAIN : NET_BYE_ATTEST;
}

/* Sends what the machine has to say. */
static bool flush(session_t *s)
{
    view_t out = mattest_output(s->m);
    if (!out.n || !s->attest.stream)
        return true;
    if (net_write(s->attest.stream, out))
        return false;
    mattest_sent(s->m, out.n);
    return true;
}

static rc_t give_exporter(session_t *s)
{
    hash32_t context;
    uint8_t ex[32];
    mattest_exporter_context(s->m, &context);
    rc_t rc = net_exporter(s->conn, ex, MATTEST_EXPORTER_LABEL, &context);
    if (!rc)
        rc = mattest_exporter(s->m, ex);
    secret_wipe(ex, sizeof ex);
    s->poke = true; /* evidence may wait for it */
    return rc;
}

/* That the key in the HELLO is the one that the connection was made with. */
static bool is_of_connection(session_t *s)
{
    const hello_t *h = mattest_peer_hello(s->m);
    const hostkey_t *key = net_peer_key(s->conn);
    return !h || (key->type == HOSTKEY_SECP256K1 && memcmp(h->static_pubkey, key->b, sizeof h->static_pubkey) == 0);
}

/* Sessions whose connection is gone, and whose quote is not made yet. */
static size_t gone_count(const join_t *j)
{
    size_t n = 0;
    for (const session_t *s = j->sessions; s; s = s->next)
        n += !s->conn;
    return n;
}

static void ask_quote(session_t *s)
{
    if (!s->quoting && gone_count(s->join) >= JOIN_GONE_MAX)
        return; /* until a turn finds that there is room */
    job_t *job = s->quoting ? NULL : job_new(s, JOB_QUOTE);
    if (!job)
        return;
    s->quoting = true;
    mattest_report_data(s->m, job->report_data);
    job_post(job);
}

static void give_quote(session_t *s)
{
    job_t *job = s->quote;
    s->quote = NULL;
    rc_t rc = mattest_evidence(s->m, &job->evidence, job->collateral);
    if (rc && mattest_state(s->m) != MATTEST_FAILED)
        refuse(s, NET_BYE_ATTEST, rc, "our own evidence does not fit");
    job_free(job);
}

static void start_take(session_t *s)
{
    job_t *job = job_new(s, JOB_TAKE);
    if (!job)
        return;
    job->bytes = s->attest.bytes;
    job->n = s->attest.n;
    if (s->attest.stream)
        net_consumed(s->attest.stream, s->attest.n);
    s->attest.bytes = NULL;
    s->attest.n = s->attest.cap = 0;
    s->poke = false;
    job_post(job);
}

/* By the policy in force: it is no peer until that has ended. */
static void judge(session_t *s)
{
    s->rejudge = true;
    job_t *job = s->busy ? NULL : job_new(s, JOB_JUDGE);
    if (job)
        job_post(job);
}

static void attested(session_t *s)
{
    const hello_t *h = mattest_peer_hello(s->m);
    if (mattest_rest(s->m) || s->attest.n) {
        refuse(s, NET_BYE_PROTOCOL, RC_REFUSED, "bytes behind the end of the attestation");
        return;
    }
    s->attested = true;
    memcpy(s->static_key, mattest_peer(s->m), sizeof s->static_key);
    s->platform = *mattest_platform(s->m);
    s->measurement = *mattest_measurement(s->m);
    s->expires_s = mattest_expires(s->m);
    s->order = (order_id_t){ h->version, h->order };
    s->deadline_ms = s->join->now_ms + JOIN_STATE_MS;
    if (s->attest.stream)
        net_end(s->attest.stream);
    if (s->policy != s->join->config.policy)
        judge(s);
    session_tell(s);
    if (s->conn)
        state_read_held(s);
    if (s->conn)
        key_read_held(s);
    if (s->conn)
        session_changed(s);
}

static void failed(session_t *s)
{
    const err_t why = *mattest_fault(s->m);
    session_refuse(s, bye_of(s, &why), &why);
}

/* One step of the machine, which no job has. False: nothing is left to do now. */
static bool step(session_t *s)
{
    if (!flush(s)) {
        refuse(s, NET_BYE, RC_LIMIT, "the attestation cannot be sent");
        return false;
    }
    s->confirmed = mattest_has_confirmed(s->m); /* the peer may open streams as soon as it has that */
    if (!s->checked && !is_of_connection(s)) {
        refuse(s, NET_BYE_ATTEST, RC_REFUSED, "the HELLO's static key is not the connection's");
        return false;
    }
    order_tell(s);
    switch (mattest_state(s->m)) {
    case MATTEST_FAILED: failed(s); return false;
    case MATTEST_ATTESTED: attested(s); return false;
    case MATTEST_EXPORT:
        s->checked = true;
        if (give_exporter(s))
            refuse(s, NET_BYE, RC_REFUSED, "the channel gives no exporter");
        return s->conn != NULL;
    case MATTEST_QUOTE:
        if (s->quote) {
            give_quote(s);
            return s->conn != NULL;
        }
        ask_quote(s);
        break;
    case MATTEST_RUNNING: break;
    }
    if (s->conn && (s->attest.n || s->poke))
        start_take(s);
    return false;
}

static void pump(session_t *s)
{
    while (s->conn && s->m && !s->busy && !s->attested && step(s))
        ;
}

/* ---- jobs that have ended ---- */

static void quote_done(session_t *s, job_t *job)
{
    s->quoted = true;
    if (job->rc || !s->conn) {
        if (s->conn) {
            err_before(&job->e, job->rc, "our own quote: ");
            session_refuse(s, NET_BYE_ATTEST, &job->e);
        }
        job_free(job);
        return;
    }
    s->quote = job;
    pump(s);
}

static void judged(session_t *s, const job_t *job)
{
    if (job->policy != s->join->config.policy)
        return; /* another order came meanwhile */
    s->rejudge = false;
    s->leaves_ms = job->rc ? s->join->now_ms + JOIN_LEAVE_MS : 0;
    s->leaves_for = job->e;
    session_changed(s);
}

static void granted(session_t *s, const job_t *job)
{
    key_grant_t grant = job->grant;
    const bool holds = !job->rc && session_is_peer(s);
    job->granted(job->granted_ctx, s->conn, holds ? &grant : NULL, &job->e);
}

rc_t join_grant(join_t *j, net_conn_t *c, const policy_t *policy, const key_name_t *name, join_granted_fn done,
                void *ctx)
{
    session_t *s = join_find(j, c);
    if (!s || !session_is_peer(s))
        return RC_REFUSED;
    if (s->busy)
        return RC_LIMIT;
    job_t *job = job_new(s, JOB_GRANT);
    if (!job)
        return RC_NOMEM;
    job->policy = policy;
    job->name = *name;
    job->granted = done;
    job->granted_ctx = ctx;
    job_post(job);
    return RC_OK;
}

const uint8_t *join_channel(const join_t *j, const net_conn_t *c)
{
    const session_t *s = join_find(j, c);
    return s && session_is_peer(s) ? mattest_channel(s->m) : NULL;
}

/* A job that had the machine. */
static void machine_done(session_t *s, const job_t *job)
{
    s->busy = false;
    if (!s->conn)
        return;
    switch (job->kind) {
    case JOB_RELEASE: key_released(s, job); break;
    case JOB_JUDGE: judged(s, job); break;
    case JOB_GRANT: granted(s, job); break;
    default: break;
    }
    if (s->conn && s->rejudge)
        judge(s);
    pump(s);
    if (s->conn)
        draft_try(s);
    if (s->conn)
        key_read_held(s);
}

void join_job_done(join_job_t *link)
{
    job_t *job = (job_t *)link;
    session_t *s = job->session;
    join_t *j = s->join;
    s->jobs--;
    if (job->kind == JOB_QUOTE) {
        quote_done(s, job);
    } else {
        machine_done(s, job);
        job_free(job);
    }
    key_ask_due(j);
}

/* ---- the attest protocol's stream ---- */

static void begin_machine(session_t *s, net_stream_t *stream)
{
    const join_config_t *c = &s->join->config;
    mattest_config_t m = { .role = net_dialled(s->conn) ? MATTEST_INITIATOR : MATTEST_RESPONDER,
                           .type = c->type,
                           .wants_key = gen_wants_key(s->join->gen),
                           .holds_key = !gen_wants_key(s->join->gen),
                           .chain_id = c->chain_id,
                           .genesis = c->genesis,
                           .order = s->join->order.id.digest,
                           .version = s->join->order.id.version,
                           .policy = c->policy,
                           .memory = c->memory,
                           .sign = c->sign,
                           .sign_ctx = c->sign_ctx,
                           .started_ms = s->opened_ms };
    c->random(c->ctx, m.nonce, sizeof m.nonce);
    memcpy(m.static_pubkey, c->static_pubkey, sizeof m.static_pubkey);
    const uint8_t *cluster = gen_cluster(s->join->gen);
    memcpy(m.cluster, cluster ? cluster : c->cluster, sizeof m.cluster);
    net_channel_keys(s->conn, &m.spki, &m.peer_spki);
    if (mattest_new(&s->m, &m)) {
        refuse(s, NET_BYE, RC_NOMEM, "out of memory");
        return;
    }
    s->policy = c->policy;
    s->said_holds = m.holds_key;
    s->attest.stream = stream;
    net_set_stream_user(stream, &s->attest);
    pump(s);
}

static void attest_opened(void *ctx, net_stream_t *stream)
{
    session_t *s = join_find(ctx, net_conn_of(stream));
    if (net_opener(stream))
        return;
    if (!s || s->m)
        net_reset(stream);
    else
        begin_machine(s, stream);
}

static void attest_data(void *ctx, net_stream_t *stream, view_t bytes)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx;
    if (!l)
        return;
    session_t *s = l->session;
    if (s->attested)
        refuse(s, NET_BYE_PROTOCOL, RC_REFUSED, "bytes behind the end of the attestation");
    else if (lane_add(l, bytes, 2 * MATTEST_MESSAGE_MAX))
        refuse(s, NET_BYE_PROTOCOL, RC_LIMIT, "an attestation that is too long");
    else
        pump(s);
}

static void attest_closed(void *ctx, net_stream_t *stream, rc_t why)
{
    lane_t *l = net_stream_user(stream);
    (void)ctx, (void)why;
    if (!l || l->stream != stream)
        return;
    l->stream = NULL;
    if (!l->session->attested)
        refuse(l->session, NET_BYE_ATTEST, RC_REFUSED, "the peer ended the attestation");
}

/* ---- what the net's owner hands on ---- */

void join_opened(join_t *j, net_conn_t *c)
{
    net_stream_t *stream;
    session_t *s = calloc(1, sizeof *s);
    if (!s) {
        net_close(c, NET_BYE, "out of memory");
        return;
    }
    *s = (session_t){ .next = j->sessions, .join = j, .conn = c, .opened_ms = j->now_ms };
    s->deadline_ms = j->now_ms + MATTEST_DEADLINE_MS;
    s->ordered.session = s->attest.session = s->told.session = s->heard.session = s->ask.session = s->gave.session = s;
    s->asked[0].session = s->asked[1].session = s->flooded.session = s->heard_flood.session = s;
    s->answering = &s->asked[0];
    s->wait_ms = JOIN_AGAIN_MS;
    j->sessions = s;
    if (!net_dialled(c))
        return;
    if (net_open(c, &stream, &j->protocols[JOIN_ATTEST], &s->attest))
        refuse(s, NET_BYE, RC_NOMEM, "no stream for the attestation");
    else
        begin_machine(s, stream);
}

void join_closed(join_t *j, net_conn_t *c, const err_t *why)
{
    session_t *s = join_find(j, c);
    if (!s)
        return;
    if (!s->refused && !s->attested)
        note_refusal(j, c, net_bye_code(c), why);
    key_forget(s);
    s->conn = NULL;
    s->gone = true;
    s->ordered.stream = s->attest.stream = s->told.stream = s->heard.stream = s->ask.stream = s->gave.stream = NULL;
    s->asked[0].stream = s->asked[1].stream = s->flooded.stream = s->heard_flood.stream = NULL;
    session_changed(s);
}

bool join_serves(join_t *j, net_conn_t *c, const net_protocol_t *p)
{
    const session_t *s = join_find(j, c);
    if (!s)
        return false;
    if (!strcmp(p->name, JOIN_ATTEST_PROTOCOL))
        return !net_dialled(c) && !s->m;
    if (!strcmp(p->name, JOIN_ORDER_PROTOCOL))
        return s->m && !s->order_heard;
    if (!strcmp(p->name, STATE_PROTOCOL) || !strcmp(p->name, KEYSHARE_PROTOCOL) || !strcmp(p->name, FLOOD_PROTOCOL))
        return GUARD(HOLD_EARLY) ? s->confirmed : s->attested; /* what they bring is held until it may be looked at */
    return session_is_peer(s) && j->config.serves && j->config.serves(j->config.ctx, c, p);
}

/* ---- deadlines ---- */

static void session_turn(session_t *s)
{
    const uint64_t now = s->join->now_ms;
    if (!s->conn)
        return;
    if (!s->attested && now >= s->deadline_ms && is_our_turn(s))
        refuse(s, NET_BYE, RC_TIMEOUT, "our own quote was not made in time");
    else if (!s->attested && now >= s->deadline_ms)
        refuse(s, NET_BYE_ATTEST, RC_TIMEOUT, "the peer did not attest in time");
    else if (s->attested && !s->has_state && now >= s->deadline_ms)
        refuse(s, NET_BYE_PROTOCOL, RC_TIMEOUT, "the peer told no state in time");
    else if (s->attested && !s->busy && s->join->config.now_s(s->join->config.ctx) > s->expires_s)
        refuse(s, NET_BYE_REATTEST_DUE, RC_REFUSED, "the peer's evidence has expired: it has to attest anew");
    else if (s->leaves_ms && now >= s->leaves_ms)
        session_refuse(s, NET_BYE_POLICY, &s->leaves_for);
    else if (s->ask.stream && now >= s->ask_deadline_ms)
        lane_reset(&s->ask);
}

static void sweep(join_t *j)
{
    for (session_t **at = &j->sessions; *at;) {
        session_t *s = *at;
        if (s->conn || s->jobs) {
            if (!s->conn && !s->busy)
                session_empty(s); /* what is still out is its quote, which may take long */
            at = &s->next;
            continue;
        }
        *at = s->next;
        session_free(s);
    }
}

static uint64_t next_of(const session_t *s)
{
    uint64_t at = s->attested && s->has_state ? NEVER : s->deadline_ms;
    const uint64_t key = key_next(s);
    if (s->leaves_ms && s->leaves_ms < at)
        at = s->leaves_ms;
    return key < at ? key : at;
}

uint64_t join_turn(join_t *j, uint64_t now_ms)
{
    uint64_t at = NEVER;
    j->now_ms = now_ms;
    for (session_t *s = j->sessions; s; s = s->next)
        session_turn(s);
    spread_turn(j);
    key_ask_due(j);
    sweep(j);
    for (session_t *s = j->sessions; s; s = s->next)
        if (is_put_off(s))
            pump(s);
    if (order_maker_index(&j->order.order, j->config.static_pubkey) >= 0)
        at = now_ms + MAKER_MS;
    for (session_t *s = j->sessions; s; s = s->next)
        if (s->conn && next_of(s) < at)
            at = next_of(s);
    return at;
}

/* ---- life ---- */

static net_protocol_t protocol(join_t *j, const char *name, void (*opened)(void *, net_stream_t *),
                               void (*data)(void *, net_stream_t *, view_t),
                               void (*closed)(void *, net_stream_t *, rc_t))
{
    return (net_protocol_t){ .name = name, .opened = opened, .data = data, .closed = closed, .ctx = j };
}

/* Copies an order with its text, which goes to peers unless it is the unsigned one. */
static rc_t keep_order(join_t *j, const order_signed_t *order)
{
    uint8_t *bytes = order->text.n ? malloc(ORDER_SIGNED_MAX + order->text.n) : NULL;
    wr_t w = wr_of(bytes, bytes ? ORDER_SIGNED_MAX + order->text.n : 0);
    if (order->text.n && !bytes)
        return RC_NOMEM;
    if (bytes)
        order_write(&w, order, true);
    j->order = *order; /* may be j->order itself */
    free(j->order_bytes);
    j->order_bytes = bytes;
    j->order_n = w.n;
    j->order.text = bytes ? view_of(bytes + w.n - order->text.n, order->text.n) : view_of(NULL, 0);
    return RC_OK;
}

static rc_t make_machines(join_t *j)
{
    const join_config_t *c = &j->config;
    gen_config_t g = { .sign = c->sign,
                       .sign_ctx = c->sign_ctx,
                       .keys = c->keyring,
                       .slot_now = c->slot_now,
                       .slot_ctx = c->ctx,
                       .rules = c->rules };
    flood_config_t f = { .sign = c->sign, .sign_ctx = c->sign_ctx, .ecdsa = c->ecdsa };
    memcpy(g.self, c->static_pubkey, sizeof g.self);
    memcpy(f.self, c->static_pubkey, sizeof f.self);
    memcpy(g.rules.cluster, c->cluster, sizeof g.rules.cluster);
    rc_t rc = gen_new(&j->gen, &g);
    if (!rc)
        rc = flood_new(&j->flood, &f);
    if (!rc)
        rc = keep_order(j, c->order);
    if (!rc)
        gen_order(j->gen, &j->order, 0);
    return rc;
}

rc_t join_new(join_t **out, const join_config_t *config)
{
    join_t *j = calloc(1, sizeof *j);
    if (!j)
        return RC_NOMEM;
    j->config = *config;
    j->protocols[JOIN_ATTEST] = protocol(j, JOIN_ATTEST_PROTOCOL, attest_opened, attest_data, attest_closed);
    j->protocols[JOIN_STATE] = protocol(j, STATE_PROTOCOL, state_opened, state_data, state_closed);
    j->protocols[JOIN_KEYSHARE] = protocol(j, KEYSHARE_PROTOCOL, key_opened, key_data, key_closed);
    j->protocols[JOIN_FLOOD] = protocol(j, FLOOD_PROTOCOL, flood_opened, flood_data, flood_closed);
    j->protocols[JOIN_FLOOD].writable = flood_writable;
    j->protocols[JOIN_ORDER] = protocol(j, JOIN_ORDER_PROTOCOL, order_opened, order_data, order_closed);
    const rc_t rc = make_machines(j);
    if (rc) {
        join_free(j);
        return rc;
    }
    j->config.order = NULL; /* the copy counts */
    join_keys(j, &j->keys);
    *out = j;
    return RC_OK;
}

void join_free(join_t *j)
{
    if (!j)
        return;
    while (j->sessions) {
        session_t *s = j->sessions;
        j->sessions = s->next;
        session_free(s);
    }
    gen_free(j->gen);
    flood_free(j->flood);
    free(j->order_bytes);
    free(j);
}

const net_protocol_t *join_protocols(const join_t *j, size_t *count)
{
    *count = JOIN_PROTOCOLS;
    return j->protocols;
}

rc_t join_judge_order(const join_t *j, err_t *e, const order_signed_t *order)
{
    order_rules_t rules = j->config.rules;
    const uint8_t *cluster = gen_cluster(j->gen);
    if (cluster)
        memcpy(rules.cluster, cluster, sizeof rules.cluster);
    return order_may_take(e, order, &j->order.id, &rules);
}

void join_shut_out(join_t *j, const uint8_t key[33], const err_t *why)
{
    for (session_t *s = j->sessions; s; s = s->next)
        if (s->conn && s->attested && memcmp(s->static_key, key, sizeof s->static_key) == 0)
            session_refuse(s, NET_BYE_POLICY, why);
}

rc_t join_set_order(join_t *j, const order_signed_t *order, const policy_t *policy)
{
    const rc_t rc = keep_order(j, order);
    if (rc)
        return rc;
    j->config.policy = policy;
    gen_order(j->gen, &j->order, j->now_ms);
    join_tell(j); /* whoever is shut out knows why */
    for (session_t *s = j->sessions; s; s = s->next)
        if (s->conn && s->attested && GUARD(JUDGED_NOW))
            judge(s);
    spread_update(j);
    return RC_OK;
}

rc_t join_leave(join_t *j, const order_signed_t *order, const policy_t *policy)
{
    if (gen_in_use(j->gen))
        return RC_REFUSED;
    const rc_t rc = keep_order(j, order);
    if (rc)
        return rc;
    gen_leave(j->gen);
    return join_set_order(j, &j->order, policy);
}

/* ---- what is known ---- */

static join_phase_t phase_of(const session_t *s)
{
    return session_is_peer(s) ? JOIN_PEER : s->attested ? JOIN_ATTESTED : JOIN_ATTESTING;
}

join_phase_t join_phase(const join_t *j, const net_conn_t *c)
{
    const session_t *s = join_find(j, c);
    return s ? phase_of(s) : JOIN_ATTESTING;
}

void session_member(const session_t *s, join_member_t *out)
{
    *out = (join_member_t){ .conn = s->conn,
                            .phase = phase_of(s),
                            .order = s->order,
                            .state = s->has_state ? &s->state : NULL,
                            .first = s->first ? &s->first->entry : NULL,
                            .trouble = &s->trouble };
    if (!s->attested)
        return;
    out->static_key = s->static_key;
    out->platform = s->platform;
    out->measurement = s->measurement;
    out->expires_s = s->expires_s;
}

size_t join_members(const join_t *j, join_member_t *out, size_t cap)
{
    size_t n = 0;
    for (const session_t *s = j->sessions; s && n < cap; s = s->next)
        if (s->conn)
            session_member(s, &out[n++]);
    return n;
}

size_t join_refusals(const join_t *j, join_refusal_t out[JOIN_REFUSALS_MAX])
{
    memcpy(out, j->refusals, j->refusal_count * sizeof *out);
    return j->refusal_count;
}

const entry_proof_t *join_newest(const join_t *j)
{
    return gen_newest(j->gen);
}

const entry_signed_t *join_first(const join_t *j)
{
    const entry_proof_t *first = gen_first(j->gen);
    return first ? &first->entry : NULL;
}

const gen_t *join_generations(const join_t *j)
{
    return j->gen;
}

const order_signed_t *join_order(const join_t *j)
{
    return &j->order;
}
