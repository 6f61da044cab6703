/* mainnet-calls: eth_call over real mainnet state. Every account's proof is verified; every call is run three times: with
 * the recorded keys as hint, again on the cache that this left (no round), and without hint or cache. */
#include <stdlib.h>
#include <string.h>

#include "lightclient/exec/call.h"
#include "rpc/json.h"
#include "tests/vectors/upstream.h"

#define ROUNDS_SHOWN 24u

typedef struct {
    vec_t *v;
    json_t *calls, *accounts, *ancestors;
    json_t *by_address; /* lower-case address: account */
    const json_t *call; /* the one that runs: its keys are the hint */
    bool hint;
    ex_block_t block;
} suite_t;

static size_t rounds_hint[ROUNDS_SHOWN], rounds_plain[ROUNDS_SHOWN];

/* The recorded keys ("address" and "address_key") as an access list. */
static json_t *hint_of(const json_t *call)
{
    json_t *list = json_array(), *name;
    size_t i;
    json_array_foreach(json_object_get(call, "accounts"), i, name)
        json_array_append_new(list, json_pack("{s:O,s:[]}", "address", name, "storageKeys"));
    json_array_foreach(json_object_get(call, "slots"), i, name) {
        const char *text = json_string_value(name);
        json_array_append_new(list, json_pack("{s:s%,s:[s]}", "address", text, 42, "storageKeys", text + 43));
    }
    return json_pack("{s:o,s:s}", "accessList", list, "gasUsed", "0x0");
}

/* An answer in the words of the request: keys as asked, values as recorded. NULL when a slot is not recorded. */
static json_t *proof_of(const json_t *account, const json_t *keys)
{
    static const char *const copied[] = { "address", "balance", "codeHash", "nonce", "storageHash", "accountProof" };
    json_t *out = json_object(), *slots = json_array(), *key, *recorded;
    size_t i, k;
    for (i = 0; i < sizeof copied / sizeof copied[0]; i++)
        json_object_set(out, copied[i], json_object_get(account, copied[i]));
    json_array_foreach(keys, i, key) {
        json_array_foreach(json_object_get(account, "storageProof"), k, recorded) {
            u256_t a, b;
            if (jr_word(&a, key) && jr_word(&b, json_object_get(recorded, "key")) && u256_eq(&a, &b)) {
                json_array_append(slots, recorded);
                break;
            }
        }
    }
    bool complete = json_array_size(slots) == json_array_size(keys);
    json_object_set_new(out, "storageProof", slots);
    if (complete)
        return out;
    json_decref(out);
    return NULL;
}

static json_t *result_of(void *ctx, const char *method, const json_t *params)
{
    suite_t *s = ctx;
    const json_t *first = json_array_get(params, 0);
    size_t i;
    json_t *header;
    if (!strcmp(method, "eth_createAccessList"))
        return s->hint ? hint_of(s->call) : NULL;
    if (!strcmp(method, "eth_getBlockByNumber")) {
        json_array_foreach(s->ancestors, i, header)
            if (vec_u64(vec_str(header, "number")) == vec_u64(json_string_value(first)))
                return json_incref(header);
        return NULL;
    }
    json_t *account = json_object_get(s->by_address, json_string_value(first));
    if (account && !strcmp(method, "eth_getProof"))
        return proof_of(account, json_array_get(params, 1));
    if (account && !strcmp(method, "eth_getCode") && !json_object_get(account, "code_not_recorded"))
        return json_incref(json_object_get(account, "code"));
    return NULL;
}

static bool request_of(ex_request_t *q, arena_t *a, const json_t *call)
{
    uint8_t value[32];
    memset(q, 0, sizeof *q);
    q->has_to = vec_hex_fixed(q->to.b, 20, vec_str(call, "to"));
    q->has_gas = true;
    q->gas = vec_u64(vec_str(call, "gas"));
    q->data = vec_hex(a, vec_str(call, "data"));
    if (!vec_hex_fixed(q->from.b, 20, vec_str(call, "from")) || !vec_hex_fixed(value, 32, vec_str(call, "value")))
        return false;
    q->value = u256_from_be32(value);
    return true;
}

static bool logs_equal(const evm_result_t *r, const json_t *logs, arena_t *a)
{
    if (json_array_size(logs) != r->log_count)
        return false;
    for (size_t i = 0; i < r->log_count; i++) {
        const json_t *log = json_array_get(logs, i), *topics = json_object_get(log, "topics");
        addr_t addr;
        if (!vec_hex_fixed(addr.b, 20, vec_str(log, "address")) || !addr_eq(&addr, &r->logs[i].addr) ||
            json_array_size(topics) != r->logs[i].topic_count || !view_eq(vec_hex(a, vec_str(log, "data")), r->logs[i].data))
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
    const char *halt = vec_str(expected, "halt_reason");
    if (strcmp(status[r->status], vec_str(expected, "status")))
        return "status";
    if (r->status != EVM_HALT && !view_eq(r->output, vec_hex(a, vec_str(expected, "output"))))
        return "output";
    if (r->gas_used != vec_u64(vec_str(expected, "gas_used")))
        return "gas used";
    if (r->status == EVM_HALT && halt && strcmp(halt, evm_halt_name(r->halt)))
        return "reason of the halt";
    return r->status != EVM_SUCCESS || logs_equal(r, json_object_get(expected, "logs"), a) ? NULL : "logs";
}

/* One run of the machine; NULL when all is well. *rc tells an outcome that is not a result. */
static const char *run(suite_t *s, const ex_call_config_t *config, const json_t *expected, arena_t *a, rc_t *rc,
                       unsigned *rounds, char *why, size_t why_cap)
{
    upstream_t up = { result_of, s, 0 };
    ex_call_t *call = ex_call_new(config);
    if (!call)
        return "no memory";
    *rc = upstream_call(call, &up, config->block, config->request, why, why_cap);
    *rounds = ex_call_rounds(call);
    const char *bad = *rc ? why : difference(ex_call_result(call), expected, a);
    ex_call_free(call);
    return bad;
}

static void run_call(suite_t *s, const char *name, const json_t *call, arena_t *a)
{
    ex_request_t request;
    ex_cache_config_t cache_config = { .bytes_max = 64 << 20, .seed = { 3, 5 } };
    ex_call_config_t config = { .chain = &EVM_MAINNET, .block = &s->block, .request = &request, .gas_cap = UINT64_MAX,
                                .use_hint = true, .keep_base_fee = true, .proof_slots_max = 1 };
    const json_t *expected = json_object_get(call, "expected");
    unsigned rounds[3] = { 0 };
    char why[256] = "";
    rc_t rc = RC_OK;
    config.cache = ex_cache_new(&cache_config);
    s->call = call;
    s->hint = true;
    const char *bad = !request_of(&request, a, json_object_get(call, "call")) ? "the call object" : NULL;
    bad = bad ? bad : run(s, &config, expected, a, &rc, &rounds[0], why, sizeof why);
    if (bad && rc == RC_UNSUPPORTED) {
        vec_skip(s->v, name, "reaches a precompile that this build does not have");
        ex_cache_free(config.cache);
        return;
    }
    if (!bad && rounds[0] > 2)
        bad = "more than two rounds with a complete hint";
    bad = bad ? bad : run(s, &config, expected, a, &rc, &rounds[1], why, sizeof why);
    if (!bad && rounds[1] > 0)
        bad = "asked again in the same block";
    ex_cache_free(config.cache);
    config.cache = NULL;
    s->hint = false;
    bad = bad ? bad : run(s, &config, expected, a, &rc, &rounds[2], why, sizeof why);
    if (bad) {
        vec_fail(s->v, name, "%s (%s; rounds %u, %u, %u)", bad, rc_name(rc), rounds[0], rounds[1], rounds[2]);
        return;
    }
    vec_pass(s->v);
    rounds_hint[rounds[0] < ROUNDS_SHOWN ? rounds[0] : ROUNDS_SHOWN - 1]++;
    rounds_plain[rounds[2] < ROUNDS_SHOWN ? rounds[2] : ROUNDS_SHOWN - 1]++;
}

/* Every recorded account with all its slots, asked for by a call that names them in its access list hint. */
static void check_account(suite_t *s, const char *name, json_t *account, arena_t *a)
{
    ex_proof_answer_t answer;
    mpt_account_t proven;
    const char *why = NULL;
    json_t *slots = json_object_get(account, "storageProof"), *slot;
    size_t i, n = json_array_size(slots);
    hash32_t *keys = arena_calloc(a, n, sizeof *keys);
    u256_t *values = arena_calloc(a, n, sizeof *values);
    addr_t addr;
    bool ok = vec_hex_fixed(addr.b, 20, vec_str(account, "address"));
    json_t *copy = proof_of(account, NULL);
    json_object_set(copy, "storageProof", slots);
    json_array_foreach(slots, i, slot)
        ok = ok && vec_hex_fixed(keys[i].b, 32, vec_str(slot, "key"));
    const char *field = jr_proof(&answer, a, copy, n);
    json_decref(copy);
    rc_t rc = ok && !field ? ex_proof_verify(&proven, values, &why, &s->block.state_root, &addr, keys, n, &answer) : RC_MALFORMED;
    if (rc)
        vec_fail(s->v, name, "%s: %s", rc_name(rc), field ? field : why);
    else if (proven.exists != json_is_true(json_object_get(account, "exists")))
        vec_fail(s->v, name, "existence");
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
    json_array_foreach(json_object_get(state, "accounts"), i, entry) {
        json_object_set(s.by_address, vec_str(entry, "address"), entry);
        snprintf(name, sizeof name, "%s/%s", folder, vec_str(entry, "address"));
        check_account(&s, name, entry, &a);
        arena_free(&a);
    }
    json_array_foreach(json_object_get(s.calls, "calls"), i, entry) {
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

void kind_mainnet_calls(vec_t *v)
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
