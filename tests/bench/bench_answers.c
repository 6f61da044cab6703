/* answers: what the text of proof answers costs until all of it is proven (decoded, each node hashed, each trie walked), for 200
 * contracts with two slots each, against the floor: one scan of the text, its nodes' digits to bytes, one hash of each. */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "lightclient/mpt/trie.h"
#include "lightclient/rlp/rlp.h"
#include "rpc/upstream/jsonrpc.h"
#include "tests/bench/bench.h"

#define ACCOUNTS 65536u /* of the state, so that a proof has five nodes or six */
#define SLOTS 4096u     /* of each contract's storage, which is the same for all */
#define CONTRACTS 200u
#define ASKED 2u
#define BATCH 100u
#define ROUNDS 21u
#define NODES_MAX (CONTRACTS * (ASKED + 1) * 12u)
#define MEMORY_MAX ((size_t)1 << 30)

typedef struct {
    need_t needs[CONTRACTS];
    const need_t *asked[CONTRACTS];
    hash32_t slots[CONTRACTS][ASKED], state_root;
    view_t bodies[CONTRACTS / BATCH];
    struct {
        view_t digits;
        view_t bytes;
    } nodes[NODES_MAX];
    size_t node_count, text_len;
} work_t;

static void numbered(uint8_t *out, size_t n, uint32_t i)
{
    memset(out, 0, n);
    for (unsigned k = 0; k < 4; k++)
        out[n - 1 - k] = (uint8_t)(i >> 8 * k);
}

static bool put(mpt_trie_t *t, view_t secured, view_t value)
{
    hash32_t key;
    keccak256(&key, secured);
    return !mpt_trie_put(t, view_of(key.b, sizeof key.b), value, NULL);
}

static bool make_tries(mpt_trie_t *state, mpt_trie_t *storage, arena_t *a)
{
    hash32_t slot, root;
    addr_t addr;
    uint8_t account[128];
    *storage = (mpt_trie_t){ .arena = a };
    *state = (mpt_trie_t){ .arena = a };
    for (uint32_t i = 0; i < SLOTS; i++) {
        uint8_t value[5] = { 0x84, 1, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
        numbered(slot.b, sizeof slot.b, i);
        if (!put(storage, view_of(slot.b, sizeof slot.b), view_of(value, sizeof value)))
            return false;
    }
    if (mpt_trie_root(&root, storage))
        return false;
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        wr_t w = wr_of(account, sizeof account);
        rlp_put_u64(&w, 1);
        rlp_put_u64(&w, i);
        rlp_put_bytes(&w, view_of(root.b, sizeof root.b));
        rlp_put_bytes(&w, view_of(KECCAK_EMPTY.b, sizeof KECCAK_EMPTY.b));
        rlp_wrap_list(&w, 0);
        numbered(addr.b, sizeof addr.b, i);
        if (!put(state, view_of(addr.b, sizeof addr.b), wr_view(&w)))
            return false;
    }
    return true;
}

static bool put_proof(jw_t *w, const char *name, const mpt_trie_t *t, view_t secured)
{
    static view_t nodes[MPT_TRIE_PROOF_MAX];
    size_t count = 0;
    hash32_t key;
    keccak256(&key, secured);
    if (mpt_trie_prove(nodes, &count, t, view_of(key.b, sizeof key.b)))
        return false;
    jw_array(w, name);
    for (size_t i = 0; i < count; i++)
        jw_hex(w, NULL, nodes[i]);
    jw_end(w);
    return true;
}

/* The answer to eth_getProof of a contract. */
static bool put_answer(jw_t *w, work_t *k, const mpt_trie_t *state, const mpt_trie_t *storage, size_t i, size_t id)
{
    const need_t *n = &k->needs[i];
    hash32_t root;
    const uint32_t who = (uint32_t)i * 317 % ACCOUNTS;
    bool made = !mpt_trie_root(&root, storage);
    jw_object(w, NULL);
    jw_str(w, "jsonrpc", "2.0");
    jw_u64(w, "id", id);
    jw_object(w, "result");
    jw_hex(w, "address", view_of(n->addr.b, sizeof n->addr.b));
    made = made && put_proof(w, "accountProof", state, view_of(n->addr.b, sizeof n->addr.b));
    jw_quantity(w, "balance", who);
    jw_hex(w, "codeHash", view_of(KECCAK_EMPTY.b, 32));
    jw_quantity(w, "nonce", 1);
    jw_hex(w, "storageHash", view_of(root.b, 32));
    jw_array(w, "storageProof");
    for (size_t s = 0; s < ASKED; s++) {
        const uint32_t number = (uint32_t)(i * ASKED + s) % SLOTS;
        jw_object(w, NULL);
        jw_hex(w, "key", view_of(k->slots[i][s].b, 32));
        jw_quantity(w, "value", 0x01000000u | number);
        made = made && put_proof(w, "proof", storage, view_of(k->slots[i][s].b, 32));
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
    jw_end(w);
    return made;
}

/* Where the nodes stand in the text: every text of more than 66 characters. */
static bool find_nodes(work_t *k, arena_t *a, view_t body)
{
    const char *p = (const char *)body.p, *end = p + body.n;
    while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
        const char *from = ++p, *to = memchr(p, '"', (size_t)(end - p));
        if (!to)
            return false;
        p = to + 1;
        if (to - from <= 66)
            continue;
        const size_t digits = (size_t)(to - from) - 2;
        if (k->node_count == NODES_MAX)
            return false;
        k->nodes[k->node_count].digits = view_of(from + 2, digits);
        k->nodes[k->node_count++].bytes = view_of(arena_alloc(a, digits / 2), digits / 2);
    }
    return true;
}

static bool make(work_t *k, arena_t *a)
{
    mpt_trie_t state, storage;
    static ex_block_t block;
    if (!make_tries(&state, &storage, a) || mpt_trie_root(&k->state_root, &state))
        return false;
    for (size_t i = 0; i < CONTRACTS; i++) {
        for (size_t s = 0; s < ASKED; s++)
            numbered(k->slots[i][s].b, 32, (uint32_t)(i * ASKED + s) % SLOTS);
        k->needs[i] = (need_t){ .kind = NEED_PROOF, .block = &block, .slots = k->slots[i], .slot_count = ASKED };
        numbered(k->needs[i].addr.b, 20, (uint32_t)i * 317 % ACCOUNTS);
        k->asked[i] = &k->needs[i];
    }
    for (size_t b = 0; b < CONTRACTS / BATCH; b++) {
        bool made = true;
        jw_t w = jw_of(a, JR_BODY_MAX);
        jw_array(&w, NULL);
        for (size_t i = 0; i < BATCH; i++)
            made = made && put_answer(&w, k, &state, &storage, b * BATCH + i, i + 1);
        jw_end(&w);
        k->bodies[b] = jw_done(&w);
        k->text_len += k->bodies[b].n;
        if (!made || !k->bodies[b].p || !find_nodes(k, a, k->bodies[b]))
            return false;
    }
    return true;
}

/* All of it, as a query has it done. */
static bool prove_all(const work_t *k)
{
    static jr_answer_t answers[BATCH];
    static const cap_form_t form;
    arena_t a;
    bool good = true;
    for (size_t b = 0; b < CONTRACTS / BATCH; b++) {
        err_t e;
        arena_init(&a, MEMORY_MAX);
        good = good && !jr_decode(answers, &e, &a, k->asked + b * BATCH, BATCH, &form, k->bodies[b]);
        for (size_t i = 0; good && i < BATCH; i++) {
            const need_t *n = k->asked[b * BATCH + i];
            mpt_account_t account;
            u256_t values[ASKED];
            good = !answers[i].rc && !ex_proof_verify(&account, values, &e, &k->state_root, &n->addr, n->slots,
                                                      n->slot_count, &answers[i].answer.proof);
        }
        arena_free(&a);
    }
    return good;
}

/* What cannot be left out. */
static size_t floor_of(const work_t *k, view_t *bytes, hash32_t *hashes)
{
    size_t quotes = 0;
    for (size_t b = 0; b < CONTRACTS / BATCH; b++) {
        const char *p = (const char *)k->bodies[b].p, *end = p + k->bodies[b].n;
        for (; (p = memchr(p, '"', (size_t)(end - p))) != NULL; p++)
            quotes++;
    }
    for (size_t i = 0; i < k->node_count; i++) {
        bytes[i] = k->nodes[i].bytes;
        quotes += hex_run((uint8_t *)(uintptr_t)bytes[i].p, (const char *)k->nodes[i].digits.p, k->nodes[i].digits.n);
    }
    keccak256_many(hashes, bytes, k->node_count);
    return quotes + hashes[0].b[0];
}

bool bench_answers(const char *dir)
{
    bench_series_t own = { .rounds = 0 }, least = { .rounds = 0 };
    work_t *k = calloc(1, sizeof *k);
    view_t *bytes = calloc(NODES_MAX, sizeof *bytes);
    hash32_t *hashes = calloc(NODES_MAX, sizeof *hashes);
    arena_t a;
    (void)dir;
    arena_init(&a, MEMORY_MAX);
    bool good = k && bytes && hashes && make(k, &a);
    for (unsigned r = 0; good && r < ROUNDS; r++) {
        uint64_t start = bench_cpu_ns();
        good = prove_all(k);
        bench_round(&own, start, 1);
        start = bench_cpu_ns();
        good = floor_of(k, bytes, hashes) > 0 && good;
        bench_round(&least, start, 1);
    }
    if (good) {
        const double mb = (double)k->text_len / 1e6;
        printf("  %u contracts, %u slots each: %.2f MB, %zu nodes\n", CONTRACTS, ASKED, mb, k->node_count);
        bench_line("decoded and proven", &own, 1e6 * mb, "ms/MB");
        bench_line("scanned, digits to bytes, hashed", &least, 1e6 * mb, "ms/MB");
        good = bench_result("answers", bench_best(&own) / 1e6 / mb, "ms/MB", bench_best(&least) / 1e6 / mb, "floor");
    } else
        fprintf(stderr, "bench: answers: a proof does not hold\n");
    arena_free(&a);
    free(k);
    free(bytes);
    free(hashes);
    return good;
}
