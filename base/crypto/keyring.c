#include "base/crypto/keyring.h"

#include <stdlib.h>

#include "base/crypto/secret.h"

struct keyring {
    ecdsa_t *ecdsa;  /* constant after keyring_new, which makes signing safe from several threads */
    uint8_t *secret; /* guarded memory */
    uint8_t pubkey[ECDSA_PUBKEY_LEN];
    addr_t address;
};

static rc_t fill(keyring_t *k, const uint8_t secret[ECDSA_SECRET_LEN], const uint8_t blind[32])
{
    uint8_t full[64];
    k->ecdsa = ecdsa_new(blind);
    k->secret = secret_alloc(ECDSA_SECRET_LEN);
    if (!k->ecdsa || !k->secret)
        return RC_NOMEM;
    memcpy(k->secret, secret, ECDSA_SECRET_LEN);
    rc_t rc = ecdsa_pubkey(k->ecdsa, k->pubkey, k->secret);
    if (!rc)
        rc = ecdsa_uncompress(k->ecdsa, full, k->pubkey);
    if (!rc)
        ecdsa_address(&k->address, full);
    return rc;
}

rc_t keyring_new(keyring_t **out, uint8_t take_secret[ECDSA_SECRET_LEN], const uint8_t blind[32])
{
    keyring_t *k = calloc(1, sizeof *k);
    rc_t rc = k ? fill(k, take_secret, blind) : RC_NOMEM;
    secret_wipe(take_secret, ECDSA_SECRET_LEN);
    if (rc)
        keyring_free(k);
    else
        *out = k;
    return rc;
}

void keyring_free(keyring_t *k)
{
    if (!k)
        return;
    ecdsa_free(k->ecdsa);
    secret_free(k->secret);
    free(k);
}

void keyring_pubkey(const keyring_t *k, uint8_t out[ECDSA_PUBKEY_LEN])
{
    memcpy(out, k->pubkey, ECDSA_PUBKEY_LEN);
}

void keyring_address(const keyring_t *k, addr_t *out)
{
    *out = k->address;
}

rc_t keyring_sign(const keyring_t *k, uint8_t out[ECDSA_SIG_LEN], int *recid, const hash32_t *digest)
{
    return ecdsa_sign(k->ecdsa, out, recid, digest, k->secret);
}

rc_t keyring_sign65(const keyring_t *k, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest)
{
    return ecdsa_sign65(k->ecdsa, out, digest, k->secret);
}
