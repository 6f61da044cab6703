/* foresight.h - asks every endpoint now and then which forks it knows, so that one that this build does not know is
 * told in /v1/status and the log before it comes. A thread of its own: whatever comes of it, nothing else changes.
 *
 * Floor:  5, node/chain.
 * Tests:  tests/unit/test_foresight.c, tests/e2e (gloas)
 */
#ifndef NODE_CHAIN_FORESIGHT_H
#define NODE_CHAIN_FORESIGHT_H

#include "base/err.h"
#include "http/client.h"
#include "lightclient/consensus/forks.h"
#include "lightclient/evm/evm.h"
#include "rpc/upstream/endpoints.h"

#define FORESIGHT_FIRST_MS 10000u   /* after the start: other things come first; */
#define FORESIGHT_EVERY_MS 1800000u /* then every half an hour */

typedef struct foresight foresight_t;

/* Everything borrowed until foresight_free. */
typedef struct {
    hc_t *http;
    up_t *consensus, *execution;
    const lc_network_t *network;
    const evm_chain_t *chain;
    uint32_t first_ms; /* 0: FORESIGHT_FIRST_MS */
} foresight_config_t;

/* Starts the thread. RC_NOMEM, RC_IO. */
NODISCARD rc_t foresight_start(foresight_t **out, err_t *e, const foresight_config_t *config);

/* Ends it (requests under way are cancelled) and frees. NULL is allowed. */
void foresight_free(foresight_t *f);

#endif
