/* proof.h - an eth_getProof answer against a state root: what was asked for is what is looked up, what is claimed must
 * be what is proven.
 *
 * Spec:   EIP-1186
 * Floor:  2, exec. May include base/, mpt/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_call.c, vectors kinds mainnet-calls, devnet
 */
#ifndef EXEC_PROOF_H
#define EXEC_PROOF_H

#include "base/bytes.h"
#include "base/err.h"
#include "lightclient/mpt/mpt.h"

typedef struct {
    const view_t *nodes;
    size_t count;
} ex_nodes_t;

typedef struct ex_slot_answer {
    u256_t key; /* as claimed, numerically; must equal the requested one */
    u256_t value;
    ex_nodes_t proof;
} ex_slot_answer_t;

/* A decoded eth_getProof answer. The claimed fields are compared with what the proof shows: a difference is a lie. */
typedef struct {
    addr_t address; /* as claimed; must equal the requested one */
    uint64_t nonce;
    u256_t balance;
    hash32_t code_hash;
    hash32_t storage_hash;
    ex_nodes_t account_proof;
    ex_slot_answer_t *slots;
    size_t slot_count;
} ex_proof_answer_t;

/* Proves an account and slot_count slots of it under the state root.
 *   account, values  written only on RC_OK; values has room for slot_count
 * Providers differ about an absent account: zero or the empty hashes, and its slots (all zero) with proofs or left out
 * altogether. Everything else must be equal.
 * RC_MALFORMED, RC_LIMIT: a proof node; RC_REFUSED: not what was asked for, or not what is proven. */
NODISCARD rc_t ex_proof_verify(mpt_account_t *account, u256_t *values, err_t *e, const hash32_t *state_root,
                               const addr_t *addr, const hash32_t *slots, size_t slot_count,
                               const ex_proof_answer_t *answer);

#endif
