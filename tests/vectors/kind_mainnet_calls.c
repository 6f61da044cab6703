/* mainnet-calls: eth_call over real mainnet state. Every account's proof is verified; every call is run three times:
 * without hint, again on the cache that this left (no round), and without cache with a complete hint (two rounds). */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "lightclient/exec/call.h"
#include "lightclient/exec/learned.h"
#include "rpc/api/callobject.h"
#include "tests/vectors/upstream.h"

#define ROUNDS_SHOWN 24u
#define HINT_ROUNDS 2u

typedef struct {
    vec_t *v;
    json_t *calls, *accounts, *ancestors;
    json_t *by_address;     /* lower-case address: account */
    const ex_touch_t *hint; /* what eth_createAccessList answers */
    size_t hint_count;
    ex_block_t block;
} suite_t;

static size_t rounds_hint[ROUNDS_SHOWN], rounds_plain[ROUNDS_SHOWN];

/* An answer in the words of the request: keys as asked, values as recorded. NULL when a slot is not recorded. */
static json_t *proof_of(const json_t *account, const json_t *keys)
{
    static const char *const copied[] = { "address", "balance", "codeHash", "nonce", "storageHash", "accountProof" };
    json_t *out = json_object(), *slots = json_array(), *key, *recorded;
    size_t i, k;
    for (i = 0; i < sizeof copied / sizeof copied[0]; i++)
        json_object_set(out, copied[i], json_object_get(account, copied[i]));
    json_array_foreach (keys, i, key) {
        json_array_foreach (json_object_get(account, "storageProof"), k, recorded) {
            u256_t a, b;
            if (vec_number(&a, key) && vec_number(&b, json_object_get(recorded, "key")) && u256_eq(&a, &b)) {
                json_array_append(slots, recorded);
                break;
            }
        }
    }
    bool complete = json_array_size(slots) == json_array_size(keys);
    if (!complete && json_is_false(json_object_get(account, "exists"))) { /* an absent account's slots are all zero */
        json_array_clear(slots);
        json_array_foreach (keys, i, key)
            json_array_append_new(slots, json_pack("{s:O,s:s,s:[]}", "key", key, "value", "0x0", "proof"));
        complete = true;
    }
    json_object_set_new(out, "storageProof", slots);
    if (complete)
        return out;
    json_decref(out);
    return NULL;
}

/* An access list of touched keys. */
static json_t *access_list(const ex_touch_t *touched, size_t count)
{
    char text[67] = "0x";
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *keys = json_array();
        for (size_t k = 0; k < touched[i].slot_count; k++) {
            hex_encode(text + 2, view_of(touched[i].slots[k].b, 32));
            json_array_append_new(keys, json_string(text));
        }
        hex_encode(text + 2, view_of(touched[i].addr.b, 20));
        json_array_append_new(list, json_pack("{s:s,s:o}", "address", text, "storageKeys", keys));
    }
    return json_pack("{s:o,s:s}", "accessList", list, "gasUsed", "0x0");
}

static json_t *result_of(void *ctx, const char *method, const json_t *params)
{
    suite_t *s = ctx;
    const json_t *first = json_array_get(params, 0);
    size_t i;
    json_t *header;
    if (!strcmp(method, "eth_createAccessList"))
        return s->hint_count ? access_list(s->hint, s->hint_count) : NULL;
    if (!strcmp(method, "eth_getBlockByNumber")) {
        json_array_foreach (s->ancestors, i, header)
            if (vec_u64(vec_str(header, "number")) == vec_u64(json_string_value(first)))
                return json_incref(header);
        return NULL;
    }
    json_t *account = json_object_get(s->by_address, json_string_value(first));
    if (account && !strcmp(method, "eth_getProof"))
        return proof_of(account, json_array_get(params, 1));
    if (account && !strcmp(method, "eth_getCode") && json_is_false(json_object_get(account, "exists")))
        return json_string("0x");
    if (account && !strcmp(method, "eth_getCode") && !json_object_get(account, "code_not_recorded"))
        return json_incref(json_object_get(account, "code"));
    return NULL;
}

static bool logs_equal(const evm_result_t *r, const json_t *logs, arena_t *a)
{
    if (json_array_size(logs) != r->log_count)
        return false;
    for (size_t i = 0; i < r->log_count; i++) {
        const json_t *log = json_array_get(logs, i), *topics = json_object_get(log, "topics");
        addr_t addr;
        if (!vec_hex_fixed(addr.b, 20, vec_str(log, "address")) || !addr_eq(&addr, &r->logs[i].addr) ||
            json_array_size(topics) != r->logs[i].topic_count ||
            !view_eq(vec_hex(a, vec_str(log, "data")), r->logs[i].data))
            return false;
        for (size_t k = 0; k < r->logs[i].topic_count; k++) {
            hash32_t topic;
            if (!vec_hex_fixed(topic.b, 32, json_string_value(json_array_get(topics, k))) ||
                !hash32_eq(&topic, &r->logs[i].topics[k]))
                return false;
        }
    }
    return true;
}

/* NULL when the result is the expected one. */
static const char *difference(const evm_result_t *r, const json_t *expected, arena_t *a)
{
    static const char *const status[] = { "success", "revert", "halt" };
    static const struct {
        const char *prefix;
        evm_halt_t halt;
    } halts[] = { { "out of gas", EVM_HALT_OUT_OF_GAS },
                  { "invalid opcode", EVM_HALT_INVALID_OPCODE },
                  { "invalid JUMP", EVM_HALT_BAD_JUMP },
                  { "stack underflow", EVM_HALT_STACK },
                  { "stack overflow", EVM_HALT_STACK } };
    const char *reason = vec_str(expected, "halt_reason");
    if (strcmp(status[r->status], vec_str(expected, "status")))
        return "status";
    if (r->status != EVM_HALT && !view_eq(r->output, vec_hex(a, vec_str(expected, "output"))))
        return "output";
    if (r->gas_used != vec_u64(vec_str(expected, "gas_used")))
        return "gas used";
    for (size_t i = 0; r->status == EVM_HALT && reason && i < sizeof halts / sizeof halts[0]; i++)
        if (!strncmp(reason, halts[i].prefix, strlen(halts[i].prefix)) && r->halt != halts[i].halt)
            return "reason of the halt";
    return r->status != EVM_SUCCESS || logs_equal(r, json_object_get(expected, "logs"), a) ? NULL : "logs";
}

/* One run of the machine; NULL when all is well. *rc tells an outcome that is not a result. */
static const char *run(suite_t *s, const ex_call_config_t *config, const json_t *expected, arena_t *a, rc_t *rc,
                       unsigned *rounds, char *why, size_t why_cap)
{
    upstream_t up = { result_of, s, 0 };
    query_t *call;
    if (ex_call_new(&call, NULL, config))
        return "no memory";
    *rc = upstream_call(call, &up, why, why_cap);
    *rounds = ex_call_rounds(call);
    const char *bad = *rc ? why : difference(ex_call_result(call), expected, a);
    query_free(call);
    return bad;
}

/* The call three times: without hint on an empty cache, again on what that left, and anew with all keys that the first
 * run read as the hint. */
static const char *run_thrice(suite_t *s, ex_call_config_t *config, const json_t *expected, arena_t *a, rc_t *rc,
                              unsigned rounds[3], char *why, size_t why_cap)
{
    ex_cache_config_t cache_config = { .bytes_max = 64 << 20, .seed = { 3, 5 } };
    ex_touch_t *touched;
    bool same;
    s->hint_count = 0;
    config->cache = ex_cache_new(&cache_config);
    const char *bad = run(s, config, expected, a, rc, &rounds[0], why, why_cap);
    if (!bad)
        bad = run(s, config, expected, a, rc, &rounds[1], why, why_cap);
    s->hint_count = ex_learned_get(config->cache, &touched, &same, a, config->request);
    s->hint = touched;
    ex_cache_free(config->cache);
    config->cache = NULL;
    if (!bad && rounds[1] > 0)
        return "asked again in the same block";
    if (!bad)
        bad = run(s, config, expected, a, rc, &rounds[2], why, why_cap);
    return !bad && rounds[2] > HINT_ROUNDS ? "too many rounds with a complete hint" : bad;
}

static void run_call(suite_t *s, const char *name, const json_t *call, arena_t *a)
{
    ex_request_t request;
    ex_call_config_t config = { .chain = &EVM_MAINNET,
                                .block = &s->block,
                                .request = &request,
                                .gas_cap = UINT64_MAX,
                                .use_hint = true,
                                .keep_base_fee = true,
                                .proof_slots_max = 1 };
    unsigned rounds[3] = { 0 };
    char why[400] = "", *object = json_dumps(json_object_get(call, "call"), JSON_COMPACT);
    err_t e = { .rc = RC_OK };
    rc_t rc = api_parse_call(&request, &e, a, view_str(object));
    snprintf(why, sizeof why, "%s %s", e.field, e.text);
    free(object);
    const char *bad =
        rc ? why : run_thrice(s, &config, json_object_get(call, "expected"), a, &rc, rounds, why, sizeof why);
    if (bad)
        vec_fail(s->v, name, "%s (%s; rounds %u, %u, %u)", bad, rc_name(rc), rounds[0], rounds[1], rounds[2]);
    else {
        vec_pass(s->v);
        rounds_plain[rounds[0] < ROUNDS_SHOWN ? rounds[0] : ROUNDS_SHOWN - 1]++;
        rounds_hint[rounds[2] < ROUNDS_SHOWN ? rounds[2] : ROUNDS_SHOWN - 1]++;
    }
}

/* Every recorded account with all its slots, asked for by a call that names them in its access list hint. */
static void check_account(suite_t *s, const char *name, json_t *account, arena_t *a)
{
    ex_proof_answer_t answer;
    mpt_account_t proven;
    err_t e = { 0 };
    json_t *slots = json_object_get(account, "storageProof"), *slot;
    size_t i, n = json_array_size(slots);
    hash32_t *keys = arena_calloc(a, n, sizeof *keys);
    u256_t *values = arena_calloc(a, n, sizeof *values);
    addr_t addr;
    bool ok = vec_hex_fixed(addr.b, 20, vec_str(account, "address"));
    json_t *copy = proof_of(account, NULL);
    json_object_set(copy, "storageProof", slots);
    json_array_foreach (slots, i, slot)
        ok = ok && vec_hex_fixed(keys[i].b, 32, vec_str(slot, "key"));
    const char *field = upstream_proof(&answer, a, copy, n);
    json_decref(copy);
    rc_t rc = ok && !field ? ex_proof_verify(&proven, values, &e, &s->block.state_root, &addr, keys, n, &answer)
                           : RC_MALFORMED;
    if (rc)
        vec_fail(s->v, name, "%s: %s", rc_name(rc), field ? field : e.text);
    else if (proven.exists != json_is_true(json_object_get(account, "exists")))
        vec_fail(s->v, name, "existence");
    else if ((field = upstream_read(&s->block, &addr, keys, n, &answer, &proven, values)))
        vec_fail(s->v, name, "%s", field);
    else
        vec_pass(s->v);
}

static void run_block(vec_t *v, const char *folder)
{
    suite_t s = { .v = v };
    json_t *state = vec_json(v, "mainnet-calls/%s/state.json", folder), *entry;
    json_t *block = vec_json(v, "mainnet-calls/%s/block.json", folder);
    size_t i;
    char name[256];
    arena_t a;
    arena_init(&a, 512u << 20);
    s.calls = vec_json(v, "mainnet-calls/%s/calls.json", folder);
    s.ancestors = json_object_get(block, "ancestors");
    s.by_address = json_object();
    if (!state || !s.calls || !upstream_block(&s.block, json_object_get(s.calls, "env_header"), 1) ||
        !vec_hex_fixed(s.block.state_root.b, 32, vec_str(s.calls, "state_root")))
        vec_fail(v, folder, "does not load");
    json_array_foreach (json_object_get(state, "accounts"), i, entry) {
        json_object_set(s.by_address, vec_str(entry, "address"), entry);
        snprintf(name, sizeof name, "%s/%s", folder, vec_str(entry, "address"));
        check_account(&s, name, entry, &a);
        arena_free(&a);
    }
    json_array_foreach (json_object_get(s.calls, "calls"), i, entry) {
        snprintf(name, sizeof name, "%s/%zu %s", folder, i, vec_str(entry, "label"));
        run_call(&s, name, entry, &a);
        arena_free(&a);
    }
    json_decref(state);
    json_decref(block);
    json_decref(s.calls);
    json_decref(s.by_address);
}

static void show(const char *what, const size_t counts[ROUNDS_SHOWN])
{
    printf("  rounds %s:", what);
    for (size_t i = 0; i < ROUNDS_SHOWN; i++)
        if (counts[i])
            printf(" %zu calls in %zu%s;", counts[i], i, i == ROUNDS_SHOWN - 1 ? " or more" : "");
    putchar('\n');
}

void vec_kind_mainnet_calls(vec_t *v)
{
    arena_t a;
    arena_init(&a, 16u << 20);
    char **folders = vec_list(v, &a, "mainnet-calls");
    for (size_t i = 0; folders && folders[i]; i++)
        run_block(v, folders[i]);
    if (folders && v->verbose) {
        show("with a complete hint", rounds_hint);
        show("without hint", rounds_plain);
    }
    arena_free(&a);
}
