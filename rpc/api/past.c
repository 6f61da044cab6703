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

uint64_t api_number(const jo_t *o, const char *key)
{
    const uint64_t number = jo_quantity(o, key);
    if (number > INT64_MAX)
        jo_fail(o, key, RC_MALFORMED, "block number larger than int64");
    return number;
}

/* Whether a member is a text, and no number: a tag, or nothing that is known. */
static bool is_tag(const jo_t *o, const char *key)
{
    const view_t text = jo_kind(o, key) == JO_TEXT ? jo_text(o, key, 0, SIZE_MAX) : view_str("0x");
    return text.n < 2 || text.p[0] != '0' || text.p[1] != 'x';
}

bool api_past_number(api_call_t *c, uint64_t *out, const jo_t *arg)
{
    const view_t text = jo_text(arg, NULL, 0, SIZE_MAX);
    if (jo_rc(arg) || c->error)
        return false;
    if (text.n < 2 || text.p[0] != '0' || text.p[1] != 'x')
        return by_tag(c, out, arg, text);
    *out = api_number(arg, NULL);
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
    uint64_t number;
    if (is_tag(arg, "blockNumber"))
        return by_tag(c, &number, arg, jo_text(arg, "blockNumber", 0, SIZE_MAX)) && set_number(c, out, number);
    number = api_number(arg, "blockNumber");
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

rc_t api_past_query(query_t **out, err_t *e, api_call_t *c, ex_history_config_t *config)
{
    const api_world_t *w = c->world;
    config->chain_id = w->chain->chain_id;
    config->cache = w->cache;
    config->final_number = final_number(w);
    config->head = &w->latest;
    if (config->by == EX_BY_NUMBER && w->has_finalized && config->to == w->finalized.env.number)
        config->head = &w->finalized; /* whose hash is known */
    return ex_history_new(out, e, config);
}

void api_past(api_call_t *c, ex_history_config_t *config, api_write_fn write)
{
    query_t *q = NULL;
    err_t e;
    if (c->error)
        return;
    const rc_t rc = api_past_query(&q, &e, c, config);
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

/* ---- the state at a block ---- */

/* A held block, in the request's arena. */
static const ex_block_t *keep_held(api_call_t *c, const ex_block_t *b)
{
    ex_block_t *copy = arena_alloc(c->arena, sizeof *copy);
    if (copy)
        *copy = *b;
    else
        api_fail(c, API_INTERNAL, "out of memory");
    return copy;
}

/* A block that is not held: it is proven first. */
static const ex_block_t *ask_past(api_call_t *c, ex_history_config_t *past)
{
    api_past(c, past, NULL);
    c->again = c->query != NULL;
    return NULL;
}

static const ex_block_t *state_by_number(api_call_t *c, uint64_t number)
{
    const api_world_t *w = c->world;
    ex_block_t held;
    if (number == w->latest.env.number)
        return &w->latest;
    if (w->has_finalized && number == w->finalized.env.number)
        return &w->finalized;
    if (number > w->latest.env.number)
        api_fail(c, API_FAILED, "header not found");
    else if (w->held_by_number && w->held_by_number(w->held_ctx, &held, &w->latest, number))
        return keep_held(c, &held);
    else
        return ask_past(c, &(ex_history_config_t){ .by = EX_BY_NUMBER, .from = number, .to = number });
    return NULL;
}

static const ex_block_t *state_by_hash(api_call_t *c, const hash32_t *hash)
{
    const api_world_t *w = c->world;
    ex_block_t held;
    if (hash32_eq(hash, &w->latest.block_hash))
        return &w->latest;
    if (w->has_finalized && hash32_eq(hash, &w->finalized.block_hash))
        return &w->finalized;
    if (w->held_by_hash && w->held_by_hash(w->held_ctx, &held, &w->latest, hash))
        return keep_held(c, &held);
    return ask_past(c, &(ex_history_config_t){ .by = EX_BY_HASH, .hash = *hash });
}

static const ex_block_t *state_by_tag(api_call_t *c, const jo_t *arg, const char *key)
{
    static const char *const tags[] = { "latest", "safe", "finalized", "earliest", "pending", NULL };
    const api_world_t *w = c->world;
    const size_t tag = jo_word(arg, key, tags);
    switch (tag) {
    case 0: return jo_rc(arg) ? NULL : &w->latest;
    case 1:
    case 2:
        if (w->has_finalized)
            return &w->finalized;
        api_fail(c, API_FAILED, "%s block not found", tags[tag]);
        return NULL;
    case 3: return state_by_number(c, 0);
    default: api_fail(c, API_FAILED, "pending state is not available"); return NULL;
    }
}

/* EIP-1898. A block that is verified here is canonical, so requireCanonical asks for nothing more. */
static const ex_block_t *state_by_object(api_call_t *c, const jo_t *arg)
{
    const bool has_hash = jo_has(arg, "blockHash"), has_number = jo_has(arg, "blockNumber");
    bool canonical;
    hash32_t hash;
    jo_opt_bool(arg, &canonical, "requireCanonical");
    if (has_hash == has_number) {
        jo_fail(arg, NULL, RC_MALFORMED, "%s",
                has_hash ? "cannot specify both BlockHash and BlockNumber, choose one or the other"
                         : "must specify either BlockHash or BlockNumber");
        return NULL;
    }
    if (has_hash)
        return jo_hex(arg, hash.b, sizeof hash.b, "blockHash", HEX_0X) && !jo_rc(arg) ? state_by_hash(c, &hash) : NULL;
    if (is_tag(arg, "blockNumber"))
        return state_by_tag(c, arg, "blockNumber");
    const uint64_t number = api_number(arg, "blockNumber");
    return jo_rc(arg) ? NULL : state_by_number(c, number);
}

const ex_block_t *api_block(api_call_t *c, const jo_t *arg)
{
    hash32_t hash;
    if (jo_rc(arg) || c->error)
        return NULL;
    if (c->at)
        return c->at;
    if (!jo_has(arg, NULL))
        return &c->world->latest;
    if (jo_kind(arg, NULL) == JO_OBJECT)
        return state_by_object(c, arg);
    const view_t text = jo_text(arg, NULL, 0, SIZE_MAX);
    if (jo_rc(arg))
        return NULL;
    if (is_tag(arg, NULL))
        return state_by_tag(c, arg, NULL);
    if (text.n == 2 + 2 * sizeof hash.b)
        return jo_hex(arg, hash.b, sizeof hash.b, NULL, HEX_0X) ? state_by_hash(c, &hash) : NULL;
    const uint64_t number = api_number(arg, NULL);
    return jo_rc(arg) ? NULL : state_by_number(c, number);
}
