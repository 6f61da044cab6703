/* The C side of the differential test: runs each transaction that it is given, and says what came of it.
 *
 * Input: one JSON object per line, {"fork", "block", "pre": [account], "tx", "gas": [limit]}; the same transaction runs
 * once for each gas limit, always on the state "pre". Output: one JSON object per gas limit and line; only "rc" and
 * "why" unless "rc" is "ok". Numbers are 0x hex text. run.mjs compares the lines with what its own EVM did. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/evm/evm.h"

#define CASE_MEMORY_MAX ((size_t)1 << 30)

typedef struct {
    addr_t addr;
    evm_account_t account;
    view_t code;
    evm_slot_t *slots;
    size_t slot_count;
} entry_t;

typedef struct {
    entry_t *entries;
    size_t count;
} world_t;

static const struct {
    const char *name;
    evm_rules_t rules;
} forks[] = {
    { "berlin", { EVM_BERLIN, 0, 0, 0, NULL } },
    { "london", { EVM_LONDON, 0, 0, 0, NULL } },
    { "paris", { EVM_PARIS, 0, 0, 0, NULL } },
    { "shanghai", { EVM_SHANGHAI, 0, 0, 0, NULL } },
    { "cancun", { EVM_CANCUN, 3, 6, 3338477, NULL } },
    { "prague", { EVM_PRAGUE, 6, 9, 5007716, NULL } },
    { "osaka", { EVM_OSAKA, 6, 9, 5007716, NULL } },
    { "amsterdam", { EVM_AMSTERDAM, 14, 21, 11684671, &EVM_STATE_GAS_DEVNET } }, /* the reference's state gas */
};

/* --- input: the driver's own, so what is wrong with it ends the program --- */

static void die(const char *why)
{
    fprintf(stderr, "differential_evm: %s\n", why);
    exit(2);
}

static void *must(void *p)
{
    if (!p)
        die("out of memory");
    return p;
}

static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text)
        die("a text is missing");
    return text;
}

static view_t bytes_of(arena_t *a, const json_t *value)
{
    const char *text = text_of(value);
    size_t cap = strlen(text) / 2, n;
    uint8_t *p = must(arena_alloc(a, cap));
    if (hex_decode(p, &n, cap, text, strlen(text)))
        die("not hex");
    return view_of(p, n);
}

/* A number of any number of digits. */
static u256_t word_of(const json_t *value)
{
    const char *text = text_of(value) + 2;
    size_t n = strlen(text);
    char digits[65];
    uint8_t b[32];
    if (n > 64)
        die("a number is too long");
    memset(digits, '0', 64);
    memcpy(digits + 64 - n, text, n);
    if (hex_decode_exact(b, sizeof b, digits, 64))
        die("not a number");
    return u256_from_be32(b);
}

static uint64_t u64_of(const json_t *value)
{
    u256_t w = word_of(value);
    if (!u256_fits_u64(&w))
        die("a number passes 64 bits");
    return w.w[0];
}

static hash32_t hash_of(const json_t *value)
{
    hash32_t h;
    u256_t w = word_of(value);
    u256_to_be32(h.b, &w);
    return h;
}

static addr_t addr_of(const json_t *value)
{
    addr_t addr;
    const char *text = text_of(value);
    if (hex_decode_exact(addr.b, sizeof addr.b, text, strlen(text)))
        die("not an address");
    return addr;
}

static void read_account(entry_t *e, arena_t *a, const json_t *in)
{
    const json_t *storage = json_object_get(in, "storage");
    e->addr = addr_of(json_object_get(in, "address"));
    e->code = bytes_of(a, json_object_get(in, "code"));
    e->account = (evm_account_t){ .exists = true,
                                  .nonce = u64_of(json_object_get(in, "nonce")),
                                  .balance = word_of(json_object_get(in, "balance")) };
    keccak256(&e->account.code_hash, e->code);
    e->slot_count = json_array_size(storage);
    e->slots = must(arena_calloc(a, e->slot_count, sizeof *e->slots));
    for (size_t i = 0; i < e->slot_count; i++) {
        const json_t *pair = json_array_get(storage, i);
        e->slots[i] = (evm_slot_t){ hash_of(json_array_get(pair, 0)), word_of(json_array_get(pair, 1)) };
    }
}

static void read_world(world_t *w, arena_t *a, const json_t *pre)
{
    w->count = json_array_size(pre);
    w->entries = must(arena_calloc(a, w->count, sizeof *w->entries));
    for (size_t i = 0; i < w->count; i++)
        read_account(&w->entries[i], a, json_array_get(pre, i));
}

static evm_block_t read_block(const json_t *in)
{
    return (evm_block_t){
        .number = u64_of(json_object_get(in, "number")),
        .timestamp = u64_of(json_object_get(in, "timestamp")),
        .gas_limit = u64_of(json_object_get(in, "gasLimit")),
        .coinbase = addr_of(json_object_get(in, "coinbase")),
        .prev_randao = hash_of(json_object_get(in, "random")),
        .base_fee = word_of(json_object_get(in, "baseFee")),
        .excess_blob_gas = u64_of(json_object_get(in, "excessBlobGas")),
        .chain_id = 1,
        .slot_number = u64_of(json_object_get(in, "slotNumber")),
    };
}

static void read_access(evm_tx_t *tx, arena_t *a, const json_t *list)
{
    size_t n = json_array_size(list);
    evm_access_t *out = must(arena_calloc(a, n, sizeof *out));
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i), *keys = json_object_get(item, "storageKeys");
        size_t key_count = json_array_size(keys);
        hash32_t *k = must(arena_calloc(a, key_count, sizeof *k));
        for (size_t j = 0; j < key_count; j++)
            k[j] = hash_of(json_array_get(keys, j));
        out[i] = (evm_access_t){ addr_of(json_object_get(item, "address")), k, key_count };
    }
    tx->access = out;
    tx->access_count = n;
}

static void read_blobs(evm_tx_t *tx, arena_t *a, const json_t *list)
{
    size_t n = json_array_size(list);
    hash32_t *out = must(arena_calloc(a, n, sizeof *out));
    for (size_t i = 0; i < n; i++)
        out[i] = hash_of(json_array_get(list, i));
    tx->blob_hashes = out;
    tx->blob_count = n;
}

/* A signer of null stands for a signature that does not hold. */
static void read_authorizations(evm_tx_t *tx, arena_t *a, const json_t *list)
{
    size_t n = json_array_size(list);
    evm_authorization_t *out = must(arena_calloc(a, n, sizeof *out));
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i), *signer = json_object_get(item, "signer");
        out[i].chain_id = word_of(json_object_get(item, "chainId"));
        out[i].address = addr_of(json_object_get(item, "address"));
        out[i].nonce = u64_of(json_object_get(item, "nonce"));
        out[i].signer_valid = json_is_string(signer);
        if (out[i].signer_valid)
            out[i].signer = addr_of(signer);
    }
    tx->authorizations = out;
    tx->authorization_count = n;
}

static evm_tx_t read_tx(arena_t *a, const json_t *in)
{
    const json_t *to = json_object_get(in, "to");
    evm_tx_t tx = {
        .type = (uint8_t)u64_of(json_object_get(in, "type")),
        .from = addr_of(json_object_get(in, "from")),
        .create = !json_is_string(to),
        .value = word_of(json_object_get(in, "value")),
        .data = bytes_of(a, json_object_get(in, "data")),
        .nonce = u64_of(json_object_get(in, "nonce")),
        .gas_price = word_of(json_object_get(in, "gasPrice")),
        .max_fee = word_of(json_object_get(in, "maxFee")),
        .max_priority_fee = word_of(json_object_get(in, "maxPriorityFee")),
        .max_blob_fee = word_of(json_object_get(in, "maxBlobFee")),
    };
    if (!tx.create)
        tx.to = addr_of(to);
    read_access(&tx, a, json_object_get(in, "access"));
    read_blobs(&tx, a, json_object_get(in, "blobs"));
    read_authorizations(&tx, a, json_object_get(in, "authorizations"));
    return tx;
}

static evm_rules_t rules_of(const json_t *fork)
{
    for (size_t i = 0; i < sizeof forks / sizeof forks[0]; i++)
        if (!strcmp(forks[i].name, text_of(fork)))
            return forks[i].rules;
    die("an unknown fork");
    return forks[0].rules;
}

/* --- the state before, as a host --- */

static const entry_t *world_find(const world_t *w, const addr_t *addr)
{
    for (size_t i = 0; i < w->count; i++)
        if (addr_eq(&w->entries[i].addr, addr))
            return &w->entries[i];
    return NULL;
}

static rc_t host_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    const entry_t *e = world_find(ctx, addr);
    *out = e ? e->account : (evm_account_t){ .code_hash = KECCAK_EMPTY };
    return RC_OK;
}

static rc_t host_storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    const entry_t *e = world_find(ctx, addr);
    *out = u256_of(0);
    for (size_t i = 0; e && i < e->slot_count; i++)
        if (hash32_eq(&e->slots[i].key, key))
            *out = e->slots[i].value;
    return RC_OK;
}

static rc_t host_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    const entry_t *e = world_find(ctx, addr);
    if (!e || !hash32_eq(&e->account.code_hash, code_hash))
        return RC_BUG;
    *out = e->code;
    return RC_OK;
}

/* As in the state tests: the hash of the number's decimal digits. */
static rc_t host_block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    char text[24];
    (void)ctx;
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    keccak256(out, view_of(text, (size_t)n));
    return RC_OK;
}

static rc_t host_storage_empty(void *ctx, bool *out, const addr_t *addr)
{
    const entry_t *e = world_find(ctx, addr);
    *out = !e || e->slot_count == 0;
    return RC_OK;
}

/* --- output --- */

static void put_hex(view_t v)
{
    static const char digits[] = "0123456789abcdef";
    fputs("\"0x", stdout);
    for (size_t i = 0; i < v.n; i++) {
        putchar(digits[v.p[i] >> 4]);
        putchar(digits[v.p[i] & 15]);
    }
    putchar('"');
}

static void put_word(const u256_t *w)
{
    uint8_t b[32];
    u256_to_be32(b, w);
    put_hex(view_of(b, sizeof b));
}

static void put_logs(const evm_result_t *r)
{
    fputs(",\"logs\":[", stdout);
    for (size_t i = 0; i < r->log_count; i++) {
        const evm_log_t *l = &r->logs[i];
        fputs(i ? ",{\"address\":" : "{\"address\":", stdout);
        put_hex(view_of(l->addr.b, sizeof l->addr.b));
        fputs(",\"topics\":[", stdout);
        for (unsigned t = 0; t < l->topic_count; t++) {
            fputs(t ? "," : "", stdout);
            put_hex(view_of(l->topics[t].b, sizeof l->topics[t].b));
        }
        fputs("],\"data\":", stdout);
        put_hex(l->data);
        putchar('}');
    }
    putchar(']');
}

static void put_change(const evm_change_t *c)
{
    fputs("{\"address\":", stdout);
    put_hex(view_of(c->addr.b, sizeof c->addr.b));
    if (c->deleted) {
        fputs(",\"deleted\":true}", stdout);
        return;
    }
    printf(",\"nonce\":\"0x%llx\",\"balance\":", (unsigned long long)c->account.nonce);
    put_word(&c->account.balance);
    fputs(",\"codeHash\":", stdout);
    put_hex(view_of(c->account.code_hash.b, sizeof c->account.code_hash.b));
    if (c->code_changed) {
        fputs(",\"code\":", stdout);
        put_hex(c->code);
    }
    printf(",\"cleared\":%s,\"storage\":[", c->storage_cleared ? "true" : "false");
    for (size_t i = 0; i < c->slot_count; i++) {
        fputs(i ? ",[" : "[", stdout);
        put_hex(view_of(c->slots[i].key.b, sizeof c->slots[i].key.b));
        putchar(',');
        put_word(&c->slots[i].value);
        putchar(']');
    }
    fputs("]}", stdout);
}

static void put_receipt(const evm_receipt_t *r)
{
    static const char *const status[] = { "success", "revert", "halt" };
    printf("{\"rc\":\"ok\",\"status\":\"%s\",\"halt\":\"%s\",\"gas\":\"0x%llx\",", status[r->result.status],
           evm_halt_name(r->result.halt), (unsigned long long)r->result.gas_used);
    printf("\"block\":{\"execution\":\"0x%llx\",\"state\":\"0x%llx\"},\"output\":",
           (unsigned long long)r->result.block_execution_gas, (unsigned long long)r->result.block_state_gas);
    put_hex(r->result.output);
    if (r->result.created) {
        fputs(",\"created\":", stdout);
        put_hex(view_of(r->result.created_addr.b, sizeof r->result.created_addr.b));
    }
    put_logs(&r->result);
    fputs(",\"changes\":[", stdout);
    for (size_t i = 0; i < r->change_count; i++) {
        fputs(i ? "," : "", stdout);
        put_change(&r->changes[i]);
    }
    fputs("]}\n", stdout);
}

static void run_case(arena_t *a, const json_t *in)
{
    world_t world;
    const json_t *limits = json_object_get(in, "gas");
    evm_rules_t rules = rules_of(json_object_get(in, "fork"));
    evm_block_t block = read_block(json_object_get(in, "block"));
    evm_tx_t tx = read_tx(a, json_object_get(in, "tx"));
    read_world(&world, a, json_object_get(in, "pre"));
    const evm_host_t host = { .ctx = &world,
                              .account = host_account,
                              .storage = host_storage,
                              .code = host_code,
                              .block_hash = host_block_hash,
                              .storage_empty = host_storage_empty,
                              .seed = { 1, 2 } };
    for (size_t i = 0; i < json_array_size(limits); i++) {
        arena_mark_t mark = arena_mark(a);
        evm_receipt_t receipt;
        err_t e;
        tx.gas = u64_of(json_array_get(limits, i));
        rc_t rc = evm_transact(&receipt, &e, a, &host, &rules, &block, &tx);
        if (rc)
            printf("{\"rc\":\"%s\",\"why\":\"%s\"}\n", rc_name(rc), rc == RC_REFUSED ? e.text : "");
        else
            put_receipt(&receipt);
        arena_rollback(a, mark);
    }
    fflush(stdout);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        arena_t a;
        json_t *in = json_loadb(line, (size_t)n, 0, NULL);
        if (!in)
            die("not JSON");
        arena_init(&a, CASE_MEMORY_MAX);
        run_case(&a, in);
        arena_free(&a);
        json_decref(in);
    }
    free(line);
    return 0;
}
