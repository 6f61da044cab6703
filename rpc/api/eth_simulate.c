/* eth_simulate.c - eth_simulateV1: whole blocks that nobody has made. */
#include "lightclient/exec/simulate.h"
#include "rpc/api/callobject.h"
#include "rpc/api/objects.h"
#include "rpc/api/overrides.h"
#include "rpc/api/past.h"

#define CALLS_MAX 5000u      /* of one block, as in geth */
#define CALLS_ALL_MAX 10000u /* of one request */
#define VM_ERROR (-32015)

typedef struct {
    ex_simulate_t sim;
    ex_call_config_t config;
    ex_request_t first; /* that a hint is asked for */
    bool whole;         /* transactions as objects */
    size_t calls;
} simulation_t;

/* ---- parameters ---- */

static void read_calls(simulation_t *x, api_call_t *c, ex_simulate_block_t *b, const jo_t *o)
{
    jo_t list, one;
    if (!jo_opt_list(o, &list, "calls", 0, SIZE_MAX))
        return;
    const size_t n = jo_size(&list);
    x->calls += n;
    if (n > CALLS_MAX)
        api_fail(c, API_CLIENT_LIMIT, "too many calls in block: %zu > %u", n, CALLS_MAX);
    else if (x->calls > CALLS_ALL_MAX)
        api_fail(c, API_CLIENT_LIMIT, "too many calls: %zu > %u", x->calls, CALLS_ALL_MAX);
    ex_request_t *all = c->error ? NULL : arena_calloc(c->arena, n, sizeof *all);
    if (!all) {
        api_fail(c, API_INTERNAL, "out of memory");
        return;
    }
    while (jo_next(&list, &one) && !api_read_call(&all[b->call_count], c->arena, &one))
        b->call_count++;
    b->calls = all;
}

static void read_block(simulation_t *x, api_call_t *c, ex_simulate_block_t *b, const jo_t *o)
{
    jo_t part;
    if (jo_opt_object(o, &part, "blockOverrides"))
        api_read_simulated_block(b, c->arena, &part);
    if (jo_opt_object(o, &part, "stateOverrides"))
        api_read_overrides(&b->overrides, c->arena, &part);
    read_calls(x, c, b, o);
}

static void read_blocks(simulation_t *x, api_call_t *c, const jo_t *o)
{
    jo_t list, one;
    const size_t n = jo_opt_list(o, &list, "blockStateCalls", 0, SIZE_MAX) ? jo_size(&list) : 0;
    if (jo_rc(o))
        return;
    if (!n)
        api_fail(c, API_INVALID_PARAMS, "empty input");
    else if (n > EX_SIMULATE_BLOCKS_MAX)
        api_fail(c, API_CLIENT_LIMIT, "too many blocks");
    x->sim.blocks = c->error ? NULL : arena_calloc(c->arena, n, sizeof *x->sim.blocks);
    if (!x->sim.blocks) {
        api_fail(c, API_INTERNAL, "out of memory");
        return;
    }
    while (jo_next(&list, &one))
        read_block(x, c, &x->sim.blocks[x->sim.block_count++], &one);
}

/* NULL: the call has failed, or a parameter is a fault. */
static simulation_t *read_simulation(api_call_t *c, const jo_t *arg)
{
    simulation_t *x = arena_calloc(c->arena, 1, sizeof *x);
    if (!x) {
        api_fail(c, API_INTERNAL, "out of memory");
        return NULL;
    }
    const jo_t o = jo_object(arg, NULL);
    x->sim.program = (ex_program_t)EX_SIMULATE;
    jo_opt_bool(&o, &x->sim.validates, "validation");
    jo_opt_bool(&o, &x->sim.traces, "traceTransfers");
    jo_opt_bool(&o, &x->whole, "returnFullTransactions");
    if (c->world->deposit_contract)
        x->sim.deposit_contract = *c->world->deposit_contract;
    read_blocks(x, c, &o);
    return jo_rc(arg) || c->error ? NULL : x;
}

/* ---- the result ---- */

static void put_failure(jw_t *w, const evm_result_t *r)
{
    char halt[EVM_HALT_TEXT_MAX], text[API_REVERT_TEXT_MAX];
    jw_object(w, "error");
    if (r->status == EVM_REVERT) {
        api_revert_text(text, r->output);
        jw_str(w, "message", text);
        jw_i64(w, "code", API_REVERTED);
        jw_hex(w, "data", r->output);
    } else {
        evm_halt_text(halt, r);
        jw_str(w, "message", halt);
        jw_i64(w, "code", VM_ERROR);
    }
    jw_end(w);
}

static void put_call(jw_t *w, const ex_simulated_t *b, size_t i)
{
    const ex_simulated_call_t *x = &b->calls[i];
    const evm_result_t *r = &x->result;
    const bool success = r->status == EVM_SUCCESS;
    jw_object(w, NULL);
    jw_hex(w, "returnData", success ? r->output : view_of(NULL, 0));
    jw_array(w, "logs");
    for (size_t k = 0; success && k < r->log_count; k++)
        api_put_log(w, NULL, &r->logs[k],
                    &(api_log_place_t){ &b->block, &x->hash, i, x->first_log + r->logs[k].order, false });
    jw_end(w);
    jw_quantity(w, "gasUsed", r->gas_used);
    jw_quantity(w, "maxUsedGas", r->gas_peak);
    jw_quantity(w, "status", success);
    if (!success)
        put_failure(w, r);
    jw_end(w);
}

static void write_simulation(api_call_t *c, const query_t *done)
{
    const simulation_t *x = c->asked;
    jw_t *w = &c->out;
    arena_t scratch;
    (void)done;
    arena_init(&scratch, API_SCRATCH_MAX);
    jw_array(w, NULL);
    for (size_t i = 0; i < x->sim.result_count; i++) {
        const ex_simulated_t *b = &x->sim.results[i];
        const api_block_t shown = {
            .chain = c->world->chain, .block = &b->block, .has_body = true, .senders = b->senders
        };
        jw_object(w, NULL);
        api_put_block_members(w, &scratch, &shown, x->whole);
        jw_array(w, "calls");
        for (size_t k = 0; k < b->block.transaction_count; k++)
            put_call(w, b, k);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    arena_free(&scratch);
}

/* The first call of all, for which a hint may be had. */
static void find_first(simulation_t *x)
{
    for (size_t i = 0; i < x->sim.block_count; i++)
        if (x->sim.blocks[i].call_count) {
            x->first = x->sim.blocks[i].calls[0];
            x->config.use_hint = true;
            break;
        }
    x->first.has_chain_id = false; /* its own place refuses it */
}

void api_eth_simulateV1(api_call_t *c, const jo_t *args)
{
    simulation_t *x = read_simulation(c, &args[0]);
    const ex_block_t *at = x ? api_block(c, &args[1]) : NULL;
    query_t *q = NULL;
    err_t e;
    if (!at)
        return;
    rc_t rc = ex_simulate_plan(&x->sim, &e, c->arena, at);
    if (rc) {
        api_fail(c, rc == RC_NOMEM ? API_INTERNAL : -(int)e.code, "%s", e.text);
        return;
    }
    find_first(x);
    x->config = (ex_call_config_t){ .chain = c->world->chain,
                                    .cache = c->world->cache,
                                    .block = at,
                                    .request = &x->first,
                                    .program = &x->sim.program,
                                    .use_hint = x->config.use_hint };
    rc = ex_call_new(&q, &e, &x->config);
    c->asked = x;
    api_ask(c, rc, &e, q, write_simulation);
}
