/* stand.h - where a member stands with the contract that lists it, and what it can do next: one query, on proven state.
 *
 *     no token                     -> nothing: the owner has to mint one
 *     no instance                  -> registerInstance
 *     another token's instance     -> nothing
 *     no heartbeat yet             -> registerPeer; where the contract refuses that, bindInstance
 *     else                         -> updateHeartbeat
 *
 * What comes next is tried in the EVM, so that no transaction is sent that would revert.
 *
 * Spec:   sdk/solidity/DstackP2PMembership.sol
 * Floor:  3, rpc/members. No I/O, clock or thread.
 * Tests:  tests/unit/test_member_stand.c
 */
#ifndef RPC_MEMBERS_STAND_H
#define RPC_MEMBERS_STAND_H

#include "lightclient/exec/call.h"
#include "rpc/members/writes.h"

/* Who asks. Borrowed until query_free. */
typedef struct {
    addr_t contract, sender;
    view_t instance_id;
    view_t data[MEMBERS_STEPS]; /* members_calldata */
} members_self_t;

/* What is proven. */
typedef struct {
    uint64_t nonce;                  /* of the sender */
    u256_t balance;                  /* likewise, in wei */
    uint64_t token;                  /* 0: it has none */
    bool is_taken;                   /* the instance is another token's */
    uint64_t heartbeat_s, timeout_s; /* 0: never heard; it never runs out */
    members_step_t step;             /* what is next; with a token, and not taken */
    bool is_refused;                 /* the contract would not take it: */
    view_t output;                   /* why (members_revert) */
} members_stand_t;

/* What a query needs as long as it lives. Not looked into. */
typedef struct {
    ex_program_t program;
    const members_self_t *self;
    ex_request_t request;
    ex_call_config_t call;
    members_stand_t stand;
    bool is_contract;
} members_stand_call_t;

/* Makes the query at a verified block.
 *   storage  the caller's, until query_free
 *   on       block, chain and cache; request and program are not looked at. Copied
 * RC_NOMEM. */
NODISCARD rc_t members_stand_query(query_t **out, err_t *e, members_stand_call_t *storage, const ex_call_config_t *on,
                                   const members_self_t *self);

/* What a query found, after RC_OK; output lives as long as the query. RC_REFUSED: there is no such contract. */
NODISCARD rc_t members_stand_read(members_stand_t *out, err_t *e, const members_stand_call_t *done);

#endif
