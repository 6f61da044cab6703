/* provider.h - a provider of trusted pods that runs: its configuration, sockets, threads, quotes and program.
 *
 *     {
 *       "listen": ["/ip4/0.0.0.0/udp/4011/quic-v1", "/ip4/0.0.0.0/tcp/4011"],
 *       "capacity": { "availableResources": [{ "resource": "cpu", "amount": 8 }],
 *                     "pricing": { "resources": [{ "resource": "cpu", "priceForReservation": 10 }],
 *                                  "currency": "0x..." },
 *                     "providerAddress": "0x..." },
 *       "provision_command": ["/usr/lib/kettle/make-pod"]
 *     }
 *
 * With "payment" (paid.h) no pod is made before the channel that pays for it is proven.
 *
 * Its key is made at each start, and is what its quotes vouch for (overlay/tpod/attest.h). Without a program every
 * request that is good is answered with the error "dry run". Requests are worked on one after the other, and quotes
 * beside them.
 *
 * Spec:   sdk-facts 8; docs/tpod.md
 * Floor:  5, node/tpod. Runs a loop and two threads.
 * Tests:  tests/e2e (tpod), tests/unit/test_tpod_offer.c
 */
#ifndef NODE_TPOD_PROVIDER_H
#define NODE_TPOD_PROVIDER_H

#include "base/arena.h"
#include "http/client.h"
#include "node/tpod/paid.h"
#include "overlay/tpod/pod.h"
#include "overlay/wire/multiaddr.h"
#include "tee/tee.h"

#define OFFER_MAX (256u << 10) /* bytes of a configuration */
#define OFFER_LISTEN_MAX 8u
#define OFFER_SERVICES_MAX 4u

/* A configuration, in the arena that it was read to. */
typedef struct {
    const char *listen[OFFER_LISTEN_MAX];
    size_t listen_count;
    tpod_capacity_t capacity;
    const char *const *command;           /* words, then NULL; NULL: none */
    const char *pccs[OFFER_SERVICES_MAX]; /* for our own collateral, in order; none: Intel's */
    size_t pccs_count;
    const char *collateral_file; /* instead of them; NULL: none */
    bool has_payment;            /* whoever has a pod made pays: */
    paid_rule_t payment;
} offer_t;

/* Reads a configuration, strictly. out written only on RC_OK. RC_MALFORMED, RC_LIMIT, RC_REFUSED: amounts, prices or
 * addresses that make no sense; RC_NOMEM; e names the member. */
NODISCARD rc_t offer_read(offer_t *out, err_t *e, arena_t *a, view_t text);

typedef struct provider provider_t;

/* Starts it. offer, tee and http are borrowed until provider_stop. RC_IO: a port, a thread, no quote; RC_MALFORMED: an
 * address; RC_NOMEM. secret_init must have been called. */
NODISCARD rc_t provider_start(provider_t **out, err_t *e, const offer_t *offer, const tee_provider_t *tee, hc_t *http);

/* Says goodbye to publishers, and waits for what its program is doing. NULL allowed. */
void provider_stop(provider_t *p);

/* Where it listens, with real ports and its id in them. */
const maddr_t *provider_listening(const provider_t *p, size_t *count);

#endif
