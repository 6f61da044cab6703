/* logs.h - which logs of a range of blocks a filter finds, all of them: the bloom of every verified header says where
 * none can be, the receipts of the other blocks where there are some, their transactions what those belong to.
 *
 * Spec:   execution-apis eth_getLogs; api-facts section 9
 * Floor:  2, exec. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_history.c, vectors kinds rpc-hive, rpc-hive-derived
 */
#ifndef EXEC_LOGS_H
#define EXEC_LOGS_H

#include "lightclient/exec/history.h"

#define EX_LOGS_RECEIPTS_MAX 128u /* blocks of one query whose receipts are fetched */
#define EX_LOGS_MAX 20000u        /* logs of one query for more than one block */
#define EX_LOGS_LIMIT 32005       /* code of an err_t: the filter finds too much */
#define EX_FILTER_TOPICS 4u

typedef struct {
    const hash32_t *any; /* one of them; count 0: whatever stands there */
    size_t count;
} ex_topic_t;

/* A log has one of the addresses (none given: any), and at least topic_count topics, each one of those of its place. */
typedef struct {
    const addr_t *addrs;
    size_t addr_count;
    ex_topic_t topics[EX_FILTER_TOPICS];
    unsigned topic_count;
} ex_filter_t;

/* Whether logs that the filter finds may be in a block or a transaction with this bloom. False is certain. */
bool ex_filter_may_find(const ex_filter_t *f, const uint8_t bloom[EX_BLOOM_LEN]);

/* Whether the filter finds this log. */
bool ex_filter_finds(const ex_filter_t *f, const evm_log_t *log);

/* What ex_logs_plan has to know. */
typedef struct {
    const ex_filter_t *filter;
    size_t receipts_max; /* 0: EX_LOGS_RECEIPTS_MAX */
    size_t fit_count;    /* set with EX_LOGS_LIMIT: so many blocks, from the first on, would do, */
    size_t limit;        /* by this limit */
} ex_logs_t;

/* The plan of a history (ex_history_config_t) over an ex_logs_t. RC_LIMIT with EX_LOGS_LIMIT: it would take the
 * receipts of too many blocks, or finds too many logs; the text names a range that fits. */
rc_t ex_logs_plan(void *ctx, err_t *e, ex_past_t *blocks, size_t count);

/* The same, ahead of it, over the highest blocks of a range (ex_history_config_t.first): whether the receipts of these
 * alone are too many. As the blooms of the lowest are not known yet, the range that is named has so many blocks as
 * there may be receipts of. */
rc_t ex_logs_first(void *ctx, err_t *e, const ex_past_t *blocks, size_t count, uint64_t from);

/* Of the blocks whose receipts are there because their bloom says that the filter may find something: in how many it
 * found nothing. *positive: how many blocks they are. */
size_t ex_logs_in_vain(size_t *positive, const ex_filter_t *f, const ex_past_t *blocks, size_t count);

#endif
