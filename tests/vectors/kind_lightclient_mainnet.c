/* lightclient-mainnet: every recorded object of mainnet through the decoder and the store, by a store that knows its
 * committee; the changed copies of negative.json are all refused, with the store unchanged. */
#include <stdlib.h>

#include "tests/vectors/lc_vec.h"

#define STORES_MAX 256u

/* How stores are reached: each accepted object gives one, tried on the others in turn. */
typedef struct {
    vec_t *v;
    arena_t *a;
    const lc_network_t *net;
    lc_store_t *stores[STORES_MAX]; /* snapshots, by order of making */
    size_t count;
} pool_t;

static lc_update_t update;
static lc_bootstrap_t bootstrap;
static lc_store_t after; /* of the last object taken */

static uint64_t number(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static lc_kind_t kind_of(const json_t *object)
{
    const char *kind = vec_str(object, "kind");
    return !strcmp(kind, "bootstrap")         ? LC_BOOTSTRAP
           : !strcmp(kind, "update")          ? LC_UPDATE
           : !strcmp(kind, "finality_update") ? LC_FINALITY
                                              : LC_OPTIMISTIC;
}

static bool keep(pool_t *p, const lc_store_t *store)
{
    if (p->count == STORES_MAX || !(p->stores[p->count] = arena_alloc(p->a, sizeof *store)))
        return false;
    *p->stores[p->count++] = *store;
    return true;
}

/* The outcome of an object on a fresh copy of some store that may know its signers. RC_NEED_DATA: no store does. */
static rc_t try_update(pool_t *p, err_t *e, bool keep_it, uint64_t current_slot)
{
    rc_t rc = err_say(e, RC_NEED_DATA, "no store knows the committee");
    for (size_t i = p->count; i-- > 0 && (rc == RC_NEED_DATA || rc == RC_REPLAY);) {
        lc_verdict_t verdict;
        after = *p->stores[i];
        rc = lc_store_process(&after, &verdict, e, &update, current_slot);
        if (rc && memcmp(&after, p->stores[i], sizeof after))
            return err_say(e, RC_BUG, "the store changed although the update was refused");
    }
    return rc == RC_OK && keep_it && !keep(p, &after) ? RC_NOMEM : rc;
}

/* An update that cannot be checked, because the set does not hold its signers, or that teaches the store nothing,
 * because its finality lies in the period before, still shows who signs the next one: a store that knows only that. */
static void adopt(pool_t *p)
{
    static lc_store_t store;
    const lc_store_committee_t *next = &after.next_sync_committee;
    if (next->known && !memcmp(&next->keys, &update.next_sync_committee, sizeof next->keys))
        return;
    memset(&store, 0, sizeof store);
    store.network = p->net;
    store.finalized_header = store.optimistic_header = update.attested_header;
    store.next_sync_committee.keys = update.next_sync_committee;
    store.next_sync_committee.known = true;
    lc_committee_root(&store.next_sync_committee.root, &update.next_sync_committee, p->net->preset.committee_size);
    if (!bls_pubkey_decode(&store.next_sync_committee.aggregate, &update.next_sync_committee.aggregate_pubkey, true))
        keep(p, &store);
}

/* One object in the state that set is in. */
static rc_t take(pool_t *p, err_t *e, const json_t *object, view_t ssz, bool keep_it)
{
    lc_kind_t kind = kind_of(object);
    lc_fork_t fork = lc_fork_from_name(vec_str(object, "fork"));
    if (kind != LC_BOOTSTRAP) {
        if (lc_update_decode(&update, p->net, fork, kind, ssz))
            return err_say(e, RC_MALFORMED, "does not decode");
        uint64_t slot = number(object, "signature_slot");
        return try_update(p, e, keep_it, slot);
    }
    hash32_t root;
    vec_hex_fixed(root.b, 32, vec_str(object, "block_root"));
    if (lc_bootstrap_decode(&bootstrap, p->net, fork, ssz))
        return err_say(e, RC_MALFORMED, "does not decode");
    rc_t rc = lc_store_init(&after, e, p->net, &root, &bootstrap);
    return rc == RC_OK && keep_it && !keep(p, &after) ? RC_NOMEM : rc;
}

/* Applies one row of negative.json to a copy of the file. */
static view_t changed(arena_t *a, view_t ssz, const json_t *row)
{
    uint8_t *p = arena_alloc(a, ssz.n);
    const json_t *xors = json_object_get(row, "xor"), *cut = json_object_get(row, "truncate_to");
    if (!p)
        return (view_t){ NULL, 0 };
    memcpy(p, ssz.p, ssz.n);
    for (size_t i = 0; i < json_array_size(xors); i++) {
        const json_t *pair = json_array_get(xors, i);
        size_t at = (size_t)json_integer_value(json_array_get(pair, 0));
        if (at < ssz.n)
            p[at] = (uint8_t)(p[at] ^ json_integer_value(json_array_get(pair, 1)));
    }
    return view_of(p, cut ? (size_t)json_integer_value(cut) : ssz.n);
}

/* The changed copies of one file, tried before the file itself moves anything. */
static void run_negatives(pool_t *p, const json_t *negatives, const char *file, const json_t *object, view_t ssz)
{
    for (size_t i = 0; i < json_array_size(negatives); i++) {
        const json_t *row = json_array_get(negatives, i);
        err_t e = { 0 };
        if (strcmp(vec_str(row, "file"), file))
            continue;
        arena_mark_t mark = arena_mark(p->a);
        rc_t rc = take(p, &e, object, changed(p->a, ssz, row), false);
        arena_rollback(p->a, mark);
        if (rc == RC_MALFORMED || rc == RC_REFUSED || rc == RC_REPLAY || rc == RC_NEED_DATA)
            vec_pass(p->v);
        else
            vec_fail(p->v, file, "%s: %s", vec_str(row, "change"), rc ? e.text : "accepted");
    }
}

/* Objects in an order in which one may prove the next: bootstraps, then by signature slot. */
static int by_slot(const void *a, const void *b)
{
    const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
    uint64_t s = number(x, "signature_slot"), t = number(y, "signature_slot");
    return s < t ? -1 : s > t;
}

static void run_set(vec_t *v, const char *set, const json_t *list, const json_t *negatives)
{
    arena_t a;
    arena_init(&a, (size_t)256 << 20);
    pool_t p = { .v = v, .a = &a, .net = lc_network_find("mainnet") };
    size_t n = json_array_size(list);
    const json_t **objects = arena_calloc(&a, n + 1, sizeof *objects);
    for (size_t i = 0; objects && i < n; i++)
        objects[i] = json_array_get(list, i);
    if (objects)
        qsort(objects, n, sizeof *objects, by_slot);
    for (size_t i = 0; objects && i < n; i++) {
        char file[256];
        err_t e = { 0 };
        snprintf(file, sizeof file, "%s/%s.ssz", set, vec_str(objects[i], "file"));
        view_t ssz = vec_read(v, &a, "lightclient-mainnet/%s", file);
        run_negatives(&p, negatives, file, objects[i], ssz);
        rc_t rc = take(&p, &e, objects[i], ssz, true);
        bool unknown = rc == RC_NEED_DATA || rc == RC_REPLAY;
        if (rc == RC_OK)
            vec_pass(v);
        else if (unknown)
            vec_skip(v, file, "its committee is not in the set");
        else
            vec_fail(v, file, "%s", e.text);
        if (kind_of(objects[i]) == LC_UPDATE && (rc == RC_OK || unknown))
            adopt(&p);
    }
    arena_free(&a);
}

void vec_kind_lightclient_mainnet(vec_t *v)
{
    json_t *index = vec_json(v, "lightclient-mainnet/index.json"),
           *negatives = vec_json(v, "lightclient-mainnet/negative.json");
    const char *set;
    json_t *list;
    json_object_foreach (index, set, list)
        run_set(v, set, list, negatives);
    json_decref(index);
    json_decref(negatives);
}
