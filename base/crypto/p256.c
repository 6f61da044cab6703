#include "base/crypto/p256.h"

#include <gmp.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>

#include "base/crypto/kdf.h"
#include "base/crypto/secret.h"

/* The order of the curve's group. */
static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                   0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };

static void import32(mpz_t out, const uint8_t in[32])
{
    mpz_import(out, 32, 1, 1, 1, 0, in);
}

/* Writes n, which is below 2^256. */
static void export32(uint8_t out[32], const mpz_t n)
{
    size_t len = (mpz_sizeinbase(n, 2) + 7) / 8;
    memset(out, 0, 32);
    mpz_export(out + 32 - len, NULL, 1, 1, 1, 0, n);
}

static bool in_group(const uint8_t scalar[32])
{
    static const uint8_t zero[32];
    return memcmp(scalar, zero, 32) != 0 && memcmp(scalar, order, 32) < 0;
}

/* x and y of scalar times point (NULL: the generator); scalar is in the group. */
static void multiply(mpz_t x, mpz_t y, const mpz_t scalar, const struct ecc_point *point)
{
    struct ecc_scalar k;
    struct ecc_point p;
    ecc_scalar_init(&k, nettle_get_secp_256r1());
    ecc_point_init(&p, nettle_get_secp_256r1());
    if (ecc_scalar_set(&k, scalar)) {
        if (point)
            ecc_point_mul(&p, &k, point);
        else
            ecc_point_mul_g(&p, &k);
        ecc_point_get(&p, x, y);
    }
    ecc_point_clear(&p);
    ecc_scalar_clear(&k);
}

/* Verification where the two terms of u1 G + u2 Q are the same point: the sum is 2 u1 G then. nettle (3.8) adds by a
 * formula that does not hold for equal points, and refuses. The sum is looked at first, because it is cheap. */
static bool verify_equal_terms(const struct dsa_signature *rs, const hash32_t *digest, const struct ecc_point *key)
{
    mpz_t n, u1, u2, w, x, y, key_x, key_y;
    mpz_inits(n, u1, u2, w, x, y, key_x, key_y, NULL);
    import32(n, order);
    import32(u1, digest->b);
    mpz_invert(w, rs->s, n);
    mpz_mul(u1, u1, w);
    mpz_mod(u1, u1, n);
    bool valid = mpz_sgn(u1) != 0;
    if (valid) {
        mpz_mul_2exp(u2, u1, 1);
        mpz_mod(u2, u2, n);
        multiply(x, y, u2, NULL);
        valid = mpz_congruent_p(x, rs->r, n);
    }
    if (valid) {
        mpz_mul(u2, rs->r, w);
        mpz_mod(u2, u2, n);
        multiply(x, y, u1, NULL);
        multiply(key_x, key_y, u2, key);
        valid = mpz_cmp(x, key_x) == 0 && mpz_cmp(y, key_y) == 0;
    }
    mpz_clears(n, u1, u2, w, x, y, key_x, key_y, NULL);
    return valid;
}

rc_t p256_verify(const uint8_t sig[P256_SIG_LEN], const hash32_t *digest, const uint8_t pubkey[P256_PUBKEY_LEN])
{
    struct ecc_point point;
    struct dsa_signature rs;
    mpz_t x, y;
    rc_t rc = RC_MALFORMED;
    if (!in_group(sig) || !in_group(sig + 32))
        return RC_MALFORMED;
    ecc_point_init(&point, nettle_get_secp_256r1());
    dsa_signature_init(&rs);
    mpz_inits(x, y, NULL);
    import32(x, pubkey);
    import32(y, pubkey + 32);
    import32(rs.r, sig);
    import32(rs.s, sig + 32);
    if (ecc_point_set(&point, x, y)) /* refuses coordinates that are too large or off the curve */
        rc = ecdsa_verify(&point, sizeof digest->b, digest->b, &rs) || verify_equal_terms(&rs, digest, &point)
                 ? RC_OK
                 : RC_REFUSED;
    mpz_clears(x, y, NULL);
    dsa_signature_clear(&rs);
    ecc_point_clear(&point);
    return rc;
}

/* The secret as nettle's scalar; the caller clears it on RC_OK. */
static rc_t scalar_of(struct ecc_scalar *out, const uint8_t secret[P256_SECRET_LEN])
{
    mpz_t n;
    if (!in_group(secret))
        return RC_REFUSED;
    ecc_scalar_init(out, nettle_get_secp_256r1());
    mpz_init(n);
    import32(n, secret);
    int fits = ecc_scalar_set(out, n);
    mpz_clear(n);
    if (!fits)
        ecc_scalar_clear(out);
    return fits ? RC_OK : RC_BUG; /* in_group says that it fits */
}

rc_t p256_pubkey(uint8_t out[P256_PUBKEY_LEN], const uint8_t secret[P256_SECRET_LEN])
{
    struct ecc_scalar scalar;
    struct ecc_point point;
    mpz_t x, y;
    rc_t rc = scalar_of(&scalar, secret);
    if (rc)
        return rc;
    ecc_point_init(&point, nettle_get_secp_256r1());
    mpz_inits(x, y, NULL);
    ecc_point_mul_g(&point, &scalar);
    ecc_point_get(&point, x, y);
    export32(out, x);
    export32(out + 32, y);
    mpz_clears(x, y, NULL);
    ecc_point_clear(&point);
    ecc_scalar_clear(&scalar);
    return RC_OK;
}

/* RFC 6979 section 3.2: the generator whose output is the nonce. */
typedef struct {
    uint8_t k[32], v[32];
    bool used; /* a first value was given and not taken */
} nonce_t;

/* K = HMAC(K, V || tag || more), V = HMAC(K, V) */
static void nonce_stir(nonce_t *g, uint8_t tag, view_t secret, view_t digest)
{
    const view_t parts[] = { view_of(g->v, 32), view_of(&tag, 1), secret, digest };
    hmac_sha256_parts(g->k, view_of(g->k, 32), parts, 4);
    hmac_sha256_parts(g->v, view_of(g->k, 32), parts, 1);
}

/* The digest modulo the order, as RFC 6979 feeds it to the generator. */
static void reduce(uint8_t out[32], const hash32_t *digest)
{
    unsigned borrow = 0;
    memcpy(out, digest->b, 32);
    if (memcmp(out, order, 32) < 0)
        return;
    for (unsigned i = 32; i-- > 0;) {
        unsigned d = 256u + out[i] - order[i] - borrow;
        out[i] = (uint8_t)d;
        borrow = d < 256;
    }
}

static void nonce_init(nonce_t *g, const uint8_t secret[P256_SECRET_LEN], const hash32_t *digest)
{
    uint8_t h[32];
    reduce(h, digest);
    memset(g->k, 0, sizeof g->k);
    memset(g->v, 1, sizeof g->v);
    g->used = false;
    nonce_stir(g, 0, view_of(secret, 32), view_of(h, 32));
    nonce_stir(g, 1, view_of(secret, 32), view_of(h, 32));
}

/* nettle asks for 32 bytes, takes them as one big-endian number, and asks again when it is not in the group. */
static void nonce_next(void *ctx, size_t n, uint8_t *out)
{
    nonce_t *g = ctx;
    if (g->used)
        nonce_stir(g, 0, view_of(NULL, 0), view_of(NULL, 0));
    g->used = true;
    for (size_t done = 0; done < n;) {
        size_t part = n - done < 32 ? n - done : 32;
        const view_t v = view_of(g->v, 32);
        hmac_sha256_parts(g->v, view_of(g->k, 32), &v, 1);
        memcpy(out + done, g->v, part);
        done += part;
    }
}

rc_t p256_sign(uint8_t out[P256_SIG_LEN], const hash32_t *digest, const uint8_t secret[P256_SECRET_LEN])
{
    struct ecc_scalar scalar;
    struct dsa_signature rs;
    nonce_t g;
    rc_t rc = scalar_of(&scalar, secret);
    if (rc)
        return rc;
    dsa_signature_init(&rs);
    nonce_init(&g, secret, digest);
    ecdsa_sign(&scalar, &g, nonce_next, sizeof digest->b, digest->b, &rs);
    export32(out, rs.r);
    export32(out + 32, rs.s);
    secret_wipe(&g, sizeof g);
    dsa_signature_clear(&rs);
    ecc_scalar_clear(&scalar);
    return RC_OK;
}
