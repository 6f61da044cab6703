/* kad.h - Kademlia's one question that a client has: which peers do you know that are near this id, and it itself?
 *
 * Spec:   libp2p/specs kad-dht/README.md, "RPC messages" (FIND_NODE)
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_kad.c, tests/fuzz/fuzz_kad.c
 */
#ifndef OVERLAY_WIRE_KAD_H
#define OVERLAY_WIRE_KAD_H

#include "base/err.h"
#include "overlay/wire/multiaddr.h"

#define KAD_NAME "/ipfs/kad/1.0.0"
#define KAD_MESSAGE_MAX (64u << 10) /* bytes of an answer */
#define KAD_PEERS_MAX 32u           /* ... peers in one; a bucket has 20 */
#define KAD_TOLD_MAX 64u            /* ... addresses of a peer */
#define KAD_ADDRS_MAX 4u            /* of which so many are kept: the first that this node could dial */
#define KAD_REQUEST_MAX 64u         /* bytes of a question, with its length */

typedef struct {
    peerid_t id;
    maddr_t addrs[KAD_ADDRS_MAX]; /* numbers, without a circuit, of this peer; its id is in each */
    size_t addr_count;
} kad_peer_t;

typedef struct {
    kad_peer_t peers[KAD_PEERS_MAX];
    size_t count;
} kad_answer_t;

/* Writes the question for an id, with its length: at most KAD_REQUEST_MAX bytes. */
void kad_find_node(wr_t *w, const peerid_t *id);

/* Reads an answer, without its length. What names a peer's address in a way that this node does not speak, by a name,
 * through a relay, or with another peer's id in it, is passed over.
 *   out  may be written to in part
 * RC_MALFORMED: no answer to this question; RC_LIMIT: more of something than its maximum. */
NODISCARD rc_t kad_read(kad_answer_t *out, err_t *e, view_t message);

#endif
