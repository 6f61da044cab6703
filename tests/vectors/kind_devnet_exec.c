/* devnet, execution side: recorded answers of two unrelated execution clients. Every block header must hash to its
 * hash, every proof verify under its block's own state root, every code be the proven one; every eth_call whose state
 * is recorded is computed anew. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/call.h"
#include "rpc/api/callobject.h"
#include "tests/vectors/devnet.h"
#include "tests/vectors/upstream.h"

#define ROUNDS_SHOWN 16u

/* Calls by number of rounds. */
static size_t cold_rounds[ROUNDS_SHOWN], warm_rounds[ROUNDS_SHOWN];

/* One file: the answers at one height. */
typedef struct {
    vec_t *v;
    const json_t *answers;
    const char *file;
    ex_cache_t *cache;
    const char *tag; /* the height, as the requests name it */
    ex_block_t block;
    evm_schedule_row_t row;
    evm_chain_t chain;
} record_t;

static const json_t *param(const json_t *answer, size_t i)
{
    return json_array_get(json_object_get(answer, "params"), i);
}

/* Whether an answer is that of a method at the file's height. */
static bool is(const record_t *r, const json_t *answer, const char *method, size_t tag_at)
{
    const char *tag = json_string_value(param(answer, tag_at));
    return !strcmp(vec_str(answer, "method"), method) && tag && !strcmp(tag, r->tag);
}

static bool same_address(const json_t *a, const json_t *b)
{
    addr_t x, y;
    return vec_fixed(x.b, 20, a) && vec_fixed(y.b, 20, b) && addr_eq(&x, &y);
}

/* The recorded proof of one slot among all answers about an account; NULL: not recorded. */
static json_t *slot_of(const record_t *r, const json_t *address, const json_t *key)
{
    size_t i, k;
    json_t *answer, *slot;
    json_array_foreach (r->answers, i, answer) {
        if (!is(r, answer, "eth_getProof", 2) || !same_address(param(answer, 0), address))
            continue;
        json_array_foreach (json_object_get(json_object_get(answer, "result"), "storageProof"), k, slot) {
            u256_t a, b;
            if (vec_number(&a, key) && vec_number(&b, json_object_get(slot, "key")) && u256_eq(&a, &b))
                return slot;
        }
    }
    return NULL;
}

static json_t *proof_of(const record_t *r, const json_t *address, const json_t *keys)
{
    size_t i, k;
    json_t *answer, *key;
    json_array_foreach (r->answers, i, answer) {
        if (!is(r, answer, "eth_getProof", 2) || !same_address(param(answer, 0), address))
            continue;
        json_t *out = json_copy(json_object_get(answer, "result")), *slots = json_array();
        json_array_foreach (keys, k, key) {
            json_t *slot = slot_of(r, address, key);
            if (slot)
                json_array_append(slots, slot);
        }
        bool complete = json_array_size(slots) == json_array_size(keys);
        if (!complete && json_is_true(json_object_get(answer, "absent"))) { /* as @ethereumjs/client answers */
            json_array_clear(slots);
            complete = true;
        }
        json_object_set_new(out, "storageProof", slots);
        if (complete)
            return out;
        json_decref(out);
        return NULL;
    }
    return NULL;
}

static json_t *result_of(void *ctx, const char *method, const json_t *params)
{
    const record_t *r = ctx;
    size_t i;
    json_t *answer;
    if (!strcmp(method, "eth_getProof"))
        return proof_of(r, json_array_get(params, 0), json_array_get(params, 1));
    json_array_foreach (r->answers, i, answer)
        if (!strcmp(method, "eth_getCode") && is(r, answer, method, 1) &&
            same_address(param(answer, 0), json_array_get(params, 0)))
            return json_incref(json_object_get(answer, "result"));
    return NULL;
}

static void name_of(char out[256], const record_t *r, const json_t *answer)
{
    const char *note = vec_str(answer, "note");
    snprintf(out, 256, "%s %s %s", r->file, vec_str(answer, "method"),
             note                                  ? note
             : json_string_value(param(answer, 0)) ? json_string_value(param(answer, 0))
                                                   : "");
}

/* Marks the answer when the account is absent. */
static void check_proof(const record_t *r, const char *name, json_t *answer, arena_t *a)
{
    ex_proof_answer_t proof;
    mpt_account_t proven;
    addr_t addr;
    const json_t *asked = param(answer, 1);
    err_t e;
    size_t n = json_array_size(asked);
    hash32_t *keys = arena_calloc(a, n, sizeof *keys);
    u256_t *values = arena_calloc(a, n, sizeof *values), word;
    bool ok = vec_fixed(addr.b, 20, param(answer, 0));
    for (size_t i = 0; i < n; i++) {
        ok = ok && vec_number(&word, json_array_get(asked, i));
        u256_to_be32(keys[i].b, &word);
    }
    const char *field = ok ? upstream_proof(&proof, a, json_object_get(answer, "result"), n) : "params";
    if (field)
        vec_fail(r->v, name, "field %s", field);
    else if (ex_proof_verify(&proven, values, &e, &r->block.state_root, &addr, keys, n, &proof))
        vec_fail(r->v, name, "%s", e.text);
    else if ((field = upstream_read(&r->block, &addr, keys, n, &proof, &proven, values)))
        vec_fail(r->v, name, "%s", field);
    else {
        vec_pass(r->v);
        json_object_set_new(answer, "absent", json_boolean(!proven.exists));
    }
}

static void check_code(const record_t *r, const char *name, const json_t *answer, arena_t *a)
{
    view_t code;
    hash32_t hash, proven;
    json_t *proof = proof_of(r, param(answer, 0), NULL);
    if (!proof)
        vec_skip(r->v, name, "no proof of the account is recorded");
    else if (!vec_bytes(&code, a, json_object_get(answer, "result")) ||
             !vec_fixed(proven.b, 32, json_object_get(proof, "codeHash")))
        vec_fail(r->v, name, "does not parse");
    else {
        keccak256(&hash, code);
        if (hash32_eq(&hash, &proven))
            vec_pass(r->v);
        else
            vec_fail(r->v, name, "hash of the code");
    }
    json_decref(proof);
}

/* NULL when the result is what was recorded. */
static const char *difference(const evm_result_t *result, const json_t *answer, arena_t *a)
{
    view_t recorded;
    const json_t *error = json_object_get(answer, "error"), *data = json_object_get(error, "data");
    if (!error && result->status != EVM_SUCCESS)
        return "should succeed";
    if (!error)
        return vec_bytes(&recorded, a, json_object_get(answer, "result")) && view_eq(recorded, result->output)
                   ? NULL
                   : "output";
    if (result->status == EVM_SUCCESS)
        return "should fail";
    if (vec_bytes(&recorded, a, data) && !view_eq(recorded, result->output))
        return "revert data";
    return NULL;
}

/* One run of a call. *bad: how it differs from what was recorded, or why it has no result; NULL when it is equal. */
static rc_t run_call(record_t *r, const char **bad, unsigned *rounds, char *why, size_t why_cap, ex_cache_t *cache,
                     const ex_request_t *request, const json_t *answer, arena_t *a)
{
    upstream_t up = { result_of, r, 0 };
    ex_call_config_t config = { .chain = &r->chain, .cache = cache, .block = &r->block, .request = request };
    config.proof_slots_max = 1;
    config.keep_base_fee = true;
    query_t *call = NULL;
    rc_t rc = ex_call_new(&call, NULL, &config);
    if (!rc)
        rc = upstream_call(call, &up, why, why_cap);
    *rounds = call ? ex_call_rounds(call) : 0;
    *bad = rc ? why : difference(ex_call_result(call), answer, a);
    query_free(call);
    if (rc == RC_REFUSED && json_object_get(answer, "error")) /* before it began, as the other client's words say */
        *bad = NULL;
    return rc == RC_LIMIT && up.unrecorded ? RC_NEED_DATA : rc;
}

/* Runs a call on nothing, and on a cache that holds what all calls before it proved, in other blocks and on other
 * chains. */
static void check_call(record_t *r, const char *name, const json_t *answer, arena_t *a)
{
    char why[400] = "", *object = json_dumps(param(answer, 0), JSON_COMPACT);
    const char *bad = why;
    unsigned cold = 0, warm = 0;
    ex_request_t q;
    err_t e = { .rc = RC_OK };
    rc_t rc = api_parse_call(&q, &e, a, view_str(object));
    snprintf(why, sizeof why, "%s %s", e.field, e.text);
    free(object);
    if (!rc)
        rc = run_call(r, &bad, &cold, why, sizeof why, NULL, &q, answer, a);
    if (rc == RC_NEED_DATA)
        vec_skip(r->v, name, "the state that the call reads is not recorded");
    else if (bad && strstr(name, "gasLeft()"))
        vec_skip(r->v, name, "@ethereumjs/client does not charge the intrinsic gas in eth_call");
    else if (bad && r->row.rules.fork < EVM_PRAGUE && q.has_to && q.to.b[0] == 0x77 && q.to.b[1] == 0x02)
        vec_skip(r->v, name, "@ethereumjs/client follows delegations in blocks before Prague");
    else if (bad)
        vec_fail(r->v, name, "%s", bad);
    else if (run_call(r, &bad, &warm, why, sizeof why, r->cache, &q, answer, a) != rc || bad)
        vec_fail(r->v, name, "on a used cache: %s", bad ? bad : "another outcome");
    else {
        vec_pass(r->v);
        cold_rounds[cold < ROUNDS_SHOWN ? cold : ROUNDS_SHOWN - 1]++;
        warm_rounds[warm < ROUNDS_SHOWN ? warm : ROUNDS_SHOWN - 1]++;
    }
}

/* The block of the file: the answer that has transactions. */
static bool read_block(record_t *r, uint64_t chain_id)
{
    static const evm_fork_t fork_of_tail[] = { EVM_BERLIN,   EVM_PARIS,  EVM_SHANGHAI, EVM_SHANGHAI,
                                               EVM_SHANGHAI, EVM_CANCUN, EVM_PRAGUE };
    size_t i;
    json_t *answer;
    ex_header_t h;
    json_array_foreach (r->answers, i, answer) {
        const json_t *block = json_object_get(answer, "result");
        if (strcmp(vec_str(answer, "method"), "eth_getBlockByNumber") || !json_is_true(param(answer, 1)))
            continue;
        r->tag = json_string_value(param(answer, 0));
        if (upstream_header(&h, block) || !upstream_block(&r->block, block, chain_id))
            return false;
        r->row = (evm_schedule_row_t){ 0, { fork_of_tail[h.tail], 6, 9, 5007716, NULL } };
        if (r->row.rules.fork == EVM_CANCUN)
            r->row.rules = (evm_rules_t){ EVM_CANCUN, 3, 6, 3338477, NULL };
        r->chain = (evm_chain_t){ chain_id, &r->row, 1 };
        return true;
    }
    return false;
}

static void run_file(vec_t *v, const char *file, const char *chain_id, ex_cache_t *cache)
{
    record_t r = { .v = v, .file = file, .cache = cache };
    char name[256];
    size_t i;
    arena_t a;
    json_t *answers = vec_json(v, "%s", file), *answer;
    arena_init(&a, 64u << 20);
    r.answers = answers;
    if (read_block(&r, vec_u64(chain_id)))
        vec_pass(v);
    else
        vec_fail(v, file, "block header");
    json_array_foreach (answers, i, answer) {
        name_of(name, &r, answer);
        if (r.tag && is(&r, answer, "eth_getProof", 2))
            check_proof(&r, name, answer, &a);
        else if (r.tag && is(&r, answer, "eth_getCode", 1))
            check_code(&r, name, answer, &a);
        else if (r.tag && is(&r, answer, "eth_call", 1))
            check_call(&r, name, answer, &a);
        arena_free(&a);
    }
    json_decref(answers);
}

/* eth_chainId is among the answers of some files of a folder. */
static void find_chain_id(char out[32], vec_t *v, char **files)
{
    size_t i;
    json_t *answer;
    snprintf(out, 32, "0x1");
    for (; *files; files++) {
        json_t *answers = vec_json(v, "%s", *files);
        json_array_foreach (answers, i, answer)
            if (!strcmp(vec_str(answer, "method"), "eth_chainId"))
                snprintf(out, 32, "%s", vec_str(answer, "result"));
        json_decref(answers);
    }
}

static void show(const char *what, const size_t counts[ROUNDS_SHOWN])
{
    printf("  rounds %s:", what);
    for (size_t i = 0; i < ROUNDS_SHOWN; i++)
        if (counts[i])
            printf(" %zu calls in %zu;", counts[i], i);
    putchar('\n');
}

void devnet_exec(vec_t *v)
{
    static const char *const sources[] = { "rpc", "anvil" };
    const ex_cache_config_t cache_config = { .bytes_max = 64 << 20, .seed = { 8, 9 } };
    ex_cache_t *cache = ex_cache_new(&cache_config);
    arena_t a;
    arena_init(&a, 16u << 20);
    char **chains = vec_list(v, &a, "devnet");
    for (size_t i = 0; chains && chains[i]; i++)
        for (size_t k = 0; k < 2; k++) {
            char folder[256], chain_id[32];
            snprintf(folder, sizeof folder, "devnet/%s/%s", chains[i], sources[k]);
            char **files = vec_walk(v, &a, folder, ".json");
            if (!files || !files[0])
                continue;
            find_chain_id(chain_id, v, files);
            for (size_t f = 0; files[f]; f++)
                run_file(v, files[f], chain_id, cache);
        }
    if (chains && v->verbose) {
        show("of a call on nothing", cold_rounds);
        show("on a cache used by other calls, blocks and chains", warm_rounds);
    }
    ex_cache_free(cache);
    arena_free(&a);
}
