#include "node/cli/keyfile.h"

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/file.h"

#define KEY_FILE_MAX 256u

rc_t keyfile_open(keyring_t **out, err_t *e, const char *path)
{
    uint8_t *secret = secret_alloc(ECDSA_SECRET_LEN), blind[32];
    view_t text = { NULL, 0 };
    rc_t rc = secret ? file_read(&text, e, path, KEY_FILE_MAX, 0) : err_say(e, RC_NOMEM, "out of memory");
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == ' '))
        text.n--;
    if (!rc && hex_decode_exact(secret, ECDSA_SECRET_LEN, (const char *)text.p, text.n))
        rc = err_set(e, RC_MALFORMED, "%s: must hold 32 bytes as hex", path);
    secret_random(blind, sizeof blind);
    if (!rc && (rc = keyring_new(out, secret, blind)))
        (void)err_set(e, rc, "%s: is no secret key", path);
    if (text.p)
        secret_wipe((void *)(uintptr_t)text.p, text.n);
    file_free(text);
    secret_free(secret);
    return rc;
}
