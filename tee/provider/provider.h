/* provider.h - what the providers of real quotes share. Private to tee/provider.
 *
 * Floor:  3, tee/provider.
 * Tests:  tests/unit/test_provider_dstack.c, tests/unit/test_provider_configfs.c
 */
#ifndef TEE_PROVIDER_PROVIDER_H
#define TEE_PROVIDER_PROVIDER_H

#include "tee/tee.h"

#define PROVIDER_TIMEOUT_MS 60000u /* for one quote, all attempts together */

/* Evidence for the caller: the quote, cut to its length, must parse and carry exactly report_data.
 *   parts  type and views are taken, buffer is not looked at
 *   who    begins the text in e
 * RC_IO: it does not, or a part is too long; RC_NOMEM. out written only on RC_OK. */
NODISCARD rc_t provider_evidence(tee_evidence_t *out, err_t *e, const char *who, const tee_evidence_t *parts,
                                 const uint8_t report_data[TEE_REPORT_DATA_LEN]);

#endif
