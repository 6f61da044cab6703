/* clients.h - who asks: one record for each IPv4 address or IPv6 /64, for as long as anything is done for it.
 *
 * Floor:  2, http. Thread-safe; a record's turns are under the lock of the scheduler that each belongs to.
 * Tests:  tests/unit/test_share.c
 */
#ifndef HTTP_CLIENTS_H
#define HTTP_CLIENTS_H

#include <stdatomic.h>

#include "http/budget.h"
#include "http/share.h"

#define CLIENT_KEY_LEN 16u /* an IPv6 address; IPv4 as ::ffff:a.b.c.d */

/* What clients take turns at. */
typedef enum {
    SHARE_WORKERS, /* the server's, for slow routes */
    SHARE_LIGHT,   /* a short slice of a processor (node/query/pool.h), */
    SHARE_HEAVY,   /* and whatever takes longer */
    SHARE_KINDS
} share_kind_t;

struct sockaddr;
typedef struct hs_clients hs_clients_t;

typedef struct hs_client {
    hs_clients_t *all;
    uint8_t key[CLIENT_KEY_LEN];
    atomic_uint refs;
    share_turn_t turns[SHARE_KINDS];
    atomic_size_t bodies;          /* bytes of those that are being received, and of answers that are being sent */
    atomic_size_t websocket_bytes; /* of messages that come, are answered, and wait */
    unsigned connections;          /* under the lock of the server's connections, as */
    unsigned held;                 /* of those that its requests are on, but for those that last */
    unsigned streams;              /* answers that go on; under the server's lock, as */
    unsigned deferred;             /* requests that wait for hs_answer, */
    size_t deferred_bytes;         /* of their bodies */
    budget_use_t upstream;         /* questions; under the lock of whoever asks upstreams */
    budget_use_t written;          /* KiB on the disk; under the lock of standing calls */
} hs_client_t;

/* The clients of one server. NULL: out of memory. Ends by hs_clients_unref once no client is in use. */
hs_clients_t *hs_clients_new(void);
void hs_clients_unref(hs_clients_t *c); /* NULL allowed */

/* The key of an address. False: neither IPv4 nor IPv6. */
bool hs_client_key(uint8_t key[CLIENT_KEY_LEN], const struct sockaddr *at);

/* The client of a key, with a reference. exempt: it stands for many, and has no bounds. NULL: out of memory. */
hs_client_t *hs_client_get(hs_clients_t *c, const uint8_t key[CLIENT_KEY_LEN], bool exempt);
hs_client_t *hs_client_ref(hs_client_t *c); /* returns c; NULL allowed */
void hs_client_unref(hs_client_t *c);       /* NULL allowed */

#endif
