#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "base/crypto/secret.h"
#include "base/os/clock.h"
#include "overlay/net/quic_inside.h"

#define PRIORITY                                                                                                       \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-GROUP-ALL:"               \
    "+GROUP-X25519:+GROUP-SECP256R1:%DISABLE_TLS13_COMPAT_MODE"

static int64_t unix_seconds(void)
{
    return (int64_t)(clock_system_ms() / 1000);
}

/* For either end. What it says counts only once the handshake is complete: it runs before Finished. */
static int verify(gnutls_session_t s)
{
    const ngtcp2_crypto_conn_ref *ref = gnutls_session_get_ptr(s);
    quic_conn_t *c = ref->user_data;
    unsigned n = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(s, &n);
    if (!list || n != 1) {
        err_set(&c->why, RC_MALFORMED, "the peer sent %u certificates, not one", n);
        return GNUTLS_E_CERTIFICATE_ERROR;
    }
    const peerid_t *expected = c->conn.dialled ? &c->conn.addr.peer : NULL;
    return tlscert_verify(&c->peer, &c->why, view_of(list->data, list->size), unix_seconds(), expected)
               ? GNUTLS_E_CERTIFICATE_ERROR
               : 0;
}

/* Our certificate and its throw-away key, as GnuTLS wants them. */
static int use_certificate(quic_tls_t *t, view_t der, const uint8_t secret[P256_SECRET_LEN])
{
    uint8_t point[P256_PUBKEY_LEN];
    gnutls_x509_crt_t crt = NULL;
    gnutls_x509_privkey_t key = NULL;
    if (p256_pubkey(point, secret))
        return GNUTLS_E_INTERNAL_ERROR;
    const gnutls_datum_t d = { (unsigned char *)(uintptr_t)der.p, (unsigned)der.n };
    const gnutls_datum_t x = { point, 32 }, y = { point + 32, 32 },
                         k = { (unsigned char *)(uintptr_t)secret, P256_SECRET_LEN };
    int err = gnutls_x509_crt_init(&crt);
    if (!err)
        err = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER);
    if (!err)
        err = gnutls_x509_privkey_init(&key);
    if (!err)
        err = gnutls_x509_privkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &x, &y, &k);
    if (!err)
        err = gnutls_certificate_set_x509_key(t->cred, &crt, 1, key); /* copies */
    if (key)
        gnutls_x509_privkey_deinit(key);
    if (crt)
        gnutls_x509_crt_deinit(crt);
    return err;
}

rc_t quic_tls_init(quic_tls_t *t, err_t *e, const identity_t *who)
{
    uint8_t secret[P256_SECRET_LEN], serial[8], der[TLSCERT_MAX];
    tlscert_t own;
    wr_t w = wr_of(der, sizeof der);
    *t = (quic_tls_t){ 0 };
    secret_random(secret, sizeof secret);
    secret_random(serial, sizeof serial);
    rc_t rc = tlscert_make(&w, who, secret, serial, unix_seconds());
    if (!rc)
        rc = tlscert_verify(&own, e, wr_view(&w), unix_seconds(), NULL);
    if (rc)
        err_say(e, rc, "our certificate cannot be made");
    if (!rc &&
        (gnutls_certificate_allocate_credentials(&t->cred) || gnutls_priority_init(&t->priority, PRIORITY, NULL)))
        rc = err_say(e, RC_NOMEM, "GnuTLS has no memory");
    if (!rc && use_certificate(t, wr_view(&w), secret))
        rc = err_say(e, RC_BUG, "GnuTLS does not take our certificate");
    secret_wipe(secret, sizeof secret);
    if (rc) {
        quic_tls_clear(t);
        return rc;
    }
    t->spki = own.spki;
    gnutls_certificate_set_verify_function(t->cred, verify);
    return RC_OK;
}

void quic_tls_clear(quic_tls_t *t)
{
    if (t->cred)
        gnutls_certificate_free_credentials(t->cred);
    if (t->priority)
        gnutls_priority_deinit(t->priority);
    *t = (quic_tls_t){ 0 };
}

rc_t quic_tls_session(gnutls_session_t *out, const quic_tls_t *t, ngtcp2_crypto_conn_ref *ref, bool dialled)
{
    const gnutls_datum_t alpn = { (unsigned char[]){ "libp2p" }, 6 };
    gnutls_session_t s = NULL;
    if (gnutls_init(&s, dialled ? GNUTLS_CLIENT | GNUTLS_NO_END_OF_EARLY_DATA | GNUTLS_NO_TICKETS
                                : GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET | GNUTLS_NO_END_OF_EARLY_DATA))
        return RC_NOMEM;
    int err = gnutls_priority_set(s, t->priority);
    if (!err)
        err = dialled ? ngtcp2_crypto_gnutls_configure_client_session(s)
                      : ngtcp2_crypto_gnutls_configure_server_session(s);
    if (!err)
        err = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, t->cred);
    if (!err)
        err = gnutls_alpn_set_protocols(s, &alpn, 1, GNUTLS_ALPN_MANDATORY);
    if (err) {
        gnutls_deinit(s);
        return RC_NOMEM;
    }
    if (!dialled)
        gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_ptr(s, ref);
    *out = s;
    return RC_OK;
}

rc_t quic_tls_export(gnutls_session_t s, uint8_t out[32], const char *label, const hash32_t *context)
{
    return gnutls_prf_rfc5705(s, strlen(label), label, sizeof context->b, (const char *)context->b, 32, (char *)out)
               ? RC_BUG
               : RC_OK;
}
