/* decode.h - objects of Ethereum's execution APIs as typed values: claims of whoever wrote them, nothing proven yet.
 *
 * Spec:   ethereum/execution-apis, src/schemas (block, state, base types); EIP-1186
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_jsonrpc.c, tests/fuzz/fuzz_jsonrpc.c
 */
#ifndef RPC_UPSTREAM_DECODE_H
#define RPC_UPSTREAM_DECODE_H

#include "base/json.h"
#include "lightclient/exec/header.h"
#include "lightclient/exec/proof.h"
#include "lightclient/exec/request.h"

/* All read the object or list o, whose document keeps the first fault and names its field. */

/* A block object of eth_getBlockBy*: its header fields. The others are passed over, even in a strict document: the hash
 * must be checked anyway. out is written only on RC_OK. */
NODISCARD rc_t jr_read_header(ex_header_t *out, const jo_t *o);

/* The same, also with as many fields as no header has: whoever knows its hash may ask for its bytes instead. */
NODISCARD rc_t jr_read_head(ex_header_t *out, const jo_t *o);

/* Whether a block object has members that no block of a known fork has. */
bool jr_block_has_more(const jo_t *o);

/* The result of eth_getProof with at most slots_max slots; lists and nodes in the arena. Numbers of slots may be
 * padded, as some servers write them; all else is strict. On a fault out is undefined. */
NODISCARD rc_t jr_read_proof(ex_proof_answer_t *out, arena_t *a, const jo_t *o, size_t slots_max);

/* An access list, as in call objects and in the result of eth_createAccessList. On a fault out is undefined. */
NODISCARD rc_t jr_read_access_list(const evm_access_t **out, size_t *count, arena_t *a, const jo_t *o);

#endif
