#include "overlay/tpod/codec.h"

#include <stdio.h>

#include "base/utf8.h"
#include "overlay/tpod/member.h"
#include "overlay/wire/proto.h"

/* One message that is read, with all that is inside. */
typedef struct {
    arena_t *arena;
    size_t left; /* bytes that it may still take */
    err_t *e;
} reader_t;

static const tpod_field_t *find(const tpod_message_t *m, uint32_t number)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->fields[i].number == number)
            return &m->fields[i];
    return NULL;
}

/* ---- reading ---- */

static rc_t read_message(reader_t *d, void *out, const tpod_message_t *m, view_t bytes);

static rc_t take(reader_t *d, void **out, const tpod_field_t *f, size_t n)
{
    if (n > d->left)
        return err_in(d->e, RC_LIMIT, f->name, "the message would take more memory than it may");
    *out = arena_calloc(d->arena, n ? n : 1, 1);
    if (!*out)
        return err_say(d->e, RC_NOMEM, "out of memory");
    d->left -= n;
    return RC_OK;
}

static bool is_text(view_t v)
{
    for (size_t n; v.n; v = view_of(v.p + n, v.n - n))
        if (!(n = utf8_len(v)))
            return false;
    return true;
}

static rc_t wrong(const reader_t *d, const tpod_field_t *f, const char *text)
{
    return err_in(d->e, RC_MALFORMED, f->name, "%s", text);
}

static rc_t read_view(const reader_t *d, void *out, const tpod_field_t *f, const pb_field_t *in)
{
    if (in->type != PB_BYTES)
        return wrong(d, f, "has a wrong type");
    if (f->kind == TPOD_TEXT && !is_text(in->bytes))
        return wrong(d, f, "is not UTF-8");
    memcpy(out, &in->bytes, sizeof in->bytes);
    return RC_OK;
}

/* Whether a varint is a value of the field's kind; a negative 32-bit one comes with its sign in all 64. */
static bool fits(const tpod_field_t *f, uint64_t x)
{
    switch (f->kind) {
    case TPOD_U64: return true;
    case TPOD_BOOL: return x <= 1;
    case TPOD_I32: return x <= INT32_MAX || x >= (uint64_t)INT32_MIN;
    default: return x <= UINT32_MAX;
    }
}

static rc_t read_number(const reader_t *d, void *out, const tpod_field_t *f, const pb_field_t *in)
{
    if (in->type != PB_VARINT)
        return wrong(d, f, "has a wrong type");
    if (!fits(f, in->value))
        return wrong(d, f, "does not fit");
    tpod_set_number(out, f, in->value);
    return RC_OK;
}

static rc_t read_inside(reader_t *d, void *out, const tpod_field_t *f, const pb_field_t *in)
{
    if (in->type != PB_BYTES)
        return wrong(d, f, "has a wrong type");
    return err_under(d->e, read_message(d, out, f->message, in->bytes), f->name);
}

/* A message behind a pointer. Of a oneof the one that comes last counts, whatever came before. */
static rc_t read_pointed(reader_t *d, void *out, const tpod_field_t *f, const pb_field_t *in)
{
    void *p;
    if (tpod_pointer_at(out, f->at) && (f->often == TPOD_ONE || tpod_which_at(out, f) == f->number))
        return wrong(d, f, "comes twice");
    const rc_t rc = take(d, &p, f, f->message->size);
    if (rc)
        return rc;
    memcpy(tpod_at(out, f->at), &p, sizeof p);
    return read_inside(d, p, f, in);
}

static rc_t read_one(reader_t *d, void *out, const tpod_field_t *f, const pb_field_t *in)
{
    rc_t rc;
    if (f->kind == TPOD_MESSAGE)
        rc = read_pointed(d, out, f, in);
    else if (f->kind == TPOD_TEXT || f->kind == TPOD_BYTES)
        rc = read_view(d, tpod_at(out, f->at), f, in);
    else
        rc = read_number(d, out, f, in);
    if (!rc && f->often == TPOD_EITHER)
        memcpy(tpod_at(out, f->beside), &f->number, sizeof f->number);
    return rc;
}

/* A pair whose name is there already takes its place: the last value counts. */
static size_t place_of(const void *out, const tpod_field_t *f, size_t n)
{
    const tpod_env_t *pairs = tpod_pointer_at(out, f->at);
    size_t i = 0;
    while (f->often == TPOD_NAMED && i < n && !view_eq(pairs[i].key, pairs[n].key))
        i++;
    return f->often == TPOD_NAMED ? i : n;
}

static rc_t read_element(reader_t *d, void *out, const tpod_field_t *f, const pb_field_t *in)
{
    const size_t n = tpod_count_at(out, f), size = tpod_element_size(f);
    uint8_t *list = tpod_pointer_at(out, f->at), *to = list + n * size;
    char index[24];
    rc_t rc;
    if (f->kind == TPOD_MESSAGE && in->type == PB_BYTES) {
        memset(to, 0, size); /* a pair that repeated a name stood here */
        snprintf(index, sizeof index, "[%zu]", n);
        rc = err_under(d->e, err_under(d->e, read_message(d, to, f->message, in->bytes), index), f->name);
    } else {
        rc = f->kind == TPOD_MESSAGE ? wrong(d, f, "has a wrong type") : read_view(d, to, f, in);
    }
    if (rc)
        return rc;
    const size_t place = place_of(out, f, n), count = place == n ? n + 1 : n;
    if (place != n)
        memcpy(list + place * size, to, size);
    memcpy(tpod_at(out, f->beside), &count, sizeof count);
    return RC_OK;
}

/* Makes the lists as long as they will be. */
static rc_t make_lists(reader_t *d, void *out, const tpod_message_t *m, view_t bytes)
{
    size_t counts[TPOD_FIELDS_MAX] = { 0 };
    rd_t r = rd_of(bytes);
    pb_field_t in;
    void *list = NULL;
    while (pb_next(&r, &in)) {
        const tpod_field_t *f = find(m, in.number);
        if (f && tpod_is_list(f))
            counts[f - m->fields]++;
    }
    if (!rd_done(&r))
        return err_set(d->e, RC_MALFORMED, "%s is cut, or no protobuf", m->name);
    for (size_t i = 0; i < m->count; i++) {
        const tpod_field_t *f = &m->fields[i];
        if (counts[i] > TPOD_LIST_MAX)
            return err_in(d->e, RC_LIMIT, f->name, "has more than %u elements", TPOD_LIST_MAX);
        const rc_t rc = counts[i] ? take(d, &list, f, counts[i] * tpod_element_size(f)) : RC_OK;
        if (rc)
            return rc;
        if (counts[i])
            memcpy(tpod_at(out, f->at), &list, sizeof list);
    }
    return RC_OK;
}

/* out is zeros. */
static rc_t read_message(reader_t *d, void *out, const tpod_message_t *m, view_t bytes)
{
    rd_t r = rd_of(bytes);
    pb_field_t in;
    rc_t rc = make_lists(d, out, m, bytes);
    while (!rc && pb_next(&r, &in)) {
        const tpod_field_t *f = find(m, in.number);
        if (f)
            rc = tpod_is_list(f) ? read_element(d, out, f, &in) : read_one(d, out, f, &in);
    }
    return rc;
}

rc_t tpod_read(void *out, err_t *e, arena_t *a, const tpod_message_t *m, view_t bytes)
{
    reader_t d = { .arena = a, .left = TPOD_READ_MAX(bytes.n), .e = e };
    void *message;
    if (bytes.n > TPOD_MESSAGE_MAX)
        return err_set(e, RC_LIMIT, "%s has more than %u bytes", m->name, TPOD_MESSAGE_MAX);
    d.left -= m->size;
    message = arena_calloc(a, 1, m->size);
    if (!message)
        return err_say(e, RC_NOMEM, "out of memory");
    const rc_t rc = read_message(&d, message, m, bytes);
    if (!rc)
        memcpy(out, message, m->size);
    return rc;
}

/* ---- writing ---- */

static void write_inside(wr_t *w, const tpod_field_t *f, const void *in)
{
    const size_t mark = pb_begin(w, f->number);
    tpod_write(w, f->message, in);
    pb_end(w, mark);
}

/* Both halves of a pair are written, empty ones too, as all encoders of maps do. */
static void write_pair(wr_t *w, const tpod_field_t *f, const tpod_env_t *pair)
{
    const size_t mark = pb_begin(w, f->number);
    pb_put_bytes(w, 1, pair->key);
    pb_put_bytes(w, 2, pair->value);
    pb_end(w, mark);
}

static void write_list(wr_t *w, const tpod_field_t *f, const void *in)
{
    const size_t n = tpod_count_at(in, f), size = tpod_element_size(f);
    const uint8_t *element = tpod_pointer_at(in, f->at);
    for (size_t i = 0; i < n; i++, element += size) {
        if (f->often == TPOD_NAMED)
            write_pair(w, f, (const tpod_env_t *)tpod_pointer_at(in, f->at) + i);
        else if (f->kind == TPOD_MESSAGE)
            write_inside(w, f, element);
        else
            pb_put_bytes(w, f->number, tpod_view_at(element, 0));
    }
}

/* always: a zero, or an empty text, is written too. */
static void write_one(wr_t *w, const tpod_field_t *f, const void *in, bool always)
{
    if (f->kind == TPOD_MESSAGE) {
        if (tpod_pointer_at(in, f->at))
            write_inside(w, f, tpod_pointer_at(in, f->at));
    } else if (f->kind == TPOD_TEXT || f->kind == TPOD_BYTES) {
        const view_t v = tpod_view_at(in, f->at);
        if (v.n || always)
            pb_put_bytes(w, f->number, v);
    } else if (always || tpod_number_of(in, f)) {
        pb_put_u64(w, f->number, tpod_number_of(in, f));
    }
}

void tpod_write(wr_t *w, const tpod_message_t *m, const void *in)
{
    for (size_t i = 0; i < m->count; i++) {
        const tpod_field_t *f = &m->fields[i];
        if (tpod_is_list(f))
            write_list(w, f, in);
        else if (f->often == TPOD_ONE)
            write_one(w, f, in, false);
        else if (tpod_which_at(in, f) == f->number)
            write_one(w, f, in, true);
    }
}
