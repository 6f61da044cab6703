/* writer.h - keeps this node listed by the membership contract: a key of the TEE's KMS sends what the contract wants.
 *
 *     writer_register -> at each new head: where it stands (rpc/members/stand.h, proven), what is to be sent
 *                        (node/p2p/registrar.h) -> signed here, forwarded to the execution RPC
 *                        -> a later head shows it
 *
 * The key is dstack's GetKey of the path kettle/p2p/<instance id> for the purpose kettle-p2p, and stays in a keyring.
 * Nonce, balance and effect are read on proven state; nothing that an endpoint says of a transaction is believed.
 *
 * Floor:  5, node/p2p. Any thread. A thread of its own.
 * Tests:  tests/unit/test_p2p_registrar.c, tests/unit/test_p2p_daemon.c
 */
#ifndef NODE_P2P_WRITER_H
#define NODE_P2P_WRITER_H

#include "base/crypto/ecdsa.h"
#include "base/json.h"
#include "node/config/membership.h"
#include "node/query/ask.h"
#include "tee/tee.h"

typedef struct writer writer_t;

/* Everything borrowed until writer_free. */
typedef struct {
    const membership_t *membership;
    const tee_provider_t *tee;
    ask_t *ask;
    const evm_chain_t *chain;
    ex_cache_t *cache;
    /* What has become of the registration: once for each look at a head or failure; must not wait. */
    void (*looked)(void *ctx);
    void *ctx;
} writer_config_t;

/* RC_NOMEM, RC_IO: no thread. */
NODISCARD rc_t writer_start(writer_t **out, err_t *e, const writer_config_t *config);

/* The latest head; also told again. Copied. */
void writer_head(writer_t *w, const ex_block_t *block);

/* This node is to be listed, and to stay so. */
void writer_register(writer_t *w);

typedef enum { WRITER_IDLE, WRITER_AT_WORK, WRITER_REGISTERED, WRITER_STUCK } writer_state_t;

/* How far it is; in why what keeps it (empty: nothing yet known), and whether it has looked since writer_register. */
writer_state_t writer_state(writer_t *w, err_t *why);

/* Members of an object: address, instance, token, transaction on its way. */
void writer_put(writer_t *w, jw_t *out);

/* The address that sends, and the instance; asks the TEE for them where that was not done. May take a minute.
 * RC_UNSUPPORTED: the TEE gives no keys of a KMS; RC_REFUSED, RC_IO, RC_TIMEOUT. */
NODISCARD rc_t writer_identity(writer_t *w, err_t *e);

/* The address that sends. False: the TEE has not given it yet. */
bool writer_address(writer_t *w, addr_t *out);

/* Signs a digest as that address, in the 65 bytes of ecdsa_sign65. RC_REFUSED: the TEE has not given the key yet. */
NODISCARD rc_t writer_sign(writer_t *w, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest);

/* Ends its thread; before ask_free. NULL is allowed. */
void writer_stop(writer_t *w);

/* After ask_free. NULL is allowed. */
void writer_free(writer_t *w);

#endif
