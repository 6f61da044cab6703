/* date.h - the dates of Intel's documents.
 *
 * Floor:  3, tee/x509. Pure.
 * Tests:  tests/unit/test_tcb.c
 */
#ifndef TEE_X509_DATE_H
#define TEE_X509_DATE_H

#include "base/bytes.h"

/* Reads "2025-10-19T17:48:50Z" (RFC 3339, UTC, whole seconds, years 1970 to 9999) as Unix seconds. False: anything
 * else. */
bool date_read(int64_t *out, view_t text);

#endif
