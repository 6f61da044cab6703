/* order.h - orders: what the operators of a cluster sign. An order names the policy in force, who makes a new key, and
 * whose seats take part in agreement.
 *
 * Orders are ordered by (version, digest as bytes). A node takes a valid higher one at once and whole, never a lower
 * or an equal one; without signers there is one order for ever, the unsigned one.
 *
 * Spec:   overlay-facts-more F (F1 to F6, F9)
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_order.c, tests/fuzz/fuzz_order.c
 */
#ifndef OVERLAY_ORDER_H
#define OVERLAY_ORDER_H

#include "base/bytes.h"
#include "base/crypto/ecdsa.h"
#include "base/err.h"

#define ORDER_VERSION_END (1ull << 62) /* versions are below */
#define ORDER_MAKERS_MAX 3u
#define ORDER_SEATS_MIN 4u
#define ORDER_SEATS_MAX 64u
#define ORDER_SIGNERS_MAX 16u
#define ORDER_TEXT_MAX (128u << 10) /* bytes of a policy's text */
#define ORDER_BODY_MAX (16u + 8u + 33u + 32u + 8u + 1u + ORDER_MAKERS_MAX * 33u + 1u + ORDER_SEATS_MAX * 32u)
#define ORDER_SIGNED_MAX (ORDER_BODY_MAX + 1u + ORDER_SIGNERS_MAX * (33u + 64u))
#define ORDER_MAX (ORDER_SIGNED_MAX + ORDER_TEXT_MAX)

/* What an order says. */
typedef struct {
    uint64_t version;
    uint8_t cluster[33]; /* public key of the cluster's first generation; zeros: any, then nobody makes a key */
    hash32_t policy;     /* SHA-256 of the policy's text */
    uint64_t void_slot;  /* from here on statements of older generations are void */
    uint8_t maker_count; /* 0 to 3; 0: no new generation, and void_slot means nothing */
    uint8_t makers[ORDER_MAKERS_MAX][33]; /* static keys, in the order of their turns */
    uint8_t seat_count;                   /* 0 or 4 to 64 */
    hash32_t seats[ORDER_SEATS_MAX];      /* platform ids, ascending */
} order_t;

/* Which one it is. */
typedef struct {
    uint64_t version;
    hash32_t digest;
} order_id_t;

typedef struct {
    uint8_t key[33];
    uint8_t signature[64];
} order_signature_t;

/* An order with all that makes it valid. */
typedef struct {
    order_t order;
    order_id_t id;
    uint8_t signature_count;
    order_signature_t signatures[ORDER_SIGNERS_MAX]; /* keys ascending */
    view_t text; /* of the policy, borrowed; n 0: it does not travel with this one */
} order_signed_t;

/* By what orders are judged: from the measured configuration, and what is known by now. */
typedef struct {
    uint8_t threshold; /* of different signers; 0: no signers, no order is valid but the one that the chain lists */
    uint8_t signer_count;
    uint8_t signers[ORDER_SIGNERS_MAX][33];
    uint64_t min_version;
    uint8_t cluster[33]; /* ours, or the one that we are pinned to; zeros: not known yet */
    bool has_listed;     /* membership mode: this digest was read by proof at a finalized block */
    hash32_t listed;
    const ecdsa_t *ecdsa;
} order_rules_t;

/* < 0, 0, > 0: the higher is the one in force. */
int order_id_cmp(const order_id_t *a, const order_id_t *b);

/* The body, and its digest O = SHA-256 of it. The order must be well-formed. */
void order_write_body(wr_t *w, const order_t *o);
void order_digest(hash32_t *out, const order_t *o);

/* Reads a body, to the last byte: tag, counts in range, version below its end, makers distinct and none without a
 * cluster, seats ascending. Whether keys are points is not checked. out written only on RC_OK. RC_MALFORMED, with the
 * field. */
NODISCARD rc_t order_read_body(order_t *out, err_t *e, view_t body);

/* Body, number of signatures u8, (key 33, signature 64) each, and the policy's text to the end. text false: without it,
 * as it travels in proofs. */
void order_write(wr_t *w, const order_signed_t *o, bool text);

/* Reads that, at most ORDER_MAX bytes; signatures by ascending keys. out->text points into in. out written only on
 * RC_OK. RC_MALFORMED, RC_LIMIT. */
NODISCARD rc_t order_read(order_signed_t *out, err_t *e, view_t in);

/* The order of a node that has no signed one (F1): version min_version, any cluster, the policy, nothing else. */
void order_unsigned(order_signed_t *out, const hash32_t *policy, uint64_t min_version);

/* That an order is valid: not below the least version, of our cluster, makers' keys are points, signed by threshold
 * signers or listed by the chain. The text is not looked at. RC_REFUSED, with the field. */
NODISCARD rc_t order_judge(err_t *e, const order_signed_t *o, const order_rules_t *rules);

/* That it may be taken in place of the one in force: valid, higher, and its text hashes right. RC_REPLAY: not higher;
 * RC_REFUSED. Reading the text as a policy is the caller's. */
NODISCARD rc_t order_may_take(err_t *e, const order_signed_t *o, const order_id_t *present, const order_rules_t *rules);

/* The place of a static key among the makers, or of a platform among the seats; -1: none. */
int order_maker_index(const order_t *o, const uint8_t key[33]);
int order_seat_index(const order_t *o, const hash32_t *platform);

#endif
