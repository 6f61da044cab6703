/* lcroutes.h - the light-client routes of the beacon API, served to strangers from what this node's own store has
 * verified (node/chain/objects.h): other nodes, Helios, Lodestar, Nimbus follow the chain by them. Off unless the
 * configuration says light_client_routes.
 *
 *     GET /eth/v1/beacon/light_client/bootstrap/{root}
 *     GET /eth/v1/beacon/light_client/updates?start_period=P&count=N   at most LCROUTES_UPDATES_MAX of them
 *     GET /eth/v1/beacon/light_client/finality_update, .../optimistic_update
 *     GET /eth/v1/beacon/genesis
 *
 * JSON, or SSZ for who prefers it; errors in the beacon API's form, {"code", "message"}. Every other answer carries
 * Kettle-Node with the node's key: members of a cluster have each other's data, so that who asks several sources counts
 * them as one. Answers are made once and kept until the store has something newer; nothing is asked of anybody, and
 * nothing is signed.
 *
 * Spec:   ethereum/beacon-APIs apis/beacon/light_client
 * Floor:  5, node. Any thread.
 * Tests:  tests/unit/test_lcroutes.c, tests/e2e (lightclient)
 */
#ifndef NODE_LCROUTES_H
#define NODE_LCROUTES_H

#include "base/crypto/ecdsa.h"
#include "http/message.h"
#include "node/chain/objects.h"

#define LCROUTES_UPDATES_MAX 4u /* in an answer */
#define LCROUTES_BASE "/eth/v1/beacon/light_client/"
#define LCROUTES_GENESIS "/eth/v1/beacon/genesis"

typedef struct lcroutes lcroutes_t;

/* Everything borrowed until lcroutes_free. flags: of every answer (HS_SIMULATED, HS_DEVELOPMENT). NULL: out of
 * memory. */
lcroutes_t *lcroutes_new(const lc_network_t *network, objects_t *objects, const uint8_t node_key[ECDSA_PUBKEY_LEN],
                         unsigned flags);
void lcroutes_free(lcroutes_t *l);

/* Answers a request to one of the routes. l NULL: they are off. */
void lcroutes_get(lcroutes_t *l, hs_response_t *r, const hs_request_t *request);

#endif
