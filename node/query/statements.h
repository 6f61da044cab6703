/* statements.h - the routes that answer with signed statements (rpc/api/statement.h): /v1/call, block, account,
 * storage, checkpoint, and the CCIP-Read gateway, as kinds of job. The same request on the same block gets the same
 * bytes.
 *
 * A statement is signed only when the node is ready as the request comes and again when all is proven, and when it has
 * not expired already. Faults are RFC 9457 problems, the gateway's are {"message": ...} with the same status.
 *
 * Spec:   architecture section 3, api-facts section 12, ERC-3668, docs/statements.md
 * Floor:  5, node/query. Any thread.
 * Tests:  tests/unit/test_statements.c, tests/e2e (statements)
 */
#ifndef NODE_QUERY_STATEMENTS_H
#define NODE_QUERY_STATEMENTS_H

#include "lightclient/exec/cache.h"
#include "node/chain/follow.h"
#include "node/chain/held.h"
#include "node/query/jobs.h"
#include "rpc/api/question.h"

typedef struct statements statements_t;

/* Everything borrowed until statements_free. */
typedef struct {
    jobs_t *jobs;
    ex_cache_t *cache; /* may be NULL */
    const evm_chain_t *chain;
    const lc_network_t *network;
    held_t *held;
    statement_signer_t signer;
    const hash32_t *setup;
    const setup_rules_t *rules;
    setup_by_t default_block;      /* of a request that names none */
    const addr_t *senders;         /* for whom the gateway works; */
    size_t sender_count;           /* 0: for everybody */
    uint64_t (*now_ms)(void *ctx); /* what time it is at least, for what expires; with ready_ctx */
    /* Whether answers may be signed now; fills view, or why not. */
    bool (*ready)(void *ctx, follow_view_t *view, err_t *why);
    void *ready_ctx;
} statements_config_t;

/* A row for each route; STATEMENTS_X answers what stands behind "/v1/x/". */
typedef enum {
    STATEMENTS_CALL,
    STATEMENTS_BLOCK,
    STATEMENTS_ACCOUNT,
    STATEMENTS_STORAGE,
    STATEMENTS_CHECKPOINT,
    STATEMENTS_CCIP_GET,
    STATEMENTS_CCIP_POST
} statements_route_t;

/* NULL: out of memory. */
statements_t *statements_new(const statements_config_t *config);

/* After jobs_free of its jobs. NULL is allowed. */
void statements_free(statements_t *s);

/* Answers a request of a route in its handler: jobs_post. */
void statements_ask(statements_t *s, const hs_request_t *request, hs_response_t *r, statements_route_t route);

/* The answer of a route while there is nobody to sign. */
void statements_not_ready(hs_response_t *r, statements_route_t route, const char *why);

#endif
