/* tls.h - the TLS side of the server: the door to GnuTLS in http/. Private to it; server.h has the public part.
 *
 * Floor:  2, http.
 * Tests:  tests/unit/test_http_tls_server.c
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "http/server.h"

/* TLS 1.3 and 1.2, forward-secret, authenticated encryption only. */
extern const char TLS_PRIORITIES[];

/* A gnutls_certificate_retrieve_function2 that has none. libmicrohttpd demands a certificate or such a function from the start,
 * and tls_attach gives each session its own. */
void *tls_no_certificate(void);

/* Lets a session that has not begun its handshake present an identity, which must outlive it. NULL: it has none and fails. */
void tls_attach(void *session, hs_identity_t *identity);

/* Sends what fits, without waiting. */
void tls_send(void *session, view_t bytes);

#endif
