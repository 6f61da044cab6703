#include "base/json_tree.h"

#include <string.h>

/* Depth and number of values, before any tree is built. */
static rc_t measure(view_t text)
{
    size_t depth = 0, values = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"')
            in_string = true;
        else if (c == '[' || c == '{') {
            values++;
            if (++depth > JSON_DEPTH_MAX)
                return RC_LIMIT;
        } else if ((c == ']' || c == '}') && depth)
            depth--;
        else if (c == ',')
            values++;
        if (values > JSON_VALUES_MAX)
            return RC_LIMIT;
    }
    return RC_OK;
}

rc_t json_load_strict(json_t **out, view_t text, size_t len_max)
{
    json_error_t error;
    rc_t rc = text.n > len_max ? RC_LIMIT : measure(text);
    if (rc)
        return rc;
    *out = text.n ? json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (*out)
        return RC_OK;
    return text.n && json_error_code(&error) == json_error_out_of_memory ? RC_NOMEM : RC_MALFORMED;
}

bool json_only_members(const char **unknown, json_t *object, const char *const *names)
{
    const char *key;
    json_t *value;
    json_object_foreach (object, key, value) {
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (!names[i]) {
            *unknown = key;
            return false;
        }
    }
    return true;
}

void json_whole_characters(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        uint8_t first = (uint8_t)*from;
        size_t want = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1, got = 1;
        while (got < want && ((uint8_t)from[got] & 0xc0) == 0x80)
            got++;
        if (got == want && (first & 0xc0) != 0x80) {
            memmove(to, from, got);
            to += got;
        }
        from += got;
    }
    *to = '\0';
}
