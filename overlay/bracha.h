/* bracha.h - reliable broadcast among the seats of a signed order: two members never deliver different messages of one
 * instance, and what one living correct member delivers all do. One node's part, as a machine without I/O.
 *
 *     SEND -> ECHO at the first SEND of an instance -> READY at e ECHOs or f+1 READYs -> deliver at 2f+1 READYs
 *     n seats, f = floor((n-1)/3), e = floor((n+f)/2)+1
 *
 * A seat is a platform of the order's list; whoever attested with it may vote for it, but an instance is bound to the
 * boots that its SEND lists, so a restarted node, which forgot its votes, cannot vote again in it. An instance
 * belongs to one order; who has taken another votes no more in it. 2f+1 signed READYs are a certificate; a
 * newcomer, which never attested the signers, delivers when f+1 seats vouch that they have. Votes are sent again
 * on every new connection. Below four seats nothing is agreed: bracha_send says so and never degrades.
 *
 * Delivery is at least once: a sender that does not see its own delivery sends anew; applications tell repetitions by
 * an id of their own.
 *
 * Spec:   overlay-facts-more D1 to D8, D10, D11; bytes: overlay/bracha_wire.h
 * Floor:  4, overlay. No I/O, clock or thread; instances are on the heap, within the bounds below.
 * Tests:  tests/unit/test_bracha.c, tests/overlay
 */
#ifndef OVERLAY_BRACHA_H
#define OVERLAY_BRACHA_H

#include "overlay/order.h"

#define BRACHA_PAYLOAD_MAX (64u << 10)
#define BRACHA_DURABLE 0x80000000u /* bit of kinds whose messages are kept until every present boot has them */
#define BRACHA_OPEN_MAX 64u        /* instances of one platform that are not delivered; with more than 16 seats less */
#define BRACHA_SENDER_BYTES_MAX (1u << 20) /* of one platform, 4 KiB for each instance; with more than 16 seats less */
#define BRACHA_KEEP_MS 600000u             /* of kinds that later ones supersede */
#define BRACHA_EMPTY_MS 86400000u          /* an empty seat holds nothing up for longer */
#define BRACHA_AGAIN_MS 30000u             /* a sender that has not seen its own delivery sends anew */
#define BRACHA_HELD_MAX 64u                /* SENDs that wait for an order */

/* ---- what travels ---- */

typedef struct {
    hash32_t order; /* O */
    uint8_t sender[33];
    uint64_t seq;
    uint8_t boot_count;
    uint8_t boots[ORDER_SEATS_MAX][33]; /* the boot that the sender attested last for each seat; zeros: none */
    uint32_t kind;
    view_t payload;
    hash32_t again;        /* the instance that this one repeats; zeros: none */
    uint8_t signature[64]; /* by the sender over bracha_send_digest */
} bracha_send_t;

typedef enum { BRACHA_ECHO = 1, BRACHA_READY = 2, BRACHA_PULL = 3, BRACHA_DELIVERED = 4 } bracha_step_t;

typedef struct {
    bracha_step_t step;
    hash32_t instance, hash; /* hash of PULL: zeros: any */
    uint8_t signature[64];   /* of READY: over bracha_ready_digest */
} bracha_vote_t;

typedef struct {
    uint8_t seat;
    uint8_t signature[64];
} bracha_share_t;

typedef struct {
    hash32_t instance, hash;
    uint8_t count;
    bracha_share_t shares[ORDER_SEATS_MAX]; /* seats ascending */
} bracha_cert_t;

/* I: SHA-256 of `kettle-rbc/2` padded to 16, O, sender, seq, boots. */
void bracha_instance(hash32_t *out, const bracha_send_t *s);

/* h: SHA-256 of I, kind u32, payload. */
void bracha_hash(hash32_t *out, const hash32_t *instance, const bracha_send_t *s);

/* What a SEND's signature is over: SHA-256 of `kettle-rbc-snd/1`, h, again. */
void bracha_send_digest(hash32_t *out, const hash32_t *hash, const bracha_send_t *s);

/* What a READY's is: SHA-256 of `kettle-rbc-rdy/1`, I, h. */
void bracha_ready_digest(hash32_t *out, const hash32_t *instance, const hash32_t *hash);

typedef struct {
    unsigned f, echo, amplify, deliver;
} bracha_quorum_t;

/* Of n seats; n >= 4. */
bracha_quorum_t bracha_quorum(unsigned n);

/* ---- the machine ---- */

typedef struct bracha bracha_t;

typedef struct {
    uint8_t self[33];
    hash32_t platform; /* our own */
    rc_t (*sign)(void *ctx, uint8_t out[64], const hash32_t *digest);
    void *sign_ctx;
    const ecdsa_t *ecdsa; /* borrowed */
} bracha_config_t;

/* A machine without an order and members. RC_NOMEM. */
NODISCARD rc_t bracha_new(bracha_t **out, const bracha_config_t *config);
void bracha_free(bracha_t *b);

/* The order that this node has taken. RC_NOMEM: nothing changed. */
NODISCARD rc_t bracha_order(bracha_t *b, const order_signed_t *order, uint64_t now_ms);

/* A peer's connection is attested, with its platform, and judged: it is sent our votes again. Or it is gone.
 * RC_NOMEM. */
NODISCARD rc_t bracha_attested(bracha_t *b, const uint8_t peer[33], const hash32_t *platform, uint64_t now_ms);
void bracha_gone(bracha_t *b, const uint8_t peer[33], uint64_t now_ms);

/* Broadcasts a message. RC_UNSUPPORTED: agreement needs 4 seats, and this node one of them; RC_LIMIT: too long, or too
 * many are not delivered yet. */
NODISCARD rc_t bracha_send(bracha_t *b, err_t *e, uint32_t kind, view_t payload, uint64_t now_ms);

/* From a peer, on its attested connection. RC_OK also for what is known, late or kept for later; RC_REFUSED,
 * RC_MALFORMED: the peer is at fault; RC_LIMIT: its sender has too much open; RC_NOMEM. */
NODISCARD rc_t bracha_take_send(bracha_t *b, err_t *e, const uint8_t from[33], const bracha_send_t *s, uint64_t now_ms);
NODISCARD rc_t bracha_take_vote(bracha_t *b, err_t *e, const uint8_t from[33], const bracha_vote_t *v, uint64_t now_ms);
NODISCARD rc_t bracha_take_cert(bracha_t *b, err_t *e, const uint8_t from[33], const bracha_cert_t *c, uint64_t now_ms);

/* Time passes: what may go is dropped, what was not delivered is sent anew. Once a second is enough. */
void bracha_tick(bracha_t *b, uint64_t now_ms);

/* Proof, or for ECHO our own word, that a member says two things in one instance. */
typedef struct {
    bracha_step_t step; /* ECHO, READY; 0: two SENDs */
    uint8_t who[33];
    hash32_t instance, hashes[2];
    uint8_t signatures[2][64]; /* of READYs */
} bracha_evidence_t;

typedef enum {
    BRACHA_OUT_SEND,
    BRACHA_OUT_VOTE,
    BRACHA_OUT_CERT,
    BRACHA_OUT_DELIVER,
    BRACHA_OUT_EVIDENCE
} bracha_out_kind_t;

typedef struct {
    bracha_out_kind_t kind;
    bool to_all; /* every attested peer; else only: */
    uint8_t to[33];
    bracha_send_t send; /* of SEND and DELIVER; the payload lives until the next call */
    hash32_t instance;  /* of DELIVER */
    bracha_vote_t vote;
    bracha_cert_t cert;
    bracha_evidence_t evidence;
} bracha_out_t;

/* The next thing to do, in order; false: nothing. */
bool bracha_poll(bracha_t *b, bracha_out_t *out);

/* Instances that are kept at present, and payload bytes in them. */
size_t bracha_kept(const bracha_t *b, size_t *bytes);

#endif
