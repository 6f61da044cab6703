/* peers.h - whom we are connected to: dials addresses until there is a connection to who answers there, keeps one
 * connection for each peer, and bounds how many there are.
 *
 *     address: due -> dialling -> (connected to the peer that it leads to) -> lost: due again, later each time
 *
 * Of two connections to one peer, over whatever transports, the end with the smaller id closes one: it pings the older,
 * and closes the newer when that is answered within PEERS_PING_MS, else the older. The other end closes none. A
 * connection counts from when it is confirmed; a dial under way is no reason to refuse one.
 *
 * Spec:   overlay-facts 10; overlay-facts-more C1 to C3
 * Floor:  4, overlay. All calls on the net's thread.
 * Tests:  tests/unit/test_peers.c
 */
#ifndef OVERLAY_PEERS_H
#define OVERLAY_PEERS_H

#include "overlay/net/net.h"

#define PEERS_MAX 40u              /* connections, those that we dial included */
#define PEERS_PER_IP 8u            /* accepted of one address */
#define PEERS_TARGETS_MAX 64u      /* addresses to dial; */
#define PEERS_WAYS_MAX 2u          /* ways to each */
#define PEERS_PING_MS 2000u        /* for the older of two connections to answer */
#define PEERS_AGAIN_MS 1000u       /* before a second dial; grows by half, */
#define PEERS_AGAIN_MAX_MS 300000u /* up to that; 20 % more or less by chance */

typedef struct peers peers_t;

/* Where an address came from: configured ones are never given up, and who answers there always has a slot. */
typedef enum { PEERS_CONFIGURED, PEERS_LEARNED } peers_source_t;

typedef struct {
    void (*random)(void *ctx, void *out, size_t n);
    /* Asks for the numbers behind a name; peers_resolved brings them. NULL: names are not dialled. */
    void (*resolve)(void *ctx, size_t target, const maddr_t *name);
    void *ctx;
} peers_config_t;

/* One address, for who shows it. */
typedef struct {
    peers_source_t source;
    maddr_t way;   /* the one that is dialled, or would be next */
    peerid_t peer; /* who answered there last; n 0: nobody yet */
    bool connected;
    bool self;         /* that is ourselves: not dialled any more */
    unsigned failures; /* dials in a row that came to nothing */
    uint64_t due_ms;   /* when it is dialled next, unless connected */
    const err_t *why;  /* the last failure */
} peers_row_t;

/* RC_NOMEM. */
NODISCARD rc_t peers_new(peers_t **out, const peers_config_t *config);
void peers_free(peers_t *p);

/* The net whose events it is told. Once, before anything else. */
void peers_bind(peers_t *p, net_t *n);

/* Adds an address with its ways in the order of preference; of one that is known only the peer is noted.
 *   peer  who was there last, who need not be there again: ids are made at each start; NULL: not known
 * RC_LIMIT: too many. */
NODISCARD rc_t peers_add(peers_t *p, peers_source_t source, const maddr_t *ways, size_t count, const peerid_t *peer);

/* What a name has been resolved to: numbers, n of them (0: nothing was found). */
void peers_resolved(peers_t *p, size_t target, const maddr_t *numbers, size_t n);

/* A connection is confirmed. False: it was closed, there is no slot for it. */
bool peers_opened(peers_t *p, net_conn_t *c);
void peers_closed(peers_t *p, net_conn_t *c, const err_t *why);

/* Dials what is due; when the next turn is due (UINT64_MAX: none). */
uint64_t peers_turn(peers_t *p, uint64_t now_ms);

/* The place of the configured address at which this peer answered, in the order of adding; SIZE_MAX: none. */
size_t peers_rank(const peers_t *p, const peerid_t *peer);

/* The addresses, in the order of adding; their number. */
size_t peers_rows(const peers_t *p, peers_row_t *out, size_t cap);

#endif
