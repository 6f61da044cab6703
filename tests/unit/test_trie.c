/* Writable tries: known roots, and every step of random changes against tests/trie_build.h, which is written apart. */
#include <check.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/mpt/trie.h"
#include "tests/trie_build.h"
#include "tests/unit/unit.h"

static arena_t arena;

static void setup(void)
{
    arena_init(&arena, 64u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

static void ck_root(const mpt_trie_t *t, const char *want)
{
    hash32_t root;
    char hex[65];
    ck_assert_int_eq(mpt_trie_root(&root, t), RC_OK);
    hex_encode(hex, view_of(root.b, 32));
    ck_assert_str_eq(hex, want);
}

static void put(mpt_trie_t *t, const char *key, const char *value)
{
    ck_assert_int_eq(mpt_trie_put(t, view_str(key), view_str(value), value), RC_OK);
}

START_TEST(roots_are_the_known_ones)
{
    /* ethereum/tests TrieTests/trietest.json: "emptyValues", "dogs", "puppy" */
    mpt_trie_t t = { .arena = &arena };
    ck_root(&t, "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    put(&t, "doe", "reindeer");
    put(&t, "dog", "puppy");
    put(&t, "dogglesworth", "cat");
    ck_root(&t, "8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3");
    ck_assert_int_eq(mpt_trie_remove(&t, view_str("doe")), RC_OK);
    ck_assert_int_eq(mpt_trie_remove(&t, view_str("dogglesworth")), RC_OK);
    put(&t, "do", "verb");
    put(&t, "horse", "stallion");
    put(&t, "doge", "coin");
    ck_root(&t, "5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84");
}
END_TEST

/* A branch that had longer keys below it becomes the leaf of the key that ends at it. */
START_TEST(the_last_key_above_removed_ones_stays_itself)
{
    mpt_trie_t t = { .arena = &arena }, alone = { .arena = &arena };
    hash32_t got, want;
    put(&t, "dog", "puppy");
    put(&t, "dot", "point");
    put(&t, "do", "verb");
    ck_assert_int_eq(mpt_trie_remove(&t, view_str("dog")), RC_OK);
    ck_assert_int_eq(mpt_trie_remove(&t, view_str("dot")), RC_OK);
    put(&alone, "do", "verb");
    ck_assert_int_eq(mpt_trie_root(&got, &t), RC_OK);
    ck_assert_int_eq(mpt_trie_root(&want, &alone), RC_OK);
    ck_assert(hash32_eq(&got, &want));
    ck_assert(view_eq(mpt_trie_next(&t, view_str("")), view_str("do")));
    ck_assert(view_eq(mpt_trie_previous(&t, view_str("e")), view_str("do")));
}
END_TEST

START_TEST(a_copy_of_the_struct_is_a_snapshot)
{
    mpt_trie_t t = { .arena = &arena }, before;
    hash32_t was, now;
    put(&t, "doe", "reindeer");
    put(&t, "dog", "puppy");
    before = t;
    ck_assert_int_eq(mpt_trie_root(&was, &before), RC_OK);
    put(&t, "dog", "hound");
    put(&t, "dogglesworth", "cat");
    ck_assert_int_eq(mpt_trie_remove(&t, view_str("doe")), RC_OK);
    ck_assert_int_eq(mpt_trie_root(&now, &before), RC_OK);
    ck_assert(hash32_eq(&was, &now));
    ck_assert(view_eq(mpt_trie_get(&before, NULL, view_str("dog")), view_str("puppy")));
    ck_assert(view_eq(mpt_trie_get(&t, NULL, view_str("dog")), view_str("hound")));
    ck_assert_ptr_null(mpt_trie_get(&t, NULL, view_str("doe")).p);
}
END_TEST

START_TEST(what_a_trie_cannot_hold_is_refused_and_changes_nothing)
{
    static const uint8_t longest[MPT_KEY_MAX + 1];
    const void *extra;
    mpt_trie_t t = { .arena = &arena };
    put(&t, "dog", "puppy");
    mpt_node_t *root = t.root;
    ck_assert_int_eq(mpt_trie_put(&t, view_of(longest, sizeof longest), view_str("x"), NULL), RC_LIMIT);
    ck_assert_int_eq(mpt_trie_put(&t, view_str("cat"), view_of(NULL, 0), NULL), RC_REFUSED);
    ck_assert_int_eq(mpt_trie_remove(&t, view_str("do")), RC_OK);
    ck_assert_int_eq(mpt_trie_remove(&t, view_str("dogs")), RC_OK);
    ck_assert_ptr_eq(t.root, root);
    ck_assert_int_eq(mpt_trie_put(&t, view_of(longest, MPT_KEY_MAX), view_str("x"), NULL), RC_OK);
    ck_assert(view_eq(mpt_trie_get(&t, &extra, view_str("dog")), view_str("puppy")));
    ck_assert_str_eq(extra, "puppy");
}
END_TEST

START_TEST(out_of_memory_leaves_the_trie_as_it_was)
{
    for (size_t limit = 1000; limit < 40000; limit += 1000) {
        arena_t small;
        hash32_t want, got;
        char key[2] = { 0 };
        rc_t rc = RC_OK;
        arena_init(&small, limit);
        mpt_trie_t t = { .arena = &small }, copy = { .arena = &arena };
        for (char c = 'a'; c <= 'z' && !rc; c++) {
            key[0] = c;
            rc = mpt_trie_put(&t, view_of(key, 1), view_str("a value that is long enough for its own node"), NULL);
            if (!rc)
                put(&copy, key, "a value that is long enough for its own node");
        }
        t.arena = &arena;
        ck_assert_int_eq(mpt_trie_root(&got, &t), RC_OK);
        ck_assert_int_eq(mpt_trie_root(&want, &copy), RC_OK);
        ck_assert(hash32_eq(&got, &want));
        arena_free(&small);
        arena_free(&arena);
    }
}
END_TEST

static unsigned random_below(uint64_t *state, unsigned n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33) % n;
}

/* The pairs that random steps left, kept plainly. */
typedef struct {
    uint8_t key[64][3], value[64][40];
    size_t key_len[64], value_len[64];
    size_t count;
} model_t;

static size_t model_find(const model_t *m, view_t key)
{
    size_t i = 0;
    while (i < m->count && !view_eq(view_of(m->key[i], m->key_len[i]), key))
        i++;
    return i;
}

/* Sets a key, or removes one: most often one that is there. most: of keys that are wanted. */
static void model_step(model_t *m, mpt_trie_t *t, uint64_t *seed, size_t most)
{
    uint8_t key[3], value[40];
    size_t n = random_below(seed, 4), len = 1 + random_below(seed, sizeof value);
    bool removes = m->count >= most || random_below(seed, 3) == 0;
    for (size_t i = 0; i < n; i++)
        key[i] = (uint8_t)(random_below(seed, 3) * 0x10 + random_below(seed, 2));
    if (removes && m->count && random_below(seed, 4)) {
        size_t there = random_below(seed, (unsigned)m->count);
        n = m->key_len[there];
        memcpy(key, m->key[there], sizeof key);
    }
    memset(value, (int)random_below(seed, 255) + 1, sizeof value);
    size_t at = model_find(m, view_of(key, n));
    if (removes) {
        ck_assert_int_eq(mpt_trie_remove(t, view_of(key, n)), RC_OK);
        if (at < m->count) {
            size_t last = --m->count;
            memcpy(m->key[at], m->key[last], 3);
            memcpy(m->value[at], m->value[last], 40);
            m->key_len[at] = m->key_len[last];
            m->value_len[at] = m->value_len[last];
        }
        return;
    }
    ck_assert_int_eq(mpt_trie_put(t, view_of(key, n), view_of(value, len), NULL), RC_OK);
    memcpy(m->key[at], key, sizeof key);
    memcpy(m->value[at], value, sizeof value);
    m->key_len[at] = n;
    m->value_len[at] = len;
    m->count += at == m->count;
}

/* Root, and the proof and neighbours of one key, against the other implementation. */
static void model_check(const model_t *m, const mpt_trie_t *t, view_t key)
{
    mpt_pair_t pairs[64];
    trie_proof_t want;
    hash32_t root, got;
    view_t nodes[MPT_TRIE_PROOF_MAX], value, before = { NULL, 0 }, after = { NULL, 0 };
    size_t count;
    for (size_t i = 0; i < m->count; i++)
        pairs[i] = (mpt_pair_t){ view_of(m->key[i], m->key_len[i]), view_of(m->value[i], m->value_len[i]) };
    arena_t a;
    arena_init(&a, 64u << 20);
    trie_prove(&want, &root, pairs, m->count, key, false, &a);
    ck_assert_int_eq(mpt_trie_root(&got, t), RC_OK);
    ck_assert(hash32_eq(&got, &root));
    ck_assert_int_eq(mpt_trie_prove(nodes, &count, t, key), RC_OK);
    ck_assert_uint_eq(count, want.count);
    for (size_t i = 0; i < count; i++)
        ck_assert(view_eq(nodes[i], want.node[i]));
    ck_assert_int_eq(mpt_verify(&value, &root, key, nodes, count), RC_OK);
    ck_assert(view_eq(value, mpt_trie_get(t, NULL, key)));
    for (size_t i = 0; i < m->count; i++) { /* they are sorted now */
        mpt_pair_t it = { key, value };
        if (trie_order(&pairs[i], &it) < 0)
            before = pairs[i].key;
        else if (trie_order(&pairs[i], &it) > 0 && !after.p)
            after = pairs[i].key;
    }
    ck_assert(view_eq(mpt_trie_next(t, key), after));
    ck_assert(view_eq(mpt_trie_previous(t, key), before));
    arena_free(&a);
}

START_TEST(random_changes_agree_with_a_trie_built_anew)
{
    uint64_t seed = 1;
    model_t *m = calloc(1, sizeof *m);
    mpt_trie_t t = { .arena = &arena };
    ck_assert_ptr_nonnull(m);
    for (unsigned step = 0; step < 1500; step++) {
        uint8_t key[3];
        for (size_t i = 0; i < sizeof key; i++)
            key[i] = (uint8_t)(random_below(&seed, 3) * 0x10 + random_below(&seed, 2));
        model_step(m, &t, &seed, step / 50 % 2 ? 3 : 64);
        model_check(m, &t, view_of(key, random_below(&seed, 4)));
    }
    while (m->count) {
        m->count--;
        ck_assert_int_eq(mpt_trie_remove(&t, view_of(m->key[m->count], m->key_len[m->count])), RC_OK);
    }
    ck_assert_ptr_null(t.root);
    free(m);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("trie", setup, teardown, roots_are_the_known_ones,
                           the_last_key_above_removed_ones_stays_itself, a_copy_of_the_struct_is_a_snapshot,
                           what_a_trie_cannot_hold_is_refused_and_changes_nothing,
                           out_of_memory_leaves_the_trie_as_it_was, random_changes_agree_with_a_trie_built_anew);
}
