/* trie_build.h - test help: a trie built the plain, recursive way, and proofs taken from it. Written apart from mpt/,
 * so that the two can be compared. */
#ifndef TESTS_TRIE_BUILD_H
#define TESTS_TRIE_BUILD_H

#include <stdlib.h>

#include "base/arena.h"
#include "base/crypto/hash.h"
#include "lightclient/mpt/mpt.h"
#include "lightclient/rlp/rlp.h"

#define TRIE_PROOF_MAX 160u
#define TRIE_NODE_MAX 4096u

typedef struct {
    view_t node[TRIE_PROOF_MAX]; /* root first */
    size_t count;
} trie_proof_t;

typedef struct {
    arena_t *arena;
    const mpt_pair_t *pairs; /* sorted */
    view_t target;           /* key whose proof is wanted */
    bool inline_too;         /* list the nodes that stand inside others, too */
    trie_proof_t *proof;     /* filled leaf first, then reversed */
} trie_t;

static inline unsigned trie_nibble(view_t key, size_t i)
{
    return (i % 2 ? key.p[i / 2] : key.p[i / 2] >> 4) & 15u;
}

/* The hex-prefix form of nibbles from..to of key. */
static inline view_t trie_path(arena_t *a, view_t key, size_t from, size_t to, bool leaf)
{
    uint8_t *out = arena_calloc(a, (to - from) / 2 + 1, 1);
    bool odd = (to - from) % 2;
    size_t at = odd ? 1 : 2; /* nibble in out */
    out[0] = (uint8_t)((leaf ? 0x20 : 0) | (odd ? 0x10 : 0));
    for (size_t i = from; i < to; i++, at++)
        out[at / 2] = (uint8_t)(out[at / 2] | trie_nibble(key, i) << (at % 2 ? 0 : 4));
    return view_of(out, (to - from) / 2 + 1);
}

/* How a parent holds a child: itself when short, else its hash. */
static inline void trie_put_ref(wr_t *w, view_t child)
{
    hash32_t h;
    if (child.n < 32) {
        wr_bytes(w, child.p, child.n);
        return;
    }
    keccak256(&h, child);
    rlp_put_bytes(w, view_of(h.b, sizeof h.b));
}

/* A node of two items: the path, and what is already encoded. */
static inline view_t trie_short(arena_t *a, view_t path, view_t encoded)
{
    wr_t w = wr_of(arena_alloc(a, TRIE_NODE_MAX), TRIE_NODE_MAX);
    rlp_put_bytes(&w, path);
    wr_bytes(&w, encoded.p, encoded.n);
    rlp_wrap_list(&w, 0);
    return w.bad ? (abort(), wr_view(&w)) : wr_view(&w);
}

static inline view_t trie_node(const trie_t *t, size_t from, size_t to, size_t depth, bool on_path);

static inline view_t trie_branch(const trie_t *t, size_t from, size_t to, size_t depth, bool on_path)
{
    wr_t w = wr_of(arena_alloc(t->arena, TRIE_NODE_MAX), TRIE_NODE_MAX);
    view_t value = { NULL, 0 };
    bool more = on_path && depth < 2 * t->target.n;
    if (2 * t->pairs[from].key.n == depth)
        value = t->pairs[from++].value;
    for (unsigned i = 0; i < 16; i++) {
        size_t end = from;
        while (end < to && trie_nibble(t->pairs[end].key, depth) == i)
            end++;
        if (end == from)
            wr_u8(&w, 0x80);
        else
            trie_put_ref(&w, trie_node(t, from, end, depth + 1, more && trie_nibble(t->target, depth) == i));
        from = end;
    }
    rlp_put_bytes(&w, value);
    rlp_wrap_list(&w, 0);
    return w.bad ? (abort(), wr_view(&w)) : wr_view(&w);
}

/* The node that holds pairs from..to, which share their first depth nibbles. */
static inline view_t trie_node(const trie_t *t, size_t from, size_t to, size_t depth, bool on_path)
{
    view_t first = t->pairs[from].key, last = t->pairs[to - 1].key, node;
    size_t shared = depth;
    wr_t w = wr_of(arena_alloc(t->arena, TRIE_NODE_MAX), TRIE_NODE_MAX);
    while (shared < 2 * first.n && shared < 2 * last.n && trie_nibble(first, shared) == trie_nibble(last, shared))
        shared++;
    if (to - from == 1) {
        rlp_put_bytes(&w, t->pairs[from].value);
        node = trie_short(t->arena, trie_path(t->arena, first, depth, 2 * first.n, true), wr_view(&w));
    } else if (shared > depth) {
        bool more = on_path && 2 * t->target.n >= shared;
        for (size_t i = depth; more && i < shared; i++)
            more = trie_nibble(first, i) == trie_nibble(t->target, i);
        view_t child = trie_branch(t, from, to, shared, more);
        trie_put_ref(&w, child);
        if (more && (child.n >= 32 || t->inline_too))
            t->proof->node[t->proof->count++] = child;
        node = trie_short(t->arena, trie_path(t->arena, first, depth, shared, false), wr_view(&w));
    } else {
        node = trie_branch(t, from, to, depth, on_path);
    }
    if (on_path && (depth == 0 || node.n >= 32 || t->inline_too))
        t->proof->node[t->proof->count++] = node;
    return node;
}

static inline int trie_order(const void *a, const void *b)
{
    view_t x = ((const mpt_pair_t *)a)->key, y = ((const mpt_pair_t *)b)->key;
    size_t n = x.n < y.n ? x.n : y.n;
    int order = n ? memcmp(x.p, y.p, n) : 0;
    return order ? order : x.n < y.n ? -1 : x.n > y.n;
}

/* Sorts the pairs, gives the trie's root and the proof of one key (present or not) in it. */
static inline void trie_prove(trie_proof_t *proof, hash32_t *root, mpt_pair_t *pairs, size_t count, view_t key,
                              bool inline_too, arena_t *a)
{
    trie_t t = { .arena = a, .pairs = pairs, .target = key, .inline_too = inline_too, .proof = proof };
    proof->count = 0;
    *root = EMPTY_TRIE_ROOT;
    if (count == 0)
        return;
    qsort(pairs, count, sizeof *pairs, trie_order);
    keccak256(root, trie_node(&t, 0, count, 0, true));
    for (size_t i = 0; i < proof->count / 2; i++) {
        view_t swap = proof->node[i];
        proof->node[i] = proof->node[proof->count - 1 - i];
        proof->node[proof->count - 1 - i] = swap;
    }
}

#endif
