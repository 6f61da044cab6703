/* logged.h - a verified block with its logs, kept beyond the query that fetched it: immutable and counted.
 *
 * Floor:  2, exec. No I/O, clock or thread; the count is safe between threads.
 * Tests:  tests/unit/test_feed.c
 */
#ifndef EXEC_LOGGED_H
#define EXEC_LOGGED_H

#include "lightclient/exec/history.h"
#include "lightclient/exec/logs.h"

/* A log, and where it stands. */
typedef struct {
    evm_log_t log;
    hash32_t tx_hash;
    size_t tx_index, log_index; /* of the block */
} ex_placed_log_t;

/* The receipt of a transaction, in the words in which its owner tells it. */
typedef struct {
    hash32_t tx_hash;
    view_t text;
} ex_told_t;

typedef struct ex_logged ex_logged_t;

struct ex_logged {
    ex_full_block_t block; /* header and hash alone */
    bool has_logs;
    bool too_large; /* instead: the logs are there, and are more than are kept */
    const ex_placed_log_t *logs;
    size_t log_count;
    bool has_told;
    const ex_told_t *told; /* one for each transaction */
    size_t told_count;
    size_t bytes; /* of memory, about */
};

#define EX_LOGGED_MAX ((size_t)64 << 20) /* bytes of the logs of one block that are kept */

/* Keeps a block: its header, and its logs where receipts and transactions are known. The bytes of logs are copied.
 * *out has one reference. RC_NOMEM; RC_REFUSED: the receipts are not as many as the transactions. */
NODISCARD rc_t ex_logged_new(ex_logged_t **out, err_t *e, const ex_past_t *p);

/* Keeps with a block what is told of its receipts, as long as nobody else has it. Texts are copied. RC_NOMEM. */
NODISCARD rc_t ex_logged_tell(ex_logged_t *l, const ex_told_t *told, size_t count);

ex_logged_t *ex_logged_ref(ex_logged_t *l); /* returns l; NULL allowed */
void ex_logged_unref(ex_logged_t *l);       /* NULL allowed */

/* Whether all is known of what the filter may find in the block. */
static inline bool ex_logged_answers(const ex_logged_t *l, const ex_filter_t *f)
{
    return l->has_logs || !ex_filter_may_find(f, l->block.header.logs_bloom);
}

#endif
