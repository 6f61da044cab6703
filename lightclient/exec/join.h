/* join.h - several queries as one: what all of them lack is asked for together.
 *
 * Each one steps until it has its result; the first that fails ends all.
 *
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_join_queries.c
 */
#ifndef EXEC_JOIN_H
#define EXEC_JOIN_H

#include "lightclient/exec/query.h"

#define EX_JOIN_MAX 1024u /* queries of one */

/* Makes the query of count queries, which it takes, also when it fails. RC_LIMIT: more than EX_JOIN_MAX; RC_NOMEM. */
NODISCARD rc_t ex_join_new(query_t **out, err_t *e, query_t *const *take, size_t count);

/* Query i, with its result after RC_OK. Lives as long as q. */
const query_t *ex_join_at(const query_t *q, size_t i);

#endif
