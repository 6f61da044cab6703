/* Tries: no list of nodes, however mixed from true and false ones, proves anything about a trie but the truth; and
 * foreign nodes under their own hash are either refused or give a value that stands in them.
 *
 * Input: a mode byte. Odd: [key length][key][node length, 2 bytes][node]... , the root is the hash of the first node.
 * Even: a trie is built from [count][key length, key, value byte]..., then a proof is asked for one key, changed by the
 * bytes that follow, and checked for another. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/trie_build.h"

#define NODES 70u
#define PAIRS 24u
#define KEY_MAX 6u

/* The next key: short, so that keys collide and contain each other. */
static view_t take_key(rd_t *r)
{
    return rd_take(r, rd_u8(r) % (KEY_MAX + 1));
}

static bool inside(view_t part, view_t whole)
{
    return part.p >= whole.p && part.n <= whole.n && part.p + part.n <= whole.p + whole.n;
}

static void foreign(rd_t *r)
{
    view_t node[NODES], value;
    size_t count = 0;
    hash32_t root = EMPTY_TRIE_ROOT;
    view_t key = take_key(r);
    while (r->n >= 2 && count < NODES) {
        size_t n = rd_u16be(r);
        node[count++] = rd_take(r, n < r->n ? n : r->n);
    }
    if (r->bad)
        return;
    if (count)
        keccak256(&root, node[0]);
    if (mpt_verify(&value, &root, key, node, count) || !value.p)
        return;
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |= inside(value, node[i]);
    if (!found)
        abort();
}

/* Removes, doubles, swaps or alters nodes as the input says. */
static void change(trie_proof_t *p, rd_t *r, arena_t *a)
{
    for (unsigned steps = 0; r->n >= 3 && p->count && steps < 8; steps++) {
        uint8_t what = rd_u8(r);
        size_t i = rd_u8(r) % p->count, j = rd_u8(r) % p->count;
        view_t was = p->node[i];
        if (what % 5 == 0) {
            p->node[i] = p->node[--p->count];
        } else if (what % 5 == 1 && p->count < TRIE_PROOF_MAX) {
            p->node[p->count++] = was;
        } else if (what % 5 == 2) {
            p->node[i] = p->node[j];
            p->node[j] = was;
        } else if (what % 5 == 3) {
            view_t copy = arena_dup(a, was);
            if (copy.n)
                ((uint8_t *)(uintptr_t)copy.p)[rd_u8(r) % copy.n] ^= (uint8_t)(1u << what / 32);
            p->node[i] = copy;
        } else {
            p->node[i].n = was.n ? rd_u8(r) % was.n : 0;
        }
    }
}

static void genuine(rd_t *r, arena_t *a)
{
    mpt_pair_t pairs[PAIRS];
    trie_proof_t proof;
    hash32_t root, again;
    size_t n = 0, want = rd_u8(r) % PAIRS;
    for (size_t i = 0; i < want && !r->bad; i++) {
        view_t key = take_key(r);
        uint8_t value = rd_u8(r), *bytes = arena_alloc(a, 64);
        bool twice = false;
        for (size_t j = 0; j < n; j++)
            twice |= view_eq(pairs[j].key, key);
        if (twice || !bytes)
            continue;
        memset(bytes, value | 1, 64);
        pairs[n++] = (mpt_pair_t){ key, view_of(bytes, 1 + value % 64) };
    }
    view_t asked = take_key(r), checked = rd_u8(r) % 2 ? asked : take_key(r), truth = { NULL, 0 }, value;
    if (r->bad)
        return;
    trie_prove(&proof, &root, pairs, n, asked, rd_u8(r) % 2, a);
    if (mpt_root(&again, pairs, n, a) || !hash32_eq(&root, &again))
        abort();
    for (size_t i = 0; i < n; i++)
        if (view_eq(pairs[i].key, checked))
            truth = pairs[i].value;
    bool unchanged = r->n < 3 && view_eq(asked, checked);
    change(&proof, r, a);
    rc_t rc = mpt_verify(&value, &root, checked, proof.node, proof.count);
    if (rc == RC_OK ? !view_eq(value, truth) : unchanged)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    rd_t r = rd_of(view_of(data, len));
    arena_t a;
    arena_init(&a, 16u << 20);
    if (rd_u8(&r) % 2)
        foreign(&r);
    else
        genuine(&r, &a);
    arena_free(&a);
    return 0;
}
