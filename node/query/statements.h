/* statements.h - the routes that answer with signed statements (rpc/api/statement.h): /v1/call, block, account,
 * storage, checkpoint, logs, receipt, and the CCIP-Read gateway, as kinds of job; and their evidence. The same request
 * on the same block gets the same bytes.
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

#include "node/query/statements_work.h"

/* NULL: out of memory. */
statements_t *statements_new(const statements_config_t *config);

/* After jobs_free of its jobs. NULL is allowed. */
void statements_free(statements_t *s);

/* Answers a request of a route in its handler: jobs_post. */
void statements_ask(statements_t *s, const hs_request_t *request, hs_response_t *r, statements_route_t route);

/* Answers GET /v1/evidence/{id} in its handler: the evidence of a statement that was signed here not long ago. */
void statements_evidence(statements_t *s, const hs_request_t *request, hs_response_t *r);

/* The answer of a route while there is nobody to sign. */
void statements_not_ready(hs_response_t *r, statements_route_t route, const char *why);

#endif
