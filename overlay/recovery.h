/* recovery.h - what outlives a cluster whose nodes have all died: of its newest generation, with all that shows what it
 * is, either the shares of its operators, each sealed to one of them, or the secrets sealed by the TEE provider.
 *
 * Shares are public: GET /v1/recovery/shares, file "recovery" of the state directory. The generation's own key signs
 * all of it, so that nobody puts another statement, policy or order beside somebody's shares. What is sealed whole is
 * authenticated likewise, by its sealing.
 *
 * Bytes, big-endian: `kettle-recover/1`, mode u8 (1 sealed, 2 shares), highest slot signed for u64, length u16 and the
 * cluster statement, length u16 and the first generation's entry (0: the proof is of it, or all who had it died),
 * length u16 and the generation's proof, length u32 and the order in force with its policy's text (0: none was signed);
 * then
 *
 *     1  the secrets, as keyring_keep seals them, over all before
 *     2  threshold u8, number u8, (X25519 key 32, hash 32, box KEY_SHARE_SEALED_LEN) each, and the signature 64 by the
 *        generation's key over SHA-256 of all before
 *
 * Spec:   overlay-facts-more G, E13
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_recovery.c, tests/fuzz/fuzz_recovery.c
 */
#ifndef OVERLAY_RECOVERY_H
#define OVERLAY_RECOVERY_H

#include "overlay/entry.h"
#include "overlay/state.h"

#define RECOVERY_ROW_LEN (X25519_LEN + 32u + KEY_SHARE_SEALED_LEN)
#define RECOVERY_MAX                                                                                                   \
    (16u + 1u + 8u + 2u + STATE_STATEMENT_MAX + 2u + ENTRY_MAX + 2u + ENTRY_PROOF_MAX + 4u + ORDER_MAX + 2u +          \
     KEY_HOLDERS_MAX * RECOVERY_ROW_LEN + 64u) /* bytes */

typedef enum { RECOVERY_SEALED = 1, RECOVERY_SHARES = 2 } recovery_mode_t;

typedef struct {
    recovery_mode_t mode;
    uint64_t slot;    /* the highest that the writer has signed for */
    view_t statement; /* of the cluster, canonical JSON */
    bool has_first;   /* whether the first generation's entry is here: */
    entry_signed_t first;
    entry_proof_t proof;        /* of the generation that is kept */
    view_t order;               /* in force, as order_read takes it; n 0: none was signed */
    uint8_t kept[KEY_KEPT_LEN]; /* of RECOVERY_SEALED */
    /* of RECOVERY_SHARES */
    unsigned threshold, count;
    uint8_t keys[KEY_HOLDERS_MAX][X25519_LEN];
    key_share_box_t boxes[KEY_HOLDERS_MAX];
    uint8_t signature[64];
} recovery_t;

/* Writes what is signed, or authenticated with the secrets; then the signature, or the secrets. */
void recovery_write(wr_t *w, const recovery_t *r);
void recovery_write_end(wr_t *w, const recovery_t *r);

/* Reads both, to the end, at most RECOVERY_MAX bytes; views point into in.
 *   covered  what recovery_write wrote
 * After a failure out holds nothing of use, and covered is untouched. RC_MALFORMED, RC_LIMIT, with the field. */
NODISCARD rc_t recovery_read(recovery_t *out, view_t *covered, err_t *e, view_t in);

/* The first public key of the cluster. */
const uint8_t *recovery_cluster(const recovery_t *r);

/* That what stands beside the secrets belongs together: the first entry is valid and names this statement, and, of
 * shares, the generation's key has signed all. Whether the generation is committed, and of a cluster that may be
 * restored here, gen_restore says. RC_REFUSED, with the field. */
NODISCARD rc_t recovery_judge(err_t *e, const recovery_t *r, view_t covered, const ecdsa_t *ecdsa);

#endif
