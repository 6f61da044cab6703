#include "rpc/api/plain.h"

#include "base/crypto/hash.h"

#define TEXT_MAX ((size_t)64 << 20) /* bytes */

static bool is_word(view_t text)
{
    for (size_t i = 0; i < text.n; i++) {
        const uint8_t c = text.p[i], letter = c | 0x20;
        if (!(c >= '0' && c <= '9') && !(letter >= 'a' && letter <= 'z'))
            return false;
    }
    return text.n > 0;
}

static void check(const jo_t *o, const char *key, unsigned depth)
{
    const jo_kind_t kind = jo_kind(o, key);
    jo_t list, one;
    if (kind == JO_NULL || kind == JO_BOOL || (kind == JO_TEXT && is_word(jo_text(o, key, 0, SIZE_MAX))))
        return;
    if ((kind != JO_OBJECT && kind != JO_LIST) || !depth) {
        jo_fail(o, key, RC_MALFORMED, "must be made of objects, lists, and texts of letters and digits");
        return;
    }
    list = kind == JO_LIST ? jo_list(o, key, 0, SIZE_MAX) : jo_object(o, key);
    while (jo_next(&list, &one)) {
        if (kind == JO_OBJECT && !is_word(view_str(one.name)))
            jo_fail(&list, NULL, RC_MALFORMED, "has a name that is not letters and digits");
        check(&one, NULL, depth - 1);
    }
}

view_t api_plain(arena_t *a, const jo_t *o, const char *key)
{
    check(o, key, API_PLAIN_DEPTH);
    return jo_rc(o) ? view_of(NULL, 0) : jo_compact(o, a, key);
}

view_t api_plain_members(hash32_t *hash, arena_t *a, const jo_t *o, const char *const *names, size_t count)
{
    jw_t w = jw_of(a, TEXT_MAX);
    jw_object(&w, NULL);
    for (size_t i = 0; i < count; i++)
        if (jo_has(o, names[i])) {
            const view_t one = api_plain(a, o, names[i]);
            if (!jo_rc(o))
                jw_raw(&w, names[i], one);
        } else
            jo_skip(o, names[i]); /* null */
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (w.rc)
        jo_fail(o, NULL, w.rc, "%s", w.rc == RC_LIMIT ? "is too long" : "out of memory");
    if (!jo_rc(o))
        keccak256(hash, text);
    return jo_rc(o) ? view_of(NULL, 0) : text;
}

rc_t api_plain_text(view_t *out, arena_t *a, view_t json)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, NULL, json, TEXT_MAX, JO_LENIENT);
    const view_t text = api_plain(a, &o, NULL);
    const rc_t rc = jo_rc(&o);
    jo_close(&doc);
    if (!rc)
        *out = text;
    return rc == RC_MALFORMED ? RC_BUG : rc;
}
