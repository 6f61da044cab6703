/* jsonrpc.h - execution-layer JSON-RPC: requests to text, answers to typed values. Bytes in, bytes out.
 *
 * Spec:   JSON-RPC 2.0; ethereum/execution-apis (eth_getProof, eth_getCode, eth_createAccessList, eth_getBlockByNumber)
 * Floor:  3, rpc/upstream. May include lightclient/. The door to jansson, with beacon.c, api.c and node/config/config.c.
 * Tests:  tests/unit/test_jsonrpc.c, tests/fuzz/fuzz_jsonrpc.c
 */
#ifndef RPC_UPSTREAM_JSONRPC_H
#define RPC_UPSTREAM_JSONRPC_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "lightclient/exec/query.h"

#define JR_BODY_MAX (32u << 20) /* bytes of one answer */
#define JR_CALL_MAX (5u << 20)  /* bytes of one call object */

/* The batch that asks for the needs of a call at a block; element i has id i + 1. One need gives a batch of one.
 *   out       text in the arena
 *   answered  count flags: a need whose flag is set is left out; NULL: all are asked for
 * RC_NOMEM. */
NODISCARD rc_t jr_encode_needs(view_t *out, arena_t *a, const need_t *needs, const bool *answered, size_t count,
                               const ex_block_t *block, const ex_request_t *request);

/* Decodes the answer to jr_encode_needs and feeds every element to the query. Order of elements is free, ids must be
 * exactly those asked for, each once.
 *   answered  count flags, cleared by the caller before the first answer: set when element i was given and accepted; a
 *             need whose flag is set (by another upstream's answer) is passed over
 *   why       buffer for a sentence that names the method and the address at fault
 *   needs     the last step's, all of them or a part that was asked for in a batch of its own
 * RC_OK: all given (a refused hint counts as given). Otherwise the first fault; elements already accepted stay
 * accepted. RC_MALFORMED, RC_LIMIT, RC_REFUSED accuse the upstream of a broken or false answer; RC_IO: it has no answer
 * (an error object, for one element or for the whole batch, or null). */
NODISCARD rc_t jr_answer_needs(query_t *query, bool *answered, char *why, size_t why_cap, const need_t *needs,
                               size_t count, view_t body);

/* Parses eth_call's transaction object (POST /call body). Text and lists live in the arena.
 *   why  sentence that names the field at fault
 * RC_MALFORMED: not JSON, wrong types, unknown fields, bad hex, both data and input and different; RC_LIMIT. */
NODISCARD rc_t jr_parse_call(ex_request_t *out, arena_t *a, char *why, size_t why_cap, view_t body);

#endif
