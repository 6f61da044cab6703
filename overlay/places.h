/* places.h - our places at relays (circuit relay v2): asked for at members, kept by asking again, and the addresses at
 * which they make us reachable. A machine without I/O: bytes of streams and the time come in, callbacks say what is to
 * be done.
 *
 *     relay known: due -> ASKED -- STATUS OK --> HELD, due again at half of its time
 *                             \- refused, late, gone -> due later each time
 *
 * Spec:   libp2p/specs relay/circuit-v2.md, "Reservation"; overlay-facts-more I
 * Floor:  4, overlay. No socket, clock or thread.
 * Tests:  tests/unit/test_places.c
 */
#ifndef OVERLAY_PLACES_H
#define OVERLAY_PLACES_H

#include "overlay/wire/circuit.h"

#define PLACES_HELD_MAX 2u    /* places that we keep */
#define PLACES_RELAYS_MAX 40u /* members that may be asked */
#define PLACES_ADDRS_MAX 3u   /* addresses of one relay that we use */
#define PLACES_ANSWER_MS 10000u
#define PLACES_AGAIN_MS 10000u /* before a relay that gave no place is asked again; doubles, */
#define PLACES_AGAIN_MAX_MS 600000u
#define PLACES_LIFE_MAX_S 86400u /* what a relay promises beyond that does not count */

typedef struct places places_t;

typedef struct {
    peerid_t self;
    /* Opens a hop stream to a relay: the owner's handle of it. NULL: none can be. */
    void *(*open)(void *ctx, const peerid_t *relay);
    rc_t (*send)(void *ctx, void *stream, view_t bytes);
    void (*end)(void *ctx, void *stream);
    void (*reset)(void *ctx, void *stream); /* may call places_gone */
    void (*changed)(void *ctx);             /* places_addrs says another thing */
    void *ctx;
} places_config_t;

/* RC_NOMEM. */
NODISCARD rc_t places_new(places_t **out, const places_config_t *config);
void places_free(places_t *p); /* NULL allowed */

/* A member that we reached at this address; there is no connection to it any more. More than PLACES_RELAYS_MAX are
 * passed over. */
void places_relay(places_t *p, const peerid_t *relay, const maddr_t *at);
void places_left(places_t *p, const peerid_t *relay);

/* Bytes of a stream came: all of them were used. The stream is over. */
void places_take(places_t *p, void *stream, view_t bytes);
void places_gone(places_t *p, void *stream);

/* Asks where it is time to; when the next turn is due (monotonic milliseconds; UINT64_MAX: none). now_s: Unix
 * seconds. */
uint64_t places_turn(places_t *p, uint64_t now_ms, uint64_t now_s);

/* The addresses at which we are reached through relays, ours behind the circuit; at most cap of them; their number. */
size_t places_addrs(const places_t *p, maddr_t *out, size_t cap);

/* Places that are held. */
size_t places_count(const places_t *p);

#endif
