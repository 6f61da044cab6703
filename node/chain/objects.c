#include "node/chain/objects.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGEST_LEN 4u

typedef struct {
    uint8_t *bytes; /* fork digest, SSZ; NULL: none */
    size_t n;
    uint64_t period; /* of an update */
    hash32_t root;   /* of a bootstrap */
} kept_t;

struct objects {
    const lc_network_t *network;
    pthread_mutex_t lock; /* guards what follows */
    kept_t finality, optimistic, updates[OBJECTS_UPDATES_MAX], bootstraps[OBJECTS_BOOTSTRAPS_MAX];
    size_t next_bootstrap;
    char said[LCDATA_WHY_MAX];
};

objects_t *objects_new(const lc_network_t *network)
{
    objects_t *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->network = network;
    pthread_mutex_init(&o->lock, NULL);
    return o;
}

void objects_free(objects_t *o)
{
    if (!o)
        return;
    free(o->finality.bytes);
    free(o->optimistic.bytes);
    for (size_t i = 0; i < OBJECTS_UPDATES_MAX; i++)
        free(o->updates[i].bytes);
    for (size_t i = 0; i < OBJECTS_BOOTSTRAPS_MAX; i++)
        free(o->bootstraps[i].bytes);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

static void put_digest(uint8_t out[DIGEST_LEN], const lc_network_t *network, lc_fork_t fork)
{
    lc_fork_digest(out, network, network->fork_epoch[fork]);
}

/* The period whose committee signed an update. False: it cannot be read, or memory is short. */
static bool period_of(uint64_t *out, const lc_network_t *network, lc_fork_t fork, view_t ssz)
{
    lc_update_t *u = malloc(sizeof *u);
    const bool ok = u && !lc_update_decode(u, network, fork, LC_UPDATE, ssz);
    if (ok)
        *out = lc_period_of_slot(network, u->attested_header.beacon.slot);
    free(u);
    return ok;
}

/* The place of an update: that of its period, a free one, or that of the oldest. */
static kept_t *place_of(objects_t *o, uint64_t period)
{
    kept_t *place = &o->updates[0];
    for (size_t i = 0; i < OBJECTS_UPDATES_MAX; i++) {
        kept_t *k = &o->updates[i];
        if (k->bytes && k->period == period)
            return k;
        if (place->bytes && (!k->bytes || k->period < place->period))
            place = k;
    }
    return place;
}

/* The place of a bootstrap: that of its root, or the next. */
static kept_t *place_of_root(objects_t *o, const hash32_t *root)
{
    for (size_t i = 0; i < OBJECTS_BOOTSTRAPS_MAX; i++)
        if (o->bootstraps[i].bytes && hash32_eq(&o->bootstraps[i].root, root))
            return &o->bootstraps[i];
    return &o->bootstraps[o->next_bootstrap++ % OBJECTS_BOOTSTRAPS_MAX];
}

void objects_note(objects_t *o, lc_kind_t kind, lc_fork_t fork, view_t ssz, const hash32_t *root)
{
    kept_t new = { .n = DIGEST_LEN + ssz.n, .root = *root };
    if (new.n > LCDATA_OBJECT_MAX || (kind == LC_UPDATE && !period_of(&new.period, o->network, fork, ssz)))
        return;
    new.bytes = malloc(new.n);
    if (!new.bytes)
        return;
    put_digest(new.bytes, o->network, fork);
    memcpy(new.bytes + DIGEST_LEN, ssz.p, ssz.n);
    pthread_mutex_lock(&o->lock);
    kept_t *at = kind == LC_FINALITY     ? &o->finality
                 : kind == LC_OPTIMISTIC ? &o->optimistic
                 : kind == LC_UPDATE     ? place_of(o, new.period)
                                         : place_of_root(o, root);
    free(at->bytes);
    *at = new;
    pthread_mutex_unlock(&o->lock);
}

/* With the lock held. */
static size_t copy(view_t *out, arena_t *a, const kept_t *k)
{
    *out = k->bytes ? arena_dup(a, view_of(k->bytes, k->n)) : view_of(NULL, 0);
    return out->n != 0;
}

static size_t copy_updates(const objects_t *o, view_t out[LCDATA_OBJECTS_MAX], arena_t *a, const lc_want_t *want)
{
    size_t n = 0;
    for (bool found = true; found && n < want->count && n < LCDATA_OBJECTS_MAX;) {
        found = false;
        for (size_t i = 0; i < OBJECTS_UPDATES_MAX && !found; i++)
            if (o->updates[i].bytes && o->updates[i].period == want->period + n)
                found = copy(&out[n], a, &o->updates[i]) != 0;
        n += found;
    }
    return n;
}

size_t objects_get(objects_t *o, view_t out[LCDATA_OBJECTS_MAX], arena_t *a, const lc_want_t *want)
{
    size_t n = 0;
    pthread_mutex_lock(&o->lock);
    switch (want->kind) {
    case LC_FINALITY: n = copy(out, a, &o->finality); break;
    case LC_OPTIMISTIC: n = copy(out, a, &o->optimistic); break;
    case LC_UPDATE: n = copy_updates(o, out, a, want); break;
    case LC_BOOTSTRAP:
        for (size_t i = 0; i < OBJECTS_BOOTSTRAPS_MAX && !n; i++)
            if (hash32_eq(&o->bootstraps[i].root, &want->block_root))
                n = copy(out, a, &o->bootstraps[i]);
        break;
    }
    pthread_mutex_unlock(&o->lock);
    return n;
}

rc_t objects_pack(view_t *out, arena_t *a, const lc_network_t *network, lc_fork_t fork, view_t ssz)
{
    if (ssz.n > LCDATA_OBJECT_MAX - DIGEST_LEN)
        return RC_LIMIT;
    uint8_t *bytes = arena_alloc(a, DIGEST_LEN + ssz.n);
    if (!bytes)
        return RC_NOMEM;
    put_digest(bytes, network, fork);
    memcpy(bytes + DIGEST_LEN, ssz.p, ssz.n);
    *out = view_of(bytes, DIGEST_LEN + ssz.n);
    return RC_OK;
}

void objects_say(objects_t *o, const char *text)
{
    pthread_mutex_lock(&o->lock);
    snprintf(o->said, sizeof o->said, "%s", text);
    pthread_mutex_unlock(&o->lock);
}

void objects_said(objects_t *o, char out[LCDATA_WHY_MAX])
{
    pthread_mutex_lock(&o->lock);
    memcpy(out, o->said, sizeof o->said);
    pthread_mutex_unlock(&o->lock);
}
