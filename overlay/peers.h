/* peers.h - whom we are connected to: dials addresses until there is a connection to who answers there, keeps one
 * connection for each peer, and bounds how many there are.
 *
 *     address: due -> dialling -> (connected to the peer that it leads to) -> lost: due again, later each time
 *
 * Configured addresses are never given up, unless they are taken away (peers_keep). Learned ones are dialled while
 * there are fewer than PEERS_IDEAL connections, or fewer than PEERS_DIALLED_MIN of them dialled by us; one at which
 * nobody has ever answered is dropped after PEERS_TRIES, one that is only hinted at after PEERS_HINT_TRIES. Who is
 * banned (bans.h) is neither dialled nor kept.
 *
 * Members keep their connections. Strangers, that is peers that are not attested yet, have PEERS_STRANGERS_MAX slots
 * among those they dialled; when these are full, the one that has been a stranger longest makes room, after
 * PEERS_STRANGER_MS; or the oldest of an address that has two more of them than the newcomer's, at once. Who dials from
 * an address that the operator named has a slot beside these. Who finds no slot is told of others (redirect), and is
 * closed PEERS_LEAVE_MS later.
 *
 * Of two connections to one peer, over whatever transports, the end with the smaller id closes one: it pings the older,
 * and closes the newer when that is answered within PEERS_PING_MS, else the older; an older one through a relay is
 * closed for a direct one at once, and direct addresses of who is reached through a relay are still dialled. The other
 * end closes none. A
 * connection counts from when it is confirmed; a dial under way is no reason to refuse one.
 *
 * Spec:   overlay-facts 10; overlay-facts-more C1 to C3
 * Floor:  4, overlay. All calls on the net's thread.
 * Tests:  tests/unit/test_peers.c
 */
#ifndef OVERLAY_PEERS_H
#define OVERLAY_PEERS_H

#include "overlay/bans.h"
#include "overlay/net/net.h"

#define PEERS_MAX 40u              /* connections, those that we dial included; */
#define PEERS_IDEAL 30u            /* with so many, learned addresses are left alone, */
#define PEERS_DIALLED_MIN 5u       /* unless fewer than these were dialled by us */
#define PEERS_DIALS_MAX 8u         /* of learned addresses at once */
#define PEERS_STRANGERS_MAX 16u    /* accepted, and not attested yet; */
#define PEERS_STRANGER_MS 20000u   /* of which the oldest makes room after that time */
#define PEERS_LEAVING_MAX 8u       /* that found no slot, and are told of others */
#define PEERS_LEAVE_MS 1000u       /* ... before they are closed */
#define PEERS_PER_IP 8u            /* accepted of one address */
#define PEERS_TRIES 12u            /* of a learned address at which nobody ever answered */
#define PEERS_HINT_TRIES 2u        /* ... of one that a stranger named */
#define PEERS_TARGETS_MAX 64u      /* addresses to dial; */
#define PEERS_WAYS_MAX 2u          /* ways to each */
#define PEERS_PING_MS 2000u        /* for the older of two connections to answer */
#define PEERS_AGAIN_MS 1000u       /* before a second dial; grows by half, */
#define PEERS_AGAIN_MAX_MS 300000u /* up to that; 20 % more or less by chance */

typedef struct peers peers_t;

/* Where an address came from: of the operator, of members, or of who had no slot for us. Who answers at a configured
 * one always has a slot. */
typedef enum { PEERS_CONFIGURED, PEERS_LEARNED, PEERS_HINTED } peers_source_t;

typedef struct {
    void (*random)(void *ctx, void *out, size_t n);
    /* Asks for the numbers behind a name; peers_resolved brings them. NULL: names are not dialled. */
    void (*resolve)(void *ctx, size_t target, const maddr_t *name);
    /* Whether the peer of a connection is a member (attested). NULL: all are. */
    bool (*is_member)(void *ctx, net_conn_t *c);
    /* Tells who finds no slot of others. False: there are none. NULL: nobody is told. */
    bool (*redirect)(void *ctx, net_conn_t *c);
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

/* Of each sort, for who shows it. */
typedef struct {
    unsigned connections, dialled, members, strangers;
} peers_count_t;

/* RC_NOMEM. */
NODISCARD rc_t peers_new(peers_t **out, const peers_config_t *config);
void peers_free(peers_t *p);

/* The net whose events it is told. Once, before anything else. */
void peers_bind(peers_t *p, net_t *n);

/* Adds an address with its ways in the order of preference; of one that is known only the peer is noted. When there are
 * too many, the one of them that failed most often, and is not configured, makes room.
 *   peer  who was there last, who need not be there again: ids are made at each start; NULL: not known
 * RC_LIMIT: too many. */
NODISCARD rc_t peers_add(peers_t *p, peers_source_t source, const maddr_t *ways, size_t count, const peerid_t *peer);

/* Configured addresses of which no way is one of these are not the operator's any more: they are not dialled again,
 * and whoever is connected there keeps his connection as others do. */
void peers_keep(peers_t *p, const maddr_t *firsts, size_t count);

/* What a name has been resolved to: numbers, n of them (0: nothing was found). */
void peers_resolved(peers_t *p, size_t target, const maddr_t *numbers, size_t n);

/* A connection is confirmed. False: it was closed, or will be soon: there is no slot for it, or it is banned. */
bool peers_opened(peers_t *p, net_conn_t *c);

/* Whether it was opened, and waits for its end: nothing is served on it. */
bool peers_is_leaving(const peers_t *p, const net_conn_t *c);

/* A peer did what it should not: its connection may be closing already. */
void peers_fault(peers_t *p, const net_conn_t *c, bans_fault_t fault);

/* May a connection of this address be accepted at all? */
bool peers_accepts(const peers_t *p, const maddr_t *from);

/* The bans, for who keeps and shows them. */
bans_t *peers_bans(peers_t *p);
void peers_counts(const peers_t *p, peers_count_t *out);
void peers_closed(peers_t *p, net_conn_t *c, const err_t *why);

/* Who had no slot for us named others on this connection. */
void peers_redirected(peers_t *p, const net_conn_t *c);

/* Dials what is due; when the next turn is due (UINT64_MAX: none). */
uint64_t peers_turn(peers_t *p, uint64_t now_ms);

/* Whether the operator named this address, or a name that led to it. */
bool peers_names(const peers_t *p, const maddr_t *from);

/* The place of the configured address at which this peer answered, in the order of adding; SIZE_MAX: none. */
size_t peers_rank(const peers_t *p, const peerid_t *peer);

/* The addresses, in the order of adding; their number. */
size_t peers_rows(const peers_t *p, peers_row_t *out, size_t cap);

#endif
