/* Answers to batches and call objects from outside. First byte: which of them.
 * Properties: a call never gets a result from an answer that is not the recorded honest one; a refused call object
 * leaves the request as it was, and one that is taken says the same when read again. */
#include <stdlib.h>
#include <string.h>

#include "lightclient/exec/call.h"
#include "rpc/upstream/jsonrpc.h"
#include "tests/fuzz/fuzz.h"

static const evm_schedule_row_t row = { 0, { EVM_CANCUN, 3, 6, 3338477 } };
static const evm_chain_t CHAIN = { 1, &row, 1 };

/* A call at a state root whose preimage nobody has: nothing can be proven, so nothing may be answered. */
static void answer(view_t body)
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
    char why[200];
    bool answered[8] = { false };
    if (ex_call_new(&call, NULL, &config) || query_step(call, NULL) != RC_NEED_DATA)
        abort();
    size_t n = query_needs(call, &needs);
    if (n == 0 || n > 8)
        abort();
    rc_t rc = jr_answer_needs(call, answered, why, sizeof why, needs, n, body);
    if (rc == RC_OK || (rc == RC_BUG || strlen(why) >= sizeof why))
        abort();
    for (size_t i = 0; i < n; i++)
        if (answered[i] && needs[i].kind == NEED_PROOF)
            abort();
    if (query_step(call, NULL) != RC_NEED_DATA || ex_call_result(call))
        abort();
    query_free(call);
}

static void object(view_t body)
{
    arena_t a;
    char why[200];
    ex_request_t q, again;
    arena_init(&a, 64u << 20);
    memset(&q, 0x5a, sizeof q);
    if (jr_parse_call(&q, &a, why, sizeof why, body)) {
        for (size_t i = 0; i < sizeof q; i++)
            if (((const uint8_t *)&q)[i] != 0x5a)
                abort();
        if (!*why || strlen(why) >= sizeof why)
            abort();
    } else if (jr_parse_call(&again, &a, why, sizeof why, body) || !view_eq(q.data, again.data) ||
               q.access_count != again.access_count || q.gas != again.gas || !u256_eq(&q.value, &again.value))
        abort();
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    if (data[0] == 'a')
        answer(view_of(data + 1, len - 1));
    else
        object(view_of(data + 1, len - 1));
    return 0;
}
