/* rpc.h - POST /rpc as a machine: the text of a request, the queries that its calls want, the text of the answer.
 *
 *     api_rpc_begin -> for each i of api_rpc_count: drive api_rpc_take(i), if there is one, and give its end to
 *     api_rpc_end
 *                   -> while api_rpc_more: the same again
 *                   -> api_rpc_finish: the body
 *
 * The calls of a batch are independent: their queries may be driven side by side and end in any order, on any thread.
 * Only what changes something waits until it is known how long the answers before it are: behind the limit it is not
 * run, as with geth.
 * Framing is geth's: codes, texts, order of members; ids come back byte for byte; notifications have no answer.
 *
 * Spec:   JSON-RPC 2.0; api-facts section 1
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods.c, tests/fuzz/fuzz_rpc.c, tests/e2e (rpc)
 */
#ifndef RPC_API_RPC_H
#define RPC_API_RPC_H

#include "rpc/api/methods.h"

#define API_RPC_BODY_MAX (5u << 20) /* bytes of a request */
#define API_RPC_BATCH_MAX 1000u     /* calls in one */
#define API_RPC_ANSWER_MAX                                                                                             \
    (64u << 20) /* bytes of an answer: results are bounded by API_RESULT_MAX, ids by the request */

#define API_RPC_AT_ONCE 256u

typedef struct api_rpc api_rpc_t;

/* Reads a request and begins its calls. Whatever is wrong with it becomes its answer.
 *   out    in the arena, as all that belongs to it; to be ended by api_rpc_finish
 *   world  copied
 *   body   must outlive out
 * RC_NOMEM: nothing was begun. */
NODISCARD rc_t api_rpc_begin(api_rpc_t **out, arena_t *a, const api_world_t *world, view_t body);

/* Whether a body, of at most API_RPC_AT_ONCE bytes, is a call that is answered from memory at once, by what its
 * method's row says: no parameters, no state, nothing forwarded. False when in doubt. */
bool api_rpc_at_once(view_t body);

/* Splits a body that is one call with an id, a plain number or word, into the text before the id, the id, and the text
 * behind it. Two bodies that differ in nothing but such an id are the same question. False when in doubt. */
bool api_rpc_split(view_t *before, view_t *id, view_t *after, view_t body);

/* The number of calls, and the query of call i, which is the caller's to drive; NULL: the answer of this call is
 * there. */
size_t api_rpc_count(const api_rpc_t *r);
query_t *api_rpc_take(api_rpc_t *r, size_t i);

/* Whether call i is of a method that forwards what it is given. */
bool api_rpc_forwards(const api_rpc_t *r, size_t i);

/* For how long the query of call i may wait beyond what queries take, in milliseconds. */
uint32_t api_rpc_wait_ms(const api_rpc_t *r, size_t i);

/* The query of call i has ended, and comes back: with its result (RC_OK), or without, when e says why and it may be
 * gone (NULL). Different calls may end at the same time. */
void api_rpc_end(api_rpc_t *r, size_t i, rc_t rc, const err_t *e, query_t *take_q);

/* Whether calls wait for queries that were taken. */
bool api_rpc_waits(const api_rpc_t *r);

/* Once all queries that were taken have ended: begins calls that waited for them. True: there are queries to take. */
bool api_rpc_more(api_rpc_t *r);

/* Writes the answer, once all queries that were taken have ended, and frees them, in any case.
 *   body  in the arena; n 0: notifications only, nothing to answer
 * RC_NOMEM, RC_LIMIT. */
NODISCARD rc_t api_rpc_finish(api_rpc_t *r, view_t *body);

/* Of call i, after api_rpc_finish, as long as the arena lives: its method, NULL when it named none that is known, and
 * the code of its error, 0 without one. */
const api_method_t *api_rpc_outcome(const api_rpc_t *r, size_t i, int *error);

#endif
