/* bans.h - who is not served for a while: points for faults, by peer and by the address that it came from.
 *
 * Ids cost nothing to make, so points of all peers of one address count for the address as well, up to a higher bound.
 * Points fade, BANS_FADE of them a minute. A ban for forged evidence or a flood is BANS_FIRST_MS long, and each further
 * one of the same peer or address twice the last, up to BANS_LONGEST_MS; one for breaking a protocol is that long at
 * once. Nobody is banned for what may be mended: another image, chain, cluster or order.
 *
 * Spec:   overlay-facts 8, 10 ("Ban"); overlay-facts-more H ("no ban")
 * Floor:  4, overlay. No heap, I/O or clock.
 * Tests:  tests/unit/test_bans.c
 */
#ifndef OVERLAY_BANS_H
#define OVERLAY_BANS_H

#include "overlay/wire/multiaddr.h"

#define BANS_MAX 256u             /* peers and addresses with points; the one with the fewest makes room */
#define BANS_PEER_POINTS 100u     /* from which a peer is banned, */
#define BANS_HOST_POINTS 400u     /* and an address */
#define BANS_FADE 10u             /* points a minute */
#define BANS_FIRST_MS 600000u     /* 10 min */
#define BANS_LONGEST_MS 10800000u /* 3 h */

typedef enum { BANS_EVIDENCE, BANS_PROTOCOL, BANS_SLOW, BANS_FLOOD } bans_fault_t;

/* Points of one peer (peer.n not 0), or of one address. */
typedef struct {
    peerid_t peer;
    maddr_host_t host;
    uint8_t ip[16];
    unsigned points;
    uint64_t points_ms; /* when they were so many */
    uint64_t until_ms;  /* banned until then; 0: never was */
    unsigned times;     /* it was banned */
    bans_fault_t fault; /* the last one */
} ban_t;

typedef struct {
    ban_t rows[BANS_MAX];
    size_t count;
    uint64_t changes; /* grows with each ban */
} bans_t;

/* The fault for which a connection was closed with this code of net.h (join_config_t, refused). False: it is none, or
 * may be mended: genuine evidence that is not admitted, another chain, cluster or order, what this machine lacks. */
bool bans_fault_of(bans_fault_t *out, unsigned bye, const err_t *why);

/* Notes a fault of a peer at an address (host_too false: that is one which the operator named, and is not judged).
 * Whether peer or address is banned now. */
bool bans_note(bans_t *b, const peerid_t *peer, const maddr_t *from, bool host_too, bans_fault_t fault,
               uint64_t now_ms);

/* The ban of this peer (NULL: not known yet), or of the address that it comes from; NULL: there is none. */
const ban_t *bans_find(const bans_t *b, const peerid_t *peer, const maddr_t *from, uint64_t now_ms);

/* Takes a ban that was kept over a restart: so long it still lasts, BANS_LONGEST_MS at most. */
void bans_restore(bans_t *b, const ban_t *row, uint64_t left_ms, uint64_t now_ms);

/* "forged evidence", ... */
const char *bans_fault_name(bans_fault_t fault);

#endif
