/* state: whole transactions in the GeneralStateTests format; the state root and the hash of the logs are compared. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/transaction.h"
#include "lightclient/rlp/rlp.h"
#include "tests/vectors/world_vec.h"

#define CASE_MEMORY_MAX ((size_t)1 << 30)

static const struct {
    const char *name;
    evm_rules_t rules;
} forks[] = {
    { "Cancun", { EVM_CANCUN, 3, 6, 3338477, NULL } },
    { "Prague", { EVM_PRAGUE, 6, 9, 5007716, NULL } },
    { "Osaka", { EVM_OSAKA, 6, 9, 5007716, NULL } },
    { "Amsterdam", { EVM_AMSTERDAM, 14, 21, 11684671, &EVM_STATE_GAS_DEVNET } }, /* the rules that the cases are by */
};

/* The format's rule: the hash of the number's decimal digits. */
static rc_t host_block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    char text[24];
    (void)ctx;
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    keccak256(out, view_of(text, (size_t)n));
    return RC_OK;
}

static bool logs_hash(hash32_t *out, arena_t *a, const evm_result_t *r)
{
    size_t cap = 64;
    for (size_t i = 0; i < r->log_count; i++)
        cap += 256 + r->logs[i].data.n;
    uint8_t *buf = arena_alloc(a, cap);
    if (!buf)
        return false;
    wr_t w = wr_of(buf, cap);
    for (size_t i = 0; i < r->log_count; i++) {
        const evm_log_t *l = &r->logs[i];
        size_t began = w.n;
        rlp_put_bytes(&w, view_of(l->addr.b, 20));
        size_t topics_began = w.n;
        for (unsigned t = 0; t < l->topic_count; t++)
            rlp_put_bytes(&w, view_of(l->topics[t].b, 32));
        rlp_wrap_list(&w, topics_began);
        rlp_put_bytes(&w, l->data);
        rlp_wrap_list(&w, began);
    }
    rlp_wrap_list(&w, 0);
    keccak256(out, wr_view(&w));
    return !w.bad;
}

/* --- the transaction --- */

static bool read_access(evm_tx_t *tx, arena_t *a, const json_t *list)
{
    size_t n = json_array_size(list);
    evm_access_t *out = arena_calloc(a, n, sizeof *out);
    if (!out)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i), *keys = json_object_get(item, "storageKeys");
        hash32_t *k = arena_calloc(a, json_array_size(keys), sizeof *k);
        if (!k)
            return false;
        out[i] = (evm_access_t){ vec_addr(vec_str(item, "address")), k, json_array_size(keys) };
        for (size_t j = 0; j < out[i].key_count; j++)
            k[j] = vec_hash(json_string_value(json_array_get(keys, j)));
    }
    tx->access = out;
    tx->access_count = n;
    tx->type = tx->type > 1 ? tx->type : 1;
    return true;
}

static bool read_blobs(evm_tx_t *tx, arena_t *a, const json_t *list)
{
    size_t n = json_array_size(list);
    hash32_t *out = arena_calloc(a, n, sizeof *out);
    if (!out)
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = vec_hash(json_string_value(json_array_get(list, i)));
    tx->blob_hashes = out;
    tx->blob_count = n;
    tx->type = 3;
    return true;
}

static const char *pick(const json_t *tx, const char *list, const json_t *indexes, const char *which)
{
    size_t i = (size_t)json_integer_value(json_object_get(indexes, which));
    return json_string_value(json_array_get(json_object_get(tx, list), i));
}

static bool read_tx(evm_tx_t *out, arena_t *a, const json_t *tx, const json_t *indexes)
{
    const char *to = vec_str(tx, "to");
    evm_tx_t t = { .from = vec_addr(vec_str(tx, "sender")),
                   .create = !to || !to[0],
                   .nonce = vec_u64(vec_str(tx, "nonce")) };
    t.to = vec_addr(t.create ? "0x" : to);
    t.data = vec_hex(a, pick(tx, "data", indexes, "data"));
    t.gas = vec_u64(pick(tx, "gasLimit", indexes, "gas"));
    t.value = vec_word(pick(tx, "value", indexes, "value"));
    t.gas_price = vec_word(vec_str(tx, "gasPrice"));
    t.max_fee = vec_word(vec_str(tx, "maxFeePerGas"));
    t.max_priority_fee = vec_word(vec_str(tx, "maxPriorityFeePerGas"));
    t.max_blob_fee = vec_word(vec_str(tx, "maxFeePerBlobGas"));
    t.type = vec_str(tx, "maxFeePerGas") ? 2 : 0;
    const json_t *access = json_array_get(json_object_get(tx, "accessLists"),
                                          (size_t)json_integer_value(json_object_get(indexes, "data")));
    if (json_is_array(access) && !read_access(&t, a, access))
        return false;
    if (json_object_get(tx, "blobVersionedHashes") && !read_blobs(&t, a, json_object_get(tx, "blobVersionedHashes")))
        return false;
    if (json_object_get(tx, "authorizationList")) /* read from signed bytes only */
        return false;
    *out = t;
    return true;
}

/* The signed bytes where the case has them; else (state/evmone) its fields. */
static rc_t transaction_of(evm_tx_t *out, err_t *e, arena_t *a, uint64_t chain_id, const json_t *tx, const json_t *post)
{
    const char *signed_bytes = vec_str(post, "txbytes");
    ex_transaction_t decoded;
    if (!signed_bytes)
        return read_tx(out, a, tx, json_object_get(post, "indexes")) ? RC_OK
                                                                     : err_say(e, RC_BUG, "its fields cannot be read");
    rc_t rc = ex_transaction_decode(&decoded, e, a, vec_hex(a, signed_bytes), chain_id);
    if (!rc)
        *out = decoded.tx;
    return rc;
}

static evm_block_t read_block(const json_t *env, const json_t *config)
{
    return (evm_block_t){
        .number = vec_u64(vec_str(env, "currentNumber")),
        .timestamp = vec_u64(vec_str(env, "currentTimestamp")),
        .gas_limit = vec_u64(vec_str(env, "currentGasLimit")),
        .coinbase = vec_addr(vec_str(env, "currentCoinbase")),
        .prev_randao = vec_hash(vec_str(env, "currentRandom")),
        .base_fee = vec_word(vec_str(env, "currentBaseFee")),
        .excess_blob_gas = vec_u64(vec_str(env, "currentExcessBlobGas")),
        .chain_id = vec_str(config, "chainid") ? vec_u64(vec_str(config, "chainid")) : 1,
        .slot_number = vec_str(env, "currentSlotNumber") ? vec_u64(vec_str(env, "currentSlotNumber")) : 0,
    };
}

static bool rules_of(evm_rules_t *out, const char *fork, const json_t *config)
{
    for (size_t i = 0; i < sizeof forks / sizeof forks[0]; i++)
        if (!strcmp(forks[i].name, fork)) {
            const json_t *blobs = json_object_get(json_object_get(config, "blobSchedule"), fork);
            *out = forks[i].rules;
            if (blobs) {
                out->blob_target = vec_u64(vec_str(blobs, "target"));
                out->blob_max = vec_u64(vec_str(blobs, "max"));
                out->blob_base_fee_update_fraction = vec_u64(vec_str(blobs, "baseFeeUpdateFraction"));
            }
            return true;
        }
    return false;
}

/* --- cases of the EOF draft (EIP-3540), which no fork has taken up: other code sees an EOF contract as its first two
 * bytes. The EVM knows no such rule; the host answers by it, while the state root is of the true code. --- */

static const view_t EOF_MAGIC = { (const uint8_t[]){ 0xef, 0x00 }, 2 };

static bool is_eof_draft(const char *name)
{
    return strstr(name, "/legacy_extcode") && strstr(name, "_eof.json");
}

static rc_t eof_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    evm_host_t inner = ex_world_host(ctx);
    evm_account_t acc;
    (void)code_hash; /* may be that of the two bytes */
    rc_t rc = inner.account(inner.ctx, &acc, addr);
    if (!rc)
        rc = inner.code(inner.ctx, out, addr, &acc.code_hash);
    if (!rc && out->n >= EOF_MAGIC.n && !memcmp(out->p, EOF_MAGIC.p, EOF_MAGIC.n))
        *out = EOF_MAGIC;
    return rc;
}

static rc_t eof_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    evm_host_t inner = ex_world_host(ctx);
    view_t code = { NULL, 0 };
    rc_t rc = inner.account(inner.ctx, out, addr);
    if (!rc && out->exists && !hash32_eq(&out->code_hash, &KECCAK_EMPTY))
        rc = eof_code(ctx, &code, addr, &out->code_hash);
    if (!rc && code.p == EOF_MAGIC.p)
        keccak256(&out->code_hash, EOF_MAGIC);
    return rc;
}

/* --- cases --- */

/* What state/amsterdam-ethereumjs says beside: the receipt's gas, the block's of both kinds, whether it halts. */
static const char *told_apart(const json_t *post, const evm_result_t *r, uint64_t floor)
{
    const char *used = vec_str(post, "gasUsed"), *block = vec_str(post, "blockGas");
    const char *halted = vec_str(post, "halted");
    if (used && r->gas_used != vec_u64(used))
        return "another gas used";
    if (block && r->block_execution_gas + r->block_state_gas != vec_u64(block) && r->block_execution_gas > floor)
        return "another gas of the block";
    evm_status_t end = !halted ? EVM_SUCCESS : strcmp(halted, "revert") ? EVM_HALT : EVM_REVERT;
    if (used && r->status != end)
        return "another end";
    return NULL;
}

static void check(vec_t *v, arena_t *a, const char *name, const ex_world_t *before, const evm_rules_t *rules,
                  const json_t *test, const json_t *post)
{
    ex_world_t w = *before;
    evm_host_t host = ex_world_host(&w);
    host.block_hash = host_block_hash;
    if (is_eof_draft(name)) {
        host.account = eof_account;
        host.code = eof_code;
    }
    evm_block_t block = read_block(json_object_get(test, "env"), json_object_get(test, "config"));
    bool refused = json_object_get(post, "expectException") != NULL;
    hash32_t root, logs, want_root = vec_hash(vec_str(post, "hash")), want_logs = vec_hash(vec_str(post, "logs"));
    evm_receipt_t r = { 0 };
    evm_tx_t tx;
    evm_tx_gas_t gas = { 0 };
    err_t e;
    rc_t rc = transaction_of(&tx, &e, a, block.chain_id, json_object_get(test, "transaction"), post);
    if (!rc)
        rc = evm_tx_check(&gas, &e, rules, &tx);
    if (!rc)
        rc = evm_transact(&r, &e, a, &host, rules, &block, &tx);
    if (refused ? !rc_blames_input(rc) : rc != RC_OK) {
        vec_fail(v, name, "%s %s", rc_name(rc), e.text);
    } else if (ex_world_apply(&w, r.changes, r.change_count) || ex_world_root(&root, &w) ||
               !logs_hash(&logs, a, &r.result)) {
        vec_fail(v, name, "no root could be made");
    } else if (!hash32_eq(&root, &want_root)) {
        vec_fail(v, name, "another state root (status %d, %s, gas used %llu)", r.result.status,
                 evm_halt_name(r.result.halt), (unsigned long long)r.result.gas_used);
    } else if (!refused && !hash32_eq(&logs, &want_logs)) {
        vec_fail(v, name, "other logs");
    } else if (!refused && told_apart(post, &r.result, gas.floor)) {
        vec_fail(v, name, "%s (gas used %llu, block %llu and %llu)", told_apart(post, &r.result, gas.floor),
                 (unsigned long long)r.result.gas_used, (unsigned long long)r.result.block_execution_gas,
                 (unsigned long long)r.result.block_state_gas);
    } else {
        vec_pass(v);
    }
}

static void check_test(vec_t *v, arena_t *a, const char *file, const char *test_name, const json_t *test)
{
    const char *fork;
    json_t *cases;
    ex_world_t world;
    char name[512];
    if (!vec_world(&world, a, json_object_get(test, "pre"))) {
        vec_fail(v, file, "cannot be read");
        return;
    }
    json_object_foreach (json_object_get(test, "post"), fork, cases) {
        evm_rules_t rules;
        if (!rules_of(&rules, fork, json_object_get(test, "config")))
            continue;
        for (size_t i = 0; i < json_array_size(cases); i++) {
            arena_mark_t mark = arena_mark(a);
            snprintf(name, sizeof name, "%s %s %s/%zu", file, test_name, fork, i);
            check(v, a, name, &world, &rules, test, json_array_get(cases, i));
            arena_rollback(a, mark);
        }
    }
}

void vec_kind_state(vec_t *v)
{
    arena_t files_arena;
    arena_init(&files_arena, 64u << 20);
    char **files = vec_walk(v, &files_arena, "state", ".json");
    for (size_t f = 0; files && files[f]; f++) {
        const char *name;
        json_t *test;
        json_t *tests = vec_json(v, "%s", files[f]);
        if (!tests)
            vec_fail(v, files[f], "cannot be read");
        json_object_foreach (tests, name, test) {
            arena_t a;
            arena_init(&a, CASE_MEMORY_MAX);
            check_test(v, &a, files[f], name, test);
            arena_free(&a);
        }
        json_decref(tests);
    }
    arena_free(&files_arena);
}
