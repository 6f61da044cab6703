/* callobject.h - eth_call's transaction object, as others send it to us.
 *
 * Spec:   ethereum/execution-apis src/schemas/transaction.yaml (GenericTransaction); api-facts section 3
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_callobject.c, tests/fuzz/fuzz_callobject.c
 */
#ifndef RPC_API_CALLOBJECT_H
#define RPC_API_CALLOBJECT_H

#include "base/json.h"
#include "lightclient/exec/request.h"

#define API_CALL_MAX (5u << 20)      /* bytes of one call object */
#define API_BLOBS_MAX 1024u          /* blob hashes of one; no transaction has so many */
#define API_AUTHORIZATIONS_MAX 1024u /* of one: each costs a recovery of some 50 us */

/* Reads the object o; bytes and lists live in the arena. A member that is null counts as left out. Members that are not
 * known are as the document's mode has it. The document keeps the first fault, which is returned; out is written
 * only on
 * RC_OK. RC_MALFORMED: wrong types, bad hex, data and input that differ, gasPrice beside EIP-1559 fees; RC_LIMIT;
 * RC_NOMEM. */
NODISCARD rc_t api_read_call(ex_request_t *out, arena_t *a, const jo_t *o);

/* The same from a whole body (POST /call), as the prototype took it, too: members that are not known are passed over
 * (they prove nothing and break nothing); every number may also be a JSON integer, decimal text, or hex with
 * leading zeros;
 * addresses, hashes and data may lack the 0x, and 0X stands for it. */
NODISCARD rc_t api_parse_call(ex_request_t *out, err_t *e, arena_t *a, view_t body);

#endif
