#include "base/crypto/ecdsa.h"

#include <secp256k1.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <stdlib.h>

#include "base/crypto/hash.h"

#define V_BASE 27

/* Half the order, rounded down: the highest s of a signature that is accepted once only. */
static const uint8_t HALF_ORDER[32] = { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
                                        0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0 };

struct ecdsa {
    secp256k1_context *ctx;
    _Alignas(16) uint8_t storage[]; /* of the context: so that we see when memory is short, where the library aborts */
};

ecdsa_t *ecdsa_new(const uint8_t seed32[32])
{
    ecdsa_t *e = malloc(sizeof *e + secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE));
    if (!e)
        return NULL;
    e->ctx = secp256k1_context_preallocated_create(e->storage, SECP256K1_CONTEXT_NONE);
    if (seed32 && !secp256k1_context_randomize(e->ctx, seed32)) {
        ecdsa_free(e);
        return NULL;
    }
    return e;
}

void ecdsa_free(ecdsa_t *e)
{
    if (e)
        secp256k1_context_preallocated_destroy(e->ctx);
    free(e);
}

bool ecdsa_secret_valid(const ecdsa_t *e, const uint8_t secret[ECDSA_SECRET_LEN])
{
    return secp256k1_ec_seckey_verify(e->ctx, secret) == 1;
}

rc_t ecdsa_pubkey(const ecdsa_t *e, uint8_t out33[ECDSA_PUBKEY_LEN], const uint8_t secret[ECDSA_SECRET_LEN])
{
    secp256k1_pubkey key;
    size_t n = ECDSA_PUBKEY_LEN;
    if (!secp256k1_ec_pubkey_create(e->ctx, &key, secret))
        return RC_REFUSED;
    secp256k1_ec_pubkey_serialize(e->ctx, out33, &n, &key, SECP256K1_EC_COMPRESSED);
    return RC_OK;
}

rc_t ecdsa_sign(const ecdsa_t *e, uint8_t out64[ECDSA_SIG_LEN], int *recid, const hash32_t *digest,
                const uint8_t secret[ECDSA_SECRET_LEN])
{
    secp256k1_ecdsa_recoverable_signature sig;
    int id;
    /* A NULL nonce function means RFC 6979 with SHA-256; the result has low s. */
    if (!secp256k1_ecdsa_sign_recoverable(e->ctx, &sig, digest->b, secret, NULL, NULL))
        return RC_REFUSED;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(e->ctx, out64, &id, &sig);
    if (recid)
        *recid = id;
    return RC_OK;
}

rc_t ecdsa_sign65(const ecdsa_t *e, uint8_t out65[ECDSA_SIG65_LEN], const hash32_t *digest,
                  const uint8_t secret[ECDSA_SECRET_LEN])
{
    uint8_t sig[ECDSA_SIG_LEN];
    int id;
    rc_t rc = ecdsa_sign(e, sig, &id, digest, secret);
    if (rc || id > 1) /* 2, 3: r was not below the order */
        return rc ? rc : RC_REFUSED;
    memcpy(out65, sig, sizeof sig);
    out65[ECDSA_SIG_LEN] = (uint8_t)(V_BASE + id);
    return RC_OK;
}

/* What needs no secret does with the library's constant context. */
static const secp256k1_context *public_ctx(const ecdsa_t *e)
{
    return e ? e->ctx : secp256k1_context_static;
}

rc_t ecdsa_verify(const ecdsa_t *e, const uint8_t sig64[ECDSA_SIG_LEN], const hash32_t *digest,
                  const uint8_t pubkey33[ECDSA_PUBKEY_LEN])
{
    secp256k1_pubkey key;
    secp256k1_ecdsa_signature sig;
    const secp256k1_context *ctx = public_ctx(e);
    if (!secp256k1_ec_pubkey_parse(ctx, &key, pubkey33, ECDSA_PUBKEY_LEN) ||
        !secp256k1_ecdsa_signature_parse_compact(ctx, &sig, sig64))
        return RC_MALFORMED;
    return secp256k1_ecdsa_verify(ctx, &sig, digest->b, &key) ? RC_OK : RC_REFUSED; /* refuses high s */
}

static void write_uncompressed(const secp256k1_context *ctx, uint8_t out64[64], const secp256k1_pubkey *key)
{
    uint8_t full[65]; /* 0x04, x, y */
    size_t n = sizeof full;
    secp256k1_ec_pubkey_serialize(ctx, full, &n, key, SECP256K1_EC_UNCOMPRESSED);
    memcpy(out64, full + 1, 64);
}

rc_t ecdsa_recover(const ecdsa_t *e, uint8_t out64[64], const uint8_t sig64[64], int recid, const hash32_t *digest)
{
    secp256k1_ecdsa_recoverable_signature sig;
    secp256k1_pubkey key;
    const secp256k1_context *ctx = public_ctx(e);
    if (recid < 0 || recid > 3 || !secp256k1_ecdsa_recoverable_signature_parse_compact(ctx, &sig, sig64, recid) ||
        !secp256k1_ecdsa_recover(ctx, &key, &sig, digest->b))
        return RC_REFUSED;
    write_uncompressed(ctx, out64, &key);
    return RC_OK;
}

rc_t ecdsa_recover65(addr_t *out, const uint8_t sig65[ECDSA_SIG65_LEN], const hash32_t *digest)
{
    uint8_t key[64];
    const uint8_t v = sig65[ECDSA_SIG_LEN];
    if ((v != V_BASE && v != V_BASE + 1) || memcmp(sig65 + 32, HALF_ORDER, sizeof HALF_ORDER) > 0)
        return RC_MALFORMED;
    rc_t rc = ecdsa_recover(NULL, key, sig65, v - V_BASE, digest);
    if (!rc)
        ecdsa_address(out, key);
    return rc;
}

rc_t ecdsa_uncompress(const ecdsa_t *e, uint8_t out64[64], const uint8_t pubkey33[ECDSA_PUBKEY_LEN])
{
    secp256k1_pubkey key;
    const secp256k1_context *ctx = public_ctx(e);
    if (!secp256k1_ec_pubkey_parse(ctx, &key, pubkey33, ECDSA_PUBKEY_LEN))
        return RC_MALFORMED;
    write_uncompressed(ctx, out64, &key);
    return RC_OK;
}

size_t ecdsa_to_der(uint8_t out[ECDSA_DER_MAX], const uint8_t sig64[ECDSA_SIG_LEN])
{
    secp256k1_ecdsa_signature sig;
    size_t n = ECDSA_DER_MAX;
    if (!secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &sig, sig64) ||
        !secp256k1_ecdsa_signature_serialize_der(secp256k1_context_static, out, &n, &sig))
        return 0;
    return n;
}

rc_t ecdsa_from_der(uint8_t out64[ECDSA_SIG_LEN], view_t der)
{
    secp256k1_ecdsa_signature sig;
    if (!der.n || !secp256k1_ecdsa_signature_parse_der(secp256k1_context_static, &sig, der.p, der.n))
        return RC_MALFORMED;
    secp256k1_ecdsa_signature_normalize(secp256k1_context_static, &sig, &sig);
    secp256k1_ecdsa_signature_serialize_compact(secp256k1_context_static, out64, &sig);
    return RC_OK;
}

void ecdsa_address(addr_t *out, const uint8_t pubkey64[64])
{
    hash32_t h;
    keccak256(&h, view_of(pubkey64, 64));
    memcpy(out->b, h.b + 12, sizeof out->b);
}
