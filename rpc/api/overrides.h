/* overrides.h - state overrides and block overrides of eth_call and its like, as others send them to us.
 *
 * Spec:   execution-apis src/schemas/execute.yaml; api-facts section 3; docs/statements.md, "Overrides"
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods_call.c, tests/unit/test_question.c, tests/fuzz/fuzz_overrides.c
 */
#ifndef RPC_API_OVERRIDES_H
#define RPC_API_OVERRIDES_H

#include "base/json.h"
#include "lightclient/exec/simulate.h"

#define API_OVERRIDES_MAX 4096u /* accounts */

/* Reads the object o; null or absent: no override. Rows are in the order of their addresses; bytes and lists in the
 * arena. The document keeps the first fault. */
void api_read_overrides(ex_overrides_t *out, arena_t *a, const jo_t *o);

/* Reads block overrides into env, which holds the block's own values. False: there are none. Names of members are taken
 * in any case, as in geth; beaconRoot and withdrawals, which only eth_simulateV1 has, are faults. */
bool api_read_block_overrides(evm_block_t *env, const jo_t *o);

/* What a signed call binds: the plain JSON (rpc/api/plain.h) of the members blockOverride and stateOverride of o, and
 * its Keccak-256. Neither is there: an empty view, and zero. The document keeps the fault. */
view_t api_canonical_overrides(hash32_t *hash, arena_t *a, const jo_t *o);

/* Reads such a text strictly: a member that is not known, or spelled otherwise, is a fault. env holds the block's own
 * values and is written over where the text has others.
 * RC_MALFORMED: e names the member; RC_REFUSED: state beside stateDiff; RC_LIMIT; RC_NOMEM. */
NODISCARD rc_t api_bound_overrides(ex_overrides_t *state, evm_block_t *env, err_t *e, arena_t *a, view_t text);

/* Reads the block overrides of eth_simulateV1 into out, with beaconRoot and withdrawals; null or absent: none. */
void api_read_simulated_block(ex_simulate_block_t *out, arena_t *a, const jo_t *o);

#endif
