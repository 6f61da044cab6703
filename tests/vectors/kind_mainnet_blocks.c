/* mainnet-blocks: whole blocks of mainnet. Those of mainnet-calls are executed on the recorded parent state to the
 * exact gas, receipts root and logs bloom (of the state only parts are known, so no state root). Of those of
 * rpc-mainnet every sender is recovered and the transactions root computed, and a header is put after its parent where
 * both are there. */
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/transaction.h"
#include "lightclient/mpt/mpt.h"
#include "tests/vectors/block_vec.h"
#include "tests/vectors/upstream.h"
#include "tests/vectors/world_vec.h"

#define MEMORY_MAX ((size_t)512 << 20)
#define ANCESTORS_MAX 256u
#define PARENTS_MAX 64u

static const addr_t DEPOSIT_CONTRACT = { { 0x00, 0x00, 0x00, 0x00, 0x21, 0x9a, 0xb5, 0x40, 0x35, 0x6c,
                                           0xbb, 0x83, 0x9c, 0xbe, 0x05, 0x30, 0x3d, 0x77, 0x05, 0xfa } };

/* The receiver whose proof was not recorded (README): as if it were empty. */
static const addr_t UNRECORDED = { { 0xc8, 0x3f, 0x7d, 0x9f, 0x2d, 0x4a, 0x76, 0xe8, 0x11, 0x45,
                                     0x84, 0x93, 0x81, 0xab, 0xa0, 0x26, 0x02, 0x37, 0x37, 0x23 } };

/* --- the recorded state; what is not recorded ends the block --- */

typedef struct {
    addr_t addr;
    evm_account_t account;
    bool has_code, storage_empty;
    view_t code;
    evm_slot_t *slots;
    size_t slot_count;
} recorded_t;

typedef struct {
    recorded_t *accounts;
    size_t count;
    hash32_t ancestors[ANCESTORS_MAX]; /* [0]: the parent */
    size_t ancestor_count;
    uint64_t number;
} state_t;

static const recorded_t *find(const state_t *s, const addr_t *addr)
{
    for (size_t i = 0; i < s->count; i++)
        if (addr_eq(&s->accounts[i].addr, addr))
            return &s->accounts[i];
    return NULL;
}

static rc_t host_account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    const recorded_t *r = find(ctx, addr);
    if (!r && !addr_eq(addr, &UNRECORDED))
        return RC_NEED_DATA;
    *out = r ? r->account : (evm_account_t){ .code_hash = KECCAK_EMPTY };
    return RC_OK;
}

static rc_t host_storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    const recorded_t *r = find(ctx, addr);
    *out = u256_of(0);
    if (r && r->storage_empty)
        return RC_OK;
    for (size_t i = 0; r && i < r->slot_count; i++)
        if (hash32_eq(&r->slots[i].key, key)) {
            *out = r->slots[i].value;
            return RC_OK;
        }
    return RC_NEED_DATA;
}

static rc_t host_code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    const recorded_t *r = find(ctx, addr);
    if (!r || !r->has_code || !hash32_eq(code_hash, &r->account.code_hash))
        return RC_NEED_DATA;
    *out = r->code;
    return RC_OK;
}

static rc_t host_block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    const state_t *s = ctx;
    uint64_t back = s->number - 1 - number;
    if (back >= s->ancestor_count)
        return RC_NEED_DATA;
    *out = s->ancestors[back];
    return RC_OK;
}

static rc_t host_storage_empty(void *ctx, bool *out, const addr_t *addr)
{
    const recorded_t *r = find(ctx, addr);
    *out = r && r->storage_empty;
    return r ? RC_OK : RC_NEED_DATA;
}

static bool read_account(recorded_t *out, arena_t *a, const json_t *o)
{
    const json_t *proofs = json_object_get(o, "storageProof");
    hash32_t storage = vec_hash(vec_str(o, "storageHash"));
    recorded_t r = { .addr = vec_addr(vec_str(o, "address")), .slot_count = json_array_size(proofs) };
    r.account.exists = json_is_true(json_object_get(o, "exists"));
    r.account.code_hash = KECCAK_EMPTY;
    r.storage_empty = !r.account.exists || hash32_eq(&storage, &EMPTY_TRIE_ROOT);
    if (r.account.exists) {
        r.account.nonce = vec_u64(vec_str(o, "nonce"));
        r.account.balance = vec_word(vec_str(o, "balance"));
        r.account.code_hash = vec_hash(vec_str(o, "codeHash"));
    }
    r.has_code = !json_object_get(o, "code_not_recorded");
    r.code = vec_hex(a, vec_str(o, "code"));
    r.slots = arena_calloc(a, r.slot_count, sizeof *r.slots);
    for (size_t i = 0; r.slots && i < r.slot_count; i++) {
        const json_t *slot = json_array_get(proofs, i);
        r.slots[i] = (evm_slot_t){ vec_hash(vec_str(slot, "key")), vec_word(vec_str(slot, "value")) };
    }
    *out = r;
    return r.slots != NULL;
}

static bool read_state(state_t *out, arena_t *a, const json_t *accounts)
{
    out->count = json_array_size(accounts);
    out->accounts = arena_calloc(a, out->count, sizeof *out->accounts);
    for (size_t i = 0; out->accounts && i < out->count; i++)
        if (!read_account(&out->accounts[i], a, json_array_get(accounts, i)))
            return false;
    return out->accounts != NULL;
}

/* The hashes of the parent and of the recorded ancestors, which must form a chain. */
static const char *read_ancestors(state_t *s, const ex_header_t *parent, json_t *list)
{
    hash32_t want = parent->parent_hash;
    ex_header_hash(&s->ancestors[s->ancestor_count++], parent);
    for (size_t i = 0; i < json_array_size(list) && s->ancestor_count < ANCESTORS_MAX; i++) {
        ex_header_t h;
        const char *bad = upstream_header(&h, json_array_get(list, i));
        if (bad)
            return bad;
        if (h.number >= parent->number)
            continue; /* some recordings list the parent too */
        if (ex_header_check(&h, &want))
            return "ancestors form no chain";
        s->ancestors[s->ancestor_count++] = want;
        want = h.parent_hash;
    }
    if (s->ancestor_count < ANCESTORS_MAX)
        s->ancestors[s->ancestor_count++] = want;
    return NULL;
}

/* --- blocks that are executed --- */

static const char *check_expected(const ex_full_block_t *block, const ex_executed_t *done, const json_t *expected)
{
    const json_t *outcomes = json_object_get(expected, "transactions");
    hash32_t root = vec_hash(vec_str(expected, "receipts_root"));
    uint8_t bloom[256];
    if (!vec_hex_fixed(bloom, sizeof bloom, vec_str(expected, "logs_bloom")) ||
        memcmp(bloom, block->header.logs_bloom, sizeof bloom) || !hash32_eq(&root, &block->header.receipts_root) ||
        vec_u64(vec_str(expected, "gas_used")) != block->header.gas_used)
        return "the header is not the expected one"; /* execution has been compared with the header */
    if (json_array_size(outcomes) != block->transaction_count)
        return "number of transactions";
    for (size_t i = 0; i < block->transaction_count; i++) {
        const json_t *o = json_array_get(outcomes, i);
        if (vec_u64(vec_str(o, "gasUsed")) != done->outcomes[i].gas_used)
            return "gas of a transaction";
        if ((json_integer_value(json_object_get(o, "status")) == 1) != done->outcomes[i].success)
            return "status of a transaction";
    }
    return NULL;
}

static const char *execute(arena_t *a, json_t *recorded, const json_t *recorded_state)
{
    static state_t s;
    arena_t scratch;
    ex_full_block_t block;
    ex_executed_t done;
    ex_header_t parent;
    static err_t e;
    err_clear(&e);
    hash32_t root = vec_hash(vec_str(recorded_state, "state_root"));
    s = (state_t){ .count = 0 };
    const char *bad = upstream_header(&parent, json_object_get(recorded, "parent"));
    if (!bad)
        bad = vec_block(&block, a, json_object_get(recorded, "block"));
    if (!bad)
        bad = read_ancestors(&s, &parent, json_object_get(recorded, "ancestors"));
    if (bad)
        return bad;
    if (!hash32_eq(&root, &parent.state_root) || !read_state(&s, a, json_object_get(recorded_state, "accounts")))
        return "the state is not the parent's";
    s.number = block.header.number;
    const evm_host_t host = { .ctx = &s,
                              .account = host_account,
                              .storage = host_storage,
                              .code = host_code,
                              .block_hash = host_block_hash,
                              .storage_empty = host_storage_empty };
    const ex_block_config_t config = { &EVM_MAINNET, DEPOSIT_CONTRACT, &host, NULL };
    arena_init(&scratch, MEMORY_MAX);
    rc_t rc = ex_header_follows(&e, &block.header, &parent, &s.ancestors[0], &EVM_MAINNET);
    if (!rc)
        rc = ex_block_execute(&done, &e, a, &scratch, &config, &block);
    arena_free(&scratch);
    if (rc)
        return *e.text ? e.text : rc_name(rc);
    return check_expected(&block, &done, json_object_get(recorded, "expected"));
}

/* --- blocks of which only the body is checked --- */

static const char *check_body(const ex_full_block_t *block, arena_t *a, const json_t *transactions)
{
    hash32_t root;
    if (mpt_list_root(&root, block->transactions, block->transaction_count, a) ||
        !hash32_eq(&root, &block->header.transactions_root))
        return "another transactions root";
    for (size_t i = 0; i < block->transaction_count; i++) {
        static err_t e;
        ex_transaction_t tx;
        addr_t from = vec_addr(vec_str(json_array_get(transactions, i), "from"));
        if (ex_transaction_decode(&tx, &e, a, block->transactions[i], EVM_MAINNET.chain_id))
            return e.text;
        if (!addr_eq(&from, &tx.tx.from))
            return "another sender";
    }
    return NULL;
}

static void check_bodies(vec_t *v, arena_t *a)
{
    ex_header_t parents[PARENTS_MAX];
    hash32_t hashes[PARENTS_MAX];
    size_t count = 0;
    char **files = vec_list(v, a, "rpc-mainnet/blocks");
    for (; files && *files; files++) {
        ex_full_block_t block;
        json_t *file = vec_json(v, "rpc-mainnet/blocks/%s", *files), *object = json_object_get(file, "result");
        object = object ? object : file;
        const char *bad = vec_block(&block, a, object);
        if (!bad)
            bad = check_body(&block, a, json_object_get(object, "transactions"));
        for (size_t i = 0; !bad && i < count; i++)
            if (hash32_eq(&hashes[i], &block.header.parent_hash) &&
                !ex_header_follows(NULL, &block.header, &parents[i], &hashes[i], &EVM_MAINNET))
                bad = NULL;
        if (bad)
            vec_fail(v, *files, "%s", bad);
        else
            vec_pass(v);
        if (!bad && count < PARENTS_MAX) {
            parents[count] = block.header;
            hashes[count++] = block.hash;
        }
        json_decref(file);
    }
}

void vec_kind_mainnet_blocks(vec_t *v)
{
    arena_t names, a;
    arena_init(&names, 16u << 20);
    arena_init(&a, MEMORY_MAX);
    char **folders = vec_list(v, &names, "mainnet-calls");
    for (; folders && *folders; folders++) {
        json_t *block = vec_json(v, "mainnet-calls/%s/block.json", *folders);
        json_t *state = vec_json(v, "mainnet-calls/%s/state.json", *folders);
        const char *bad = execute(&a, block, state);
        if (bad)
            vec_fail(v, *folders, "%s", bad);
        else
            vec_pass(v);
        json_decref(block);
        json_decref(state);
        arena_free(&a);
    }
    check_bodies(v, &a);
    arena_free(&a);
    arena_free(&names);
}
