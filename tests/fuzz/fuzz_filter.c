/* Filters of logs and lists of transactions from outside. Properties: what is read is within its bounds and says the same
 * when read again; a log with the first alternative of every place is found, and its bloom allows it; one with a topic less
 * than the filter has places is not; no filter finds what an empty bloom belongs to. */
#include <stdlib.h>

#include "lightclient/exec/bloom.h"
#include "lightclient/exec/logs.h"
#include "rpc/api/filter.h"
#include "tests/fuzz/fuzz.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

static evm_log_t first_of(const ex_filter_t *f)
{
    evm_log_t log = { .topic_count = (uint8_t)f->topic_count };
    if (f->addr_count)
        log.addr = f->addrs[0];
    for (unsigned i = 0; i < f->topic_count; i++)
        if (f->topics[i].count)
            log.topics[i] = f->topics[i].any[0];
    return log;
}

static void check_filter(const ex_filter_t *f)
{
    static const uint8_t none[EX_BLOOM_LEN];
    uint8_t bloom[EX_BLOOM_LEN] = { 0 };
    evm_log_t log = first_of(f);
    check(f->topic_count <= EX_FILTER_TOPICS);
    check(!ex_filter_may_find(f, none));
    ex_bloom_add_logs(bloom, &log, 1);
    check(ex_filter_finds(f, &log) && ex_filter_may_find(f, bloom));
    if (log.topic_count--)
        check(!ex_filter_finds(f, &log));
}

static bool same(const api_criteria_t *a, const api_criteria_t *b)
{
    return a->filter.addr_count == b->filter.addr_count && a->filter.topic_count == b->filter.topic_count &&
           a->from == b->from && a->to == b->to && a->hash_count == b->hash_count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const api_watch_t kinds[] = { API_WATCH_LOGS, API_WATCH_RECEIPTS };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        api_criteria_t read, again;
        arena_t a;
        arena_init(&a, 64u << 20);
        if (api_criteria_parse(&read, &a, kinds[i], view_of(data, len)) == RC_OK) {
            check_filter(&read.filter);
            check(api_criteria_parse(&again, &a, kinds[i], view_of(data, len)) == RC_OK && same(&read, &again));
        }
        arena_free(&a);
    }
    return 0;
}
