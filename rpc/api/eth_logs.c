/* eth_logs.c - eth_getLogs: complete, or an error. */
#include "lightclient/exec/logs.h"
#include "rpc/api/filter.h"
#include "rpc/api/past.h"

/* A filter, its range, and the plan over it; in the call's arena. */
typedef struct {
    ex_filter_t filter;
    ex_logs_t logs;
    bool by_hash;
    uint64_t from;
} asked_t;

/* The range that would do, as ponder, rindexer and graph-node read it. */
static void put_fitting(api_call_t *c, uint64_t from, uint64_t to, size_t limit)
{
    jw_t w = jw_of(c->arena, 256);
    jw_object(&w, NULL);
    jw_quantity(&w, "from", from);
    jw_quantity(&w, "to", to);
    jw_u64(&w, "limit", limit);
    jw_end(&w);
    c->details = jw_done(&w);
}

static void explain(api_call_t *c)
{
    const asked_t *a = c->asked;
    if (!a->by_hash)
        put_fitting(c, a->from, a->from + a->logs.fit_count - 1, a->logs.limit);
}

static void *rows(api_call_t *c, size_t count, size_t size)
{
    void *p = arena_calloc(c->arena, count, size);
    if (!p)
        api_fail(c, API_INTERNAL, "out of memory");
    return p;
}

static bool read_end(api_call_t *c, uint64_t *out, const jo_t *o, const char *key)
{
    *out = c->world->latest.env.number;
    if (!jo_has(o, key))
        return true;
    const view_t text = jo_text(o, key, 0, SIZE_MAX);
    if (view_eq(text, view_str("pending"))) {
        api_fail(c, API_INVALID_PARAMS, "pending logs are not supported");
        return false;
    }
    if (view_eq(text, view_str("latest")))
        return !c->error;
    if (view_eq(text, view_str("earliest"))) {
        *out = 0;
        return !c->error;
    }
    if (view_eq(text, view_str("safe")) || view_eq(text, view_str("finalized"))) {
        *out = c->world->finalized.env.number;
        if (!c->world->has_finalized)
            api_fail(c, API_FAILED, "%s block not found", (const char *)text.p);
        return !c->error;
    }
    *out = api_number(o, key);
    return !jo_rc(o);
}

static bool read_range(api_call_t *c, ex_history_config_t *past, asked_t *a, const jo_t *o)
{
    a->by_hash = jo_has(o, "blockHash");
    if (a->by_hash && (jo_has(o, "fromBlock") || jo_has(o, "toBlock"))) {
        jo_fail(o, NULL, RC_MALFORMED, "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other");
        return false;
    }
    past->by = a->by_hash ? EX_BY_HASH : EX_BY_NUMBER;
    if (a->by_hash)
        return jo_hex(o, past->hash.b, sizeof past->hash.b, "blockHash", HEX_0X);
    if (!read_end(c, &past->from, o, "fromBlock") || !read_end(c, &past->to, o, "toBlock"))
        return false;
    if (past->from > past->to)
        api_fail(c, API_INVALID_PARAMS, "invalid block range params");
    else if (past->to > c->world->latest.env.number)
        api_fail(c, API_INVALID_PARAMS, "block range extends beyond current head block");
    else if (past->to - past->from >= EX_HISTORY_MAX) {
        api_fail(c, API_LIMIT, "query exceeds limit of %u blocks. Try with this block range [0x%llx, 0x%llx].",
                 EX_HISTORY_MAX, (unsigned long long)past->from, (unsigned long long)past->from + EX_HISTORY_MAX - 1);
        put_fitting(c, past->from, past->from + EX_HISTORY_MAX - 1, EX_HISTORY_MAX);
    }
    return !c->error;
}

static void write_logs(api_call_t *c, const query_t *done)
{
    const ex_history_result_t *r = ex_history_result(done);
    const asked_t *a = c->asked;
    if (a->by_hash && !r->count) {
        api_fail(c, API_FAILED, "unknown block");
        return;
    }
    size_t count, positive;
    if (c->world->tallies) {
        tally_add(&c->world->tallies->in_vain, ex_logs_in_vain(&positive, &a->filter, r->blocks, r->count));
        tally_add(&c->world->tallies->positive, positive);
    }
    jw_array(&c->out, NULL);
    if (!api_put_logs(&c->out, &count, r, &a->filter))
        api_fail(c, API_INTERNAL, "the block has more receipts than transactions");
    jw_end(&c->out);
}

/* What is in memory needs no query. */
static bool answer_from_memory(api_call_t *c, const asked_t *a, const ex_history_config_t *past)
{
    const api_world_t *w = c->world;
    return w->events && !a->by_hash &&
           w->events->logs(w->events_ctx, &c->out, &a->filter, past->from, past->to, &w->latest);
}

static void ask_logs(api_call_t *c, const jo_t *o)
{
    ex_history_config_t past = { .plan = ex_logs_plan, .first = ex_logs_first };
    asked_t *a = rows(c, 1, sizeof *a);
    if (!a)
        return;
    api_filter_read(c, &a->filter, o);
    if (!read_range(c, &past, a, o) || jo_rc(o) || c->error || answer_from_memory(c, a, &past))
        return;
    a->logs.filter = &a->filter;
    a->from = past.from;
    past.plan_ctx = &a->logs;
    c->asked = a;
    c->explain = explain;
    if (a->by_hash || past.to - past.from < 4) /* one round trip, at the price of bytes */
        past.wants = EX_WANT_BODY | EX_WANT_RECEIPTS;
    api_past(c, &past, write_logs);
}

void api_eth_getLogs(api_call_t *c, const jo_t *args)
{
    const jo_t o = jo_object(&args[0], NULL);
    ask_logs(c, &o);
}

/* All logs of a filter's range, as if eth_getLogs had its criteria. */
void api_eth_getFilterLogs(api_call_t *c, const jo_t *args)
{
    const api_world_t *w = c->world;
    const view_t id = jo_text(&args[0], NULL, 0, SIZE_MAX);
    view_t text;
    jo_doc_t doc;
    err_t e;
    if (jo_rc(&args[0]))
        return;
    if (!w->events || w->events->criteria(w->events_ctx, &text, &e, c->arena, id)) {
        api_fail(c, API_FAILED, "filter not found");
        return;
    }
    const jo_t o = jo_open(&doc, &e, text, API_CRITERIA_MAX, JO_LENIENT);
    ask_logs(c, &o);
    if (jo_rc(&o))
        api_fail(c, API_INVALID_PARAMS, "%s", e.text);
    jo_close(&doc);
}
