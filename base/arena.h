/* arena.h - memory of one unit of work (a request, an update, a call), freed whole.
 *
 * Floor:  1, base. Uses malloc for its chunks and nothing else.
 * Tests:  tests/unit/test_base.c
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

typedef struct arena_chunk arena_chunk_t;

typedef struct {
    arena_chunk_t *head;
    size_t used;  /* bytes handed out and chunk overhead, since init or reset */
    size_t limit; /* most bytes that may be taken from the system */
} arena_t;

/* A mark to which an arena can be rolled back. */
typedef struct {
    arena_chunk_t *head;
    size_t head_used;
    size_t used;
} arena_mark_t;

/* An empty arena that never takes more than limit bytes from the system. Cannot fail. */
void arena_init(arena_t *a, size_t limit);

/* n bytes aligned to 16, not initialised; NULL when the limit or memory is reached. n may be 0. */
void *arena_alloc(arena_t *a, size_t n);

/* count * size bytes, zeroed; NULL when the limit or memory is reached, or the product overflows. */
void *arena_calloc(arena_t *a, size_t count, size_t size);

/* A copy of v inside the arena; p is NULL and n is 0 on failure (test with p when v.n is not 0). */
view_t arena_dup(arena_t *a, view_t v);

/* A NUL-terminated copy of v; NULL on failure. */
char *arena_strdup(arena_t *a, view_t v);

/* Remembers the present state; arena_rollback frees all that was taken since. */
arena_mark_t arena_mark(const arena_t *a);
void arena_rollback(arena_t *a, arena_mark_t mark);

/* Frees everything; the arena stays usable with the same limit. */
void arena_free(arena_t *a);

#endif
