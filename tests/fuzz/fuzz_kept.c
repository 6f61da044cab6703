/* What a kept filter's seal holds: a plaintext that is read is written again to the same bytes. (Nobody without the key
 * makes one; it is read as strictly as if anybody could.) */
#include <stdlib.h>
#include <string.h>

#include "base/crypto/aead.h"
#include "node/kept.h"
#include "tests/fuzz/fuzz.h"

#define ROOM 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t key[KEPT_KEY_LEN] = { 7 }, nonce[24] = { 1 };
    static const char purpose[] = KEPT_SEAL_PATH;
    uint8_t ad[sizeof purpose + 4] = { 0 }, sealed[24 + ROOM + AEAD_TAG_LEN];
    arena_t a;
    kept_t f;
    view_t again;
    if (len > ROOM)
        return 0;
    arena_init(&a, 1u << 20);
    memcpy(ad, purpose, sizeof purpose); /* slot 0 */
    memcpy(sealed, nonce, sizeof nonce);
    xaead_seal(sealed + 24, view_of(data, len), view_of(ad, sizeof ad), nonce, key);
    const view_t whole = view_of(sealed, 24 + len + AEAD_TAG_LEN);
    const rc_t rc = kept_open(&f, &a, whole, key, 0);
    if (rc == RC_REFUSED)
        abort();
    if (!rc && (kept_seal(&again, &a, &f, nonce, key, 0) || !view_eq(again, whole)))
        abort();
    arena_free(&a);
    return 0;
}
