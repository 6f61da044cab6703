/* beacon-json: every recorded beacon API answer decodes; where JSON and SSZ of the same object were recorded, both
 * give the same fork and bytes; and consensus/ takes those bytes. Folders lightclient-mainnet and devnet. */
#include <stdlib.h>
#include <string.h>

#include "rpc/upstream/beacon.h"
#include "tests/vectors/net.h"
#include "tests/vectors/vec.h"

static const char JSON[] = "application/json; charset=utf-8", SSZ[] = "application/octet-stream";

typedef struct {
    bn_object_t objects[LC_UPDATES_PER_REQUEST_MAX];
    size_t count;
    char why[320];
} answer_t;

static rc_t decode(answer_t *out, arena_t *a, const lc_network_t *net, lc_kind_t kind, const char *type,
                   const char *version, view_t body)
{
    const lc_want_t want = { .kind = kind, .count = LC_UPDATES_PER_REQUEST_MAX };
    memset(out, 0, sizeof *out);
    err_t e = { .rc = RC_OK };
    rc_t rc = bn_decode(out->objects, &out->count, &e, a, net, &want, type, version, body);
    snprintf(out->why, sizeof out->why, "%s: %s", e.field, e.text);
    return rc;
}

static bool consensus_takes(const lc_network_t *net, lc_kind_t kind, const bn_object_t *o)
{
    static lc_bootstrap_t bootstrap;
    static lc_update_t update;
    return kind == LC_BOOTSTRAP ? lc_bootstrap_decode(&bootstrap, net, o->fork, o->ssz) == RC_OK
                                : lc_update_decode(&update, net, o->fork, kind, o->ssz) == RC_OK;
}

static void compare(vec_t *v, const char *path, const lc_network_t *net, lc_kind_t kind, const answer_t *x,
                    const answer_t *y)
{
    bool ok = x->count == y->count;
    for (size_t i = 0; ok && i < x->count; i++)
        ok = x->objects[i].fork == y->objects[i].fork && view_eq(x->objects[i].ssz, y->objects[i].ssz) &&
             consensus_takes(net, kind, &x->objects[i]);
    if (ok)
        vec_pass(v);
    else
        vec_fail(v, path, "JSON and SSZ differ, or are not taken");
}

static lc_kind_t kind_of(const char *name)
{
    return strstr(name, "bootstrap")    ? LC_BOOTSTRAP
           : strstr(name, "finality")   ? LC_FINALITY
           : strstr(name, "optimistic") ? LC_OPTIMISTIC
                                        : LC_UPDATE;
}

static char *other_suffix(arena_t *a, const char *path)
{
    char *ssz = arena_strdup(a, view_str(path));
    if (ssz)
        memcpy(ssz + strlen(ssz) - 4, "ssz", 4);
    return ssz;
}

/* ---- devnet: bodies as they came over HTTP ---- */

static void devnet_answer(vec_t *v, arena_t *a, const lc_network_t *net, const char *path)
{
    answer_t *json = arena_calloc(a, 2, sizeof *json), *ssz = json + 1;
    const char *folder = strstr(path, "/beacon/"), *other = other_suffix(a, path);
    lc_kind_t kind = kind_of(folder);
    view_t json_body = vec_read(v, a, "%s", path), ssz_body = vec_read(v, a, "%s", other);
    if (decode(json, a, net, kind, JSON, NULL, json_body)) {
        vec_fail(v, path, "%s", json->why);
        return;
    }
    if (!ssz_body.p) { /* only JSON was recorded */
        compare(v, path, net, kind, json, json);
        return;
    }
    const char *version = kind == LC_UPDATE ? NULL : lc_fork_name(json->objects[0].fork);
    if (decode(ssz, a, net, kind, SSZ, version, ssz_body))
        vec_fail(v, other, "%s", ssz->why);
    else
        compare(v, path, net, kind, json, ssz);
}

static void devnets(vec_t *v, arena_t *a)
{
    char **chains = vec_list(v, a, "devnet");
    for (; chains && *chains; chains++) {
        static const char *const folders[] = { "bootstrap", "updates", "finality", "optimistic" };
        lc_network_t net;
        if (!vec_network(v, &net, *chains)) {
            vec_fail(v, *chains, "no network in meta.json");
            continue;
        }
        for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
            char folder[256];
            arena_mark_t m = arena_mark(a);
            snprintf(folder, sizeof folder, "devnet/%s/beacon/%s", *chains, folders[i]);
            char **files = vec_walk(v, a, folder, ".json");
            for (; files && *files; files++) {
                arena_mark_t one = arena_mark(a);
                if (!strstr(*files, ".error.")) /* answers other than 200 never reach the decoder */
                    devnet_answer(v, a, &net, *files);
                arena_rollback(a, one);
            }
            arena_rollback(a, m);
        }
    }
}

/* ---- mainnet: one object to a file ---- */

static void mainnet_object(vec_t *v, arena_t *a, const lc_network_t *net, const char *path)
{
    answer_t *json = arena_calloc(a, 1, sizeof *json);
    lc_kind_t kind = kind_of(strrchr(path, '/'));
    view_t body = vec_read(v, a, "%s", path), ssz = vec_read(v, a, "%s", other_suffix(a, path));
    uint8_t *list = arena_alloc(a, body.n + 2);
    if (!list || !ssz.p) {
        vec_fail(v, path, "no SSZ form");
        return;
    }
    list[0] = '[';
    memcpy(list + 1, body.p, body.n);
    list[body.n + 1] = ']';
    if (decode(json, a, net, kind, JSON, NULL, kind == LC_UPDATE ? view_of(list, body.n + 2) : body))
        vec_fail(v, path, "%s", json->why);
    else if (json->count == 1 && view_eq(json->objects[0].ssz, ssz) && consensus_takes(net, kind, &json->objects[0]))
        vec_pass(v);
    else
        vec_fail(v, path, "JSON and SSZ differ, or are not taken");
}

/* The recorded answer with 46 updates in SSZ: each is the object of the file beside it. */
static void mainnet_framed(vec_t *v, arena_t *a, const lc_network_t *net)
{
    static const char folder[] = "lightclient-mainnet/deneb-1347-1392";
    answer_t *all = arena_calloc(a, 1, sizeof *all);
    view_t body = vec_read(v, a, "%s/api-updates-response.ssz", folder);
    if (!body.p)
        return;
    if (decode(all, a, net, LC_UPDATE, SSZ, NULL, body)) {
        vec_fail(v, "api-updates-response.ssz", "%s", all->why);
        return;
    }
    for (size_t i = 0; i < all->count; i++) {
        view_t file = vec_read(v, a, "%s/update-%zu.ssz", folder, 1347 + i);
        if (file.p && all->objects[i].fork == LC_DENEB && view_eq(file, all->objects[i].ssz))
            vec_pass(v);
        else
            vec_fail(v, "api-updates-response.ssz", "update %zu is not that of its file", i);
    }
}

void vec_kind_beacon_json(vec_t *v)
{
    arena_t a;
    const lc_network_t *mainnet = lc_network_find("mainnet");
    arena_init(&a, 256 << 20);
    char **files = vec_walk(v, &a, "lightclient-mainnet", ".json");
    for (; files && *files; files++) {
        arena_mark_t m = arena_mark(&a);
        const char *name = strrchr(*files, '/') + 1;
        if (!strncmp(name, "bootstrap-", 10) || strstr(name, "update-"))
            mainnet_object(v, &a, mainnet, *files);
        arena_rollback(&a, m);
    }
    mainnet_framed(v, &a, mainnet);
    devnets(v, &a);
    arena_free(&a);
}
