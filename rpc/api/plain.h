/* plain.h - JSON whose canonical form (RFC 8785) is the same in every library: objects, lists, null, true, false, and
 * texts and names of ASCII letters and digits; no numbers. What Ethereum's API asks and answers is made of it. Requests
 * and results are bound in statements by the Keccak-256 of that form.
 *
 * Spec:   docs/statements.md, "Hashes of JSON"
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_question.c, tests/unit/test_statement.c
 */
#ifndef RPC_API_PLAIN_H
#define RPC_API_PLAIN_H

#include "base/json.h"

#define API_PLAIN_DEPTH 8u /* objects and lists in each other */

/* The canonical JSON of a member (NULL: o itself) that must be there, in the arena; counts as read with all below it.
 * The document keeps the fault when it is not plain. */
view_t api_plain(arena_t *a, const jo_t *o, const char *key);

/* The canonical JSON of the object that has those of the members of o that are there and not null, and its Keccak-256.
 *   names  in their order, so many; none of them is there: "{}" */
view_t api_plain_members(hash32_t *hash, arena_t *a, const jo_t *o, const char *const *names, size_t count);

/* The canonical JSON of a text that we wrote. RC_BUG: it is not plain; RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t api_plain_text(view_t *out, arena_t *a, view_t json);

#endif
