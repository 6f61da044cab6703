/* host.h - an application's node that runs: overlay.h with sockets, threads, a static key of its own and a provider of
 * quotes.
 *
 *     host_start   key, own evidence, port, threads; then events come on the loop's thread
 *     host_call    runs a function on that thread, and waits for its end; events call overlay.h directly
 *     host_stop
 *
 * The policy says which images are admitted; our own evidence is verified by it before any peer is, so a node that its
 * own policy does not admit does not start. A founder's keyed event comes inside host_start.
 *
 * Floor:  4, overlay/host. Runs a loop and three threads.
 * Tests:  tests/unit/test_host.c, tests/alone
 */
#ifndef OVERLAY_HOST_HOST_H
#define OVERLAY_HOST_HOST_H

#include "overlay/net/loop.h"
#include "overlay/overlay.h"

#define HOST_PEERS_MAX 64u

typedef struct host host_t;

/* All is copied, or used during host_start only, but for what says otherwise. */
typedef struct {
    const char *application;   /* see overlay_config_t */
    bool found;                /* makes a new cluster */
    uint8_t cluster[33];       /* the only one that is joined; zeros: whichever comes first */
    const char *const *listen; /* multiaddrs; port 0: any that is free */
    size_t listen_count;
    const char *const *peers; /* multiaddrs, with numbers or names */
    size_t peer_count;
    unsigned transports;         /* LOOP_*; 0: both */
    bool relays, uses_relays;    /* see overlay_config_t */
    const char *policy;          /* docs/policy.md; NULL: POLICY_DEFAULT, which admits this very image */
    const tee_provider_t *tee;   /* borrowed until host_stop */
    const order_signed_t *order; /* borrowed until host_stop; NULL: none is signed */
    order_rules_t rules;         /* ecdsa is filled in */
    /* Collateral for our platform into the arena; any thread. NULL: the provider's own. n 0: there is none now. */
    view_t (*collateral)(void *ctx, arena_t *a);
    overlay_events_t events;
    void *ctx; /* of collateral and events */
} host_config_t;

/* RC_MALFORMED: a multiaddr, the policy, the name; RC_REFUSED: the policy does not admit this node; what the provider
 * says; RC_IO, RC_NOMEM. secret_init must have been called. */
NODISCARD rc_t host_start(host_t **out, err_t *e, const host_config_t *config);

/* Says goodbye to peers, ends threads, wipes the key. Not on the loop's thread. NULL allowed. */
void host_stop(host_t *h);

/* Runs fn on the loop's thread, waits for its end, and returns what it returned. Not on that thread. RC_NOMEM: it did
 * not run. */
typedef rc_t (*host_fn)(void *ctx, overlay_t *o, err_t *e);
NODISCARD rc_t host_call(host_t *h, err_t *e, host_fn fn, void *ctx);

/* For overlay_sign and overlay_derive from any thread. */
const overlay_t *host_overlay(const host_t *h);

/* Where it listens, with real ports; our static key; our platform. Constant after host_start. */
const maddr_t *host_listening(const host_t *h, size_t *count);
const uint8_t *host_static_key(const host_t *h);
const hash32_t *host_platform(const host_t *h);

#endif
