/* beacon_write.c - light-client objects as beacon nodes write them in JSON: the way back of beacon.c. */
#include "rpc/upstream/beacon.h"
#include "rpc/upstream/beacon_schema.h"

/* Bytes of a value of a type whose length is fixed. */
static size_t fixed_size(const bn_form_t *c, const bn_type_t *t)
{
    size_t n = 0;
    switch (t->kind) {
    case BN_VECTOR: return bn_size(c, t) * fixed_size(c, t->element);
    case BN_CONTAINER:
        for (const bn_field_t *f = t->fields; f->name; f++)
            n += bn_has_field(c, f) ? fixed_size(c, f->type) : 0;
        return n;
    default: return bn_size(c, t);
    }
}

static bool put(jw_t *w, const bn_form_t *c, const char *key, const bn_type_t *t, view_t bytes);

static bool put_uint(jw_t *w, const char *key, view_t bytes)
{
    u256_t x = u256_of(0);
    rd_t r = rd_of(bytes);
    for (size_t i = 0; i < bytes.n / 8; i++)
        x.w[i] = rd_u64le(&r);
    jw_decimal256(w, key, &x);
    return true;
}

static bool put_vector(jw_t *w, const bn_form_t *c, const char *key, const bn_type_t *t, view_t bytes)
{
    const size_t each = fixed_size(c, t->element);
    rd_t r = rd_of(bytes);
    bool ok = true;
    jw_array(w, key);
    for (size_t i = 0; ok && i < bn_size(c, t); i++)
        ok = put(w, c, NULL, t->element, rd_take(&r, each));
    jw_end(w);
    return ok;
}

/* The parts of a container, by the number of their field. False: they are not where they have to be. */
static bool split(view_t parts[BN_FIELDS_MAX], const bn_form_t *c, const bn_type_t *t, view_t bytes)
{
    rd_t r = rd_of(bytes);
    size_t last = SIZE_MAX, from = 0, first = bytes.n;
    for (size_t i = 0; t->fields[i].name; i++) {
        const bn_field_t *f = &t->fields[i];
        if (!bn_has_field(c, f))
            continue;
        if (!bn_is_variable(c, f->type)) {
            parts[i] = rd_take(&r, fixed_size(c, f->type));
            continue;
        }
        const size_t at = rd_u32le(&r);
        if (at > bytes.n || at < from)
            return false;
        if (last != SIZE_MAX)
            parts[last] = view_of(bytes.p + from, at - from);
        else
            first = at;
        last = i;
        from = at;
    }
    if (last != SIZE_MAX)
        parts[last] = view_of(bytes.p + from, bytes.n - from);
    return !r.bad && bytes.n - r.n == first; /* what varies begins where the fixed parts end */
}

static bool put_container(jw_t *w, const bn_form_t *c, const char *key, const bn_type_t *t, view_t bytes)
{
    view_t parts[BN_FIELDS_MAX] = { { NULL, 0 } };
    bool ok = split(parts, c, t, bytes);
    jw_object(w, key);
    for (size_t i = 0; ok && t->fields[i].name; i++)
        if (bn_has_field(c, &t->fields[i]))
            ok = put(w, c, t->fields[i].name, t->fields[i].type, parts[i]);
    jw_end(w);
    return ok;
}

/* False: the bytes are not of this type. */
static bool put(jw_t *w, const bn_form_t *c, const char *key, const bn_type_t *t, view_t bytes)
{
    if (t->kind == BN_CONTAINER)
        return put_container(w, c, key, t, bytes);
    if (t->kind == BN_BYTE_LIST ? bytes.n > bn_size(c, t) : bytes.n != fixed_size(c, t))
        return false;
    if (t->kind == BN_VECTOR)
        return put_vector(w, c, key, t, bytes);
    if (t->kind == BN_UINT)
        return put_uint(w, key, bytes);
    jw_hex(w, key, bytes);
    return true;
}

rc_t bn_write(jw_t *w, const char *key, const lc_network_t *net, lc_kind_t kind, const bn_object_t *object)
{
    const bn_form_t form = { net, object->fork };
    return put(w, &form, key, bn_type(kind), object->ssz) ? w->rc : RC_MALFORMED;
}
