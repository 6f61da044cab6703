/* sync, devnet, memory, size: a whole node from its start to ready, over replayed mainnet data (Capella, six sync-committee periods) from a beacon API
 * on loopback; with resident memory and sequential round trips. References: Helios' npm package, 1.1 s on the same data, and 20 MiB
 * (performance-facts.md sections 6 and summary). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "base/os/log.h"
#include "http/server.h"
#include "node/node.h"
#include "tests/bench/bench.h"

#define SET "lightclient-mainnet/capella-862-868/"
#define CHECKPOINT "5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275"
#define FIRST_PERIOD 862u
#define PERIODS 6u
#define NOW_MS ((1606824023ull + 7109432ull * 12) * 1000) /* one slot after the newest object */
#define HELIOS_S 1.1
#define MEMORY_TARGET_MIB 20.0
#define ROUNDS 9
#define SYNC_TARGET_S 0.15
#define HELIOS_WASM_MIB (3.15e6 / 1048576.0)
static const uint8_t CAPELLA_DIGEST[4] = { 0xbb, 0xa4, 0xda, 0x96 };

static const char *vectors;

static double wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

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
static double once(const char *config, clock_fn now_ms, unsigned *round_trips, double *mib)
{
    node_options_t options = { .config_path = config, .tee = "simulator", .now_ms = now_ms };
    err_t e;
    node_t *node;
    double began = wall_s(), took = -1;
    if (node_start(&node, &e, &options)) {
        fprintf(stderr, "sync: %s\n", e.text);
        return -1;
    }
    while (took < 0 && wall_s() - began < 20) {
        if (node_is_ready(node))
            took = wall_s() - began;
        else
            usleep(200);
    }
    *round_trips = node_round_trips(node);
    *mib = resident_mib();
    node_stop(node);
    return took;
}

/* The node's configuration file, and the beacon API that it names. */
static hs_t *serve(char config[32])
{
    static char paths[4][160];
    static hs_route_t routes[] = { { "GET", paths[0], bootstrap, 0 },
                                   { "GET", paths[1], updates, 0 },
                                   { "GET", paths[2], finality, 0 },
                                   { "GET", paths[3], optimistic, 0 } };
    static const char *const ends[] = { ("bootstrap/0x" CHECKPOINT), "updates", "finality_update",
                                        "optimistic_update" };
    hs_t *server = NULL;
    for (int i = 0; i < 4; i++)
        snprintf(paths[i], sizeof paths[i], "/eth/v1/beacon/light_client/%s", ends[i]);
    if (hs_start(&server, NULL, &(hs_config_t){ .address = "127.0.0.1", .routes = routes, .route_count = 4 }))
        return NULL;
    snprintf(config, 32, "/tmp/kettle-bench-XXXXXX");
    int fd = mkstemp(config);
    if (fd < 0)
        return server;
    dprintf(
        fd,
        "{\"peers\":[],\"port\":4001,\"execution_rpc\":\"http://127.0.0.1:1\",\"consensus_rpc\":\"http://127.0.0.1:%u\","
        "\"checkpoint\":\"0x" CHECKPOINT "\",\"checkpoint_age_max_s\":31536000}",
        hs_port(server));
    close(fd);
    return server;
}

/* Several starts: best and mean seconds, round trips and memory of the last. False when one failed. */
static bool starts(int count, double *best, double *mean, unsigned *round_trips, double *mib, const char *dir)
{
    char config[32] = "";
    size_t len;
    vectors = dir;
    uint8_t *probe = dir ? load(&len, "bootstrap-7069376.json") : NULL;
    if (!probe) {
        puts("skipped: needs " SET " of the vectors");
        return false;
    }
    free(probe);
    log_set_level(getenv("BENCH_LOG") ? LOG_DEBUG : LOG_ERROR);
    hs_t *server = secret_init() ? NULL : serve(config);
    bool ok = server != NULL;
    *best = 1e9;
    *mean = 0;
    for (int i = 0; ok && i < count; i++) {
        double s = once(config, clock_then, round_trips, mib);
        ok = s >= 0;
        *mean += s / count;
        if (s < *best)
            *best = s;
    }
    hs_stop(server, 1000);
    unlink(config);
    if (!ok)
        puts("the node did not become ready");
    return ok;
}

bool bench_sync(const char *dir)
{
    double best, mean, mib;
    unsigned round_trips;
    if (!starts(ROUNDS, &best, &mean, &round_trips, &mib, dir))
        return false;
    printf(
        "  start to ready over %u periods: best %.1f ms, mean %.1f ms of %d starts; %u sequential round trips (target 3)\n",
        PERIODS, best * 1e3, mean * 1e3, ROUNDS, round_trips);
    return bench_result("sync", best, "s", HELIOS_S, "helios-npm-1.1s");
}

bool bench_devnet(const char *dir)
{
    const char *setup = getenv("DEVNET_SETUP");
    double best = 1e9, mib;
    unsigned round_trips = 0;
    (void)dir;
    if (!setup) {
        puts("skipped: DEVNET_SETUP must name a file with the setup of a running chain (tests/e2e/run live makes one)");
        return false;
    }
    log_set_level(getenv("BENCH_LOG") ? LOG_DEBUG : LOG_ERROR);
    if (secret_init())
        return false;
    for (int i = 0; i < ROUNDS; i++) {
        double s = once(setup, NULL, &round_trips, &mib);
        if (s < 0)
            return false;
        if (s < best)
            best = s;
    }
    printf(
        "  start to ready against the running chain: best %.1f ms of %d starts; %u sequential round trips (target 3)\n",
        best * 1e3, ROUNDS, round_trips);
    return bench_result("devnet", best, "s", SYNC_TARGET_S, "target-0.15s");
}

bool bench_memory(const char *dir)
{
    double best, mean, mib;
    unsigned round_trips;
    if (!starts(1, &best, &mean, &round_trips, &mib, dir))
        return false;
    puts("  resident memory of this process once its node is synced, the replaying beacon API included");
    return bench_result("memory", mib, "MiB", MEMORY_TARGET_MIB, "target-20MiB");
}

bool bench_size(const char *dir)
{
    char path[1024], command[2200], stripped[] = "/tmp/kettle-size-XXXXXX";
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
    int fd = mkstemp(stripped);
    struct stat st = { 0 };
    (void)dir;
    if (n <= 0 || fd < 0)
        return false;
    path[n] = '\0';
    snprintf(strrchr(path, '/'), 8, "/kettle");
    snprintf(command, sizeof command, "strip -o '%s' '%s'", stripped, path);
    bool ok = system(command) == 0 && fstat(fd, &st) == 0 && stat(stripped, &st) == 0;
    close(fd);
    unlink(stripped);
    puts(
        "  stripped program of this build folder (build-release/bench measures the release build), shared libraries not counted");
    return ok && bench_result("size", (double)st.st_size / 1048576.0, "MiB", HELIOS_WASM_MIB, "helios-wasm-3.15MB");
}
