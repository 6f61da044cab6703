/* daemon.h - what programs on this machine are told of the cluster's members: reads the list at each new head, and
 * answers on a Unix socket.
 *
 *     a new head -> node/p2p/list.h -> the list is kept; who waits for another one than he has is answered
 *                   failed -> again after DAEMON_AGAIN_MS, or with the next head
 *
 *     GET /v1/p2p/status                     contract, mode, where the list and the registration stand
 *     GET /v1/p2p/address                    whose token has to be minted: asks the TEE
 *     POST /v1/p2p/register                  this node is listed, and stays so (node/p2p/writer.h); in mode wireguard
 *                                            only where it can have its interface (node/p2p/wg.h)
 *     GET /v1/p2p/peers                      the list of the present head
 *     GET /v1/p2p/peers?after=CURSOR&wait_s=N  likewise, but not before it is another one, or N seconds are over
 *
 * What keeps the list from being read is an error, never an empty list; a list whose block is older than max_age_s is
 * not given.
 *
 * Spec:   DStack P2P SDK Specification; docs/sdk.md; openapi.yaml
 * Floor:  5, node/p2p. Any thread. A thread and a server of its own.
 * Tests:  tests/unit/test_p2p_daemon.c
 */
#ifndef NODE_P2P_DAEMON_H
#define NODE_P2P_DAEMON_H

#include "http/server.h"
#include "node/config/membership.h"
#include "node/p2p/list.h"
#include "node/p2p/rollcall.h"
#include "node/p2p/wg.h"
#include "node/p2p/writer.h"

#define DAEMON_AGAIN_MS 4000u /* after a list that could not be read */
#define DAEMON_WAIT_MAX_S 120u
#define DAEMON_REGISTER_S 600u /* a registration is waited for at most */

typedef struct daemon daemon_t;

/* Everything borrowed until daemon_free. */
typedef struct {
    const membership_t *membership;
    const tee_provider_t *tee;
    ask_t *ask;
    const evm_chain_t *chain;
    ex_cache_t *cache;
    wg_t *wg;                     /* of mode wireguard, not started; NULL: in mode tls */
    unsigned flags;               /* of every answer: HS_SIMULATED, HS_DEVELOPMENT */
    uint64_t (*now_s)(void *ctx); /* what time it is at least */
    /* Of a node that comes together with others by the list: told of it now and then, on the daemon's thread. NULL: it
     * does not. This node is then registered without being asked to. */
    void (*listed)(void *ctx, const rollcall_list_t *list);
    uint16_t overlay_port; /* of members, where membership.overlay_port does not say */
    void *ctx;
} daemon_config_t;

/* Opens the socket. RC_IO: e names its path; RC_NOMEM. */
NODISCARD rc_t daemon_start(daemon_t **out, err_t *e, const daemon_config_t *config);

/* The head at which the list is to be read; also told again. Copied. */
void daemon_head(daemon_t *d, const ex_block_t *block);

/* The latest head, after which transactions are made; likewise. */
void daemon_latest(daemon_t *d, const ex_block_t *block);

/* Whether this node is to found the cluster now (node/p2p/muster.h). Only with listed. */
muster_do_t daemon_muster(daemon_t *d, err_t *why, bool answers, bool is_kept);

/* Answers who waits, and closes the socket; before ask_free. NULL is allowed. */
void daemon_stop(daemon_t *d);

/* After ask_free, so that no query is on its way. NULL is allowed. */
void daemon_free(daemon_t *d);

#endif
