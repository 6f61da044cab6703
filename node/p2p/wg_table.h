/* wg_table.h - which peers a WireGuard interface has to have: those that are attested at this moment and whose address
 * is theirs by the proven list. Pure: list, what peers said on attested connections, and time in; peers out, and what
 * has to be done to come there.
 *
 *     wg_wanted(list, claims, now) -> wanted table -> wg_diff(what is there) -> removals first, then additions
 *
 * A peer's preshared key comes of its connection, which only its two ends know: who learned the keys of both, but is
 * not at the end of that connection, completes no handshake.
 *
 * Spec:   sdk-facts 5; sdk/solidity/DstackP2PMembership.sol (ipIndex)
 * Floor:  5, node/p2p. No heap, I/O, clock or thread. What holds preshared keys is the caller's to lock and wipe.
 * Tests:  tests/unit/test_wg_table.c
 */
#ifndef NODE_P2P_WG_TABLE_H
#define NODE_P2P_WG_TABLE_H

#include "base/bytes.h"
#include "base/rc.h"

#define WG_INTERFACE "kettle-wg0"
#define WG_PORT 51820u
#define WG_NET_BITS 24u   /* of 10.0.1.0 */
#define WG_PEERS_MAX 254u /* addresses */
#define WG_CLAIMS_MAX 64u /* connections */
#define WG_OPS_MAX (2u * WG_PEERS_MAX)
#define WG_KEY_LEN 32u

/* Where a peer's interface is reached. */
typedef struct {
    uint8_t n; /* bytes of ip: 4 or 16; 0: it is not known, and the peer has to begin */
    uint8_t ip[16];
    uint16_t port;
} wg_endpoint_t;

typedef struct {
    uint8_t pubkey[WG_KEY_LEN], preshared[WG_KEY_LEN];
    wg_endpoint_t endpoint;
    uint8_t index; /* its address is 10.0.1.index, and nothing else */
} wg_peer_t;

typedef struct {
    wg_peer_t peers[WG_PEERS_MAX]; /* by index, each once */
    size_t count;
} wg_table_t;

/* An address by the proven list, of a member that is bound and heard. */
typedef struct {
    addr_t wallet;
    uint8_t index; /* 1 to 254 */
} wg_seat_t;

typedef struct {
    wg_seat_t seats[WG_PEERS_MAX];
    size_t count;
    uint64_t block_number, block_time_s;
} wg_seats_t;

/* What a peer said on its attested connection. */
typedef struct {
    uint64_t line;       /* number of the connection; 0: a free place */
    uint8_t channel[32]; /* EX of its attestation */
    int64_t expires_s;   /* of its attestation */
    addr_t wallet;       /* who signed it */
    uint8_t pubkey[WG_KEY_LEN];
    uint8_t index;
    wg_endpoint_t endpoint; /* of the connection; n 0 when that is relayed */
} wg_claim_t;

/* What becomes of a claim. */
typedef enum {
    WG_WANTED,
    WG_SECOND,      /* good, but another connection of this member counts */
    WG_ALONE,       /* this node has no address itself */
    WG_STALE,       /* the list is too old */
    WG_EXPIRED,     /* the attestation is */
    WG_UNLISTED,    /* nobody has the address, by the list */
    WG_NOT_ITS_OWN, /* another has it */
    WG_KEY_TAKEN,   /* its public key is ours, or of another member that had it first */
    WG_BAD_KEY      /* its public key agrees on nothing with any */
} wg_verdict_t;

/* By what claims are judged. */
typedef struct {
    const wg_seats_t *seats;
    uint64_t max_age_s; /* of the list's block */
    uint64_t now_s;
    addr_t wallet;              /* this node's */
    uint8_t pubkey[WG_KEY_LEN]; /* likewise */
} wg_view_t;

/* A sentence for people. */
const char *wg_verdict_text(wg_verdict_t v);

/* Our own address by the list; 0: none, or the list is too old. */
uint8_t wg_own_index(const wg_view_t *v);

/* The peers that the interface has to have.
 *   verdicts  one for each of the n claims, at most WG_CLAIMS_MAX; of a free place WG_ALONE */
void wg_wanted(wg_table_t *out, wg_verdict_t *verdicts, const wg_claim_t *claims, size_t n, const wg_view_t *v);

/* The preshared key of two interfaces: HKDF-SHA256 of EX, info `kettle-wg-psk/1`, smaller public key, larger. */
void wg_preshared(uint8_t out[WG_KEY_LEN], const uint8_t channel[32], const uint8_t a[WG_KEY_LEN],
                  const uint8_t b[WG_KEY_LEN]);

typedef enum { WG_REMOVE, WG_ADD, WG_MOVE } wg_op_kind_t;

typedef struct {
    wg_op_kind_t kind;
    wg_peer_t peer; /* of WG_REMOVE the key counts, of WG_MOVE the endpoint, too */
} wg_op_t;

/* What makes want of have: all removals come before the first addition, so that no address is two peers'. Their
 * number. An endpoint that is not known leaves the one that is there. */
size_t wg_diff(wg_op_t out[WG_OPS_MAX], const wg_table_t *have, const wg_table_t *want);

#endif
