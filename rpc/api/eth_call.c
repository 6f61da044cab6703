/* eth_call.c - methods that run code on the state at a block. */
#include "lightclient/exec/call.h"
#include "lightclient/exec/estimate.h"
#include "rpc/api/callobject.h"
#include "rpc/api/overrides.h"
#include "rpc/api/past.h"

/* One request with all that it is run under. */
typedef struct {
    ex_call_config_t config;
    ex_request_t request;
    ex_overrides_t overrides;
    evm_block_t env;
    ex_estimate_t estimate;
    ex_access_list_t list;
} run_t;

/* Reads what the three have in common. NULL: the call has failed, or a parameter is a fault.
 *   state, block  the parameters with the overrides; NULL: the method has none */
static run_t *read_run(api_call_t *c, const jo_t *args, const jo_t *state, const jo_t *block)
{
    run_t *r = arena_calloc(c->arena, 1, sizeof *r);
    if (!r) {
        api_fail(c, API_INTERNAL, "out of memory");
        return NULL;
    }
    const rc_t rc = api_read_call(&r->request, c->arena, &args[0]);
    const ex_block_t *at = api_block(c, &args[1]);
    if (rc || !at)
        return NULL;
    r->config = (ex_call_config_t){
        .chain = c->world->chain, .cache = c->world->cache, .block = at, .request = &r->request, .use_hint = true
    };
    r->env = at->env;
    if (state)
        api_read_overrides(&r->overrides, c->arena, state);
    if (r->overrides.count)
        r->config.overrides = &r->overrides;
    if (block && api_read_block_overrides(&r->env, block))
        r->config.env = &r->env;
    return jo_rc(&args[0]) || c->error ? NULL : r;
}

static void ask_run(api_call_t *c, const run_t *r, api_write_fn write)
{
    query_t *q = NULL;
    err_t e;
    const rc_t rc = ex_call_new(&q, &e, &r->config);
    c->asked = r;
    api_ask(c, rc, &e, q, write);
}

static void fail_halt(api_call_t *c, const evm_result_t *r)
{
    char text[EVM_HALT_TEXT_MAX];
    evm_halt_text(text, r);
    api_fail(c, API_FAILED, "%s", text);
}

/* ---- eth_call ---- */

static void write_call(api_call_t *c, const query_t *done)
{
    const evm_result_t *r = ex_call_result(done);
    if (r->status == EVM_REVERT)
        api_revert(c, r->output);
    else if (r->status == EVM_HALT)
        fail_halt(c, r);
    else
        jw_hex(&c->out, NULL, r->output);
}

void api_eth_call(api_call_t *c, const jo_t *args)
{
    const run_t *r = read_run(c, args, &args[2], &args[3]);
    if (r)
        ask_run(c, r, write_call);
}

/* ---- eth_estimateGas ---- */

static void write_estimate(api_call_t *c, const query_t *done)
{
    const run_t *r = c->asked;
    (void)done;
    if (!r->estimate.failed)
        jw_quantity(&c->out, NULL, r->estimate.gas);
    else if (r->estimate.result.status == EVM_REVERT)
        api_revert(c, r->estimate.result.output);
    else
        fail_halt(c, &r->estimate.result);
}

static bool is_pending(const jo_t *at)
{
    return jo_kind(at, NULL) == JO_TEXT && view_eq(jo_text(at, NULL, 0, SIZE_MAX), view_str("pending"));
}

/* An estimate is about the block to come, whose state before its transactions is the head's: `pending`, as cast asks,
 * means that one. */
void api_eth_estimateGas(api_call_t *c, const jo_t *args)
{
    jo_t asked[API_PARAMS_MAX];
    memcpy(asked, args, sizeof asked);
    if (is_pending(&args[1]))
        asked[1] = (jo_t){ .doc = args[1].doc, .up = args[1].up, .index = API_PARAMS_MAX };
    run_t *r = read_run(c, asked, &asked[2], &asked[3]);
    if (!r)
        return;
    r->estimate = (ex_estimate_t){ .program = EX_ESTIMATE };
    r->config.program = &r->estimate.program;
    ask_run(c, r, write_estimate);
}

/* ---- eth_createAccessList ---- */

static void put_access_list(jw_t *w, const ex_access_list_t *x)
{
    jw_array(w, "accessList");
    for (size_t i = 0; i < x->count; i++) {
        jw_object(w, NULL);
        jw_hex(w, "address", view_of(x->list[i].addr.b, sizeof(addr_t)));
        jw_array(w, "storageKeys");
        for (size_t k = 0; k < x->list[i].key_count; k++)
            jw_hex(w, NULL, view_of(x->list[i].keys[k].b, sizeof(hash32_t)));
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

/* A call that fails has a list too. */
static void write_access_list(api_call_t *c, const query_t *done)
{
    const ex_access_list_t *x = &((const run_t *)c->asked)->list;
    char text[EVM_HALT_TEXT_MAX];
    (void)done;
    jw_object(&c->out, NULL);
    put_access_list(&c->out, x);
    evm_halt_text(text, &x->result);
    if (x->result.status != EVM_SUCCESS)
        jw_str(&c->out, "error", x->result.status == EVM_REVERT ? "execution reverted" : text);
    jw_quantity(&c->out, "gasUsed", x->result.gas_used);
    jw_end(&c->out);
}

void api_eth_createAccessList(api_call_t *c, const jo_t *args)
{
    run_t *r = read_run(c, args, &args[2], NULL);
    if (!r)
        return;
    r->list = (ex_access_list_t){ .program = EX_ACCESS_LIST };
    r->config.program = &r->list.program;
    ask_run(c, r, write_access_list);
}
