/* changes.h - what a block did to the state, from its block access list, which its header names by hash: the values
 * that accounts and slots have after it. What the list does not name has the value from before.
 *
 * Spec:   EIP-7928
 * Floor:  2, exec. May include base/, rlp/. Memory comes from the arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_changes.c, tests/fuzz/fuzz_changes.c
 */
#ifndef EXEC_CHANGES_H
#define EXEC_CHANGES_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/u256.h"

#define EX_CHANGES_RLP_MAX ((size_t)16 << 20) /* bytes of one list */

/* A slot that was written. */
typedef struct {
    hash32_t key;
    u256_t value; /* after the block */
} ex_slot_change_t;

/* An account that was touched; the has_ fields are those that changed. */
typedef struct {
    addr_t addr;
    bool has_balance, has_nonce, has_code;
    u256_t balance;
    uint64_t nonce;
    hash32_t code_hash;
    size_t slots, slot_count; /* of ex_changes_t slots: those that were written */
} ex_account_change_t;

typedef struct {
    const ex_account_change_t *accounts; /* by rising address */
    size_t account_count;
    const ex_slot_change_t *slots; /* of each account by rising key */
    size_t slot_count;
} ex_changes_t;

/* Reads the RLP of a list whose hash must be expected. out is in the arena, written only on RC_OK.
 * RC_REFUSED: another hash; RC_LIMIT: longer than EX_CHANGES_RLP_MAX; RC_UNSUPPORTED: the right hash, and no list of
 * the form or order that EIP-7928 says; RC_NOMEM. */
NODISCARD rc_t ex_changes_verify(ex_changes_t *out, err_t *e, arena_t *a, const hash32_t *expected, view_t rlp);

/* The change of an account, of a slot of it; NULL: the list does not have it. */
const ex_account_change_t *ex_changes_account(const ex_changes_t *c, const addr_t *addr);
const ex_slot_change_t *ex_changes_slot(const ex_changes_t *c, const ex_account_change_t *account, const hash32_t *key);

#endif
