/* ratls.h - a TLS certificate that carries a quote over its own key: what a client checks instead of a name and an
 * issuer.
 *
 * Extensions 1.3.6.1.4.1.62397.1.1 (quote) and 1.3.6.1.4.1.62397.1.2 (event log, JSON; may be missing); the value
 * of each is an OCTET STRING inside extnValue. The quote's report data is SHA-512("ratls-cert:" || DER
 * SubjectPublicKeyInfo).
 *
 * Spec:   dstack RA-TLS; RFC 5280; tee-facts section 14
 * Floor:  3, tee/x509. Pure; no heap.
 * Tests:  tests/unit/test_ratls.c, tests/fuzz/fuzz_ratls.c; made by tee/provider/ratls_make.h
 */
#ifndef TEE_X509_RATLS_H
#define TEE_X509_RATLS_H

#include "base/bytes.h"
#include "tee/fault.h"
#include "tee/quote/quote.h"

#define RATLS_CERT_MAX (128u << 10) /* bytes of a certificate: TLS libraries take no longer ones */

#define RATLS_OID_QUOTE "1.3.6.1.4.1.62397.1.1"
#define RATLS_OID_EVENT_LOG "1.3.6.1.4.1.62397.1.2"

/* Views point into the certificate. */
typedef struct {
    view_t spki;                   /* SubjectPublicKeyInfo, DER: the key that the quote is over */
    view_t evidence;               /* the quote, for tee_verify */
    quote_t quote;                 /* the same, parsed */
    view_t event_log;              /* n 0: none */
    int64_t not_before, not_after; /* Unix seconds, both inclusive */
} ratls_t;

/* Checks that a certificate (DER, X.509 version 3) is valid at the time now (Unix seconds) and carries a quote over
 * its own key. The peer must have proven in a TLS handshake that it has that key: TLS libraries do. Whether the
 * quote is genuine, and of what, is not looked at: that is tee_verify. The certificate's own signature says nothing
 * and is not looked at either. out written only on RC_OK. E_CERT: malformed, no quote or two; E_CHAINTIME;
 * E_REPORTDATA; E_LIMIT; those of quote_parse. */
NODISCARD rc_t ratls_check(ratls_t *out, err_t *e, view_t cert, int64_t now);

#endif
