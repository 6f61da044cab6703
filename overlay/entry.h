/* entry.h - a key generation as it is shown: the entry that its maker wrote, the acknowledgements of members, and both
 * with the order that asked for it as one proof.
 *
 * A proof stands alone: whoever knows the signers of orders, or the first key of the cluster, checks it without asking
 * anybody. An old key's signature is never a reason to accept a new one.
 *
 * Spec:   overlay-facts-more E (E1 to E5, E10, E11)
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_entry.c, tests/fuzz/fuzz_entry.c
 */
#ifndef OVERLAY_ENTRY_H
#define OVERLAY_ENTRY_H

#include "base/crypto/keyring.h"
#include "overlay/order.h"

#define ENTRY_MEMBERS_MAX 64u
#define ENTRY_BODY_MAX (16u + 32u + 8u + 1u + 33u + 8u + 1u + ENTRY_MEMBERS_MAX * 33u + 32u)
#define ENTRY_MAX (ENTRY_BODY_MAX + 2u * 64u)
#define ENTRY_ACK_LEN (32u + 33u + 64u)
#define ENTRY_PROOF_MAX (2u + ORDER_SIGNED_MAX + 2u + ENTRY_MAX + 1u + ENTRY_MEMBERS_MAX * (33u + 64u))

/* What the maker says. The first generation of a cluster has a zero order in its name, one member, and carries the hash
 * of the cluster statement. */
typedef struct {
    key_name_t name;
    uint8_t pubkey[33];
    uint64_t from_slot; /* statements for slots from here on are signed with it */
    uint8_t member_count;
    uint8_t members[ENTRY_MEMBERS_MAX][33]; /* static keys, ascending, the maker's among them */
    hash32_t setup;                         /* of the first generation only */
} entry_t;

/* With both signatures over G, which vouch for the maker and for the key. */
typedef struct {
    entry_t entry;
    hash32_t g; /* SHA-256 of the entry */
    uint8_t by_maker[64], by_key[64];
} entry_signed_t;

/* One member holds the draft and has acknowledged no newer one. */
typedef struct {
    hash32_t g;
    uint8_t key[33]; /* the member's static key */
    uint8_t signature[64];
} entry_ack_t;

/* A committed generation with all that shows it. */
typedef struct {
    bool has_order;       /* false: the first generation */
    order_signed_t order; /* without its text */
    entry_signed_t entry;
    uint8_t ack_count;
    entry_ack_t acks[ENTRY_MEMBERS_MAX]; /* keys ascending; their g is the entry's */
} entry_proof_t;

/* Whether the entry is of a cluster's first generation. */
bool entry_is_first(const entry_t *entry);

/* The place of a static key among the members; -1: none. */
int entry_member_index(const entry_t *entry, const uint8_t key[33]);

/* The entry's bytes, and G. */
void entry_write_body(wr_t *w, const entry_t *entry);
void entry_digest(hash32_t *out, const entry_t *entry);

/* What an acknowledgement signs: SHA-256 of the tag and G. */
void entry_ack_digest(hash32_t *out, const hash32_t *g);

/* Entry and both signatures, the maker's first; at most ENTRY_MAX bytes. */
void entry_write(wr_t *w, const entry_signed_t *entry);

/* Reads that to its end: 1 to 64 members, ascending; the first generation has one and index 0. out written only on
 * RC_OK. RC_MALFORMED, with the field. */
NODISCARD rc_t entry_read(entry_signed_t *out, err_t *e, view_t in);

/* An acknowledgement: G, key, signature; exactly ENTRY_ACK_LEN bytes. RC_MALFORMED. */
void entry_ack_write(wr_t *w, const entry_ack_t *ack);
NODISCARD rc_t entry_ack_read(entry_ack_t *out, err_t *e, view_t in);

/* A proof: length u16 of the order without text (0: none) and the order; length u16 of the entry and the entry; number
 * of acknowledgements u8, (key 33, signature 64) each. */
void entry_proof_write(wr_t *w, const entry_proof_t *p);

/* Reads that to its end; acknowledgements by ascending keys. RC_MALFORMED, with the field. */
NODISCARD rc_t entry_proof_read(entry_proof_t *out, err_t *e, view_t in);

/* That an entry is its maker's: signed by him and by the new key. order: the one that its name names, judged by the
 * caller (NULL: the first generation, whose only member is its maker). RC_REFUSED, with the field. */
NODISCARD rc_t entry_judge(err_t *e, const entry_signed_t *entry, const order_signed_t *order, const ecdsa_t *ecdsa);

/* That an acknowledgement is of a member whom the entry lists, over its G. RC_REFUSED. */
NODISCARD rc_t entry_ack_judge(err_t *e, const entry_ack_t *ack, const entry_signed_t *entry, const ecdsa_t *ecdsa);

/* Whether so many acknowledgements of different members commit the entry: more than half of the listed. A
 * first generation is signed by its only member, and needs none. */
bool entry_commits(const entry_t *entry, size_t acks);

/* That a generation is committed, and of this cluster (E2): its order is valid under rules, the entry its maker's,
 * acknowledged by more than half of the listed. rules->cluster names the first generation's key; zeros: any, and then
 * only a first generation or a valid order vouch for it. RC_REFUSED, with the field. */
NODISCARD rc_t entry_proof_judge(err_t *e, const entry_proof_t *p, const order_rules_t *rules);

/* E11: whether a consumer that knows p takes a statement for a slot that is signed by an older generation. */
bool entry_admits_older(const entry_proof_t *p, uint64_t slot);

/* E11, of all committed generations that a consumer knows: the newest of those that have retired what the generation
 * `by` signs for a slot; NULL: none has. Each newer one counts: what a member's loss of trust made void stays void
 * after a later routine change. */
const entry_proof_t *entry_retired_by(const entry_proof_t *const *known, size_t count, const key_name_t *by,
                                      uint64_t slot);

/* E10: two committed generations of one name, which prove their maker a liar. */
bool entry_proofs_contradict(const entry_proof_t *a, const entry_proof_t *b);

#endif
