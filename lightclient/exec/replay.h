/* replay.h - a query driven by an upstream, with all that it takes kept; and the same query driven again from what was
 * kept, by nobody else.
 *
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_stock.c
 */
#ifndef EXEC_REPLAY_H
#define EXEC_REPLAY_H

#include "lightclient/exec/stock.h"

/* Makes a query of another one, whose answers go into the stock as it takes them. take_q: also when this fails.
 * query_step also gives RC_LIMIT and RC_NOMEM of the stock. RC_NOMEM. */
NODISCARD rc_t ex_recorded_new(query_t **out, err_t *e, query_t *take_q, ex_stock_t *into);

/* The query that is recorded, with its result after RC_OK. Lives as long as q. */
const query_t *ex_recorded_inner(const query_t *q);

/* Drives a query from a stock to its end, one thing that it has met after the other: what it only guesses is not
 * answered, so that all that is used is needed.
 *   lacks  on RC_NEED_DATA: of what kind there is too little in the stock
 * RC_NEED_DATA; what the query says of an answer (RC_REFUSED, RC_MALFORMED), or at a step; RC_NOMEM. */
NODISCARD rc_t ex_replay(query_t *q, ex_stock_kind_t *lacks, err_t *e, ex_stock_t *from);

#endif
