/* short_memory.h - allocations that fail when a test says so. The linker puts the functions below in the place of malloc's and
 * the arena's in all that the test links (replaced, in meson.build). */
#ifndef TESTS_SHORT_MEMORY_H
#define TESTS_SHORT_MEMORY_H

#include <stdlib.h>

#include "base/arena.h"

/* Allocations are counted while it is armed. */
static bool armed, lasting; /* lasting: all later ones fail, too */
static unsigned allocations, fails_at;

static inline bool allocation_fails(void)
{
    if (!armed)
        return false;
    unsigned n = allocations++;
    return n == fails_at || (lasting && n > fails_at);
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_arena_alloc(arena_t *a, size_t n);
void *__real_arena_calloc(arena_t *a, size_t count, size_t n);
view_t __real_arena_dup(arena_t *a, view_t v);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_arena_alloc(arena_t *a, size_t n);
void *__wrap_arena_calloc(arena_t *a, size_t count, size_t n);
view_t __wrap_arena_dup(arena_t *a, view_t v);

void *__wrap_malloc(size_t n)
{
    return allocation_fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
    return allocation_fails() ? NULL : __real_calloc(count, n);
}

void *__wrap_arena_alloc(arena_t *a, size_t n)
{
    return allocation_fails() ? NULL : __real_arena_alloc(a, n);
}

void *__wrap_arena_calloc(arena_t *a, size_t count, size_t n)
{
    return allocation_fails() ? NULL : __real_arena_calloc(a, count, n);
}

view_t __wrap_arena_dup(arena_t *a, view_t v)
{
    return allocation_fails() ? (view_t){ NULL, 0 } : __real_arena_dup(a, v);
}

#endif
