/* lie.h - the record of a lie: what an endpoint was asked, what it answered, and what that contradicts, so that
 * anybody can see for himself (kettle fault FILE). One JSON object:
 *
 *     kettle_lie    1
 *     at            when, as 2025-05-14T00:00:00Z
 *     endpoint      its place in the configuration then: "execution_rpc[0]"; never its URL
 *     endpoint_id   16 digits that tell one endpoint from another, whatever its place, to the node that wrote them and
 *                   to nobody else; left out in older records
 *     network       name of the chain
 *     reason        the sentence of the refusal
 *
 *   of an execution RPC
 *     block         {"number": "0x..", "hash": "0x..", "state_root": "0x.."}: the verified block that it was asked
 *                   about
 *     expected      hash that the code, header or access list has to have; left out where the request says it
 *     header        RLP of the header, of which the receipts have to be
 *     request       the JSON-RPC request, this element alone
 *     answer        the result, as it came, in an envelope with that request's id; null: longer than LIE_ANSWER_MAX,
 *                   and answer_bytes says how long
 *
 *   of a beacon API
 *     request       "GET " and the path
 *     object        {"kind": "updates", "fork": "electra", "ssz": "0x.."}: the object at fault
 *     checkpoint    of a bootstrap: the trusted block root
 *     held_to       otherwise: {"slot": "..", "finalized_slot": "..", "committee": "0x..", "next_committee": "0x.."}:
 *                   the slot of then, and of the store; a committee is its compressed keys and the aggregate key, the
 *                   next one is left out when not known
 *
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_lie.c, tests/fuzz/fuzz_lie.c
 */
#ifndef RPC_UPSTREAM_LIE_H
#define RPC_UPSTREAM_LIE_H

#include "base/arena.h"
#include "base/err.h"
#include "lightclient/consensus/sync.h"
#include "lightclient/exec/query.h"

#define LIE_ANSWER_MAX (256u << 10) /* bytes of an answer that are kept */
#define LIE_RECORD_MAX (768u << 10) /* bytes of one record */
#define LIE_ENDPOINT_MAX 32u
#define LIE_ID_LEN 16u
#define LIE_NAME_MAX 64u
#define LIE_REASON_MAX 240u

/* All views are borrowed, or in the arena of lie_read. */
typedef struct lie {
    int64_t at_s;
    view_t endpoint, network, reason;
    view_t endpoint_id; /* empty: not known */
    view_t request;     /* JSON, or of a beacon API "GET " and the path */
    bool beacon;        /* else an execution RPC */

    hash32_t block_hash, state_root;
    uint64_t block_number;
    bool has_expected;
    hash32_t expected;
    view_t header;       /* RLP; empty: none */
    view_t answer;       /* JSON; empty: too long */
    size_t answer_bytes; /* of one that is too long */

    lc_kind_t kind;
    lc_fork_t fork;
    view_t object; /* SSZ */
    hash32_t checkpoint;
    uint64_t slot, finalized_slot;
    view_t committee, next_committee; /* empty: not known */
} lie_t;

/* Fills what a lie of an execution RPC holds, but for at_s, endpoint, endpoint_id, network and reason, from an answer
 * to a batch.
 *   q, i       the query, and which of its needs it was
 *   need, id   that need as it was asked, and the id of its element in the batch
 *   body       of the answer
 * RC_NOMEM; RC_MALFORMED: the body has no such element. */
NODISCARD rc_t lie_of_answer(lie_t *out, err_t *e, arena_t *a, query_t *q, size_t i, const need_t *need, uint64_t id,
                             view_t body);

/* Fills what a lie of a beacon API holds, but for the same: an object that came as the answer to a want and that this
 * store (NULL: none yet) or the checkpoint contradicts. slot: that objects may be of at most. RC_NOMEM. */
NODISCARD rc_t lie_of_object(lie_t *out, err_t *e, arena_t *a, const lc_want_t *want, lc_fork_t fork, view_t ssz,
                             const hash32_t *checkpoint, const lc_store_t *store, uint64_t slot);

/* The record's text, in the arena. RC_NOMEM; RC_LIMIT: longer than LIE_RECORD_MAX. */
NODISCARD rc_t lie_write(view_t *out, err_t *e, arena_t *a, const lie_t *lie);

/* Reads a record. RC_MALFORMED: e names the field; RC_LIMIT; RC_UNSUPPORTED: of another version; RC_NOMEM. */
NODISCARD rc_t lie_read(lie_t *out, err_t *e, arena_t *a, view_t text);

/* Checks the answer of a record once more.
 *   net  of a beacon API: the network; else not looked at
 * RC_REFUSED: it is a lie, and e says what contradicts; RC_OK: the answer holds; RC_UNSUPPORTED, RC_NEED_DATA: the
 * record has not what it takes; RC_REPLAY: it is old, and no lie; RC_MALFORMED, RC_LIMIT: request or answer cannot be
 * read; RC_NOMEM. */
NODISCARD rc_t lie_replay(err_t *e, arena_t *a, const lie_t *lie, const lc_network_t *net);

#endif
