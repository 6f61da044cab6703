/* calls.h - POST /call: from a request's bytes to its signed answer.
 *
 * What was answered before on the same block is given at once, on the event thread. All else is put off
 * (http/server.h): parsed on the pool, proven by the engine, signed, kept. The same bytes asked again meanwhile
 * wait for the same answer.
 *
 * Floor:  5, node/query. Any thread.
 * Tests:  tests/unit/test_calls.c, tests/e2e (live, roundtrips, load); cost: tests/bench/bench_calls.c
 */
#ifndef NODE_QUERY_CALLS_H
#define NODE_QUERY_CALLS_H

#include "http/server.h"
#include "lightclient/exec/cache.h"
#include "node/query/ask.h"
#include "rpc/api/prototype.h"

typedef struct calls calls_t;

/* Everything borrowed until calls_free. */
typedef struct {
    ask_t *ask;
    pool_t *pool;
    ex_cache_t *cache; /* may be NULL */
    const evm_chain_t *chain;
    api_signer_t signer;
    unsigned flags; /* of every answer: HS_CORS, HS_SIMULATED */
} calls_config_t;

/* NULL: out of memory. */
calls_t *calls_new(const calls_config_t *config);

/* After ask_cancel: waits until every request is answered, and frees. NULL is allowed. */
void calls_free(calls_t *c);

/* Answers a request on a verified block, which is copied; in its handler, on an event thread: fills r, or puts the
 * answer off. */
void calls_post(calls_t *c, const hs_request_t *request, hs_response_t *r, const ex_block_t *block);

#endif
