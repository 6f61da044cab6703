#include "tee/provider/sim.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/p256.h"
#include "base/crypto/secret.h"
#include "tee/provider/sim_pki.h"
#include "tee/quote.h"

#define QE_ID_LEN 16u
#define QE_AUTH_LEN 32u
#define OUTER_FIXED 134u
#define QUOTE_MAX 8192u /* bytes of a quote that is made here */

typedef struct {
    sim_pki_t pki;
    uint8_t qe_id[QE_ID_LEN];
    uint8_t attestation_secret[P256_SECRET_LEN]; /* fresh for each provider, as a QE keeps one */
    uint8_t attestation_key[P256_PUBKEY_LEN];
    uint8_t qe_report[QUOTE_ENCLAVE_LEN];
    uint8_t qe_signature[P256_SIG_LEN];
    uint8_t mr_td[SIM_REGISTER_LEN];
    uint8_t mr_seam[SIM_REGISTER_LEN];
    uint8_t rtmr[4][SIM_REGISTER_LEN]; /* [3] under the lock */
    pthread_mutex_t lock;
} sim_t;

/* What the simulated machine measured on its way up. */
static const struct {
    unsigned rtmr;
    const char *event; /* measured as SHA-384 of the text */
} boot_log[] = {
    { 0, "simulated firmware configuration" }, { 0, "simulated secure boot variables" }, { 1, "simulated kernel" },
    { 1, "simulated exit boot services" },     { 2, "simulated command line" },          { 2, "simulated initrd" },
};

static const uint8_t intel_vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                          0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

static void sha384_text(uint8_t out[SIM_REGISTER_LEN], const char *text)
{
    const view_t part = view_str(text);
    sha384_parts(out, &part, 1);
}

static void extend(uint8_t reg[SIM_REGISTER_LEN], const uint8_t digest[SIM_REGISTER_LEN])
{
    const view_t parts[] = { view_of(reg, SIM_REGISTER_LEN), view_of(digest, SIM_REGISTER_LEN) };
    sha384_parts(reg, parts, 2);
}

static void boot(sim_t *s)
{
    uint8_t digest[SIM_REGISTER_LEN];
    sha384_text(s->mr_td, "simulated firmware");
    sha384_text(s->mr_seam, "simulated TDX module");
    for (size_t i = 0; i < sizeof boot_log / sizeof boot_log[0]; i++) {
        sha384_text(digest, boot_log[i].event);
        extend(s->rtmr[boot_log[i].rtmr], digest);
    }
}

static void wr_zeros(wr_t *w, size_t n)
{
    uint8_t *at = wr_grab(w, n);
    if (at)
        memset(at, 0, n);
}

/* What Intel's QE puts there: 0, 1, 2, ... */
static void qe_auth(uint8_t out[QE_AUTH_LEN])
{
    for (unsigned i = 0; i < QE_AUTH_LEN; i++)
        out[i] = (uint8_t)i;
}

/* Report of the quoting enclave, which vouches for the attestation key, and its signature by the PCK key. */
static rc_t make_qe_report(sim_t *s)
{
    static const uint8_t attributes[16] = { 0x15, 0, 0, 0, 0, 0, 0, 0, 0xe7 };
    uint8_t auth[QE_AUTH_LEN];
    hash32_t enclave, signer, binding, digest;
    wr_t w = wr_of(s->qe_report, sizeof s->qe_report);
    qe_auth(auth);
    const view_t bound[] = { view_of(s->attestation_key, P256_PUBKEY_LEN), view_of(auth, QE_AUTH_LEN) };
    sha256(&enclave, view_str("simulated TD QE"));
    sha256(&signer, view_str("simulated TD QE signer"));
    sha256_parts(&binding, bound, 2);
    wr_bytes(&w, SIM_CPU_SVN, SIM_CPU_SVN_LEN);
    wr_zeros(&w, 4 + 28); /* MISCSELECT, reserved */
    wr_bytes(&w, attributes, sizeof attributes);
    wr_hash32(&w, &enclave);
    wr_zeros(&w, 32);
    wr_hash32(&w, &signer);
    wr_zeros(&w, 96);
    wr_u16le(&w, 2); /* ISVPRODID */
    wr_u16le(&w, 6); /* ISVSVN */
    wr_zeros(&w, 60);
    wr_hash32(&w, &binding);
    wr_zeros(&w, 32);
    if (w.bad || w.n != QUOTE_ENCLAVE_LEN)
        return RC_BUG;
    sha256(&digest, wr_view(&w));
    return p256_sign(s->qe_signature, &digest, s->pki.leaf_secret);
}

static void write_header(wr_t *w, const sim_t *s)
{
    wr_u16le(w, 4);
    wr_u16le(w, 2); /* ECDSA P-256 */
    wr_u32le(w, QUOTE_TEE_TDX);
    wr_zeros(w, 4);
    wr_bytes(w, intel_vendor, sizeof intel_vendor);
    wr_bytes(w, s->qe_id, QE_ID_LEN);
    wr_zeros(w, 4);
}

/* TD report 1.0. */
static void write_td(wr_t *w, const sim_t *s, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    static const uint8_t tcb_svn[16] = { 6, 1, 3 };
    wr_bytes(w, tcb_svn, sizeof tcb_svn);
    wr_bytes(w, s->mr_seam, SIM_REGISTER_LEN);
    wr_zeros(w, 48 + 8);      /* MRSIGNERSEAM, SEAMATTRIBUTES */
    wr_u64le(w, 0x10000000u); /* TDATTRIBUTES: SEPT_VE_DISABLE */
    wr_u64le(w, 0x602e7u);    /* XFAM */
    wr_bytes(w, s->mr_td, SIM_REGISTER_LEN);
    wr_zeros(w, 3 * 48); /* MRCONFIGID, MROWNER, MROWNERCONFIG */
    wr_bytes(w, s->rtmr, sizeof s->rtmr);
    wr_bytes(w, report_data, TEE_REPORT_DATA_LEN);
}

static void write_signature(wr_t *w, const sim_t *s, const uint8_t signature[P256_SIG_LEN])
{
    uint8_t auth[QE_AUTH_LEN];
    uint32_t outer = (uint32_t)(QUOTE_ENCLAVE_LEN + P256_SIG_LEN + 2 + QE_AUTH_LEN + 2 + 4 + s->pki.chain_len);
    qe_auth(auth);
    wr_u32le(w, OUTER_FIXED + outer);
    wr_bytes(w, signature, P256_SIG_LEN);
    wr_bytes(w, s->attestation_key, P256_PUBKEY_LEN);
    wr_u16le(w, 6); /* certification data: QE report */
    wr_u32le(w, outer);
    wr_bytes(w, s->qe_report, sizeof s->qe_report);
    wr_bytes(w, s->qe_signature, P256_SIG_LEN);
    wr_u16le(w, QE_AUTH_LEN);
    wr_bytes(w, auth, QE_AUTH_LEN);
    wr_u16le(w, 5); /* certification data: PEM chain */
    wr_u32le(w, (uint32_t)s->pki.chain_len);
    wr_bytes(w, s->pki.chain, s->pki.chain_len);
}

static rc_t get_evidence(void *ctx, tee_evidence_t *out, const uint8_t report_data[TEE_REPORT_DATA_LEN], const char **why)
{
    sim_t *s = ctx;
    uint8_t quote[QUOTE_MAX], signature[P256_SIG_LEN];
    wr_t w = wr_of(quote, sizeof quote);
    hash32_t digest;
    write_header(&w, s);
    pthread_mutex_lock(&s->lock);
    write_td(&w, s, report_data);
    pthread_mutex_unlock(&s->lock);
    sha256(&digest, wr_view(&w));
    rc_t rc = p256_sign(signature, &digest, s->attestation_secret);
    if (!rc)
        write_signature(&w, s, signature);
    *why = "the simulated quote could not be made";
    if (rc || w.bad)
        return RC_BUG;
    return tee_evidence_make(out, TEE_EVIDENCE_SIMULATED, wr_view(&w), view_of(NULL, 0), view_of(NULL, 0));
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

void tee_simulator_extend(const tee_provider_t *p, const uint8_t digest[SIM_REGISTER_LEN])
{
    sim_t *s = p->ctx;
    pthread_mutex_lock(&s->lock);
    extend(s->rtmr[3], digest);
    pthread_mutex_unlock(&s->lock);
}

/* A random attestation key; a value outside the group is as likely as 2^-32. */
static rc_t make_attestation_key(sim_t *s)
{
    rc_t rc = RC_REFUSED;
    for (unsigned i = 0; rc == RC_REFUSED && i < 4; i++) {
        secret_random(s->attestation_secret, P256_SECRET_LEN);
        rc = p256_pubkey(s->attestation_key, s->attestation_secret);
    }
    return rc;
}

rc_t tee_simulator_open(tee_provider_t *out, const uint8_t seed[32], const char **why)
{
    sim_t *s = calloc(1, sizeof *s);
    *why = "the simulated platform could not be made";
    if (!s || pthread_mutex_init(&s->lock, NULL)) {
        free(s);
        return RC_NOMEM;
    }
    boot(s);
    rc_t rc = sim_pki_make(&s->pki, why, seed);
    if (!rc)
        rc = sim_derive(s->qe_id, QE_ID_LEN, seed, "QE id");
    if (!rc)
        rc = make_attestation_key(s);
    if (!rc)
        rc = make_qe_report(s);
    if (rc) {
        sim_free(s);
        return rc;
    }
    *out = (tee_provider_t){ .name = "simulator", .tee = "simulated", .type = TEE_EVIDENCE_SIMULATED,
                              .simulated = true, .ctx = s,
                              .root = view_of(s->pki.root, s->pki.root_len), .get_evidence = get_evidence, .free = sim_free };
    return RC_OK;
}
