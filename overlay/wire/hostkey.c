#include "overlay/wire/hostkey.h"

#include "base/crypto/curve25519.h"
#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "overlay/wire/proto.h"
#include "tee/x509/der.h"

_Static_assert(DER_P256_SPKI_LEN == HOSTKEY_MAX, "length of a P-256 key");

static rc_t check_key(const hostkey_t *k)
{
    uint8_t point[64];
    switch (k->type) {
    case HOSTKEY_ED25519: return k->n == ED25519_PUBKEY_LEN ? RC_OK : RC_MALFORMED;
    case HOSTKEY_SECP256K1:
        if (k->n != ECDSA_PUBKEY_LEN)
            return RC_MALFORMED;
        return ecdsa_uncompress(NULL, point, k->b) ? RC_REFUSED : RC_OK;
    case HOSTKEY_ECDSA: return der_p256_point(view_of(k->b, k->n)) ? RC_OK : RC_MALFORMED;
    case HOSTKEY_RSA: return RC_UNSUPPORTED;
    }
    return RC_MALFORMED;
}

rc_t hostkey_read(hostkey_t *out, view_t pb)
{
    rd_t r = rd_of(pb);
    uint8_t tag_type = rd_u8(&r);
    uint64_t type = varint_take(&r);
    uint8_t tag_data = rd_u8(&r);
    view_t data = rd_take(&r, varint_take(&r));
    if (!rd_done(&r) || tag_type != 0x08 || tag_data != 0x12 || type > HOSTKEY_ECDSA)
        return RC_MALFORMED;
    hostkey_t k = { .type = (hostkey_type_t)type };
    if (data.n > sizeof k.b)
        return type == HOSTKEY_RSA ? RC_UNSUPPORTED : RC_MALFORMED;
    k.n = (uint8_t)data.n;
    if (data.n)
        memcpy(k.b, data.p, data.n);
    rc_t rc = check_key(&k);
    if (!rc)
        *out = k;
    return rc;
}

void hostkey_write(wr_t *w, const hostkey_t *k)
{
    pb_put_u64(w, 1, k->type);
    pb_put_bytes(w, 2, view_of(k->b, k->n));
}

static rc_t verify_secp256k1(const hostkey_t *k, view_t sig, view_t message)
{
    uint8_t compact[ECDSA_SIG_LEN];
    hash32_t digest;
    rc_t rc = ecdsa_from_der(compact, sig);
    if (rc)
        return rc;
    sha256(&digest, message);
    return ecdsa_verify(NULL, compact, &digest, k->b);
}

rc_t hostkey_verify(const hostkey_t *k, view_t sig, view_t message)
{
    switch (k->type) {
    case HOSTKEY_ED25519: return sig.n == ED25519_SIG_LEN ? ed25519_verify(sig.p, message, k->b) : RC_MALFORMED;
    case HOSTKEY_SECP256K1: return verify_secp256k1(k, sig, message);
    case HOSTKEY_ECDSA: {
        const der_signed_t s = { .tbs = message, .signature = sig };
        return der_verify(&s, k->b + DER_P256_PREFIX_LEN);
    }
    case HOSTKEY_RSA: break;
    }
    return RC_UNSUPPORTED;
}

bool hostkey_eq(const hostkey_t *a, const hostkey_t *b)
{
    return a->type == b->type && view_eq(view_of(a->b, a->n), view_of(b->b, b->n));
}

void hostkey_secp256k1(hostkey_t *out, const uint8_t pubkey33[33])
{
    *out = (hostkey_t){ .type = HOSTKEY_SECP256K1, .n = 33 };
    memcpy(out->b, pubkey33, 33);
}
