/* wg_netlink.h - messages to the kernel about a WireGuard interface, its address, and the network around it, and what
 * the kernel answers.
 *
 *     wg_nl_family, wg_nl_link, wg_nl_device, wg_nl_ops     the kernel's own WireGuard
 *     wg_nl_address, wg_nl_up                               of any interface
 *     wg_nl_routes, wg_nl_addresses -> wg_nl_overlap        who has a part of 10.0.1.0/24 already
 *
 * Spec:   linux/netlink.h, rtnetlink.h, genetlink.h, wireguard.h; numbers little-endian as on x86-64
 * Floor:  5, node/p2p. No heap, I/O, clock or thread. The door to these headers. What is written holds keys: the caller
 *         locks and wipes it.
 * Tests:  tests/unit/test_wg_netlink.c, tests/fuzz/fuzz_wg.c
 */
#ifndef NODE_P2P_WG_NETLINK_H
#define NODE_P2P_WG_NETLINK_H

#include "base/err.h"
#include "node/p2p/wg_table.h"

#define WG_NL_MAX 256u    /* bytes of a message without peers */
#define WG_NL_OP_MAX 224u /* ... of a peer in one */
#define WG_NL_OPS_MAX 64u /* peers of one message */

/* Asks for the number of the family "wireguard". */
void wg_nl_family(wr_t *w, uint32_t seq);

/* Makes the interface WG_INTERFACE of kind wireguard; takes away an interface. */
void wg_nl_link(wr_t *w, uint32_t seq);
void wg_nl_unlink(wr_t *w, uint32_t seq, uint32_t interface);

/* The interface anew: its key (NULL: none any more), its port, no peers. */
void wg_nl_device(wr_t *w, uint32_t seq, uint16_t family, uint32_t interface, const uint8_t *private_key,
                  uint16_t port);

/* Changes of peers, in their order; n at most WG_NL_OPS_MAX. */
void wg_nl_ops(wr_t *w, uint32_t seq, uint16_t family, uint32_t interface, const wg_op_t *ops, size_t n);

/* Gives the interface the address 10.0.1.index/24, or takes it away; switches it on. */
void wg_nl_address(wr_t *w, uint32_t seq, uint32_t interface, uint8_t index, bool is_given);
void wg_nl_up(wr_t *w, uint32_t seq, uint32_t interface);

/* Asks for all routes, all addresses of IPv4. */
void wg_nl_routes(wr_t *w, uint32_t seq);
void wg_nl_addresses(wr_t *w, uint32_t seq);

/* Whether the kernel did what was asked for, by one datagram of it. RC_NEED_DATA: it says nothing of it; RC_REFUSED:
 * it did not, e's code is its errno; RC_MALFORMED. */
NODISCARD rc_t wg_nl_ack(err_t *e, view_t in, uint32_t seq);

/* The number of the family, likewise. RC_UNSUPPORTED: the kernel has none. */
NODISCARD rc_t wg_nl_family_read(uint16_t *out, err_t *e, view_t in, uint32_t seq);

/* A part of the network that something else has. */
typedef struct {
    bool is_found, is_address; /* or a route */
    uint8_t ip[4], bits;
    uint32_t interface; /* 0: none, or several */
} wg_overlap_t;

/* Looks at one datagram of the answer to wg_nl_routes or wg_nl_addresses for what overlaps 10.0.1.0/24 and is not of
 * the interface own (0: there is none). The default route overlaps nothing.
 *   out  written where something was found; *done: it was the last datagram
 * RC_TIMEOUT: what was told changed meanwhile, ask again; RC_REFUSED, RC_MALFORMED. */
NODISCARD rc_t wg_nl_overlap(wg_overlap_t *out, bool *done, err_t *e, view_t in, uint32_t seq, uint32_t own);

/* Marks in is_there which of 10.0.1.0/24 the interface own has, by one datagram of the answer to wg_nl_addresses; *done
 * and errors as above. */
NODISCARD rc_t wg_nl_own(bool is_there[256], bool *done, err_t *e, view_t in, uint32_t seq, uint32_t own);

#endif
