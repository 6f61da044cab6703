#include "tests/vectors/same.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PATH_LEN 256

typedef struct {
    char *why;
    size_t cap;
    const char *const *free;
} same_t;

static bool is_free(const same_t *s, const char *name)
{
    for (const char *const *f = s->free; f && *f; f++)
        if (!strcmp(*f, name))
            return true;
    return false;
}

static bool is_nothing(const json_t *x)
{
    return !x || json_is_null(x) || (json_is_array(x) && json_array_size(x) == 0);
}

static bool differ(const same_t *s, const char *path, const json_t *want, const json_t *got)
{
    char *a = want ? json_dumps(want, JSON_ENCODE_ANY) : NULL, *b = got ? json_dumps(got, JSON_ENCODE_ANY) : NULL;
    snprintf(s->why, s->cap, "%s is %.80s and not %.80s", path, b ? b : "absent", a ? a : "absent");
    free(a);
    free(b);
    return false;
}

static bool same(const same_t *s, const char *path, const json_t *want, const json_t *got);

static bool same_objects(const same_t *s, const char *path, json_t *want, json_t *got)
{
    char below[PATH_LEN];
    const char *key;
    json_t *x;
    json_object_foreach (want, key, x) {
        const json_t *y = json_object_get(got, key);
        snprintf(below, sizeof below, "%.120s.%.100s", path, key);
        if (!y && (is_nothing(x) || is_free(s, key)))
            continue;
        if (!same(s, below, x, y))
            return false;
    }
    json_object_foreach (got, key, x)
        if (!json_object_get(want, key) && !is_nothing(x) && !is_free(s, key)) {
            snprintf(below, sizeof below, "%.120s.%.100s", path, key);
            return differ(s, below, NULL, x);
        }
    return true;
}

static bool same(const same_t *s, const char *path, const json_t *want, const json_t *got)
{
    char below[PATH_LEN];
    if (!got || !want)
        return differ(s, path, want, got);
    if (json_is_object(want) && json_is_object(got))
        return same_objects(s, path, (json_t *)(uintptr_t)want, (json_t *)(uintptr_t)got);
    if (json_is_array(want) && json_is_array(got) && json_array_size(want) == json_array_size(got)) {
        for (size_t i = 0; i < json_array_size(want); i++) {
            snprintf(below, sizeof below, "%.200s[%zu]", path, i);
            if (!same(s, below, json_array_get(want, i), json_array_get(got, i)))
                return false;
        }
        return true;
    }
    const char *a = json_string_value(want), *b = json_string_value(got);
    if (a && b && !strncmp(a, "0x", 2) && !strcasecmp(a, b))
        return true;
    if (json_is_number(want) && json_is_number(got) && !(fabs(json_number_value(want) - json_number_value(got)) > 0.0))
        return true;
    return json_equal(want, got) || differ(s, path, want, got);
}

bool same_json(char *why, size_t cap, const json_t *want, const json_t *got, const char *const *free)
{
    const same_t s = { why, cap, free };
    return same(&s, "result", want, got);
}
