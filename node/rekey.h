/* rekey.h - which key of the cluster answers name: when another one signs, the quote over it is made before its slot
 * comes, and answers that name the old one are made anew.
 *
 * Floor:  5, node. A worker of its own where there is a cluster; any thread.
 * Tests:  tests/e2e (cluster)
 */
#ifndef NODE_REKEY_H
#define NODE_REKEY_H

#include "http/message.h"
#include "node/cluster/cluster.h"
#include "node/query/jobs.h"

typedef struct rekey rekey_t;

/* Everything borrowed until rekey_stop. */
typedef struct {
    cluster_t *cluster; /* NULL: there is one key for ever */
    attest_t *attest;   /* with the quote over pubkey */
    jobs_t *jobs;       /* whose kept answers are forgotten */
    unsigned flags;     /* of the answer of GET /attest */
    uint8_t pubkey[ECDSA_PUBKEY_LEN];
} rekey_config_t;

/* Makes the answer of GET /attest, and starts the worker. RC_NOMEM, RC_IO. */
NODISCARD rc_t rekey_start(rekey_t **out, err_t *e, const rekey_config_t *config);

/* There may be another key. NULL is allowed. */
void rekey_wake(rekey_t *k);

/* Before the cluster is stopped. NULL is allowed. */
void rekey_stop(rekey_t *k);

/* The public key that signs; a reference to the answer of GET /attest. */
void rekey_pubkey(rekey_t *k, uint8_t out[ECDSA_PUBKEY_LEN]);
hs_shared_t *rekey_answer(rekey_t *k);

#endif
