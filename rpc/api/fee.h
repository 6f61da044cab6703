/* fee.h - the tip that is suggested to who sends a transaction: as geth finds it, from the newest blocks.
 *
 * Spec:   go-ethereum eth/gasprice; api-facts section 6
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  vectors kind rpc-hive-derived, tests/unit/test_methods_send.c
 */
#ifndef RPC_API_FEE_H
#define RPC_API_FEE_H

#include "rpc/api/methods.h"

/* A query for the blocks that it is found from. As ex_history_new. */
NODISCARD rc_t api_tip_query(query_t **out, err_t *e, api_call_t *c);

/* The tip, from that query when it is done. */
u256_t api_tip(api_call_t *c, const query_t *done);

#endif
