/* update: what it costs to verify one light-client update, SSZ in, head out, against the pure BLS floor measured in
 * the same run: signature decompressed and subgroup checked, message hashed, joint Miller loop, one final
 * exponentiation, for a known key. Made-up optimistic updates with all members and with 12 absent, whose keys are
 * decoded the first time only; with the vectors
 * also real period updates of mainnet, whose floor adds the root of the new committee (1,023 hashes of 64 bytes). The
 * last line is the case of all members. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "lightclient/bls/bls.h"
#include "lightclient/consensus/sync.h"
#include "tests/bench/bench.h"
#include "tests/bench/made.h"

#define ROUNDS 41u
#define ABSENT 12u
#define COMMITTEE_HASHES 1023u
#define REAL_SET "lightclient-mainnet/deneb-1347-1392"
#define REAL_CHECKPOINT_SLOT 11034656u
#define REAL_FIRST 1347u
#define REAL_UPDATES 46u

static const char DST[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/* ---- the floor ---- */

typedef struct {
    blst_p1_affine key;
    uint8_t msg[32], sig[BLS_SIG_LEN];
} floor_t;

static void floor_make(floor_t *f, const made_chain_t *c)
{
    blst_p1 pk;
    blst_p2 point;
    memset(f->msg, 0x5a, sizeof f->msg);
    blst_sk_to_pk_in_g1(&pk, &c->secrets[0]);
    blst_p1_to_affine(&f->key, &pk);
    blst_hash_to_g2(&point, f->msg, sizeof f->msg, (const uint8_t *)DST, sizeof DST - 1, NULL, 0);
    blst_sign_pk_in_g1(&point, &point, &c->secrets[0]);
    blst_p2_compress(f->sig, &point);
}

static bool floor_verify(const floor_t *f)
{
    blst_p2_affine sig, hash_affine;
    blst_p2 hash;
    blst_fp12 product;
    if (blst_p2_uncompress(&sig, f->sig) || !blst_p2_affine_in_g2(&sig))
        return false;
    blst_hash_to_g2(&hash, f->msg, sizeof f->msg, (const uint8_t *)DST, sizeof DST - 1, NULL, 0);
    blst_p2_to_affine(&hash_affine, &hash);
    const blst_p2_affine *const in_g2[] = { &sig, &hash_affine };
    const blst_p1_affine *const in_g1[] = { &BLS12_381_NEG_G1, &f->key };
    blst_miller_loop_n(&product, in_g2, in_g1, 2);
    blst_final_exp(&product, &product);
    return blst_fp12_is_one(&product);
}

static void floor_hashes(void)
{
    uint8_t node[64] = { 0 };
    for (unsigned i = 0; i < COMMITTEE_HASHES; i++) {
        hash32_t h;
        bls_sha256(&h, view_of(node, sizeof node));
        memcpy(node, h.b, sizeof h.b);
    }
}

/* ---- the machine ---- */

static lc_sync_t *machine(const made_chain_t *c, const made_object_t *bootstrap)
{
    const lc_sync_config_t config = { .network = &c->network, .checkpoint = c->checkpoint };
    lc_sync_t *s = lc_sync_new(&config);
    unsigned moved;
    err_t e = { .text = "out of memory" };
    if (s && lc_sync_input(s, &moved, &e, LC_BOOTSTRAP, LC_FULU, view_of(bootstrap->ssz, bootstrap->len),
                           made_now_ms(c, 0)) == RC_OK)
        return s;
    fprintf(stderr, "bench: bootstrap: %s\n", e.text);
    lc_sync_free(s);
    return NULL;
}

/* Feeds one made-up update, which must move the head. */
static bool feed(lc_sync_t *s, const made_chain_t *c, const made_object_t *o, uint64_t n)
{
    unsigned moved = 0;
    err_t e = { .text = "nothing moved" };
    if (lc_sync_input(s, &moved, &e, LC_OPTIMISTIC, LC_FULU, view_of(o->ssz, o->len), made_now_ms(c, n)) == RC_OK &&
        moved == LC_MOVED_HEAD)
        return true;
    fprintf(stderr, "bench: update %u: %s\n", (unsigned)n, e.text);
    return false;
}

/* ---- real updates ---- */

static view_t load(arena_t *a, const char *dir, const char *name, unsigned number)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/" REAL_SET "/%s-%u.ssz", dir, name, number);
    FILE *f = fopen(path, "rb");
    uint8_t *p = f ? arena_alloc(a, LC_OBJECT_LEN_MAX) : NULL;
    size_t n = p ? fread(p, 1, LC_OBJECT_LEN_MAX, f) : 0;
    if (f)
        fclose(f);
    return view_of(p, n);
}

/* A fresh machine takes 46 period updates of mainnet. False: the set is not there, or was not taken. */
static bool real_updates(bench_series_t *out, const char *dir)
{
    const lc_network_t *net = lc_network_find("mainnet");
    lc_bootstrap_t *b = malloc(sizeof *b);
    view_t updates[REAL_UPDATES];
    hash32_t checkpoint;
    arena_t a;
    arena_init(&a, 8 << 20);
    view_t bootstrap = load(&a, dir, "bootstrap", REAL_CHECKPOINT_SLOT);
    bool ok = b && bootstrap.n && lc_bootstrap_decode(b, net, LC_DENEB, bootstrap) == RC_OK;
    if (ok)
        lc_beacon_root(&checkpoint, &b->header.beacon);
    for (unsigned i = 0; i < REAL_UPDATES; i++)
        updates[i] = load(&a, dir, "update", REAL_FIRST + i);
    for (unsigned round = 0; ok && round < 5; round++) {
        const lc_sync_config_t config = { .network = net, .checkpoint = checkpoint, .checkpoint_age_max_s = 1u << 30 };
        lc_sync_t *s = lc_sync_new(&config);
        unsigned moved;
        err_t e = { 0 };
        uint64_t now_ms = lc_slot_start_ms(net, (uint64_t)(REAL_FIRST + REAL_UPDATES) * 8192);
        ok = s && lc_sync_input(s, &moved, &e, LC_BOOTSTRAP, LC_DENEB, bootstrap, now_ms) == RC_OK;
        uint64_t start = bench_cpu_ns();
        for (unsigned i = 0; ok && i < REAL_UPDATES; i++)
            ok = lc_sync_input(s, &moved, &e, LC_UPDATE, LC_DENEB, updates[i], now_ms) == RC_OK &&
                 moved & LC_MOVED_PERIOD;
        bench_round(out, start, REAL_UPDATES);
        if (!ok)
            fprintf(stderr, "bench: mainnet's updates: %s\n", e.text);
        lc_sync_free(s);
    }
    arena_free(&a);
    free(b);
    return ok;
}

bool bench_update(const char *dir)
{
    static made_chain_t chain;
    static made_object_t bootstrap, full_update, absent_update;
    static bench_series_t floor, hashes, full, absent, real;
    floor_t f;
    made_chain(&chain, &bootstrap);
    floor_make(&f, &chain);
    lc_sync_t *s = machine(&chain, &bootstrap);
    bool ok = s != NULL;
    for (unsigned r = 0; ok && r < ROUNDS; r++) {
        made_optimistic(&full_update, &chain, 2 * r + 1, 0);
        made_optimistic(&absent_update, &chain, 2 * r + 2, ABSENT);
        uint64_t start = bench_cpu_ns();
        ok = floor_verify(&f);
        bench_round(&floor, start, 1);
        start = bench_cpu_ns();
        ok = ok && feed(s, &chain, &full_update, 2 * r + 1);
        bench_round(&full, start, 1);
        start = bench_cpu_ns();
        ok = ok && feed(s, &chain, &absent_update, 2 * r + 2);
        bench_round(&absent, start, 1);
        start = bench_cpu_ns();
        floor_hashes();
        bench_round(&hashes, start, 1);
    }
    lc_sync_free(s);
    if (!ok)
        return false;
    double floor_ns = bench_best(&floor), hashes_ns = bench_best(&hashes);
    bench_line("floor: known key, joint Miller loop", &floor, 1e3, "us");
    bench_line("floor: 1,023 hashes of 64 bytes", &hashes, 1e3, "us");
    bench_line("optimistic update through the store, 512 of 512", &full, 1e3, "us");
    bench_line("optimistic update through the store, 500 of 512", &absent, 1e3, "us");
    printf("  500 of 512 against its floor: %.3f\n", bench_best(&absent) / floor_ns);
    if (dir && real_updates(&real, dir)) {
        bench_line("period update through the store, mainnet 1347 to 1392", &real, 1e3, "us");
        printf("  period update against its floor: %.3f\n", bench_best(&real) / (floor_ns + hashes_ns));
    } else {
        puts("  period updates of mainnet: skipped, no vectors");
    }
    return bench_result("update", bench_best(&full) / 1e3, "us", floor_ns / 1e3, "bls-floor");
}
