/* wire_id.h - identities for tests of the wire: Ed25519 of a seed, and secp256k1 of a secret. */
#ifndef TESTS_WIRE_ID_H
#define TESTS_WIRE_ID_H

#include <sodium.h>
#include <stdio.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "overlay/wire/hostkey.h"
#include "overlay/wire/peerid.h"
#include "tests/unit/unit.h"

typedef struct {
    identity_t who;
    uint8_t secret[64];
    ecdsa_t *ecdsa;
} wire_id_t;

static inline rc_t wire_sign_ed25519(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    const wire_id_t *id = ctx;
    crypto_sign_ed25519_detached(out, NULL, message.p, message.n, id->secret);
    *n = 64;
    return RC_OK;
}

static inline rc_t wire_sign_secp256k1(void *ctx, uint8_t out[HOSTKEY_SIG_MAX], size_t *n, view_t message)
{
    const wire_id_t *id = ctx;
    uint8_t compact[ECDSA_SIG_LEN];
    hash32_t digest;
    sha256(&digest, message);
    rc_t rc = ecdsa_sign(id->ecdsa, compact, NULL, &digest, id->secret);
    *n = rc ? 0 : ecdsa_to_der(out, compact);
    return rc;
}

/* The key whose seed is the SHA-256 of a word. */
static inline void wire_ed25519(wire_id_t *id, const char *word)
{
    hash32_t seed;
    sha256(&seed, view_str(word));
    *id = (wire_id_t){ .who = {
                           .key = { .type = HOSTKEY_ED25519, .n = 32 }, .sign = wire_sign_ed25519, .sign_ctx = id } };
    crypto_sign_ed25519_seed_keypair(id->who.key.b, id->secret, seed.b);
}

/* The key whose secret is the SHA-256 of a word; freed with wire_id_clear. */
static inline void wire_secp256k1(wire_id_t *id, const char *word)
{
    hash32_t secret;
    uint8_t pubkey[33];
    sha256(&secret, view_str(word));
    *id = (wire_id_t){ .who = { .sign = wire_sign_secp256k1, .sign_ctx = id }, .ecdsa = ecdsa_new(NULL) };
    memcpy(id->secret, secret.b, 32);
    ck_assert_int_eq(ecdsa_pubkey(id->ecdsa, pubkey, id->secret), RC_OK);
    hostkey_secp256k1(&id->who.key, pubkey);
}

static inline void wire_id_clear(wire_id_t *id)
{
    ecdsa_free(id->ecdsa);
}

/* Bytes of hexadecimal text, in the caller's storage. */
static inline view_t wire_hex(uint8_t *out, size_t cap, const char *text)
{
    size_t n = 0;
    ck_assert_int_eq(hex_decode(out, &n, cap, text, strlen(text)), RC_OK);
    return view_of(out, n);
}

#define CK_VIEW_IS(view, hex_text)                                                                                     \
    do {                                                                                                               \
        view_t v_ = (view);                                                                                            \
        char *t_ = malloc(2 * v_.n + 1);                                                                               \
        hex_encode(t_, v_);                                                                                            \
        ck_assert_str_eq(t_, hex_text);                                                                                \
        free(t_);                                                                                                      \
    } while (0)

/* The view copied to exactly as much memory, so that ASan sees a read past it; freed by the caller. */
static inline uint8_t *wire_exact(view_t v)
{
    uint8_t *p = malloc(v.n ? v.n : 1);
    ck_assert_ptr_nonnull(p);
    if (v.n)
        memcpy(p, v.p, v.n);
    return p;
}

#endif
