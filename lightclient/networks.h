/* networks.h - the chains that are built in, consensus and execution side by side, and which forks of the two belong
 * together.
 *
 * Spec:   eth-clients mainnet, sepolia, hoodi; consensus-specs bellatrix to fulu; EIP-4844, EIP-7691 blob parameters
 * Floor:  2, lightclient. May include consensus/, evm/. Tables only.
 * Tests:  tests/unit/test_networks.c, tests/lint/forks.py
 */
#ifndef LIGHTCLIENT_NETWORKS_H
#define LIGHTCLIENT_NETWORKS_H

#include "lightclient/consensus/forks.h"
#include "lightclient/evm/evm.h"

/* A chain that has a name here. */
typedef struct {
    const char *name;
    const evm_chain_t *execution;
    const char *beacon_api;  /* asked when nobody names one; trusted no more than any other; NULL: there is none */
    uint32_t fork_id;        /* EIP-2124: CRC-32 of the genesis hash and all forks before the second row */
    addr_t deposit_contract; /* EIP-6110 */
} lc_builtin_t;

/* By name: mainnet, sepolia, hoodi. NULL for another name. Its consensus side is lc_network_find's. */
const lc_builtin_t *lc_builtin_find(const char *name);

/* An execution fork, the consensus fork that it begins with on a chain whose schedule says nothing else, and the blob
 * parameters that it starts with (zero: its blocks have no blobs, or it keeps the earlier ones). */
typedef struct {
    const char *name; /* lower case */
    evm_fork_t fork;
    lc_fork_t twin;
    uint64_t blob_target, blob_max, blob_base_fee_update_fraction;
} lc_execution_fork_t;

#define LC_EXECUTION_FORKS ((size_t)EVM_FORKS - EVM_PARIS)

/* All that are known from Paris on, in order: proofs begin with the merge. */
extern const lc_execution_fork_t lc_execution_forks[LC_EXECUTION_FORKS];

#endif
