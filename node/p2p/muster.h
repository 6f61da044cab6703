/* muster.h - how nodes that name no peers come together by the contract's roll of members: who is dialled, which
 * cluster is one to join, and who founds it. A machine that is told what is known, and says what to do.
 *
 *     the contract names a key:  MUSTER_WAIT, for a cluster whose keys contain it (muster_admits)
 *     it names none:             MUSTER_WAIT, for a member that holds a key (muster_admits); when none has answered
 *                                with one for MUSTER_QUIET_MS, the member with the smallest token: MUSTER_FOUND
 *
 * Members are those that are bound and heard. While the newest roll cannot be read, or a key is announced, nobody
 * founds; time in which nobody looked does not count. A roll says where to dial and who founds: whether a TEE of the
 * right program answers, its attestation says.
 *
 * Spec:   sdk/solidity/DstackP2PMembership.sol; docs/sdk.md; overlay-facts-more E12, G
 * Floor:  5, node/p2p. No I/O, clock or thread.
 * Tests:  tests/unit/test_p2p_muster.c
 */
#ifndef NODE_P2P_MUSTER_H
#define NODE_P2P_MUSTER_H

#include "node/config/peer.h"
#include "rpc/members/roll.h"

#define MUSTER_QUIET_MS 120000u
#define MUSTER_GAP_MS 10000u /* between two looks; a longer one begins anew */
#define MUSTER_DIAL_MAX CONFIG_PEERS_MAX

/* How members are dialled. */
typedef struct {
    members_mode_t mode;
    uint16_t port;
    const char *domain; /* MEMBERS_TLS: only endpoints under it; NULL: any */
} muster_ways_t;

/* Where to dial: the members of the smallest tokens, without ourselves. Of MEMBERS_WIREGUARD 10.0.1.x, of MEMBERS_TLS
 * the host of the endpoint. self: NULL: not known. Their number. */
size_t muster_dials(config_peer_t out[MUSTER_DIAL_MAX], const members_roll_t *roll, uint64_t block_time_s,
                    const addr_t *self, const muster_ways_t *ways);

/* What the contract says of the cluster. */
typedef struct {
    bool is_known; /* it was read, and not too long ago */
    bool has_key;
    uint8_t key[MEMBERS_KEY_LEN];
} muster_anchor_t;

/* Whether a cluster is one to join.
 *   is_listed  who is in it answered at a member's address
 *   keys       that are proven to be of it: of its generations
 * RC_NEED_DATA: the contract was not read; RC_REFUSED. */
NODISCARD rc_t muster_admits(err_t *e, const muster_anchor_t *a, bool is_listed, const uint8_t (*keys)[33], size_t n);

/* Whether a generation that an earlier run kept may be brought back: the contract names it, or the first of its
 * cluster, or none. Otherwise as muster_admits. */
NODISCARD rc_t muster_restores(err_t *e, const muster_anchor_t *a, const uint8_t generation[33],
                               const uint8_t first[33]);

/* What is known. Borrowed for the call. */
typedef struct {
    uint64_t now_ms;            /* monotonic */
    const members_roll_t *roll; /* proven, and not too old; NULL: there is none */
    uint64_t block_time_s;      /* of its block */
    const err_t *trouble;       /* why there is none, or none of the newest head; NULL: nothing */
    const muster_ways_t *ways;  /* how members are dialled: who is not is no founder */
    const addr_t *self;         /* of the key that is this node's member; NULL: it has none, or not yet */
    bool answers;               /* somebody who has attested holds a key, listed or not */
    bool is_kept;               /* from founding: it waits for a certain cluster */
} muster_view_t;

/* Zeroed at first. */
typedef struct {
    bool is_quiet; /* since: */
    uint64_t since_ms, looked_ms;
    uint64_t token; /* ours then */
} muster_t;

typedef enum { MUSTER_WAIT, MUSTER_FOUND } muster_do_t;

/* Looks. why: what is waited for, as a sentence; written in any case. */
muster_do_t muster_turn(muster_t *m, err_t *why, const muster_view_t *v);

#endif
