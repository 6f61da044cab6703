#include "node/config/option.h"

#include "http/url.h"

size_t option_find(const option_t *table, size_t count, const char *key)
{
    size_t i = 0;
    while (i < count && strcmp(table[i].key, key))
        i++;
    return i;
}

static const char *copy_text(arena_t *arena, const jo_t *o, const char *key, view_t text)
{
    const char *copy = arena_strdup(arena, text);
    if (!copy)
        jo_fail(o, key, RC_NOMEM, "out of memory");
    return copy;
}

/* What is wrong with a URL, which has a NUL behind it; NULL: nothing. */
static const char *fault_of(view_t url)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] > '~')
            return "a URL has a space, a control character or a letter outside ASCII";
    return hc_url_check((const char *)url.p) ? "must be an http:// or https:// URL with a host" : NULL;
}

/* One URL: the value at o itself. */
static void read_url(option_urls_t *out, arena_t *arena, const jo_t *o)
{
    if (jo_kind(o, NULL) != JO_TEXT) {
        jo_fail(o, NULL, RC_MALFORMED, "must be a URL, or a list of URLs in order of preference");
        return;
    }
    view_t url = jo_text(o, NULL, 1, OPTION_TEXT_MAX);
    const char *fault = url.p ? fault_of(url) : NULL;
    if (fault)
        jo_fail(o, NULL, RC_MALFORMED, "%s", fault);
    if (!jo_rc(o))
        out->urls[out->count++] = copy_text(arena, o, NULL, url);
}

void option_read_urls(option_urls_t *out, arena_t *arena, const jo_t *o, const char *key)
{
    jo_t list = jo_values(o, key, OPTION_URLS_MAX), row;
    while (jo_next(&list, &row))
        read_url(out, arena, &row);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes what stands before the next comma off the front of a text, without the white space around it. */
static view_t take_part(view_t *text)
{
    const uint8_t *comma = memchr(text->p, ',', text->n);
    view_t part = view_of(text->p, comma ? (size_t)(comma - text->p) : text->n);
    *text = comma ? view_of(comma + 1, text->n - part.n - 1) : view_of(text->p + text->n, 0);
    while (part.n && is_space(part.p[part.n - 1]))
        part.n--;
    while (part.n && is_space(part.p[0]))
        part = view_of(part.p + 1, part.n - 1);
    return part;
}

rc_t option_split_urls(option_urls_t *out, err_t *e, arena_t *arena, view_t text)
{
    do {
        const view_t part = take_part(&text);
        if (part.n > OPTION_TEXT_MAX || out->count == OPTION_URLS_MAX)
            return err_set(e, RC_LIMIT, "at most %u URLs of at most %u characters", OPTION_URLS_MAX, OPTION_TEXT_MAX);
        const char *url = arena_strdup(arena, part);
        if (!url)
            return err_say(e, RC_NOMEM, "out of memory");
        const char *fault = fault_of(view_of(url, part.n));
        if (fault)
            return err_set(e, RC_MALFORMED, "URL %zu: %s", out->count + 1, fault);
        out->urls[out->count++] = url;
    } while (text.n);
    return RC_OK;
}

static const char *read_path(arena_t *arena, const jo_t *o, const char *key)
{
    view_t text = jo_text(o, key, 1, OPTION_TEXT_MAX);
    if (text.n && text.p[0] != '/')
        jo_fail(o, key, RC_MALFORMED, "must be an absolute path");
    return jo_rc(o) ? NULL : copy_text(arena, o, key, text);
}

static void read_some_urls(option_urls_t *out, arena_t *arena, const jo_t *o, const option_t *row)
{
    out->given = true;
    if (row->may_be_empty && jo_kind(o, row->key) == JO_LIST) {
        const jo_t list = jo_list(o, row->key, 0, OPTION_URLS_MAX);
        if (!jo_size(&list))
            return;
    }
    option_read_urls(out, arena, o, row->key);
}

/* What holds without the key; lists and what has its own reader stay as they are. */
static void set_normal(void *at, const option_t *row)
{
    switch (row->kind) {
    case OPTION_PORT: *(uint16_t *)at = (uint16_t)row->normal; break;
    case OPTION_NUMBER: *(uint64_t *)at = row->normal; break;
    case OPTION_FLAG: *(bool *)at = row->normal != 0; break;
    case OPTION_CHOICE: *(unsigned *)at = (unsigned)row->normal; break;
    case OPTION_WORD:
    case OPTION_PATH: *(const char **)at = row->normal_text; break;
    case OPTION_URLS:
    case OPTION_OTHER: break;
    }
}

static void read_value(void *out, arena_t *arena, const jo_t *o, const option_t *row)
{
    void *at = (char *)out + row->at;
    switch (row->kind) {
    case OPTION_PORT: *(uint16_t *)at = (uint16_t)jo_u64(o, row->key, 1, 65535); break;
    case OPTION_NUMBER: *(uint64_t *)at = jo_u64(o, row->key, row->min, row->max); break;
    case OPTION_FLAG: *(bool *)at = jo_bool(o, row->key); break;
    case OPTION_CHOICE: *(unsigned *)at = (unsigned)jo_word(o, row->key, row->words); break;
    case OPTION_WORD: *(const char **)at = row->words[jo_word(o, row->key, row->words)]; break;
    case OPTION_URLS: read_some_urls(at, arena, o, row); break;
    case OPTION_PATH: *(const char **)at = read_path(arena, o, row->key); break;
    case OPTION_OTHER:
        if (row->read)
            row->read(out, arena, o, row->key);
        break;
    }
}

void options_read(void *out, arena_t *arena, const jo_t *o, const option_t *table, size_t count, bool complete)
{
    for (size_t i = 0; i < count && !jo_rc(o); i++) {
        const option_t *row = &table[i];
        if (jo_kind(o, row->key) != JO_ABSENT) /* null is a value, and a wrong one */
            read_value(out, arena, o, row);
        else if (row->required && complete)
            jo_fail(o, row->key, RC_MALFORMED, "is required");
        else
            set_normal((char *)out + row->at, row);
    }
}
