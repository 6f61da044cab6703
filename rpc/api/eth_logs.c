/* eth_logs.c - eth_getLogs: complete, or an error. */
#include "base/crypto/hash.h"
#include "lightclient/exec/logs.h"
#include "rpc/api/past.h"

#define VALUES_MAX 1000u /* addresses, and topics of one place, as in geth */

/* A filter, its range, and the plan over it; in the call's arena. */
typedef struct {
    ex_filter_t filter;
    ex_logs_t logs;
    bool by_hash;
} asked_t;

static void *rows(api_call_t *c, size_t count, size_t size)
{
    void *p = arena_calloc(c->arena, count, size);
    if (!p)
        api_fail(c, API_INTERNAL, "out of memory");
    return p;
}

static bool too_many(api_call_t *c, size_t count)
{
    if (count > VALUES_MAX)
        api_fail(c, API_INVALID_PARAMS, "exceed max addresses or topics per search position");
    return count > VALUES_MAX || c->error;
}

static void read_addresses(api_call_t *c, ex_filter_t *f, const jo_t *o)
{
    jo_t list, item;
    if (!jo_opt_values(o, &list, "address", SIZE_MAX))
        return;
    const size_t count = jo_kind(o, "address") == JO_LIST ? jo_size(&list) : 1;
    addr_t *all = too_many(c, count) ? NULL : rows(c, count, sizeof *all);
    f->addrs = all;
    f->addr_count = all ? count : 0;
    for (size_t i = 0; all && jo_next(&list, &item) && i < count; i++)
        jo_hex(&item, all[i].b, sizeof all[i].b, NULL, HEX_0X);
}

/* One place: a topic, or some of which one stands there. None, or one that is null: whatever. */
static void read_place(api_call_t *c, ex_topic_t *t, const jo_t *place)
{
    const bool is_list = jo_kind(place, NULL) == JO_LIST;
    jo_t list = *place, item;
    const size_t count = is_list ? jo_size(place) : 1;
    hash32_t *all = too_many(c, count) ? NULL : rows(c, count, sizeof *all);
    bool any = count == 0;
    if (!all)
        return;
    if (!is_list)
        jo_hex(place, all[0].b, sizeof all[0].b, NULL, HEX_0X);
    else
        list = jo_list(place, NULL, 0, VALUES_MAX);
    for (size_t i = 0; is_list && jo_next(&list, &item); i++) {
        any |= !jo_has(&item, NULL);
        if (jo_has(&item, NULL))
            jo_hex(&item, all[i].b, sizeof all[i].b, NULL, HEX_0X);
    }
    t->any = all;
    t->count = any ? 0 : count;
}

static void read_topics(api_call_t *c, ex_filter_t *f, const jo_t *o)
{
    jo_t list, item;
    if (!jo_opt_list(o, &list, "topics", 0, SIZE_MAX))
        return;
    if (jo_size(&list) > EX_FILTER_TOPICS) {
        api_fail(c, API_INVALID_PARAMS, "exceed max topics");
        return;
    }
    f->topic_count = (unsigned)jo_size(&list);
    while (!c->error && jo_next(&list, &item))
        if (jo_has(&item, NULL))
            read_place(c, &f->topics[item.index], &item);
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
    *out = jo_quantity(o, key);
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
    else if (past->to - past->from >= EX_HISTORY_MAX)
        api_fail(c, API_LIMIT, "query exceeds limit of %u blocks. Try with this block range [0x%llx, 0x%llx].",
                 EX_HISTORY_MAX, (unsigned long long)past->from, (unsigned long long)past->from + EX_HISTORY_MAX - 1);
    return !c->error;
}

/* Of one block, all that the filter finds. */
static void write_block(api_call_t *c, const ex_past_t *p, const ex_filter_t *f)
{
    size_t index = 0;
    for (size_t i = 0; i < p->receipt_count; i++)
        for (size_t k = 0; k < p->receipts[i].log_count; k++, index++) {
            hash32_t hash;
            if (!ex_filter_finds(f, &p->receipts[i].logs[k]))
                continue;
            if (i >= p->block.transaction_count) {
                api_fail(c, API_INTERNAL, "the block has more receipts than transactions");
                return;
            }
            keccak256(&hash, p->block.transactions[i]);
            api_put_log(&c->out, NULL, &p->receipts[i].logs[k],
                        &(api_log_place_t){ &p->block, &hash, i, index, false });
        }
}

static void write_logs(api_call_t *c, const query_t *done)
{
    const ex_history_result_t *r = ex_history_result(done);
    const asked_t *a = c->asked;
    if (a->by_hash && !r->count) {
        api_fail(c, API_FAILED, "unknown block");
        return;
    }
    jw_array(&c->out, NULL);
    for (size_t i = 0; i < r->count && !c->error; i++)
        if (ex_filter_may_find(&a->filter, r->blocks[i].block.header.logs_bloom))
            write_block(c, &r->blocks[i], &a->filter);
    jw_end(&c->out);
}

void api_eth_getLogs(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .plan = ex_logs_plan };
    asked_t *a = rows(c, 1, sizeof *a);
    const jo_t o = jo_object(&args[0], NULL);
    if (!a)
        return;
    read_addresses(c, &a->filter, &o);
    read_topics(c, &a->filter, &o);
    if (!read_range(c, &past, a, &o) || jo_rc(&o) || c->error)
        return;
    a->logs.filter = &a->filter;
    past.plan_ctx = &a->logs;
    c->asked = a;
    if (a->by_hash || past.to - past.from < 4) /* one round trip, at the price of bytes */
        past.wants = EX_WANT_BODY | EX_WANT_RECEIPTS;
    api_past(c, &past, write_logs);
}
