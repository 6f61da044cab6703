/* agree.h - reliable broadcast among seats (bracha.h) over the connections of peers: /kettle/rbc/1 on framed streams.
 *
 * Of two connections to one peer the newest is written to. When one ends, both ends say again what they keep, on the
 * other one or on the next. A connection on which too much waits is ended, with the same remedy.
 *
 * Spec:   overlay-facts-more D, J (/kettle/rbc/1)
 * Floor:  4, overlay. No socket, clock or thread. All calls on the net's thread.
 * Tests:  tests/unit/test_overlay_app.c
 */
#ifndef OVERLAY_AGREE_H
#define OVERLAY_AGREE_H

#include "overlay/bracha_wire.h"
#include "overlay/net/net.h"

#define AGREE_LINKS_MAX 128u

typedef struct agree agree_t;

typedef struct {
    bracha_config_t bracha;
    void (*deliver)(void *ctx, const bracha_out_t *out);            /* what was agreed: send, instance */
    void (*evidence)(void *ctx, const bracha_evidence_t *evidence); /* NULL: not wanted */
    void *ctx;
} agree_config_t;

/* RC_NOMEM. */
NODISCARD rc_t agree_new(agree_t **out, const agree_config_t *config);

/* After net_free. NULL allowed. */
void agree_free(agree_t *a);

/* For the net's configuration. */
void agree_protocol(agree_t *a, net_protocol_t *out);

/* The order in force. RC_NOMEM: nothing changed. */
NODISCARD rc_t agree_order(agree_t *a, const order_signed_t *order);

/* The peer of a connection is attested, judged and runs our order; is that no more; the connection is over. RC_NOMEM;
 * RC_LIMIT: too many. */
NODISCARD rc_t agree_peer(agree_t *a, net_conn_t *c, const uint8_t key[33], const hash32_t *platform);
void agree_hold(agree_t *a, net_conn_t *c);
void agree_closed(agree_t *a, net_conn_t *c);

/* bracha_send: refused below four seats. */
NODISCARD rc_t agree_send(agree_t *a, err_t *e, uint32_t kind, view_t payload);

/* Time passes; when the next turn is due. */
uint64_t agree_turn(agree_t *a, uint64_t now_ms);

#endif
