/* wait.h - a query that, when another one is done, waits for something that no upstream is asked for, as a block that
 * is to come. While it waits a step gives RC_NEED_DATA with no need at all.
 *
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods_send.c, tests/unit/test_ask.c
 */
#ifndef EXEC_WAIT_H
#define EXEC_WAIT_H

#include "lightclient/exec/query.h"

#define EX_WAIT_LATE 7966u /* code of an err_t: what was waited for did not come */

typedef struct {
    rc_t (*look)(void *ctx, err_t *e); /* RC_OK: it is there; RC_NEED_DATA: not yet; else the query fails so */
    void (*left)(void *ctx);           /* called once, when nobody waits any more */
    void *ctx;                         /* borrowed until then */
} ex_wait_t;

/* Makes the query, which takes the first one, also when it fails; left is then called, too. RC_NOMEM. */
NODISCARD rc_t ex_wait_new(query_t **out, err_t *e, query_t *take_first, const ex_wait_t *wait);

#endif
