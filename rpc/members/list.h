/* list.h - a list that a contract returned, read only in the form that abi.encode writes: each entry stands where its
 * head says it does, right behind the one before.
 *
 * Spec:   Solidity, "Contract ABI Specification"
 * Floor:  3, rpc/members. No I/O, clock or thread.
 * Tests:  tests/unit/test_members.c, tests/unit/test_member_roll.c, tests/fuzz/fuzz_members.c
 */
#ifndef RPC_MEMBERS_LIST_H
#define RPC_MEMBERS_LIST_H

#include "base/bytes.h"
#include "base/err.h"

#define MEMBERS_WORD 32u
#define MEMBERS_MAX 1024u            /* entries of one list */
#define MEMBERS_LEN_MAX (512u << 10) /* bytes of what the contract returns */

/* A word that is a number of at most n bytes; the reader turns bad otherwise. */
uint64_t members_number(rd_t *r, unsigned n);

/* Bytes at the reader's place: their length, themselves, zeros up to a whole word. */
view_t members_bytes(rd_t *r);

typedef struct {
    rd_t r; /* at the next entry */
    size_t count;
    rd_t heads; /* of what was not read yet */
    size_t body;
} members_list_t;

/* Begins with what a contract returned; borrowed. RC_LIMIT: more than MEMBERS_MAX or MEMBERS_LEN_MAX; RC_MALFORMED,
 * with what e is to say then. */
NODISCARD rc_t members_list(members_list_t *out, err_t *e, view_t returned, const char *malformed);

/* Whether the next entry begins where the reader is. */
bool members_list_is_here(members_list_t *l);

/* After the last entry. RC_MALFORMED: there is more. */
NODISCARD rc_t members_list_end(const members_list_t *l, err_t *e);

#endif
