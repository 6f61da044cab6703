/* eth_call.c - methods that run code on the state at a block. */
#include "lightclient/exec/call.h"
#include "rpc/api/callobject.h"
#include "rpc/api/methods.h"

static void write_call(api_call_t *c, const query_t *done)
{
    const evm_result_t *r = ex_call_result(done);
    if (r->status == EVM_REVERT)
        api_revert(c, r->output);
    else if (r->status == EVM_HALT)
        api_fail(c, API_FAILED, "%s", evm_halt_name(r->halt));
    else
        jw_hex(&c->out, NULL, r->output);
}

/* State and block overrides change what a call is asked of: better no answer than one to another question. */
static void refuse_overrides(api_call_t *c, const jo_t *args)
{
    for (unsigned i = 2; i < 4; i++)
        if (jo_has(&args[i], NULL) && (jo_kind(&args[i], NULL) != JO_OBJECT || jo_size(&args[i])))
            api_fail(c, API_FAILED, "%s overrides are not supported", i == 2 ? "state" : "block");
}

void api_eth_call(api_call_t *c, const jo_t *args)
{
    ex_request_t *request = arena_calloc(c->arena, 1, sizeof *request);
    query_t *q = NULL;
    err_t e = { .text = "out of memory" };
    if (!request) {
        api_ask(c, RC_NOMEM, &e, NULL, NULL);
        return;
    }
    const rc_t read = api_read_call(request, c->arena, &args[0]);
    const ex_block_t *block = api_block(c, &args[1]);
    refuse_overrides(c, args);
    if (read || !block || c->error)
        return;
    const rc_t rc = ex_call_new(&q, &e,
                                &(ex_call_config_t){ .chain = c->world->chain,
                                                     .cache = c->world->cache,
                                                     .block = block,
                                                     .request = request,
                                                     .use_hint = true,
                                                     .proof_slots_max = c->world->proof_slots_max });
    api_ask(c, rc, &e, q, write_call);
}
