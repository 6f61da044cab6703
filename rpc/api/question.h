/* question.h - what /v1 and its CCIP-Read gateway are asked, read strictly: a member, a parameter or a value that is
 * not known is a fault that names it, since an answer to another question would be signed.
 *
 * Spec:   architecture section 3; ERC-3668; docs/statements.md
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_question.c, tests/fuzz/fuzz_question.c
 */
#ifndef RPC_API_QUESTION_H
#define RPC_API_QUESTION_H

#include "base/arena.h"
#include "base/err.h"
#include "lightclient/exec/logs.h"
#include "rpc/api/setup_statement.h"
#include "rpc/api/statement_verify.h"

#define QUESTION_MAX (1u << 20) /* bytes of a body, of a path */

/* How a block is named. */
typedef struct {
    bool given;    /* false: the node's default */
    setup_by_t by; /* SETUP_BY_BLOCK: the one of this number or hash */
    bool by_hash;
    uint64_t number;
    hash32_t hash;
} question_block_t;

typedef struct {
    statement_request_t what; /* kind also STATEMENT_BLOCK or STATEMENT_CHECKPOINT */
    question_block_t block;
    view_t overrides;    /* of a call: what api_bound_overrides reads (rpc/api/overrides.h); n 0: none */
    ex_filter_t filter;  /* of logs */
    view_t criteria;     /* ... as the plain JSON that filter_hash is of (rpc/api/plain.h) */
    hash32_t tx_hash;    /* of a receipt */
    bool gateway;        /* over CCIP-Read: the answer is ABI-encoded */
    addr_t sender;       /* of a gateway's question: the contract that asks */
    uint64_t min_number; /* ... the lowest block that is of use to it */
} question_t;

/* All of them write out only on RC_OK, and data lives in the arena or in the input.
 * RC_MALFORMED: e names the member or parameter; RC_LIMIT; RC_NOMEM. */

/* "latest", "safe", "finalized", a decimal number, a quantity "0x1a", or a hash of 66 characters. */
NODISCARD rc_t question_block_read(question_block_t *out, err_t *e, view_t text);

/* POST /v1/call: {"to": ..., "data"?, "input"?, "from"?, "value"?, "gas"?, "block"?, "stateOverride"?,
 * "blockOverride"?, "overrides"?}. Numbers as JSON numbers, decimal text or quantities; overrides is the hash of the
 * two before it, for who gives it. */
NODISCARD rc_t question_of_call(question_t *out, err_t *e, arena_t *a, view_t body);

/* POST /v1/logs: {"fromBlock": ..., "toBlock"?, "address"?, "topics"?}: from the block of this number to the named one
 * (q.block), criteria as eth_getLogs has them. */
NODISCARD rc_t question_of_logs(question_t *out, err_t *e, arena_t *a, view_t body);

/* GET /v1/receipt/REST, the hash of a transaction. */
NODISCARD rc_t question_of_receipt(question_t *out, err_t *e, const char *rest, const char *query);

/* What a caller says that it asked, as sdk/ takes it: {"to": ..., "data"?, "from"?, "value"?, "gas"?, "stateOverride"?,
 * "blockOverride"?, "overrides"?} of a call, where overrides may stand in place of the two or agree with them;
 * {"account": ...} or {"account": ..., "slot": ...}; {"fromBlock": ..., "address"?, "topics"?} of logs;
 * {"method": ..., "params": [...]}. */
NODISCARD rc_t question_request_read(statement_request_t *out, err_t *e, arena_t *a, view_t json);

/* GET /v1/block/REST, /v1/account/REST, /v1/storage/REST, /v1/checkpoint; QUERY is what stands behind '?': of account
 * and storage "block=...", of the others nothing. */
NODISCARD rc_t question_of_block(question_t *out, err_t *e, const char *rest, const char *query);
NODISCARD rc_t question_of_account(question_t *out, err_t *e, const char *rest, const char *query);
NODISCARD rc_t question_of_storage(question_t *out, err_t *e, const char *rest, const char *query);
NODISCARD rc_t question_of_checkpoint(question_t *out, err_t *e, const char *query);

/* GET /v1/ccip/{sender}/{data}.json and POST /v1/ccip/{sender}.json with {"data": ..., "sender": ...}: data is the
 * calldata of callStatement(Call call, uint8 rule, uint64 number) of sdk/solidity/examples/KettleReader.sol. */
NODISCARD rc_t question_of_ccip_get(question_t *out, err_t *e, arena_t *a, const char *rest);
NODISCARD rc_t question_of_ccip_post(question_t *out, err_t *e, arena_t *a, const char *rest, view_t body);

#endif
