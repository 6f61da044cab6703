/* json.h - strict readers of the hex forms of Ethereum's APIs. Internal to rpc/.
 *
 * Spec:   ethereum/execution-apis, base types (uint, hash32, bytes)
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_jsonrpc.c, tests/fuzz/fuzz_jsonrpc.c
 */
#ifndef RPC_UPSTREAM_JSON_H
#define RPC_UPSTREAM_JSON_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/json_tree.h"
#include "base/rc.h"
#include "base/u256.h"
#include "lightclient/exec/header.h"
#include "lightclient/exec/proof.h"

/* Readers of one string value (NULL allowed: false). False, out untouched, when it is not exactly of the form. */
bool jr_fixed(void *out, size_t n, const json_t *value);     /* "0x" and 2n digits */
bool jr_u64(uint64_t *out, const json_t *value);             /* quantity: "0x", no leading zeros */
bool jr_u256(u256_t *out, const json_t *value);              /* quantity */
bool jr_word(u256_t *out, const json_t *value);              /* "0x" and 1 to 64 digits: quantity or padded */
bool jr_bytes(view_t *out, arena_t *a, const json_t *value); /* "0x" and an even number of digits, into the arena */

/* A block object of eth_getBlockBy*: its header fields; others are passed over, as the hash must be checked anyway.
 *   field  the field at fault
 * RC_MALFORMED. out is written only on RC_OK. */
NODISCARD rc_t jr_header(ex_header_t *out, const char **field, const json_t *block);

/* The result of eth_getProof with at most slots_max slots, lists and nodes in the arena. NULL, or the field at fault;
 * out is then undefined. Numbers of slots may be padded, as some servers do; all else is strict. */
const char *jr_proof(ex_proof_answer_t *out, arena_t *a, json_t *result, size_t slots_max);

#endif
