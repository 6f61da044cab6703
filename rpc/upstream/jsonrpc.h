/* jsonrpc.h - execution-layer JSON-RPC: needs to the text of a batch, its answer to typed values. Bytes in, bytes out.
 *
 * Spec:   JSON-RPC 2.0; ethereum/execution-apis (eth_getProof, eth_getCode, eth_createAccessList, eth_getBlockByNumber,
 *         eth_getBlockAccessList)
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_jsonrpc.c, tests/fuzz/fuzz_jsonrpc.c
 */
#ifndef RPC_UPSTREAM_JSONRPC_H
#define RPC_UPSTREAM_JSONRPC_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "lightclient/exec/query.h"
#include "rpc/upstream/answer.h"
#include "rpc/upstream/capability.h"

#define JR_BODY_MAX (32u << 20)     /* bytes of one answer, */
#define JR_RECEIPTS_MAX (96u << 20) /* ... of receipts in the form that rpc/upstream/scan.h reads */
#define JR_REQUEST_MAX (64u << 20)  /* bytes of one batch */

/* Elements that a request for these needs has in a form: all, or those that are no hints. */
size_t jr_elements(const need_t *const *needs, size_t count, const cap_form_t *form);

/* Whether the request for a need names its block by hash where a number may stand (EIP-1898). */
bool jr_names_hash(const need_t *need, const cap_form_t *form);

/* The methods that are asked of execution RPCs, the last two by others than jr_encode, and their names: rows of a
 * ledger_t. */
typedef enum {
    JR_ACCESS_LIST,
    JR_PROOF,
    JR_CODE,
    JR_BLOCK_BY_NUMBER,
    JR_BLOCK_BY_HASH,
    JR_RECEIPTS,
    JR_TRANSACTION,
    JR_RAW_HEADER,
    JR_SEND,
    JR_CHANGES,
    JR_CHAIN_ID,
    JR_CONFIG,
    JR_METHODS
} jr_method_t;
extern const char *const JR_METHOD_NAMES[JR_METHODS];

/* By which a need is asked for. */
jr_method_t jr_method(const need_t *need);

/* The request for these needs: a batch, whose element for need i has id i + 1, or one alone without a list. At least
 * one element.
 *   out  text in the arena
 * RC_NOMEM; RC_LIMIT: more than JR_REQUEST_MAX. */
NODISCARD rc_t jr_encode(view_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count,
                         const cap_form_t *form);

/* Decodes the answer to jr_encode. Order of elements is free; ids must be exactly those asked for, each once. A
 * fault of one element does not spoil the others. Members that no specification knows are passed over; so is an error
 * that is null beside a result, and what cannot be read of a hint.
 *   out   one element for each need, written only on RC_OK
 *   form  as given to jr_encode: hints that were not asked for are none
 * RC_OK: the body can be taken apart; each element tells how it is itself, also one that is missing (RC_MALFORMED).
 * RC_MALFORMED, RC_LIMIT: the body as a whole is broken; RC_IO: the upstream refused the whole batch; e's code is the
 * refusal_t, if it may be one. RC_NOMEM. */
NODISCARD rc_t jr_decode(jr_answer_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count,
                         const cap_form_t *form, view_t body);

/* The same by the JSON tree alone, without the scanner of rpc/upstream/scan.h: its test oracle. */
NODISCARD rc_t jr_decode_tree(jr_answer_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count,
                              const cap_form_t *form, view_t body);

/* What an endpoint is asked once, when it is first known: its chain, and whether it takes a block's hash. */
view_t jr_probe(void);

/* Reads the answer to jr_probe.
 *   form  by_number is set when it does not take hashes; else untouched
 * RC_OK: it is of that chain. RC_REFUSED: of another one, which e names; RC_IO: it does not say. */
NODISCARD rc_t jr_read_probe(cap_form_t *form, err_t *e, view_t body, uint64_t chain_id);

/* Puts the request's name before the text of a failure of its answer: "eth_getProof 0x...: balance differs". */
rc_t jr_before(err_t *e, rc_t rc, const need_t *need);

#endif
