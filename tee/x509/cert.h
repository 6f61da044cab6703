/* cert.h - one X.509 certificate, read into a value: the door to GnuTLS's reader.
 *
 * Floor:  3, tee/x509. No I/O, clock or thread; GnuTLS takes heap memory and gives it back before the function returns.
 * Tests:  tests/unit/test_chain.c
 */
#ifndef TEE_X509_CERT_H
#define TEE_X509_CERT_H

#include "base/bytes.h"
#include "tee/fault.h"
#include "tee/x509/der.h"

#define CERT_DER_MAX 4096u /* bytes of a certificate; Intel's have about 1300 */
#define CERT_NAME_MAX 512u /* bytes of a distinguished name */
#define CERT_CN_MAX 128u
#define CERT_SERIAL_MAX 21u
#define CERT_KEY_ID_MAX 64u
#define CERT_SGX_MAX 1024u /* bytes of the SGX extension */

/* Bytes with a maximum. */
#define CERT_BYTES(max)                                                                                                \
    struct {                                                                                                           \
        size_t n;                                                                                                      \
        uint8_t b[max];                                                                                                \
    }

/* A parsed certificate; parts points into der, so a cert_t is not to be copied. */
typedef struct {
    CERT_BYTES(CERT_DER_MAX) der;
    der_signed_t parts;
    CERT_BYTES(CERT_NAME_MAX) subject, issuer;              /* Name, DER */
    CERT_BYTES(CERT_CN_MAX) cn;                             /* the subject's only common name, UTF-8 */
    CERT_BYTES(CERT_SERIAL_MAX) serial;                     /* big-endian, without leading zeros */
    CERT_BYTES(CERT_KEY_ID_MAX) subject_key, authority_key; /* n 0: no such extension */
    CERT_BYTES(CERT_SGX_MAX) sgx;                           /* value of the SGX extension; n 0: none */
    uint8_t pubkey[64]; /* x || y of P-256; not yet known to be a point of the curve */
    bool ca;
    int path_len;                  /* -1: none */
    unsigned usage;                /* GNUTLS_KEY_*: bits of the key usage extension */
    int64_t not_before, not_after; /* Unix seconds, both inclusive */
} cert_t;

#define CERT_USAGE_SIGNATURE 128u /* digitalSignature */
#define CERT_USAGE_CERT_SIGN 4u   /* keyCertSign */
#define CERT_USAGE_CRL_SIGN 2u    /* cRLSign */

/* Reads the PEM block that r stands at, to behind its last marker. No signature is checked. After a failure out holds
 * nothing useful. E_PEM, E_LIMIT; E_CERT; E_CERTKEY: key or signature algorithm are others than ECDSA P-256 with
 * SHA-256; E_CHAINUSAGE: basic constraints or key usage missing or not critical, or an unknown critical extension;
 * E_SGXEXT: twice or too long; E_NOMEM. */
NODISCARD rc_t cert_read(cert_t *out, rd_t *r, err_t *e);

/* A view of one of the byte fields above. */
#define CERT_VIEW(field) view_of((field).b, (field).n)

#endif
