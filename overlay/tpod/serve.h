/* serve.h - the provider's end of the three protocols, on the connections of a net of its own. A publisher is no TEE
 * and never attests itself: who it is, beyond the key of its connection, nobody asks.
 *
 *     OPEN -> (an attestation was answered on this connection) ATTESTED -> capacity and provision are served on it
 *
 * Before that both are answered "na", whatever was answered on another connection of the same peer. A connection
 * without it is closed after TPOD_DEADLINE_MS; one with it only when nothing was asked for TPOD_IDLE_MS. Both sorts
 * have slots of their own.
 *
 * Requests are read and checked here, and one at a time of a connection. What takes long the owner does: it is asked,
 * and answers when it likes. No request reaches it that is malformed, breaks a rule of check.h, names another price
 * table than the one that is offered, or another payment contract or provider.
 *
 * Spec:   overlay-facts 8 (slots, idle limit), 13; sdk-facts 7, 8
 * Floor:  4, overlay/tpod. No socket, clock or thread. All calls on the net's thread.
 * Tests:  tests/unit/test_tpod_serve.c
 */
#ifndef OVERLAY_TPOD_SERVE_H
#define OVERLAY_TPOD_SERVE_H

#include "base/arena.h"
#include "overlay/net/net.h"
#include "overlay/tpod/names.h"

#define TPOD_SLOTS 16u          /* connections that an attestation was answered on */
#define TPOD_STRANGERS 16u      /* others; the oldest makes room, after */
#define TPOD_STRANGER_MS 20000u /* this time */
#define TPOD_DEADLINE_MS 90000u /* from OPEN to an answered attestation */
#define TPOD_IDLE_MS 300000u    /* ... from the last answer to the end */
#define TPOD_REQUEST_MS 30000u  /* for a request to come whole */

typedef struct tpod_serve tpod_serve_t;

/* A request that is good so far. Good until it is answered, also when its connection is long over. */
typedef struct {
    tpod_call_t call;    /* TPOD_ATTEST or TPOD_PROVISION */
    const void *request; /* its struct */
    peerid_t client;     /* who asked */
} tpod_asked_t;

typedef struct {
    const tpod_capacity_t *capacity; /* what is told: amounts by their unit's field, prices, address. Borrowed, */
    const tpod_payment_t *payment;   /* as this: chain, contract and provider that a request has to name; NULL: nobody
                                        pays, and what a request says of it is passed over */
    /* To be answered by tpod_serve_answer, later or at once; any thread may work on it meanwhile. */
    void (*asked)(void *ctx, const tpod_asked_t *asked);
    /* Nobody waits for the answer of what was asked any more. It is still to be answered, and what is not begun is so
     * best at once: else whoever asks and leaves, again and again, makes others wait. NULL: the owner is not told. */
    void (*left)(void *ctx, const tpod_asked_t *asked);
    void *ctx;
} tpod_serve_config_t;

/* RC_NOMEM. */
NODISCARD rc_t tpod_serve_new(tpod_serve_t **out, const tpod_serve_config_t *config);

/* After net_free, and when everything asked is answered. NULL allowed. */
void tpod_serve_free(tpod_serve_t *s);

/* What net_new needs, but for the identity. */
void tpod_serve_net(tpod_serve_t *s, net_config_t *out);

/* Answers: response is the call's struct, whose error, if it has one, is the answer. Frees asked. */
void tpod_serve_answer(tpod_serve_t *s, const tpod_asked_t *asked, const void *response);

/* Closes what is over; when the next turn is due (UINT64_MAX: none). */
uint64_t tpod_serve_turn(tpod_serve_t *s, uint64_t now_ms);

/* Connections with an answered attestation, and others. */
void tpod_serve_counts(const tpod_serve_t *s, size_t *attested, size_t *strangers);

#endif
