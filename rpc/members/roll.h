/* roll.h - the roll of a cluster's members: who of them is bound and heard, and which key the contract names. One
 * query, on proven state, of one block.
 *
 *     members_roll_query -> query_step, query_give ... -> RC_OK -> members_roll_read
 *
 * Only sdk/solidity/DstackP2PMembership.sol has one. Whatever keeps it from being read is an error, never an empty
 * roll.
 *
 * Spec:   sdk/solidity/DstackP2PMembership.sol (getMembers, clusterKey, pendingClusterKey, heartbeatTimeout); Solidity,
 *         "Contract ABI Specification"
 * Floor:  3, rpc/members. No I/O, clock or thread.
 * Tests:  tests/unit/test_member_roll.c, tests/fuzz/fuzz_members.c
 */
#ifndef RPC_MEMBERS_ROLL_H
#define RPC_MEMBERS_ROLL_H

#include "base/arena.h"
#include "lightclient/exec/call.h"
#include "rpc/members/members.h"

#define MEMBERS_KEY_LEN 33u

/* A member, in the contract's words. */
typedef struct {
    uint64_t token; /* not 0 */
    addr_t wallet;  /* if bound: of a key of an allowed app */
    bool is_bound;
    unsigned network; /* a members_mode_t */
    uint8_t ip_index;
    uint64_t heartbeat_s; /* 0: it has not registered where it is reached */
    view_t instance_id;   /* as it stands there */
    view_t endpoint;      /* likewise; n 0: none */
} members_row_t;

typedef struct {
    const members_row_t *rows; /* in the order of their tokens */
    size_t count;
    uint64_t timeout_s; /* a member that was silent for longer is none; 0: it never runs out */
    bool has_key;       /* the contract names the cluster's key: */
    uint8_t key[MEMBERS_KEY_LEN];
    bool is_announced; /* it will name one, or another one */
} members_roll_t;

/* What a query needs as long as it lives. Not looked into. */
typedef struct {
    ex_program_t program;
    addr_t contract;
    ex_request_t request;
    ex_call_config_t call;
    view_t outputs[4];
    bool is_contract;
} members_roll_call_t;

/* Makes the query at a verified block.
 *   storage  the caller's, until query_free
 *   on       block, chain and cache; request and program are not looked at. Copied
 * RC_NOMEM. */
NODISCARD rc_t members_roll_query(query_t **out, err_t *e, members_roll_call_t *storage, const ex_call_config_t *on,
                                  const addr_t *contract);

/* What a query found, after RC_OK, copied to the arena. RC_REFUSED: the contract has no roll; otherwise as
 * members_roll_decode. */
NODISCARD rc_t members_roll_read(members_roll_t *out, err_t *e, arena_t *a, const members_roll_call_t *done);

/* Reads what getMembers() returned, only in the form that abi.encode writes, into rows and count of out.
 *   out  written only on RC_OK; its texts borrow returned, the rows are in the arena
 * RC_MALFORMED: also when the tokens do not ascend; RC_LIMIT: more than MEMBERS_MAX or MEMBERS_LEN_MAX; RC_NOMEM. */
NODISCARD rc_t members_roll_decode(members_roll_t *out, err_t *e, arena_t *a, view_t returned);

/* Reads a getter's bytes, which are none or a compressed public key. False in *has: none. RC_MALFORMED. */
NODISCARD rc_t members_roll_decode_key(bool *has, uint8_t key[MEMBERS_KEY_LEN], err_t *e, view_t returned);

/* Whether a member counts at the time of a block: bound, registered where it is reached, and not silent too long. */
bool members_is_heard(const members_roll_t *roll, const members_row_t *row, uint64_t block_time_s);

#endif
