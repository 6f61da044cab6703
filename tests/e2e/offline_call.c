/* offline_call URL VECTORS BLOCK: runs every call of VECTORS/mainnet-calls/BLOCK/calls.json through the node's own upstream code
 * (node/query/ask.h) against an execution RPC that serves the recorded state, first with an empty cache and then again. One JSON
 * line per call: {"id", "ok", "rounds", "again", "why"}; rounds are JSON-RPC batches sent one after the other. The end-to-end
 * test "offline" serves the state and counts the requests on its side. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/log.h"
#include "lightclient/exec/call.h"
#include "node/query/flight.h"
#include "rpc/api/callobject.h"
#include "tests/ask_wait.h"

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static bool bytes_of(void *out, size_t n, const json_t *o, const char *key)
{
    const char *s = text_of(o, key);
    return hex_decode_exact(out, n, s, strlen(s)) == RC_OK;
}

static uint64_t number_of(const json_t *o, const char *key)
{
    return strtoull(text_of(o, key), NULL, 16);
}

static bool block_of(ex_block_t *b, const json_t *calls)
{
    const json_t *h = json_object_get(calls, "env_header");
    memset(b, 0, sizeof *b);
    b->env.number = number_of(h, "number");
    b->env.timestamp = number_of(h, "timestamp");
    b->env.gas_limit = number_of(h, "gasLimit");
    b->env.excess_blob_gas = number_of(h, "excessBlobGas");
    b->env.base_fee = u256_of(number_of(h, "baseFeePerGas"));
    b->env.chain_id = 1;
    return bytes_of(b->block_hash.b, 32, h, "hash") && bytes_of(b->parent_hash.b, 32, h, "parentHash") &&
           bytes_of(b->env.coinbase.b, 20, h, "miner") && bytes_of(b->env.prev_randao.b, 32, h, "mixHash") &&
           bytes_of(b->state_root.b, 32, calls, "state_root");
}

/* The recording answers BASEFEE with the header's base fee, eth_call without a gas price with zero. */
static bool looks_at_base_fee(const json_t *call)
{
    size_t i;
    json_t *op;
    json_array_foreach (json_object_get(call, "ops"), i, op)
        if (!strcmp(json_string_value(op), "BASEFEE"))
            return true;
    return false;
}

static const char *difference(const evm_result_t *r, const json_t *expected)
{
    static const char *const status[] = { "success", "revert", "halt" };
    if (strcmp(status[r->status], text_of(expected, "status")))
        return "status differs";
    const char *want = text_of(expected, "output");
    char *got = malloc(2 * r->output.n + 3);
    if (!got)
        return "out of memory";
    memcpy(got, "0x", 2);
    hex_encode(got + 2, r->output);
    bool same = r->status == EVM_HALT || !strcmp(got, want);
    free(got);
    return same ? NULL : "output differs";
}

static const char *run(unsigned *rounds, char *why, size_t cap, ask_t *engine, ex_cache_t *cache,
                       const ex_block_t *block, const json_t *call)
{
    char *text = json_dumps(json_object_get(call, "call"), 0);
    arena_t a;
    ex_request_t request;
    query_t *query, *done = NULL;
    const char *bad = NULL;
    err_t e = { .rc = RC_OK };
    arena_init(&a, 16u << 20);
    rc_t rc = text ? api_parse_call(&request, &e, &a, view_str(text)) : RC_NOMEM;
    if (!rc)
        rc = ex_call_new(&query, &e,
                         &(ex_call_config_t){ .chain = &EVM_MAINNET,
                                              .cache = cache,
                                              .block = block,
                                              .request = &request,
                                              .use_hint = true,
                                              .proof_slots_max = BATCH_SLOTS_MAX });
    if (!rc)
        rc = ask_wait(&done, &e, engine, query);
    snprintf(why, cap, "%s", e.text);
    if (rc)
        bad = why;
    else {
        bad = looks_at_base_fee(call) ? NULL : difference(ex_call_result(done), json_object_get(call, "expected"));
        *rounds = ex_call_rounds(done);
        query_free(done);
    }
    arena_free(&a);
    free(text);
    return bad;
}

int main(int argc, char **argv)
{
    char path[4096];
    ex_block_t block;
    if (argc != 4) {
        fputs("usage: offline_call URL VECTORS BLOCK\n", stderr);
        return 2;
    }
    snprintf(path, sizeof path, "%s/mainnet-calls/%s/calls.json", argv[2], argv[3]);
    json_t *calls = json_load_file(path, 0, NULL), *call;
    if (secret_init() || !calls || !block_of(&block, calls)) {
        fprintf(stderr, "offline_call: %s does not load\n", path);
        return 1;
    }
    log_set_level(LOG_ERROR);
    pool_t *pool = NULL;
    ask_t *engine = NULL;
    ask_config_t config = { .http = hc_new(NULL),
                            .upstream = up_new((const char *const[]){ argv[1] }, 1),
                            .now_ms = clock_system_ms };
    if (!config.http || !config.upstream || pool_new(&pool, NULL, 0))
        return 1;
    config.pool = pool;
    if (ask_new(&engine, NULL, &config))
        return 1;
    size_t i;
    json_array_foreach (json_object_get(calls, "calls"), i, call) {
        unsigned rounds = 0, again = 0;
        char why[512] = "";
        ex_cache_t *cache = ex_cache_new(&(ex_cache_config_t){ .bytes_max = 64u << 20, .seed = { 1, 2 } });
        const char *bad = run(&rounds, why, sizeof why, engine, cache, &block, call);
        if (!bad)
            bad = run(&again, why, sizeof why, engine, cache, &block, call);
        json_t *line = json_pack("{s:I, s:b, s:i, s:i, s:s}", "id", (json_int_t)i, "ok", bad == NULL, "rounds",
                                 (int)rounds, "again", (int)again, "why", bad ? bad : "");
        json_dumpf(line, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(line);
        ex_cache_free(cache);
    }
    json_decref(calls);
    ask_free(engine);
    up_free(config.upstream);
    hc_free(config.http);
    pool_free(pool);
    return 0;
}
