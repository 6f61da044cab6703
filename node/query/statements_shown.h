/* statements_shown.h - the evidence of signed statements: what was signed is remembered, and on request proven once
 * more without any cache, kept as it comes, and judged before it goes out.
 *
 * Floor:  5, node/query. Inside of statements.h only.
 * Tests:  tests/unit/test_statements_shown.c, tests/e2e (statements)
 */
#ifndef NODE_QUERY_STATEMENTS_SHOWN_H
#define NODE_QUERY_STATEMENTS_SHOWN_H

#include "node/query/retrace.h"
#include "node/query/statements_work.h"

/* Evidence in the making. In the job's arena, but for retrace. */
typedef struct shown {
    bool has_checkpoint;
    hash32_t checkpoint; /* where it begins; without: at this node's own */
    said_entry_t entry;
    grounds_t grounds;
    retrace_config_t config;
    retrace_t *retrace; /* for the job's end to free */
    uint64_t end_ms;    /* monotonic: when its run has taken long enough */
} shown_t;

/* Whether a query asks for evidence. */
bool statements_wants_shown(const char *query);

/* Takes "evidence=inline" and "checkpoint=0x..." out of a request's query. RC_MALFORMED: e names the parameter. */
NODISCARD rc_t statements_take_shown(work_t *w, err_t *e, const char *query);

/* Remembers what was signed, so that its evidence can be asked for: in said_t, unless memory is short, and in
 * w->shown->entry. */
void statements_remember(work_t *w, view_t answer);

/* What is to be driven for the evidence of w->shown->entry; *out stays NULL: nothing. */
NODISCARD rc_t statements_show(work_t *w, query_t **out, err_t *e);

/* The file, which is kept, too. */
NODISCARD rc_t statements_shown(work_t *w, view_t *file, err_t *e);

#endif
