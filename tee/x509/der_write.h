/* der_write.h - writer of DER values: certificates that this program makes itself.
 *
 * Spec:   ITU-T X.690 (DER)
 * Floor:  3, tee/x509. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_sim.c, tests/unit/test_tlscert.c
 */
#ifndef TEE_X509_DER_WRITE_H
#define TEE_X509_DER_WRITE_H

#include "base/bytes.h"
#include "tee/x509/der.h"

/* Opens a value; the mark goes to derw_end once its contents are written. Lengths up to 65535. */
size_t derw_begin(wr_t *w, uint8_t tag);
void derw_end(wr_t *w, size_t mark);

/* A value with these contents. */
void derw_value(wr_t *w, uint8_t tag, view_t contents);

/* INTEGER or ENUMERATED of an unsigned number, given big-endian or as itself; a BOOLEAN. */
void derw_unsigned(wr_t *w, uint8_t tag, view_t number);
void derw_number(wr_t *w, uint8_t tag, uint64_t number);
void derw_bool(wr_t *w, bool value);

/* UTCTime up to 2049, GeneralizedTime from 2050 on. */
void derw_time(wr_t *w, int64_t unix_seconds);

#endif
