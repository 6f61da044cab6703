/* json.c - the reader: jansson's trees, seen through places that remember how they were reached. */
#include "base/json.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/hex.h"

#define PATH_CAP 256u /* longer than a field: err_in cuts */
#define MARKS_FIRST 64u

/* --- faults --- */

static size_t put_text(char *path, size_t at, const char *text)
{
    int n = snprintf(path + at, PATH_CAP - at, "%s", text);
    return at + (size_t)n < PATH_CAP ? at + (size_t)n : PATH_CAP - 1;
}

static size_t put_member(char *path, size_t at, const char *name)
{
    return put_text(path, at ? put_text(path, at, ".") : at, name);
}

/* "levels[3].tcb"; empty for a document itself. Gives the length. */
static size_t put_path(char path[PATH_CAP], const jo_t *o)
{
    char number[24];
    size_t at = o->up ? put_path(path, o->up) : 0;
    if (o->name)
        return put_member(path, at, o->name);
    if (!o->up || !json_is_array(o->up->value))
        return at;
    snprintf(number, sizeof number, "[%zu]", o->index);
    return put_text(path, at, number);
}

static rc_t fault_v(const jo_t *o, const char *key, rc_t rc, const char *fmt, va_list ap)
{
    char path[PATH_CAP] = "", text[256];
    jo_doc_t *doc = o->doc;
    if (doc->rc)
        return doc->rc;
    size_t at = put_path(path, o);
    if (key)
        put_member(path, at, key);
    vsnprintf(text, sizeof text, fmt, ap);
    doc->rc = rc;
    return err_code(doc->e, err_in(doc->e, rc, path, "%s", text), doc->code);
}

rc_t jo_fail(const jo_t *o, const char *key, rc_t rc, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    rc = fault_v(o, key, rc, fmt, ap);
    va_end(ap);
    return rc;
}

static bool no_memory(const jo_t *o, const char *key)
{
    jo_fail(o, key, RC_NOMEM, "out of memory");
    return false;
}

rc_t jo_rc(const jo_t *o)
{
    return o->doc->rc;
}

void jo_code(const jo_t *o, uint16_t code)
{
    o->doc->code = code;
}

/* --- marks: a set of addresses inside the tree ---
 *
 * Of a member's name: it was read. Of a value: so was all below it. One behind an object: its rest does not matter. */

static const void **mark_place(const jo_doc_t *doc, const void *what)
{
    size_t at = (size_t)(((uint64_t)(uintptr_t)what >> 3) * 0x9e3779b97f4a7c15u >> 32);
    while (doc->marks[at & (doc->mark_cap - 1)] && doc->marks[at & (doc->mark_cap - 1)] != what)
        at++;
    return &doc->marks[at & (doc->mark_cap - 1)];
}

static bool is_marked(const jo_doc_t *doc, const void *what)
{
    return doc->mark_cap && *mark_place(doc, what);
}

static bool marks_grow(jo_doc_t *doc)
{
    jo_doc_t more = { .mark_cap = doc->mark_cap ? 2 * doc->mark_cap : MARKS_FIRST };
    more.marks = calloc(more.mark_cap, sizeof *more.marks);
    if (!more.marks)
        return false;
    for (size_t i = 0; i < doc->mark_cap; i++)
        if (doc->marks[i])
            *mark_place(&more, doc->marks[i]) = doc->marks[i];
    free(doc->marks);
    doc->marks = more.marks;
    doc->mark_cap = more.mark_cap;
    return true;
}

static void mark(const jo_t *o, const void *what)
{
    jo_doc_t *doc = o->doc;
    if (!doc->strict || is_marked(doc, what))
        return;
    if (2 * doc->mark_count >= doc->mark_cap && !marks_grow(doc)) {
        no_memory(o, NULL);
        return;
    }
    *mark_place(doc, what) = what;
    doc->mark_count++;
}

static const void *rest_mark(const json_t *object)
{
    return (const char *)object + 1;
}

/* A member nobody read, below o, is a fault. */
static void check_read(const jo_t *o)
{
    jo_t below = { .doc = o->doc, .up = o };
    if (is_marked(o->doc, o->value))
        return;
    for (; json_is_array(o->value) && below.index < json_array_size(o->value); below.index++) {
        below.value = json_array_get(o->value, below.index);
        check_read(&below);
    }
    for (void *i = json_object_iter(o->value); i; i = json_object_iter_next(o->value, i)) {
        below.name = json_object_iter_key(i);
        below.value = json_object_iter_value(i);
        if (is_marked(o->doc, below.name))
            check_read(&below);
        else if (!is_marked(o->doc, rest_mark(o->value)))
            jo_fail(o, below.name, RC_MALFORMED, "unknown key");
    }
}

/* --- documents --- */

/* Depth and number of values, before any tree is built. */
static bool within_limits(view_t text)
{
    size_t depth = 0, values = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"')
            in_string = true;
        else if (c == '[' || c == '{') {
            values++;
            if (++depth > JSON_DEPTH_MAX)
                return false;
        } else if ((c == ']' || c == '}') && depth)
            depth--;
        else if (c == ',')
            values++;
        if (values > JSON_VALUES_MAX)
            return false;
    }
    return true;
}

/* How much of what jansson says it says itself: it quotes brackets that it expects, and pieces of the text, which may
 * be secret. */
static size_t own_words(const char *said)
{
    const char *piece = strstr(said, " near '");
    const size_t n = piece ? (size_t)(piece - said) : strlen(said);
    for (size_t i = 0; i < n; i++)
        if (said[i] == '\'' && i + 2 < n && strchr("[]{}:", said[i + 1]) && said[i + 2] == '\'')
            i += 2;
        else if (said[i] == '\'')
            return i;
    return n;
}

/* The name that stands twice in an object, of what jansson says; empty where it is none that a program would use, which
 * may be a secret in the wrong place. */
static view_t twice(const char *said)
{
    const char *from = strstr(said, " near '\"");
    const char *name = from ? from + strlen(" near '\"") : "";
    const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    return view_of(name, n <= 32 && name[n] == '"' ? n : 0);
}

static void parse(const jo_t *root, view_t text, unsigned mode)
{
    json_error_t why = { .text = "unexpected end" };
    view_t name;
    const size_t flags = JSON_REJECT_DUPLICATES | (mode & JO_ANY ? JSON_DECODE_ANY : 0);
    root->doc->tree = json_loadb(text.n ? (const char *)text.p : "", text.n, flags, &why);
    if (root->doc->tree)
        return;
    if (json_error_code(&why) == json_error_out_of_memory)
        no_memory(root, NULL);
    if (text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3))
        jo_fail(root, NULL, RC_MALFORMED, "is not valid JSON: it begins with a byte order mark, which has to go");
    if (json_error_code(&why) == json_error_duplicate_key && (name = twice(why.text)).n)
        jo_fail(root, NULL, RC_MALFORMED, "is not valid JSON: it has \"%.*s\" twice (line %d, column %d)", (int)name.n,
                (const char *)name.p, why.line, why.column);
    const int said = (int)own_words(why.text);
    jo_fail(root, NULL, RC_MALFORMED, "is not valid JSON%s%.*s (line %d, column %d)", said ? ": " : "", said, why.text,
            why.line, why.column);
}

static jo_t start(jo_doc_t *doc, err_t *e, unsigned mode)
{
    *doc = (jo_doc_t){ .e = e, .strict = mode & JO_STRICT };
    return (jo_t){ .doc = doc };
}

jo_t jo_open(jo_doc_t *doc, err_t *e, view_t text, size_t len_max, unsigned mode)
{
    jo_t root = start(doc, e, mode);
    if (text.n > len_max)
        jo_fail(&root, NULL, RC_LIMIT, "is larger than %zu bytes", len_max);
    else if (!within_limits(text))
        jo_fail(&root, NULL, RC_LIMIT, "is nested deeper than %u or has more than %u values", JSON_DEPTH_MAX,
                JSON_VALUES_MAX);
    else
        parse(&root, text, mode);
    root.value = doc->tree;
    return root;
}

jo_t jo_merge(jo_doc_t *doc, err_t *e, const jo_t *below, const jo_t *above, const char *but, unsigned mode)
{
    const jo_t *const both[2] = { below, above };
    jo_t root = start(doc, e, mode);
    root.value = doc->tree = json_object();
    if (!doc->tree)
        no_memory(&root, NULL);
    for (size_t i = 0; i < 2; i++) {
        if (!both[i] || !both[i]->value || doc->rc)
            continue;
        if (!json_is_object(both[i]->value))
            jo_fail(&root, NULL, RC_MALFORMED, "must be an object");
        else if (json_object_update(doc->tree, both[i]->value))
            no_memory(&root, NULL);
    }
    if (but && doc->tree)
        json_object_del(doc->tree, but);
    return root;
}

rc_t jo_done(const jo_t *o)
{
    if (!o->doc->rc && o->doc->strict)
        check_read(o);
    return o->doc->rc;
}

void jo_close(jo_doc_t *doc)
{
    json_decref(doc->tree);
    free(doc->marks);
    *doc = (jo_doc_t){ .rc = RC_BUG }; /* what is read after the end is nothing */
}

/* --- members --- */

/* The member without marking it; o itself with key NULL. NULL: absent, or a fault. */
static json_t *peek(const jo_t *o, const char *key)
{
    return o->doc->rc ? NULL : key ? json_object_get(o->value, key) : o->value;
}

/* The place of a member, now read; its value is NULL when it is absent or there is a fault. */
static jo_t go(const jo_t *o, const char *key)
{
    jo_t to = { .doc = o->doc, .up = o, .name = key };
    if (o->doc->rc)
        return to;
    if (!key) {
        to = *o;
        to.at = 0;
        to.iter = NULL;
        return to;
    }
    if (!json_is_object(o->value)) {
        jo_fail(o, NULL, RC_MALFORMED, "must be an object");
        return to;
    }
    void *i = json_object_iter_at(o->value, key);
    if (i) {
        to.name = json_object_iter_key(i);
        to.value = json_object_iter_value(i);
        mark(o, to.name);
    }
    return to;
}

/* For members that must be there. */
static json_t *need(const jo_t *o, const char *key)
{
    json_t *v = go(o, key).value;
    if (!v)
        jo_fail(o, key, RC_MALFORMED, "is required");
    return v;
}

/* For members that may be absent or null. */
static json_t *may(const jo_t *o, const char *key)
{
    json_t *v = go(o, key).value;
    return json_is_null(v) ? NULL : v;
}

jo_kind_t jo_kind(const jo_t *o, const char *key)
{
    const json_t *v = peek(o, key);
    if (!v)
        return JO_ABSENT;
    switch (json_typeof(v)) {
    case JSON_NULL: return JO_NULL;
    case JSON_TRUE:
    case JSON_FALSE: return JO_BOOL;
    case JSON_INTEGER: return JO_INTEGER;
    case JSON_REAL: return JO_REAL;
    case JSON_STRING: return JO_TEXT;
    case JSON_ARRAY: return JO_LIST;
    case JSON_OBJECT: return JO_OBJECT;
    }
    return JO_ABSENT;
}

bool jo_has(const jo_t *o, const char *key)
{
    return jo_kind(o, key) > JO_NULL;
}

size_t jo_size(const jo_t *o)
{
    return o->doc->rc ? 0 : json_is_array(o->value) ? json_array_size(o->value) : json_object_size(o->value);
}

void jo_skip(const jo_t *o, const char *key)
{
    json_t *v = o->doc->rc || (key && !json_is_object(o->value)) ? NULL : go(o, key).value;
    if (json_is_object(v) || json_is_array(v))
        mark(o, v);
}

void jo_rest(const jo_t *o)
{
    if (!o->doc->rc && json_is_object(o->value))
        mark(o, rest_mark(o->value));
}

/* --- containers --- */

/* Finds fault with v unless it is such a container; NULL stays NULL. */
static json_t *check_object(const jo_t *o, const char *key, json_t *v)
{
    if (!v || json_is_object(v))
        return v;
    jo_fail(o, key, RC_MALFORMED, "must be an object");
    return NULL;
}

static json_t *check_count(const jo_t *o, const char *key, json_t *v, size_t min, size_t max)
{
    size_t n = json_array_size(v);
    if (!v || (n >= min && n <= max))
        return v;
    if (n > max)
        jo_fail(o, key, RC_LIMIT, "has more than %zu elements", max);
    else if (n == 0)
        jo_fail(o, key, RC_MALFORMED, "the list is empty");
    else
        jo_fail(o, key, RC_MALFORMED, "has fewer than %zu elements", min);
    return NULL;
}

static json_t *check_list(const jo_t *o, const char *key, json_t *v, size_t min, size_t max)
{
    if (!v || json_is_array(v))
        return check_count(o, key, v, min, max);
    jo_fail(o, key, RC_MALFORMED, "must be a list");
    return NULL;
}

/* The place of a member whose value was found good; without one, a place where nothing is. */
static jo_t place(const jo_t *o, const char *key, json_t *v)
{
    jo_t to = go(o, key);
    to.value = v;
    return to;
}

jo_t jo_object(const jo_t *o, const char *key)
{
    return place(o, key, check_object(o, key, need(o, key)));
}

bool jo_opt_object(const jo_t *o, jo_t *out, const char *key)
{
    json_t *v = check_object(o, key, may(o, key));
    if (v)
        *out = place(o, key, v);
    return v;
}

jo_t jo_list(const jo_t *o, const char *key, size_t min, size_t max)
{
    return place(o, key, check_list(o, key, need(o, key), min, max));
}

bool jo_opt_list(const jo_t *o, jo_t *out, const char *key, size_t min, size_t max)
{
    json_t *v = check_list(o, key, may(o, key), min, max);
    if (v)
        *out = place(o, key, v);
    return v;
}

/* A list, or one element that stands for a list: then iter is the document, which no iterator is. */
static bool read_values(const jo_t *o, json_t *v, jo_t *out, const char *key, size_t max)
{
    v = json_is_array(v) ? check_count(o, key, v, 1, max) : v;
    if (!v)
        return false;
    *out = place(o, key, v);
    out->iter = json_is_array(v) ? NULL : o->doc;
    return true;
}

jo_t jo_values(const jo_t *o, const char *key, size_t max)
{
    jo_t to = { .doc = o->doc, .up = o, .name = key };
    read_values(o, need(o, key), &to, key, max);
    return to;
}

bool jo_opt_values(const jo_t *o, jo_t *out, const char *key, size_t max)
{
    return read_values(o, may(o, key), out, key, max);
}

/* The member behind those that were given. */
static void next_member(jo_t *list, jo_t *item)
{
    list->iter = list->at ? json_object_iter_next(list->value, list->iter) : json_object_iter(list->value);
    item->name = list->iter ? json_object_iter_key(list->iter) : NULL;
    item->value = list->iter ? json_object_iter_value(list->iter) : NULL;
    if (list->iter)
        mark(list, item->name);
}

bool jo_next(jo_t *list, jo_t *item)
{
    jo_t next = { .doc = list->doc, .up = list, .index = list->at };
    if (list->doc->rc || !list->value)
        return false;
    if (list->iter == list->doc)
        next.value = list->at ? NULL : list->value;
    else if (json_is_array(list->value))
        next.value = json_array_get(list->value, list->at);
    else if (json_is_object(list->value) && (!list->at || list->iter))
        next_member(list, &next);
    if (!next.value || list->doc->rc)
        return false;
    list->at++;
    *item = next;
    return true;
}

/* --- values --- */

static bool read_bool(const jo_t *o, const json_t *v, bool *out, const char *key)
{
    if (!v)
        return false;
    if (!json_is_boolean(v))
        return jo_fail(o, key, RC_MALFORMED, "must be true or false"), false;
    *out = json_is_true(v);
    return true;
}

bool jo_bool(const jo_t *o, const char *key)
{
    bool x = false;
    read_bool(o, need(o, key), &x, key);
    return x;
}

bool jo_opt_bool(const jo_t *o, bool *out, const char *key)
{
    return read_bool(o, may(o, key), out, key);
}

static bool read_i64(const jo_t *o, const json_t *v, int64_t *out, const char *key, int64_t min, int64_t max)
{
    if (!v)
        return false;
    if (json_is_integer(v) && json_integer_value(v) >= min && json_integer_value(v) <= max) {
        *out = json_integer_value(v);
        return true;
    }
    if (max == INT64_MAX)
        jo_fail(o, key, RC_MALFORMED, "must be a number of at least %lld", (long long)min);
    else
        jo_fail(o, key, RC_MALFORMED, "must be a number from %lld to %lld", (long long)min, (long long)max);
    return false;
}

static bool read_u64(const jo_t *o, const json_t *v, uint64_t *out, const char *key, uint64_t min, uint64_t max)
{
    int64_t x;
    int64_t low = min > INT64_MAX ? INT64_MAX : (int64_t)min, high = max > INT64_MAX ? INT64_MAX : (int64_t)max;
    if (!read_i64(o, v, &x, key, low, high))
        return false;
    *out = (uint64_t)x;
    return true;
}

uint64_t jo_u64(const jo_t *o, const char *key, uint64_t min, uint64_t max)
{
    uint64_t x = 0;
    read_u64(o, need(o, key), &x, key, min, max);
    return x;
}

bool jo_opt_u64(const jo_t *o, uint64_t *out, const char *key, uint64_t min, uint64_t max)
{
    return read_u64(o, may(o, key), out, key, min, max);
}

int64_t jo_i64(const jo_t *o, const char *key, int64_t min, int64_t max)
{
    int64_t x = 0;
    read_i64(o, need(o, key), &x, key, min, max);
    return x;
}

bool jo_opt_i64(const jo_t *o, int64_t *out, const char *key, int64_t min, int64_t max)
{
    return read_i64(o, may(o, key), out, key, min, max);
}

static view_t text_of(const json_t *v)
{
    return json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : view_of(NULL, 0);
}

/* x * 10 + digit; false: more than 256 bits. */
static bool append_digit(u256_t *x, uint8_t digit)
{
    uint64_t carry = digit;
    for (unsigned i = 0; i < 4; i++)
        x->w[i] = u64_mulc(x->w[i], 10, &carry);
    return carry == 0;
}

static bool read_decimal(const jo_t *o, const json_t *v, u256_t *out, const char *key)
{
    view_t text = text_of(v);
    u256_t x = u256_of(0);
    bool good = text.n && (text.n == 1 || text.p[0] != '0'), fits = true;
    if (!v)
        return false;
    for (size_t i = 0; i < text.n && good && fits; i++) {
        good = text.p[i] >= '0' && text.p[i] <= '9';
        fits = !good || append_digit(&x, (uint8_t)(text.p[i] - '0'));
    }
    if (!good || !fits)
        return jo_fail(o, key, good ? RC_LIMIT : RC_MALFORMED,
                       good ? "the number is out of range" : "must be a decimal number in quotes"),
               false;
    *out = x;
    return true;
}

static bool read_decimal64(const jo_t *o, const json_t *v, uint64_t *out, const char *key, uint64_t max)
{
    u256_t x;
    if (!read_decimal(o, v, &x, key))
        return false;
    if (!u256_fits_u64(&x) || x.w[0] > max)
        return jo_fail(o, key, RC_LIMIT, "the number is out of range"), false;
    *out = x.w[0];
    return true;
}

uint64_t jo_decimal(const jo_t *o, const char *key, uint64_t max)
{
    uint64_t x = 0;
    read_decimal64(o, need(o, key), &x, key, max);
    return x;
}

u256_t jo_decimal256(const jo_t *o, const char *key)
{
    u256_t x = u256_of(0);
    read_decimal(o, need(o, key), &x, key);
    return x;
}

static bool read_number(const jo_t *o, const json_t *v, uint64_t *out, const char *key, uint64_t max)
{
    return json_is_string(v) ? read_decimal64(o, v, out, key, max) : read_u64(o, v, out, key, 0, max);
}

uint64_t jo_number(const jo_t *o, const char *key, uint64_t max)
{
    uint64_t x = 0;
    read_number(o, need(o, key), &x, key, max);
    return x;
}

bool jo_opt_number(const jo_t *o, uint64_t *out, const char *key, uint64_t max)
{
    return read_number(o, may(o, key), out, key, max);
}

static bool read_text(const jo_t *o, const json_t *v, view_t *out, const char *key, size_t min, size_t max)
{
    view_t text = text_of(v);
    if (!v)
        return false;
    if (!json_is_string(v))
        jo_fail(o, key, RC_MALFORMED, "must be a text");
    else if (text.n < min)
        jo_fail(o, key, RC_MALFORMED, "must be a text of at least %zu characters", min);
    else if (text.n > max)
        jo_fail(o, key, RC_LIMIT, "must be a text of at most %zu characters", max);
    else
        *out = text;
    return !o->doc->rc;
}

view_t jo_text(const jo_t *o, const char *key, size_t min, size_t max)
{
    view_t text = { NULL, 0 };
    read_text(o, need(o, key), &text, key, min, max);
    return text;
}

bool jo_opt_text(const jo_t *o, view_t *out, const char *key, size_t min, size_t max)
{
    return read_text(o, may(o, key), out, key, min, max);
}

static bool read_copy(const jo_t *o, const json_t *v, view_t *out, arena_t *a, const char *key, size_t min, size_t max)
{
    view_t text;
    if (!read_text(o, v, &text, key, min, max))
        return false;
    const char *copy = arena_strdup(a, text);
    if (!copy)
        return no_memory(o, key);
    *out = view_of(copy, text.n);
    return true;
}

view_t jo_text_copy(const jo_t *o, arena_t *a, const char *key, size_t min, size_t max)
{
    view_t text = { NULL, 0 };
    read_copy(o, need(o, key), &text, a, key, min, max);
    return text;
}

bool jo_opt_text_copy(const jo_t *o, view_t *out, arena_t *a, const char *key, size_t min, size_t max)
{
    return read_copy(o, may(o, key), out, a, key, min, max);
}

static bool read_word(const jo_t *o, const json_t *v, size_t *out, const char *key, const char *const *words)
{
    char list[160] = "";
    view_t text = text_of(v);
    if (!v)
        return false;
    for (size_t i = 0; words[i]; i++) {
        size_t at = strlen(list);
        if (view_eq(text, view_str(words[i])) && json_is_string(v)) {
            *out = i;
            return true;
        }
        snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", words[i]);
    }
    return jo_fail(o, key, RC_MALFORMED, "must be one of: %s", list), false;
}

size_t jo_word(const jo_t *o, const char *key, const char *const *words)
{
    size_t i = 0;
    read_word(o, need(o, key), &i, key, words);
    return i;
}

bool jo_opt_word(const jo_t *o, size_t *out, const char *key, const char *const *words)
{
    return read_word(o, may(o, key), out, key, words);
}

static bool read_time(const jo_t *o, const json_t *v, int64_t *out, const char *key)
{
    if (!v || time_read(out, text_of(v)))
        return v;
    return jo_fail(o, key, RC_MALFORMED, "must be a date such as 2025-01-31T00:00:00Z"), false;
}

int64_t jo_time(const jo_t *o, const char *key)
{
    int64_t at = 0;
    read_time(o, need(o, key), &at, key);
    return at;
}

bool jo_opt_time(const jo_t *o, int64_t *out, const char *key)
{
    return read_time(o, may(o, key), out, key);
}

/* --- hexadecimal --- */

static const char *const form_names[] = {
    [HEX_0X] = "hex with 0x", [HEX_BARE] = "hex without 0x", [HEX_ANY] = "hex", [HEX_LOOSE] = "hex"
};

/* The digits of a text of the form. */
static bool digits_of(view_t *out, const json_t *v, hex_form_t form)
{
    view_t text = text_of(v);
    const bool prefixed =
        text.n >= 2 && text.p[0] == '0' && (text.p[1] == 'x' || (form == HEX_LOOSE && text.p[1] == 'X'));
    if (!text.p || (form == HEX_0X && !prefixed) || (form == HEX_BARE && prefixed))
        return false;
    *out = prefixed ? view_of(text.p + 2, text.n - 2) : text;
    return true;
}

static bool read_hex(const jo_t *o, const json_t *v, void *out, size_t n, const char *key, hex_form_t form)
{
    view_t d;
    if (!v)
        return false;
    if (digits_of(&d, v, form) && d.n == 2 * n && !hex_decode_exact(out, n, (const char *)d.p, d.n))
        return true;
    return jo_fail(o, key, RC_MALFORMED, "must be %zu bytes of %s", n, form_names[form]), false;
}

bool jo_hex(const jo_t *o, void *out, size_t n, const char *key, hex_form_t form)
{
    return read_hex(o, need(o, key), out, n, key, form);
}

bool jo_opt_hex(const jo_t *o, void *out, size_t n, const char *key, hex_form_t form)
{
    return read_hex(o, may(o, key), out, n, key, form);
}

typedef struct {
    size_t min, max;
    hex_form_t form;
} bytes_t;

static bool read_bytes(const jo_t *o, const json_t *v, view_t *out, arena_t *a, const char *key, bytes_t want)
{
    view_t d;
    if (!v)
        return false;
    if (!digits_of(&d, v, want.form) || d.n % 2)
        return jo_fail(o, key, RC_MALFORMED, "must be bytes of %s", form_names[want.form]), false;
    if (d.n / 2 > want.max)
        return jo_fail(o, key, RC_LIMIT, "has more than %zu bytes", want.max), false;
    if (d.n / 2 < want.min)
        return jo_fail(o, key, RC_MALFORMED, "has fewer than %zu bytes", want.min), false;
    uint8_t *p = arena_alloc(a, d.n / 2);
    if (!p)
        return no_memory(o, key);
    if (hex_decode_exact(p, d.n / 2, (const char *)d.p, d.n))
        return jo_fail(o, key, RC_MALFORMED, "must be bytes of %s", form_names[want.form]), false;
    *out = view_of(p, d.n / 2);
    return true;
}

view_t jo_bytes(const jo_t *o, arena_t *a, const char *key, size_t min, size_t max, hex_form_t form)
{
    view_t bytes = { NULL, 0 };
    read_bytes(o, need(o, key), &bytes, a, key, (bytes_t){ min, max, form });
    return bytes;
}

bool jo_opt_bytes(const jo_t *o, view_t *out, arena_t *a, const char *key, size_t min, size_t max, hex_form_t form)
{
    return read_bytes(o, may(o, key), out, a, key, (bytes_t){ min, max, form });
}

/* The prefix of the form and 1 to 64 digits. */
static bool padded(u256_t *out, const json_t *v, hex_form_t form, bool zeros_allowed)
{
    char all[64];
    uint8_t b[32];
    view_t d;
    if (!digits_of(&d, v, form) || d.n == 0 || d.n > sizeof all || (!zeros_allowed && d.n > 1 && d.p[0] == '0'))
        return false;
    memset(all, '0', sizeof all - d.n);
    memcpy(all + sizeof all - d.n, d.p, d.n);
    if (hex_decode_exact(b, sizeof b, all, sizeof all))
        return false;
    *out = u256_from_be32(b);
    return true;
}

static bool read_256(const jo_t *o, const json_t *v, u256_t *out, const char *key, hex_form_t form, bool zeros_allowed)
{
    if (!v || padded(out, v, form, zeros_allowed))
        return v;
    return jo_fail(o, key, RC_MALFORMED, "must be a quantity of at most 256 bits, such as \"0x1a\""), false;
}

static bool read_quantity(const jo_t *o, const json_t *v, uint64_t *out, const char *key)
{
    u256_t x;
    if (!v)
        return false;
    if (!padded(&x, v, HEX_0X, false) || !u256_fits_u64(&x))
        return jo_fail(o, key, RC_MALFORMED, "must be a quantity of at most 64 bits, such as \"0x1a\""), false;
    *out = x.w[0];
    return true;
}

uint64_t jo_quantity(const jo_t *o, const char *key)
{
    uint64_t x = 0;
    read_quantity(o, need(o, key), &x, key);
    return x;
}

bool jo_opt_quantity(const jo_t *o, uint64_t *out, const char *key)
{
    return read_quantity(o, may(o, key), out, key);
}

u256_t jo_quantity256(const jo_t *o, const char *key)
{
    u256_t x = u256_of(0);
    read_256(o, need(o, key), &x, key, HEX_0X, false);
    return x;
}

bool jo_opt_quantity256(const jo_t *o, u256_t *out, const char *key)
{
    return read_256(o, may(o, key), out, key, HEX_0X, false);
}

u256_t jo_padded256(const jo_t *o, const char *key, hex_form_t form)
{
    u256_t x = u256_of(0);
    read_256(o, need(o, key), &x, key, form, true);
    return x;
}

/* --- text again --- */

static view_t text_again(const jo_t *o, arena_t *a, const char *key, size_t flags)
{
    const json_t *v = need(o, key);
    flags |= JSON_COMPACT | JSON_ENCODE_ANY;
    if (!v)
        return view_of(NULL, 0);
    jo_skip(o, key);
    size_t n = json_dumpb(v, NULL, 0, flags);
    char *text = n ? arena_alloc(a, n + 1) : NULL;
    if (!text || json_dumpb(v, text, n, flags) != n) {
        no_memory(o, key);
        return view_of(NULL, 0);
    }
    text[n] = '\0';
    return view_of(text, n);
}

view_t jo_compact(const jo_t *o, arena_t *a, const char *key)
{
    return text_again(o, a, key, JSON_SORT_KEYS);
}

view_t jo_as_written(const jo_t *o, arena_t *a, const char *key)
{
    return text_again(o, a, key, 0);
}
