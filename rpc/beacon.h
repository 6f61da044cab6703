/* beacon.h - beacon API light-client routes: paths to ask, answers to SSZ objects. JSON answers are transcoded to SSZ by a
 * table of the schema, so that consensus/ knows one input form only.
 *
 * Spec:   ethereum/beacon-APIs /eth/v1/beacon/light_client/...
 * Floor:  5, rpc. May include lightclient/. Bytes in, bytes out.
 * Tests:  tests/unit/test_beacon.c, tests/fuzz/fuzz_beacon.c
 */
#ifndef RPC_BEACON_H
#define RPC_BEACON_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "lightclient/consensus/sync.h"

#define BN_PATH_MAX 160u
#define BN_BODY_MAX (16u << 20) /* bytes of one answer: 128 updates and slack */
#define BN_ACCEPT "application/octet-stream;q=1,application/json;q=0.9"

typedef struct {
    lc_fork_t fork;
    view_t ssz;
} bn_object_t;

/* Path and query of a want, NUL-terminated, beginning with "/eth/v1/". */
void bn_path(char out[BN_PATH_MAX], const lc_want_t *want);

/* Decodes the body of a 200 answer into at most want->count objects (LC_UPDATE; may be fewer) or exactly one.
 *   content_type       header value; decides between SSZ and JSON
 *   consensus_version  Eth-Consensus-Version header or NULL; required for SSZ except LC_UPDATE, which carries fork digests
 *   out, count         objects in the arena (or borrowed from body)
 *   why                sentence that names the field at fault
 * RC_MALFORMED, RC_LIMIT, RC_REFUSED (a fork version or digest that is not of this network). */
NODISCARD rc_t bn_decode(bn_object_t *out, size_t *count, arena_t *a, char *why, size_t why_cap, const lc_network_t *net,
                         const lc_want_t *want, const char *content_type, const char *consensus_version, view_t body);

#endif
