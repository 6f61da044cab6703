/* Beacon API answers. The first byte says what was asked and how it is answered; the rest is the body. What is
 * accepted fits its maxima, JSON gives objects that consensus/ decodes and that the SSZ form of the same answer gives
 * too; what is refused says why. What is written as JSON again is read as the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "rpc/upstream/beacon.h"
#include "tests/fuzz/fuzz.h"

static const char JSON[] = "application/json", SSZ[] = "application/octet-stream";

/* Every fork is in force at some epoch of the minimal preset. */
static lc_network_t network(void)
{
    lc_network_t net = { .name = "fuzz", .preset = LC_PRESET_MINIMAL, .seconds_per_slot = 6, .chain_id = 1 };
    for (unsigned f = 0; f < LC_FORKS; f++) {
        net.fork_version[f][0] = (uint8_t)(f + 1);
        net.fork_epoch[f] = f;
    }
    return net;
}

static void check_object(const lc_network_t *net, const lc_want_t *want, const bn_object_t *o, arena_t *a)
{
    lc_bootstrap_t *bootstrap = arena_alloc(a, sizeof *bootstrap);
    lc_update_t *update = arena_alloc(a, sizeof *update);
    bn_object_t again;
    size_t count;
    if (!bootstrap || !update || o->ssz.n > LC_OBJECT_LEN_MAX || o->fork >= LC_FORKS)
        abort();
    if (want->kind == LC_BOOTSTRAP && lc_bootstrap_decode(bootstrap, net, o->fork, o->ssz))
        abort();
    if (want->kind == LC_OPTIMISTIC && lc_update_decode(update, net, o->fork, want->kind, o->ssz))
        abort();
    if (want->kind != LC_UPDATE && (bn_decode(&again, &count, NULL, a, net, want, SSZ, lc_fork_name(o->fork), o->ssz) ||
                                    again.fork != o->fork || !view_eq(again.ssz, o->ssz)))
        abort();
}

/* Whatever is written is read again as the same object. False: it was not written. */
static bool check_written(const lc_network_t *net, const lc_want_t *want, const bn_object_t *o, arena_t *a)
{
    bn_object_t again[3];
    size_t count = 0;
    err_t e;
    jw_t w = jw_of(NULL, 1 << 20);
    if (want->kind == LC_UPDATE)
        jw_array(&w, NULL);
    jw_object(&w, NULL);
    jw_str(&w, "version", lc_fork_name(o->fork));
    const bool written = bn_write(&w, "data", net, want->kind, o) == RC_OK;
    jw_end(&w);
    if (want->kind == LC_UPDATE)
        jw_end(&w);
    if (written && (bn_decode(again, &count, &e, a, net, want, JSON, NULL, jw_done(&w)) || count != 1 ||
                    again[0].fork != o->fork || !view_eq(again[0].ssz, o->ssz)))
        abort();
    jw_free(&w);
    return written;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    static const lc_kind_t kinds[] = { LC_BOOTSTRAP, LC_UPDATE, LC_FINALITY, LC_OPTIMISTIC };
    const lc_want_t want = { .kind = kinds[data[0] & 3], .count = 3 };
    bool json = !(data[0] & 4);
    const char *version = data[0] & 8 ? lc_fork_name((lc_fork_t)(data[0] >> 5) % LC_FORKS) : NULL;
    lc_network_t net = network();
    bn_object_t objects[3] = { { 0 } };
    size_t count = 99;
    err_t e = { .rc = RC_OK };
    arena_t a;
    arena_init(&a, 8 << 20);
    rc_t rc = bn_decode(objects, &count, &e, &a, &net, &want, json ? JSON : SSZ, version, view_of(data + 1, len - 1));
    if (rc == RC_OK ? count > (want.kind == LC_UPDATE ? 3 : 1) : (count != 99 || e.rc != rc || !*e.text))
        abort();
    for (size_t i = 0; rc == RC_OK && json && i < count; i++)
        check_object(&net, &want, &objects[i], &a);
    for (size_t i = 0; rc == RC_OK && i < count; i++)
        if (!check_written(&net, &want, &objects[i], &a) && json)
            abort();
    arena_free(&a);
    return 0;
}
