/* bracha_state.h - what a node of reliable broadcast holds, and what its files ask of each other. For bracha*.c alone.
 *
 * bracha_rules.c counts and decides, bracha_own.c sends what is ours, bracha_out.c says what is to be done,
 * bracha_store.c remembers.
 *
 * Floor:  4, overlay. No I/O, clock or thread.
 */
#ifndef OVERLAY_BRACHA_STATE_H
#define OVERLAY_BRACHA_STATE_H

#include "overlay/bracha_store.h"
#include "overlay/guard.h"

#define BR_OUT_MAX 2048u
#define BR_EVIDENCE_MAX 32u
#define BR_OWN_MAX BRACHA_OPEN_MAX
#define BR_BUFFERED_MAX 1024u /* votes of instances whose SEND is not here yet */
#define BR_BUFFERED_PER_BOOT_MAX 128u

typedef struct {
    uint8_t from[33];
    uint64_t at_ms;
    bracha_vote_t vote;
} br_buffered_t;

/* A SEND of an order that is not taken yet. */
typedef struct {
    bracha_send_t send;
    uint8_t *payload;
    hash32_t id;
} br_held_t;

/* A message of our own, until we deliver it. */
typedef struct {
    bool there, stale;
    uint32_t kind;
    uint8_t *payload;
    size_t n;
    hash32_t instance, previous;
    uint64_t sent_ms;
} br_own_t;

/* What is to be done; a SEND or DELIVER names a value of an instance, a CERT its certificate. */
typedef struct {
    bracha_out_kind_t kind;
    bool to_all;
    uint8_t to[33];
    hash32_t instance, hash;
    bracha_step_t step; /* of a VOTE */
    uint8_t signature[64];
} br_action_t;

struct bracha {
    bracha_config_t c;
    bool has_order;
    order_id_t order;
    uint64_t order_ms;
    uint8_t n; /* seats; 0: no agreement */
    hash32_t seats[ORDER_SEATS_MAX];
    uint64_t seq;
    bs_t store;
    br_own_t own[BR_OWN_MAX];
    br_held_t held[BRACHA_HELD_MAX];
    size_t held_count;
    br_buffered_t buffered[BR_BUFFERED_MAX];
    size_t buffered_count;
    br_action_t *out; /* a ring of BR_OUT_MAX */
    size_t out_first, out_count;
    bracha_evidence_t evidence[BR_EVIDENCE_MAX]; /* goes before all else */
    size_t evidence_count;
    uint8_t *polled; /* payload of the last SEND or DELIVER */
};

/* The place of a platform among seats; -1: none. */
int br_index_of(const hash32_t *seats, size_t n, const hash32_t *platform);

/* Our seat under the present order; -1: none. */
int br_own_seat(const bracha_t *b);

/* A vote is to be sent; to NULL: to all. signature: of a READY, else NULL. */
void br_say(bracha_t *b, const uint8_t *to, bracha_step_t step, const hash32_t *instance, const hash32_t *hash,
            const uint8_t *signature);

/* A SEND, a certificate or a delivery of an instance's message is to go out. */
void br_show(bracha_t *b, bracha_out_kind_t kind, const uint8_t *to, const hash32_t *instance, const hash32_t *hash);

/* A member said two things; signatures: of what is signed. */
void br_accuse(bracha_t *b, bracha_step_t step, const uint8_t who[33], const hash32_t *instance,
               const hash32_t *const hashes[2], const uint8_t *const signatures[2]);

/* Whether one more instance of a sender is taken. RC_LIMIT. */
NODISCARD rc_t br_admit(bracha_t *b, err_t *e, const hash32_t *id, const hash32_t *hash, const bracha_send_t *s);

/* Takes a SEND that was judged. RC_LIMIT, RC_NOMEM, RC_REFUSED. */
NODISCARD rc_t br_enter(bracha_t *b, err_t *e, const hash32_t *id, const hash32_t *hash, const bracha_send_t *s,
                        uint64_t now_ms);

/* Our own message of an instance is delivered. */
void br_forget_own(bracha_t *b, const hash32_t *instance);

/* Sends anew what of ours was not delivered in time. */
void br_send_again(bracha_t *b, uint64_t now_ms);

#endif
