/* map.h - one seeded hash map on an arena: keys of a fixed length to values of a fixed size, in order of insertion.
 *
 *     map_t m;
 *     rc_t rc = map_init(&m, &arena, seed, sizeof(addr_t), sizeof(account_t));
 *     account_t *acc = map_put(&m, &is_new, addr.b, sizeof addr.b);   // zeroed when new; NULL: no memory
 *     for (account_t *a = map_first(&m); a; a = map_next(a))
 *         ... map_key(&m, a) ...
 *
 * Keys may come from outside: with a seed that their author does not know, they do not meet in one bucket. The order of
 * iteration does not depend on the seed. A value stays at its place until it is removed, however the map grows.
 * Least-recently-used: map_refresh at each use; map_first is then the next to go.
 *
 * Floor:  1, base. No I/O, clock or thread.
 * Tests:  tests/unit/test_map.c
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/siphash.h"

/* What stands before every value; the key stands behind it. */
typedef struct map_node {
    struct map_node *chain;       /* of the same bucket, or of those removed */
    struct map_node *prev, *next; /* in order of insertion */
    uint64_t hash;
} map_node_t;

typedef struct {
    arena_t *arena;
    uint64_t seed[2];
    size_t key_len, value_room; /* value_room: of a value, rounded up so that the key behind it is aligned */
    map_node_t **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    map_node_t *first, *last;
    map_node_t *removed; /* places to use again */
} map_t;

/* An empty map; the arena must outlive it. RC_NOMEM. */
NODISCARD rc_t map_init(map_t *m, arena_t *a, const uint64_t seed[2], size_t key_len, size_t value_size);

/* The value under a key; NULL: there is none. key_len is that of map_init, given again for the compiler to know. */
static inline void *map_get(const map_t *m, const void *key, size_t key_len);

/* The value under a key, a zeroed one when there was none.
 *   is_new  may be NULL
 * NULL: out of memory (RC_NOMEM); the map is as before. */
static inline void *map_put(map_t *m, bool *is_new, const void *key, size_t key_len);

/* The oldest value, and the one inserted after a value; NULL: no more. The value at hand may be removed once its
 * successor is known. */
static inline void *map_first(const map_t *m);
static inline void *map_next(const void *value);

/* The key of a value of this map. */
static inline const void *map_key(const map_t *m, const void *value);

/* Makes a value the newest, as if it had been inserted just now. */
void map_refresh(map_t *m, void *value);

/* Takes a value out; its memory is used for the next one that is put in. */
void map_remove(map_t *m, void *value);

/* The two halves of map_put, for keys so hot that SipHash shows (an EVM's storage): with the caller's own hash of the
 * key, which has to be seeded too, and is then used for every access to this map. map_insert: the key is not in it yet;
 * NULL: out of memory. */
static inline void *map_find(const map_t *m, const void *key, size_t key_len, uint64_t hash);
void *map_insert(map_t *m, const void *key, uint64_t hash);

/* --- bodies: lookups are inline, as they are what an EVM waits for --- */

/* A key's hash as map_get and map_put take it: for who looks up (map_find) and inserts (map_insert) by hand. */
static inline uint64_t map_hash(const map_t *m, const void *key, size_t key_len)
{
    return siphash(m->seed, view_of(key, key_len));
}

static inline map_node_t *map_node_of(const void *value)
{
    return (map_node_t *)(uintptr_t)value - 1;
}

static inline void *map_first(const map_t *m)
{
    return m->first ? m->first + 1 : NULL;
}

static inline void *map_next(const void *value)
{
    map_node_t *next = map_node_of(value)->next;
    return next ? next + 1 : NULL;
}

static inline const void *map_key(const map_t *m, const void *value)
{
    return (const uint8_t *)value + m->value_room;
}

static inline void *map_find(const map_t *m, const void *key, size_t key_len, uint64_t hash)
{
    for (map_node_t *n = m->buckets[hash & (m->bucket_count - 1)]; n; n = n->chain)
        if (n->hash == hash && memcmp(map_key(m, n + 1), key, key_len) == 0)
            return n + 1;
    return NULL;
}

static inline void *map_get(const map_t *m, const void *key, size_t key_len)
{
    return map_find(m, key, key_len, map_hash(m, key, key_len));
}

static inline void *map_put(map_t *m, bool *is_new, const void *key, size_t key_len)
{
    uint64_t hash = map_hash(m, key, key_len);
    void *found = map_find(m, key, key_len, hash);
    if (is_new)
        *is_new = !found;
    return found ? found : map_insert(m, key, hash);
}

#endif
