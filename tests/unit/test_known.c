/* Tries of which some nodes are known: every step of random changes against mpt/trie.h, from proofs alone. */
#include <check.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/mpt/known.h"
#include "lightclient/mpt/trie.h"
#include "tests/unit/unit.h"

#define KEYS 300u

static arena_t arena;
static mpt_known_t known;
static const uint64_t seed[2] = { 1, 2 };

static void setup(void)
{
    arena_init(&arena, 512u << 20);
    ck_assert_int_eq(mpt_known_init(&known, &arena, seed), RC_OK);
}

static void teardown(void)
{
    arena_free(&arena);
}

/* Few first bytes, so that paths are shared; some keys differ in their last byte alone. */
static hash32_t key_of(unsigned i)
{
    hash32_t key;
    uint8_t name[] = { (uint8_t)(i >> 1), (uint8_t)(i >> 9) };
    keccak256(&key, view_of(name, sizeof name));
    key.b[0] = (uint8_t)(key.b[0] & 0x11);
    key.b[31] = (uint8_t)((key.b[31] & 0xfe) | (i & 1));
    return key;
}

static size_t value_len(unsigned i)
{
    return i % 3 ? 1u + i % 5u : 40u; /* short ones stand inside their parents */
}

static rc_t set(hash32_t *root, mpt_gap_t *gap, unsigned i, unsigned value)
{
    uint8_t bytes[40];
    const hash32_t key = key_of(i);
    memset(bytes, (int)(value | 1), sizeof bytes);
    return mpt_known_set(root, gap, &known, &key, view_of(bytes, value ? value_len(i) : 0));
}

static void change(mpt_trie_t *t, unsigned i, unsigned value)
{
    uint8_t bytes[40];
    const hash32_t key = key_of(i);
    memset(bytes, (int)(value | 1), sizeof bytes);
    if (value)
        ck_assert_int_eq(mpt_trie_put(t, view_of(key.b, 32), view_of(bytes, value_len(i)), NULL), RC_OK);
    else
        ck_assert_int_eq(mpt_trie_remove(t, view_of(key.b, 32)), RC_OK);
}

static void learn(const mpt_trie_t *t, const hash32_t *key)
{
    view_t nodes[MPT_TRIE_PROOF_MAX];
    size_t count;
    ck_assert_int_eq(mpt_trie_prove(nodes, &count, t, view_of(key->b, 32)), RC_OK);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(mpt_known_add(&known, nodes[i]), RC_OK);
}

START_TEST(every_change_gives_the_root_of_the_whole_trie)
{
    mpt_trie_t t = { .arena = &arena };
    hash32_t root = EMPTY_TRIE_ROOT, want;
    mpt_gap_t gap;
    srand(7);
    for (unsigned step = 0; step < 4000; step++) {
        const unsigned i = (unsigned)rand() % KEYS, value = (unsigned)rand() % 3 ? (unsigned)rand() % 255 + 1 : 0;
        change(&t, i, value);
        ck_assert_int_eq(set(&root, &gap, i, value), RC_OK);
        ck_assert_int_eq(mpt_trie_root(&want, &t), RC_OK);
        ck_assert_msg(hash32_eq(&root, &want), "step %u", step);
    }
    for (unsigned i = 0; i < KEYS; i++) {
        view_t value;
        const hash32_t key = key_of(i);
        ck_assert_int_eq(mpt_known_get(&value, &gap, &known, &root, &key), RC_OK);
        ck_assert(view_eq(value, mpt_trie_get(&t, NULL, view_of(key.b, 32))));
    }
    for (unsigned i = 0; i < KEYS; i++)
        ck_assert_int_eq(set(&root, &gap, i, 0), RC_OK);
    ck_assert(hash32_eq(&root, &EMPTY_TRIE_ROOT));
}
END_TEST

/* From proofs of the changed keys; a gap is filled by the proof of a key that begins as it says. */
START_TEST(proofs_are_enough_and_a_gap_names_what_is_missing)
{
    arena_t whole;
    mpt_trie_t t = { .arena = &whole };
    unsigned gaps = 0;
    arena_init(&whole, 512u << 20);
    for (unsigned i = 0; i < KEYS; i++)
        change(&t, i, i + 1);
    for (unsigned i = 0; i < KEYS; i++) {
        hash32_t root, want;
        mpt_gap_t gap;
        const hash32_t key = key_of(i);
        teardown();
        setup(); /* knows nothing again */
        ck_assert_int_eq(mpt_trie_root(&root, &t), RC_OK);
        const hash32_t before = root;
        ck_assert_int_eq(set(&root, &gap, i, 0), RC_NEED_DATA);
        ck_assert_uint_eq(gap.nibbles, 0);
        learn(&t, &key);
        while (set(&root, &gap, i, 0) == RC_NEED_DATA) {
            ck_assert(hash32_eq(&root, &before));
            ck_assert_uint_gt(gap.nibbles, 0);
            learn(&t, &gap.prefix);
            gaps++;
        }
        mpt_trie_t without = t;
        change(&without, i, 0);
        ck_assert_int_eq(mpt_trie_root(&want, &without), RC_OK);
        ck_assert_msg(hash32_eq(&root, &want), "key %u", i);
    }
    ck_assert_uint_gt(gaps, 10);
    arena_free(&whole);
}
END_TEST

START_TEST(what_is_no_node_is_malformed)
{
    static const uint8_t bad[][4] = { { 0xc1, 0x80 }, { 0x82, 1, 2 }, { 0xc2, 0x20, 0x01 }, { 0xc2, 0x80, 0x80 } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hash32_t root, key = key_of(1);
        mpt_gap_t gap;
        view_t value;
        const view_t node = view_of(bad[i], i == 0 ? 2 : 3);
        keccak256(&root, node);
        ck_assert_int_eq(mpt_known_add(&known, node), RC_OK);
        ck_assert_int_eq(mpt_known_get(&value, &gap, &known, &root, &key), RC_MALFORMED);
        ck_assert_int_eq(set(&root, &gap, 1, 5), RC_MALFORMED);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("known", setup, teardown, every_change_gives_the_root_of_the_whole_trie,
                           proofs_are_enough_and_a_gap_names_what_is_missing, what_is_no_node_is_malformed);
}
