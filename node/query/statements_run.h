/* statements_run.h - statements for nobody who waits: calls that stand (node/vigil.h), all at one head.
 *
 *     read all -> what they were seen to read before, of all of them, in one batch -> each one runs, and is signed
 *
 * So many calls cost one round trip, as long as they read what they read before; a call that reads something else asks
 * for it by itself, and what fails for one is nothing to the others. Each is signed as POST /v1/call signs it.
 *
 * Floor:  5, node/query. Any thread.
 * Tests:  tests/unit/test_vigil.c
 */
#ifndef NODE_QUERY_STATEMENTS_RUN_H
#define NODE_QUERY_STATEMENTS_RUN_H

#include "node/query/statements.h"

/* What came of a call. */
typedef struct {
    view_t statement; /* JSON; borrowed for the call of told */
    uint64_t valid_until_s, gas_used;
    uint64_t number; /* of the block that it is about */
} statements_told_t;

typedef struct {
    ask_t *ask;
    pool_t *pool;
    /* A call has ended, once for each in whichever order: rc RC_OK and out, or e. On the pool. */
    void (*told)(void *ctx, size_t i, rc_t rc, const err_t *e, const statements_told_t *out);
    /* Behind the last one. */
    void (*ended)(void *ctx);
    void *ctx;
} statements_run_t;

/* Runs calls, each what POST /v1/call takes; they are copied, and read on the pool. RC_REFUSED: nothing is signed now,
 * and e says why; RC_NOMEM: nothing of how is called then. */
NODISCARD rc_t statements_run(statements_t *s, err_t *e, const statements_run_t *how, const view_t *calls,
                              size_t count);

#endif
