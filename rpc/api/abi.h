/* abi.h - Solidity's ABI for structs that are described by tables (rpc/api/eip712.h): what abi.encode writes of their
 * members as arguments, and nothing else is read.
 *
 * Spec:   Solidity, "Contract ABI Specification", strict mode
 * Floor:  3, rpc/api. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_abi.c, tests/fuzz/fuzz_statement.c
 */
#ifndef RPC_API_ABI_H
#define RPC_API_ABI_H

#include "base/arena.h"
#include "base/rc.h"
#include "rpc/api/eip712.h"

#define ABI_LEN_MAX (32u << 20) /* bytes of one encoding */

/* abi.encode of the members of the struct at value, in the arena. RC_LIMIT: longer than ABI_LEN_MAX; RC_NOMEM. */
NODISCARD rc_t abi_encode(view_t *out, arena_t *a, const eip712_type_t *t, const void *value);

/* Reads what abi_encode wrote, and only that: every offset, padding and length is the one that it would write.
 *   value  a struct of the type; written only on RC_OK. Its bytes are views into in
 *   a      for what the check needs
 * RC_MALFORMED, RC_LIMIT: longer than ABI_LEN_MAX; RC_NOMEM. */
NODISCARD rc_t abi_decode(void *value, size_t size, arena_t *a, const eip712_type_t *t, view_t in);

#endif
