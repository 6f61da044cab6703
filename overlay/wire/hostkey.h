/* hostkey.h - the keys that libp2p knows a peer by: their protobuf form, and signatures by them.
 *
 * Nodes of a cluster have secp256k1 keys. Ed25519 and ECDSA keys on P-256 are understood of others; RSA is not: the
 * rest of libp2p has left it, and it would be one more signature scheme to trust.
 *
 * Spec:   libp2p/specs peer-ids/peer-ids.md, "Keys"; overlay-facts section 3
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread, but gmp's heap inside P-256.
 * Tests:  tests/unit/test_peerid.c, tests/fuzz/fuzz_peerid.c
 */
#ifndef OVERLAY_WIRE_HOSTKEY_H
#define OVERLAY_WIRE_HOSTKEY_H

#include "base/bytes.h"
#include "base/rc.h"

typedef enum { HOSTKEY_RSA = 0, HOSTKEY_ED25519 = 1, HOSTKEY_SECP256K1 = 2, HOSTKEY_ECDSA = 3 } hostkey_type_t;

#define HOSTKEY_MAX 91u     /* bytes of a key: SubjectPublicKeyInfo of P-256; Ed25519 has 32, secp256k1 33 */
#define HOSTKEY_PB_MAX 95u  /* bytes of its protobuf form */
#define HOSTKEY_SIG_MAX 72u /* bytes of a signature: DER; Ed25519's have 64 */

typedef struct {
    hostkey_type_t type;
    uint8_t n;
    uint8_t b[HOSTKEY_MAX];
} hostkey_t;

/* Reads message PublicKey, which has one form: both fields in their order and nothing else.
 *   out  written only on RC_OK
 * RC_MALFORMED: no such message, or a length that its type does not have; RC_REFUSED: not a point of secp256k1;
 * RC_UNSUPPORTED: RSA. */
NODISCARD rc_t hostkey_read(hostkey_t *out, view_t pb);

/* Writes message PublicKey: at most HOSTKEY_PB_MAX bytes. */
void hostkey_write(wr_t *w, const hostkey_t *k);

/* RC_OK when sig over message by k is valid: Ed25519 over the message itself, the others DER over its SHA-256.
 * RC_MALFORMED, RC_REFUSED. */
NODISCARD rc_t hostkey_verify(const hostkey_t *k, view_t sig, view_t message);

/* The same key? */
bool hostkey_eq(const hostkey_t *a, const hostkey_t *b);

/* Signs a message with the host key; the signature's length is at most HOSTKEY_SIG_MAX. The secret stays with its
 * owner behind ctx. */
typedef rc_t (*hostkey_sign_fn)(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message);

/* Who this end is. */
typedef struct {
    hostkey_t key;
    hostkey_sign_fn sign;
    void *sign_ctx;
} identity_t;

/* An identity of a compressed secp256k1 key. */
void hostkey_secp256k1(hostkey_t *out, const uint8_t pubkey33[33]);

#endif
