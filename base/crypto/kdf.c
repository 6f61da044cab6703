#include "base/crypto/kdf.h"

#include <nettle/hmac.h>

#include "base/crypto/secret.h"

void hmac_sha256_parts(uint8_t out[32], view_t key, const view_t *parts, size_t count)
{
    struct hmac_sha256_ctx c;
    hmac_sha256_set_key(&c, key.n, key.p);
    for (size_t i = 0; i < count; i++)
        hmac_sha256_update(&c, parts[i].n, parts[i].p);
    hmac_sha256_digest(&c, 32, out);
    secret_wipe(&c, sizeof c);
}

void hkdf_extract(uint8_t prk[HKDF_PRK_LEN], view_t salt, view_t ikm)
{
    hmac_sha256_parts(prk, salt, &ikm, 1);
}

rc_t hkdf_expand(uint8_t *out, size_t n, const uint8_t prk[HKDF_PRK_LEN], view_t info)
{
    uint8_t block[32];
    uint8_t number = 1;
    if (n > HKDF_OUT_MAX)
        return RC_LIMIT;
    for (size_t done = 0; done < n; number++) {
        const view_t parts[] = { view_of(block, done ? sizeof block : 0), info, view_of(&number, 1) };
        size_t take = n - done < sizeof block ? n - done : sizeof block;
        hmac_sha256_parts(block, view_of(prk, HKDF_PRK_LEN), parts, 3);
        memcpy(out + done, block, take);
        done += take;
    }
    secret_wipe(block, sizeof block);
    return RC_OK;
}
