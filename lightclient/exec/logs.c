#include "lightclient/exec/logs.h"

#define TOGETHER_MAX 4u /* blocks of which receipts and transactions are asked for at the same time */

static bool bloom_has_any(const ex_topic_t *t, const uint8_t bloom[EX_BLOOM_LEN])
{
    for (size_t i = 0; i < t->count; i++)
        if (ex_bloom_has(bloom, view_of(t->any[i].b, sizeof t->any[i].b)))
            return true;
    return t->count == 0;
}

/* Whether there is any log at all: each has set bits of its address. */
static bool has_bits(const uint8_t bloom[EX_BLOOM_LEN])
{
    static const uint8_t none[EX_BLOOM_LEN];
    return memcmp(bloom, none, sizeof none) != 0;
}

bool ex_filter_may_find(const ex_filter_t *f, const uint8_t bloom[EX_BLOOM_LEN])
{
    bool found = f->addr_count == 0 && has_bits(bloom);
    for (size_t i = 0; i < f->addr_count && !found; i++)
        found = ex_bloom_has(bloom, view_of(f->addrs[i].b, sizeof f->addrs[i].b));
    for (unsigned i = 0; i < f->topic_count && found; i++)
        found = bloom_has_any(&f->topics[i], bloom);
    return found;
}

static bool is_any(const ex_topic_t *t, const hash32_t *topic)
{
    for (size_t i = 0; i < t->count; i++)
        if (hash32_eq(&t->any[i], topic))
            return true;
    return t->count == 0;
}

bool ex_filter_finds(const ex_filter_t *f, const evm_log_t *log)
{
    bool found = f->addr_count == 0;
    if (log->topic_count < f->topic_count)
        return false;
    for (size_t i = 0; i < f->addr_count && !found; i++)
        found = addr_eq(&f->addrs[i], &log->addr);
    for (unsigned i = 0; i < f->topic_count && found; i++)
        found = is_any(&f->topics[i], &log->topics[i]);
    return found;
}

/* Logs of a block that the filter finds. */
static size_t found_in(const ex_filter_t *f, const ex_past_t *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->receipt_count; i++)
        for (size_t k = 0; k < p->receipts[i].log_count; k++)
            n += ex_filter_finds(f, &p->receipts[i].logs[k]);
    return n;
}

static rc_t too_much(ex_logs_t *l, err_t *e, uint64_t from, size_t fit, const char *what, size_t limit)
{
    l->fit_count = fit ? fit : 1;
    l->limit = limit;
    return err_code(e,
                    err_set(e, RC_LIMIT, "query exceeds limit of %zu %s. Try with this block range [0x%llx, 0x%llx].",
                            limit, what, (unsigned long long)from, (unsigned long long)(from + l->fit_count - 1)),
                    EX_LOGS_LIMIT);
}

static size_t receipts_most(const ex_logs_t *l)
{
    return l->receipts_max ? l->receipts_max : EX_LOGS_RECEIPTS_MAX;
}

rc_t ex_logs_first(void *ctx, err_t *e, const ex_past_t *blocks, size_t count, uint64_t from)
{
    ex_logs_t *l = ctx;
    const size_t most = receipts_most(l);
    size_t positive = 0;
    for (size_t i = 0; i < count; i++)
        positive += ex_filter_may_find(l->filter, blocks[i].block.header.logs_bloom);
    return positive > most ? too_much(l, e, from, most, "receipts blocks", most) : RC_OK;
}

rc_t ex_logs_plan(void *ctx, err_t *e, ex_past_t *blocks, size_t count)
{
    ex_logs_t *l = ctx;
    const size_t most = receipts_most(l);
    const uint64_t from = blocks[0].block.header.number;
    size_t positive = 0, missing = 0, logs = 0;
    for (size_t i = 0; i < count; i++) {
        const bool may = ex_filter_may_find(l->filter, blocks[i].block.header.logs_bloom);
        positive += may;
        missing += may && !blocks[i].has_receipts;
        if (positive > most)
            return too_much(l, e, from, i, "receipts blocks", most);
    }
    for (size_t i = 0; i < count; i++) {
        ex_past_t *p = &blocks[i];
        if (!ex_filter_may_find(l->filter, p->block.header.logs_bloom))
            continue;
        p->wants |= EX_WANT_RECEIPTS | (missing && missing <= TOGETHER_MAX && !p->has_receipts ? EX_WANT_BODY : 0);
        const size_t found = p->has_receipts ? found_in(l->filter, p) : 0;
        logs += found;
        p->wants |= found ? EX_WANT_BODY : 0;
        if (logs > EX_LOGS_MAX && count > 1) /* of one block there is nothing less to ask for */
            return too_much(l, e, from, i, "logs", EX_LOGS_MAX);
    }
    return RC_OK;
}

size_t ex_logs_in_vain(size_t *positive, const ex_filter_t *f, const ex_past_t *blocks, size_t count)
{
    size_t vain = 0;
    *positive = 0;
    for (size_t i = 0; i < count; i++) {
        if (!blocks[i].has_receipts || !ex_filter_may_find(f, blocks[i].block.header.logs_bloom))
            continue;
        *positive += 1;
        vain += !found_in(f, &blocks[i]);
    }
    return vain;
}
