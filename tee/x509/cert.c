#include "tee/x509/cert.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#define OID_SGX "1.2.840.113741.1.13.1"
#define OID_LEN_MAX 64u
#define EXTENSIONS_MAX 32

_Static_assert(CERT_USAGE_SIGNATURE == GNUTLS_KEY_DIGITAL_SIGNATURE &&
                   CERT_USAGE_CERT_SIGN == GNUTLS_KEY_KEY_CERT_SIGN && CERT_USAGE_CRL_SIGN == GNUTLS_KEY_CRL_SIGN,
               "bits of key usage");

/* What a GnuTLS error means when the call reads a field. */
static rc_t refuse(err_t *e, int error, const char *why)
{
    return tee_fail(e, error == GNUTLS_E_MEMORY_ERROR ? E_NOMEM : E_CERT, error == GNUTLS_E_MEMORY_ERROR ? NULL : why);
}

/* Moves a datum of GnuTLS to storage of ours and frees it. False: too long. */
static bool move_datum(uint8_t *out, size_t *n, size_t cap, gnutls_datum_t *d)
{
    bool fits = d->size <= cap;
    *n = fits ? d->size : 0;
    if (fits && d->size)
        memcpy(out, d->data, d->size);
    gnutls_free(d->data);
    d->data = NULL;
    return fits;
}

/* True when the SGX extension's OID (all of it, with tag and length) stands twice in the certificate. Its own contents
 * use longer ones only. */
static bool has_sgx_twice(view_t der)
{
    static const uint8_t oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01 };
    const uint8_t *first = memmem(der.p, der.n, oid, sizeof oid);
    return first && memmem(first + 1, der.n - (size_t)(first + 1 - der.p), oid, sizeof oid);
}

static rc_t import(gnutls_x509_crt_t crt, const cert_t *c, err_t *e)
{
    const gnutls_datum_t der = { (unsigned char *)(uintptr_t)c->der.b, (unsigned)c->der.n };
    int error = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER);
    if (error == GNUTLS_E_X509_DUPLICATE_EXTENSION && has_sgx_twice(CERT_VIEW(c->der)))
        return tee_fail(e, E_SGXEXT, "the SGX extension comes twice");
    if (error < 0)
        return refuse(e, error, NULL);
    if (gnutls_x509_crt_get_version(crt) != 3)
        return tee_fail(e, E_CERT, "a certificate is not of X.509 version 3");
    return RC_OK;
}

/* A coordinate may come with a leading zero, or shorter than 32 bytes. */
static bool move_coordinate(uint8_t out[32], gnutls_datum_t *d)
{
    size_t skip = 0;
    while (skip < d->size && d->data[skip] == 0)
        skip++;
    size_t n = d->size - skip;
    memset(out, 0, 32);
    if (n && n <= 32)
        memcpy(out + 32 - n, d->data + skip, n);
    gnutls_free(d->data);
    d->data = NULL;
    return n <= 32;
}

static rc_t read_key(cert_t *c, err_t *e, gnutls_x509_crt_t crt)
{
    gnutls_datum_t x = { NULL, 0 }, y = { NULL, 0 };
    gnutls_ecc_curve_t curve;
    int error = gnutls_x509_crt_get_pk_algorithm(crt, NULL);
    if (error != GNUTLS_PK_ECDSA)
        return tee_fail(e, E_CERTKEY, "a certificate's key is not an elliptic curve key");
    error = gnutls_x509_crt_get_pk_ecc_raw(crt, &curve, &x, &y);
    if (error < 0)
        return error == GNUTLS_E_MEMORY_ERROR ? tee_fail(e, E_NOMEM, NULL) : tee_fail(e, E_CERTKEY, NULL);
    bool fits_x = move_coordinate(c->pubkey, &x), fits_y = move_coordinate(c->pubkey + 32, &y);
    if (curve != GNUTLS_ECC_CURVE_SECP256R1 || !fits_x || !fits_y)
        return tee_fail(e, E_CERTKEY, "a certificate's key is not on P-256");
    return RC_OK;
}

static rc_t read_names(cert_t *c, err_t *e, gnutls_x509_crt_t crt)
{
    gnutls_datum_t name = { NULL, 0 };
    int error = gnutls_x509_crt_get_raw_dn(crt, &name);
    if (error < 0 || !move_datum(c->subject.b, &c->subject.n, sizeof c->subject.b, &name))
        return refuse(e, error, "a certificate's subject is malformed or too long");
    error = gnutls_x509_crt_get_raw_issuer_dn(crt, &name);
    if (error < 0 || !move_datum(c->issuer.b, &c->issuer.n, sizeof c->issuer.b, &name))
        return refuse(e, error, "a certificate's issuer is malformed or too long");
    c->cn.n = sizeof c->cn.b;
    error = gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, c->cn.b, &c->cn.n);
    if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return tee_fail(e, E_CHAINNAME, "a certificate has no common name");
    if (error < 0)
        return refuse(e, error, "a certificate's common name is malformed or too long");
    char second[CERT_CN_MAX];
    size_t n = sizeof second;
    error = gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 1, 0, second, &n);
    if (error != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return refuse(e, error, "a certificate has two common names");
    return RC_OK;
}

static rc_t read_serial(cert_t *c, err_t *e, gnutls_x509_crt_t crt)
{
    uint8_t serial[CERT_SERIAL_MAX];
    size_t n = sizeof serial, skip = 0;
    int error = gnutls_x509_crt_get_serial(crt, serial, &n);
    if (error < 0)
        return refuse(e, error, "a certificate's serial number is malformed or too long");
    while (skip < n && serial[skip] == 0)
        skip++;
    c->serial.n = n - skip;
    memcpy(c->serial.b, serial + skip, n - skip);
    return RC_OK;
}

static rc_t read_times(cert_t *c, err_t *e, gnutls_x509_crt_t crt)
{
    time_t from = gnutls_x509_crt_get_activation_time(crt), until = gnutls_x509_crt_get_expiration_time(crt);
    if (from == (time_t)-1 || until == (time_t)-1)
        return tee_fail(e, E_CERT, "a certificate's validity is malformed");
    c->not_before = from;
    c->not_after = until;
    return RC_OK;
}

static rc_t read_key_ids(cert_t *c, err_t *e, gnutls_x509_crt_t crt)
{
    c->subject_key.n = sizeof c->subject_key.b;
    c->authority_key.n = sizeof c->authority_key.b;
    int error = gnutls_x509_crt_get_subject_key_id(crt, c->subject_key.b, &c->subject_key.n, NULL);
    if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        c->subject_key.n = 0;
    else if (error < 0)
        return refuse(e, error, "a certificate's subject key identifier is malformed");
    error = gnutls_x509_crt_get_authority_key_id(crt, c->authority_key.b, &c->authority_key.n, NULL);
    if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        c->authority_key.n = 0;
    else if (error < 0)
        return refuse(e, error, "a certificate's authority key identifier is malformed");
    return RC_OK;
}

static rc_t read_usage(cert_t *c, err_t *e, gnutls_x509_crt_t crt)
{
    unsigned critical = 0, ca = 0;
    int error = gnutls_x509_crt_get_basic_constraints(crt, &critical, &ca, &c->path_len);
    if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || (error >= 0 && !critical))
        return tee_fail(e, E_CHAINUSAGE, "a certificate has no critical basic constraints");
    if (error < 0)
        return refuse(e, error, "a certificate's basic constraints are malformed");
    c->ca = ca;
    critical = 0;
    error = gnutls_x509_crt_get_key_usage(crt, &c->usage, &critical);
    if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || (error >= 0 && !critical))
        return tee_fail(e, E_CHAINUSAGE, "a certificate has no critical key usage");
    if (error < 0)
        return refuse(e, error, "a certificate's key usage is malformed");
    return RC_OK;
}

/* An extension that says "do not use me unless you understand me", and we do not. */
static rc_t check_critical(err_t *e, gnutls_x509_crt_t crt)
{
    static const char *const known[] = { "2.5.29.19", "2.5.29.15", "2.5.29.14", "2.5.29.35", OID_SGX };
    for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
        char oid[OID_LEN_MAX];
        size_t n = sizeof oid;
        unsigned critical = 0;
        int error = gnutls_x509_crt_get_extension_info(crt, i, oid, &n, &critical);
        if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return RC_OK;
        if (error < 0)
            return refuse(e, error, "a certificate's extensions are malformed");
        bool is_known = !critical;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            is_known |= strcmp(oid, known[k]) == 0;
        if (!is_known)
            return tee_fail(e, E_CHAINUSAGE, "a certificate has an unknown critical extension");
    }
    return tee_fail(e, E_CERT, "a certificate has too many extensions");
}

static rc_t read_sgx(cert_t *c, err_t *e, gnutls_x509_crt_t crt)
{
    c->sgx.n = sizeof c->sgx.b;
    int error = gnutls_x509_crt_get_extension_by_oid(crt, OID_SGX, 0, c->sgx.b, &c->sgx.n, NULL);
    if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
        c->sgx.n = 0;
        return RC_OK;
    }
    if (error == GNUTLS_E_SHORT_MEMORY_BUFFER)
        return tee_fail(e, E_SGXEXT, "the SGX extension is too long");
    return error < 0 ? refuse(e, error, NULL) : RC_OK;
}

static rc_t read_fields(cert_t *c, err_t *e, gnutls_x509_crt_t crt)
{
    static rc_t (*const readers[])(cert_t *, err_t *, gnutls_x509_crt_t) = {
        read_key, read_names, read_serial, read_times, read_key_ids, read_usage, read_sgx,
    };
    rc_t rc = import(crt, c, e);
    for (size_t i = 0; i < sizeof readers / sizeof readers[0] && !rc; i++)
        rc = readers[i](c, e, crt);
    return rc ? rc : check_critical(e, crt);
}

rc_t cert_read(cert_t *out, rd_t *r, err_t *e)
{
    memset(out, 0, sizeof *out);
    wr_t w = wr_of(out->der.b, sizeof out->der.b);
    rc_t rc = pem_take(r, &w, "CERTIFICATE");
    if (rc)
        return tee_fail(e, rc == RC_LIMIT ? E_LIMIT : E_PEM,
                        rc == RC_LIMIT ? "a certificate is longer than 4 KiB" : NULL);
    out->der.n = w.n;
    if (der_signed(&out->parts, wr_view(&w)))
        return tee_fail(e, E_CERT, NULL);
    if (!der_is_ecdsa_sha256(out->parts.algorithm))
        return tee_fail(e, E_CERTKEY, "a certificate is not signed by ECDSA with SHA-256");
    gnutls_x509_crt_t crt;
    if (gnutls_x509_crt_init(&crt) < 0)
        return tee_fail(e, E_NOMEM, NULL);
    rc = read_fields(out, e, crt);
    gnutls_x509_crt_deinit(crt);
    return rc;
}
