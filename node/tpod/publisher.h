/* publisher.h - a publisher's one connection to a provider: opened, asked on, closed; each call waits for its end.
 *
 * Floor:  5, node/tpod. Sockets on the caller's thread; a thread resolves names.
 * Tests:  tests/e2e (tpod)
 */
#ifndef NODE_TPOD_PUBLISHER_H
#define NODE_TPOD_PUBLISHER_H

#include "base/arena.h"
#include "overlay/tpod/names.h"
#include "overlay/wire/multiaddr.h"

#define PUBLISHER_DIAL_MS 15000u

typedef struct publisher publisher_t;

/* Connects, under a key that is made now. With a peer id in the address nobody else is taken. RC_IO, RC_TIMEOUT,
 * RC_UNSUPPORTED, RC_NOMEM. secret_init must have been called. */
NODISCARD rc_t publisher_open(publisher_t **out, err_t *e, const maddr_t *to);

/* The same to whoever has this id, found from these bootstrap peers, whose addresses have their ids in them: within
 * LOOKUP_MS (overlay/lookup.h). Nobody but the peer of this id is ever connected to as the provider. RC_TIMEOUT: not
 * found. */
NODISCARD rc_t publisher_find(publisher_t **out, err_t *e, const peerid_t *who, const maddr_t *bootstrap,
                              size_t bootstrap_count);

/* Asks, and waits. request, out: the call's structs; out in the arena, written only on RC_OK. RC_UNSUPPORTED: it is
 * not served; RC_MALFORMED, RC_LIMIT: no answer of this call; RC_REFUSED: ended without one; RC_IO: the connection is
 * over; RC_TIMEOUT; RC_NOMEM. */
NODISCARD rc_t publisher_ask(publisher_t *p, void *out, err_t *e, arena_t *a, tpod_call_t call, const void *request,
                             uint32_t time_max_ms);

/* Both ends, as the handshake proved them. */
const peerid_t *publisher_server(const publisher_t *p);
const peerid_t *publisher_self(const publisher_t *p);

/* Says goodbye. NULL allowed. */
void publisher_close(publisher_t *p);

#endif
