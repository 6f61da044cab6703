#include "http/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdatomic.h>
#include <stdlib.h>

struct hs_identity {
    atomic_uint refs;
    gnutls_certificate_credentials_t credentials;
};

const char TLS_PRIORITIES[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"
    "+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE";

rc_t hs_identity_new(hs_identity_t **out, err_t *e, view_t cert_der, view_t key_der)
{
    const gnutls_datum_t cert = { (unsigned char *)(uintptr_t)cert_der.p, (unsigned)cert_der.n };
    const gnutls_datum_t key = { (unsigned char *)(uintptr_t)key_der.p, (unsigned)key_der.n };
    hs_identity_t *i = calloc(1, sizeof *i);
    int bad = i ? gnutls_certificate_allocate_credentials(&i->credentials) : GNUTLS_E_MEMORY_ERROR;
    if (bad >= 0)
        bad = gnutls_certificate_set_x509_key_mem2(i->credentials, &cert, &key, GNUTLS_X509_FMT_DER, NULL, 0);
    if (bad < 0) {
        if (i && i->credentials)
            gnutls_certificate_free_credentials(i->credentials);
        free(i);
        return err_set(e, bad == GNUTLS_E_MEMORY_ERROR ? RC_NOMEM : RC_MALFORMED, "certificate and key: %s",
                       gnutls_strerror(bad));
    }
    atomic_init(&i->refs, 1);
    *out = i;
    return RC_OK;
}

hs_identity_t *hs_identity_ref(hs_identity_t *i)
{
    atomic_fetch_add_explicit(&i->refs, 1, memory_order_relaxed);
    return i;
}

void hs_identity_unref(hs_identity_t *i)
{
    if (!i || atomic_fetch_sub_explicit(&i->refs, 1, memory_order_acq_rel) != 1)
        return;
    gnutls_certificate_free_credentials(i->credentials); /* wipes the key */
    free(i);
}

static int no_certificate(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
                          const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **out,
                          unsigned int *out_count, gnutls_privkey_t *key)
{
    (void)session, (void)issuers, (void)issuer_count, (void)algorithms, (void)algorithm_count;
    (void)out, (void)out_count, (void)key;
    return -1;
}

void *tls_no_certificate(void)
{
    gnutls_certificate_retrieve_function2 *f = no_certificate;
    return (void *)(intptr_t)f;
}

void tls_attach(void *session, hs_identity_t *identity)
{
    if (identity)
        (void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity->credentials);
}

void tls_send(void *session, view_t bytes)
{
    (void)gnutls_record_send(session, bytes.p, bytes.n);
}
