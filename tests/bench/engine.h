/* engine.h - what answers POST /call, behind an HTTP server of its own, for benches: cache, upstream, engine, signer. */
#ifndef TESTS_BENCH_ENGINE_H
#define TESTS_BENCH_ENGINE_H

#include "base/crypto/keyring.h"
#include "node/query/calls.h"

typedef struct {
    calls_t *calls;
    uint16_t port;
    /* the rest is engine.c's */
    hs_t *server;
    jobs_t *jobs;
    ask_t *ask;
    pool_t *pool;
    hc_t *http;
    up_t *upstream;
    ex_cache_t *cache;
    keyring_t *keyring;
} bench_engine_t;

/* Starts all of it on the chain of benches, Prague from its first block on; routes see no ctx. False: it did not start,
 * and is to be stopped all the same. */
bool bench_engine_start(bench_engine_t *g, const char *url, const hs_route_t *routes, size_t route_count);
void bench_engine_stop(bench_engine_t *g);

#endif
