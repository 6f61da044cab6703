/* head.h - the execution header of a block of which only the hash is proven, as a query: what a head of Gloas lacks.
 *
 * Asked for by hash, as JSON. An endpoint whose answer has another hash and members that no known block has may know a
 * newer fork; asked for the header's bytes, it can prove that. One that leaves members of a header out (`slotNumber` is
 * not in every schema) may have its bytes whole.
 *
 * Spec:   execution-apis eth_getBlockByHash, debug_getRawHeader, eth_getBlockAccessList; EIP-7732, EIP-7928
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_head.c, tests/fuzz/fuzz_header.c
 */
#ifndef EXEC_HEAD_H
#define EXEC_HEAD_H

#include "lightclient/exec/query.h"

#define EX_HEAD_LIST_PRUNED 32012 /* code of query_step's RC_LIMIT: no endpoint has the block access list */
#define EX_HEAD_NO_LIST 32013     /* ... the block has none: */
#define EX_HEAD_NO_LIST_TEXT "a block of before Amsterdam has no block access list"

/* What is asked for. */
typedef enum {
    EX_HEAD_ONLY,
    EX_HEAD_BYTES,       /* its bytes instead */
    EX_HEAD_AND_CHANGES, /* and, in the same batch, its block access list if that can be had */
    EX_HEAD_WITH_CHANGES /* and its block access list in any case */
} ex_head_kind_t;

/* Makes the query. query_step also gives RC_UNSUPPORTED: the bytes have the proven hash, and are a header that this
 * build cannot read. RC_NOMEM. */
NODISCARD rc_t ex_head_new(query_t **out, err_t *e, const hash32_t *hash, ex_head_kind_t kind);

/* The header with the hash, after RC_OK; NULL before. Lives as long as the query. */
const ex_header_t *ex_head_result(const query_t *q);

/* The RLP of the block access list with the hash that the header has, after RC_OK; p NULL: it did not come, or the
 * block has none. Lives as long as the query. */
view_t ex_head_changes(const query_t *q);

/* Whether the header's bytes may tell more than an answer did, which looked like the header of a newer fork or had not
 * as many members as the header of any fork. */
bool ex_head_wants_bytes(const query_t *q);

#endif
