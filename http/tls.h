/* tls.h - the TLS side of the server: identities, and the door to GnuTLS in http/.
 *
 * Floor:  2, http.
 * Tests:  tests/unit/test_http_tls_server.c
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "base/bytes.h"
#include "base/err.h"

/* Certificate and private key of an HTTPS server: immutable, reference-counted; the count is thread-safe. */
typedef struct hs_identity hs_identity_t;

/* Makes an identity, with one reference, from a certificate and the key that belongs to it (SEC1 or PKCS #8), both DER.
 * RC_MALFORMED: they do not parse, or do not belong together; RC_NOMEM. */
NODISCARD rc_t hs_identity_new(hs_identity_t **out, err_t *e, view_t cert_der, view_t key_der);
hs_identity_t *hs_identity_ref(hs_identity_t *i); /* returns i */
void hs_identity_unref(hs_identity_t *i);         /* NULL allowed */

/* ---- for serve.c ---- */

/* TLS 1.3 and 1.2, forward-secret, authenticated encryption only. */
extern const char TLS_PRIORITIES[];

/* A gnutls_certificate_retrieve_function2 that has none. libmicrohttpd demands a certificate or such a function
 * from the start, and tls_attach gives each session its own. */
void *tls_no_certificate(void);

/* Lets a session that has not begun its handshake present an identity, which must outlive it. NULL: it has none and
 * fails. */
void tls_attach(void *session, hs_identity_t *identity);

/* Sends what fits, without waiting. */
void tls_send(void *session, view_t bytes);

#endif
