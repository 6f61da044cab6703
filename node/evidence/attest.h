/* attest.h - the node's evidence: quotes over its keys, Intel's documents for its own platform, and what it accepts of
 * others.
 *
 * A quote over the cluster's key is made at start. A thread keeps the collateral fresh: it is fetched (PCS or
 * PCCS), read from a file, or made by the simulator, verified together with our own quote, kept in the state
 * directory, and renewed before it expires. Quotes over a nonce are made one at a time; a few requests wait, not for
 * long, more are turned away.
 *
 * Floor:  5, node/evidence.
 * Tests:  tests/unit/test_attest.c, tests/e2e (attest)
 */
#ifndef NODE_EVIDENCE_ATTEST_H
#define NODE_EVIDENCE_ATTEST_H

#include "base/arena.h"
#include "base/os/clock.h"
#include "http/client.h"
#include "node/evidence/setup.h"
#include "rpc/api/attestation.h"
#include "tee/tee.h"
#include "tee/verify/policy.h"
#include "tee/verify/verify.h"

#define ATTEST_QUEUE_MAX 2u                       /* requests that wait while a quote is made */
#define ATTEST_WORKERS (1 + ATTEST_QUEUE_MAX + 1) /* of a server: one is left for requests without a quote */

typedef struct attest attest_t;

typedef struct {
    const tee_provider_t *tee; /* borrowed until attest_free, as all pointers here */
    bool pretended;            /* its quotes are simulated, whatever they lead to */
    hc_t *http;
    const char *const *pccs; /* services in order of preference */
    size_t pccs_count;
    const char *pccs_ca_file;    /* who vouches for their certificates; NULL: the system's */
    const char *pccs_root_crl;   /* where the root's list lies if a service has none; NULL: nowhere */
    const char *collateral_file; /* flattened JSON, instead of services; NULL: none */
    const char *state_dir;       /* NULL: nothing is kept */
    const char *policy;          /* JSON text; NULL: the default, same-as-self */
    uint8_t pubkey[33], node_pubkey[33];
    int64_t (*now_s)(void *ctx); /* Unix seconds: what time it is at least */
    /* Told of the newest issue date in collateral that verified up to Intel's root, on the worker's thread; or NULL. */
    void (*issued)(void *ctx, int64_t newest_s);
    void *time_ctx;
    uint32_t wait_ms; /* for the quotes before; 0: 20 s */
} attest_config_t;

/* What is known of our own platform, for /v1/status. */
typedef struct {
    bool verified; /* our own quote verified by the present collateral */
    tcb_status_t status;
    hash32_t platform;        /* SHA-256 of our PPID */
    int64_t verifiable_until; /* Unix seconds */
    char trouble[256];        /* why the collateral is not fresh; empty when it is */
} attest_status_t;

/* Reads the policy, makes a quote over pubkey, checks its signature and root. pubkey is the cluster's key; of a node
 * that has none yet its own, until attest_key. RC_IO, RC_TIMEOUT: no quote; RC_MALFORMED, RC_REFUSED, RC_LIMIT: the
 * policy, with "policy" before its field; RC_NOMEM. */
NODISCARD rc_t attest_new(attest_t **out, err_t *e, const attest_config_t *config);

/* Whether our own quote does not lead to Intel's root: then every answer says so, whatever the provider is called. */
bool attest_simulated(const attest_t *s);

/* Starts the thread, before attest_begin: a node that joins needs its collateral first. RC_IO, RC_NOMEM. */
NODISCARD rc_t attest_collect(attest_t *s, err_t *e);

/* The cluster's key has come, or another one: makes the quote over it, unless attest_prepare has; all that is made from
 * now on is over this key. One thread at a time. As attest_new. */
NODISCARD rc_t attest_key(attest_t *s, err_t *e, const uint8_t pubkey[33]);

/* Makes the quote over a key that is to come, since that may take seconds. As attest_key. */
NODISCARD rc_t attest_prepare(attest_t *s, err_t *e, const uint8_t pubkey[33]);

/* Reads the policy of an order; it knows ourselves. policy_free. As policy_read; RC_NEED_DATA: our own evidence is not
 * verified yet. */
NODISCARD rc_t attest_read_policy(attest_t *s, policy_t **out, err_t *e, view_t text);

/* Whether a policy admits ourselves. As tee_appraise; RC_NEED_DATA. */
NODISCARD rc_t attest_admits_self(attest_t *s, err_t *e, const policy_t *policy);

/* The policy that peers are held to, which knows ourselves once attest_status says verified. */
const policy_t *attest_policy(const attest_t *s);

/* A copy of the present collateral in the arena. RC_NEED_DATA: none yet; RC_NOMEM. */
NODISCARD rc_t attest_collateral(attest_t *s, view_t *out, err_t *e, arena_t *a);

/* Starts the thread unless it runs; from now on bodies of GET /v1/attest are made, which bind what the setup means
 * (borrowed).
 * RC_REFUSED: our own policy, with "policy" before its field, does not admit this setup; RC_IO: no thread. */
NODISCARD rc_t attest_begin(attest_t *s, err_t *e, const setup_t *setup);

/* Other services for collateral from now on, in order of preference; copied, and asked soon. RC_NOMEM: nothing has
 * changed. Any thread. */
NODISCARD rc_t attest_set_pccs(attest_t *s, const char *const *urls, size_t count);

/* Ends the thread (a request under way is cancelled) and frees. NULL is allowed. */
void attest_free(attest_t *s);

/* The quote over the cluster's key in the prototype's way; until attest_key is called again, on its thread. */
view_t attest_quote(const attest_t *s);

/* Body of GET /v1/attest, in the arena: with a nonce (32 bytes) a fresh quote over it; with NULL one without, which is
 * made when it is first asked for and then kept.
 *   cluster  how it stands; said, and bound by nothing
 *   staple   with collateral; RC_NEED_DATA when there is none yet
 * RC_LIMIT: too many wait already; RC_IO, RC_TIMEOUT, RC_NOMEM. */
NODISCARD rc_t attest_body(attest_t *s, view_t *out, err_t *e, arena_t *a, const attestation_cluster_t *cluster,
                           const uint8_t *nonce, bool staple);

/* Fresh evidence over report data of another kind, in the same queue; tee_evidence_free. RC_LIMIT: too many wait
 * already; RC_IO, RC_TIMEOUT, RC_NOMEM. */
NODISCARD rc_t attest_evidence(attest_t *s, tee_evidence_t *out, err_t *e,
                               const uint8_t report_data[TEE_REPORT_DATA_LEN]);

/* Copies the present status. */
void attest_status(attest_t *s, attest_status_t *out);

#endif
