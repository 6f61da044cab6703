/* then.h - queries one after another, as one: each is made from what the one before it has found.
 *
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_join_queries.c
 */
#ifndef EXEC_THEN_H
#define EXEC_THEN_H

#include "lightclient/exec/query.h"

/* Makes the next query of the one that is done, which is freed behind it. *out stays NULL: that one was the last, and
 * is kept. Called during a step, at most EX_THEN_MAX times; e says why it fails. */
typedef rc_t (*ex_then_fn)(void *ctx, query_t **out, err_t *e, const query_t *done);

#define EX_THEN_MAX 16u /* queries of one */

/* Makes the query, which takes the first one, also when it fails. ctx is borrowed until query_free. RC_LIMIT at a step:
 * more than EX_THEN_MAX. RC_NOMEM. */
NODISCARD rc_t ex_then_new(query_t **out, err_t *e, query_t *take_first, ex_then_fn next, void *ctx);

/* The last query, with its result after RC_OK. Lives as long as q. */
const query_t *ex_then_last(const query_t *q);

#endif
