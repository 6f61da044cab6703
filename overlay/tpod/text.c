#include "overlay/tpod/text.h"

#include "base/crypto/base64.h"
#include "base/hex.h"
#include "overlay/tpod/codec.h"
#include "overlay/tpod/member.h"

/* ---- writing ---- */

static void put_bytes(jw_t *w, const char *key, view_t v)
{
    char small[512], *text = small;
    if (base64_len(v.n) >= sizeof small)
        text = w->arena ? arena_alloc(w->arena, base64_len(v.n) + 1) : NULL;
    if (!text) {
        w->rc = w->rc ? w->rc : RC_NOMEM;
        return;
    }
    base64_encode(text, v);
    jw_str(w, key, text);
}

/* The word for a value; NULL: there is none. */
static const char *word_of(const tpod_field_t *f, uint64_t x)
{
    uint64_t i = 0;
    while (f->words[i] && i < x)
        i++;
    return f->words[i] && f->words[i][0] ? f->words[i] : NULL;
}

static void put_number(jw_t *w, const char *key, const tpod_field_t *f, uint64_t x)
{
    switch (f->kind) {
    case TPOD_U64: jw_decimal(w, key, x); break;
    case TPOD_I32: jw_i64(w, key, (int64_t)x); break;
    case TPOD_BOOL: jw_bool(w, key, x != 0); break;
    case TPOD_ENUM:
        if (word_of(f, x))
            jw_str(w, key, word_of(f, x));
        else
            jw_u64(w, key, x);
        break;
    default: jw_u64(w, key, x);
    }
}

typedef struct {
    tpod_hide_fn hide;
    void *ctx;
} writer_t;

static void put_message(const writer_t *d, jw_t *w, const char *key, const tpod_message_t *m, const void *in);

static void put_list(const writer_t *d, jw_t *w, const tpod_field_t *f, const void *in)
{
    const size_t n = tpod_count_at(in, f), size = tpod_element_size(f);
    const uint8_t *element = tpod_pointer_at(in, f->at);
    if (!n)
        return;
    jw_array(w, f->name);
    for (size_t i = 0; i < n; i++, element += size)
        if (f->kind == TPOD_MESSAGE)
            put_message(d, w, NULL, f->message, element);
        else
            jw_text(w, NULL, tpod_view_at(element, 0));
    jw_end(w);
}

/* A name with a NUL in it is none of JSON. */
static void put_pairs(jw_t *w, const tpod_field_t *f, const void *in)
{
    const size_t n = tpod_count_at(in, f);
    const tpod_env_t *pairs = tpod_pointer_at(in, f->at);
    char name[256];
    if (!n)
        return;
    jw_object(w, f->name);
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].key.n >= sizeof name || memchr(pairs[i].key.p, 0, pairs[i].key.n)) {
            w->rc = w->rc ? w->rc : RC_LIMIT;
            return;
        }
        memcpy(name, pairs[i].key.p, pairs[i].key.n);
        name[pairs[i].key.n] = 0;
        jw_text(w, name, pairs[i].value);
    }
    jw_end(w);
}

static void put_one(const writer_t *d, jw_t *w, const tpod_field_t *f, const void *in, bool always)
{
    if (f->kind == TPOD_MESSAGE) {
        if (tpod_pointer_at(in, f->at))
            put_message(d, w, f->name, f->message, tpod_pointer_at(in, f->at));
    } else if (f->kind == TPOD_TEXT || f->kind == TPOD_BYTES) {
        const view_t v = tpod_view_at(in, f->at);
        if (!v.n && !always)
            return;
        if (f->secret && d->hide)
            d->hide(d->ctx, w, f->name, v);
        else if (f->kind == TPOD_TEXT)
            jw_text(w, f->name, v);
        else
            put_bytes(w, f->name, v);
    } else if (always || tpod_number_of(in, f)) {
        put_number(w, f->name, f, tpod_number_of(in, f));
    }
}

static void put_message(const writer_t *d, jw_t *w, const char *key, const tpod_message_t *m, const void *in)
{
    jw_object(w, key);
    for (size_t i = 0; i < m->count; i++) {
        const tpod_field_t *f = &m->fields[i];
        if (f->often == TPOD_NAMED)
            put_pairs(w, f, in);
        else if (f->often == TPOD_MANY)
            put_list(d, w, f, in);
        else if (f->often == TPOD_ONE)
            put_one(d, w, f, in, false);
        else if (tpod_which_at(in, f) == f->number)
            put_one(d, w, f, in, true);
    }
    jw_end(w);
}

void tpod_put_json(jw_t *w, const char *key, const tpod_message_t *m, const void *in, tpod_hide_fn hide, void *ctx)
{
    const writer_t d = { hide, ctx };
    put_message(&d, w, key, m, in);
}

/* ---- reading ---- */

static void *take(arena_t *a, const jo_t *o, const char *key, size_t n)
{
    void *p = arena_calloc(a, n ? n : 1, 1);
    if (!p)
        (void)jo_fail(o, key, RC_NOMEM, "out of memory");
    return p;
}

/* Base64, or "0x" and hex of an even number of bytes, which has no length of base64. */
static view_t get_bytes(arena_t *a, const jo_t *o, const char *key)
{
    const view_t text = jo_text(o, key, 0, TPOD_MESSAGE_MAX);
    uint8_t *p = take(a, o, key, text.n);
    size_t n = 0;
    if (!p)
        return view_of(NULL, 0);
    const bool hex = text.n % 4 == 2 && !memcmp(text.p, "0x", 2);
    const rc_t rc = hex ? hex_decode(p, &n, text.n, (const char *)text.p + 2, text.n - 2)
                        : base64_decode(p, &n, text.n, text, NULL);
    if (rc)
        (void)jo_fail(o, key, RC_MALFORMED, "must be base64, or 0x and hex of an even number of bytes");
    return view_of(p, n);
}

static uint64_t get_word(const jo_t *o, const char *key, const tpod_field_t *f)
{
    uint64_t x = 0;
    if (jo_kind(o, key) != JO_TEXT)
        return jo_u64(o, key, 0, UINT32_MAX);
    const view_t word = jo_text(o, key, 1, 64);
    while (f->words[x] && !view_eq(word, view_str(f->words[x])))
        x++;
    if (!f->words[x])
        (void)jo_fail(o, key, RC_MALFORMED, "is no word for it");
    return x;
}

static uint64_t get_number(const jo_t *o, const char *key, const tpod_field_t *f)
{
    switch (f->kind) {
    case TPOD_U64: return jo_number(o, key, UINT64_MAX);
    case TPOD_I32: return (uint64_t)jo_i64(o, key, INT32_MIN, INT32_MAX);
    case TPOD_BOOL: return jo_bool(o, key);
    case TPOD_ENUM: return get_word(o, key, f);
    default: return jo_u64(o, key, 0, UINT32_MAX);
    }
}

static void get_message(void *out, arena_t *a, const tpod_message_t *m, const jo_t *o);

static void get_value(void *out, arena_t *a, const tpod_field_t *f, const jo_t *o, const char *key)
{
    const view_t v = f->kind == TPOD_TEXT ? jo_text_copy(o, a, key, 0, TPOD_MESSAGE_MAX) : get_bytes(a, o, key);
    memcpy(out, &v, sizeof v);
}

static void get_list(void *out, arena_t *a, const tpod_field_t *f, const jo_t *o)
{
    jo_t list, item;
    size_t n = 0;
    if (!jo_opt_list(o, &list, f->name, 0, TPOD_LIST_MAX))
        return;
    uint8_t *elements = take(a, o, f->name, jo_size(&list) * tpod_element_size(f));
    for (; elements && jo_next(&list, &item); n++) {
        uint8_t *to = elements + n * tpod_element_size(f);
        if (f->kind == TPOD_MESSAGE)
            get_message(to, a, f->message, &item);
        else
            get_value(to, a, f, &item, NULL);
    }
    memcpy(tpod_at(out, f->at), &elements, sizeof elements);
    memcpy(tpod_at(out, f->beside), &n, sizeof n);
}

static void get_pairs(void *out, arena_t *a, const tpod_field_t *f, const jo_t *o)
{
    jo_t pairs, item;
    size_t n = 0;
    if (!jo_opt_object(o, &pairs, f->name))
        return;
    if (jo_size(&pairs) > TPOD_LIST_MAX) {
        (void)jo_fail(o, f->name, RC_LIMIT, "has more than %u members", TPOD_LIST_MAX);
        return;
    }
    tpod_env_t *list = take(a, o, f->name, jo_size(&pairs) * sizeof *list);
    for (; list && jo_next(&pairs, &item); n++) {
        list[n].key = arena_dup(a, view_str(item.name));
        list[n].value = jo_text_copy(&item, a, NULL, 0, TPOD_MESSAGE_MAX);
        if (!list[n].key.p)
            (void)jo_fail(o, f->name, RC_NOMEM, "out of memory");
    }
    memcpy(tpod_at(out, f->at), &list, sizeof list);
    memcpy(tpod_at(out, f->beside), &n, sizeof n);
}

static void get_one(void *out, arena_t *a, const tpod_field_t *f, const jo_t *o)
{
    jo_t inside;
    if (f->kind == TPOD_MESSAGE) {
        void *p = jo_opt_object(o, &inside, f->name) ? take(a, o, f->name, f->message->size) : NULL;
        if (p)
            get_message(p, a, f->message, &inside);
        memcpy(tpod_at(out, f->at), &p, sizeof p);
    } else if (f->kind == TPOD_TEXT || f->kind == TPOD_BYTES) {
        get_value(tpod_at(out, f->at), a, f, o, f->name);
    } else {
        tpod_set_number(out, f, get_number(o, f->name, f));
    }
}

static void get_either(void *out, arena_t *a, const tpod_field_t *f, const jo_t *o)
{
    if (tpod_which_at(out, f))
        (void)jo_fail(o, f->name, RC_MALFORMED, "stands beside another of which there may be one");
    get_one(out, a, f, o);
    memcpy(tpod_at(out, f->beside), &f->number, sizeof f->number);
}

static void get_message(void *out, arena_t *a, const tpod_message_t *m, const jo_t *o)
{
    const jo_t here = jo_object(o, NULL);
    for (size_t i = 0; i < m->count && !jo_rc(&here); i++) {
        const tpod_field_t *f = &m->fields[i];
        if (!jo_has(&here, f->name))
            jo_skip(&here, f->name);
        else if (f->often == TPOD_NAMED)
            get_pairs(out, a, f, &here);
        else if (f->often == TPOD_MANY)
            get_list(out, a, f, &here);
        else if (f->often == TPOD_EITHER)
            get_either(out, a, f, &here);
        else
            get_one(out, a, f, &here);
    }
}

void tpod_get_json(void *out, arena_t *a, const tpod_message_t *m, const jo_t *o)
{
    memset(out, 0, m->size);
    get_message(out, a, m, o);
}
