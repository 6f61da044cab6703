/* overrides.h - state overrides and block overrides of eth_call and its like, as others send them to us.
 *
 * Spec:   execution-apis src/schemas/execute.yaml; api-facts section 3
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods_call.c, tests/fuzz/fuzz_overrides.c
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

/* Reads the block overrides of eth_simulateV1 into out, with beaconRoot and withdrawals; null or absent: none. */
void api_read_simulated_block(ex_simulate_block_t *out, arena_t *a, const jo_t *o);

#endif
