/* member.h - members of the structs of pod.h by the rows of their tables.
 *
 * Floor:  4, overlay/tpod. Private to codec.c and text.c.
 */
#ifndef OVERLAY_TPOD_MEMBER_H
#define OVERLAY_TPOD_MEMBER_H

#include "overlay/tpod/schema.h"

/* Where a member is. */
static inline void *tpod_at(void *out, size_t offset)
{
    return (uint8_t *)out + offset;
}

static inline const void *tpod_at_const(const void *in, size_t offset)
{
    return (const uint8_t *)in + offset;
}

/* A list, or a message that may be absent. */
static inline void *tpod_pointer_at(const void *in, size_t offset)
{
    void *p;
    memcpy(&p, tpod_at_const(in, offset), sizeof p);
    return p;
}

static inline view_t tpod_view_at(const void *in, size_t offset)
{
    view_t v;
    memcpy(&v, tpod_at_const(in, offset), sizeof v);
    return v;
}

static inline size_t tpod_count_at(const void *in, const tpod_field_t *f)
{
    size_t n;
    memcpy(&n, tpod_at_const(in, f->beside), sizeof n);
    return n;
}

static inline uint32_t tpod_which_at(const void *in, const tpod_field_t *f)
{
    uint32_t which;
    memcpy(&which, tpod_at_const(in, f->beside), sizeof which);
    return which;
}

static inline bool tpod_is_list(const tpod_field_t *f)
{
    return f->often == TPOD_MANY || f->often == TPOD_NAMED;
}

/* Bytes of an element of a list. */
static inline size_t tpod_element_size(const tpod_field_t *f)
{
    return f->kind == TPOD_MESSAGE ? f->message->size : sizeof(view_t);
}

/* A number of any kind, as it stands in a varint: a negative one with its sign in all 64 bits. */
static inline uint64_t tpod_number_of(const void *in, const tpod_field_t *f)
{
    uint64_t x = 0;
    uint32_t low;
    bool flag;
    if (f->kind == TPOD_U64) {
        memcpy(&x, tpod_at_const(in, f->at), sizeof x);
    } else if (f->kind == TPOD_BOOL) {
        memcpy(&flag, tpod_at_const(in, f->at), sizeof flag);
        x = flag;
    } else {
        memcpy(&low, tpod_at_const(in, f->at), sizeof low);
        x = f->kind == TPOD_I32 ? (uint64_t)(int64_t)(int32_t)low : low;
    }
    return x;
}

/* ... and back, one that fits. */
static inline void tpod_set_number(void *out, const tpod_field_t *f, uint64_t x)
{
    const uint32_t low = (uint32_t)x;
    const bool flag = x != 0;
    if (f->kind == TPOD_U64)
        memcpy(tpod_at(out, f->at), &x, sizeof x);
    else if (f->kind == TPOD_BOOL)
        memcpy(tpod_at(out, f->at), &flag, sizeof flag);
    else
        memcpy(tpod_at(out, f->at), &low, sizeof low);
}

#endif
