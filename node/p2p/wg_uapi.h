/* wg_uapi.h - the text that configures a WireGuard interface of user space (wireguard-go) over its socket, and what it
 * answers.
 *
 * Spec:   "Cross-platform Userspace Implementation" of WireGuard: set=1, keys in hex, a blank line; errno=N
 * Floor:  5, node/p2p. No heap, I/O, clock or thread. What is written holds keys: the caller locks and wipes it.
 * Tests:  tests/unit/test_wg_uapi.c, tests/fuzz/fuzz_wg.c
 */
#ifndef NODE_P2P_WG_UAPI_H
#define NODE_P2P_WG_UAPI_H

#include "base/err.h"
#include "node/p2p/wg_table.h"

#define WG_UAPI_DEVICE_MAX 160u
#define WG_UAPI_OP_MAX 352u    /* bytes of one peer */
#define WG_UAPI_ANSWER_MAX 64u /* bytes of an answer to set=1 */

/* The interface anew: its key (NULL: none any more), its port, no peers. */
void wg_uapi_device(wr_t *w, const uint8_t *private_key, uint16_t port);

/* Changes of peers, in their order: at most 6 + n * WG_UAPI_OP_MAX + 1 bytes. */
void wg_uapi_ops(wr_t *w, const wg_op_t *ops, size_t n);

/* The answer to either. RC_NEED_DATA: not all there yet; RC_REFUSED: the interface did not take it, e's code is its
 * errno; RC_MALFORMED; RC_LIMIT: too long. */
NODISCARD rc_t wg_uapi_answer(err_t *e, view_t in);

#endif
