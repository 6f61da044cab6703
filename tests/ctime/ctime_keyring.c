/* Secret dependence: the key is marked undefined, so that valgrind reports every branch and every index that depends on
 * it as it is taken in, signs, and is freed. See tests/ctime/meson.build. */
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"

int main(void)
{
    static const uint8_t blind[32] = { 9 };
    uint8_t secret[32], sig[64];
    hash32_t digest = { { 3 } };
    keyring_t *k;
    if (!RUNNING_ON_VALGRIND) {
        puts("not under valgrind");
        return 77;
    }
    memset(secret, 1, sizeof secret);
    if (secret_init())
        return 1;
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    if (keyring_new(&k, secret, blind))
        return 1;
    rc_t rc = keyring_sign(k, sig, NULL, &digest);
    VALGRIND_MAKE_MEM_DEFINED(&rc, sizeof rc);
    keyring_free(k);
    return rc ? 1 : 0;
}
