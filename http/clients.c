#include "http/clients.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/crypto/secret.h"
#include "base/map.h"

#define KEPT_MAX 1024u               /* records of clients that are away; the oldest give their place */
#define TABLE_MAX ((size_t)16 << 20) /* bytes */

struct hs_clients {
    atomic_uint refs; /* its owner's, and one of every client in use */
    pthread_mutex_t lock;
    arena_t arena;
    map_t map; /* key -> hs_client_t */
};

hs_clients_t *hs_clients_new(void)
{
    uint64_t seed[2];
    hs_clients_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    secret_random((uint8_t *)seed, sizeof seed);
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    arena_init(&c->arena, TABLE_MAX);
    if (map_init(&c->map, &c->arena, seed, CLIENT_KEY_LEN, sizeof(hs_client_t))) {
        hs_clients_unref(c);
        return NULL;
    }
    return c;
}

void hs_clients_unref(hs_clients_t *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(&c->arena);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

bool hs_client_key(uint8_t key[CLIENT_KEY_LEN], const struct sockaddr *at)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    memset(key, 0, CLIENT_KEY_LEN);
    if (at->sa_family == AF_INET) {
        memcpy(key, mapped, sizeof mapped);
        memcpy(key + 12, &((const struct sockaddr_in *)(const void *)at)->sin_addr, 4);
        return true;
    }
    if (at->sa_family != AF_INET6)
        return false;
    const uint8_t *v6 = ((const struct sockaddr_in6 *)(const void *)at)->sin6_addr.s6_addr;
    memcpy(key, v6, memcmp(v6, mapped, sizeof mapped) ? 8 : CLIENT_KEY_LEN);
    return true;
}

/* Forgets the oldest that is not in use. */
static void forget_one(hs_clients_t *c)
{
    for (hs_client_t *x = map_first(&c->map); x; x = map_next(x))
        if (!atomic_load_explicit(&x->refs, memory_order_acquire)) {
            map_remove(&c->map, x);
            return;
        }
}

hs_client_t *hs_client_get(hs_clients_t *c, const uint8_t key[CLIENT_KEY_LEN], bool exempt)
{
    bool is_new;
    pthread_mutex_lock(&c->lock);
    if (c->map.count >= KEPT_MAX && !map_get(&c->map, key, CLIENT_KEY_LEN))
        forget_one(c);
    hs_client_t *x = map_put(&c->map, &is_new, key, CLIENT_KEY_LEN);
    if (x && is_new) { /* of one in use nothing is written again: who lets it go reads without the lock */
        x->all = c;
        memcpy(x->key, key, CLIENT_KEY_LEN);
        for (size_t i = 0; i < SHARE_KINDS; i++)
            x->turns[i].exempt = exempt;
    }
    if (x) {
        map_refresh(&c->map, x);
        if (atomic_fetch_add_explicit(&x->refs, 1, memory_order_acq_rel) == 0)
            atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&c->lock);
    return x;
}

hs_client_t *hs_client_ref(hs_client_t *c)
{
    if (c)
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void hs_client_unref(hs_client_t *c)
{
    if (!c)
        return;
    hs_clients_t *all = c->all;
    if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1) /* from now on it may be forgotten */
        hs_clients_unref(all);
}
