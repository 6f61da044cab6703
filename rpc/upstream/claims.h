/* claims.h - what an endpoint says of forks to come: a beacon node by its configuration, an execution client by
 * eth_config. Nobody has proven it, so it changes nothing: it is told, so that people hear of a fork before it comes.
 *
 * Spec:   beacon-APIs /eth/v1/config/spec; EIP-7910 (eth_config)
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_claims.c, tests/fuzz/fuzz_claims.c
 */
#ifndef RPC_UPSTREAM_CLAIMS_H
#define RPC_UPSTREAM_CLAIMS_H

#include "base/bytes.h"
#include "lightclient/consensus/forks.h"
#include "lightclient/evm/evm.h"

#define CL_BODY_MAX ((size_t)256 << 10) /* bytes of one answer */
#define CL_TEXT_MAX 200u
#define CL_SPEC_PATH "/eth/v1/config/spec"
#define CL_CONFIG_REQUEST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_config\",\"params\":[]}"

/* The answer to CL_SPEC_PATH: whether it has a fork, or a row of BLOB_SCHEDULE, that the network has not scheduled, or
 * has at another epoch; the first of them in out, as a sentence. False also for what is no such answer. */
bool cl_of_spec(char out[CL_TEXT_MAX], const lc_network_t *net, view_t body);

/* The answer to CL_CONFIG_REQUEST: the same by activation times of the execution chain, and by the blob parameters that
 * begin with them. Times up to genesis_time, the beacon chain's, are those of its first rules. */
bool cl_of_config(char out[CL_TEXT_MAX], const evm_chain_t *chain, uint64_t genesis_time, view_t body);

#endif
