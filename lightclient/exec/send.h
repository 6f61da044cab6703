/* send.h - a signed transaction on its way to an endpoint, as a query: what comes back must be its hash, or the words
 * in which it was refused, by two endpoints where there are two. The one thing that is forwarded and not proven.
 *
 * Spec:   execution-apis eth_sendRawTransaction
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods_send.c
 */
#ifndef EXEC_SEND_H
#define EXEC_SEND_H

#include "lightclient/exec/query.h"

/* Makes the query. raw is borrowed until query_free; hash is its own, computed from it. RC_NOMEM. query_step also gives
 * RC_REFUSED: no endpoint that was asked takes it, and e has the first one's words. */
NODISCARD rc_t ex_send_new(query_t **out, err_t *e, view_t raw, const hash32_t *hash);

#endif
