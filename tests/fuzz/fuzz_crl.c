/* A revocation list that our reader and GnuTLS's accept says the same to both; one that only comes as text decodes to
 * something that starts and ends like DER. */
#include <gnutls/x509.h>
#include <stdlib.h>

#include "tee/x509/crl.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static view_t without_zeros(const uint8_t *p, size_t n)
{
    for (; n && !*p; n--)
        p++;
    return view_of(p, n);
}

static void compare_entries(const crl_t *c, gnutls_x509_crl_t other)
{
    gnutls_x509_crl_iter_t at = NULL;
    uint8_t serial[4096];
    size_t n = sizeof serial, count = 0;
    for (; gnutls_x509_crl_iter_crt_serial(other, &at, serial, &n, NULL) >= 0; n = sizeof serial, count++)
        require(crl_lists(c, without_zeros(serial, n)));
    gnutls_x509_crl_iter_deinit(at);
    require(count == crl_count(c));
}

static void compare(const crl_t *c, gnutls_x509_crl_t other)
{
    gnutls_datum_t issuer = { NULL, 0 };
    uint8_t id[4096];
    size_t n = sizeof id;
    require(gnutls_x509_crl_get_version(other) == 2);
    if (c->this_update >= 0) /* GnuTLS knows no time before 1970 */
        require(gnutls_x509_crl_get_this_update(other) == c->this_update);
    if (c->next_update >= 0)
        require(gnutls_x509_crl_get_next_update(other) == c->next_update);
    if (gnutls_x509_crl_get_raw_issuer_dn(other, &issuer) >= 0)
        require(view_eq(view_of(issuer.data, issuer.size), c->issuer));
    gnutls_free(issuer.data);
    if (gnutls_x509_crl_get_number(other, id, &n, NULL) >= 0) {
        view_t number = without_zeros(id, n);
        require(c->has_number && view_eq(number, without_zeros(c->number, sizeof c->number)));
    }
    n = sizeof id;
    if (gnutls_x509_crl_get_authority_key_id(other, id, &n, NULL) >= 0)
        require(c->key_id.p && view_eq(view_of(id, n), c->key_id));
    compare_entries(c, other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    err_t fault = { 0 };
    crl_t c;
    view_t der;
    arena_t a;
    arena_init(&a, 4u << 20);
    if (crl_der(&der, &fault, &a, view_of(data, len)) == RC_OK) {
        require(der.n >= 2 && der.p[0] == DER_SEQUENCE && der.n <= CRL_MAX);
        gnutls_x509_crl_t other;
        require(gnutls_x509_crl_init(&other) >= 0);
        const gnutls_datum_t d = { (unsigned char *)(uintptr_t)der.p, (unsigned)der.n };
        if (crl_parse(&c, &fault, der) == RC_OK && gnutls_x509_crl_import(other, &d, GNUTLS_X509_FMT_DER) >= 0)
            compare(&c, other);
        gnutls_x509_crl_deinit(other);
    }
    arena_free(&a);
    return 0;
}
