#include "base/crypto/shares.h"

/* Product in GF(256), in the same time for all. */
static uint8_t mul(uint8_t a, uint8_t b)
{
    unsigned product = 0, x = a, bits = b;
    for (unsigned i = 0; i < 8; i++) {
        product ^= x & (0u - (bits >> i & 1u));
        x = x << 1 ^ (0x11bu & (0u - (x >> 7 & 1u)));
    }
    return (uint8_t)product;
}

/* a to the 254th: its inverse; 0 of 0. */
static uint8_t inverse(uint8_t a)
{
    uint8_t square = a, product = 1;
    for (unsigned i = 1; i < 8; i++) {
        square = mul(square, square);
        product = mul(product, square);
    }
    return product;
}

rc_t shares_split(share_t *out, const uint8_t secret[SHARES_SECRET_LEN], const uint8_t *random, unsigned threshold,
                  unsigned count)
{
    if (threshold < 2 || threshold > count || count > SHARES_MAX)
        return RC_LIMIT;
    for (unsigned i = 0; i < count; i++) {
        out[i].x = (uint8_t)(i + 1);
        for (unsigned k = 0; k < SHARES_SECRET_LEN; k++) {
            uint8_t y = 0;
            for (unsigned c = threshold - 1; c > 0; c--) /* Horner, the highest coefficient first */
                y = mul(y ^ random[(c - 1) * SHARES_SECRET_LEN + k], out[i].x);
            out[i].y[k] = y ^ secret[k];
        }
    }
    return RC_OK;
}

static rc_t check(const share_t *shares, unsigned count)
{
    if (count == 0 || count > SHARES_MAX)
        return RC_LIMIT;
    for (unsigned i = 0; i < count; i++) {
        if (shares[i].x == 0 || shares[i].x > SHARES_MAX)
            return RC_MALFORMED;
        for (unsigned j = 0; j < i; j++)
            if (shares[j].x == shares[i].x)
                return RC_MALFORMED;
    }
    return RC_OK;
}

/* Lagrange's weight of a share at 0. */
static uint8_t weight(const share_t *shares, unsigned count, unsigned i)
{
    uint8_t above = 1, below = 1;
    for (unsigned j = 0; j < count; j++) {
        if (j == i)
            continue;
        above = mul(above, shares[j].x);
        below = mul(below, shares[j].x ^ shares[i].x);
    }
    return mul(above, inverse(below));
}

rc_t shares_join(uint8_t out[SHARES_SECRET_LEN], const share_t *shares, unsigned count)
{
    const rc_t rc = check(shares, count);
    if (rc)
        return rc;
    memset(out, 0, SHARES_SECRET_LEN);
    for (unsigned i = 0; i < count; i++) {
        const uint8_t w = weight(shares, count, i);
        for (unsigned k = 0; k < SHARES_SECRET_LEN; k++)
            out[k] ^= mul(w, shares[i].y[k]);
    }
    return RC_OK;
}
