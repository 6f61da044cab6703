/* find.h - a provider found by its peer id: the search of overlay/lookup.h on the publisher's net.
 *
 * The net's owner hands on what happens to connections that are not its own: those of the search have a user, which is
 * the search's. With the first connection to the provider itself the search ends.
 *
 * Floor:  5, node/tpod. All calls on the net's thread.
 * Tests:  tests/e2e (tpod)
 */
#ifndef NODE_TPOD_FIND_H
#define NODE_TPOD_FIND_H

#include "overlay/lookup.h"
#include "overlay/net/net.h"

typedef struct find find_t;

/* A search that has not begun; n: borrowed. RC_NOMEM. */
NODISCARD rc_t find_new(find_t **out, net_t *n, const peerid_t *who, uint64_t now_ms);

/* A bootstrap peer; what lookup_seed returns. */
NODISCARD rc_t find_seed(find_t *f, const maddr_t *at);

/* Dials whoever is next. False: there is nobody left, or the time is over. */
bool find_turn(find_t *f, uint64_t now_ms);

/* True: it is the one that was searched, and the caller's connection from now on; all others are closed. */
bool find_opened(find_t *f, net_conn_t *c);
void find_closed(find_t *f, const net_conn_t *c);

/* How many peers were asked. */
size_t find_asked(const find_t *f);

/* Closes what it dialled. NULL allowed. */
void find_free(find_t *f);

#endif
