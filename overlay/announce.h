/* announce.h - what a member announces of the chain, signed by its static key so that it can be held against it: two
 * announcements that name different roots for one slot are evidence against that member, whoever has both.
 *
 *     digest:   SHA-256( tag 16 | what is there u8 | signed slot u64 | finalized slot u64, root 32 |
 *                        optimistic slot u64, root 32 )                                              big-endian
 *     evidence: static key 33, then twice: the digest's bytes without their tag (89), signature 64
 *
 * A head may be given up for another block, which then becomes final; so finalized roots are compared with finalized
 * ones, and optimistic with optimistic. An honest member names one optimistic root for a slot, as its head only moves
 * to higher ones while it runs, and its static key is of one run.
 *
 * Spec:   overlay-facts-more C5, F10; issue 13, step 6
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_announce.c, tests/fuzz/fuzz_announce.c
 */
#ifndef OVERLAY_ANNOUNCE_H
#define OVERLAY_ANNOUNCE_H

#include "overlay/state.h"

#define ANNOUNCE_LEN 89u
#define ANNOUNCE_EVIDENCE_LEN (33u + 2u * (ANNOUNCE_LEN + 64u))
#define ANNOUNCE_MEMBERS_MAX 64u /* whose announcements are remembered; the oldest make room, */
#define ANNOUNCE_EACH_MAX 16u    /* and of each so many */

typedef struct {
    bool has_signed, has_finalized, has_optimistic;
    uint64_t signed_slot; /* the highest for which it has signed */
    uint64_t finalized_slot, optimistic_slot;
    hash32_t finalized_root, optimistic_root; /* what is not there is zero */
} announce_t;

typedef struct {
    announce_t said;
    uint8_t signature[64];
} announce_signed_t;

typedef struct {
    uint8_t key[33];
    announce_signed_t one, other;
} announce_evidence_t;

/* What a state announces. */
void announce_of(announce_t *out, const state_t *s);

/* Whether it says anything. */
bool announce_any(const announce_t *a);

/* What its signature is over. */
void announce_digest(hash32_t *out, const announce_t *a);

/* That it is of this static key. RC_REFUSED. */
NODISCARD rc_t announce_judge(err_t *e, const announce_signed_t *a, const uint8_t key[33], const ecdsa_t *ecdsa);

/* Whether nobody can honestly say both. */
bool announce_contradict(const announce_t *a, const announce_t *b);

/* An announcement with its signature, as it travels: ANNOUNCE_LEN + 64 bytes. RC_MALFORMED. */
void announce_write(wr_t *w, const announce_signed_t *a);
NODISCARD rc_t announce_read(announce_signed_t *out, err_t *e, view_t in);

/* Evidence, to its end. RC_MALFORMED. */
void announce_evidence_write(wr_t *w, const announce_evidence_t *x);
NODISCARD rc_t announce_evidence_read(announce_evidence_t *out, err_t *e, view_t in);

/* That it is evidence: both are of this key, and contradict. RC_REFUSED. */
NODISCARD rc_t announce_evidence_judge(err_t *e, const announce_evidence_t *x, const ecdsa_t *ecdsa);

/* --- what was announced --- */

typedef struct {
    uint8_t key[33];
    uint64_t used; /* 0: free */
    announce_signed_t said[ANNOUNCE_EACH_MAX];
    size_t count; /* that were noted in all */
} announce_member_t;

typedef struct {
    announce_member_t members[ANNOUNCE_MEMBERS_MAX];
    uint64_t turn;
} announce_book_t;

/* Notes an announcement that is judged already. True: it contradicts one that was noted before; out is the evidence. */
bool announce_note(announce_book_t *b, announce_evidence_t *out, const uint8_t key[33], const announce_signed_t *a);

#endif
