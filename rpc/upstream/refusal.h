/* refusal.h - what an execution RPC means by an error: providers word the same refusal in many ways, in an HTTP status,
 * an error object for all or one for each element.
 *
 * Spec:   JSON-RPC 2.0 section 5.1; execution-apis; EIP-1474; what providers were seen to do
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_capability.c, tests/unit/test_providers.c, tests/fuzz/fuzz_capability.c
 */
#ifndef RPC_UPSTREAM_REFUSAL_H
#define RPC_UPSTREAM_REFUSAL_H

#include <stdbool.h>

#include "base/bytes.h"

/* The code of an err_t that jsonrpc.h fills. */
typedef enum {
    REFUSAL_NONE,
    REFUSAL_OTHER,  /* for a reason that changes by nothing that we could do */
    REFUSAL_BATCH,  /* of a batch: it is too large, or an element is not welcome; of an element: one too many */
    REFUSAL_BUSY,   /* asked too often: later */
    REFUSAL_LATE,   /* it does not know the block yet */
    REFUSAL_METHOD, /* it does not serve the method */
    REFUSAL_FORM,   /* it does not take a block's hash where a number may stand */
    REFUSAL_KEYS,   /* of a proof of so many slots: the query asks for fewer at once */
    REFUSAL_FUNDS,  /* the sender cannot pay for the gas */
    REFUSAL_DEPTH,  /* it keeps no state of a block that old */
    REFUSAL_STATE   /* it has no state of the block: not yet, when that is recent; else it is REFUSAL_DEPTH */
} refusal_t;

/* What an error object means. whole: it stands for the whole batch. */
refusal_t refusal_of_error(int64_t code, view_t message, bool whole);

/* Whether a message speaks of the transaction that was sent: some clients say so by the code of a bad parameter. */
bool refusal_of_transaction(view_t message);

/* ", it was asked too often" and the like, to stand behind the name of an error; empty for REFUSAL_OTHER. */
const char *refusal_text(refusal_t r);

/* What an answer with an HTTP status other than 200 means. REFUSAL_OTHER: a redirect. Whatever else may be of the
 * batch: gateways answer one with the page of an unknown address, or of a login that a method in it would take. */
refusal_t refusal_of_status(int status);

/* Whether the same request may be answered a little later. */
static inline bool refusal_passes(refusal_t r)
{
    return r == REFUSAL_BUSY || r == REFUSAL_LATE || r == REFUSAL_STATE;
}

#endif
