/* relay.h - a relay of circuit relay v2: members that cannot be dialled keep a place here, and others reach them
 * through a circuit. A machine without I/O: bytes of streams and the time come in, callbacks say what is to be done.
 *
 *     hop stream:  ASKS -- RESERVE --> answered
 *                  ASKS -- CONNECT, the target has a place --> CALLS -- its STATUS OK --> CIRCUIT
 *     stop stream: CALLED ----------------------------------------- STATUS OK --------> CIRCUIT
 *
 * What goes through a circuit is sealed between its ends, which prove themselves to each other; a relay sees lengths
 * and times, and may drop or delay. A place is of a connection: it ends with it. Bytes are handed on as they come, and
 * their sender's window opens again when they have left, so a slow end slows the other and not the relay.
 *
 * Streams come from members only, on connections that are not relayed themselves: that is for the owner to see to.
 *
 * Spec:   libp2p/specs relay/circuit-v2.md; overlay-facts-more I
 * Floor:  4, overlay. No socket, clock or thread.
 * Tests:  tests/unit/test_relay.c, tests/fuzz/fuzz_relay.c
 */
#ifndef OVERLAY_RELAY_H
#define OVERLAY_RELAY_H

#include "overlay/wire/circuit.h"

#define RELAY_PLACES_MAX 32u           /* members that may have one */
#define RELAY_PLACE_S 3600u            /* of one, unless it is asked for again */
#define RELAY_CIRCUITS_MAX 64u         /* at once, those under way included; */
#define RELAY_CIRCUITS_PER_PEER 4u     /* of which one peer asked for, or is the target of */
#define RELAY_ASKED_MAX 8u             /* streams of one peer that have not said what they want */
#define RELAY_DURATION_S 14400u        /* of a circuit */
#define RELAY_BYTES_MAX (256ull << 20) /* ... each way */
#define RELAY_ANSWER_MS 10000u         /* for a message to come */

typedef struct relay relay_t;
typedef struct relay_leg relay_leg_t; /* one stream, as its owner's callbacks and relay_gone know it */

/* What the relay wants. A callback may call relay_gone for its own stream. */
typedef struct {
    /* Opens a stop stream to a member: the owner's handle of it. NULL: there is no connection to it. */
    void *(*open)(void *ctx, relay_leg_t *leg, const peerid_t *to);
    /* Writes all of it, or nothing: then the circuit is ended. */
    rc_t (*send)(void *ctx, void *stream, view_t bytes);
    void (*end)(void *ctx, void *stream); /* behind what was written */
    void (*reset)(void *ctx, void *stream);
    void (*consumed)(void *ctx, void *stream, size_t n); /* so many bytes have left */
} relay_events_t;

typedef struct {
    identity_t who;
    relay_events_t events;
    void *ctx;
} relay_config_t;

/* RC_NOMEM. */
NODISCARD rc_t relay_new(relay_t **out, const relay_config_t *config);

/* After the last stream is gone. NULL allowed. */
void relay_free(relay_t *r);

/* Where others reach us, as told to who has a place: of more than fit, the first. */
void relay_addrs(relay_t *r, const maddr_t *addrs, size_t count);

/* A member opened a hop stream. NULL: no memory, or too many that say nothing; the owner resets it. */
relay_leg_t *relay_opened(relay_t *r, void *stream, const peerid_t *peer);

/* Bytes of a stream came; its other end sends no more; all that was written has left; it is over, and the leg too. */
void relay_take(relay_leg_t *l, view_t bytes);
void relay_ended(relay_leg_t *l);
void relay_drained(relay_leg_t *l);
void relay_gone(relay_leg_t *l);

/* The last connection to a member is over: so is its place. */
void relay_left(relay_t *r, const peerid_t *peer);

/* Deadlines; when the next one is due (monotonic milliseconds; UINT64_MAX: none). now_s: Unix seconds. */
uint64_t relay_turn(relay_t *r, uint64_t now_ms, uint64_t now_s);

/* For who shows it. bytes: handed on since the start. */
typedef struct {
    unsigned places, circuits;
    uint64_t bytes;
} relay_count_t;
void relay_counts(const relay_t *r, relay_count_t *out);

#endif
