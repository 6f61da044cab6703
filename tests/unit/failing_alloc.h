/* failing_alloc.h - memory that ends when a test says so: of malloc and its like, and out of arenas. A program that
 * includes this is linked with failing_alloc_dep, which has the project's own calls come here; those inside of other
 * libraries do not.
 *
 *     fail_at(n, true);                       // the allocation after n more fails, and all later ones
 *     rc_t rc = COUNTED(policy_read(&p, &e, text));
 *     fail_never();
 *
 * Only allocations that are counted fail: so those of the test itself, and of its framework, do not. Any thread may
 * allocate. */
#ifndef TESTS_UNIT_FAILING_ALLOC_H
#define TESTS_UNIT_FAILING_ALLOC_H

#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/rc.h"

static struct {
    atomic_bool counting, lasting, failed; /* failed: one was refused since fail_at */
    atomic_uint count, at;                 /* count: allocations since fail_at */
} failing = { .at = UINT_MAX };

/* Allocation number `at` (from 0) among those counted from now on fails; lasting: all later ones, too. */
static inline void fail_at(unsigned at, bool lasting)
{
    failing.count = 0;
    failing.failed = false;
    failing.at = at;
    failing.lasting = lasting;
}

static inline void fail_never(void)
{
    fail_at(UINT_MAX, false);
}

/* Counts from here to count_end. */
static inline void count_begin(void)
{
    failing.counting = true;
}

static inline void count_end(void)
{
    failing.counting = false;
}

/* Allocations that were counted since fail_at. */
static inline unsigned counted(void)
{
    return failing.count;
}

/* The result of a call in whose course allocations are counted. */
#define COUNTED(call)                                                                                                  \
    __extension__({                                                                                                    \
        count_begin();                                                                                                 \
        rc_t counted_rc = (call);                                                                                      \
        count_end();                                                                                                   \
        counted_rc;                                                                                                    \
    })

static inline bool allocation_fails(void)
{
    if (!failing.counting)
        return false;
    const unsigned n = failing.count++;
    const bool fails = n == failing.at || (failing.lasting && n > failing.at);
    if (fails)
        failing.failed = true;
    return fails;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
int __wrap_asprintf(char **out, const char *format, ...);
void *__real_arena_alloc(arena_t *a, size_t n);
void *__wrap_arena_alloc(arena_t *a, size_t n);
void *__real_arena_calloc(arena_t *a, size_t count, size_t n);
void *__wrap_arena_calloc(arena_t *a, size_t count, size_t n);
view_t __real_arena_dup(arena_t *a, view_t v);
view_t __wrap_arena_dup(arena_t *a, view_t v);
char *__real_arena_strdup(arena_t *a, view_t v);
char *__wrap_arena_strdup(arena_t *a, view_t v);

void *__wrap_malloc(size_t n)
{
    return allocation_fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
    return allocation_fails() ? NULL : __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
    return allocation_fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return allocation_fails() ? NULL : __real_strdup(s);
}

__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list ap;
    if (allocation_fails())
        return -1;
    va_start(ap, format);
    int n = vasprintf(out, format, ap);
    va_end(ap);
    return n;
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
    return allocation_fails() ? view_of(NULL, 0) : __real_arena_dup(a, v);
}

char *__wrap_arena_strdup(arena_t *a, view_t v)
{
    return allocation_fails() ? NULL : __real_arena_strdup(a, v);
}

#endif
