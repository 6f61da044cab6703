#include "tee/provider/dstack_secret.h"

#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"

#define SECRET_MAX 64u /* bytes */

/* Where the text that begins at `from` has its closing quote; the whole text's length: nowhere. */
static size_t quote_after(view_t t, size_t from)
{
    while (from < t.n && t.p[from] != '"')
        from += t.p[from] == '\\' && from + 1 < t.n ? 2 : 1;
    return from < t.n ? from : t.n;
}

static size_t after_space(view_t t, size_t from)
{
    while (from < t.n && (t.p[from] == ' ' || t.p[from] == '\t' || t.p[from] == '\r' || t.p[from] == '\n'))
        from++;
    return from;
}

/* Where the value begins of a member whose name ends at a quote; 0: that is no name. */
static size_t value_after(view_t t, size_t quote)
{
    const size_t colon = after_space(t, quote + 1);
    return colon < t.n && t.p[colon] == ':' ? after_space(t, colon + 1) : 0;
}

/* The text that begins at a place: false when something else does, or it has an escape. */
static bool text_at(size_t *from, size_t *len, view_t t, size_t at)
{
    if (at >= t.n || t.p[at] != '"')
        return false;
    const size_t end = quote_after(t, at + 1);
    if (end == t.n || memchr(t.p + at + 1, '\\', end - at - 1))
        return false;
    *from = at + 1;
    *len = end - at - 1;
    return true;
}

bool dstack_secret_find(size_t *from, size_t *len, view_t t, const char *name)
{
    const size_t name_len = strlen(name);
    size_t depth = 0;
    for (size_t i = 0; i < t.n; i++) {
        depth += t.p[i] == '{' || t.p[i] == '[';
        depth -= depth && (t.p[i] == '}' || t.p[i] == ']');
        if (t.p[i] != '"')
            continue;
        const size_t end = quote_after(t, i + 1), value = end < t.n ? value_after(t, end) : 0;
        if (depth == 1 && value && end - i - 1 == name_len && !memcmp(t.p + i + 1, name, name_len))
            return text_at(from, len, t, value);
        i = end;
    }
    return false;
}

/* Takes the secret out of a text that holds it. False: it is not there, or no hex of that length. */
static bool cut(uint8_t *out, uint8_t *text, size_t text_len, const char *name, size_t n)
{
    size_t from, len;
    if (!dstack_secret_find(&from, &len, view_of(text, text_len), name))
        return false;
    char *digits = (char *)text + from;
    const bool is_hex = !hex_decode_exact(out, n, digits, len);
    const size_t prefix = len >= 2 && digits[0] == '0' && digits[1] == 'x' ? 2 : 0;
    memset(digits + prefix, '0', len - prefix);
    return is_hex;
}

rc_t dstack_secret_read(uint8_t *out, err_t *e, view_t text, size_t text_max, const char *name, size_t n,
                        void (*rest)(void *ctx, const jo_t *o), void *ctx)
{
    static const uint8_t zeros[SECRET_MAX];
    uint8_t secret[SECRET_MAX] = { 0 }, in_tree[SECRET_MAX] = { 1 };
    jo_doc_t doc;
    if (n > SECRET_MAX || text.n > text_max)
        return err_say(e, n > SECRET_MAX ? RC_BUG : RC_LIMIT, "is too long");
    uint8_t *copy = malloc(text.n + 1);
    if (!copy)
        return err_say(e, RC_NOMEM, "out of memory");
    if (text.n)
        memcpy(copy, text.p, text.n);
    const bool is_there = cut(secret, copy, text.n, name, n);
    const jo_t o = jo_open(&doc, e, view_of(copy, text.n), text_max, JO_LENIENT);
    jo_hex(&o, in_tree, n, name, HEX_ANY);
    if (!is_there || memcmp(in_tree, zeros, n) != 0)
        jo_fail(&o, name, RC_MALFORMED, "must be %zu bytes of hexadecimal digits, plainly written", n);
    if (rest)
        rest(ctx, &o);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        memcpy(out, secret, n);
    secret_wipe(secret, sizeof secret);
    secret_wipe(in_tree, sizeof in_tree);
    secret_wipe(copy, text.n);
    free(copy);
    return rc;
}
