#include "tee/channel/mattest.h"

#include <stdlib.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "tee/channel/hello.h"
#include "tee/verify/policy.h"

#define HEADER_LEN 5u /* u32 length of the body, u8 type */
#define CONFIRM_LEN 64u
#define REJECT_LEN 2u
#define EVIDENCE_MIN 17u                                           /* type and four lengths */
#define SPARE (HEADER_LEN + CONFIRM_LEN + HEADER_LEN + REJECT_LEN) /* room behind HELLO and EVIDENCE */
#define ARENA_MAX (32u << 20)                                      /* of one appraisal */
#define DAY_S 86400

enum { EVIDENCE = 2, CONFIRM = 3, REJECT = 4 };

struct mattest {
    mattest_config_t c;
    mattest_state_t state;
    ecdsa_t *ecdsa;
    hello_t own, peer; /* peer: once has_peer */
    bool has_peer;
    uint8_t ex[32];
    bool own_given;     /* our EVIDENCE is in the output */
    bool peer_verified; /* the peer's EVIDENCE is */
    uint8_t *kept;      /* what the claim points into */
    tee_claim_t claim;  /* of the peer, once it verified; collateral n 0: our own served */
    hash32_t platform, measurement;
    int64_t expires;
    struct {
        bool any, before; /* before: last is there */
        key_name_t newest, last;
    } released[2];   /* of committed generations, of drafts */
    unsigned unsent; /* releases that were taken back */
    rc_t rc;         /* why the machine failed */
    err_t fault;

    /* The message that comes in. */
    uint8_t hello[MATTEST_HELLO_LEN];
    size_t hello_n;
    uint8_t header[HEADER_LEN];
    size_t header_n;
    uint8_t *body; /* NULL until the header is complete */
    size_t body_len, body_n;
    size_t rest;

    /* What goes out: HELLO, EVIDENCE, CONFIRM, or HELLO, perhaps more, REJECT. Capacity is always SPARE more than HELLO
     * and EVIDENCE need. */
    uint8_t *out;
    size_t out_n, out_sent;
    size_t evidence_end; /* 0: not yet in */
};

static void drop_message(mattest_t *m)
{
    free(m->body);
    m->body = NULL;
    m->header_n = m->body_n = m->body_len = 0;
}

static void put_header(wr_t *w, size_t len, uint8_t type)
{
    wr_be(w, len, 4);
    wr_u8(w, type);
}

/* Ends the machine. A message that the peer has the beginning of is completed; those behind it are not sent. */
static rc_t fail(mattest_t *m, rc_t rc)
{
    m->state = MATTEST_FAILED;
    m->rc = rc;
    drop_message(m);
    if (m->out_sent <= MATTEST_HELLO_LEN)
        m->out_n = MATTEST_HELLO_LEN;
    else if (m->evidence_end && m->out_sent <= m->evidence_end)
        m->out_n = m->evidence_end;
    if (m->fault.code != E_REJECTED) {
        wr_t w = wr_of(m->out + m->out_n, HEADER_LEN + REJECT_LEN);
        put_header(&w, REJECT_LEN, REJECT);
        wr_be(&w, E_ATTEST, REJECT_LEN);
        m->out_n += w.n;
    }
    return rc;
}

static rc_t fail_with(mattest_t *m, tee_code_t code, const char *why)
{
    return fail(m, tee_fail(&m->fault, code, why));
}

/* That a HELLO's keys are points. */
static rc_t check_keys(const mattest_t *m, err_t *e, const hello_t *h)
{
    uint8_t point[64];
    if (ecdsa_uncompress(m->ecdsa, point, h->static_pubkey))
        return tee_fail(e, E_HELLO, "the HELLO's static key is not a point of the curve");
    if (hello_is_pinned(h) && ecdsa_uncompress(m->ecdsa, point, h->cluster))
        return tee_fail(e, E_HELLO, "the HELLO's cluster is not a point of the curve");
    return RC_OK;
}

rc_t mattest_new(mattest_t **out, const mattest_config_t *config)
{
    err_t fault;
    hello_t h;
    mattest_t *m = calloc(1, sizeof *m);
    *out = NULL;
    if (m) {
        m->ecdsa = ecdsa_new(NULL);
        m->out = malloc(MATTEST_HELLO_LEN + SPARE);
    }
    if (!m || !m->ecdsa || !m->out) {
        mattest_free(m);
        return RC_NOMEM;
    }
    m->c = *config;
    m->state = MATTEST_RUNNING;
    m->own = (hello_t){ .role = config->role,
                        .type = config->type,
                        .wants_key = config->wants_key,
                        .holds_key = config->holds_key,
                        .spki = config->spki,
                        .order = config->order,
                        .chain_id = config->chain_id,
                        .version = config->version,
                        .genesis = config->genesis,
                        .key_log = config->key_log };
    memcpy(m->own.nonce, config->nonce, sizeof m->own.nonce);
    memcpy(m->own.static_pubkey, config->static_pubkey, sizeof m->own.static_pubkey);
    memcpy(m->own.cluster, config->cluster, sizeof m->own.cluster);
    hello_write(m->out, &m->own);
    m->out_n = MATTEST_HELLO_LEN;
    if (hello_read(&h, &fault, m->out) || check_keys(m, &fault, &m->own)) {
        mattest_free(m);
        return RC_REFUSED;
    }
    *out = m;
    return RC_OK;
}

void mattest_free(mattest_t *m)
{
    if (!m)
        return;
    drop_message(m);
    free(m->kept);
    free(m->out);
    ecdsa_free(m->ecdsa);
    secret_wipe(m, sizeof *m);
    free(m);
}

mattest_state_t mattest_state(const mattest_t *m)
{
    return m->state;
}

/* Checks of section 16.2 that need more than the HELLO itself. */
static rc_t check_hello(mattest_t *m, const hello_t *h)
{
    err_t *e = &m->fault;
    if (h->role == m->own.role)
        return tee_fail(e, E_ROLE, NULL);
    if (h->type == TEE_EVIDENCE_SIMULATED && !policy_simulator_root(m->c.policy).n)
        return tee_fail(e, E_EVIDENCE_TYPE, "the peer is simulated, and the policy names no simulator");
    if (check_keys(m, e, h))
        return e->rc;
    if (memcmp(h->static_pubkey, m->own.static_pubkey, sizeof h->static_pubkey) == 0)
        return tee_fail(e, E_REFLECTION, "the peer shows our own static key");
    if (memcmp(h->nonce, m->own.nonce, sizeof h->nonce) == 0)
        return tee_fail(e, E_REFLECTION, "the peer shows our own nonce");
    if (hash32_eq(&h->spki, &m->own.spki))
        return tee_fail(e, E_REFLECTION, "the peer shows our own certificate");
    if (!hash32_eq(&h->spki, &m->c.peer_spki))
        return tee_fail(e, E_SPKI, NULL);
    if (h->chain_id != m->own.chain_id)
        return tee_fail(e, E_CHAIN_ID, NULL);
    if (!hash32_eq(&h->genesis, &m->own.genesis))
        return tee_fail(e, E_GENESIS, NULL);
    if (hello_is_pinned(h) && hello_is_pinned(&m->own) && memcmp(h->cluster, m->own.cluster, sizeof h->cluster) != 0)
        return tee_fail(e, E_CLUSTER, NULL);
    return RC_OK;
}

static rc_t handle_hello(mattest_t *m)
{
    hello_t h;
    rc_t rc = hello_read(&h, &m->fault, m->hello);
    if (!rc)
        rc = check_hello(m, &h);
    if (rc)
        return rc;
    m->peer = h;
    m->has_peer = true;
    m->state = MATTEST_EXPORT;
    return RC_OK;
}

void mattest_exporter_context(const mattest_t *m, hash32_t *out)
{
    *out = (hash32_t){ { 0 } };
    if (m->has_peer)
        hello_transcript(out, &m->own, &m->peer);
}

rc_t mattest_exporter(mattest_t *m, const uint8_t ex[32])
{
    if (m->state != MATTEST_EXPORT)
        return RC_REFUSED;
    memcpy(m->ex, ex, sizeof m->ex);
    m->state = MATTEST_QUOTE;
    return RC_OK;
}

static bool has_exporter(const mattest_t *m)
{
    return m->has_peer && m->state != MATTEST_EXPORT && m->state != MATTEST_FAILED;
}

void mattest_report_data(const mattest_t *m, uint8_t out[TEE_REPORT_DATA_LEN])
{
    memset(out, 0, TEE_REPORT_DATA_LEN);
    if (has_exporter(m))
        hello_report_data(out, &m->own, &m->peer, m->ex);
}

/* Sends CONFIRM once our evidence is out and the peer's is verified. */
static rc_t confirm_if_due(mattest_t *m)
{
    hash32_t digest;
    uint8_t sig[CONFIRM_LEN];
    if (!m->own_given || !m->peer_verified)
        return RC_OK;
    hello_confirm_digest(&digest, &m->own, &m->peer, m->ex);
    rc_t rc = m->c.sign(m->c.sign_ctx, sig, &digest);
    if (rc == RC_NOMEM)
        return tee_fail(&m->fault, E_NOMEM, NULL);
    if (rc)
        return tee_fail(&m->fault, E_CONFIRM, "our own static key gave no signature");
    wr_t w = wr_of(m->out + m->out_n, HEADER_LEN + CONFIRM_LEN);
    put_header(&w, CONFIRM_LEN, CONFIRM);
    wr_bytes(&w, sig, sizeof sig);
    m->out_n += w.n;
    return RC_OK;
}

static void put_part(wr_t *w, view_t part)
{
    wr_be(w, part.n, 4);
    wr_bytes(w, part.p, part.n);
}

/* Puts our EVIDENCE behind the HELLO. RC_NOMEM, RC_LIMIT. */
static rc_t put_evidence(mattest_t *m, view_t quote, const tee_evidence_t *e, view_t collateral)
{
    const view_t parts[] = { quote, e->event_log, e->vm_config, collateral };
    size_t len = EVIDENCE_MIN;
    for (size_t i = 0; i < 4; i++) {
        if (parts[i].n > MATTEST_MESSAGE_MAX - len)
            return RC_LIMIT;
        len += parts[i].n;
    }
    size_t cap = m->out_n + HEADER_LEN + len;
    uint8_t *out = realloc(m->out, cap + SPARE);
    if (!out)
        return RC_NOMEM;
    m->out = out;
    wr_t w = wr_of(m->out + m->out_n, cap - m->out_n);
    put_header(&w, len, EVIDENCE);
    wr_u8(&w, (uint8_t)e->type);
    for (size_t i = 0; i < 4; i++)
        put_part(&w, parts[i]);
    m->out_n += w.n;
    m->evidence_end = m->out_n;
    return RC_OK;
}

rc_t mattest_evidence(mattest_t *m, const tee_evidence_t *evidence, view_t collateral)
{
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    quote_t q;
    err_t fault;
    if (m->state != MATTEST_QUOTE || evidence->type != m->own.type || quote_parse(&q, &fault, evidence->quote))
        return RC_REFUSED;
    mattest_report_data(m, report_data);
    if (!secret_eq(q.td.report_data, report_data, sizeof report_data))
        return RC_REFUSED;
    rc_t rc = put_evidence(m, q.used, evidence, collateral);
    if (rc)
        return rc;
    m->own_given = true;
    m->state = MATTEST_RUNNING;
    rc = confirm_if_due(m);
    return rc ? fail(m, rc) : RC_OK;
}

/* Whether a fault may be the collateral's: that it is of another platform, not valid at this time, or broken. Then
 * other collateral may do. What it says of the peer is final: a peer would else staple what is old enough not to
 * say it. */
static bool blames_collateral(tee_code_t code)
{
    return code < E_QE_SIG && code != E_REVOKED;
}

/* By our own collateral, and by the peer's where ours does not serve. claim: without collateral; on RC_OK with what
 * served. Of out only what points to nothing lives on. */
static rc_t appraise(const mattest_t *m, tee_verified_t *out, tee_claim_t *claim, err_t *e,
                     const mattest_present_t *present, view_t stapled)
{
    const view_t tries[] = { present->collateral, stapled };
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    err_t found;
    rc_t rc = tee_fail(&found, E_COLLATERAL, "there is no collateral to verify the peer's quote by");
    hello_report_data(report_data, &m->peer, &m->own, m->ex);
    for (size_t i = 0; rc && blames_collateral(found.code) && i < 2; i++) {
        arena_t a;
        if (!tries[i].n)
            continue;
        claim->collateral = tries[i];
        arena_init(&a, ARENA_MAX);
        rc = tee_appraise(out, NULL, m->c.memory, &found, &a, claim, report_data, present->policy, present->now);
        arena_free(&a);
    }
    if (rc && e)
        *e = found;
    return rc;
}

static void measure(hash32_t *out, const quote_td_t *td)
{
    const uint8_t *const registers[] = { td->mr_td, td->rtmr[0], td->rtmr[1], td->rtmr[2], td->rtmr[3] };
    view_t parts[5];
    for (size_t i = 0; i < 5; i++)
        parts[i] = view_of(registers[i], 48);
    sha256_parts(out, parts, 5);
}

/* Keeps what the peer proved itself by, in one piece of memory: to judge it anew. RC_NOMEM. */
static rc_t keep(mattest_t *m, const tee_claim_t *claim, const tee_verified_t *verified, int64_t now)
{
    view_t *const parts[] = { &m->claim.quote, &m->claim.event_log, &m->claim.collateral, &m->claim.vm_config };
    size_t at = 0;
    m->claim = *claim;
    m->kept = malloc(claim->quote.n + claim->event_log.n + claim->collateral.n + claim->vm_config.n);
    if (!m->kept)
        return tee_fail(&m->fault, E_NOMEM, NULL);
    for (size_t i = 0; i < 4; at += parts[i++]->n) {
        if (parts[i]->n)
            memcpy(m->kept + at, parts[i]->p, parts[i]->n);
        parts[i]->p = m->kept + at;
    }
    m->platform = verified->platform;
    measure(&m->measurement, &verified->quote.td);
    m->expires = verified->earliest_expiry < now + DAY_S ? verified->earliest_expiry : now + DAY_S;
    m->peer_verified = true;
    return RC_OK;
}

/* Takes EVIDENCE apart and appraises it. */
static rc_t handle_evidence(mattest_t *m, view_t collateral, int64_t now)
{
    rd_t r = rd_of(view_of(m->body, m->body_len));
    unsigned type = rd_u8(&r);
    view_t quote = rd_take(&r, rd_u32be(&r));
    view_t event_log = rd_take(&r, rd_u32be(&r));
    view_t vm_config = rd_take(&r, rd_u32be(&r));
    view_t stapled = rd_take(&r, rd_u32be(&r));
    if (!rd_done(&r) || vm_config.n > TEE_VM_CONFIG_MAX)
        return tee_fail(&m->fault, E_MESSAGE, "the parts of the EVIDENCE do not fit");
    if (type != (unsigned)m->peer.type)
        return tee_fail(&m->fault, E_EVIDENCE_TYPE, "the EVIDENCE is of another type than the HELLO offered");
    tee_claim_t claim = { .type = m->peer.type, .quote = quote, .event_log = event_log, .vm_config = vm_config };
    const mattest_present_t present = { m->c.policy, collateral, now };
    tee_verified_t verified;
    rc_t rc = appraise(m, &verified, &claim, &m->fault, &present, stapled);
    if (!rc && claim.collateral.p == collateral.p)
        claim.collateral = view_of(NULL, 0); /* it is at hand also later */
    if (!rc)
        rc = keep(m, &claim, &verified, now);
    return rc ? rc : confirm_if_due(m);
}

static rc_t handle_confirm(mattest_t *m)
{
    hash32_t digest;
    if (!m->own_given || m->out_sent < m->evidence_end)
        return tee_fail(&m->fault, E_STATE, "the peer confirms before it can have our evidence");
    hello_confirm_digest(&digest, &m->peer, &m->own, m->ex);
    if (ecdsa_verify(m->ecdsa, m->body, &digest, m->peer.static_pubkey))
        return tee_fail(&m->fault, E_CONFIRM, NULL);
    m->state = MATTEST_ATTESTED;
    return RC_OK;
}

/* Judges a complete header and makes room for its body. */
static rc_t open_message(mattest_t *m)
{
    rd_t r = rd_of(view_of(m->header, sizeof m->header));
    size_t len = rd_u32be(&r);
    unsigned type = rd_u8(&r);
    if (type != EVIDENCE && type != CONFIRM && type != REJECT)
        return tee_fail(&m->fault, E_MESSAGE, "a message has an unknown type");
    if (type != REJECT && type != (m->peer_verified ? CONFIRM : EVIDENCE))
        return tee_fail(&m->fault, E_STATE, NULL);
    if (type == EVIDENCE ? len < EVIDENCE_MIN || len > MATTEST_MESSAGE_MAX
                         : len != (type == CONFIRM ? CONFIRM_LEN : REJECT_LEN))
        return tee_fail(&m->fault, E_MESSAGE, "a message has another length than its type allows");
    m->body = malloc(len);
    m->body_len = len;
    return m->body ? RC_OK : tee_fail(&m->fault, E_NOMEM, NULL);
}

static void fill(uint8_t *buf, size_t *have, size_t want, rd_t *r)
{
    size_t n = want - *have < r->n ? want - *have : r->n;
    rd_copy(r, buf + *have, n);
    *have += n;
}

/* Moves bytes of r to the present message. *complete: all of it is there. */
static rc_t collect(mattest_t *m, bool *complete, rd_t *r)
{
    *complete = false;
    if (!m->has_peer) {
        fill(m->hello, &m->hello_n, sizeof m->hello, r);
        *complete = m->hello_n == sizeof m->hello;
        return RC_OK;
    }
    fill(m->header, &m->header_n, sizeof m->header, r);
    if (m->header_n < sizeof m->header)
        return RC_OK;
    rc_t rc = m->body ? RC_OK : open_message(m);
    if (rc)
        return rc;
    fill(m->body, &m->body_n, m->body_len, r);
    *complete = m->body_n == m->body_len;
    return RC_OK;
}

static rc_t handle(mattest_t *m, view_t collateral, int64_t now)
{
    rc_t rc;
    if (!m->has_peer)
        return handle_hello(m);
    if (m->header[HEADER_LEN - 1] == REJECT)
        return tee_fail(&m->fault, E_REJECTED, NULL);
    rc = m->header[HEADER_LEN - 1] == EVIDENCE ? handle_evidence(m, collateral, now) : handle_confirm(m);
    drop_message(m);
    return rc;
}

rc_t mattest_take(mattest_t *m, view_t bytes, view_t collateral, int64_t now, uint64_t now_ms)
{
    rd_t r = rd_of(bytes);
    bool complete;
    rc_t rc = mattest_tick(m, now_ms);
    m->rest = 0;
    while (!rc && m->state != MATTEST_ATTESTED) {
        rc = collect(m, &complete, &r);
        if (!rc && !complete)
            return RC_OK;
        if (!rc && m->state == MATTEST_EXPORT && m->header[HEADER_LEN - 1] != REJECT) {
            /* Evidence that waits for the exporter; behind it nothing may come before ours has gone. */
            return r.n ? fail_with(m, E_STATE, "bytes came behind the peer's evidence, before ours was sent") : RC_OK;
        }
        if (!rc)
            rc = handle(m, collateral, now);
        if (rc)
            return fail(m, rc);
    }
    m->rest = r.n;
    return rc;
}

rc_t mattest_tick(mattest_t *m, uint64_t now_ms)
{
    if (m->state == MATTEST_FAILED)
        return m->rc;
    if (m->state != MATTEST_ATTESTED && now_ms > m->c.started_ms && now_ms - m->c.started_ms >= MATTEST_DEADLINE_MS)
        return fail_with(m, E_DEADLINE, NULL);
    return RC_OK;
}

size_t mattest_rest(const mattest_t *m)
{
    return m->state == MATTEST_ATTESTED ? m->rest : 0;
}

bool mattest_has_confirmed(const mattest_t *m)
{
    return m->own_given && m->peer_verified && m->state != MATTEST_FAILED;
}

view_t mattest_output(const mattest_t *m)
{
    return view_of(m->out + m->out_sent, m->out_n - m->out_sent);
}

void mattest_sent(mattest_t *m, size_t n)
{
    m->out_sent += n < m->out_n - m->out_sent ? n : m->out_n - m->out_sent;
}

const err_t *mattest_fault(const mattest_t *m)
{
    return &m->fault;
}

const uint8_t *mattest_peer(const mattest_t *m)
{
    return m->state == MATTEST_ATTESTED ? m->peer.static_pubkey : NULL;
}

const hello_t *mattest_peer_hello(const mattest_t *m)
{
    return m->has_peer ? &m->peer : NULL;
}

int64_t mattest_expires(const mattest_t *m)
{
    return m->state == MATTEST_ATTESTED ? m->expires : 0;
}

const hash32_t *mattest_platform(const mattest_t *m)
{
    return m->state == MATTEST_ATTESTED ? &m->platform : NULL;
}

const hash32_t *mattest_measurement(const mattest_t *m)
{
    return m->state == MATTEST_ATTESTED ? &m->measurement : NULL;
}

const uint8_t *mattest_channel(const mattest_t *m)
{
    return m->state == MATTEST_ATTESTED ? m->ex : NULL;
}

rc_t mattest_judge(const mattest_t *m, err_t *e, const mattest_present_t *present)
{
    tee_verified_t verified;
    if (m->state != MATTEST_ATTESTED)
        return tee_fail(e, E_STATE, "the connection is not attested");
    if (present->now > m->expires)
        return tee_fail(e, E_EXPIRED, NULL);
    tee_claim_t claim = {
        .type = m->claim.type, .quote = m->claim.quote, .event_log = m->claim.event_log, .vm_config = m->claim.vm_config
    };
    return appraise(m, &verified, &claim, e, present, m->claim.collateral);
}

rc_t mattest_release_key(mattest_t *m, key_grant_t *out, err_t *e, const key_name_t *generation,
                         const mattest_present_t *present, bool draft)
{
    if (m->state != MATTEST_ATTESTED)
        return tee_fail(e, E_KEY_RELEASE, "the connection is not attested");
    if (m->released[draft].any && key_name_cmp(generation, &m->released[draft].newest) <= 0)
        return tee_fail(e, E_KEY_RELEASE, "this generation, or a newer one, was released on this connection before");
    rc_t rc = mattest_judge(m, e, present);
    if (rc)
        return rc;
    m->released[draft].before = m->released[draft].any;
    m->released[draft].last = m->released[draft].newest;
    m->released[draft].any = true;
    m->released[draft].newest = *generation;
    key_grant_make(out, generation, m->ex);
    return RC_OK;
}

void mattest_unreleased(mattest_t *m, const key_name_t *generation, bool draft)
{
    if (!m->released[draft].any || m->unsent == MATTEST_UNSENT_MAX ||
        key_name_cmp(generation, &m->released[draft].newest) != 0)
        return;
    m->unsent++;
    m->released[draft].any = m->released[draft].before;
    m->released[draft].newest = m->released[draft].last;
}

rc_t mattest_release_group(const mattest_t *m, key_grant_t *out, err_t *e, const key_name_t *group,
                           const mattest_present_t *present)
{
    const rc_t rc = mattest_judge(m, e, present);
    if (!rc)
        key_grant_make(out, group, m->ex);
    return rc;
}
