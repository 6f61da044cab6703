/* membership.h - the key `membership`: which contract lists the cluster's members, and how its list is read.
 *
 *     { "contract": "0x...", "mode": "tls", "attested_only": false, "block": "finalized", "max_age_s": 1536,
 *       "every": 1, "gateway_domain": "example.com", "fee_cap": 100000000000, "overlay_port": 4001,
 *       "socket": "/run/kettle/p2p.sock" }
 *
 * Spec:   DStack P2P SDK Specification; docs/sdk.md
 * Floor:  5, node/config. No I/O; texts in the caller's arena.
 * Tests:  tests/unit/test_config.c, tests/fuzz/fuzz_config.c
 */
#ifndef NODE_CONFIG_MEMBERSHIP_H
#define NODE_CONFIG_MEMBERSHIP_H

#include "base/json.h"
#include "rpc/members/members.h"

#define MEMBERSHIP_SOCKET "/run/kettle/p2p.sock"
#define MEMBERSHIP_SOCKET_MAX 107u       /* bytes of a path that a socket can have */
#define MEMBERSHIP_EVERY_MAX 1024u       /* blocks */
#define MEMBERSHIP_MAX_AGE_MAX 86400u    /* seconds */
#define MEMBERSHIP_FEE_CAP 100000000000u /* wei: 100 gwei */
#define MEMBERSHIP_DOMAIN_MAX 189u       /* characters: an instance's label comes before it */

/* The words of block, in their order. */
typedef enum { MEMBERSHIP_FINALIZED, MEMBERSHIP_LATEST } membership_block_t;

typedef struct {
    bool is_set; /* the key is there; all below are meaningless without */
    addr_t contract;
    unsigned mode;              /* a members_mode_t */
    unsigned block;             /* a membership_block_t: at which head the list is read */
    uint64_t max_age_s;         /* of a list that is given */
    uint64_t every;             /* a list is good for so many blocks */
    bool attested_only;         /* false: the contract's word is given */
    const char *gateway_domain; /* of endpoints in mode tls; NULL: any */
    uint16_t overlay_port;      /* at which members are dialled; 0: this node's own */
    uint64_t fee_cap;           /* wei for a unit of gas that a transaction pays at most */
    const char *socket;         /* where programs on this machine ask */
} membership_t;

/* "tls", "wireguard", and "finalized", "latest"; then NULL. */
extern const char *const MEMBERSHIP_MODES[], *const MEMBERSHIP_BLOCKS[];

/* Reads the object of a key; faults stick in the document of o. */
void membership_read(membership_t *out, arena_t *arena, const jo_t *o, const char *key);

#endif
