#include "base/arena.h"

#include <stdlib.h>

#define CHUNK_MIN ((size_t)16 << 10) /* bytes; later chunks double, up to CHUNK_MAX */
#define CHUNK_MAX ((size_t)1 << 20)

struct arena_chunk {
    arena_chunk_t *next;
    size_t cap; /* bytes of data */
    size_t used;
    size_t pad; /* keeps data aligned to 16 */
    uint8_t data[];
};

void arena_init(arena_t *a, size_t limit)
{
    *a = (arena_t){ NULL, 0, limit };
}

static arena_chunk_t *chunk_new(arena_t *a, size_t need)
{
    size_t cap = a->head ? a->head->cap * 2 : CHUNK_MIN;
    if (cap > CHUNK_MAX)
        cap = CHUNK_MAX;
    size_t left = a->limit - a->used;
    if (left < sizeof(arena_chunk_t) || need > left - sizeof(arena_chunk_t))
        return NULL;
    if (cap > left - sizeof(arena_chunk_t) || cap < need)
        cap = need;
    arena_chunk_t *c = malloc(sizeof *c + cap);
    if (!c)
        return NULL;
    c->next = a->head;
    c->cap = cap;
    c->used = 0;
    a->head = c;
    a->used += sizeof *c + cap;
    return c;
}

void *arena_alloc(arena_t *a, size_t n)
{
    if (n > SIZE_MAX - 64)
        return NULL;
    n = (n + 15) & ~(size_t)15;
    if (n == 0)
        n = 16;
    arena_chunk_t *c = a->head;
    if (!c || n > c->cap - c->used) {
        c = chunk_new(a, n);
        if (!c)
            return NULL;
    }
    void *p = c->data + c->used;
    c->used += n;
    return p;
}

void *arena_calloc(arena_t *a, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    void *p = arena_alloc(a, count * size);
    if (p)
        memset(p, 0, count * size);
    return p;
}

view_t arena_dup(arena_t *a, view_t v)
{
    void *p = arena_alloc(a, v.n);
    if (!p)
        return (view_t){ NULL, 0 };
    if (v.n)
        memcpy(p, v.p, v.n);
    return view_of(p, v.n);
}

char *arena_strdup(arena_t *a, view_t v)
{
    char *p = v.n < SIZE_MAX ? arena_alloc(a, v.n + 1) : NULL;
    if (!p)
        return NULL;
    if (v.n)
        memcpy(p, v.p, v.n);
    p[v.n] = '\0';
    return p;
}

arena_mark_t arena_mark(const arena_t *a)
{
    return (arena_mark_t){ a->head, a->head ? a->head->used : 0, a->used };
}

void arena_rollback(arena_t *a, arena_mark_t mark)
{
    while (a->head != mark.head) {
        arena_chunk_t *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    if (a->head)
        a->head->used = mark.head_used;
    a->used = mark.used;
}

void arena_free(arena_t *a)
{
    arena_rollback(a, (arena_mark_t){ NULL, 0, 0 });
}
