/* blockchain: chains of whole blocks from a genesis state. Every block is decoded, put after its parent and executed;
 * the invalid ones must be refused for a reason that fits, the others must lead to the expected head and state. */
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/block.h"
#include "tests/vectors/world_vec.h"

#define STATE_MEMORY_MAX ((size_t)1 << 30)
#define BLOCK_MEMORY_MAX ((size_t)512 << 20)
#define BLOCKS_MAX 1024u
#define ROWS_MAX 3u

/* A block of the chain, and the state after it. world comes first: host callbacks get a pointer to both. */
typedef struct entry {
    ex_world_t world;
    const struct entry *parent;
    ex_header_t header;
    hash32_t hash;
    ex_world_t next; /* the state after the child that is being executed */
} entry_t;

typedef struct {
    arena_t state, block, scratch;
    evm_chain_t chain;
    evm_schedule_row_t rows[ROWS_MAX];
    entry_t *entries[BLOCKS_MAX];
    size_t count;
    err_t e; /* of the last refusal */
} run_t;

static const struct {
    const char *name;
    evm_rules_t rules;
} forks[] = {
    { "Paris", { EVM_PARIS, 0, 0, 0, NULL } },         { "Shanghai", { EVM_SHANGHAI, 0, 0, 0, NULL } },
    { "Cancun", { EVM_CANCUN, 3, 6, 3338477, NULL } }, { "Prague", { EVM_PRAGUE, 6, 9, 5007716, NULL } },
    { "Osaka", { EVM_OSAKA, 6, 9, 5007716, NULL } },   { "BPO1", { EVM_OSAKA, 10, 15, 8346193, NULL } },
    { "BPO2", { EVM_OSAKA, 14, 21, 11684671, NULL } },
};

/* What the format calls a fault, and what we do; the first that stands in the expectation's alternatives and fits
 * counts. */
static const struct {
    const char *theirs, *ours;
} faults[] = {
    { "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS", "ommers" },
    { "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS", "difficulty is not zero" },
    { "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT", "not later than the parent" },
    { "INVALID_BLOCK_NUMBER", "number is not the parent's and one" },
    { "INVALID_GASLIMIT", "gas limit too far from the parent's, or out of range" },
    { "GASLIMIT_TOO_BIG", "gas limit too far from the parent's, or out of range" },
    { "GAS_USED_OVERFLOW", "gas used above the limit" },
    { "GAS_USED_OVERFLOW", "gas limit above what the block has left" },
    { "UNKNOWN_PARENT", "unknown parent" },
    { "EXTRA_DATA_TOO_BIG", "header does not parse" },
    { "RLP_STRUCTURES_ENCODING", "header does not parse" },
    { "RLP_STRUCTURES_ENCODING", "not one RLP list of a block" },
    { "RLP_STRUCTURES_ENCODING", "withdrawals do not parse" },
    { "RLP_STRUCTURES_ENCODING", "transactions are no list" },
    { "RLP_INVALID_FIELD_OVERFLOW_64", "withdrawals do not parse" },
    { "RLP_WITHDRAWALS_NOT_READ", "withdrawals of another fork" },
    { "RLP_BLOCK_LIMIT_EXCEEDED", "block too long" },
    { "INVALID_STATE_ROOT", "another state root" },
    { "INVALID_TRANSACTIONS_ROOT", "another transactions root" },
    { "INVALID_RECEIPTS_ROOT", "another receipts root" },
    { "INVALID_WITHDRAWALS_ROOT", "another withdrawals root" },
    { "INVALID_LOG_BLOOM", "another logs bloom" },
    { "INVALID_GAS_USED", "another gas used" },
    { "INVALID_REQUESTS", "another requests hash" },
    { "INVALID_DEPOSIT_EVENT_LAYOUT", "a deposit event has another layout" },
    { "INVALID_BASEFEE_PER_GAS", "another base fee" },
    { "INCORRECT_BLOCK_FORMAT", "fields of another fork" },
    { "INCORRECT_BLOCK_FORMAT", "header does not parse" },
    { "INCORRECT_EXCESS_BLOB_GAS", "another excess blob gas" },
    { "INCORRECT_BLOB_GAS_USED", "another blob gas used" },
    { "INCORRECT_BLOB_GAS_USED", "blob gas used out of range" },
    { "BLOB_GAS_USED_ABOVE_LIMIT", "blob gas used out of range" },
    { "SYSTEM_CONTRACT_EMPTY", "a system contract is missing" },
    { "SYSTEM_CONTRACT_CALL_FAILED", "a system call fails" },
    { "INTRINSIC_GAS_TOO_LOW", "intrinsic gas above the gas limit" },
    { "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST", "intrinsic gas above the gas limit" },
    { "GAS_LIMIT_EXCEEDS_MAXIMUM", "gas limit above the maximum of a transaction" },
    { "GAS_ALLOWANCE_EXCEEDED", "gas limit above what the block has left" },
    { "INSUFFICIENT_ACCOUNT_FUNDS", "balance does not cover the costs" },
    { "INSUFFICIENT_MAX_FEE_PER_GAS", "fee cap below the base fee" },
    { "INSUFFICIENT_MAX_FEE_PER_GAS", "intrinsic gas above the gas limit" }, /* both are true of two transactions */
    { "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS", "blob fee cap below the blob base fee" },
    { "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS", "priority fee above the fee cap" },
    { "SENDER_NOT_EOA", "sender has code" },
    { "NONCE_MISMATCH", "nonce is not the sender's" },
    { "NONCE_IS_MAX", "nonce at its maximum" },
    { "INITCODE_SIZE_EXCEEDED", "init code too long" },
    { "INVALID_CHAINID", "signed for another chain" },
    { "INVALID_SIGNATURE_VRS", "nobody signed it" },
    { "TYPE_3_TX_ZERO_BLOBS", "a blob transaction without blobs" },
    { "TYPE_3_TX_BLOB_COUNT_EXCEEDED", "too many blobs" },
    { "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED", "too many blobs" },
    { "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED", "blob gas used out of range" },
    { "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH", "a blob hash of an unknown version" },
    { "TYPE_3_TX_PRE_FORK", "a transaction type that the fork does not have" },
    { "TYPE_3_TX_CONTRACT_CREATION", "receiver is no address" },
    { "TYPE_3_TX_CONTRACT_CREATION", "a blob transaction without receiver" },
    { "TYPE_4_TX_CONTRACT_CREATION", "a set-code transaction without receiver" },
    { "TYPE_4_EMPTY_AUTHORIZATION_LIST", "a set-code transaction without authorizations" },
    { "TYPE_4_TX_PRE_FORK", "a transaction type that the fork does not have" },
    { "TYPE_4_INVALID_AUTHORIZATION_FORMAT", "authorization does not parse" },
};

/* Whether our reason is one of theirs ("A|B"); a name that is not in the table fits no reason. */
static bool fits(const char *theirs, const char *why)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (strstr(theirs, faults[i].theirs) && !strcmp(why, faults[i].ours))
            return true;
    return false;
}

/* --- the chain's rules --- */

static const evm_rules_t *find_fork(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof forks / sizeof forks[0]; i++)
        if (strlen(forks[i].name) == n && !memcmp(forks[i].name, name, n))
            return &forks[i].rules;
    return NULL;
}

static bool add_row(run_t *r, const json_t *config, uint64_t timestamp, const char *name, size_t n)
{
    char fork[32];
    const evm_rules_t *known = find_fork(name, n);
    if (!known || n >= sizeof fork || r->chain.count == ROWS_MAX)
        return false;
    memcpy(fork, name, n);
    fork[n] = 0;
    evm_rules_t rules = *known;
    const json_t *blobs = json_object_get(json_object_get(config, "blobSchedule"), fork);
    if (blobs) {
        rules.blob_target = vec_u64(vec_str(blobs, "target"));
        rules.blob_max = vec_u64(vec_str(blobs, "max"));
        rules.blob_base_fee_update_fraction = vec_u64(vec_str(blobs, "baseFeeUpdateFraction"));
    }
    r->rows[r->chain.count++] = (evm_schedule_row_t){ timestamp, rules };
    return true;
}

/* "Cancun", or "CancunToPragueAtTime15k". */
static bool read_chain(run_t *r, const json_t *test)
{
    const json_t *config = json_object_get(test, "config");
    const char *name = vec_str(test, "network"), *to = name ? strstr(name, "To") : NULL;
    const char *at = to ? strstr(to, "AtTime15k") : NULL;
    r->chain = (evm_chain_t){ .chain_id = vec_str(config, "chainid") ? vec_u64(vec_str(config, "chainid")) : 1,
                              .rows = r->rows };
    if (!at)
        return name && add_row(r, config, 0, name, strlen(name));
    return add_row(r, config, 0, name, (size_t)(to - name)) && add_row(r, config, 15000, to + 2, (size_t)(at - to) - 2);
}

/* --- blocks --- */

static entry_t *find_entry(const run_t *r, const hash32_t *hash)
{
    for (size_t i = r->count; i-- > 0;)
        if (hash32_eq(&r->entries[i]->hash, hash))
            return r->entries[i];
    return NULL;
}

static rc_t block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    const entry_t *e = ctx;
    while (e && e->header.number > number)
        e = e->parent;
    if (!e || e->header.number != number)
        return RC_BUG;
    *out = e->hash;
    return RC_OK;
}

static rc_t state_root(void *ctx, hash32_t *out, const evm_change_t *changes, size_t count)
{
    entry_t *e = ctx;
    e->next = e->world;
    rc_t rc = ex_world_apply(&e->next, changes, count);
    return rc ? rc : ex_world_root(out, &e->next);
}

static rc_t add_entry(run_t *r, const ex_full_block_t *block, const entry_t *parent, const ex_world_t *world)
{
    entry_t *e = arena_calloc(&r->state, 1, sizeof *e);
    if (!e || r->count == BLOCKS_MAX)
        return RC_NOMEM;
    *e = (entry_t){ .world = *world, .parent = parent, .header = block->header, .hash = block->hash };
    r->entries[r->count++] = e;
    return RC_OK;
}

/* Some blocks that hold an invalid transaction have the root of the list without it. What is wrong with the
 * transaction is found when the root is put right; the reason then replaces the first one. */
static void again_with_root(run_t *r, const ex_block_config_t *config, const ex_full_block_t *block)
{
    ex_full_block_t b = *block;
    ex_executed_t done;
    err_t e;
    if (!mpt_list_root(&b.header.transactions_root, b.transactions, b.transaction_count, &r->scratch) &&
        ex_block_execute(&done, &e, &r->block, &r->scratch, config, &b) && !strstr(e.text, "another "))
        r->e = e;
}

static rc_t import(run_t *r, view_t rlp)
{
    static const addr_t deposit_contract = { { 0x00, 0x00, 0x00, 0x00, 0x21, 0x9a, 0xb5, 0x40, 0x35, 0x6c,
                                               0xbb, 0x83, 0x9c, 0xbe, 0x05, 0x30, 0x3d, 0x77, 0x05, 0xfa } };
    ex_full_block_t block;
    ex_executed_t done;
    rc_t rc = ex_block_decode(&block, &r->e, &r->block, rlp);
    if (rc)
        return rc;
    entry_t *parent = find_entry(r, &block.header.parent_hash);
    if (!parent)
        return err_say(&r->e, RC_REFUSED, "unknown parent");
    evm_host_t host = ex_world_host(&parent->world);
    host.ctx = parent;
    host.block_hash = block_hash;
    const ex_block_config_t config = { &r->chain, deposit_contract, &host, state_root };
    rc = ex_header_follows(&r->e, &block.header, &parent->header, &parent->hash, &r->chain);
    if (!rc)
        rc = ex_block_execute(&done, &r->e, &r->block, &r->scratch, &config, &block);
    if (rc == RC_REFUSED && !strcmp(r->e.text, "another transactions root")) /* what else is wrong */
        again_with_root(r, &config, &block);
    return rc ? rc : add_entry(r, &block, parent, &parent->next);
}

/* --- cases --- */

static const char *read_genesis(run_t *r, const json_t *test)
{
    ex_full_block_t genesis;
    ex_world_t world;
    hash32_t root, want = vec_hash(vec_str(json_object_get(test, "genesisBlockHeader"), "hash"));
    view_t rlp = vec_hex(&r->state, vec_str(test, "genesisRLP"));
    if (!read_chain(r, test))
        return "an unknown network";
    if (ex_block_decode(&genesis, &r->e, &r->state, rlp) || !hash32_eq(&genesis.hash, &want))
        return "another genesis";
    if (!vec_world(&world, &r->state, json_object_get(test, "pre")) || ex_world_root(&root, &world))
        return "no memory";
    if (!hash32_eq(&root, &genesis.header.state_root))
        return "another root of the genesis state";
    return add_entry(r, &genesis, NULL, &world) ? "no memory" : NULL;
}

static const char *import_all(run_t *r, const json_t *blocks)
{
    for (size_t i = 0; i < json_array_size(blocks); i++) {
        const json_t *b = json_array_get(blocks, i);
        const char *exception = vec_str(b, "expectException");
        rc_t rc = import(r, vec_hex(&r->block, vec_str(b, "rlp")));
        arena_free(&r->block);
        if (rc && !rc_blames_input(rc))
            return rc_name(rc);
        if (!rc && exception)
            return exception;
        if (rc && (!exception || !fits(exception, r->e.text)))
            return r->e.text;
    }
    return NULL;
}

/* The head is the last block that was valid. */
static const char *check_head(run_t *r, const json_t *test)
{
    const entry_t *head = r->entries[r->count - 1];
    hash32_t root = head->header.state_root, want = vec_hash(vec_str(test, "lastblockhash"));
    json_t *post = json_object_get(test, "postState");
    ex_world_t world;
    if (!hash32_eq(&want, &head->hash))
        return "another head";
    if (post && (!vec_world(&world, &r->state, post) || ex_world_root(&root, &world)))
        return "no memory";
    return hash32_eq(&root, &head->header.state_root) ? NULL : "another state at the end";
}

static void check(vec_t *v, const char *name, const json_t *test)
{
    run_t r = { 0 };
    arena_init(&r.state, STATE_MEMORY_MAX);
    arena_init(&r.block, BLOCK_MEMORY_MAX);
    arena_init(&r.scratch, BLOCK_MEMORY_MAX);
    const char *bad = read_genesis(&r, test);
    if (!bad)
        bad = import_all(&r, json_object_get(test, "blocks"));
    if (!bad)
        bad = check_head(&r, test);
    if (bad)
        vec_fail(v, name, "%s (after %zu blocks)", bad, r.count);
    else
        vec_pass(v);
    arena_free(&r.state);
    arena_free(&r.block);
    arena_free(&r.scratch);
}

void vec_kind_blockchain(vec_t *v)
{
    arena_t a;
    arena_init(&a, 64u << 20);
    char **files = vec_walk(v, &a, "blockchain", ".json");
    for (; files && *files; files++) {
        json_t *tests = vec_json(v, "%s", *files), *test;
        const char *name;
        if (!tests)
            vec_fail(v, *files, "does not parse");
        json_object_foreach (tests, name, test)
            if (json_object_get(test, "blocks"))
                check(v, name, test);
        json_decref(tests);
    }
    arena_free(&a);
}
