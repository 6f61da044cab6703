/* beacon.h - beacon API light-client routes: paths to ask, answers to SSZ objects. JSON answers are transcoded to SSZ
 * by a table of the schema, so that consensus/ knows one input form only.
 *
 * Spec:   ethereum/beacon-APIs apis/beacon/light_client; consensus-specs ssz/simple-serialize.md (JSON mapping)
 * Floor:  3, rpc/upstream. May include lightclient/. Bytes in, bytes out.
 * Tests:  tests/unit/test_beacon.c, tests/fuzz/fuzz_beacon.c, vectors kind beacon-json
 */
#ifndef RPC_UPSTREAM_BEACON_H
#define RPC_UPSTREAM_BEACON_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"
#include "lightclient/consensus/sync.h"

#define BN_PATH_MAX 160u
#define BN_BODY_MAX (16u << 20)         /* bytes of one answer, whatever was asked */
#define BN_OBJECT_BODY_MAX (256u << 10) /* bytes of an answer for each object that was asked for */
#define BN_ACCEPT "application/octet-stream;q=1,application/json;q=0.9"

typedef struct {
    lc_fork_t fork;
    view_t ssz;
    bool newer; /* it is said to be of a fork that the network names and that has no rows here, and is in the newest
                   known form: of no use but for what is signed (lc_sync_look_ahead). Never LC_BOOTSTRAP, LC_UPDATE */
} bn_object_t;

#define BN_ACCEPT_JSON "application/json"

/* Whether an answer to a request that preferred SSZ may be had as JSON instead: a refusal of that form, or, given that
 * an answer of 200 could not be used, one in SSZ. */
bool bn_try_json(int status, const char *content_type);

/* The slot of an update's attested header (not LC_BOOTSTRAP), as it claims. False: it is too short to say. */
bool bn_slot(uint64_t *out, const bn_object_t *update);

/* The period whose committee attested an update (not LC_BOOTSTRAP), as it claims. False: it is too short to say. */
bool bn_period(uint64_t *out, const lc_network_t *net, const bn_object_t *update);

/* Path and query of a want, NUL-terminated, beginning with "/eth/v1/". */
void bn_path(char out[BN_PATH_MAX], const lc_want_t *want);

/* Most bytes that the body of an answer to a want may have; for the edge, which need not read further. */
size_t bn_body_max(const lc_want_t *want);

/* Decodes the body of a 200 answer into at most want->count objects (LC_UPDATE; may be fewer, even none) or exactly
 * one.
 *   content_type       header value; decides between SSZ and JSON
 *   consensus_version  Eth-Consensus-Version header or NULL; not looked at for LC_UPDATE, whose objects carry their own
 *                      fork. Where JSON has no "version", it decides. Where nothing says the fork, the slot of the
 *                      (attested) header does
 *   out                at least want->count (LC_UPDATE) or 1 elements; objects in the arena (or borrowed from body)
 *   e                  names the field at fault ("data.attested_header.beacon.slot"; empty: the answer as a whole),
 *   and repeats
 *                      nothing that the API chose
 * JSON: no missing or repeated fields, nor one of another fork; what no specification knows is passed over. Numbers
 * as decimal strings, byte strings as 0x and exactly their length. SSZ objects are bounded here and decoded by
 * consensus/. RC_MALFORMED, RC_LIMIT, RC_NOMEM; RC_UNSUPPORTED: a fork version or digest that is not known: it claims a
 * newer fork. */
NODISCARD rc_t bn_decode(bn_object_t *out, size_t *count, err_t *e, arena_t *a, const lc_network_t *net,
                         const lc_want_t *want, const char *content_type, const char *consensus_version, view_t body);

/* The way back: writes an object as the value data of an answer in JSON has it (beacon_write.c). RC_MALFORMED: its
 * bytes are not of this kind and fork, and what was written is of no use; and what w says. */
NODISCARD rc_t bn_write(jw_t *w, const char *key, const lc_network_t *net, lc_kind_t kind, const bn_object_t *object);

#endif
