/* https.h - the API port's certificate, which carries a quote over its own key: made, and made anew before it expires.
 *
 * The key lives in memory only and is never used again once its certificate is replaced.
 *
 * Floor:  5, node/evidence. Runs one thread.
 * Tests:  tests/unit/test_https.c
 */
#ifndef NODE_EVIDENCE_HTTPS_H
#define NODE_EVIDENCE_HTTPS_H

#include "base/os/clock.h"
#include "http/server.h"
#include "tee/tee.h"

#define HTTPS_LIFETIME_S 86400u /* of a certificate; it is replaced after two thirds */

typedef struct https https_t;

/* Makes the first certificate.
 *   tee         lives until https_close
 *   lifetime_s  HTTPS_LIFETIME_S; tests take less
 * RC_IO, RC_TIMEOUT, RC_NOMEM, RC_BUG; e says why. */
NODISCARD rc_t https_open(https_t **out, err_t *e, const tee_provider_t *tee, clock_fn now_ms, uint32_t lifetime_s);

/* The present identity, for hs_start: borrowed, good until https_keep. */
hs_identity_t *https_identity(const https_t *h);

/* Has the moment written there, in Unix seconds, at which the present certificate expires, now and whenever there is
 * another one. Before https_keep; lives until https_close. */
void https_tell(https_t *h, tally_t *expires_s);

/* From now on gives each new certificate to the server, which lives until https_close. When one cannot be made, the old
 * one stays, the log says why, and it is tried again soon. RC_IO, RC_NOMEM: no thread. */
NODISCARD rc_t https_keep(https_t *h, err_t *e, hs_t *server);

/* Ends the thread, after the quote that it may be waiting for. NULL is allowed. */
void https_close(https_t *h);

#endif
