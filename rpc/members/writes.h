/* writes.h - what a member sends to the contract that lists it: calldata, and the signed transaction around it.
 *
 * Spec:   sdk/solidity/DstackP2PMembership.sol; Solidity, "Contract ABI Specification"; EIP-1559, EIP-2718
 * Floor:  3, rpc/members. No I/O, clock or thread.
 * Tests:  tests/unit/test_member_writes.c
 */
#ifndef RPC_MEMBERS_WRITES_H
#define RPC_MEMBERS_WRITES_H

#include "base/arena.h"
#include "base/crypto/ecdsa.h"
#include "base/err.h"
#include "base/u256.h"

#define MEMBERS_ID_MAX 56u /* characters of an instance's id */
#define MEMBERS_APP_ID_LEN 20u

/* In the order in which a member takes them. */
typedef enum {
    MEMBERS_REGISTER_INSTANCE,
    MEMBERS_BIND,
    MEMBERS_REGISTER_PEER,
    MEMBERS_HEARTBEAT,
    MEMBERS_STEPS
} members_step_t;

/* What shows that a key is one of an app's. */
typedef struct {
    uint8_t derived_xy[64], app_xy[64];                         /* public keys */
    uint8_t app_sig[ECDSA_SIG65_LEN], kms_sig[ECDSA_SIG65_LEN]; /* r, s, recovery id, as the KMS gives them */
    uint8_t app_id[MEMBERS_APP_ID_LEN];
} members_chain_t;

/* "registerInstance", ... */
const char *members_step_name(members_step_t step);

/* Gas that a step's transaction may use: half more than was measured (docs/sdk.md). */
uint64_t members_step_gas(members_step_t step);

/* The calldata of each step, in the arena. RC_MALFORMED: the id is not 1 to MEMBERS_ID_MAX digits and lower-case
 * letters; RC_NOMEM. */
NODISCARD rc_t members_calldata(view_t out[MEMBERS_STEPS], err_t *e, arena_t *a, view_t instance_id,
                                const members_chain_t *chain);

/* The calldata of a getter by its selector: with no argument, an address or a text. In the arena; p NULL: no memory. */
view_t members_getter(arena_t *a, uint32_t selector);
view_t members_getter_of(arena_t *a, uint32_t selector, const addr_t *addr);
view_t members_getter_named(arena_t *a, uint32_t selector, view_t text);

/* A transaction of EIP-1559 without value; fees in wei for a unit of gas. */
typedef struct {
    uint64_t chain_id, nonce, gas;
    uint64_t tip, max_fee;
    addr_t to;
    view_t data;
} members_tx_t;

/* Signs it.
 *   raw, hash  as eth_sendRawTransaction takes it, in the arena, and its hash
 *   sign       65 bytes as ecdsa_sign65 makes them
 * What sign says; RC_NOMEM. */
NODISCARD rc_t members_sign(view_t *raw, hash32_t *hash, arena_t *a, const members_tx_t *tx,
                            rc_t (*sign)(void *ctx, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest), void *ctx);

/* Why the contract reverted, as text: the name of an error that it has, or what it says. */
const char *members_revert(char *out, size_t cap, view_t output);

#endif
