/* members.h - the members of a cluster as a contract on the chain lists them: getPeerEndpoints(), run on proven state.
 *
 *     members_query -> query_step, query_give ... -> RC_OK -> members_read
 *
 * Works for sdk/solidity/DstackP2PMembership.sol and for the published DstackMembershipNFT. The contract compares
 * heartbeats with the block's time. Whatever keeps the list from being read is an error, never an empty list. The list
 * says where to dial; who answers there is for attestation to say.
 *
 * Spec:   DStack P2P SDK Specification, "Network Instantiations"; Solidity, "Contract ABI Specification"
 * Floor:  3, rpc/members. No I/O, clock or thread.
 * Tests:  tests/unit/test_members.c, tests/fuzz/fuzz_members.c
 */
#ifndef RPC_MEMBERS_MEMBERS_H
#define RPC_MEMBERS_MEMBERS_H

#include "base/arena.h"
#include "lightclient/exec/call.h"
#include "rpc/members/list.h"

#define MEMBERS_ENDPOINT_MAX 253u     /* characters of an endpoint that is taken */
#define MEMBERS_MAX_AGE_DEFAULT 1536u /* seconds: two epochs behind finality, which is two behind the head */

typedef enum {
    MEMBERS_TLS,      /* https://host[:port][/] */
    MEMBERS_WIREGUARD /* 10.0.1.1 to 10.0.1.254 */
} members_mode_t;

typedef struct {
    view_t *endpoints; /* in the contract's order, which is that of its tokens */
    size_t count;
    size_t left_out; /* entries that are no endpoint of the mode: anybody who has a token may write what he likes */
} members_t;

/* What a query needs as long as it lives. Not looked into. */
typedef struct {
    ex_request_t request;
    ex_call_config_t call;
} members_call_t;

/* Makes the query of the list at a verified block.
 *   storage  the caller's, until query_free
 *   on       block, chain and cache; request and program are not looked at. Copied
 * RC_NOMEM. */
NODISCARD rc_t members_query(query_t **out, err_t *e, members_call_t *storage, const ex_call_config_t *on,
                             const addr_t *contract);

/* The list that a query found, after RC_OK, copied to the arena. RC_REFUSED: there is no such contract, or it reverts;
 * otherwise as members_decode. */
NODISCARD rc_t members_read(members_t *out, err_t *e, arena_t *a, const query_t *done, members_mode_t mode);

/* Reads what the contract returned, a string[], only in the form that abi.encode writes.
 *   out  written only on RC_OK; its endpoints borrow returned, the list is in the arena
 * RC_MALFORMED; RC_LIMIT: more than MEMBERS_MAX or MEMBERS_LEN_MAX; RC_NOMEM. */
NODISCARD rc_t members_decode(members_t *out, err_t *e, arena_t *a, view_t returned, members_mode_t mode);

/* Whether a text is an endpoint of the mode. */
bool members_is_endpoint(view_t text, members_mode_t mode);

/* Whether https://LABEL.DOMAIN[:PORT][/] is what an endpoint of MEMBERS_TLS says. */
bool members_is_under(view_t endpoint, view_t domain);

/* Leaves those out of a list of MEMBERS_TLS whose name is not one label under a domain, and counts them. */
void members_keep_under(members_t *m, view_t domain);

/* Whether a list of a block of that time may still be given. RC_TIMEOUT: it is older than max_age_s, and e says how
 * old; a block from the future counts as new. */
NODISCARD rc_t members_check_age(err_t *e, uint64_t block_time_s, uint64_t now_s, uint64_t max_age_s);

#endif
