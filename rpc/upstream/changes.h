/* changes.h - a block access list between its two forms: JSON, as eth_getBlockAccessList has it, and RLP, whose hash
 * the block's header has.
 *
 * Spec:   execution-apis eth_getBlockAccessList; EIP-7928
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_changes_json.c, tests/fuzz/fuzz_changes.c
 */
#ifndef RPC_UPSTREAM_CHANGES_H
#define RPC_UPSTREAM_CHANGES_H

#include "base/json.h"

/* The list that a member of o is (NULL: o itself), as RLP in the arena. Nothing is checked but the form: the hash tells
 * the rest. Numbers may be padded. RC_LIMIT: more than EX_CHANGES_RLP_MAX bytes; other faults are the document's. */
NODISCARD rc_t jr_read_changes(view_t *rlp, arena_t *a, const jo_t *o, const char *key);

/* Writes a list whose hash was checked. RC_MALFORMED: it has another form than this build knows, and what was written
 * of it is not all. */
NODISCARD rc_t jr_put_changes(jw_t *w, const char *key, view_t rlp);

#endif
