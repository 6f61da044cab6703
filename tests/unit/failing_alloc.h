/* failing_alloc.h - memory that ends after so many allocations: of malloc and its like, and out of arenas. A program that
 * includes this is linked with failing_alloc_dep, which has the project's own calls come here; those inside of other
 * libraries, and of an arena's functions among themselves, do not. */
#ifndef TESTS_UNIT_FAILING_ALLOC_H
#define TESTS_UNIT_FAILING_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rc.h"

static size_t allocations_left = SIZE_MAX; /* that succeed inside of COUNTED; SIZE_MAX: all */
static bool allocations_counted;

/* The result of a call in whose course allocations are counted: those of the test itself, and of its framework, never fail. */
#define COUNTED(call)                                                                                                  \
    __extension__({                                                                                                    \
        allocations_counted = true;                                                                                    \
        rc_t counted_rc = (call);                                                                                      \
        allocations_counted = false;                                                                                   \
        counted_rc;                                                                                                    \
    })

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__real_arena_alloc(arena_t *a, size_t n);
void *__wrap_arena_alloc(arena_t *a, size_t n);
void *__real_arena_calloc(arena_t *a, size_t count, size_t n);
void *__wrap_arena_calloc(arena_t *a, size_t count, size_t n);
view_t __real_arena_dup(arena_t *a, view_t v);
view_t __wrap_arena_dup(arena_t *a, view_t v);
char *__real_arena_strdup(arena_t *a, view_t v);
char *__wrap_arena_strdup(arena_t *a, view_t v);

/* Whether one more allocation succeeds. */
static inline bool may_allocate(void)
{
    if (!allocations_counted || allocations_left == SIZE_MAX)
        return true;
    return allocations_left > 0 && allocations_left-- > 0;
}

void *__wrap_malloc(size_t n)
{
    return may_allocate() ? __real_malloc(n) : NULL;
}

void *__wrap_calloc(size_t count, size_t n)
{
    return may_allocate() ? __real_calloc(count, n) : NULL;
}

void *__wrap_realloc(void *p, size_t n)
{
    return may_allocate() ? __real_realloc(p, n) : NULL;
}

void *__wrap_arena_alloc(arena_t *a, size_t n)
{
    return may_allocate() ? __real_arena_alloc(a, n) : NULL;
}

void *__wrap_arena_calloc(arena_t *a, size_t count, size_t n)
{
    return may_allocate() ? __real_arena_calloc(a, count, n) : NULL;
}

view_t __wrap_arena_dup(arena_t *a, view_t v)
{
    return may_allocate() ? __real_arena_dup(a, v) : view_of(NULL, 0);
}

char *__wrap_arena_strdup(arena_t *a, view_t v)
{
    return may_allocate() ? __real_arena_strdup(a, v) : NULL;
}

#endif
