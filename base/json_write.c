/* json_write.c - the writer. Its bytes are those that jansson writes of the same tree. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/utf8.h"

#define ROOM_FIRST 256u

jw_t jw_of(arena_t *a, size_t max)
{
    return (jw_t){ .arena = a, .max = max };
}

jw_t jw_in(char *storage, size_t cap)
{
    return (jw_t){ .p = storage, .cap = cap, .max = cap - 1 }; /* full before it would have to grow */
}

void jw_indent(jw_t *w, unsigned spaces)
{
    w->indent = spaces;
}

static bool fail(jw_t *w, rc_t rc)
{
    if (!w->rc)
        w->rc = rc;
    return false;
}

/* --- bytes --- */

/* A larger buffer; in an arena the old one stays, at most as much again. */
static bool grow(jw_t *w, size_t want)
{
    size_t cap = w->cap ? 2 * w->cap : ROOM_FIRST;
    cap = cap < want ? want : cap;
    char *p = w->arena ? arena_alloc(w->arena, cap) : realloc(w->p, cap);
    if (!p)
        return fail(w, RC_NOMEM);
    if (w->arena && w->n)
        memcpy(p, w->p, w->n);
    w->p = p;
    w->cap = cap;
    return true;
}

/* Room for n bytes and a NUL. */
static bool reserve(jw_t *w, size_t n)
{
    if (w->rc)
        return false;
    if (n > w->max - w->n)
        return fail(w, RC_LIMIT);
    return w->n + n + 1 <= w->cap || grow(w, w->n + n + 1);
}

static void put(jw_t *w, const void *p, size_t n)
{
    if (!n || !reserve(w, n))
        return;
    memcpy(w->p + w->n, p, n);
    w->n += n;
}

static void put_str(jw_t *w, const char *text)
{
    put(w, text, strlen(text));
}

/* A character that may not stand for itself. */
static void put_escape(jw_t *w, uint8_t c)
{
    static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    char text[8];
    const char *at = c ? strchr(named, c) : NULL;
    if (at)
        snprintf(text, sizeof text, "\\%c", names[at - named]);
    else
        snprintf(text, sizeof text, "\\u%04X", c);
    put_str(w, text);
}

static void put_quoted(jw_t *w, view_t left)
{
    put_str(w, "\"");
    while (left.n && !w->rc) {
        size_t n = 0; /* bytes that stand for themselves */
        for (size_t c; n < left.n && (c = utf8_len(view_of(left.p + n, left.n - n))) != 0; n += c)
            if (left.p[n] < 0x20 || left.p[n] == '"' || left.p[n] == '\\')
                break;
        put(w, left.p, n);
        left = view_of(left.p + n, left.n - n);
        if (!left.n)
            break;
        if (left.p[0] < 0x80)
            put_escape(w, left.p[0]);
        else
            put_str(w, "\xef\xbf\xbd"); /* U+FFFD */
        left = view_of(left.p + 1, left.n - 1);
    }
    put_str(w, "\"");
}

/* --- structure --- */

static uint64_t bit(const jw_t *w)
{
    return (uint64_t)1 << w->depth % 64;
}

static bool has(const jw_t *w, const uint64_t bits[2])
{
    return bits[w->depth / 64] & bit(w);
}

static void put_line(jw_t *w)
{
    static const char spaces[] = "                ";
    if (!w->indent)
        return;
    put_str(w, "\n");
    for (size_t left = (size_t)w->indent * w->depth; left && !w->rc;) {
        size_t n = left < sizeof spaces - 1 ? left : sizeof spaces - 1;
        put(w, spaces, n);
        left -= n;
    }
}

/* What stands before a value. False: it may not be written here. */
static bool begin(jw_t *w, const char *key)
{
    const bool in_object = w->depth && !has(w, w->lists);
    if (in_object != (key != NULL) || (!w->depth && has(w, w->filled)))
        return fail(w, RC_BUG);
    if (has(w, w->filled))
        put_str(w, ",");
    w->filled[w->depth / 64] |= bit(w);
    if (w->depth)
        put_line(w);
    if (key) {
        put_quoted(w, view_str(key));
        put_str(w, w->indent ? ": " : ":");
    }
    return w->rc == RC_OK;
}

static void open_one(jw_t *w, const char *key, bool list)
{
    if (!begin(w, key))
        return;
    if (w->depth == JSON_DEPTH_MAX) {
        fail(w, RC_BUG);
        return;
    }
    put_str(w, list ? "[" : "{");
    w->depth++;
    w->filled[w->depth / 64] &= ~bit(w);
    w->lists[w->depth / 64] &= ~bit(w);
    if (list)
        w->lists[w->depth / 64] |= bit(w);
}

void jw_object(jw_t *w, const char *key)
{
    open_one(w, key, false);
}

void jw_array(jw_t *w, const char *key)
{
    open_one(w, key, true);
}

void jw_end(jw_t *w)
{
    if (!w->depth) {
        fail(w, RC_BUG);
        return;
    }
    const bool list = has(w, w->lists), filled = has(w, w->filled);
    w->depth--;
    if (filled)
        put_line(w);
    put_str(w, list ? "]" : "}");
}

/* --- values --- */

static void literal(jw_t *w, const char *key, const char *text)
{
    if (begin(w, key))
        put_str(w, text);
}

void jw_null(jw_t *w, const char *key)
{
    literal(w, key, "null");
}

void jw_bool(jw_t *w, const char *key, bool x)
{
    literal(w, key, x ? "true" : "false");
}

void jw_u64(jw_t *w, const char *key, uint64_t x)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)x);
    literal(w, key, text);
}

void jw_i64(jw_t *w, const char *key, int64_t x)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)x);
    literal(w, key, text);
}

void jw_text(jw_t *w, const char *key, view_t text)
{
    if (begin(w, key))
        put_quoted(w, text);
}

void jw_str(jw_t *w, const char *key, const char *text)
{
    jw_text(w, key, view_str(text));
}

void jw_fmt(jw_t *w, const char *key, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text)
        fail(w, RC_BUG);
    else
        jw_str(w, key, text);
}

void jw_decimal(jw_t *w, const char *key, uint64_t x)
{
    jw_fmt(w, key, "%llu", (unsigned long long)x);
}

void jw_decimal256(jw_t *w, const char *key, const u256_t *x)
{
    char digits[80]; /* 2^256 has 78 */
    size_t at = sizeof digits;
    const u256_t ten = u256_of(10);
    u256_t left = *x, digit;
    digits[--at] = '\0';
    do {
        u256_divmod(&left, &digit, &left, &ten);
        digits[--at] = (char)('0' + digit.w[0]);
    } while (!u256_is_zero(&left));
    jw_str(w, key, digits + at);
}

void jw_time(jw_t *w, const char *key, int64_t at_s)
{
    char text[TIME_TEXT];
    if (time_write(text, at_s))
        jw_str(w, key, text);
    else
        fail(w, RC_BUG);
}

/* prefix and the digits of bytes, in quotes. */
static void put_hex(jw_t *w, const char *key, const char *prefix, view_t bytes)
{
    if (!begin(w, key))
        return;
    put_str(w, "\"");
    put_str(w, prefix);
    if (bytes.n > w->max / 2)
        fail(w, RC_LIMIT);
    else if (reserve(w, 2 * bytes.n)) {
        hex_encode(w->p + w->n, bytes);
        w->n += 2 * bytes.n;
    }
    put_str(w, "\"");
}

void jw_hex(jw_t *w, const char *key, view_t bytes)
{
    put_hex(w, key, "0x", bytes);
}

void jw_digits(jw_t *w, const char *key, view_t bytes)
{
    put_hex(w, key, "", bytes);
}

void jw_quantity(jw_t *w, const char *key, uint64_t x)
{
    jw_fmt(w, key, "0x%llx", (unsigned long long)x);
}

void jw_quantity256(jw_t *w, const char *key, const u256_t *x)
{
    char text[2 + 64 + 1] = "0x";
    uint8_t be[32];
    u256_to_be32(be, x);
    hex_encode(text + 2, view_of(be, sizeof be));
    const size_t zeros = strspn(text + 2, "0"), skip = zeros == 64 ? 63 : zeros;
    memmove(text + 2, text + 2 + skip, 64 - skip + 1);
    jw_str(w, key, text);
}

void jw_raw(jw_t *w, const char *key, view_t json)
{
    if (!json.n)
        fail(w, RC_BUG);
    else if (begin(w, key))
        put(w, json.p, json.n);
}

view_t jw_done(jw_t *w)
{
    if (w->depth || !has(w, w->filled))
        fail(w, RC_BUG);
    if (w->rc)
        return view_of(NULL, 0);
    w->p[w->n] = '\0';
    return view_of(w->p, w->n);
}

void jw_free(jw_t *w)
{
    if (!w->arena)
        free(w->p);
    *w = (jw_t){ .rc = RC_BUG };
}
