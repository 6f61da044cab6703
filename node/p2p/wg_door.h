/* wg_door.h - the WireGuard interface kettle-wg0 of this machine: wireguard-go's, if it runs, else the kernel's own.
 *
 *     check   whether there is one, and nobody else has a part of 10.0.1.0/24
 *     open    its key, port and address; no peers
 *     apply   changes of peers, in their order
 *     close   its key, peers and address are gone
 *
 * Nothing is run and nothing written to a file: netlink, and the Unix socket that wireguard-go opens.
 *
 * Spec:   sdk-facts 4 (no overlap), 5
 * Floor:  5, node/p2p. One thread at a time. Waits for kernel and socket, at most WG_DOOR_WAIT_S each time.
 * Tests:  tests/wireguard/namespaces.py
 */
#ifndef NODE_P2P_WG_DOOR_H
#define NODE_P2P_WG_DOOR_H

#include "base/err.h"
#include "node/p2p/wg_table.h"

#define WG_DOOR_WAIT_S 2
#define WG_SOCKET "/var/run/wireguard/" WG_INTERFACE ".sock"

/* What a test can put its own in the place of. */
typedef struct {
    /* RC_REFUSED: something else has a part of the network; RC_UNSUPPORTED: there is no WireGuard; RC_IO: what the
     * machine said of it. */
    rc_t (*check)(void *ctx, err_t *e);
    /* Also of one that is open. As check; RC_REFUSED: it was not taken, as without CAP_NET_ADMIN. */
    rc_t (*open)(void *ctx, err_t *e, const uint8_t private_key[WG_KEY_LEN], uint16_t port, uint8_t index);
    rc_t (*apply)(void *ctx, err_t *e, const wg_op_t *ops, size_t n);
    /* What could not be undone is logged. */
    void (*close)(void *ctx);
    void *ctx;
} wg_door_t;

/* The door to the machine. out is freed with wg_door_free. RC_NOMEM. */
NODISCARD rc_t wg_door_new(wg_door_t *out);

/* Without closing; a zeroed one is allowed. */
void wg_door_free(wg_door_t *d);

#endif
