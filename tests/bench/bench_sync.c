/* sync: a whole node from its start to ready, over replayed mainnet data (Capella, six sync-committee periods) from a beacon API
 * on loopback; with resident memory and sequential round trips. References: Helios' npm package, 1.1 s on the same data, and 20 MiB
 * (performance-facts.md sections 6 and summary). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "node/log.h"
#include "node/node.h"
#include "rpc/http/server.h"
#include "tests/bench/bench.h"

#define SET "lightclient-mainnet/capella-862-868/"
#define CHECKPOINT "5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275"
#define FIRST_PERIOD 862u
#define PERIODS 6u
#define NOW_MS ((1606824023ull + 7109432ull * 12) * 1000) /* one slot after the newest object */
#define HELIOS_S 1.1
#define MEMORY_TARGET_MIB 20.0
#define ROUNDS 9
static const uint8_t CAPELLA_DIGEST[4] = { 0xbb, 0xa4, 0xda, 0x96 };

static const char *vectors;

static uint64_t clock_then(void)
{
    return NOW_MS;
}

static uint8_t *load(size_t *len, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/" SET "%s", vectors, name);
    FILE *f = fopen(path, "rb");
    uint8_t *p = f ? malloc(65536) : NULL;
    *len = p ? fread(p, 1, 65536, f) : 0;
    if (f)
        fclose(f);
    return p;
}

static void serve_json(hs_response_t *r, const char *name)
{
    r->body = load(&r->body_len, name);
    r->status = r->body ? 200 : 404;
}

static void bootstrap(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    serve_json(r, "bootstrap-7069376.json");
}

static void finality(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    serve_json(r, "finality_update-7109430.json");
}

static void optimistic(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    serve_json(r, "optimistic_update-7109431.json");
}

/* The range as SSZ: 8 bytes of length, 4 of fork digest, object, repeated. */
static void updates(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    r->body = malloc(PERIODS * 65536);
    r->content_type = "application/octet-stream";
    r->status = r->body ? 200 : 500;
    for (unsigned i = 0; r->body && i < PERIODS; i++) {
        char name[32];
        size_t n;
        snprintf(name, sizeof name, "update-%u.ssz", FIRST_PERIOD + i);
        uint8_t *object = load(&n, name);
        store_u64le(r->body + r->body_len, n + 4);
        memcpy(r->body + r->body_len + 8, CAPELLA_DIGEST, 4);
        if (object)
            memcpy(r->body + r->body_len + 12, object, n);
        r->body_len += 12 + n;
        free(object);
    }
}

static double resident_mib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

/* One start; seconds to ready, or a negative number. */
static double once(const char *config, unsigned *round_trips, double *mib)
{
    node_options_t options = { .config_path = config, .tee = "simulator", .now_ms = clock_then };
    char why[256];
    node_t *node;
    double began = bench_wall_s(), took = -1;
    if (node_start(&node, why, sizeof why, &options)) {
        fprintf(stderr, "sync: %s\n", why);
        return -1;
    }
    while (took < 0 && bench_wall_s() - began < 20) {
        if (node_is_ready(node))
            took = bench_wall_s() - began;
        else
            usleep(200);
    }
    *round_trips = node_round_trips(node);
    *mib = resident_mib();
    node_stop(node);
    return took;
}

int bench_sync(const char *vectors_dir)
{
    static const char base[] = "/eth/v1/beacon/light_client/";
    char paths[4][160], config[] = "/tmp/kettle-bench-XXXXXX", why[200];
    vectors = vectors_dir;
    snprintf(paths[0], sizeof paths[0], "%sbootstrap/0x" CHECKPOINT, base);
    snprintf(paths[1], sizeof paths[1], "%supdates", base);
    snprintf(paths[2], sizeof paths[2], "%sfinality_update", base);
    snprintf(paths[3], sizeof paths[3], "%soptimistic_update", base);
    const hs_route_t routes[] = { { "GET", paths[0], bootstrap, 0 }, { "GET", paths[1], updates, 0 }, { "GET", paths[2], finality, 0 },
                                  { "GET", paths[3], optimistic, 0 } };
    hs_t *server = NULL;
    int fd = mkstemp(config);
    log_set_level(LOG_ERROR);
    if (secret_init() || fd < 0 || hs_start(&server, why, sizeof why, &(hs_config_t){ .address = "127.0.0.1", .routes = routes, .route_count = 4 }))
        return 1;
    dprintf(fd,
            "{\"peers\":[],\"port\":4001,\"execution_rpc\":\"http://127.0.0.1:1\",\"consensus_rpc\":\"http://127.0.0.1:%u\",\"checkpoint\":\"0x" CHECKPOINT
            "\",\"checkpoint_age_max_s\":31536000}",
            hs_port(server));
    close(fd);
    double best = 1e9, sum = 0, mib = 0;
    unsigned round_trips = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double s = once(config, &round_trips, &mib);
        if (s < 0) {
            fprintf(stderr, "sync: the node did not become ready\n");
            return 1;
        }
        sum += s;
        if (s < best)
            best = s;
    }
    hs_stop(server, 1000);
    unlink(config);
    printf("start to ready, %u periods: best %.1f ms, mean %.1f ms over %d starts; sequential round trips %u (target 3)\n", PERIODS, best * 1e3,
           sum / ROUNDS * 1e3, ROUNDS, round_trips);
    printf("memory %.1f MiB %.2f target-20-MiB\n", mib, mib / MEMORY_TARGET_MIB);
    printf("sync %.4f s %.3f helios-npm-1.1s\n", best, best / HELIOS_S);
    return 0;
}
