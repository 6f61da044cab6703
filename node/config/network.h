/* network.h - the "network" key of the configuration: a built-in name, or an object with a beacon node's own words.
 *
 *   {"name": "devnet", "preset": "minimal",
 *    "config":  data object of /eth/v1/config/spec, verbatim (keys that a light client does not need are ignored),
 *    "genesis": data object of /eth/v1/beacon/genesis, verbatim,
 *    "execution": {"chain_id": 1337, "forks": {"shanghai": 0, "cancun": 0, "prague": 1700000000}}}
 *
 * Without "execution" each execution fork is taken to begin with its consensus twin (Capella and Shanghai, Deneb and Cancun,
 * Electra and Prague, Fulu and Osaka), with the blob schedule of the consensus side.
 *
 * Spec:   beacon-APIs config/spec and beacon/genesis; EIP-7840, EIP-7892 blob schedules
 * Floor:  5, node/config. No I/O.
 * Tests:  tests/unit/test_config.c
 */
#ifndef NODE_CONFIG_NETWORK_H
#define NODE_CONFIG_NETWORK_H

#include <jansson.h>

#include "node/config/config.h"

/* Sets network and chain of c from the value of the key. */
NODISCARD rc_t network_read(config_t *c, err_t *e, const json_t *value);

/* Sets them from a built-in name. RC_REFUSED: no such network. */
NODISCARD rc_t network_builtin(config_t *c, const char *name);

#endif
