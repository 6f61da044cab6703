/* world.h - a small made-up state with real tries, so that tests can prove anything about it: an honest upstream in C.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <check.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/exec/call.h"
#include "lightclient/rlp/rlp.h"

#define WORLD_SLOTS 80u
#ifndef WORLD_CODE_MAX
#define WORLD_CODE_MAX 256u
#endif
#define WORLD_MUST(x) ((x) ? (void)0 : abort()) /* also on a server's thread, where Check's assertions have no place */
#ifndef WORLD_ACCOUNTS
#define WORLD_ACCOUNTS 16u
#endif

typedef struct {
    addr_t addr;
    uint64_t nonce;
    u256_t balance;
    uint8_t code[WORLD_CODE_MAX];
    size_t code_len;
    struct {
        hash32_t key;
        u256_t value;
    } slots[WORLD_SLOTS];
    size_t slot_count;
} world_account_t;

typedef struct {
    arena_t arena;
    world_account_t accounts[WORLD_ACCOUNTS];
    size_t count;
} world_t;

/* ---- a trie over hashed keys; nodes are never shorter than 32 bytes here ---- */

typedef struct {
    hash32_t key;
    view_t value;
} world_leaf_t;

typedef struct {
    view_t nodes[70];
    size_t count;
} world_path_t;

static inline unsigned world_nibble(const hash32_t *h, size_t i)
{
    return i % 2 ? h->b[i / 2] & 15 : h->b[i / 2] >> 4;
}

/* Hex-prefix form of nibbles [from, to). */
static inline void world_put_path(wr_t *w, const hash32_t *key, size_t from, size_t to, bool leaf)
{
    uint8_t out[33];
    size_t n = 0;
    unsigned flag = leaf ? 2 : 0;
    if ((to - from) % 2)
        out[n++] = (uint8_t)((flag | 1) << 4 | world_nibble(key, from++));
    else
        out[n++] = (uint8_t)(flag << 4);
    for (; from < to; from += 2)
        out[n++] = (uint8_t)(world_nibble(key, from) << 4 | world_nibble(key, from + 1));
    rlp_put_bytes(w, view_of(out, n));
}

/* Hash of the node over n leaves (sorted by key) that share their first `depth` nibbles. With a path, the nodes towards
 * `key` are put there, this one first. */
static hash32_t world_node(arena_t *a, const world_leaf_t *leaves, size_t n, size_t depth, const hash32_t *key,
                           world_path_t *path)
{
    const size_t cap = 2048;
    wr_t w = wr_of(arena_alloc(a, cap), cap);
    hash32_t hash;
    size_t own = path ? path->count++ : 0, end = depth;
    while (n > 1 && world_nibble(&leaves[0].key, end) == world_nibble(&leaves[n - 1].key, end))
        end++;
    if (n == 1) {
        world_put_path(&w, &leaves[0].key, depth, 64, true);
        rlp_put_bytes(&w, leaves[0].value);
    } else if (end > depth) {
        bool follow = path != NULL;
        for (size_t i = depth; i < end && follow; i++)
            follow = world_nibble(key, i) == world_nibble(&leaves[0].key, i);
        hash32_t child = world_node(a, leaves, n, end, key, follow ? path : NULL);
        world_put_path(&w, &leaves[0].key, depth, end, false);
        rlp_put_bytes(&w, view_of(child.b, 32));
    } else {
        for (unsigned x = 0, at = 0; x < 16; x++) {
            unsigned first = at;
            while (at < n && world_nibble(&leaves[at].key, depth) == x)
                at++;
            if (first == at) {
                rlp_put_bytes(&w, view_of(NULL, 0));
                continue;
            }
            hash32_t child = world_node(a, leaves + first, at - first, depth + 1, key,
                                        path && world_nibble(key, depth) == x ? path : NULL);
            rlp_put_bytes(&w, view_of(child.b, 32));
        }
        rlp_put_bytes(&w, view_of(NULL, 0));
    }
    rlp_wrap_list(&w, 0);
    WORLD_MUST(!w.bad && w.n >= 32);
    keccak256(&hash, wr_view(&w));
    if (path)
        path->nodes[own] = wr_view(&w);
    return hash;
}

static int world_by_key(const void *a, const void *b)
{
    return memcmp(((const world_leaf_t *)a)->key.b, ((const world_leaf_t *)b)->key.b, 32);
}

/* Root of a trie; path (may be NULL) receives the proof for the hashed key. */
static hash32_t world_trie(arena_t *a, world_leaf_t *leaves, size_t n, const hash32_t *key, world_path_t *path)
{
    if (path)
        path->count = 0;
    if (n == 0)
        return EMPTY_TRIE_ROOT;
    qsort(leaves, n, sizeof *leaves, world_by_key);
    return world_node(a, leaves, n, 0, key, path);
}

/* ---- state ---- */

static hash32_t world_storage(world_t *w, const world_account_t *acct, const hash32_t *slot, world_path_t *path)
{
    world_leaf_t leaves[WORLD_SLOTS];
    size_t n = 0;
    hash32_t key = { { 0 } };
    for (size_t i = 0; i < acct->slot_count; i++) {
        wr_t v = wr_of(arena_alloc(&w->arena, 40), 40);
        if (u256_is_zero(&acct->slots[i].value))
            continue;
        rlp_put_u256(&v, &acct->slots[i].value);
        keccak256(&leaves[n].key, view_of(acct->slots[i].key.b, 32));
        leaves[n++].value = wr_view(&v);
    }
    if (slot)
        keccak256(&key, view_of(slot->b, 32));
    return world_trie(&w->arena, leaves, n, &key, path);
}

static hash32_t world_code_hash(const world_account_t *acct)
{
    hash32_t h;
    keccak256(&h, view_of(acct->code, acct->code_len));
    return h;
}

static hash32_t world_state(world_t *w, const addr_t *addr, world_path_t *path)
{
    world_leaf_t leaves[WORLD_ACCOUNTS];
    hash32_t key = { { 0 } };
    for (size_t i = 0; i < w->count; i++) {
        const world_account_t *acct = &w->accounts[i];
        hash32_t storage = world_storage(w, acct, NULL, NULL), code = world_code_hash(acct);
        wr_t v = wr_of(arena_alloc(&w->arena, 200), 200);
        rlp_put_u64(&v, acct->nonce);
        rlp_put_u256(&v, &acct->balance);
        rlp_put_bytes(&v, view_of(storage.b, 32));
        rlp_put_bytes(&v, view_of(code.b, 32));
        rlp_wrap_list(&v, 0);
        keccak256(&leaves[i].key, view_of(acct->addr.b, 20));
        leaves[i].value = wr_view(&v);
    }
    if (addr)
        keccak256(&key, view_of(addr->b, 20));
    return world_trie(&w->arena, leaves, w->count, &key, path);
}

static inline hash32_t world_root(world_t *w)
{
    return world_state(w, NULL, NULL);
}

static world_account_t *world_find(world_t *w, const addr_t *addr)
{
    for (size_t i = 0; i < w->count; i++)
        if (addr_eq(&w->accounts[i].addr, addr))
            return &w->accounts[i];
    return NULL;
}

static inline addr_t world_addr(unsigned x)
{
    addr_t a = { { 0xac } };
    a.b[18] = (uint8_t)(x >> 8);
    a.b[19] = (uint8_t)x;
    return a;
}

static inline hash32_t world_key(uint64_t x)
{
    hash32_t h = { { 0 } };
    store_u64be(h.b + 24, x);
    return h;
}

static inline world_account_t *world_add(world_t *w, addr_t addr, const char *code_hex)
{
    ck_assert_uint_lt(w->count, WORLD_ACCOUNTS);
    world_account_t *acct = &w->accounts[w->count++];
    memset(acct, 0, sizeof *acct);
    acct->addr = addr;
    acct->nonce = 1;
    acct->balance = u256_of(1000);
    ck_assert_int_eq(hex_decode(acct->code, &acct->code_len, sizeof acct->code, code_hex, strlen(code_hex)), RC_OK);
    return acct;
}

static inline void world_set(world_account_t *acct, uint64_t key, u256_t value)
{
    hash32_t k = world_key(key);
    size_t i = 0;
    while (i < acct->slot_count && !hash32_eq(&acct->slots[i].key, &k))
        i++;
    WORLD_MUST(i < WORLD_SLOTS);
    acct->slots[i].key = k;
    acct->slots[i].value = value;
    if (i == acct->slot_count)
        acct->slot_count++;
}

static ex_nodes_t world_nodes(world_t *w, const world_path_t *path)
{
    view_t *nodes = arena_alloc(&w->arena, path->count * sizeof *nodes);
    memcpy(nodes, path->nodes, path->count * sizeof *nodes);
    return (ex_nodes_t){ nodes, path->count };
}

/* What an honest server answers to eth_getProof; in the world's arena. */
static inline ex_proof_answer_t world_proof(world_t *w, const addr_t *addr, const hash32_t *slots, size_t count)
{
    world_path_t path = { .count = 0 };
    world_account_t nobody = { .addr = *addr }, *acct = world_find(w, addr);
    ex_proof_answer_t out = { .address = *addr, .slot_count = count };
    if (!acct)
        acct = &nobody;
    out.nonce = acct->nonce;
    out.balance = acct->balance;
    out.code_hash = world_code_hash(acct);
    out.storage_hash = world_storage(w, acct, NULL, NULL);
    world_state(w, addr, &path);
    out.account_proof = world_nodes(w, &path);
    out.slots = arena_calloc(&w->arena, count, sizeof *out.slots);
    for (size_t i = 0; i < count; i++) {
        world_storage(w, acct, &slots[i], &path);
        out.slots[i].proof = world_nodes(w, &path);
        out.slots[i].key = u256_from_be32(slots[i].b);
        for (size_t k = 0; k < acct->slot_count; k++)
            if (hash32_eq(&acct->slots[k].key, &slots[i]))
                out.slots[i].value = acct->slots[k].value;
    }
    return out;
}

static inline view_t world_code(world_t *w, const addr_t *addr)
{
    const world_account_t *acct = world_find(w, addr);
    return acct ? view_of(acct->code, acct->code_len) : (view_t){ NULL, 0 };
}

static inline void world_init(world_t *w)
{
    memset(w, 0, sizeof *w);
    arena_init(&w->arena, 256u << 20);
}

static inline void world_clear(world_t *w)
{
    arena_free(&w->arena);
}

#endif
