#include "tests/vectors/vec.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"

#define PATH_LEN 4096
#define LIST_MAX 65536u

void vec_pass(vec_t *v)
{
    v->passed++;
}

void vec_fail(vec_t *v, const char *name, const char *fmt, ...)
{
    v->failed++;
    if (!v->verbose)
        return;
    va_list ap;
    va_start(ap, fmt);
    printf("  FAILED %s: ", name);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
}

void vec_skip(vec_t *v, const char *name, const char *reason)
{
    v->skipped++;
    if (v->very_verbose)
        printf("  skipped %s: %s\n", name, reason);
    for (size_t i = 0; i < v->reason_count; i++)
        if (!strcmp(v->reasons[i].text, reason)) {
            v->reasons[i].count++;
            return;
        }
    if (v->reason_count < sizeof v->reasons / sizeof v->reasons[0]) {
        snprintf(v->reasons[v->reason_count].text, sizeof v->reasons[0].text, "%s", reason);
        v->reasons[v->reason_count++].count = 1;
    }
}

static bool path_of(char out[PATH_LEN], const vec_t *v, const char *fmt, va_list ap)
{
    int n = snprintf(out, PATH_LEN, "%s/", v->dir);
    int m = n > 0 && n < PATH_LEN ? vsnprintf(out + n, (size_t)(PATH_LEN - n), fmt, ap) : -1;
    return m >= 0 && n + m < PATH_LEN;
}

view_t vec_read(vec_t *v, arena_t *a, const char *fmt, ...)
{
    char path[PATH_LEN];
    struct stat st;
    va_list ap;
    va_start(ap, fmt);
    bool ok = path_of(path, v, fmt, ap);
    va_end(ap);
    FILE *f = ok ? fopen(path, "rb") : NULL;
    if (!f)
        return (view_t){ NULL, 0 };
    uint8_t *p = NULL;
    size_t n = 0;
    if (!fstat(fileno(f), &st) && st.st_size >= 0 && (p = arena_alloc(a, (size_t)st.st_size)))
        n = fread(p, 1, (size_t)st.st_size, f);
    fclose(f);
    return view_of(p, p ? n : 0);
}

json_t *vec_json(vec_t *v, const char *fmt, ...)
{
    char path[PATH_LEN];
    va_list ap;
    va_start(ap, fmt);
    bool ok = path_of(path, v, fmt, ap);
    va_end(ap);
    return ok ? json_load_file(path, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list_dir(char **out, size_t cap, arena_t *a, const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    if (!dir)
        return SIZE_MAX;
    for (struct dirent *e; (e = readdir(dir)) && n < cap;)
        if (e->d_name[0] != '.')
            out[n++] = arena_strdup(a, view_str(e->d_name));
    closedir(dir);
    qsort(out, n, sizeof *out, by_name);
    return n;
}

char **vec_list(vec_t *v, arena_t *a, const char *fmt, ...)
{
    char path[PATH_LEN];
    va_list ap;
    va_start(ap, fmt);
    bool ok = path_of(path, v, fmt, ap);
    va_end(ap);
    char **out = ok ? arena_calloc(a, LIST_MAX + 1, sizeof *out) : NULL;
    if (!out || list_dir(out, LIST_MAX, a, path) == SIZE_MAX)
        return NULL;
    return out;
}

char **vec_walk(vec_t *v, arena_t *a, const char *folder, const char *suffix)
{
    char **out = arena_calloc(a, LIST_MAX + 1, sizeof *out);
    char **todo = arena_calloc(a, LIST_MAX + 1, sizeof *todo);
    char **names = arena_calloc(a, LIST_MAX + 1, sizeof *names);
    size_t n = 0, todo_n = 0;
    if (!out || !todo || !names)
        return NULL;
    todo[todo_n++] = arena_strdup(a, view_str(folder));
    while (todo_n) {
        char path[PATH_LEN];
        const char *at = todo[--todo_n];
        snprintf(path, sizeof path, "%s/%s", v->dir, at);
        size_t count = list_dir(names, LIST_MAX, a, path);
        for (size_t i = 0; count != SIZE_MAX && i < count; i++) {
            char full[2 * PATH_LEN], rel[PATH_LEN];
            struct stat st;
            if (snprintf(rel, sizeof rel, "%s/%s", at, names[i]) >= (int)sizeof rel)
                continue;
            snprintf(full, sizeof full, "%s/%s", v->dir, rel);
            if (stat(full, &st))
                continue;
            size_t len = strlen(rel), slen = strlen(suffix);
            if (S_ISDIR(st.st_mode) && todo_n < LIST_MAX)
                todo[todo_n++] = arena_strdup(a, view_str(rel));
            else if (S_ISREG(st.st_mode) && n < LIST_MAX && len >= slen && !strcmp(rel + len - slen, suffix))
                out[n++] = arena_strdup(a, view_str(rel));
        }
    }
    qsort(out, n, sizeof *out, by_name);
    return out;
}

view_t vec_hex(arena_t *a, const char *text)
{
    if (!text)
        return (view_t){ NULL, 0 };
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    size_t digits = strlen(text), n;
    char *even = arena_alloc(a, digits + 2);
    uint8_t *out = arena_alloc(a, digits / 2 + 1);
    if (!even || !out)
        return (view_t){ NULL, 0 };
    even[0] = '0';
    memcpy(even + digits % 2, text, digits + 1);
    if (hex_decode(out, &n, digits / 2 + 1, even, digits + digits % 2))
        return (view_t){ NULL, 0 };
    return view_of(out, n);
}

bool vec_hex_fixed(void *out, size_t n, const char *text)
{
    uint8_t *o = out;
    memset(o, 0, n);
    if (!text)
        return false;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    size_t digits = strlen(text);
    while (digits > 2 * n && *text == '0')
        text++, digits--;
    if (digits > 2 * n)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = text[digits - 1 - i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return false;
        o[n - 1 - i / 2] = (uint8_t)(o[n - 1 - i / 2] | d << (i % 2 ? 4 : 0));
    }
    return true;
}

/* The number of digits behind "0x"; SIZE_MAX when the value is not of that form. */
static size_t digits_of(const json_t *value)
{
    const char *s = json_string_value(value);
    return s && s[0] == '0' && s[1] == 'x' ? json_string_length(value) - 2 : SIZE_MAX;
}

bool vec_fixed(void *out, size_t n, const json_t *value)
{
    return digits_of(value) == 2 * n && vec_hex_fixed(out, n, json_string_value(value));
}

bool vec_number(u256_t *out, const json_t *value)
{
    uint8_t b[32];
    const size_t n = digits_of(value);
    if (!n || n > 64 || !vec_hex_fixed(b, sizeof b, json_string_value(value)))
        return false;
    *out = u256_from_be32(b);
    return true;
}

bool vec_bytes(view_t *out, arena_t *a, const json_t *value)
{
    const size_t n = digits_of(value);
    if (n == SIZE_MAX || n % 2)
        return false;
    uint8_t *p = arena_alloc(a, n / 2 + 1);
    *out = view_of(p, n / 2);
    return p && vec_hex_fixed(p, n / 2, json_string_value(value));
}

const char *vec_str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

uint64_t vec_u64(const char *text)
{
    uint8_t b[8];
    return vec_hex_fixed(b, 8, text) ? load_u64be(b) : 0;
}
