#include "node/query/calls.h"

#include <stdlib.h>

#include "lightclient/exec/call.h"
#include "node/query/answers.h"
#include "node/query/flight.h"
#include "rpc/api/callobject.h"

struct calls {
    calls_config_t config;
};

/* What a job keeps. */
typedef struct {
    const calls_t *calls;
    ex_block_t block;
    ex_request_t request;
} call_t;

/* Its faults are told with their field, as a sentence. */
static rc_t read_body(call_t *c, err_t *e, arena_t *a, view_t body)
{
    err_t bad = { 0 };
    rc_t rc = api_parse_call(&c->request, &bad, a, body);
    return rc ? err_set(e, rc == RC_REFUSED ? RC_MALFORMED : rc, "call object: %s%s%s", bad.field,
                        bad.field[0] ? ": " : "", bad.text)
              : RC_OK;
}

static rc_t begin(void *mine, query_t **out, err_t *e, arena_t *a, const hs_request_t *request)
{
    call_t *c = mine;
    const calls_config_t *k = &c->calls->config;
    rc_t rc = read_body(c, e, a, request->body);
    return rc ? rc
              : ex_call_new(out, e,
                            &(ex_call_config_t){ .chain = k->chain,
                                                 .cache = k->cache,
                                                 .block = &c->block,
                                                 .request = &c->request,
                                                 .use_hint = true });
}

static rc_t finish(void *mine, view_t *body, err_t *e, arena_t *a, const query_t *done)
{
    const call_t *c = mine;
    const calls_config_t *k = &c->calls->config;
    const evm_result_t *result = ex_call_result(done);
    if (k->ready && !k->ready(k->ready_ctx, e))
        return err_code(e, RC_REFUSED, JOBS_NOT_NOW);
    rc_t rc = api_call_body(body, a, &k->signer, result->output, result->status != EVM_SUCCESS);
    return rc ? err_say(e, rc, "the answer could not be signed") : RC_OK;
}

void calls_post(calls_t *c, const hs_request_t *request, hs_response_t *r, const ex_block_t *block)
{
    static const jobs_kind_t kind = {
        .size = sizeof(call_t), .begin = begin, .finish = finish, .refuse = jobs_problem
    };
    const call_t mine = { .calls = c, .block = *block };
    hash32_t key;
    answers_key(&key, &block->block_hash, request->body);
    jobs_post(c->config.jobs, request, r, &kind, &mine, &key);
}

calls_t *calls_new(const calls_config_t *config)
{
    calls_t *c = calloc(1, sizeof *c);
    if (c)
        c->config = *config;
    return c;
}

void calls_free(calls_t *c)
{
    free(c);
}
