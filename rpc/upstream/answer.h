/* answer.h - what an execution RPC says to one need, as the readers of its answers give it.
 *
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_jsonrpc.c, tests/unit/test_scan.c
 */
#ifndef RPC_UPSTREAM_ANSWER_H
#define RPC_UPSTREAM_ANSWER_H

#include "base/err.h"
#include "lightclient/exec/query.h"
#include "rpc/upstream/refusal.h"

/* What the upstream says to one need. */
typedef struct {
    /* RC_OK: answer holds. RC_IO: it has none; RC_NEED_DATA: it does not know the block yet; RC_MALFORMED, RC_LIMIT: it
     * is not what the specification says. No lie: nothing is checked here. */
    rc_t rc;
    refusal_t refusal; /* what an error object means; also with RC_OK, of a hint that is none */
    err_t why;         /* unless RC_OK: a sentence that names method and address */
    answer_t answer;   /* claims, not yet proven; in the arena. A hint that is none has no entries, and RC_OK */
} jr_answer_t;

#endif
