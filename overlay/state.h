/* state.h - the bytes of /kettle/state/1: what each end tells the other once both are attested, and again on change.
 *
 * Claims of a slot count only with the light-client update beside them, which the receiver's own store verifies; here
 * they are bytes. The sender's static key signs the whole, and what it announces of the chain once more by itself: two
 * that contradict each other are evidence against it (overlay/announce.h).
 *
 * Spec:   overlay-facts-more J (/kettle/state/1), F5; fields 10 to 14 are ours: the cluster statement and the first
 *         generation's entry, which a joiner compares before it asks for the key, whether the sender holds it, which
 *         order it runs by now, and the signature of what it announces
 * Floor:  4, overlay. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_state.c, tests/fuzz/fuzz_state.c
 */
#ifndef OVERLAY_STATE_H
#define OVERLAY_STATE_H

#include "overlay/entry.h"

#define STATE_PROTOCOL "/kettle/state/1"
#define STATE_MAX (256u << 10)       /* bytes of a message */
#define STATE_UPDATE_MAX (32u << 10) /* bytes of a light-client update: fork digest 4, SSZ */
#define STATE_STATEMENT_MAX 8192u    /* bytes of a cluster statement */

/* A slot, and what proves it. */
typedef struct {
    bool is_there;
    uint64_t slot;
    hash32_t root; /* beacon block root; zeros in highest_signed, which has none */
    view_t update; /* n 0: unproven */
} state_claim_t;

typedef struct {
    bool has_generation; /* the newest committed one that the sender knows: */
    uint64_t version;
    uint32_t index;
    bool holds;      /* the sender has its secrets */
    order_id_t runs; /* the order that the sender runs */
    view_t order;    /* the sender's whole order; n 0: the receiver's was not lower */
    state_claim_t highest_signed, finalized, optimistic;
    bool has_platform;
    hash32_t platform;
    bool has_ephemeral;
    uint8_t ephemeral[32]; /* X25519, for a draft */
    view_t statement;      /* cluster statement, canonical JSON; n 0: the sender has no cluster yet */
    view_t bootstrap;      /* entry of the cluster's first generation; n 0 likewise */
    bool has_announced;    /* there is a claim: */
    uint8_t announced[64]; /* signature of what it announces (overlay/announce.h) */
    uint8_t signature[64];
} state_t;

/* Reads a message to its end; views point into it. signed_part: what the signature covers, the message without it
 * (the signature stands last). out, signed_part written only on RC_OK. RC_MALFORMED, RC_LIMIT. */
NODISCARD rc_t state_read(state_t *out, view_t *signed_part, err_t *e, view_t message);

/* Writes a message without its length and signature, which state_put_signature puts behind it. */
void state_write(wr_t *w, const state_t *s);
void state_put_signature(wr_t *w, const uint8_t signature[64]);

/* What is signed: SHA-256 of the tag and the message without its signature. */
void state_digest(hash32_t *out, view_t signed_part);

#endif
