/* fast_ecdsa.c - a double of base/crypto/ecdsa.h for the simulation: signatures are hashes, which only who knows the secret
 * can make, and verifying looks the secret up. A hundred times as fast, and as unforgeable within one program. */
#include <stdlib.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "tests/overlay/world.h"

#define SLOTS 65536u

static struct {
    uint8_t pubkey[33], secret[32];
    bool there;
} known[SLOTS];

static size_t slot_of(const uint8_t pubkey[33])
{
    size_t i = ((size_t)pubkey[1] << 8 | pubkey[2]) % SLOTS;
    while (known[i].there && memcmp(known[i].pubkey, pubkey, 33) != 0)
        i = (i + 1) % SLOTS;
    return i;
}

void fast_ecdsa_clear(void)
{
    memset(known, 0, sizeof known);
}

ecdsa_t *ecdsa_new(const uint8_t seed32[32])
{
    (void)seed32;
    return malloc(1);
}

void ecdsa_free(ecdsa_t *e)
{
    free(e);
}

bool ecdsa_secret_valid(const ecdsa_t *e, const uint8_t secret[ECDSA_SECRET_LEN])
{
    (void)e, (void)secret;
    return true;
}

rc_t ecdsa_pubkey(const ecdsa_t *e, uint8_t out33[ECDSA_PUBKEY_LEN], const uint8_t secret[ECDSA_SECRET_LEN])
{
    hash32_t h;
    (void)e;
    sha256(&h, view_of(secret, 32));
    out33[0] = 2;
    memcpy(out33 + 1, h.b, 32);
    size_t i = slot_of(out33);
    known[i].there = true;
    memcpy(known[i].pubkey, out33, 33);
    memcpy(known[i].secret, secret, 32);
    return RC_OK;
}

rc_t ecdsa_sign(const ecdsa_t *e, uint8_t out64[ECDSA_SIG_LEN], int *recid, const hash32_t *digest,
                const uint8_t secret[ECDSA_SECRET_LEN])
{
    hash32_t h;
    const view_t parts[] = { view_of(secret, 32), view_of(digest->b, 32) };
    (void)e, (void)recid;
    sha256_parts(&h, parts, 2);
    memcpy(out64, h.b, 32);
    memset(out64 + 32, 1, 32);
    return RC_OK;
}

rc_t ecdsa_verify(const ecdsa_t *e, const uint8_t sig64[ECDSA_SIG_LEN], const hash32_t *digest,
                  const uint8_t pubkey33[ECDSA_PUBKEY_LEN])
{
    uint8_t want[64];
    size_t i = slot_of(pubkey33);
    if (!known[i].there)
        return RC_MALFORMED;
    return ecdsa_sign(e, want, NULL, digest, known[i].secret) || memcmp(want, sig64, 64) ? RC_REFUSED : RC_OK;
}

rc_t ecdsa_uncompress(const ecdsa_t *e, uint8_t out64[64], const uint8_t pubkey33[ECDSA_PUBKEY_LEN])
{
    (void)e;
    memset(out64, 0, 64);
    memcpy(out64, pubkey33 + 1, 32);
    return pubkey33[0] == 2 ? RC_OK : RC_MALFORMED;
}

void ecdsa_address(addr_t *out, const uint8_t pubkey64[64])
{
    memcpy(out->b, pubkey64, sizeof out->b);
}

rc_t ecdsa_sign65(const ecdsa_t *e, uint8_t out65[ECDSA_SIG65_LEN], const hash32_t *digest,
                  const uint8_t secret[ECDSA_SECRET_LEN])
{
    out65[64] = 27;
    return ecdsa_sign(e, out65, NULL, digest, secret);
}

/* In this program a signature has one form. */
size_t ecdsa_to_der(uint8_t out[ECDSA_DER_MAX], const uint8_t sig64[ECDSA_SIG_LEN])
{
    memcpy(out, sig64, ECDSA_SIG_LEN);
    return ECDSA_SIG_LEN;
}

rc_t ecdsa_from_der(uint8_t out64[ECDSA_SIG_LEN], view_t der)
{
    if (der.n != ECDSA_SIG_LEN)
        return RC_MALFORMED;
    memcpy(out64, der.p, der.n);
    return RC_OK;
}
