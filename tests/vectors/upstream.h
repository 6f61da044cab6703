/* upstream.h - an execution RPC made of recorded answers: takes the text of a batch, gives the text of the answer. */
#ifndef TESTS_UPSTREAM_H
#define TESTS_UPSTREAM_H

#include "lightclient/exec/call.h"
#include "lightclient/exec/read.h"
#include "tests/vectors/vec.h"

typedef struct {
    /* A new reference to the result of one request; NULL: not recorded, which is answered with an error object. */
    json_t *(*result)(void *ctx, const char *method, const json_t *params);
    void *ctx;
    size_t unrecorded; /* requests that could not be answered, hints aside */
} upstream_t;

/* Runs a call to its end, every need going through jr_encode, the upstream, and jr_decode.
 *   why  sentence when the result is not RC_OK
 * RC_NEED_DATA: what is missing is not recorded; RC_REFUSED and the like with false answers too. */
rc_t upstream_call(query_t *call, upstream_t *up, char *why, size_t why_cap);

/* The same; e says why, with its code. */
rc_t upstream_drive(query_t *call, upstream_t *up, err_t *e);

/* The header fields of a block object, and a proof of at most slots_max slots, as the node reads them. NULL, or what is wrong
 * (static, until the next call). */
const char *upstream_header(ex_header_t *out, const json_t *block);
const char *upstream_proof(ex_proof_answer_t *out, arena_t *a, const json_t *result, size_t slots_max);

/* Reads the account and slots by a query that gets this answer, and compares with what was proven. NULL: the same, or the
 * query asks otherwise (a slot named twice). */
const char *upstream_read(const ex_block_t *block, const addr_t *addr, const hash32_t *slots, size_t slot_count,
                          const ex_proof_answer_t *proof, const mpt_account_t *account, const u256_t *values);

/* The block that a header object describes; false when a field is missing. */
bool upstream_block(ex_block_t *out, const json_t *header, uint64_t chain_id);

#endif
