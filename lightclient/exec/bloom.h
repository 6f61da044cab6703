/* bloom.h - the 2048-bit filters of logs in receipts and headers: whether an address or a topic may be in a block.
 *
 * Spec:   Yellow Paper section 4.3.1 (M3:2048)
 * Floor:  2, exec. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_receipt.c
 */
#ifndef EXEC_BLOOM_H
#define EXEC_BLOOM_H

#include "base/bytes.h"
#include "lightclient/evm/evm.h"

#define EX_BLOOM_LEN 256u

/* Adds one value: the 20 bytes of an address or the 32 bytes of a topic. */
void ex_bloom_add(uint8_t bloom[EX_BLOOM_LEN], view_t what);

/* Adds addresses and topics of logs. */
void ex_bloom_add_logs(uint8_t bloom[EX_BLOOM_LEN], const evm_log_t *logs, size_t count);

/* False: what was never added to the filter. True: it may have been. */
bool ex_bloom_has(const uint8_t bloom[EX_BLOOM_LEN], view_t what);

#endif
