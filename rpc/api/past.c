#include "rpc/api/past.h"

static uint64_t final_number(const api_world_t *w)
{
    return w->has_finalized ? w->finalized.env.number : 0;
}

static bool by_tag(api_call_t *c, uint64_t *out, const jo_t *arg, view_t text)
{
    const api_world_t *w = c->world;
    const bool safe = view_eq(text, view_str("safe"));
    if (view_eq(text, view_str("latest")))
        *out = w->latest.env.number;
    else if (view_eq(text, view_str("earliest")))
        *out = 0;
    else if ((safe || view_eq(text, view_str("finalized"))) && w->has_finalized)
        *out = w->finalized.env.number;
    else if (safe || view_eq(text, view_str("finalized")))
        api_fail(c, API_FAILED, "%s block not found", safe ? "safe" : "finalized");
    else if (view_eq(text, view_str("pending")))
        api_fail(c, API_FAILED, "pending state is not available");
    else
        jo_fail(arg, NULL, RC_MALFORMED, "hex string without 0x prefix");
    return !c->error && !jo_rc(arg);
}

bool api_past_number(api_call_t *c, uint64_t *out, const jo_t *arg)
{
    const view_t text = jo_text(arg, NULL, 0, SIZE_MAX);
    if (jo_rc(arg) || c->error)
        return false;
    if (text.n < 2 || text.p[0] != '0' || text.p[1] != 'x')
        return by_tag(c, out, arg, text);
    *out = jo_quantity(arg, NULL);
    return !jo_rc(arg);
}

/* A number beyond the head is answered at once. */
static bool set_number(api_call_t *c, ex_history_config_t *out, uint64_t number)
{
    out->by = EX_BY_NUMBER;
    out->from = out->to = number;
    if (number <= c->world->latest.env.number)
        return true;
    jw_null(&c->out, NULL);
    return false;
}

bool api_past_at_number(api_call_t *c, ex_history_config_t *out, const jo_t *arg)
{
    uint64_t number;
    return api_past_number(c, &number, arg) && set_number(c, out, number);
}

bool api_past_hash(api_call_t *c, ex_history_config_t *out, const jo_t *arg, ex_by_t by)
{
    out->by = by;
    return jo_hex(arg, out->hash.b, sizeof out->hash.b, NULL, HEX_0X) && !c->error;
}

static bool by_object(api_call_t *c, ex_history_config_t *out, const jo_t *arg)
{
    const bool has_hash = jo_has(arg, "blockHash"), has_number = jo_has(arg, "blockNumber");
    bool canonical; /* a block that can be proven is */
    jo_opt_bool(arg, &canonical, "requireCanonical");
    if (has_hash == has_number) {
        jo_fail(arg, NULL, RC_MALFORMED, "%s",
                has_hash ? "cannot specify both BlockHash and BlockNumber, choose one or the other"
                         : "must specify either BlockHash or BlockNumber");
        return false;
    }
    out->by = EX_BY_HASH;
    if (has_hash)
        return jo_hex(arg, out->hash.b, sizeof out->hash.b, "blockHash", HEX_0X) && !c->error;
    const uint64_t number = jo_quantity(arg, "blockNumber");
    return !jo_rc(arg) && set_number(c, out, number);
}

bool api_past_block(api_call_t *c, ex_history_config_t *out, const jo_t *arg)
{
    if (jo_kind(arg, NULL) == JO_OBJECT)
        return by_object(c, out, arg);
    const view_t text = jo_text(arg, NULL, 0, SIZE_MAX);
    if (!jo_rc(arg) && text.n == 2 + 2 * sizeof out->hash.b)
        return api_past_hash(c, out, arg, EX_BY_HASH);
    return api_past_at_number(c, out, arg);
}

void api_past(api_call_t *c, ex_history_config_t *config, api_write_fn write)
{
    query_t *q = NULL;
    err_t e;
    const api_world_t *w = c->world;
    if (c->error)
        return;
    config->chain_id = w->chain->chain_id;
    config->cache = w->cache;
    config->final_number = final_number(w);
    config->head = &w->latest;
    if (config->by == EX_BY_NUMBER && w->has_finalized && config->to == w->finalized.env.number)
        config->head = &w->finalized; /* whose hash is known */
    const rc_t rc = ex_history_new(&q, &e, config);
    api_ask(c, rc, &e, q, write);
}

bool api_past_result(api_call_t *c, api_block_t *out, const query_t *done)
{
    const ex_history_result_t *r = ex_history_result(done);
    if (!r->count) {
        jw_null(&c->out, NULL);
        return false;
    }
    *out = (api_block_t){ .chain = c->world->chain,
                          .block = &r->blocks[0].block,
                          .has_body = r->blocks[0].has_body,
                          .receipts = r->blocks[0].has_receipts ? r->blocks[0].receipts : NULL };
    return true;
}

bool api_past_whole(api_call_t *c, const api_block_t *b)
{
    const bool whole = hash32_eq(&b->block->header.ommers_hash, &EX_NO_OMMERS);
    if (!whole)
        api_fail(c, API_FAILED, "the block has uncles, which cannot be proven");
    return whole;
}
