/* finality.h - what a beacon node calls finalized, which block it has at a slot, of which chain it is: nobody proves
 * any of that. Several servers that agree stand in for the operator's own word (node/setup/quorum.h).
 *
 * Spec:   beacon-APIs /eth/v1/beacon/states/{id}/finality_checkpoints, /eth/v1/beacon/blocks/{id}/root,
 *         /eth/v1/beacon/genesis
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_finality.c, tests/fuzz/fuzz_finality.c
 */
#ifndef RPC_UPSTREAM_FINALITY_H
#define RPC_UPSTREAM_FINALITY_H

#include "base/bytes.h"
#include "base/err.h"

#define FINALITY_BODY_MAX ((size_t)64 << 10) /* bytes of one answer */
#define FINALITY_PATH "/eth/v1/beacon/states/head/finality_checkpoints"
#define FINALITY_ROOT_PATH_MAX 64u

/* Reads the answer to FINALITY_PATH: epoch and block root of the finalized checkpoint. Outputs written only on RC_OK.
 * Members that are not read are passed over. RC_MALFORMED, RC_LIMIT, RC_NOMEM; the root is not zero. */
NODISCARD rc_t finality_read(uint64_t *epoch, hash32_t *root, err_t *e, view_t body);

/* The path of the root of the block at a slot, NUL-terminated. */
void finality_root_path(char out[FINALITY_ROOT_PATH_MAX], uint64_t slot);

/* Reads the answer to it, likewise. */
NODISCARD rc_t finality_read_root(hash32_t *root, err_t *e, view_t body);

/* Reads the answer to FINALITY_GENESIS_PATH: the genesis validators root, by which chains differ. Likewise. */
#define FINALITY_GENESIS_PATH "/eth/v1/beacon/genesis"
NODISCARD rc_t finality_read_genesis(hash32_t *validators_root, err_t *e, view_t body);

#endif
