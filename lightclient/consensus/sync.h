/* sync.h - the light client as a pure machine: says what it wants, takes answers, knows the verified heads.
 *
 *      NEW -- bootstrap --> SYNCING -- updates up to the current period --> FOLLOWING
 *                              ^------- the clock is a period ahead of what is known ----'
 *
 * Which of the last two holds follows from the store and the time alone, so a machine that slept through several
 * periods heals by asking for updates again. A first synchronisation takes three sequential round trips: bootstrap;
 * updates; finality and optimistic together. With a checkpoint of the current period it takes two: the update that
 * shows the next committee is asked for beside the last two and delays nothing.
 *
 * Time: the caller's clock may be wrong. What two thirds of a committee signed has come, whatever the clock says: a
 * header "from the future" is evidence against the clock (lc_sync_seen) and no fault of its source. The time is then
 * the later of the two. How old the checkpoint is, is judged by that evidence too, until clock and chain agree; from
 * then on the head at which they last did stands in the checkpoint's place.
 *
 * Persistence: store the SSZ of the bootstrap (LC_BOOTSTRAPPED), of every later LC_UPDATE with LC_MOVED_PERIOD in
 * order, and of the last LC_FINALITY with LC_MOVED_FINALIZED. Fed to a new machine in that order, before its first
 * poll, they lead to the same committees and finalized header without any request. (A finality update that moved the
 * period need not be kept: the update that then showed the next committee moves it as well, and the last finality
 * update is kept anyway.)
 *
 * Spec:   consensus-specs specs/{altair..gloas}/light-client/{sync-protocol,light-client}.md
 * Floor:  2, consensus. May include base/, ssz/, bls/. No I/O, clock, thread or randomness: time is an argument.
 * Tests:  tests/unit/test_sync.c, tests/unit/test_gloas.c, tests/fuzz/fuzz_sync.c, vectors kinds lightclient-mainnet,
 *         lightclient-spec, lightclient-gloas, devnet
 */
#ifndef CONSENSUS_SYNC_H
#define CONSENSUS_SYNC_H

#include "base/bytes.h"
#include "base/err.h"
#include "lightclient/consensus/store.h"
#include "lightclient/consensus/types.h"

#define LC_UPDATES_PER_REQUEST_MAX 128u
#define LC_SLOTS_AHEAD 1u /* how far a signature slot may lie ahead of the caller's clock: clocks differ a little */

/* One thing the machine wants from the world; the edge decides how and whom to ask. */
typedef struct {
    lc_kind_t kind;
    hash32_t block_root; /* LC_BOOTSTRAP */
    uint64_t period;     /* LC_UPDATE: first period, */
    uint32_t count;      /*            at most LC_UPDATES_PER_REQUEST_MAX */
} lc_want_t;

/* Clock and chain agree while the newest head is at most so old, and not of the future: as old as a signed one may be,
 * so that endpoints that always lag do not make the trust of a node that signs run out. */
#define LC_IN_STEP_SLOTS 25u

/* The newest slot that is proven to have come. */
typedef struct {
    uint64_t slot;         /* of a header that 2/3 of a committee signed; before any, the checkpoint's */
    uint32_t participants; /* of committee_size; 0: the checkpoint, or nothing yet */
} lc_seen_t;

/* A header that may rest under a signature: at least 2/3 of the committee signed it. Never moves back in slot. */
typedef struct {
    bool valid; /* false: there is none yet */
    bool whole; /* false: from Gloas on header.execution has only the block's hash, until its header is fetched
                   (node/chain/heads.h) */
    lc_header_t header;
    hash32_t beacon_root;
    uint32_t
        participants; /* of committee_size, on the update that proved it; the finalized head: on its attested header */
    uint64_t signature_slot;
} lc_head_t;

typedef enum { LC_STATE_NEW, LC_STATE_SYNCING, LC_STATE_FOLLOWING } lc_state_t;

typedef struct {
    lc_state_t state;
    uint64_t periods_done;  /* since the checkpoint's period */
    uint64_t periods_total; /* up to the period of now; equal to periods_done once following */
    uint64_t finalized_slot;
    uint64_t optimistic_slot;
    uint64_t current_slot; /* by the caller's clock, or by what was signed if that is later */
} lc_progress_t;

/* How old a checkpoint may be, in milliseconds: age_max_s, or where that is 0 the network's weak-subjectivity bound. */
uint64_t lc_checkpoint_bound_ms(const lc_network_t *net, uint64_t age_max_s);

typedef struct lc_sync lc_sync_t;

typedef struct {
    const lc_network_t *network;   /* borrowed; must outlive the machine; lc_network_check has accepted it */
    hash32_t checkpoint;           /* trusted beacon block root */
    uint64_t checkpoint_age_max_s; /* weak-subjectivity bound; 0: the network's own (checkpoint_age_epochs of forks.h,
                                      14 days on the public networks) */
    bool replay_is_trusted; /* what is fed before the first poll was stored and authenticated by this very node: the
                               bound then holds for where the replay ends (checked by the first poll, which forgets a
                               store that is too old and begins anew), not for the bootstrap with which it begins */
} lc_sync_config_t;

/* NULL: out of memory. Freed with lc_sync_free (NULL allowed). */
lc_sync_t *lc_sync_new(const lc_sync_config_t *config);
void lc_sync_free(lc_sync_t *s);

/* What an accepted input changed; bits. LC_MOVED_PERIOD: a committee became known or the finalized header entered a new
 * period. */
enum { LC_MOVED_HEAD = 1, LC_MOVED_FINALIZED = 2, LC_MOVED_PERIOD = 4, LC_BOOTSTRAPPED = 8 };

/* Feeds one SSZ object, as the answer to a want of that kind. All objects of an answer to LC_UPDATE are fed, in
 * their order, before the next poll.
 *   moved  receives LC_MOVED_ bits (0: valid but nothing new); written only on RC_OK
 * RC_MALFORMED, RC_REFUSED: the source is at fault, and the store is byte-identical; RC_REPLAY: valid form, but
 * older than what is known (no offence for finality and optimistic updates); RC_LIMIT: the checkpoint is too old,
 * which an update can show as well: all is forgotten then; RC_NEED_DATA, nobody's fault: signed by a committee that is
 * not known yet (the updates are wanted), or for a slot that neither the clock nor what was signed has reached;
 * RC_UNSUPPORTED: signed under the version of a fork that has not begun by the network's schedule (lc_sync_ahead). */
NODISCARD rc_t lc_sync_input(lc_sync_t *s, unsigned *moved, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz,
                             uint64_t now_ms);

/* The same for an object that nobody asked for: what is wanted, and when, changes only where it moved something. So who
 * sends again and again what is known already, or little signed, keeps no endpoint from being asked. */
NODISCARD rc_t lc_sync_offer(lc_sync_t *s, unsigned *moved, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz,
                             uint64_t now_ms);

/* Looks whether an update, whose source says that it is of a fork without rows here, is signed under the version that
 * the network has of that one; in the form of fork, if it is in that at all. Then lc_sync_ahead names it. */
void lc_sync_look_ahead(lc_sync_t *s, lc_kind_t kind, lc_fork_t fork, view_t ssz, uint64_t now_ms);

/* Tells the machine that a want was not answered: transport, an empty list of updates, or an input with another result
 * than RC_OK and RC_REPLAY. It will be asked again after a back-off, with a smaller count in the case of updates.
 * Without effect when the want is not out any more, because an earlier object of the same answer was taken. */
void lc_sync_failed(lc_sync_t *s, const lc_want_t *want, uint64_t now_ms);

/* Moves due wants to out (at most cap) and returns their number; *wake_ms: when to call again at the latest. An input
 * or a failure is a reason to call again at once (after all objects of the answer). A want is given out once until it
 * is answered or failed, or LC_WANT_TIMEOUT_MS have passed. In a steady state one new head costs one request (the
 * optimistic update); the finality update is asked for about once an epoch, together with an optimistic one. */
#define LC_WANT_TIMEOUT_MS 120000u
size_t lc_sync_poll(lc_sync_t *s, lc_want_t *out, size_t cap, uint64_t *wake_ms, uint64_t now_ms);

/* The heads: latest = newest attested header with 2/3 participation; finalized = newest header that such an update
 * proves finalized. */
void lc_sync_latest(const lc_sync_t *s, lc_head_t *out);
void lc_sync_finalized(const lc_sync_t *s, lc_head_t *out);
void lc_sync_progress(const lc_sync_t *s, lc_progress_t *out, uint64_t now_ms);

/* The name of a fork that the chain is in, and by the network's schedule is not (lc_store_signed_ahead): this is
 * proven, so it stays. NULL: there is none. */
const char *lc_sync_ahead(const lc_sync_t *s);

/* What was signed, for whoever doubts a clock. Only ever grows. */
void lc_sync_seen(const lc_sync_t *s, lc_seen_t *out);

/* The specification's store, borrowed; NULL before the bootstrap. */
const lc_store_t *lc_sync_store(const lc_sync_t *s);

#endif
