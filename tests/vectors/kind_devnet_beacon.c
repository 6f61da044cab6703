/* devnet, beacon part: every recorded chain followed by the machine, from each of its bootstraps, through every update
 * and finality update in the order of their signatures, once from SSZ and once from JSON (optimistic updates too from
 * the first bootstrap of each form, with --slow from all); then the forged finality updates, each against a machine in
 * the same state. */
#include <stdlib.h>

#include "lightclient/consensus/sync.h"
#include "rpc/upstream/beacon.h"
#include "tests/vectors/devnet.h"
#include "tests/vectors/net.h"
#include "tests/vectors/vec.h"

#define OBJECTS_MAX 4096u
#define UPDATES_MAX 16u

typedef struct {
    const char *file;
    lc_kind_t kind;
    lc_fork_t fork;
    view_t ssz;
    uint64_t signature_slot; /* 0: bootstrap */
    uint64_t attested_slot, finalized_slot;
    bool json;
} object_t;

typedef struct {
    vec_t *v;
    arena_t a;
    const char *chain;
    lc_network_t net;
    object_t *objects; /* by signature slot */
    size_t count;
} chain_t;

static bool starts(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

static bool kind_of(lc_want_t *out, const char *file)
{
    static const struct {
        const char *folder;
        lc_kind_t kind;
    } kinds[] = { { "beacon/bootstrap/", LC_BOOTSTRAP },
                  { "beacon/updates/", LC_UPDATE },
                  { "beacon/finality/", LC_FINALITY },
                  { "beacon/optimistic/", LC_OPTIMISTIC } };
    for (size_t i = 0; i < 4; i++)
        if (starts(file, kinds[i].folder)) {
            *out = (lc_want_t){ .kind = kinds[i].kind, .count = UPDATES_MAX };
            return !strstr(file, ".error.");
        }
    return false;
}

/* Slots of an update, read by the decoder. */
static bool read_slots(chain_t *c, object_t *o)
{
    static lc_update_t u;
    if (o->kind == LC_BOOTSTRAP)
        return true;
    if (lc_update_decode(&u, &c->net, o->fork, o->kind, o->ssz))
        return false;
    o->signature_slot = u.signature_slot;
    o->attested_slot = u.attested_header.beacon.slot;
    o->finalized_slot = u.finalized_header.beacon.slot;
    return true;
}

/* Decodes one recorded answer to objects. */
static void load(chain_t *c, const json_t *row)
{
    lc_want_t want;
    bn_object_t got[UPDATES_MAX];
    size_t n = 0;
    char name[256];
    err_t e = { .rc = RC_OK };
    const char *file = vec_str(row, "file");
    if (!file || !kind_of(&want, file))
        return;
    snprintf(name, sizeof name, "%s/%s", c->chain, file);
    view_t body = vec_read(c->v, &c->a, "devnet/%s", name);
    if (bn_decode(got, &n, &e, &c->a, &c->net, &want, vec_str(row, "content_type"), vec_str(row, "consensus_version"),
                  body)) {
        vec_fail(c->v, name, "%s: %s", e.field, e.text);
        return;
    }
    for (size_t i = 0; i < n && c->count < OBJECTS_MAX; i++) {
        object_t o = { .file = arena_strdup(&c->a, view_str(name)),
                       .kind = want.kind,
                       .fork = got[i].fork,
                       .ssz = got[i].ssz,
                       .json = strstr(file, ".json") != NULL };
        if (read_slots(c, &o))
            c->objects[c->count++] = o;
        else
            vec_fail(c->v, name, "object %zu does not decode", i);
    }
}

static int by_signature(const void *a, const void *b)
{
    const object_t *x = a, *y = b;
    if (x->signature_slot != y->signature_slot)
        return x->signature_slot < y->signature_slot ? -1 : 1;
    return x->kind < y->kind ? -1 : x->kind > y->kind;
}

/* During the slot in which the block with the signatures came. */
static uint64_t time_of(const chain_t *c, uint64_t slot)
{
    return lc_slot_start_ms(&c->net, slot) + c->net.seconds_per_slot * 500;
}

static hash32_t root_of(const object_t *bootstrap)
{
    hash32_t root = { { 0 } };
    const char *hex = strstr(bootstrap->file, "/0x");
    char text[67];
    snprintf(text, sizeof text, "%s", hex ? hex + 1 : "");
    vec_hex_fixed(root.b, 32, text);
    return root;
}

/* A machine that has taken the bootstrap at the time of its own header. */
static lc_sync_t *machine(chain_t *c, const object_t *bootstrap)
{
    unsigned moved;
    err_t e = { 0 };
    uint64_t slot = c->objects[c->count - 1].signature_slot;
    lc_sync_config_t config = { .network = &c->net,
                                .checkpoint = root_of(bootstrap),
                                .checkpoint_age_max_s = UINT64_MAX };
    lc_sync_t *s = lc_sync_new(&config);
    if (s && !lc_sync_input(s, &moved, &e, LC_BOOTSTRAP, bootstrap->fork, bootstrap->ssz, time_of(c, slot)))
        return s;
    vec_fail(c->v, bootstrap->file, "%s", e.text);
    lc_sync_free(s);
    return NULL;
}

/* The newest slots among the objects of a form that were fed. */
static void newest(const chain_t *c, bool json, bool all, uint64_t *attested, uint64_t *finalized)
{
    *attested = *finalized = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->objects[i].json != json || (c->objects[i].kind == LC_OPTIMISTIC && !all))
            continue;
        if (c->objects[i].attested_slot > *attested)
            *attested = c->objects[i].attested_slot;
        if (c->objects[i].finalized_slot > *finalized)
            *finalized = c->objects[i].finalized_slot;
    }
}

static void follow(chain_t *c, const object_t *bootstrap, bool all)
{
    lc_sync_t *s = machine(c, bootstrap);
    uint64_t attested, finalized;
    lc_head_t head;
    if (!s)
        return;
    vec_pass(c->v);
    for (size_t i = 0; i < c->count; i++) {
        const object_t *o = &c->objects[i];
        unsigned moved;
        err_t e = { 0 };
        if (o->kind == LC_BOOTSTRAP || o->json != bootstrap->json || (o->kind == LC_OPTIMISTIC && !all))
            continue;
        rc_t rc = lc_sync_input(s, &moved, &e, o->kind, o->fork, o->ssz, time_of(c, o->signature_slot));
        if (rc == RC_OK || rc == RC_REPLAY)
            vec_pass(c->v);
        else
            vec_fail(c->v, o->file, "after %s: %s", bootstrap->file, e.text);
    }
    newest(c, bootstrap->json, all, &attested, &finalized);
    lc_sync_latest(s, &head);
    if (!head.valid || head.header.beacon.slot != attested)
        vec_fail(c->v, bootstrap->file, "latest head at %lu, not %lu", head.header.beacon.slot, attested);
    lc_sync_finalized(s, &head);
    if (!head.valid || head.header.beacon.slot != finalized)
        vec_fail(c->v, bootstrap->file, "finalized head at %lu, not %lu", head.header.beacon.slot, finalized);
    lc_sync_free(s);
}

/* A machine that has seen all updates signed before a slot: what forged objects meet. */
static lc_sync_t *victim(chain_t *c, uint64_t before_slot)
{
    lc_sync_t *s = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const object_t *o = &c->objects[i];
        unsigned moved;
        err_t e = { 0 };
        static lc_bootstrap_t b;
        if (!s && o->kind == LC_BOOTSTRAP && !lc_bootstrap_decode(&b, &c->net, o->fork, o->ssz) &&
            lc_period_of_slot(&c->net, b.header.beacon.slot) == 0)
            s = machine(c, o);
        if (s && o->kind == LC_UPDATE && o->signature_slot < before_slot &&
            lc_sync_input(s, &moved, &e, o->kind, o->fork, o->ssz, time_of(c, o->signature_slot)) == RC_REFUSED)
            vec_fail(c->v, o->file, "%s", e.text);
    }
    return s;
}

static bool same_head(const lc_head_t *a, const lc_head_t *b)
{
    return a->valid == b->valid && hash32_eq(&a->beacon_root, &b->beacon_root) &&
           a->signature_slot == b->signature_slot;
}

/* NULL, or what is wrong with how the machine took it. */
static const char *judge(const char *kind, lc_sync_t *s, const bn_object_t *forged, uint64_t now_ms)
{
    static lc_store_t before;
    lc_head_t latest, finalized, latest_after, finalized_after;
    unsigned moved = 0;
    err_t e = { 0 };
    before = *lc_sync_store(s);
    lc_sync_latest(s, &latest);
    lc_sync_finalized(s, &finalized);
    rc_t rc = lc_sync_input(s, &moved, &e, LC_FINALITY, forged->fork, forged->ssz, now_ms);
    lc_sync_latest(s, &latest_after);
    lc_sync_finalized(s, &finalized_after);
    if (!strcmp(kind, "none"))
        return rc == RC_OK && (moved & LC_MOVED_HEAD) ? NULL : "the honest copy was not accepted";
    if (!same_head(&latest, &latest_after) || !same_head(&finalized, &finalized_after))
        return "a head moved";
    if (!strcmp(kind, "few_signers") || !strcmp(kind, "one_signer"))
        return rc == RC_OK && !moved ? NULL : "valid, but not taken as such";
    if (memcmp(&before, lc_sync_store(s), sizeof before))
        return "the store changed";
    return rc == RC_REFUSED || rc == RC_MALFORMED ? NULL : "not refused";
}

static void run_forged(chain_t *c, const char *kind)
{
    char name[256];
    err_t e = { .rc = RC_OK };
    bn_object_t forged, honest;
    object_t slots = { .kind = LC_FINALITY };
    size_t n;
    lc_want_t want = { .kind = LC_FINALITY, .count = 1 };
    snprintf(name, sizeof name, "%s/forged/%s.json", c->chain, kind);
    view_t none = vec_read(c->v, &c->a, "devnet/%s/forged/none.json", c->chain);
    view_t body = vec_read(c->v, &c->a, "devnet/%s", name);
    if (bn_decode(&honest, &n, &e, &c->a, &c->net, &want, "application/json", NULL, none) ||
        bn_decode(&forged, &n, &e, &c->a, &c->net, &want, "application/json", NULL, body)) {
        vec_fail(c->v, name, "%s: %s", e.field, e.text);
        return;
    }
    slots.fork = honest.fork;
    slots.ssz = honest.ssz;
    lc_sync_t *s = read_slots(c, &slots) ? victim(c, slots.attested_slot) : NULL;
    const char *fault = s ? judge(kind, s, &forged, time_of(c, slots.signature_slot)) : "no machine to try it on";
    if (fault)
        vec_fail(c->v, name, "%s", fault);
    else
        vec_pass(c->v);
    lc_sync_free(s);
}

static void run_chain(vec_t *v, const char *name)
{
    static chain_t chain;
    chain_t *c = &chain;
    memset(c, 0, sizeof *c);
    c->v = v;
    c->chain = name;
    arena_init(&c->a, (size_t)256 << 20);
    json_t *index = vec_json(v, "devnet/%s/index.json", name),
           *kinds = vec_json(v, "devnet/%s/forged/kinds.json", name);
    c->objects = arena_calloc(&c->a, OBJECTS_MAX, sizeof *c->objects);
    if (!c->objects || !vec_network(v, &c->net, name)) {
        vec_fail(v, name, "no network");
    } else {
        for (size_t i = 0; i < json_array_size(index); i++)
            load(c, json_array_get(index, i));
        qsort(c->objects, c->count, sizeof *c->objects, by_signature);
        bool done[2] = { false, false }; /* by form */
        for (size_t i = 0; i < c->count; i++)
            if (c->objects[i].kind == LC_BOOTSTRAP) {
                follow(c, &c->objects[i], v->slow || !done[c->objects[i].json]);
                done[c->objects[i].json] = true;
            }
        const char *kind;
        json_t *text;
        json_object_foreach (kinds, kind, text)
            run_forged(c, kind);
    }
    json_decref(index);
    json_decref(kinds);
    arena_free(&c->a);
}

void devnet_beacon(vec_t *v)
{
    arena_t a;
    arena_init(&a, (size_t)4 << 20);
    char **chains = vec_list(v, &a, "devnet");
    for (size_t i = 0; chains && chains[i]; i++)
        if (!strstr(chains[i], "."))
            run_chain(v, chains[i]);
    arena_free(&a);
}
