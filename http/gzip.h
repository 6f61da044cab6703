/* gzip.h - answers for clients that take gzip: what they accept, and a body made shorter.
 *
 * Spec:   RFC 9110 sections 8.4.1.3, 12.5.3; RFC 1952
 * Floor:  2, http. No state; any thread.
 * Tests:  tests/unit/test_gzip.c
 */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include <stdbool.h>

#include "http/message.h"

#define HS_GZIP_MIN 1024u /* bytes: a shorter body fits one packet as it is */

/* Whether the value of Accept-Encoding (NULL: absent) takes gzip. */
bool gzip_accepted(const char *accept_encoding);

/* Makes the body of an answer shorter, if it is long enough to gain by it, and marks it so. Without memory it stays
 * as it is. Costs about 7 ms for each MiB. */
void gzip_response(hs_response_t *r);

#endif
