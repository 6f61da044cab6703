#include "http/upgrade.h"

#include <string.h>
#include <strings.h>

#include "base/crypto/base64.h"
#include "base/crypto/hash.h"

#define KEY_LEN 24u /* base64 of 16 bytes */

static const char MAGIC[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

bool upgrade_names(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; p && *p;) {
        p += strspn(p, " \t,");
        const size_t len = strcspn(p, " \t,");
        if (len == n && !strncasecmp(p, word, n))
            return true;
        p += len;
    }
    return false;
}

int upgrade_check(char accept[UPGRADE_ACCEPT_LEN + 1], const upgrade_t *u)
{
    uint8_t nonce[16], digest[20], text[KEY_LEN + sizeof MAGIC];
    size_t n;
    if (!upgrade_names(u->upgrade, "websocket") || !upgrade_names(u->connection, "upgrade") || !u->version ||
        strcmp(u->version, "13") != 0)
        return 426;
    if (!u->key || strlen(u->key) != KEY_LEN || base64_decode(nonce, &n, sizeof nonce, view_str(u->key), NULL) ||
        n != sizeof nonce)
        return 400;
    memcpy(text, u->key, KEY_LEN);
    memcpy(text + KEY_LEN, MAGIC, sizeof MAGIC - 1);
    sha1(digest, view_of(text, KEY_LEN + sizeof MAGIC - 1));
    base64_encode(accept, view_of(digest, sizeof digest));
    return 101;
}
