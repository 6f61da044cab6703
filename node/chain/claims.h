/* claims.h - what members claim of the chain, judged by this node's own store on the follower's thread.
 *
 *     claims_put (the overlay's thread) -> claims_turn (the follower's): each claim is fed to the store as an answer of
 *     an endpoint is, so what is proven and newer is taken over -> told to who listens
 *
 * A claim is proven when its update proves the very header that is claimed, by two thirds of the committee. What cannot
 * be judged before the committees up to the present are known waits for that. The newest headers are kept with their
 * updates: to show them to members, and to see when a proven header contradicts another one of its slot. Then both
 * updates are the evidence, which stands alone:
 *
 *     evidence: tag 16, twice: kind u8 (LC_FINALITY, LC_OPTIMISTIC), length u32, fork digest 4 and SSZ    big-endian
 *
 * Spec:   overlay-facts-more C5, C7; issue 13, step 6
 * Floor:  5, node/chain. Thread-safe. No I/O.
 * Tests:  tests/unit/test_chain_claims.c, tests/fuzz/fuzz_split.c
 */
#ifndef NODE_CHAIN_CLAIMS_H
#define NODE_CHAIN_CLAIMS_H

#include "base/os/worker.h"
#include "lightclient/consensus/sync.h"
#include "overlay/floor.h"
#include "overlay/state.h"

#define CLAIMS_EVIDENCE_MAX 4u                                /* ... pieces of evidence, beside them */
#define CLAIMS_WAITING_MAX 64u                                /* states that wait to be judged */
#define CLAIMS_PROOF_MAX 8192u                                /* bytes of an update that is kept */
#define CLAIMS_PROOFS_MAX 64u                                 /* headers of each kind that are kept */
#define CLAIMS_SPLIT_MAX (16u + 2u * (5u + CLAIMS_PROOF_MAX)) /* bytes of evidence */

typedef struct claims claims_t;

/* Who is told; on the follower's thread. */
typedef struct {
    /* Of one claim; false: it is to be judged again (floor_claim). */
    bool (*claimed)(void *ctx, uint64_t number, floor_kind_t kind, uint64_t slot, floor_proof_t proof);
    /* All that a state claims is told. */
    void (*answered)(void *ctx, uint64_t number);
    /* Two headers of this slot are proven. evidence: borrowed. */
    void (*split)(void *ctx, uint64_t slot, view_t evidence);
    void *ctx;
} claims_listener_t;

/* network: borrowed. NULL: out of memory. */
claims_t *claims_new(const lc_network_t *network);
void claims_free(claims_t *c);

/* Who is told from now on, and who is woken when something waits; NULL: nobody. */
void claims_listen(claims_t *c, const claims_listener_t *listener);
void claims_wakes(claims_t *c, worker_t *w);

/* Copies what a state, that came on a connection, claims of the chain; what the same one claimed before is judged no
 * more. RC_LIMIT: too many wait; RC_NOMEM. */
NODISCARD rc_t claims_put(claims_t *c, uint64_t number, const state_t *state);

/* Copies evidence that somebody brought, to be judged likewise. RC_LIMIT: too long, or too many wait; RC_NOMEM. */
NODISCARD rc_t claims_put_evidence(claims_t *c, view_t evidence);

/* --- the follower's thread --- */

/* Feeds one object to the store; what lc_sync_input says. */
typedef rc_t (*claims_feed_fn)(void *ctx, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz);

/* Judges what waits. True: something was fed, and may have moved the heads. */
bool claims_turn(claims_t *c, const lc_sync_t *sync, claims_feed_fn feed, void *ctx, uint64_t now_ms);

/* Keeps the header that an accepted object has moved to. */
void claims_note(claims_t *c, const lc_sync_t *sync, unsigned moved, lc_kind_t kind, lc_fork_t fork, view_t ssz);

/* --- what is proven --- */

/* The newest header that is kept, of attested or finalized ones (at most of this slot), with its update in buf. False:
 * there is none. */
bool claims_newest(claims_t *c, state_claim_t *out, uint8_t buf[CLAIMS_PROOF_MAX], bool finalized, uint64_t up_to);

/* Reads evidence to its end; views point into it. RC_MALFORMED. */
typedef struct {
    lc_kind_t kinds[2];
    view_t updates[2];
} claims_split_t;
NODISCARD rc_t claims_split_read(claims_split_t *out, err_t *e, view_t in);
void claims_split_write(wr_t *w, const claims_split_t *s);

#endif
