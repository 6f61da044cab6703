/* provider.h - what the providers of real quotes share. Private to tee/provider.
 *
 * Floor:  3, tee/provider.
 * Tests:  tests/unit/test_provider_dstack.c, tests/unit/test_provider_configfs.c
 */
#ifndef TEE_PROVIDER_PROVIDER_H
#define TEE_PROVIDER_PROVIDER_H

#include "tee/tee.h"

#define PROVIDER_TIMEOUT_MS 60000u /* for one quote, all attempts together */

/* A sentence that stays as it is until this thread's next call. */
const char *provider_why(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Evidence for the caller: the quote, cut to its length, must parse and carry exactly report_data.
 *   parts  type and views are taken, buffer is not looked at
 *   who    begins the sentence in *why
 * RC_IO: it does not, or a part is too long; RC_NOMEM. out written only on RC_OK. */
NODISCARD rc_t provider_evidence(tee_evidence_t *out, const char **why, const char *who, const tee_evidence_t *parts,
                                 const uint8_t report_data[TEE_REPORT_DATA_LEN]);

#endif
