/* p2p.h - libkettle-p2p: peers of a cluster, as the node beside this program proves them: the DStack P2P SDK's three
 * calls.
 *
 *     p2p_t *p;
 *     if (p2p_open(&p, "0x…", "tls") || p2p_register(p) || p2p_monitor_peers(p, changed, ctx))
 *         fprintf(stderr, "%s\n", p2p_error(p));
 *
 * The node (kettle run, with the key `membership`) holds the key, sends the transactions and reads the list on state
 * that it proved; this library only speaks to it, HTTP over the Unix socket KETTLE_P2P_SOCKET (/run/kettle/p2p.sock).
 * A list that cannot be had is an error, never an empty list. Needs jansson; pkg-config kettle-p2p.
 *
 * One p2p_t is for one thread at a time, but for p2p_cancel.
 *
 * Spec:   DStack P2P SDK Specification; docs/sdk.md
 * Tests:  tests/sdk/test_p2p_clients.py
 */
#ifndef KETTLE_P2P_H
#define KETTLE_P2P_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct p2p p2p_t;

typedef enum {
    P2P_OK = 0,
    P2P_FAILED,    /* the node is not there, refuses, or answers what it must not; or no memory */
    P2P_OTHER,     /* contract or mode cannot be one, or are others than the node's */
    P2P_CANCELLED, /* by p2p_cancel */
} p2p_result_t;

/* A list: texts of 1 to 253 printable characters, in the contract's order. */
typedef struct {
    char **at;
    size_t count;
} p2p_peers_t;

/* Names a cluster; asks nobody yet.
 *   out       to be closed in any case; NULL: out of memory
 *   contract  "0x" and 40 digits, as the node is configured with it
 *   mode      "tls" or "wireguard", likewise; whether they are the node's own, the first call tells */
p2p_result_t p2p_open(p2p_t **out, const char *contract, const char *mode);

/* Has this instance registered, and kept so; waits until the chain shows it, 10 minutes at most. */
p2p_result_t p2p_register(p2p_t *p);

/* The endpoints of the active peers. out is written with P2P_OK only: p2p_peers_free. */
p2p_result_t p2p_get_peers(p2p_t *p, p2p_peers_t *out);
void p2p_peers_free(p2p_peers_t *peers);

/* Calls changed with the list, then again with each other list, until it is cancelled; while there is no list, it is
 * not called. peers is borrowed for the call. Never P2P_OK. */
p2p_result_t p2p_monitor_peers(p2p_t *p, void (*changed)(void *ctx, const p2p_peers_t *peers), void *ctx);

/* Ends the call under way, and all later ones; from any thread, from changed, and from a signal's handler. */
void p2p_cancel(p2p_t *p);

/* Why the last call failed, until the next one. p may be NULL. */
const char *p2p_error(const p2p_t *p);

/* NULL is allowed. */
void p2p_close(p2p_t *p);

#ifdef __cplusplus
}
#endif
#endif
