/* Answers to batches from outside. Properties: a call never gets a result from an answer that is not the recorded honest
 * one; whatever is not taken says why. */
#include <stdlib.h>
#include <string.h>

#include "lightclient/exec/call.h"
#include "tests/fuzz/fuzz.h"
#include "tests/give.h"

static const evm_schedule_row_t row = { 0, { EVM_CANCUN, 3, 6, 3338477, NULL } };
static const evm_chain_t CHAIN = { 1, &row, 1 };

/* A call at a state root whose preimage nobody has: nothing can be proven, so nothing may be answered. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const ex_request_t request = {
        .has_to = true, .to = { { 0xaa } }, .from = { { 0xbb } }, .value = { { 1 } }
    };
    static const ex_block_t block = { .state_root = { { 1 } },
                                      .parent_hash = { { 2 } },
                                      .env = { .number = 1000, .chain_id = 1 } };
    const ex_call_config_t config = { .chain = &CHAIN, .block = &block, .request = &request, .use_hint = true };
    query_t *call;
    const need_t *needs;
    err_t e = { .rc = RC_OK };
    bool answered[8] = { false };
    if (ex_call_new(&call, NULL, &config) || query_step(call, NULL) != RC_NEED_DATA)
        abort();
    size_t n = query_needs(call, &needs);
    if (n == 0 || n > 8)
        abort();
    rc_t rc = give_body(call, answered, &e, needs, n, view_of(data, len));
    if (rc == RC_OK || rc == RC_BUG || !*e.text)
        abort();
    for (size_t i = 0; i < n; i++)
        if (answered[i] && needs[i].kind == NEED_PROOF)
            abort();
    if (query_step(call, NULL) != RC_NEED_DATA || ex_call_result(call))
        abort();
    query_free(call);
    return 0;
}
