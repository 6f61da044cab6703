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

/* What an object shows. */
typedef struct {
    uint8_t *bytes; /* NULL: none */
    size_t n;
    lc_kind_t kind;
    hash32_t attested, finalized; /* roots; finalized zero: none */
    uint32_t participants;
} shown_t;

struct objects {
    const lc_network_t *network;
    pthread_mutex_t lock; /* guards what follows */
    kept_t finality, optimistic, updates[OBJECTS_UPDATES_MAX], bootstraps[OBJECTS_BOOTSTRAPS_MAX];
    size_t next_bootstrap, next_shown;
    shown_t shown[OBJECTS_SHOWN_MAX];
    uint64_t version;
    bool has_first;
    hash32_t first; /* root of the first bootstrap */
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
    for (size_t i = 0; i < OBJECTS_SHOWN_MAX; i++)
        free(o->shown[i].bytes);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

static void put_digest(uint8_t out[DIGEST_LEN], const lc_network_t *network, lc_fork_t fork)
{
    lc_fork_digest(out, network, network->fork_epoch[fork]);
}

/* Reads an update of any kind: what it shows, and the period whose committee it shows. False: it cannot be read, or
 * memory is short. */
static bool read_update(shown_t *out, uint64_t *period, const lc_network_t *network, lc_kind_t kind, lc_fork_t fork,
                        view_t ssz)
{
    lc_update_t *u = malloc(sizeof *u);
    const bool ok = u && !lc_update_decode(u, network, fork, kind, ssz);
    if (ok) {
        *period = lc_period_of_slot(network, u->attested_header.beacon.slot);
        out->kind = kind;
        out->participants = lc_participants(&u->sync_aggregate, network->preset.committee_size);
        lc_beacon_root(&out->attested, &u->attested_header.beacon);
        if (u->has_finality)
            lc_beacon_root(&out->finalized, &u->finalized_header.beacon);
    }
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

/* With the lock held: keeps what shows a head, in the place of the oldest. */
static void note_shown(objects_t *o, const shown_t *new, const kept_t *from)
{
    shown_t *at = &o->shown[o->next_shown];
    for (size_t i = 0; i < OBJECTS_SHOWN_MAX; i++) {
        const shown_t *s = &o->shown[i];
        if (s->bytes && s->kind == new->kind &&
            s->participants == new->participants &&hash32_eq(&s->attested, &new->attested))
            return;
    }
    uint8_t *bytes = malloc(from->n);
    if (!bytes)
        return;
    memcpy(bytes, from->bytes, from->n);
    free(at->bytes);
    *at = *new;
    at->bytes = bytes;
    at->n = from->n;
    o->next_shown = (o->next_shown + 1) % OBJECTS_SHOWN_MAX;
}

void objects_note(objects_t *o, lc_kind_t kind, lc_fork_t fork, view_t ssz, const hash32_t *root)
{
    kept_t new = { .n = DIGEST_LEN + ssz.n, .root = *root };
    shown_t shown = { .bytes = NULL };
    const bool boots = kind == LC_BOOTSTRAP;
    if (new.n > LCDATA_OBJECT_MAX || (!boots && !read_update(&shown, &new.period, o->network, kind, fork, ssz)))
        return;
    new.bytes = malloc(new.n);
    if (!new.bytes)
        return;
    put_digest(new.bytes, o->network, fork);
    memcpy(new.bytes + DIGEST_LEN, ssz.p, ssz.n);
    pthread_mutex_lock(&o->lock);
    if (!boots)
        note_shown(o, &shown, &new);
    else if (!o->has_first)
        o->first = *root;
    o->has_first |= boots;
    kept_t *at = kind == LC_FINALITY     ? &o->finality
                 : kind == LC_OPTIMISTIC ? &o->optimistic
                 : kind == LC_UPDATE     ? place_of(o, new.period)
                                         : place_of_root(o, root);
    free(at->bytes);
    *at = new;
    o->version++;
    pthread_mutex_unlock(&o->lock);
}

uint64_t objects_version(objects_t *o)
{
    pthread_mutex_lock(&o->lock);
    const uint64_t version = o->version;
    pthread_mutex_unlock(&o->lock);
    return version;
}

bool objects_show(objects_t *o, view_t *out, lc_kind_t *kind, arena_t *a, const hash32_t *beacon_root, bool finalized,
                  uint32_t participants)
{
    view_t found = { NULL, 0 };
    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < OBJECTS_SHOWN_MAX && !found.p; i++) {
        const shown_t *s = &o->shown[i];
        if (s->bytes && s->participants == participants &&
            hash32_eq(finalized ? &s->finalized : &s->attested, beacon_root)) {
            found = arena_dup(a, view_of(s->bytes, s->n));
            *kind = s->kind;
        }
    }
    pthread_mutex_unlock(&o->lock);
    if (found.p)
        *out = found;
    return found.p;
}

bool objects_checkpoint(objects_t *o, hash32_t *root)
{
    pthread_mutex_lock(&o->lock);
    const bool found = o->has_first;
    if (found)
        *root = o->first;
    pthread_mutex_unlock(&o->lock);
    return found;
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
