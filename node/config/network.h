/* network.h - the "network" key of the configuration: a built-in name, or an object with a beacon node's own words.
 *
 *   {"name": "devnet", "preset": "minimal",
 *    "config":  data object of /eth/v1/config/spec, verbatim (keys that a light client does not need are ignored),
 *    "genesis": data object of /eth/v1/beacon/genesis, verbatim,
 *    "execution": {"chain_id": 1337, "genesis_hash": "0x...",
 *                  "forks": {"shanghai": 0, "cancun": 0, "prague": 1700000000},
 *                  "blobSchedule": {"bpo1": {"target": 10, "max": 15, "baseFeeUpdateFraction": 8346193}},
 *                  "eip8037": "sepolia"}}
 *
 * Without "forks" each execution fork is taken to begin with its consensus twin (lightclient/networks.h). Each row of
 * BLOB_SCHEDULE from Fulu on needs its entry of blobSchedule ("bpo1" for the first), as execution clients have it; a
 * fork's entry takes the place of the EIP's parameters. A *_FORK_EPOCH of a fork that this build does not know is
 * noted, as is such a fork of the execution side: from there on nothing is signed. "eip8037" names the rules for gas of
 * state from Amsterdam on: "sepolia" (the default) or "glamsterdam-devnet-8". Numbers may be JSON integers or decimal
 * text, as beacon nodes write them.
 *
 * Spec:   beacon-APIs config/spec and beacon/genesis; EIP-7840, EIP-7892 blob schedules
 * Floor:  5, node/config. No I/O.
 * Tests:  tests/unit/test_config_network.c
 */
#ifndef NODE_CONFIG_NETWORK_H
#define NODE_CONFIG_NETWORK_H

#include "base/json.h"
#include "lightclient/consensus/forks.h"
#include "lightclient/evm/evm.h"

#define NETWORK_ROWS_MAX 32u /* rows of an execution schedule */

/* What of a network that is not built in is wanted for eth_config alone; the second also for deposits in
 * eth_simulateV1. No statement rests on it. */
typedef struct {
    bool has_genesis, has_deposits;
    hash32_t genesis; /* of the execution chain's block 0 */
    addr_t deposits;  /* the deposit contract, EIP-6110 */
} network_origin_t;

/* A network, both sides of it. */
typedef struct {
    lc_network_t *consensus;
    evm_chain_t *execution;   /* its rows point to rows below, or to a built-in table */
    evm_schedule_row_t *rows; /* NETWORK_ROWS_MAX of them, which live as long as execution is used */
    network_origin_t *origin; /* NULL: not wanted. Of a built-in network it stays as it is */
} network_out_t;

/* Reads the value of a key, which is there. Faults stick in the document of o: RC_MALFORMED, RC_LIMIT. */
void network_read(const network_out_t *out, const jo_t *o, const char *key);

/* Sets it from a built-in name. RC_REFUSED: no such network. */
NODISCARD rc_t network_builtin(const network_out_t *out, const char *name);

/* Unix seconds at which an epoch begins; UINT64_MAX for one that never comes. */
uint64_t network_epoch_time(const lc_network_t *net, uint64_t epoch);

/* Unix seconds: when the newest fork or blob schedule of either side that is in force at now_s began, or genesis. */
uint64_t network_forks_until(const lc_network_t *net, const evm_chain_t *chain, uint64_t now_s);

/* SHA-256 of what a network is, but for its name, as canonical JSON: its parameters, and of its forks and blob
 * schedules those that began no later than until_s. What is scheduled for later is left out: a younger program that
 * knows of it still finds the same digest. RC_NOMEM. */
NODISCARD rc_t network_digest(hash32_t *out, const lc_network_t *net, const evm_chain_t *chain, uint64_t until_s);

#endif
