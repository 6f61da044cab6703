/* paid.h - whether a pod is paid for: the channel that a request names, as a node's light client proves it.
 *
 * The provider is a process of its own and follows no chain. It asks a Kettle node, POST /v1/call, for the contract's
 * channels(publisher, provider, podId), and takes nothing but a statement signed by a key that its configuration pins,
 * of this chain, setup, call and age. Who carries the answer, the node's host and its execution RPC, can withhold it:
 * then no pod is made.
 *
 *     "payment": { "contract": "0x...", "chain_id": 1, "node": "http://127.0.0.1:3032", "signers": ["0x..."],
 *                  "setup_hash": "0x...", "min_unlock_s": 3600 }
 *
 * Money is there when what was paid in is more than what was taken, by min_amount at least, and nobody has begun to
 * unlock it; and a channel whose publisher may have it back sooner than min_unlock_s after asking is none.
 *
 * Spec:   sdk-facts 7 (Payment.sol), 8; docs/tpod.md; docs/statements.md
 * Floor:  5, node/tpod. paid_check asks by HTTP and waits; the rest takes bytes and time.
 * Tests:  tests/unit/test_tpod_paid.c, tests/e2e (tpod-paid)
 */
#ifndef NODE_TPOD_PAID_H
#define NODE_TPOD_PAID_H

#include "base/json.h"
#include "http/client.h"
#include "overlay/tpod/pod.h"
#include "rpc/api/statement_verify.h"

#define PAID_SIGNERS_MAX 4u
#define PAID_MS 30000u              /* for the node's answer */
#define PAID_LATEST_AGE_S 120u      /* how old the block may be by default, */
#define PAID_FINALIZED_AGE_S 1800u  /* ... of "finalized" */
#define PAID_ANSWER_MAX (64u << 10) /* bytes of it */

/* Whose statements are believed, and which channels do. */
typedef struct {
    addr_t contract, provider;
    uint64_t chain_id;
    uint8_t chain_bytes[8]; /* the same, big endian */
    const char *node;       /* URL of its API */
    addr_t signers[PAID_SIGNERS_MAX];
    size_t signer_count;
    hash32_t setup;
    bool finalized;
    uint64_t max_age_s, min_unlock_s;
    u256_t min_amount;
} paid_rule_t;

/* Reads the member "payment", which is there. provider: the address that is paid. What is wrong is in o. */
void paid_read(paid_rule_t *out, arena_t *a, const jo_t *o, const addr_t *provider);

/* What a request has to name. Views of rule. */
tpod_payment_t paid_named(const paid_rule_t *rule);

/* The body to ask the node with, for a payment that names what it has to. RC_REFUSED: its publisher or podID is none;
 * RC_NOMEM. */
NODISCARD rc_t paid_question(view_t *out, err_t *e, arena_t *a, const paid_rule_t *rule, const tpod_payment_t *p);

/* Judges the node's answer to it, at a time. RC_OK: the channel does. RC_REFUSED: it is proven that it does not, and e
 * may be told to the publisher. RC_IO: nothing is proven. RC_NOMEM. */
NODISCARD rc_t paid_judge(err_t *e, arena_t *a, const paid_rule_t *rule, const tpod_payment_t *p, view_t answer,
                          uint64_t now_s);

/* Both, with the asking between them. */
NODISCARD rc_t paid_check(err_t *e, arena_t *a, const paid_rule_t *rule, const tpod_payment_t *p, hc_t *http,
                          bool (*stops)(void *ctx), void *ctx);

#endif
