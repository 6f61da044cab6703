#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tee/quote/eventlog.h"
#include "tee/sim/sim.h"
#include "tee/sim/sim_doc.h"

#define QE_ID_LEN 16u
#define QE_ID_AT 28u /* in the header: the first 16 bytes of the user data */
#define OUTER_FIXED 134u
#define REGISTER_LEN 48u
#define LOG_MAX 32768u
#define PAYLOAD_MAX 1024u /* bytes of a runtime event */

typedef struct {
    sim_plan_t plan;
    sim_pki_t pki;
    uint8_t attestation_key[P256_PUBKEY_LEN];
    uint8_t qe_report[QUOTE_ENCLAVE_LEN];
    uint8_t qe_signature[P256_SIG_LEN];
    pthread_mutex_t lock; /* over what follows */
    uint8_t rtmr[4][REGISTER_LEN];
    uint8_t log_text[LOG_MAX]; /* JSON, without its last bracket */
    wr_t log;
    uint8_t quote[TEE_QUOTE_LEN_MAX];
} sim_t;

/* --- what the machine measured --- */

/* Appends to the log; false, and nothing appended: it is full. */
static bool log_event(sim_t *s, unsigned imr, uint32_t type, const uint8_t digest[REGISTER_LEN], const char *event,
                      view_t payload)
{
    char hex[2 * REGISTER_LEN + 1], payload_hex[2 * PAYLOAD_MAX + 1];
    hex_encode(hex, view_of(digest, REGISTER_LEN));
    hex_encode(payload_hex, payload);
    size_t room = s->log.cap - s->log.n;
    int n = snprintf((char *)s->log.p + s->log.n, room,
                     "%s{\"imr\":%u,\"event_type\":%u,\"digest\":\"%s\",\"event\":\"%s\",\"event_payload\":\"%s\"}",
                     s->log.n ? "," : "[", imr, type, hex, event, payload_hex);
    if (n < 0 || (size_t)n + 1 >= room) /* the last bracket needs a place, too */
        return false;
    s->log.n += (size_t)n;
    return true;
}

static rc_t measure_boot(sim_t *s, const sim_boot_event_t *e)
{
    uint8_t digest[REGISTER_LEN], *reg = s->rtmr[e->rtmr];
    const view_t text = view_str(e->event), parts[] = { view_of(reg, REGISTER_LEN), view_of(digest, REGISTER_LEN) };
    sha384_parts(digest, &text, 1);
    sha384_parts(reg, parts, 2);
    return log_event(s, e->rtmr, e->type, digest, e->event, view_of(NULL, 0)) ? RC_OK : RC_LIMIT;
}

/* Digest of a runtime event, version 1 (tee-facts section 12.2). */
static rc_t measure_runtime(sim_t *s, const char *event, view_t payload)
{
    static const uint8_t type[4] = { 0x01, 0x00, 0x00, 0x08 };
    const view_t parts[] = { view_of(type, 4), view_str(":"), view_str(event), view_str(":"), payload };
    uint8_t digest[REGISTER_LEN];
    sha384_parts(digest, parts, 5);
    if (payload.n > PAYLOAD_MAX || !log_event(s, 3, EVENTLOG_RUNTIME, digest, event, payload))
        return RC_LIMIT;
    eventlog_extend(s->rtmr[3], event, payload);
    return RC_OK;
}

/* Firmware, kernel and command line, then what dstack's guest measures of the application. */
static rc_t boot(sim_t *s)
{
    static const char key_provider[] = "{\"name\":\"none\",\"id\":\"\"}";
    uint8_t instance[20];
    hash32_t compose;
    const view_t none = { NULL, 0 };
    s->log = wr_of(s->log_text, sizeof s->log_text);
    sha256(&compose, view_str("simulated app-compose"));
    rc_t rc = sim_derive(instance, sizeof instance, s->pki.seed, "instance id");
    for (size_t i = 0; i < s->plan.boot_count && !rc; i++)
        rc = measure_boot(s, &s->plan.boot[i]);
    const struct {
        const char *event;
        view_t payload;
    } events[] = {
        { "system-preparing", none },
        { "app-id", view_of(compose.b, 20) },
        { "compose-hash", view_of(compose.b, 32) },
        { "instance-id", view_of(instance, sizeof instance) },
        { "boot-mr-done", none },
        { "key-provider", view_str(key_provider) },
        { "system-ready", none },
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0] && !rc; i++)
        rc = measure_runtime(s, events[i].event, events[i].payload);
    return rc;
}

rc_t tee_simulator_extend(const tee_provider_t *p, const char *event, view_t payload)
{
    sim_t *s = p->ctx;
    pthread_mutex_lock(&s->lock);
    rc_t rc = measure_runtime(s, event, payload);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* --- quotes --- */

/* What Intel's QE puts there: 0, 1, 2, ... */
static void write_auth(wr_t *w, size_t n)
{
    for (size_t i = 0; i < n; i++)
        wr_u8(w, (uint8_t)i);
}

static rc_t sign(uint8_t out[P256_SIG_LEN], const sim_t *s, sim_key_t signer, const uint8_t *instead, view_t in)
{
    hash32_t digest;
    if (instead) {
        memcpy(out, instead, P256_SIG_LEN);
        return RC_OK;
    }
    sha256(&digest, in);
    return p256_sign(out, &digest, s->pki.keys[signer].secret);
}

/* Report of the quoting enclave, which vouches for the attestation key, and its signature by the PCK key. */
static rc_t make_qe_report(sim_t *s)
{
    const sim_quote_plan_t *q = &s->plan.quote;
    uint8_t auth[QUOTE_AUTH_MAX], *at = s->qe_report + SIM_QE_REPORT_DATA;
    wr_t w = wr_of(auth, sizeof auth);
    hash32_t binding;
    memcpy(s->attestation_key, q->attestation_key ? q->attestation_key : s->pki.keys[SIM_ATTESTATION].public,
           P256_PUBKEY_LEN);
    memcpy(s->qe_report, q->qe_report, sizeof s->qe_report);
    write_auth(&w, q->auth_len);
    const view_t bound[] = { view_of(s->attestation_key, P256_PUBKEY_LEN), wr_view(&w) };
    sha256_parts(&binding, bound, 2);
    memcpy(at, binding.b, sizeof binding.b);
    for (size_t i = 0; i < sizeof q->binding_xor; i++)
        at[i] ^= q->binding_xor[i];
    return w.bad ? RC_BUG
                 : sign(s->qe_signature, s, q->qe_signer, q->qe_signature, view_of(s->qe_report, sizeof s->qe_report));
}

/* Header, descriptor of version 5, and TD report. */
static rc_t write_signed_part(wr_t *w, const sim_t *s, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    const sim_quote_plan_t *q = &s->plan.quote;
    uint8_t header[QUOTE_HEADER_LEN], td[QUOTE_TD15_LEN];
    bool v5 = q->header[SIM_HEADER_VERSION] == 5;
    size_t len = v5 && q->body_type == QUOTE_BODY_TD15 ? QUOTE_TD15_LEN : QUOTE_TD10_LEN;
    memcpy(header, q->header, sizeof header);
    rc_t rc = sim_derive(header + QE_ID_AT, QE_ID_LEN, s->pki.seed, "QE id");
    memcpy(td, q->td, sizeof td);
    memcpy(td + SIM_TD_RTMR0, s->rtmr, sizeof s->rtmr);
    memcpy(td + SIM_TD_REPORT_DATA, report_data, TEE_REPORT_DATA_LEN);
    wr_bytes(w, header, sizeof header);
    if (v5) {
        wr_u16le(w, q->body_type);
        wr_u32le(w, q->body_size < 0 ? (uint32_t)len : (uint32_t)q->body_size);
    }
    wr_bytes(w, td, len);
    return rc;
}

static void write_chain(wr_t *w, const sim_t *s)
{
    const sim_quote_plan_t *q = &s->plan.quote;
    if (q->chain_text.n)
        wr_bytes(w, q->chain_text.p, q->chain_text.n);
    else
        sim_pem(w, &s->pki, q->chain, q->chain_count);
    if (q->chain_nul)
        wr_u8(w, 0);
}

static void store_u32le(uint8_t *p, size_t v)
{
    wr_t w = wr_of(p, 4);
    wr_u32le(&w, (uint32_t)v);
}

/* The three lengths inside are known once the chain is written. */
static void write_signature(wr_t *w, const sim_t *s, const uint8_t signature[P256_SIG_LEN])
{
    static const uint8_t no_length[4];
    size_t section = w->n;
    wr_bytes(w, no_length, 4);
    wr_bytes(w, signature, P256_SIG_LEN);
    wr_bytes(w, s->attestation_key, P256_PUBKEY_LEN);
    wr_u16le(w, 6); /* certification data: QE report */
    wr_bytes(w, no_length, 4);
    size_t outer = w->n;
    wr_bytes(w, s->qe_report, sizeof s->qe_report);
    wr_bytes(w, s->qe_signature, P256_SIG_LEN);
    wr_u16le(w, (uint16_t)s->plan.quote.auth_len);
    write_auth(w, s->plan.quote.auth_len);
    wr_u16le(w, 5); /* certification data: PEM chain */
    wr_bytes(w, no_length, 4);
    size_t inner = w->n;
    write_chain(w, s);
    if (w->bad)
        return;
    store_u32le(w->p + section, w->n - section - 4);
    store_u32le(w->p + outer - 4, w->n - outer);
    store_u32le(w->p + inner - 4, w->n - inner);
}

static rc_t write_quote(wr_t *w, const sim_t *s, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    const sim_quote_plan_t *q = &s->plan.quote;
    uint8_t signature[P256_SIG_LEN];
    rc_t rc = write_signed_part(w, s, report_data);
    if (!rc && w->bad)
        rc = RC_BUG;
    if (!rc)
        rc = sign(signature, s, q->signer, q->signature, wr_view(w));
    if (rc)
        return rc;
    write_signature(w, s, signature);
    while (w->n < q->padded && !w->bad)
        wr_u8(w, 0);
    if (w->bad)
        return RC_BUG;
    sim_flip(w->p, w->n, q->flip);
    return RC_OK;
}

static rc_t get_evidence(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    sim_t *s = ctx;
    pthread_mutex_lock(&s->lock);
    wr_t w = wr_of(s->quote, sizeof s->quote);
    rc_t rc = write_quote(&w, s, report_data);
    if (!rc) {
        s->log.p[s->log.n] = ']';
        rc = tee_evidence_make(out, TEE_EVIDENCE_SIMULATED, wr_view(&w), view_of(s->log.p, s->log.n + 1),
                               view_of(NULL, 0));
    }
    pthread_mutex_unlock(&s->lock);
    return rc ? err_say(e, rc, "the simulated quote could not be made") : RC_OK;
}

/* --- the provider --- */

static rc_t get_collateral(void *ctx, view_t *out, arena_t *a, int64_t now)
{
    const sim_t *s = ctx;
    return sim_collateral(out, a, &s->pki, &s->plan, now);
}

static rc_t seal_key(void *ctx, uint8_t out[TEE_SEAL_KEY_LEN], err_t *e, const char *path)
{
    const sim_t *s = ctx;
    const rc_t rc = sim_derive(out, TEE_SEAL_KEY_LEN, s->pki.seed, path);
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

static void sim_free(void *ctx)
{
    sim_t *s = ctx;
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    secret_wipe(s, sizeof *s);
    free(s);
}

view_t sim_cert_pem(const tee_provider_t *p, arena_t *a, sim_key_t which)
{
    const sim_t *s = p->ctx;
    uint8_t *buf = arena_alloc(a, 2 * SIM_CERT_MAX);
    if (!buf)
        return view_of(NULL, 0);
    wr_t w = wr_of(buf, 2 * SIM_CERT_MAX);
    sim_pem(&w, &s->pki, &which, 1);
    return wr_view(&w);
}

rc_t sim_open(tee_provider_t *out, err_t *e, const sim_plan_t *plan, const uint8_t seed[32])
{
    sim_t *s = calloc(1, sizeof *s);
    if (!s || pthread_mutex_init(&s->lock, NULL)) {
        free(s);
        return err_say(e, RC_NOMEM, "out of memory");
    }
    s->plan = *plan;
    rc_t rc = sim_pki_make(&s->pki, plan, seed);
    if (!rc)
        rc = boot(s);
    if (!rc)
        rc = make_qe_report(s);
    if (rc) {
        sim_free(s);
        return err_say(e, rc, "the simulated platform could not be made");
    }
    *out = (tee_provider_t){ .name = "simulator",
                             .tee = tee_type_name(TEE_EVIDENCE_SIMULATED),
                             .type = TEE_EVIDENCE_SIMULATED,
                             .simulated = true,
                             .ctx = s,
                             .get_evidence = get_evidence,
                             .get_collateral = get_collateral,
                             .root = view_of(s->pki.certs[SIM_ROOT].der, s->pki.certs[SIM_ROOT].len),
                             .seal_key = seal_key,
                             .free = sim_free };
    return RC_OK;
}

rc_t tee_simulator_open(tee_provider_t *out, err_t *e, const uint8_t seed[32])
{
    sim_plan_t plan;
    sim_plan_init(&plan);
    return sim_open(out, e, &plan, seed);
}

rc_t tee_simulator_open_image(tee_provider_t *out, err_t *e, const uint8_t seed[32], view_t image)
{
    sim_plan_t plan;
    sim_plan_init(&plan);
    sha384_parts(plan.quote.td + SIM_TD_MR_TD, &image, 1);
    return sim_open(out, e, &plan, seed);
}
