/* ratls_make.h - makes a key and a self-signed TLS certificate that carries a quote over it (tee/x509/ratls.h).
 *
 * Floor:  3, tee/provider. Randomness, and a quote, which may take a minute.
 * Tests:  tests/unit/test_ratls.c
 */
#ifndef TEE_PROVIDER_RATLS_MAKE_H
#define TEE_PROVIDER_RATLS_MAKE_H

#include "tee/tee.h"

#define RATLS_EVENT_LOG_MAX (64u << 10) /* a longer log is left out: TLS libraries take about 100 KiB of certificates */
#define RATLS_SKEW_S 300                /* valid from that long ago, for clients whose clock is behind */

typedef struct {
    view_t cert; /* DER */
    view_t key;  /* PKCS #8, DER; secret */
} ratls_pair_t;

/* Makes a pair: P-256; subject O=<tee>, CN=kettle; names localhost, 127.0.0.1 and ::1, for a client is meant to
 * check the quote, not a name; valid until now + lifetime_s.
 *   out  written only on RC_OK; ratls_pair_clear
 * RC_IO, RC_TIMEOUT: no quote; RC_NOMEM; RC_BUG: GnuTLS refused. */
NODISCARD rc_t ratls_make(ratls_pair_t *out, err_t *e, const tee_provider_t *tee, int64_t now, uint32_t lifetime_s);

/* Wipes and frees; an empty pair is allowed. */
void ratls_pair_clear(ratls_pair_t *p);

#endif
