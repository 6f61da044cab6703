#include "rpc/upstream/secrets.h"

#include <string.h>

#include "base/bytes.h"
#include "base/crypto/base64.h"
#include "base/hex.h"

#define PART_MAX 4096u

/* A part of a URL, decoded. */
typedef struct {
    uint8_t b[PART_MAX];
    size_t n;
} part_t;

/* Without capitals, and in one alphabet of base64. */
static int plain(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 'a';
    return c == '-' ? '+' : c == '_' ? '/' : c;
}

/* Two digits; both characters are there unless the text has ended. */
static bool digits(uint8_t *out, const char *text)
{
    return text[0] && text[1] && !hex_decode_exact(out, 1, text, 2);
}

/* How many characters of a text stand for one of a secret; 0: it is another one. */
static size_t one(const char *text, uint8_t want)
{
    uint8_t b;
    if (text[0] == '%' && digits(&b, text + 1) && plain(b) == plain(want))
        return 3;
    if (!strncmp(text, "\\u00", 4) && digits(&b, text + 4) && plain(b) == plain(want))
        return 6;
    if (text[0] == '\\' && text[1] && plain((uint8_t)text[1]) == plain(want))
        return 2;
    return text[0] && plain((uint8_t)text[0]) == plain(want);
}

/* How many characters of a text are a secret, or as much of it as the text has; 0: they are not. */
static size_t match(const char *text, view_t secret)
{
    size_t at = 0, step;
    for (size_t i = 0; i < secret.n; i++, at += step) {
        if (!text[at])
            return i >= SECRETS_MIN ? at : 0;
        step = one(text + at, secret.p[i]);
        if (!step)
            return 0;
    }
    return at;
}

static void blank(char *text, view_t secret)
{
    if (secret.n < SECRETS_MIN)
        return;
    while (*text) {
        const size_t n = match(text, secret);
        memset(text, '*', n);
        text += n ? n : 1;
    }
}

/* Decodes so many characters of a URL. */
static void decode(part_t *out, const char *url, size_t n)
{
    out->n = 0;
    for (size_t i = 0; i < n && out->n < PART_MAX; i++) {
        uint8_t b = (uint8_t)url[i];
        if (b == '%' && i + 2 < n && digits(&b, url + i + 1))
            i += 2;
        out->b[out->n++] = b;
    }
}

/* Name and password as they are sent, which is base64 of both. */
static void blank_user(char *text, const char *url, size_t n)
{
    part_t user;
    char sent[4 * ((PART_MAX + 2) / 3) + 1];
    decode(&user, url, n);
    blank(text, view_of(user.b, user.n));
    base64_encode(sent, view_of(user.b, user.n));
    blank(text, view_of(sent, strcspn(sent, "=")));
}

/* Each part between these characters. */
static void blank_parts(char *text, const char *url, size_t n, const char *between)
{
    part_t part;
    for (size_t at = 0; at < n;) {
        size_t len = strcspn(url + at, between);
        if (len > n - at)
            len = n - at;
        decode(&part, url + at, len);
        blank(text, view_of(part.b, part.n));
        at += len + 1;
    }
}

/* Where the authority of a URL begins. */
static const char *authority_of(const char *url)
{
    const char *at = strstr(url, "://");
    return at ? at + 3 : url;
}

/* How much of an authority is the user's, with the '@'. */
static size_t user_len(const char *at, size_t authority)
{
    while (authority && at[authority - 1] != '@')
        authority--;
    return authority;
}

void secrets_hide(char *text, const char *url)
{
    const char *at = authority_of(url);
    const size_t authority = strcspn(at, "/?#"), user = user_len(at, authority);
    if (user > 1) {
        blank_user(text, at, user - 1);
        blank_parts(text, at, user - 1, ":");
    }
    at += authority;
    blank_parts(text, at, strlen(at), "/?&=#;,");
}

void secrets_hide_place(char *text, const char *url)
{
    part_t place;
    secrets_hide(text, url);
    const char *at = authority_of(url);
    const size_t authority = strcspn(at, "/?#"), user = user_len(at, authority);
    decode(&place, at + user, authority - user);
    blank(text, view_of(place.b, place.n));
    while (place.n && place.b[place.n - 1] >= '0' && place.b[place.n - 1] <= '9')
        place.n--;
    const bool has_port = place.n && place.b[place.n - 1] == ':';
    decode(&place, at + user, has_port ? place.n - 1 : authority - user);
    blank(text, view_of(place.b, place.n));
}
