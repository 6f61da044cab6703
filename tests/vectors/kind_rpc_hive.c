/* rpc-hive: recorded exchanges of execution-apis over their chain. rpc-hive-derived: receipts, logs and fee histories of
 * the same chain, from @ethereumjs/vm. Both are served by POST /rpc from an upstream that has the chain. */
#include <string.h>

#include "tests/vectors/hive.h"
#include "tests/vectors/same.h"

#define LINE_PREFIX 3u /* ">> ", "<< " */

typedef struct {
    vec_t *v;
    hive_t *hive;
} run_t;

/* Where docs/rpc.md says that the answer is another than geth's. */
static bool is_listed(const char *name, const json_t *error)
{
    static const struct {
        const char *name, *message;
    } listed[] = {
        { "rpc-hive/eth_simulateV1/ethSimulate-empty-with-block-num-set-firstblock.io",
          "blocks before the merge cannot be simulated" },
        { "rpc-hive/debug_getRawBlock/get-block-n.io", "the block has uncles, which cannot be proven" },
    };
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++)
        if (!strcmp(name, listed[i].name))
            return error && !strcmp(vec_str(error, "message"), listed[i].message);
    return false;
}

static void judge(run_t *r, const char *name, const json_t *want, const json_t *got, bool only_there)
{
    char why[400];
    const json_t *a = json_object_get(want, "error"), *b = json_object_get(got, "error");
    if ((only_there && json_object_get(got, "result")) || is_listed(name, b))
        vec_pass(r->v);
    else if (a && b && json_equal(json_object_get(a, "code"), json_object_get(b, "code")) &&
             json_equal(json_object_get(a, "message"), json_object_get(b, "message")))
        vec_pass(r->v);
    else if (!a && b)
        vec_fail(r->v, name, "error %d: %s", (int)json_integer_value(json_object_get(b, "code")),
                 vec_str(b, "message"));
    else if (same_json(why, sizeof why, a ? want : json_object_get(want, "result"),
                       a ? got : json_object_get(got, "result"), NULL))
        vec_pass(r->v);
    else
        vec_fail(r->v, name, "%s", why);
}

static void exchange(run_t *r, const char *name, const char *request, const char *response, bool speconly)
{
    json_t *ask = json_loads(request, 0, NULL), *want = json_loads(response, 0, NULL);
    json_t *got = ask ? hive_serve(r->hive, ask) : NULL;
    judge(r, name, want, got, speconly);
    json_decref(ask);
    json_decref(want);
    json_decref(got);
}

static void run_file(run_t *r, arena_t *a, const char *name)
{
    const view_t file = vec_read(r->v, a, "%s", name);
    char *text = arena_strdup(a, file), *save = NULL;
    const char *request = NULL;
    bool speconly = false;
    for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
        if (!strncmp(line, "//", 2) && strstr(line, "speconly"))
            speconly = true;
        if (!strncmp(line, ">> ", LINE_PREFIX))
            request = line + LINE_PREFIX;
        else if (!strncmp(line, "<< ", LINE_PREFIX) && request)
            exchange(r, name, request, line + LINE_PREFIX, speconly);
    }
}

void vec_kind_rpc_hive(vec_t *v)
{
    run_t r = { v, hive_open(v) };
    arena_t a;
    if (!r.hive)
        return;
    arena_init(&a, 1u << 30);
    for (char **n = vec_walk(v, &a, "rpc-hive", ".io"); n && *n; n++)
        run_file(&r, &a, *n);
    arena_free(&a);
    hive_close(r.hive);
}

static void ask(run_t *r, const char *name, const char *method, json_t *params, json_t *result)
{
    json_t *request = json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id", 1, "method", method, "params", params);
    json_t *want = json_pack("{s:O}", "result", result), *got = hive_serve(r->hive, request);
    judge(r, name, want, got, false);
    json_decref(request);
    json_decref(want);
    json_decref(got);
}

void vec_kind_rpc_hive_derived(vec_t *v)
{
    static const char *const files[][2] = { { "get-logs.json", "eth_getLogs" },
                                            { "fee-history.json", "eth_feeHistory" } };
    run_t r = { v, hive_open(v) };
    if (!r.hive)
        return;
    json_t *tree = vec_json(v, "rpc-hive-derived/receipts.json");
    for (size_t i = 0; i < json_array_size(tree); i++) {
        json_t *x = json_array_get(tree, i);
        const char *hash = vec_str(x, "transactionHash");
        ask(&r, hash, "eth_getTransactionReceipt", json_pack("[s]", hash), x);
    }
    json_decref(tree);
    for (size_t f = 0; f < 2; f++) {
        tree = vec_json(v, "rpc-hive-derived/%s", files[f][0]);
        for (size_t i = 0; i < json_array_size(tree); i++) {
            json_t *x = json_array_get(tree, i), *params = json_object_get(x, "params");
            char name[64];
            snprintf(name, sizeof name, "%s %zu", files[f][0], i);
            ask(&r, name, files[f][1], json_incref(params), json_object_get(x, "result"));
        }
        json_decref(tree);
    }
    hive_close(r.hive);
}
