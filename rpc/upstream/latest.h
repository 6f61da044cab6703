/* latest.h - what an execution RPC is asked before anything is known: which chain it is of, and the header of its
 * newest block; and whether it proves anything. One request each, without a batch, which not every server takes.
 *
 * Spec:   ethereum/execution-apis (eth_chainId, eth_getBlockByNumber)
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_latest.c, tests/fuzz/fuzz_latest.c
 */
#ifndef RPC_UPSTREAM_LATEST_H
#define RPC_UPSTREAM_LATEST_H

#include "base/bytes.h"
#include "base/err.h"
#include "lightclient/exec/header.h"

#define LATEST_BODY_MAX ((size_t)1 << 20) /* bytes of one answer: a block names its transactions */
#define LATEST_CHAIN_REQUEST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]}"
#define LATEST_BLOCK_REQUEST                                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBlockByNumber\",\"params\":[\"latest\",false]}"

/* What calls are proven with, as small as it can be: an account that nobody has the key of, and no slot. */
#define LATEST_PROOF_REQUEST                                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getProof\",\"params\":["                                           \
    "\"0x0000000000000000000000000000000000000000\",[],\"latest\"]}"

/* Reads the answer to LATEST_CHAIN_REQUEST. RC_OK: it is of that chain. RC_REFUSED: of another one, which e names;
 * RC_IO: it refuses, in the words of its error; RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t latest_check_chain(err_t *e, view_t body, uint64_t chain_id);

/* Reads the answer to LATEST_PROOF_REQUEST: whether there is a proof, of which nothing is checked. RC_IO: it refuses,
 * in the words of its error; RC_MALFORMED, RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t latest_check_proves(err_t *e, view_t body);

/* Reads the answer to LATEST_BLOCK_REQUEST: the header, whose hash is the one that it says, and that hash. Outputs are
 * written only on RC_OK. RC_REFUSED: it has another hash; else as above. */
NODISCARD rc_t latest_read_block(ex_header_t *out, hash32_t *hash, err_t *e, view_t body);

#endif
