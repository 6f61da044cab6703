#include "rpc/api/filter.h"

#include "base/crypto/hash.h"
#include "rpc/api/objects.h"
#include "rpc/api/past.h"

#define VALUES_MAX 1000u             /* addresses, and topics of one place, as in geth */
#define HASHES_MAX 200u              /* transactions of one subscription to receipts, likewise */
#define TELL_MAX ((size_t)32 << 20)  /* bytes of one receipt as text */
#define TELL_WORK ((size_t)16 << 20) /* and to decode its transaction */
#define LOG_TEXT 1024u               /* bytes that a log takes as text beside its data, at most */

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
    const bool is_list = jo_kind(o, "address") == JO_LIST; /* an empty one: whatever */
    if (is_list ? !jo_opt_list(o, &list, "address", 0, SIZE_MAX) : !jo_opt_values(o, &list, "address", SIZE_MAX))
        return;
    const size_t count = is_list ? jo_size(&list) : 1;
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

void api_filter_read(api_call_t *c, ex_filter_t *out, const jo_t *o)
{
    *out = (ex_filter_t){ 0 };
    read_addresses(c, out, o);
    read_topics(c, out, o);
}

void api_hashes_read(api_call_t *c, api_criteria_t *out, const jo_t *o)
{
    jo_t list, item;
    out->hashes = NULL;
    out->hash_count = 0;
    if (!jo_opt_list(o, &list, "transactionHashes", 0, SIZE_MAX))
        return;
    const size_t count = jo_size(&list);
    if (count > HASHES_MAX) {
        api_fail(c, API_INVALID_PARAMS,
                 "exceed max number of transaction hashes allowed per transactionReceipts subscription");
        return;
    }
    hash32_t *all = rows(c, count, sizeof *all);
    for (size_t i = 0; all && jo_next(&list, &item) && i < count; i++)
        jo_hex(&item, all[i].b, sizeof all[i].b, NULL, HEX_0X);
    out->hashes = all;
    out->hash_count = all ? count : 0;
}

/* One end of a filter's range. False: a tag, or none. */
static bool check_bound(api_call_t *c, uint64_t *out, const jo_t *o, const char *key)
{
    static const char *const tags[] = { "latest", "safe", "finalized", "earliest", "pending", NULL };
    if (!jo_has(o, key))
        return false;
    const view_t text = jo_kind(o, key) == JO_TEXT ? jo_text(o, key, 0, SIZE_MAX) : view_str("0x");
    const bool is_number = text.n > 1 && text.p[0] == '0' && text.p[1] == 'x';
    if (is_number)
        *out = api_number(o, key);
    else if (jo_word(o, key, tags) == 4)
        api_fail(c, API_INVALID_PARAMS, "pending logs are not supported");
    return is_number;
}

void api_filter_check(api_call_t *c, const jo_t *o)
{
    uint64_t from, to;
    const bool begins = check_bound(c, &from, o, "fromBlock"), ends = check_bound(c, &to, o, "toBlock");
    if (begins && ends && !jo_rc(o) && from > to)
        api_fail(c, API_INVALID_PARAMS, "invalid block range params");
}

/* A number bounds the blocks, a tag does not. */
static void read_bound(uint64_t *out, const jo_t *o, const char *key)
{
    const view_t text = jo_kind(o, key) == JO_TEXT ? jo_text(o, key, 0, SIZE_MAX) : view_of(NULL, 0);
    if (text.n > 2 && text.p[1] == 'x')
        *out = jo_quantity(o, key);
}

rc_t api_criteria_parse(api_criteria_t *out, arena_t *a, api_watch_t kind, view_t text)
{
    jo_doc_t doc;
    api_call_t c = { .arena = a };
    const jo_t o = jo_open(&doc, NULL, text, API_CRITERIA_MAX, JO_LENIENT);
    *out = (api_criteria_t){ .from = 0, .to = UINT64_MAX };
    if (kind == API_WATCH_RECEIPTS) {
        api_hashes_read(&c, out, &o);
    } else {
        api_filter_read(&c, &out->filter, &o);
        read_bound(&out->from, &o, "fromBlock");
        read_bound(&out->to, &o, "toBlock");
    }
    const rc_t rc = jo_rc(&o);
    jo_close(&doc);
    return rc ? rc : c.error == API_INTERNAL ? RC_NOMEM : c.error ? RC_MALFORMED : RC_OK;
}

/* Whether a log surely fits, and the end of the list behind it. */
static bool has_room(const jw_t *w, const evm_log_t *log)
{
    return w->max - w->n > LOG_TEXT + 2 * log->data.n;
}

size_t api_put_logged(jw_t *w, size_t *at, const ex_logged_t *l, const ex_filter_t *f, bool removed)
{
    size_t n = 0, i = at ? *at : 0;
    for (; i < l->log_count; i++) {
        const ex_placed_log_t *p = &l->logs[i];
        if (!ex_filter_finds(f, &p->log))
            continue;
        if (at && !has_room(w, &p->log))
            break;
        api_put_log(w, NULL, &p->log, &(api_log_place_t){ &l->block, &p->tx_hash, p->tx_index, p->log_index, removed });
        n++;
    }
    if (at)
        *at = i;
    return n;
}

/* Of one block, all that the filter finds. */
static bool put_found(jw_t *w, size_t *count, const ex_past_t *p, const ex_filter_t *f)
{
    size_t index = 0;
    for (size_t i = 0; i < p->receipt_count; i++)
        for (size_t k = 0; k < p->receipts[i].log_count; k++, index++) {
            hash32_t hash;
            if (!ex_filter_finds(f, &p->receipts[i].logs[k]))
                continue;
            if (i >= p->block.transaction_count)
                return false;
            keccak256(&hash, p->block.transactions[i]);
            api_put_log(w, NULL, &p->receipts[i].logs[k], &(api_log_place_t){ &p->block, &hash, i, index, false });
            ++*count;
        }
    return true;
}

bool api_put_logs(jw_t *w, size_t *count, const ex_history_result_t *r, const ex_filter_t *f)
{
    *count = 0;
    for (size_t i = 0; i < r->count; i++)
        if (ex_filter_may_find(f, r->blocks[i].block.header.logs_bloom) && !put_found(w, count, &r->blocks[i], f))
            return false;
    return true;
}

rc_t api_tell_receipts(const ex_told_t **out, size_t *count, arena_t *a, const ex_past_t *p, const evm_chain_t *chain)
{
    const api_block_t b = { .chain = chain, .block = &p->block, .has_body = true, .receipts = p->receipts };
    const size_t n = p->block.transaction_count;
    if (p->receipt_count != n)
        return RC_REFUSED;
    ex_told_t *told = arena_calloc(a, n, sizeof *told);
    rc_t rc = told ? RC_OK : RC_NOMEM;
    arena_t work;
    arena_init(&work, TELL_WORK);
    for (size_t i = 0; !rc && i < n; i++) {
        jw_t w = jw_of(a, TELL_MAX);
        keccak256(&told[i].tx_hash, p->block.transactions[i]);
        api_put_receipt(&w, NULL, &work, &b, i);
        told[i].text = jw_done(&w);
        rc = w.rc;
    }
    arena_free(&work);
    *out = told;
    *count = n;
    return rc;
}
