/* try_execution.c - whether an execution RPC is of the chain, and proves what it says at its newest block. */
#include "node/setup/tries.h"
#include "rpc/upstream/jsonrpc.h"
#include "rpc/upstream/latest.h"
#include "rpc/upstream/refusal.h"

#define PROOF_ARENA_MAX ((size_t)4 << 20)

static void post(trial_run_t *r, size_t i, try_kind_t kind, view_t body)
{
    hc_request_t *q = exchange_add(&r->exchange, up_url(r->execution.up, i), "", TRY_WHO(kind, i));
    q->url = up_url(r->execution.up, i); /* as it stands: keys may be in its path, and nothing is below it */
    q->ca_file = up_ca_file(r->execution.up);
    q->post = body;
    q->reach = config_reach(r->trial->config, r->trial->config->execution_by_setup && !r->trial->begun);
    q->body_max = LATEST_BODY_MAX;
}

/* An account that every chain can prove, if only that it is absent. */
static need_t the_need(ex_block_t *at, const tries_t *t, size_t i)
{
    *at = (ex_block_t){ .block_hash = t->head_hash[i], .state_root = t->head[i].state_root };
    at->env.number = t->head[i].number;
    return (need_t){ .kind = NEED_PROOF, .block = at };
}

static void ask_proof(trial_run_t *r, size_t i)
{
    const cap_form_t form = { .by_number = r->execution.by_number[i] };
    ex_block_t at;
    const need_t need = the_need(&at, &r->execution, i), *const needs[] = { &need };
    view_t text;
    err_t e;
    if (jr_encode(&text, &e, r->arena, needs, 1, &form))
        tries_fail(&r->execution, i, &e, NULL, false);
    else
        post(r, i, TRY_PROOF, text);
}

void try_execution_ask(trial_run_t *r, unsigned round)
{
    for (size_t i = 0; i < r->execution.count; i++)
        if (round == 0) {
            post(r, i, TRY_CHAIN, view_str(LATEST_CHAIN_REQUEST));
            post(r, i, TRY_BLOCK, view_str(LATEST_BLOCK_REQUEST));
        } else if (!r->execution.why[i].rc && (round == 1 || r->execution.by_number[i]))
            ask_proof(r, i);
}

/* Whether what was refused with that meaning may have been so for the block's hash in it. */
static bool may_be_for_its_hash(refusal_t why)
{
    return why == REFUSAL_FORM || why == REFUSAL_OTHER || why == REFUSAL_METHOD || why == REFUSAL_LATE ||
           why == REFUSAL_BATCH;
}

/* A refusal's meaning is the code of e. */
static rc_t check_proof(err_t *e, const tries_t *t, size_t i, view_t body)
{
    const cap_form_t form = { .by_number = t->by_number[i] };
    ex_block_t at;
    const need_t need = the_need(&at, t, i), *const needs[] = { &need };
    mpt_account_t account;
    jr_answer_t answer;
    arena_t a;
    arena_init(&a, PROOF_ARENA_MAX);
    rc_t rc = jr_decode(&answer, e, &a, needs, 1, &form, body);
    if (!rc && answer.rc) {
        *e = answer.why;
        rc = err_code(e, answer.rc, (uint16_t)answer.refusal);
    } else if (!rc)
        rc = ex_proof_verify(&account, NULL, e, &at.state_root, &need.addr, NULL, 0, &answer.answer.proof);
    arena_free(&a);
    return err_before(e, rc, "%s", strstr(e->text, "eth_getProof") ? "" : "eth_getProof: ");
}

static rc_t check_answer(tries_t *t, err_t *e, try_kind_t kind, size_t i, view_t body, uint64_t chain_id)
{
    rc_t rc = RC_OK;
    switch (kind) {
    case TRY_CHAIN: rc = latest_check_chain(e, body, chain_id); break;
    case TRY_BLOCK: rc = latest_read_block(&t->head[i], &t->head_hash[i], e, body); break;
    default: return check_proof(e, t, i, body);
    }
    if (rc && e->field[0])
        (void)err_before(e, rc, "%s: ", e->field);
    return rc == RC_REFUSED ? rc : err_before(e, rc, kind == TRY_CHAIN ? "eth_chainId: " : "eth_getBlockByNumber: ");
}

void try_execution_take(trial_run_t *r, size_t i, try_kind_t kind, size_t endpoint)
{
    tries_t *t = &r->execution;
    err_t e = { .rc = RC_OK };
    const view_t body = exchange_body(&r->exchange, &e, i, t->by_owner);
    const hc_response_t *x = &r->exchange.responses[i];
    const rc_t rc = body.p ? check_answer(t, &e, kind, endpoint, body, r->trial->config->chain.chain_id) : e.rc;
    const refusal_t why = body.p ? (refusal_t)e.code : x->why.rc ? REFUSAL_NONE : refusal_of_status(x->status);
    if (rc && kind == TRY_PROOF && !t->by_number[endpoint] && may_be_for_its_hash(why)) {
        t->by_number[endpoint] = true;
        return;
    }
    if (rc)
        tries_fail(t, endpoint, &e, x, rc == RC_REFUSED && kind == TRY_CHAIN && body.p);
}
