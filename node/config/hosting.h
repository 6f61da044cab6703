/* hosting.h - where the node's ports are, and who stands in front of them: keys of the measured file alone.
 *
 * Floor:  5, node/config. No I/O.
 * Tests:  tests/unit/test_hosting.c
 */
#ifndef NODE_CONFIG_HOSTING_H
#define NODE_CONFIG_HOSTING_H

#include "base/json.h"
#include "http/proxy.h"

#define HOSTING_ADDRESSES_MAX 8u
#define HOSTING_MEMORY_MAX 256u      /* MiB */
#define HOSTING_CLIENTS_MAX 4096u    /* connections, and requests that wait */
#define HOSTING_BUDGET_MAX 10000000u /* questions a minute */

/* The words of proxy_header. */
typedef enum { PROXY_X_FORWARDED_FOR, PROXY_FORWARDED } proxy_header_t;

/* Bytes of the parts that take what memory_max leaves them (docs/operate.md). */
typedef struct {
    size_t cache;      /* proven accounts, slots and code, and kept answers */
    size_t bodies;     /* requests that are being received; and as much again for those that wait for their answer */
    size_t answers;    /* of upstreams, on their way and in use */
    size_t websockets; /* messages that come, are answered, and wait */
    size_t news;       /* blocks and logs that filters are told of */
} hosting_memory_t;

typedef struct {
    char listen[HOSTING_ADDRESSES_MAX][48]; /* addresses of both ports; none: all */
    size_t listen_count;
    proxies_t proxies;
    bool proxy_protocol;      /* those begin with a PROXY header */
    unsigned proxy_header;    /* by which they name clients: a proxy_header_t */
    uint64_t memory_max;      /* MiB that all below takes together; 0: HOSTING_MEMORY_MAX */
    uint64_t connections_max; /* of the API port; 0: HOSTING_CLIENTS_MAX */
    uint64_t requests_max;    /* that wait for their answer; 0: HOSTING_CLIENTS_MAX */
    uint64_t upstream_budget; /* questions to execution RPCs a minute; 0: as many as there are */
    bool has_token;
    hash32_t token_sha256; /* of the token that a setup has to bring */
} hosting_t;

/* Readers of the keys listen, proxies and setup_token_sha256; faults stick in the document of o. */
void hosting_read_listen(hosting_t *h, const jo_t *o, const char *key);
void hosting_read_proxies(hosting_t *h, const jo_t *o, const char *key);
void hosting_read_token(hosting_t *h, const jo_t *o, const char *key);

/* How memory_max is divided. */
hosting_memory_t hosting_memory(const hosting_t *h);

/* How many connections, and requests that wait, there may be. */
size_t hosting_connections(const hosting_t *h);
size_t hosting_requests(const hosting_t *h);

/* Takes the addresses of the ports from a text with commas instead. RC_MALFORMED: one is no address; RC_LIMIT. */
NODISCARD rc_t hosting_set_listen(hosting_t *h, err_t *e, const char *text);

#endif
