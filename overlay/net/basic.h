/* basic.h - what every libp2p peer speaks: identify and ping, both as asker and as answerer.
 *
 * Spec:   libp2p/specs identify/README.md, ping/ping.md
 * Floor:  4, overlay/net. May include overlay/wire.
 * Tests:  tests/unit/test_net.c
 */
#ifndef OVERLAY_NET_BASIC_H
#define OVERLAY_NET_BASIC_H

#include "overlay/net/link.h"

#define BASIC_COUNT 3u /* protocols: identify, its push, ping */

/* Fills the first BASIC_COUNT protocols of n's. */
void basic_serve(net_t *n);

/* True for a protocol of these: served on every connection, whoever the peer is. */
bool basic_is(const net_t *n, const net_protocol_t *p);

/* Asks the peer for identify; what it says goes to the owner's identified. */
void basic_identify(net_conn_t *c);

#endif
