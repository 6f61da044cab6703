/* prototype.h - bodies of the prototype's routes in their wire form. Values in, text out.
 *
 * Spec:   architecture section 3: prototype bodies are a JSON string that holds JSON, keys in this order
 * Floor:  3, rpc/api. Pure: signing is a function pointer.
 * Tests:  tests/unit/test_prototype.c
 */
#ifndef RPC_API_PROTOTYPE_H
#define RPC_API_PROTOTYPE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/crypto/ecdsa.h"
#include "base/rc.h"

/* Signs a digest with the cluster key: 64 bytes compact, low s. */
typedef struct {
    void *ctx;
    rc_t (*sign)(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest);
} api_signer_t;

/* All three bodies are text in the arena, NUL-terminated behind the view; out is written only on RC_OK.
 * RC_NOMEM, or what the signer returned. */

/* GET /block: the signature is over SHA-256 of the decimal number. */
NODISCARD rc_t api_block_body(view_t *out, arena_t *a, const api_signer_t *signer, uint64_t block_number);

/* POST /call: response is {"Success":"0x..."}, or "Error" when error is true (output is then not used). The signature
 * is over SHA-256 of the compact JSON of response. */
NODISCARD rc_t api_call_body(view_t *out, arena_t *a, const api_signer_t *signer, view_t output, bool error);

/* GET /attest: quote and public key; not signed, the quote is the proof. */
NODISCARD rc_t api_attest_body(view_t *out, arena_t *a, view_t quote, const uint8_t pubkey33[33]);

#endif
