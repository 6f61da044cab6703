/* eth_state.c - methods about the state at a block: read from it, or code run on it. */
#include "lightclient/exec/call.h"
#include "rpc/api/callobject.h"
#include "rpc/api/methods.h"

static void write_balance(api_call_t *c, const query_t *done)
{
    jw_quantity256(&c->out, NULL, &ex_read_result(done)->account.balance);
}

void api_eth_getBalance(api_call_t *c, const jo_t *args)
{
    ex_read_config_t read = { .block = NULL };
    jo_hex(&args[0], read.addr.b, sizeof read.addr.b, NULL, HEX_0X);
    read.block = api_block(c, &args[1]);
    api_read(c, &read, write_balance);
}

static void write_nonce(api_call_t *c, const query_t *done)
{
    jw_quantity(&c->out, NULL, ex_read_result(done)->account.nonce);
}

/* With the tag pending wallets ask for the nonce of their next transaction: without transactions of its own to
 * count, what this node can prove of it is the nonce at the head. */
void api_eth_getTransactionCount(api_call_t *c, const jo_t *args)
{
    ex_read_config_t read = { .block = NULL };
    const bool pending =
        jo_kind(&args[1], NULL) == JO_TEXT && view_eq(jo_text(&args[1], NULL, 0, SIZE_MAX), view_str("pending"));
    jo_hex(&args[0], read.addr.b, sizeof read.addr.b, NULL, HEX_0X);
    read.block = pending ? &c->world->latest : api_block(c, &args[1]);
    api_read(c, &read, write_nonce);
}

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
