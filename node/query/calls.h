/* calls.h - the prototype's POST /call, as a kind of job: from a request's bytes to its signed answer. The same bytes
 * on the same block get the same answer.
 *
 * Floor:  5, node/query. Any thread.
 * Tests:  tests/unit/test_calls.c, tests/e2e (live, roundtrips, load); cost: tests/bench/bench_calls.c
 */
#ifndef NODE_QUERY_CALLS_H
#define NODE_QUERY_CALLS_H

#include "lightclient/exec/cache.h"
#include "node/query/jobs.h"
#include "rpc/api/prototype.h"

typedef struct calls calls_t;

/* Everything borrowed until calls_free. */
typedef struct {
    jobs_t *jobs;
    ex_cache_t *cache; /* may be NULL */
    const evm_chain_t *chain;
    api_signer_t signer;
    bool (*ready)(void *ctx, err_t *why); /* the last look before the key is used; NULL: it may always be */
    void *ready_ctx;
} calls_config_t;

/* NULL: out of memory. */
calls_t *calls_new(const calls_config_t *config);

/* After jobs_free of its jobs. NULL is allowed. */
void calls_free(calls_t *c);

/* Answers a request on a verified block, which is copied: jobs_post. */
void calls_post(calls_t *c, const hs_request_t *request, hs_response_t *r, const ex_block_t *block);

#endif
