/* circuits.h - circuit relay v2 among members, all of it: the relay (relay.h), places at others (places.h), and
 * connections through circuits (net/relayed.h), on the streams of a net.
 *
 * A relay serves peers that are attested and judged, and only those; a circuit's ends attest each other anew, inside.
 * Streams of the two protocols are refused on connections that are relayed themselves.
 *
 * Spec:   libp2p/specs relay/circuit-v2.md; overlay-facts-more I, C1 to C3
 * Floor:  4, overlay. No socket, clock or thread. All calls on the net's thread.
 * Tests:  tests/unit/test_circuits.c
 */
#ifndef OVERLAY_CIRCUITS_H
#define OVERLAY_CIRCUITS_H

#include "overlay/net/net.h"
#include "overlay/relay.h"

#define CIRCUITS_PROTOCOLS 2u
#define CIRCUITS_CALLS_MAX 16u    /* streams of relays that have not said from whom */
#define CIRCUITS_ANSWER_MS 10000u /* for a relay's message to come */

typedef struct circuits circuits_t;

typedef struct {
    identity_t who;
    bool serves; /* is a relay for members */
    bool uses;   /* keeps places at members that are, and is reached through them */
    /* Whether the peer of a connection is attested and judged. */
    bool (*is_peer)(void *ctx, net_conn_t *c);
    int64_t (*now_s)(void *ctx); /* Unix seconds */
    void (*changed)(void *ctx);  /* circuits_addrs says another thing. NULL: nobody wants to know */
    void *ctx;
} circuits_config_t;

/* RC_NOMEM. */
NODISCARD rc_t circuits_new(circuits_t **out, const circuits_config_t *config);

/* After net_free. NULL allowed. */
void circuits_free(circuits_t *c);

/* The protocols, for the configuration of the net; and whether one of them is served on a connection now. */
void circuits_protocols(circuits_t *c, net_protocol_t out[CIRCUITS_PROTOCOLS]);
bool circuits_is(const net_protocol_t *p);
bool circuits_serves(const circuits_t *c, net_conn_t *conn, const net_protocol_t *p);

/* The net that was made so: adds the transport through relays. RC_NOMEM. */
NODISCARD rc_t circuits_bind(circuits_t *c, net_t *n);

/* The peer of a connection is one; a connection is over. Known and unknown ones may be given at any time. */
void circuits_peer(circuits_t *c, net_conn_t *conn);
void circuits_closed(circuits_t *c, const net_conn_t *conn);

/* One turn; when the next is due. */
uint64_t circuits_turn(circuits_t *c, uint64_t now_ms);

/* The addresses at which this node is reached through relays, at most cap of them; their number. */
size_t circuits_addrs(const circuits_t *c, maddr_t *out, size_t cap);

/* For who shows it: what is relayed for others, and places that are held. */
void circuits_counts(const circuits_t *c, relay_count_t *relayed, size_t *places);

#endif
