/* peer.h - one entry of the list of peers: "192.0.2.1:4001", "[2001:db8::1]:4001", "node.example:4001", or a multiaddr
 * that says more ("/dns4/node.example/tcp/4001/p2p/16Uiu2H...").
 *
 * Spec:   architecture section 3, POST /setup; overlay-facts section 3
 * Floor:  5, node/config. No I/O: names are not resolved here.
 * Tests:  tests/unit/test_config_values.c, tests/fuzz/fuzz_config.c
 */
#ifndef NODE_CONFIG_PEER_H
#define NODE_CONFIG_PEER_H

#include "overlay/wire/multiaddr.h"

#define CONFIG_PEERS_MAX 32u
#define CONFIG_PEER_WAYS 2u

/* The ways to a peer in the order of preference: of host and port QUIC, then TCP; of a multiaddr the one that it is. */
typedef struct {
    maddr_t ways[CONFIG_PEER_WAYS];
    size_t count;
} config_peer_t;

/* Reads an entry. out written only on RC_OK. RC_MALFORMED, RC_LIMIT; RC_UNSUPPORTED: an address of another kind. */
NODISCARD rc_t config_peer_read(config_peer_t *out, err_t *e, view_t text);

#endif
