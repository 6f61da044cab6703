#include "base/map.h"

#define BUCKETS_FIRST 64u /* doubled when there are as many values */

rc_t map_init(map_t *m, arena_t *a, const uint64_t seed[2], size_t key_len, size_t value_size)
{
    *m = (map_t){ .arena = a,
                  .seed = { seed[0], seed[1] },
                  .key_len = key_len,
                  .value_room = (value_size + 7) & ~(size_t)7,
                  .bucket_count = BUCKETS_FIRST };
    m->buckets = arena_calloc(a, m->bucket_count, sizeof(map_node_t *));
    return m->buckets ? RC_OK : RC_NOMEM;
}

static map_node_t **bucket_of(const map_t *m, uint64_t hash)
{
    return &m->buckets[hash & (m->bucket_count - 1)];
}

static void chain_in(map_t *m, map_node_t *n)
{
    map_node_t **head = bucket_of(m, n->hash);
    n->chain = *head;
    *head = n;
}

static void link_last(map_t *m, map_node_t *n)
{
    n->prev = m->last;
    n->next = NULL;
    *(m->last ? &m->last->next : &m->first) = n;
    m->last = n;
}

static void unlink_node(map_t *m, map_node_t *n)
{
    *(n->prev ? &n->prev->next : &m->first) = n->next;
    *(n->next ? &n->next->prev : &m->last) = n->prev;
}

/* Twice as many buckets; the old ones stay in the arena, at most as many again. Without memory the chains get
 * longer. */
static void grow(map_t *m)
{
    map_node_t **more = arena_calloc(m->arena, m->bucket_count * 2, sizeof *more);
    if (!more)
        return;
    m->buckets = more;
    m->bucket_count *= 2;
    for (map_node_t *n = m->first; n; n = n->next)
        chain_in(m, n);
}

void *map_insert(map_t *m, const void *key, uint64_t hash)
{
    map_node_t *n = m->removed;
    if (m->count >= m->bucket_count)
        grow(m);
    if (n)
        m->removed = n->chain;
    else
        n = arena_alloc(m->arena, sizeof *n + m->value_room + m->key_len);
    if (!n)
        return NULL;
    memset(n + 1, 0, m->value_room);
    memcpy((uint8_t *)(n + 1) + m->value_room, key, m->key_len);
    n->hash = hash;
    chain_in(m, n);
    link_last(m, n);
    m->count++;
    return n + 1;
}

void map_refresh(map_t *m, void *value)
{
    map_node_t *n = map_node_of(value);
    unlink_node(m, n);
    link_last(m, n);
}

void map_remove(map_t *m, void *value)
{
    map_node_t *n = map_node_of(value), **at = bucket_of(m, n->hash);
    while (*at != n)
        at = &(*at)->chain;
    *at = n->chain;
    unlink_node(m, n);
    n->chain = m->removed;
    m->removed = n;
    m->count--;
}
