/* jsonrpc.h - execution-layer JSON-RPC: needs to the text of a batch, its answer to typed values. Bytes in, bytes out.
 *
 * Spec:   JSON-RPC 2.0; ethereum/execution-apis (eth_getProof, eth_getCode, eth_createAccessList, eth_getBlockByNumber)
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_jsonrpc.c, tests/fuzz/fuzz_jsonrpc.c
 */
#ifndef RPC_UPSTREAM_JSONRPC_H
#define RPC_UPSTREAM_JSONRPC_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "lightclient/exec/query.h"

#define JR_BODY_MAX (32u << 20)    /* bytes of one answer */
#define JR_REQUEST_MAX (64u << 20) /* bytes of one batch */

/* The batch that asks for these needs; element i has id i + 1. One need gives a batch of one.
 *   out  text in the arena
 * RC_NOMEM; RC_LIMIT: more than JR_REQUEST_MAX. */
NODISCARD rc_t jr_encode(view_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count);

/* What the upstream says to one need. */
typedef struct {
    rc_t rc;         /* RC_OK: answer holds; RC_IO: it has none; RC_MALFORMED, RC_LIMIT, RC_REFUSED: it is broken */
    err_t why;       /* unless RC_OK: a sentence that names method and address */
    answer_t answer; /* claims, not yet proven; in the arena. A hint that is none has no entries, and RC_OK */
} jr_answer_t;

/* Decodes the answer to jr_encode. Order of elements is free; ids must be exactly those asked for, each once. A
 * fault of one element does not spoil the others.
 *   out  one element for each need, written only on RC_OK
 * RC_OK: the body can be taken apart; each element tells how it is itself, also one that is missing (RC_MALFORMED).
 * RC_MALFORMED, RC_LIMIT: the body as a whole is broken; RC_IO: the upstream refused the whole batch; RC_NOMEM. */
NODISCARD rc_t jr_decode(jr_answer_t *out, err_t *e, arena_t *a, const need_t *const *needs, size_t count, view_t body);

/* Puts the request's name before the text of a failure of its answer: "eth_getProof 0x...: balance differs". */
rc_t jr_before(err_t *e, rc_t rc, const need_t *need);

#endif
