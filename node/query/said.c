#include "node/query/said.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"

#define OVERHEAD 256u /* bytes of an entry beside its texts */
#define MAP_MAX ((size_t)64 << 20)

typedef struct {
    said_entry_t entry; /* texts in one piece of memory, that of answer */
    hs_shared_t *file;
    size_t file_len;
} row_t;

struct said {
    pthread_mutex_t lock;
    arena_t arena; /* of the map */
    map_t rows;    /* row_t by digest; the first is the next to go */
    size_t bytes, bytes_max;
};

said_t *said_new(size_t bytes_max, const uint64_t seed[2])
{
    said_t *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->bytes_max = bytes_max ? bytes_max : SAID_BYTES_MAX;
    arena_init(&l->arena, MAP_MAX);
    if (map_init(&l->rows, &l->arena, seed, sizeof(hash32_t), sizeof(row_t))) {
        arena_free(&l->arena);
        free(l);
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

static size_t size_of(const row_t *r)
{
    return OVERHEAD + r->entry.answer.n + r->entry.request.n + r->file_len;
}

/* With the lock held. */
static void drop(said_t *l, row_t *r)
{
    l->bytes -= size_of(r);
    free((void *)(uintptr_t)r->entry.answer.p);
    hs_shared_unref(r->file);
    map_remove(&l->rows, r);
}

/* With the lock held. */
static void shrink(said_t *l)
{
    while (l->bytes > l->bytes_max)
        drop(l, map_first(&l->rows));
}

void said_free(said_t *l)
{
    if (!l)
        return;
    while (map_first(&l->rows))
        drop(l, map_first(&l->rows));
    pthread_mutex_destroy(&l->lock);
    arena_free(&l->arena);
    free(l);
}

/* Both texts in one piece of memory. */
static bool copy(said_entry_t *e)
{
    uint8_t *both = malloc(e->answer.n + e->request.n + 1);
    if (!both)
        return false;
    memcpy(both, e->answer.p, e->answer.n);
    if (e->request.n)
        memcpy(both + e->answer.n, e->request.p, e->request.n);
    e->answer.p = both;
    e->request.p = both + e->answer.n;
    return true;
}

/* With the lock held. */
static void add(said_t *l, const hash32_t *id, const said_entry_t *entry)
{
    row_t new = { .entry = *entry };
    row_t *row = map_get(&l->rows, id->b, sizeof id->b);
    if (row) {
        map_refresh(&l->rows, row);
        return;
    }
    if (!copy(&new.entry))
        return;
    row = map_put(&l->rows, NULL, id->b, sizeof id->b);
    if (!row) {
        free((void *)(uintptr_t) new.entry.answer.p);
        return;
    }
    *row = new;
    l->bytes += size_of(row);
    shrink(l);
}

void said_note(said_t *l, const hash32_t *id, const said_entry_t *entry)
{
    if (!entry->answer.n || entry->answer.n + entry->request.n > SAID_ENTRY_MAX)
        return;
    pthread_mutex_lock(&l->lock);
    add(l, id, entry);
    pthread_mutex_unlock(&l->lock);
}

bool said_get(said_t *l, said_entry_t *out, arena_t *a, const hash32_t *id)
{
    bool whole = false;
    pthread_mutex_lock(&l->lock);
    row_t *row = map_get(&l->rows, id->b, sizeof id->b);
    if (row) {
        said_entry_t found = row->entry;
        map_refresh(&l->rows, row);
        found.answer = arena_dup(a, row->entry.answer);
        found.request = arena_dup(a, row->entry.request);
        whole = found.answer.p && found.request.n == row->entry.request.n;
        if (whole)
            *out = found;
    }
    pthread_mutex_unlock(&l->lock);
    return whole;
}

void said_put_file(said_t *l, const hash32_t *id, hs_shared_t *file, size_t len)
{
    if (len > SAID_ENTRY_MAX)
        return;
    pthread_mutex_lock(&l->lock);
    row_t *row = map_get(&l->rows, id->b, sizeof id->b);
    if (row && !row->file) {
        row->file = hs_shared_ref(file);
        row->file_len = len;
        l->bytes += len;
        map_refresh(&l->rows, row);
        shrink(l);
    }
    pthread_mutex_unlock(&l->lock);
}

hs_shared_t *said_file(said_t *l, const hash32_t *id)
{
    pthread_mutex_lock(&l->lock);
    row_t *row = map_get(&l->rows, id->b, sizeof id->b);
    hs_shared_t *file = row && row->file ? hs_shared_ref(row->file) : NULL;
    if (file)
        map_refresh(&l->rows, row);
    pthread_mutex_unlock(&l->lock);
    return file;
}

size_t said_bytes(said_t *l)
{
    pthread_mutex_lock(&l->lock);
    const size_t n = l->bytes;
    pthread_mutex_unlock(&l->lock);
    return n;
}
