/* flood.h - spreading what proves itself: orders, acknowledgements, COMMITs, key releases, evidence, heads. Any number
 * of members; no agreement is promised, only that an honest living author's message reaches every living connected
 * member.
 *
 * A message is signed by its author and handed on once to every peer but the one it came from, then delivered. On a new
 * connection both ends say what they have of the last ten minutes and pull what they lack. Two different messages under
 * one (author, seq) are both delivered, and are evidence against the author. An id is remembered for longer than its
 * message, so that nothing comes twice, and nothing lives for ever by being handed around.
 *
 * Spec:   overlay-facts-more D9; bytes: overlay/flood_wire.h
 * Floor:  4, overlay. No I/O, clock or thread; messages are kept on the heap, within the bounds below.
 * Tests:  tests/unit/test_flood.c, tests/overlay
 */
#ifndef OVERLAY_FLOOD_H
#define OVERLAY_FLOOD_H

#include "base/bytes.h"
#include "base/crypto/ecdsa.h"
#include "base/err.h"

#define FLOOD_PAYLOAD_MAX (64u << 10)
#define FLOOD_KEEP_MS 600000u /* for so long a message is known and given to who lacks it */
#define FLOOD_KEPT_MAX 1024u  /* messages; the oldest goes first */
#define FLOOD_KEPT_BYTES_MAX (8u << 20)
#define FLOOD_KNOWN_MAX 8192u     /* ids that are remembered */
#define FLOOD_PER_AUTHOR_MAX 128u /* messages; more are refused, not handed on */
#define FLOOD_OF_KEYS 32u         /* ... of our own, that only acknowledgements, COMMITs and evidence of keys may be */
#define FLOOD_PER_PEER_MAX 512u   /* messages that came from one peer; its oldest goes first */
#define FLOOD_PEERS_MAX 128u

/* Kinds of ours; applications' begin at FLOOD_APPLICATION. The numbers travel. */
typedef enum {
    FLOOD_ORDER = 1,
    FLOOD_ACK = 2,
    FLOOD_COMMIT = 3,
    FLOOD_RELEASE = 4,
    FLOOD_EVIDENCE = 5,
    FLOOD_HEAD = 6,
    FLOOD_MEMBER_LIED = 7,
    FLOOD_CHAIN_SPLIT = 8,
    FLOOD_APPLICATION = 0x1000
} flood_kind_t;

typedef struct {
    uint32_t kind;
    uint8_t author[33]; /* static key */
    uint64_t seq;       /* the author's own count */
    view_t payload;
    uint8_t signature[64]; /* by the author over the id */
} flood_message_t;

/* SHA-256 of `kettle-flood/1` padded to 16, kind u32, author, seq u64, payload: what is signed, and the id. */
void flood_id(hash32_t *out, const flood_message_t *m);

typedef struct flood flood_t;

typedef struct {
    uint8_t self[33];
    rc_t (*sign)(void *ctx, uint8_t out[64], const hash32_t *digest);
    void *sign_ctx;
    const ecdsa_t *ecdsa; /* borrowed */
} flood_config_t;

/* A machine without peers and messages. RC_NOMEM. */
NODISCARD rc_t flood_new(flood_t **out, const flood_config_t *config);
void flood_free(flood_t *f);

/* An attested, judged peer's connection is there, or gone. RC_LIMIT: too many. */
NODISCARD rc_t flood_connected(flood_t *f, const uint8_t peer[33], uint64_t now_ms);
void flood_gone(flood_t *f, const uint8_t peer[33]);

/* Our own message: signed, sent to all, delivered to ourselves. RC_LIMIT: payload too long, or too many just now. */
NODISCARD rc_t flood_publish(flood_t *f, err_t *e, uint32_t kind, view_t payload, uint64_t now_ms);

/* A peer's message, of itself or handed on. RC_OK also for what is known already. RC_REFUSED: the peer is at fault;
 * RC_LIMIT: too long, or its author sends too much, for which the peer is not to blame; RC_NOMEM. */
NODISCARD rc_t flood_take(flood_t *f, err_t *e, const uint8_t from[33], const flood_message_t *m, uint64_t now_ms);

/* What a peer has, and what it wants: at most FLOOD_KEPT_MAX ids. RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t flood_take_ids(flood_t *f, const uint8_t from[33], const hash32_t *ids, size_t n, uint64_t now_ms);
NODISCARD rc_t flood_take_pull(flood_t *f, const uint8_t from[33], const hash32_t *ids, size_t n, uint64_t now_ms);

typedef enum { FLOOD_SEND, FLOOD_IDS, FLOOD_PULL, FLOOD_DELIVER } flood_out_kind_t;

typedef struct {
    flood_out_kind_t kind;
    uint8_t to[33];                 /* a peer; of DELIVER: nobody */
    const flood_message_t *message; /* of SEND and DELIVER */
    const flood_message_t *rival; /* of DELIVER: another message of this author and seq, evidence with it; NULL: none */
    const hash32_t *ids;          /* of IDS and PULL */
    size_t id_count;
} flood_out_t;

/* The next thing to do, in order; false: nothing. To be called until then after every input: what made room for others
 * is not sent any more. Pointers live until the next call. */
bool flood_poll(flood_t *f, flood_out_t *out);

#endif
