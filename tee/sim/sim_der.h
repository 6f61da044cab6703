/* sim_der.h - writer of DER values for the simulator.
 *
 * Spec:   ITU-T X.690 (DER)
 * Floor:  3, tee/sim. No I/O, clock or thread.
 * Tests:  tests/unit/test_sim.c
 */
#ifndef TEE_SIM_SIM_DER_H
#define TEE_SIM_SIM_DER_H

#include "base/bytes.h"
#include "tee/x509/der.h"

/* Opens a value; the mark goes to sim_der_end once its contents are written. Lengths up to 65535. */
size_t sim_der_begin(wr_t *w, uint8_t tag);
void sim_der_end(wr_t *w, size_t mark);

/* A value with these contents. */
void sim_der_value(wr_t *w, uint8_t tag, view_t contents);

/* INTEGER or ENUMERATED of an unsigned number, given big-endian or as itself; a BOOLEAN. */
void sim_der_unsigned(wr_t *w, uint8_t tag, view_t number);
void sim_der_number(wr_t *w, uint8_t tag, uint64_t number);
void sim_der_bool(wr_t *w, bool value);

/* UTCTime up to 2049, GeneralizedTime from 2050 on. */
void sim_der_time(wr_t *w, int64_t unix_seconds);

#endif
