/* Secret dependence: keys are marked undefined, so that valgrind reports every branch and every index that depends on
 * them as they are taken in, sign, are sealed for a peer, opened by it, and freed. See tests/ctime/meson.build. */
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"

static const uint8_t blind[32] = { 9 }, salt[32] = { 5 };
static const key_name_t name = { 1, { { 1 } }, 0 };

static rc_t defined(rc_t rc)
{
    VALGRIND_MAKE_MEM_DEFINED(&rc, sizeof rc);
    return rc;
}

/* One key of our own signs. */
static rc_t sign(void)
{
    uint8_t secret[32], sig[64];
    hash32_t digest = { { 3 } };
    keyring_t *k;
    memset(secret, 1, sizeof secret);
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    if (keyring_new(&k, secret, blind))
        return RC_BUG;
    rc_t rc = defined(keyring_sign(k, sig, NULL, &digest));
    keyring_free(k);
    return rc;
}

static rc_t ephemeral(key_ephemeral_t **out, uint8_t pub[X25519_LEN], uint8_t byte)
{
    uint8_t random[X25519_LEN];
    memset(random, byte, sizeof random);
    VALGRIND_MAKE_MEM_UNDEFINED(random, sizeof random);
    rc_t rc = key_ephemeral_new(out, random);
    memcpy(pub, key_ephemeral_pubkey(*out), X25519_LEN);
    VALGRIND_MAKE_MEM_DEFINED(pub, X25519_LEN); /* public, and so is what is made of it */
    return rc;
}

/* One ring seals a generation for another. */
static rc_t share(void)
{
    uint8_t secrets[KEY_SECRETS_LEN], sealed[KEY_SEALED_LEN], pub_a[X25519_LEN], pub_b[X25519_LEN], pubkey[33];
    keyring_t *a, *b;
    key_ephemeral_t *of_a, *of_b;
    key_grant_t grant;
    memset(secrets, 1, sizeof secrets);
    VALGRIND_MAKE_MEM_UNDEFINED(secrets, sizeof secrets);
    if (keyring_empty(&a, blind) || keyring_empty(&b, blind) || ephemeral(&of_a, pub_a, 2) ||
        ephemeral(&of_b, pub_b, 3) || keyring_add(a, &name, secrets) || keyring_pubkey_of(a, pubkey, &name))
        return RC_BUG;
    VALGRIND_MAKE_MEM_DEFINED(pubkey, sizeof pubkey);
    key_grant_make(&grant, &name, salt);
    const key_box_t out = { of_a, pub_b, salt, view_str("info"), view_str("ad") };
    const key_box_t in = { of_b, pub_a, salt, view_str("info"), view_str("ad") };
    rc_t rc = defined(keyring_seal(a, sealed, &grant, &out));
    VALGRIND_MAKE_MEM_DEFINED(sealed, sizeof sealed);
    if (!rc)
        rc = defined(keyring_take(b, &name, pubkey, sealed, &in));
    key_ephemeral_free(of_a);
    key_ephemeral_free(of_b);
    keyring_free(a);
    keyring_free(b);
    return rc;
}

int main(void)
{
    if (!RUNNING_ON_VALGRIND) {
        puts("not under valgrind");
        return 77;
    }
    if (secret_init())
        return 1;
    return sign() || share() ? 1 : 0;
}
