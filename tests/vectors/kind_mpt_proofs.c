/* mpt-proofs: eth_getProof answers, recorded from mainnet providers and from the clients of local chains. The claimed
 * fields must be what the proofs show, and the same proofs must be refused once they are cut short or altered. */
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/mpt/mpt.h"
#include "tests/vectors/vec.h"

typedef struct {
    view_t nodes[2 * MPT_PROOF_NODES_MAX];
    size_t count;
} proof_t;

static void proof_of(proof_t *p, arena_t *a, const json_t *list)
{
    p->count = 0;
    for (size_t i = 0; i < json_array_size(list) && p->count < 2 * MPT_PROOF_NODES_MAX; i++)
        p->nodes[p->count++] = vec_hex(a, json_string_value(json_array_get(list, i)));
}

/* Removes the last node that is not empty. */
static proof_t cut(const proof_t *p)
{
    proof_t q = *p;
    while (q.count && q.nodes[--q.count].n == 0)
        ;
    return q;
}

/* The same with one bit of its last node changed. */
static proof_t altered(const proof_t *p, arena_t *a)
{
    proof_t q = *p;
    size_t i = cut(p).count;
    view_t copy = arena_dup(a, p->nodes[i]);
    uint8_t *b = arena_alloc(a, copy.n);
    memcpy(b, copy.p, copy.n);
    b[copy.n - 1] ^= 1;
    q.nodes[i] = view_of(b, copy.n);
    return q;
}

static const char *check_account(mpt_account_t *out, const json_t *result, const hash32_t *state_root, arena_t *a)
{
    addr_t addr;
    uint8_t balance[32];
    hash32_t storage_hash, code_hash;
    proof_t p;
    mpt_account_t other;
    if (!vec_hex_fixed(addr.b, sizeof addr.b, vec_str(result, "address")) ||
        !vec_hex_fixed(balance, sizeof balance, vec_str(result, "balance")) ||
        !vec_hex_fixed(storage_hash.b, 32, vec_str(result, "storageHash")) ||
        !vec_hex_fixed(code_hash.b, 32, vec_str(result, "codeHash")))
        return "cannot be read";
    proof_of(&p, a, json_object_get(result, "accountProof"));
    if (mpt_verify_account(out, state_root, &addr, p.nodes, p.count))
        return "account proof refused";
    u256_t claimed = u256_from_be32(balance);
    if (out->nonce != vec_u64(vec_str(result, "nonce")) || !u256_eq(&out->balance, &claimed))
        return "another nonce or balance";
    bool zeros = !out->exists && hash32_is_zero(&storage_hash) && hash32_is_zero(&code_hash);
    if (!zeros && (!hash32_eq(&out->storage_root, &storage_hash) || !hash32_eq(&out->code_hash, &code_hash)))
        return "another storage root or code hash";
    proof_t shorter = cut(&p), changed = altered(&p, a);
    if (!mpt_verify_account(&other, state_root, &addr, shorter.nodes, shorter.count))
        return "cut account proof accepted";
    if (!mpt_verify_account(&other, state_root, &addr, changed.nodes, changed.count))
        return "altered account proof accepted";
    return NULL;
}

static const char *check_slot(const json_t *claim, const hash32_t *storage_root, arena_t *a)
{
    hash32_t key;
    uint8_t value[32];
    u256_t got;
    proof_t p;
    if (!vec_hex_fixed(key.b, sizeof key.b, vec_str(claim, "key")) ||
        !vec_hex_fixed(value, 32, vec_str(claim, "value")))
        return "cannot be read";
    proof_of(&p, a, json_object_get(claim, "proof"));
    if (mpt_verify_slot(&got, storage_root, &key, p.nodes, p.count))
        return "storage proof refused";
    u256_t claimed = u256_from_be32(value);
    if (!u256_eq(&got, &claimed))
        return "another value";
    if (cut(&p).count == 0)
        return NULL; /* the empty trie, or its root alone */
    proof_t shorter = cut(&p), changed = altered(&p, a);
    if (!mpt_verify_slot(&got, storage_root, &key, shorter.nodes, shorter.count))
        return "cut storage proof accepted";
    if (!mpt_verify_slot(&got, storage_root, &key, changed.nodes, changed.count))
        return "altered storage proof accepted";
    return NULL;
}

static void run_case(vec_t *v, const char *file, const char *state_root_hex, const json_t *result, arena_t *a)
{
    const json_t *slots = json_object_get(result, "storageProof");
    const char *address = vec_str(result, "address"), *fault;
    arena_mark_t mark = arena_mark(a);
    hash32_t state_root;
    mpt_account_t account;
    char name[256];
    snprintf(name, sizeof name, "%s %s", file, address ? address : "?");
    fault = vec_hex_fixed(state_root.b, sizeof state_root.b, state_root_hex)
                ? check_account(&account, result, &state_root, a)
                : "cannot be read";
    for (size_t i = 0; !fault && i < json_array_size(slots); i++)
        fault = check_slot(json_array_get(slots, i), &account.storage_root, a);
    if (fault)
        vec_fail(v, name, "%s", fault);
    else
        vec_pass(v);
    arena_rollback(a, mark);
}

/* State root of the block of this number, from the exchanges of the same file. */
static const char *root_of(const json_t *exchanges, const char *number)
{
    for (size_t i = 0; number && i < json_array_size(exchanges); i++) {
        const json_t *block = json_object_get(json_array_get(exchanges, i), "result");
        const char *root = vec_str(block, "stateRoot"), *its = vec_str(block, "number");
        if (root && its && !strcmp(its, number))
            return root;
    }
    return NULL;
}

/* One of: a list of answers with their state root; recorded exchanges; accounts of one state. */
static void run_file(vec_t *v, const char *file, const json_t *tests, arena_t *a)
{
    const json_t *accounts = json_object_get(tests, "accounts");
    for (size_t i = 0; i < json_array_size(accounts); i++)
        run_case(v, file, vec_str(tests, "state_root"), json_array_get(accounts, i), a);
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i), *result = json_object_get(test, "result");
        const char *number = json_string_value(json_array_get(json_object_get(test, "params"), 2));
        if (json_object_get(result, "accountProof"))
            run_case(v, file, number ? root_of(tests, number) : vec_str(test, "state_root"), result, a);
    }
}

void vec_kind_mpt_proofs(vec_t *v)
{
    static const struct {
        const char *folder, *suffix, *part;
    } source[] = { { "mpt-proofs", ".json", "" },
                   { "mainnet-calls", "state.json", "" },
                   { "devnet", ".json", "/rpc/" },
                   { "devnet", ".json", "/anvil/" } };
    arena_t a;
    arena_init(&a, 64u << 20);
    for (size_t i = 0; i < sizeof source / sizeof source[0]; i++) {
        arena_mark_t mark = arena_mark(&a);
        char **files = vec_walk(v, &a, source[i].folder, source[i].suffix);
        for (; files && *files; files++) {
            if (!strstr(*files, source[i].part))
                continue;
            json_t *tests = vec_json(v, "%s", *files);
            if (!tests)
                vec_fail(v, *files, "does not parse");
            run_file(v, *files, tests, &a);
            json_decref(tests);
        }
        arena_rollback(&a, mark);
    }
    arena_free(&a);
}
