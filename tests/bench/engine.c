#include "tests/bench/engine.h"

#include <pthread.h>

#include "base/crypto/secret.h"
#include "base/os/clock.h"
#include "base/os/log.h"

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

static rc_t sign(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest)
{
    return keyring_sign(ctx, out, NULL, digest);
}

static void lock_it(void *ctx)
{
    pthread_mutex_lock(ctx);
}

static void unlock_it(void *ctx)
{
    pthread_mutex_unlock(ctx);
}

bool bench_engine_start(bench_engine_t *g, const char *url, const hs_route_t *routes, size_t route_count)
{
    static const evm_schedule_row_t prague = { 0, { EVM_PRAGUE, 6, 9, 5007716, NULL } };
    static const evm_chain_t chain = { 1, &prague, 1 };
    static const uint8_t blind[32] = { 2 };
    uint8_t secret[32] = { 1 };
    static const ex_cache_config_t cache = {
        .bytes_max = (size_t)64 << 20, .lock_ctx = &cache_lock, .lock = lock_it, .unlock = unlock_it, .seed = { 1, 2 }
    };
    *g = (bench_engine_t){ .http = NULL };
    log_set_level(LOG_ERROR);
    if (secret_init())
        return false;
    g->http = hc_new(NULL);
    g->upstream = up_new((const char *const[]){ url }, 1);
    g->cache = ex_cache_new(&cache);
    if (pool_new(&g->pool, NULL, 0) || keyring_new(&g->keyring, secret, blind) ||
        ask_new(
            &g->ask, NULL,
            &(ask_config_t){ .http = g->http, .upstream = g->upstream, .pool = g->pool, .now_ms = clock_system_ms }))
        return false;
    g->jobs = jobs_new(&(jobs_config_t){ .ask = g->ask, .pool = g->pool, .flags = HS_CORS });
    g->calls = g->jobs ? calls_new(&(calls_config_t){
                             .jobs = g->jobs, .chain = &chain, .cache = g->cache, .signer = { g->keyring, sign } })
                       : NULL;
    if (!g->calls || hs_start(&g->server, NULL,
                              &(hs_config_t){ .address = "127.0.0.1", .routes = routes, .route_count = route_count }))
        return false;
    g->port = hs_port(g->server);
    return true;
}

void bench_engine_stop(bench_engine_t *g)
{
    if (g->ask)
        ask_cancel(g->ask);
    hs_stop(g->server, 1000);
    jobs_free(g->jobs);
    calls_free(g->calls);
    ask_free(g->ask);
    hc_free(g->http);
    up_free(g->upstream);
    ex_cache_free(g->cache);
    pool_free(g->pool);
    keyring_free(g->keyring);
}
