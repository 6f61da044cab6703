#include "tee/provider/ratls_make.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "tee/x509/der.h"
#include "tee/x509/ratls.h"

/* The parts while they are made. */
typedef struct {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
} making_t;

static int make_key(making_t *m)
{
    int error =
        gnutls_x509_privkey_generate(m->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    return error < 0 ? error : gnutls_x509_crt_set_key(m->crt, m->key);
}

static int set_names(gnutls_x509_crt_t crt, const char *tee)
{
    static const uint8_t v4[4] = { 127, 0, 0, 1 }, v6[16] = { [15] = 1 };
    char dn[64];
    snprintf(dn, sizeof dn, "O=%s,CN=kettle", tee);
    int error = gnutls_x509_crt_set_dn(crt, dn, NULL);
    if (error >= 0)
        error = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_SET);
    if (error >= 0)
        error = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, v4, sizeof v4, GNUTLS_FSAN_APPEND);
    if (error >= 0)
        error = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, v6, sizeof v6, GNUTLS_FSAN_APPEND);
    return error;
}

/* No key usage: OpenSSL takes a self-signed certificate for its own issuer only without one, or with that of an
 * authority. */
static int set_profile(gnutls_x509_crt_t crt, int64_t now, uint32_t lifetime_s)
{
    uint8_t serial[16];
    secret_random(serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, without leading zeros */
    int error = gnutls_x509_crt_set_version(crt, 3);
    if (error >= 0)
        error = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    if (error >= 0)
        error = gnutls_x509_crt_set_activation_time(crt, now - RATLS_SKEW_S);
    if (error >= 0)
        error = gnutls_x509_crt_set_expiration_time(crt, now + lifetime_s);
    if (error >= 0)
        error = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
    if (error >= 0)
        error = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    return error;
}

/* What the quote is to be over. */
static int bind_key(uint8_t out[TEE_REPORT_DATA_LEN], gnutls_x509_crt_t crt)
{
    gnutls_pubkey_t key;
    gnutls_datum_t spki;
    int error = gnutls_pubkey_init(&key);
    if (error < 0)
        return error;
    error = gnutls_pubkey_import_x509(key, crt, 0);
    if (error >= 0)
        error = gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki);
    if (error >= 0) {
        tee_ratls_report_data(out, view_of(spki.data, spki.size));
        gnutls_free(spki.data);
    }
    gnutls_pubkey_deinit(key);
    return error;
}

/* An extension that is an octet string. */
static int add_octets(gnutls_x509_crt_t crt, const char *oid, view_t content)
{
    uint8_t *buf = malloc(content.n + 5);
    if (!buf)
        return GNUTLS_E_MEMORY_ERROR;
    wr_t w = wr_of(buf, content.n + 5);
    unsigned length_bytes = content.n < 0x80 ? 0 : content.n < 0x100 ? 1 : content.n < 0x10000 ? 2 : 3;
    wr_u8(&w, DER_OCTETS);
    if (length_bytes)
        wr_u8(&w, (uint8_t)(0x80 | length_bytes));
    wr_be(&w, content.n, length_bytes ? length_bytes : 1);
    wr_bytes(&w, content.p, content.n);
    int error = w.bad ? GNUTLS_E_INVALID_REQUEST : gnutls_x509_crt_set_extension_by_oid(crt, oid, w.p, w.n, 0);
    free(buf);
    return error;
}

static int add_evidence(gnutls_x509_crt_t crt, const tee_evidence_t *evidence)
{
    int error = add_octets(crt, RATLS_OID_QUOTE, evidence->quote);
    if (error >= 0 && evidence->event_log.n && evidence->event_log.n <= RATLS_EVENT_LOG_MAX)
        error = add_octets(crt, RATLS_OID_EVENT_LOG, evidence->event_log);
    return error;
}

/* Copies to malloc what GnuTLS allocated, which is wiped. */
static rc_t take(view_t *out, gnutls_datum_t *d)
{
    uint8_t *p = malloc(d->size);
    if (p)
        memcpy(p, d->data, d->size);
    *out = view_of(p, p ? d->size : 0);
    secret_wipe(d->data, d->size);
    gnutls_free(d->data);
    return p ? RC_OK : RC_NOMEM;
}

static rc_t export_pair(ratls_pair_t *out, making_t *m)
{
    ratls_pair_t pair = { 0 };
    gnutls_datum_t cert, key;
    int error = gnutls_x509_crt_sign2(m->crt, m->crt, m->key, GNUTLS_DIG_SHA256, 0);
    if (error >= 0)
        error = gnutls_x509_crt_export2(m->crt, GNUTLS_X509_FMT_DER, &cert);
    if (error < 0)
        return error == GNUTLS_E_MEMORY_ERROR ? RC_NOMEM : RC_BUG;
    rc_t rc = take(&pair.cert, &cert);
    error = gnutls_x509_privkey_export2_pkcs8(m->key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &key);
    if (error < 0)
        rc = error == GNUTLS_E_MEMORY_ERROR ? RC_NOMEM : RC_BUG;
    else if (take(&pair.key, &key))
        rc = RC_NOMEM;
    if (rc)
        ratls_pair_clear(&pair);
    else
        *out = pair;
    return rc;
}

static rc_t make(ratls_pair_t *out, err_t *e, making_t *m, const tee_provider_t *tee, int64_t now, uint32_t lifetime_s)
{
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    tee_evidence_t evidence = { 0 };
    int error = make_key(m);
    if (error >= 0)
        error = set_profile(m->crt, now, lifetime_s);
    if (error >= 0)
        error = set_names(m->crt, tee->tee);
    if (error >= 0)
        error = bind_key(report_data, m->crt);
    rc_t rc = error == GNUTLS_E_MEMORY_ERROR ? RC_NOMEM : error < 0 ? RC_BUG : RC_OK;
    if (rc)
        return err_say(e, rc, "GnuTLS refused the key");
    rc = tee->get_evidence(tee->ctx, &evidence, e, report_data);
    if (rc)
        return rc;
    error = add_evidence(m->crt, &evidence);
    tee_evidence_free(&evidence);
    rc = error == GNUTLS_E_MEMORY_ERROR ? RC_NOMEM : error < 0 ? RC_BUG : export_pair(out, m);
    return rc ? err_say(e, rc, "GnuTLS refused the certificate") : RC_OK;
}

rc_t ratls_make(ratls_pair_t *out, err_t *e, const tee_provider_t *tee, int64_t now, uint32_t lifetime_s)
{
    making_t m = { NULL, NULL };
    rc_t rc = RC_NOMEM;
    if (gnutls_x509_privkey_init(&m.key) >= 0 && gnutls_x509_crt_init(&m.crt) >= 0)
        rc = make(out, e, &m, tee, now, lifetime_s);
    if (rc == RC_NOMEM)
        err_say(e, rc, "out of memory");
    gnutls_x509_crt_deinit(m.crt); /* NULL is allowed */
    gnutls_x509_privkey_deinit(m.key);
    return rc;
}

void ratls_pair_clear(ratls_pair_t *p)
{
    if (p->key.p)
        secret_wipe((void *)(uintptr_t)p->key.p, p->key.n);
    free((void *)(uintptr_t)p->key.p);
    free((void *)(uintptr_t)p->cert.p);
    *p = (ratls_pair_t){ 0 };
}
