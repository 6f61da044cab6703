/* pulse.h - whether some execution RPC answers now, for /readyz and the log: a node that has none follows the chain and
 * signs blocks, and can answer no call.
 *
 * As long as requests of clients are answered nobody is asked. In their absence each endpoint is asked for its chain
 * id. Who is out of quota still says which chain it is of: so a small proof is asked for at the first look, and where
 * any request has failed since the last one; if it is refused, until somebody gives one, whatever else is answered.
 * Nobody is blamed for what it says.
 * Who dies is found out within PULSE_EVERY_MS twice and PULSE_ANSWER_MS; who is back within PULSE_AGAIN_MS and that.
 * Nothing else depends on it: requests of clients try every endpoint.
 *
 * Floor:  5, node/chain.
 * Tests:  tests/unit/test_pulse.c
 */
#ifndef NODE_CHAIN_PULSE_H
#define NODE_CHAIN_PULSE_H

#include "base/err.h"
#include "http/client.h"
#include "rpc/upstream/endpoints.h"

#define PULSE_EVERY_MS 9000u  /* between two looks; */
#define PULSE_AGAIN_MS 4000u  /* while nobody answers; */
#define PULSE_ANSWER_MS 8000u /* and that a look waits for answers */

typedef struct pulse pulse_t;

/* Everything borrowed until pulse_free. */
typedef struct {
    hc_t *http;
    up_t *execution;
    uint64_t chain_id;
    uint32_t every_ms; /* 0: PULSE_EVERY_MS, and then PULSE_AGAIN_MS */
} pulse_config_t;

/* Starts the thread, which looks at once. RC_NOMEM, RC_IO. */
NODISCARD rc_t pulse_start(pulse_t **out, err_t *e, const pulse_config_t *config);

/* False: no endpoint answered when it was last looked, and why says what the first one did. True also before the first
 * look. Any thread. */
bool pulse_beats(pulse_t *p, err_t *why);

/* Ends it (requests under way are cancelled) and frees. NULL is allowed. */
void pulse_free(pulse_t *p);

#endif
