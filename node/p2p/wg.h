/* wg.h - this node's place in the members' private network 10.0.1.0/24: a WireGuard interface whose peers are those
 * members that are attested at this moment, each with the address that the proven list gives it.
 *
 *     wg_register -> is there WireGuard, and is the network free? -> WG_READY
 *     wg_list: a proven list has come; wg_side: a peer says its key, its connection is over
 *         -> the wanted table (node/p2p/wg_table.h) -> the machine's interface (node/p2p/wg_door.h)
 *
 * The private key is drawn here, stays in locked memory, and goes nowhere but to the interface. Public keys are said on
 * attested connections alone, signed by the wallet of the member's token; an endpoint is the address at a connection's
 * other end, and none where that is a relay's. Who is not listed any more, or not attested, loses its place at once.
 *
 * Spec:   sdk-facts 5; docs/sdk.md
 * Floor:  5, node/p2p. Any thread. A thread of its own.
 * Tests:  tests/unit/test_wg.c, tests/wireguard/namespaces.py
 */
#ifndef NODE_P2P_WG_H
#define NODE_P2P_WG_H

#include "base/json.h"
#include "node/p2p/wg_door.h"
#include "node/p2p/wg_wire.h"
#include "overlay/side.h"

#define WG_AGAIN_MS 1000u      /* after a change that failed, and between two looks at the time */
#define WG_SAY_AGAIN_MS 15000u /* what we say is said again, as a peer may have let go of it */

typedef struct wg wg_t;

typedef struct {
    addr_t contract;
    uint64_t max_age_s; /* of the list */
    uint16_t port;      /* of the interface */
    wg_door_t door;     /* its owner's, until wg_free */
} wg_config_t;

/* Who has it, from wg_start on. */
typedef struct {
    /* By this node's wallet; on the net's thread, so it must not wait. RC_REFUSED: it is not known yet. */
    rc_t (*sign)(void *ctx, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest);
    uint64_t (*now_s)(void *ctx); /* what time it is at least */
    void (*looked)(void *ctx);    /* wg_state is another one; must not wait */
    void *ctx;
} wg_owner_t;

/* Draws the key. RC_NOMEM: no memory, or none that may be locked. */
NODISCARD rc_t wg_new(wg_t **out, err_t *e, const wg_config_t *config);

/* What is said and taken on attested connections; may be used as long as w lives. */
void wg_side(wg_t *w, side_owner_t *out);

/* RC_NOMEM, RC_IO: no thread. */
NODISCARD rc_t wg_start(wg_t *w, err_t *e, const wg_owner_t *owner);

/* The interface is wanted; where it could not be had, it is tried again. */
void wg_register(wg_t *w);

typedef enum { WG_IDLE, WG_CHECKING, WG_READY, WG_HINDERED } wg_state_t;

/* Whether it can be had. WG_HINDERED: why; RC_REFUSED, RC_UNSUPPORTED: somebody has to do something. */
wg_state_t wg_state(wg_t *w, err_t *why);

/* A proven list, and our wallet. Copied. */
void wg_list(wg_t *w, const wg_seats_t *seats, const addr_t *wallet);

/* Members of an object: the interface, its address and key, its peers, and who is none and why. */
void wg_put(wg_t *w, jw_t *out);

/* Ends its thread and takes the interface's key, peers and address away. NULL is allowed. */
void wg_stop(wg_t *w);

/* After wg_stop, and when nothing is said on connections any more. NULL is allowed. */
void wg_free(wg_t *w);

#endif
