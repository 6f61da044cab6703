/* Tries: proofs of presence and absence, every way to forge one, and roots. Tries and proofs come from
 * tests/trie_build.h, an implementation apart from the tested one. */
#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "tests/trie_build.h"
#include "tests/unit/unit.h"

#define PAIRS_MAX 64u

static arena_t arena;

static void setup(void)
{
    arena_init(&arena, 64u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

static hash32_t hash_hex(const char *hex)
{
    hash32_t h;
    ck_assert_int_eq(hex_decode_exact(h.b, sizeof h.b, hex, strlen(hex)), RC_OK);
    return h;
}

/* Hex digits with spaces wherever they help. */
static view_t bytes_hex(const char *hex)
{
    char *digits = arena_alloc(&arena, strlen(hex) + 1);
    uint8_t *p = arena_alloc(&arena, strlen(hex) / 2);
    size_t n = 0;
    for (; *hex; hex++)
        if (*hex != ' ')
            digits[n++] = *hex;
    ck_assert_int_eq(hex_decode_exact(p, n / 2, digits, n), RC_OK);
    return view_of(p, n / 2);
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13, *x ^= *x >> 7, *x ^= *x << 17;
    return *x >> 16;
}

/* The result of a verification against what is true; value p NULL: absent. */
static void check_proof(const hash32_t *root, view_t key, const view_t *nodes, size_t count, rc_t want, view_t truth)
{
    static const uint8_t mark[] = "unchanged";
    view_t value = view_of(mark, sizeof mark);
    view_t *exact = malloc(count ? count * sizeof *exact : 1); /* ASan sees a look past the last node */
    if (count)
        memcpy(exact, nodes, count * sizeof *exact);
    ck_assert_int_eq(mpt_verify(&value, root, key, exact, count), want);
    if (want)
        ck_assert_ptr_eq(value.p, mark);
    else
        ck_assert(view_eq(value, truth) && !value.p == !truth.p);
    free(exact);
}

/* Source: ethereum/tests trietest "puppy"; a trie of every node kind, with nodes inside others and a value in a branch.
 */
static size_t dogs(mpt_pair_t *pairs)
{
    pairs[0] = (mpt_pair_t){ view_str("do"), view_str("verb") };
    pairs[1] = (mpt_pair_t){ view_str("dog"), view_str("puppy") };
    pairs[2] = (mpt_pair_t){ view_str("doge"), view_str("coin") };
    pairs[3] = (mpt_pair_t){ view_str("horse"), view_str("stallion") };
    return 4;
}

static const char dogs_root[] = "5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84";

START_TEST(proofs_in_a_known_trie_show_presence_and_absence)
{
    static const char *const keys[] = { "do",   "dog",   "doge", "horse",  "",  "d",
                                        "dogs", "dogee", "hors", "horses", "x", "dp" };
    mpt_pair_t pairs[4];
    trie_proof_t proof;
    hash32_t root, want = hash_hex(dogs_root);
    size_t n = dogs(pairs);
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        for (int inline_too = 0; inline_too < 2; inline_too++) {
            view_t truth = { NULL, 0 };
            for (size_t i = 0; i < n; i++)
                if (view_eq(pairs[i].key, view_str(keys[k])))
                    truth = pairs[i].value;
            trie_prove(&proof, &root, pairs, n, view_str(keys[k]), inline_too, &arena);
            ck_assert(hash32_eq(&root, &want));
            check_proof(&root, view_str(keys[k]), proof.node, proof.count, RC_OK, truth);
        }
    }
}
END_TEST

START_TEST(an_inline_child_may_be_listed_but_nothing_else_in_its_place)
{
    mpt_pair_t pairs[4];
    trie_proof_t proof;
    hash32_t root;
    size_t n = dogs(pairs), inlined = 0;
    view_t key = view_str("doge");
    trie_prove(&proof, &root, pairs, n, key, true, &arena);
    for (size_t i = 1; i < proof.count; i++) {
        view_t was = proof.node[i];
        uint8_t copy[32];
        if (was.n >= sizeof copy)
            continue;
        inlined++;
        proof.node[i].p = copy;
        for (size_t b = 0; b < was.n; b++) {
            memcpy(copy, was.p, was.n);
            copy[b] ^= 1;
            check_proof(&root, key, proof.node, proof.count, RC_REFUSED, key);
        }
        proof.node[i] = was;
        proof.node[i].n--;
        check_proof(&root, key, proof.node, proof.count, RC_REFUSED, key);
        proof.node[i] = was;
    }
    ck_assert_uint_ge(inlined, 1);
    check_proof(&root, key, proof.node, proof.count, RC_OK, view_str("coin"));
}
END_TEST

START_TEST(the_proof_of_one_key_says_nothing_false_of_another)
{
    static const char *const keys[] = { "do",   "dog",   "doge", "horse",  "",  "d",
                                        "dogs", "dogee", "hors", "horses", "x", "dp" };
    mpt_pair_t pairs[4];
    trie_proof_t proof;
    hash32_t root;
    size_t n = dogs(pairs), accepted = 0;
    for (size_t of = 0; of < sizeof keys / sizeof keys[0]; of++) {
        trie_prove(&proof, &root, pairs, n, view_str(keys[of]), false, &arena);
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            view_t truth = { NULL, 0 }, value;
            for (size_t i = 0; i < n; i++)
                if (view_eq(pairs[i].key, view_str(keys[k])))
                    truth = pairs[i].value;
            rc_t rc = mpt_verify(&value, &root, view_str(keys[k]), proof.node, proof.count);
            if (!rc)
                ck_assert_msg(view_eq(value, truth), "proof of %s, key %s", keys[of], keys[k]);
            else
                ck_assert_int_eq(rc, RC_REFUSED);
            accepted += rc == RC_OK;
        }
    }
    ck_assert_uint_gt(accepted, 12); /* keys that end in the same node share a proof */
}
END_TEST

/* A trie of 40 hashed keys and a proof of one of them. */
static size_t hashed_keys(mpt_pair_t *pairs, uint64_t seed)
{
    for (size_t i = 0; i < 40; i++) {
        uint8_t *key = arena_alloc(&arena, 32), *value = arena_alloc(&arena, 40);
        for (size_t b = 0; b < 32; b++)
            key[b] = (uint8_t)next_random(&seed);
        if (i % 4 == 1)
            memcpy(key, pairs[i - 1].key.p, i % 31); /* long shared paths */
        for (size_t b = 0; b < 40; b++)
            value[b] = (uint8_t)next_random(&seed);
        pairs[i] = (mpt_pair_t){ view_of(key, 32), view_of(value, 1 + next_random(&seed) % 40) };
    }
    return 40;
}

START_TEST(every_flipped_byte_of_a_proof_is_refused)
{
    mpt_pair_t pairs[PAIRS_MAX];
    trie_proof_t proof;
    hash32_t root, h;
    size_t n = hashed_keys(pairs, 77);
    view_t key = pairs[17].key, value;
    trie_prove(&proof, &root, pairs, n, key, false, &arena);
    ck_assert_uint_ge(proof.count, 3);
    ck_assert_int_eq(mpt_verify(&value, &root, key, proof.node, proof.count), RC_OK);
    for (size_t i = 0; i < proof.count; i++) {
        uint8_t *copy = arena_alloc(&arena, proof.node[i].n);
        view_t was = proof.node[i];
        proof.node[i].p = copy;
        for (size_t b = 0; b < was.n; b++) {
            memcpy(copy, was.p, was.n);
            copy[b] ^= (uint8_t)(1u << b % 8);
            check_proof(&root, key, proof.node, proof.count, RC_REFUSED, key);
        }
        proof.node[i] = was;
    }
    for (size_t b = 0; b < 32; b++) {
        h = root;
        h.b[b] ^= 1;
        check_proof(&h, key, proof.node, proof.count, RC_REFUSED, key);
    }
}
END_TEST

START_TEST(missing_extra_doubled_and_swapped_nodes_are_refused)
{
    mpt_pair_t pairs[PAIRS_MAX];
    trie_proof_t proof, other;
    hash32_t root;
    size_t n = hashed_keys(pairs, 78);
    uint8_t gone[32] = { 0 };
    for (int absent = 0; absent < 2; absent++) {
        memcpy(gone, pairs[9].key.p, 32);
        gone[31] ^= 1;
        view_t key = absent ? view_of(gone, 32) : pairs[9].key, truth = absent ? view_of(NULL, 0) : pairs[9].value;
        trie_prove(&proof, &root, pairs, n, key, false, &arena);
        check_proof(&root, key, proof.node, proof.count, RC_OK, truth);
        for (size_t i = 0; i < proof.count; i++) {
            other = proof;
            memmove(other.node + i, other.node + i + 1, (other.count - i - 1) * sizeof other.node[0]);
            check_proof(&root, key, other.node, other.count - 1, RC_REFUSED, truth);
            other = proof;
            memmove(other.node + i + 1, other.node + i, (other.count - i) * sizeof other.node[0]);
            check_proof(&root, key, other.node, other.count + 1, RC_REFUSED, truth);
            if (i) {
                other = proof;
                other.node[i] = proof.node[i - 1];
                other.node[i - 1] = proof.node[i];
                check_proof(&root, key, other.node, other.count, RC_REFUSED, truth);
            }
        }
        for (size_t c = 0; c < proof.count; c++) /* ends early */
            check_proof(&root, key, proof.node, c, RC_REFUSED, truth);
    }
}
END_TEST

START_TEST(one_empty_element_is_tolerated_wherever_it_stands)
{
    static const uint8_t rlp_empty[] = { 0x80 };
    mpt_pair_t pairs[4];
    trie_proof_t proof, with;
    hash32_t root;
    size_t n = dogs(pairs);
    for (int absent = 0; absent < 2; absent++) {
        view_t key = view_str(absent ? "dogs" : "doge"), truth = absent ? view_of(NULL, 0) : view_str("coin");
        trie_prove(&proof, &root, pairs, n, key, false, &arena);
        for (size_t i = 0; i <= proof.count; i++) {
            with = proof;
            memmove(with.node + i + 1, with.node + i, (proof.count - i) * sizeof with.node[0]);
            with.node[i] = view_of(NULL, 0);
            check_proof(&root, key, with.node, proof.count + 1, RC_OK, truth);
            with.node[i] = view_of(rlp_empty, 1);
            check_proof(&root, key, with.node, proof.count + 1, RC_OK, truth);
            with.node[proof.count + 1] = view_of(NULL, 0);
            check_proof(&root, key, with.node, proof.count + 2, RC_REFUSED, truth);
        }
    }
}
END_TEST

START_TEST(an_empty_proof_shows_absence_only_in_the_empty_trie)
{
    static const uint8_t rlp_empty[] = { 0x80 }, rlp_list[] = { 0xc0 };
    static const view_t absent = { NULL, 0 };
    const view_t none = { NULL, 0 }, empty = view_of(rlp_empty, 1), list = view_of(rlp_list, 1);
    hash32_t some = hash_hex(dogs_root), zero = { { 0 } }, of_list;
    keccak256(&of_list, list);
    check_proof(&EMPTY_TRIE_ROOT, view_str("do"), NULL, 0, RC_OK, absent);
    check_proof(&EMPTY_TRIE_ROOT, view_str("do"), &none, 1, RC_OK, absent);
    check_proof(&EMPTY_TRIE_ROOT, view_str("do"), &empty, 1, RC_OK, absent);
    check_proof(&some, view_str("do"), NULL, 0, RC_REFUSED, absent);
    check_proof(&some, view_str("do"), &none, 1, RC_REFUSED, absent);
    check_proof(&some, view_str("do"), &empty, 1, RC_REFUSED, absent);
    check_proof(&zero, view_str("do"), NULL, 0, RC_REFUSED, absent);
    check_proof(&EMPTY_TRIE_ROOT, view_str("do"), &list, 1, RC_REFUSED, absent);
    check_proof(&of_list, view_str("do"), &list, 1, RC_MALFORMED, absent);
}
END_TEST

START_TEST(sizes_past_the_limits_are_refused_before_any_hashing)
{
    static uint8_t large[MPT_NODE_LEN_MAX + 1], key[MPT_PROOF_KEY_MAX + 1];
    view_t nodes[MPT_PROOF_NODES_MAX + 2], absent = { NULL, 0 };
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        nodes[i] = view_of(large, 40);
    check_proof(&EMPTY_TRIE_ROOT, view_of(key, 32), nodes, MPT_PROOF_NODES_MAX + 2, RC_LIMIT, absent);
    check_proof(&EMPTY_TRIE_ROOT, view_of(key, 32), nodes, MPT_PROOF_NODES_MAX + 1, RC_LIMIT, absent);
    check_proof(&EMPTY_TRIE_ROOT, view_of(key, 32), nodes, MPT_PROOF_NODES_MAX, RC_REFUSED, absent);
    nodes[1] = view_of(large, sizeof large);
    check_proof(&EMPTY_TRIE_ROOT, view_of(key, 32), nodes, 2, RC_LIMIT, absent);
    nodes[1] = view_of(large, sizeof large - 1);
    check_proof(&EMPTY_TRIE_ROOT, view_of(key, 32), nodes, 2, RC_REFUSED, absent);
    check_proof(&EMPTY_TRIE_ROOT, view_of(key, 33), nodes, 0, RC_LIMIT, absent);
}
END_TEST

#define H "a0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* a reference by hash */
#define X4 "80808080"
#define X13 X4 X4 X4 "80"
#define LEAF "83201234 820102"

/* The items of a root node under its own hash, and what a walk along 0x1234 says; RC_REFUSED: it needs a next node. */
START_TEST(shapes_that_no_trie_has_are_refused_even_under_their_hash)
{
    static const struct {
        const char *what, *items;
        rc_t want;
        bool present;
    } row[] = {
        { "the key's leaf", LEAF, RC_OK, true },
        { "another key's leaf", "83201235 820102", RC_OK, false },
        { "a leaf of a shorter key", "822012 820102", RC_OK, false },
        { "a leaf of a longer key", "8420123400 820102", RC_OK, false },
        { "an extension on the way", "11" H, RC_REFUSED, false },
        { "an extension off the way", "12" H, RC_OK, false },
        { "an extension past the key's end", "84 11234500" H, RC_OK, false },
        { "an extension of the whole key and more", "84 00123400" H, RC_OK, false },
        { "an inline branch below an extension", "11 db8080 c6822034820102 c482203409" X4 X4 X4 "80", RC_OK, true },
        { "a branch on the way", "80" H H X13 "80", RC_REFUSED, false },
        { "a branch without the way", H "80" H X13 "80", RC_OK, false },
        { "a branch with inline leaves", "c43282 0102 c43182 0304" X13 "8080", RC_OK, false },
        { "a branch with the key's leaf inside", "c431820304 c6823234820102" X13 "8080", RC_OK, true },
        { "one item", "83201234", RC_MALFORMED, false },
        { "three items", LEAF "80", RC_MALFORMED, false },
        { "no item", "", RC_MALFORMED, false },
        { "16 items", "80" H H X13, RC_MALFORMED, false },
        { "18 items", "80" H H X13 "8080", RC_MALFORMED, false },
        { "a branch with one child", "80" H X13 "8080", RC_MALFORMED, false },
        { "a branch with nothing but a value", X13 X4 "820102", RC_MALFORMED, false },
        { "a branch with a child and a value", "80" H X13 "80 820102", RC_REFUSED, false },
        { "a branch whose value is a list", "80" H H X13 "c0", RC_MALFORMED, false },
        { "a branch child of 31 bytes", H "9faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" X13 "8080",
          RC_MALFORMED, false },
        { "a branch child of 33 bytes",
          H "a1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" X13 "8080", RC_MALFORMED, false },
        { "a branch child of one byte, off the way", "01" H X13 "8080", RC_MALFORMED, false },
        { "an empty list on the way beside two children", H "c0" H X13 "80", RC_MALFORMED, false },
        { "an inline child that is no node", H "c0" X13 "8080", RC_MALFORMED, false },
        { "a leaf with flag 4", "83401234 820102", RC_MALFORMED, false },
        { "a leaf with flag 15", "83f01234 820102", RC_MALFORMED, false },
        { "a leaf with a padding nibble", "83211234 820102", RC_MALFORMED, false },
        { "a leaf with no path bytes", "80 820102", RC_MALFORMED, false },
        { "a leaf whose path is a list", "c3201234 820102", RC_MALFORMED, false },
        { "a leaf without a value", "83201234 80", RC_MALFORMED, false },
        { "a leaf whose value is a list", "83201234 c20102", RC_MALFORMED, false },
        { "an extension without a path", "00" H, RC_MALFORMED, false },
        { "an extension to nothing", "11 80", RC_MALFORMED, false },
        { "an extension to a short string", "11 820102", RC_MALFORMED, false },
        { "an extension with a padding nibble", "820112" H, RC_MALFORMED, false },
        { "an extension to an inline leaf", "11 c6823234820102", RC_MALFORMED, false },
        { "an extension to an inline extension", "11 db 12 d9 808080 c434820102 c431820304" X4 X4 X4, RC_MALFORMED,
          false },
        { "a short length in its long form", "83201234 b802 0102", RC_MALFORMED, false },
        { "an item longer than the node", "83201234 830102", RC_MALFORMED, false },
    };
    uint8_t *key = malloc(2); /* exact: ASan sees a look past its end */
    memcpy(key, "\x12\x34", 2);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t buf[1024];
        wr_t w = wr_of(buf, sizeof buf);
        view_t items = bytes_hex(row[i].items), value, node;
        hash32_t root;
        wr_bytes(&w, items.p, items.n);
        rlp_wrap_list(&w, 0);
        node = wr_view(&w);
        keccak256(&root, node);
        rc_t rc = mpt_verify(&value, &root, view_of(key, 2), &node, 1);
        ck_assert_msg(rc == row[i].want, "%s: %s", row[i].what, rc_name(rc));
        if (!rc)
            ck_assert_msg((value.n == 2) == row[i].present, "%s", row[i].what);
        wr_u8(&w, 0); /* trailing byte */
        node = wr_view(&w);
        keccak256(&root, node);
        ck_assert_int_eq(mpt_verify(&value, &root, view_of(key, 2), &node, 1), RC_MALFORMED);
    }
    free(key);
}
END_TEST

START_TEST(a_root_that_is_a_string_is_refused)
{
    view_t value, node = bytes_hex("87 83201234 820102"); /* inside it, the items of the key's leaf */
    hash32_t root;
    keccak256(&root, node);
    ck_assert_int_eq(mpt_verify(&value, &root, bytes_hex("1234"), &node, 1), RC_MALFORMED);
}
END_TEST

/* A root branch over two children: at nibble 0 some hash, at nibble 1 what is given. */
static view_t branch_over(view_t encoded_child)
{
    static const hash32_t some = { { 0xaa } };
    wr_t w = wr_of(arena_alloc(&arena, 256), 256);
    rlp_put_bytes(&w, view_of(some.b, sizeof some.b));
    wr_bytes(&w, encoded_child.p, encoded_child.n);
    for (unsigned i = 2; i < 17; i++)
        wr_u8(&w, 0x80);
    rlp_wrap_list(&w, 0);
    return wr_view(&w);
}

START_TEST(a_short_node_behind_a_hash_is_refused)
{
    uint8_t reference[33] = { 0xa0 };
    hash32_t h, root;
    view_t value, node[2], leaf = bytes_hex("c4 32 82abcd");
    keccak256(&h, leaf);
    memcpy(reference + 1, h.b, sizeof h.b);
    node[0] = branch_over(view_of(reference, sizeof reference));
    node[1] = leaf;
    keccak256(&root, node[0]);
    ck_assert_int_eq(mpt_verify(&value, &root, bytes_hex("12"), node, 2), RC_MALFORMED);
    node[0] = branch_over(leaf); /* inside its parent it is right */
    keccak256(&root, node[0]);
    ck_assert_int_eq(mpt_verify(&value, &root, bytes_hex("12"), node, 1), RC_OK);
    ck_assert_uint_eq(value.n, 2);
}
END_TEST

START_TEST(a_long_node_inside_its_parent_is_refused)
{
    uint8_t bytes[40] = { 0 };
    hash32_t root;
    view_t value, node;
    for (size_t n = 27; n < 30; n++) { /* the leaf is then of 30, 31, 32 bytes */
        wr_t w = wr_of(bytes, sizeof bytes);
        uint8_t long_value[40];
        memset(long_value, 0xbb, sizeof long_value);
        wr_u8(&w, 0x32);
        rlp_put_bytes(&w, view_of(long_value, n));
        rlp_wrap_list(&w, 0);
        ck_assert_uint_eq(w.n, n + 3);
        node = branch_over(wr_view(&w));
        keccak256(&root, node);
        ck_assert_int_eq(mpt_verify(&value, &root, bytes_hex("12"), &node, 1), w.n < 32 ? RC_OK : RC_MALFORMED);
    }
}
END_TEST

START_TEST(random_tries_have_the_same_root_and_every_proof_holds)
{
    uint64_t x = 4242;
    mpt_pair_t pairs[PAIRS_MAX], mixed[PAIRS_MAX];
    for (unsigned round = 0; round < 300; round++) {
        arena_mark_t mark = arena_mark(&arena);
        size_t n = 0, want = 1 + next_random(&x) % 30, spread = 1 + next_random(&x) % 255;
        while (n < want) {
            size_t len = next_random(&x) % 5, twin = 0;
            uint8_t *key = arena_alloc(&arena, 5), *value = arena_alloc(&arena, 50);
            for (size_t b = 0; b < len; b++)
                key[b] = (uint8_t)(next_random(&x) % spread);
            memset(value, (int)(1 + n), 50);
            while (twin < n && !view_eq(pairs[twin].key, view_of(key, len)))
                twin++;
            if (twin < n)
                want--;
            else
                pairs[n++] = (mpt_pair_t){ view_of(key, len), view_of(value, 1 + next_random(&x) % 50) };
        }
        memcpy(mixed, pairs, sizeof mixed);
        for (size_t i = n; i-- > 1;) {
            size_t j = next_random(&x) % (i + 1);
            mpt_pair_t swap = mixed[i];
            mixed[i] = mixed[j];
            mixed[j] = swap;
        }
        hash32_t root, got;
        trie_proof_t proof;
        uint8_t absent[3] = { (uint8_t)next_random(&x), (uint8_t)next_random(&x), 0xff };
        for (size_t i = 0; i <= n; i++) {
            bool present = i < n;
            view_t key = present ? pairs[i].key : view_of(absent, sizeof absent),
                   truth = present ? pairs[i].value : view_of(NULL, 0);
            mpt_pair_t sorted[PAIRS_MAX];
            memcpy(sorted, pairs, sizeof sorted);
            trie_prove(&proof, &root, sorted, n, key, i % 2, &arena);
            check_proof(&root, key, proof.node, proof.count, RC_OK, truth);
        }
        ck_assert_int_eq(mpt_root(&got, mixed, n, &arena), RC_OK);
        ck_assert_msg(hash32_eq(&got, &root), "round %u", round);
        arena_rollback(&arena, mark);
    }
}
END_TEST

/* Sources: ethereum/tests trieanyorder, trietest; the empty root. */
START_TEST(roots_match_known_answers)
{
    mpt_pair_t pairs[4];
    hash32_t root, want = hash_hex(dogs_root);
    ck_assert_int_eq(mpt_root(&root, NULL, 0, &arena), RC_OK);
    ck_assert(hash32_eq(&root, &EMPTY_TRIE_ROOT));
    ck_assert_int_eq(mpt_root(&root, pairs, dogs(pairs), &arena), RC_OK);
    ck_assert(hash32_eq(&root, &want));
    pairs[0] = (mpt_pair_t){ view_str("A"), view_str("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") };
    ck_assert_int_eq(mpt_root(&root, pairs, 1, &arena), RC_OK);
    want = hash_hex("d23786fb4a010da3ce639d66d5e904a11dbc02746d1ce25029e53290cabf28ab");
    ck_assert(hash32_eq(&root, &want));
    pairs[0] = (mpt_pair_t){ view_str("foo"), view_str("bar") };
    pairs[1] = (mpt_pair_t){ view_str("food"), view_str("bass") };
    ck_assert_int_eq(mpt_root(&root, pairs, 2, &arena), RC_OK);
    want = hash_hex("17beaa1648bafa633cda809c90c04af50fc8aed3cb40d16efbddee6fdf63c4c3");
    ck_assert(hash32_eq(&root, &want));
}
END_TEST

START_TEST(roots_refuse_doubles_empty_values_and_long_keys)
{
    static uint8_t key[MPT_KEY_MAX + 1];
    mpt_pair_t pairs[3] = { { view_str("a"), view_str("1") },
                            { view_str("b"), view_str("2") },
                            { view_str("a"), view_str("3") } };
    hash32_t root = { { 7 } };
    ck_assert_int_eq(mpt_root(&root, pairs, 3, &arena), RC_REFUSED); /* and now they are sorted: a a b */
    pairs[1] = (mpt_pair_t){ view_str("c"), view_str("4") };
    pairs[2] = (mpt_pair_t){ view_str("d"), view_of(NULL, 0) };
    ck_assert_int_eq(mpt_root(&root, pairs, 3, &arena), RC_REFUSED);
    pairs[2] = (mpt_pair_t){ view_of(key, sizeof key), view_str("3") };
    ck_assert_int_eq(mpt_root(&root, pairs, 3, &arena), RC_LIMIT);
    ck_assert_uint_eq(root.b[0], 7);
    pairs[2].key.n--;
    ck_assert_int_eq(mpt_root(&root, pairs, 3, &arena), RC_OK);
}
END_TEST

START_TEST(roots_of_the_deepest_keys_need_no_deep_stack)
{
    enum { DEPTH = 2 * MPT_KEY_MAX };
    static uint8_t keys[DEPTH + 1][MPT_KEY_MAX]; /* key i leaves the zero path at nibble i */
    mpt_pair_t pairs[DEPTH + 1];
    hash32_t root, again;
    for (size_t i = 0; i < DEPTH; i++)
        keys[i][i / 2] = i % 2 ? 0x01 : 0x10;
    for (size_t i = 0; i <= DEPTH; i++)
        pairs[i] = (mpt_pair_t){ view_of(keys[i], MPT_KEY_MAX), view_str("x") };
    trie_proof_t proof;
    trie_prove(&proof, &again, pairs, DEPTH + 1, view_str("zz"), false, &arena);
    ck_assert_int_eq(mpt_root(&root, pairs, DEPTH + 1, &arena), RC_OK);
    ck_assert(hash32_eq(&root, &again));
}
END_TEST

START_TEST(roots_report_a_lack_of_memory_and_leave_the_arena_as_it_was)
{
    mpt_pair_t pairs[PAIRS_MAX];
    hash32_t root, again = { { 0 } };
    size_t n = hashed_keys(pairs, 5);
    unsigned failed = 0;
    ck_assert_int_eq(mpt_root(&root, pairs, n, &arena), RC_OK);
    for (size_t limit = 0; limit < 40000; limit += 64) {
        arena_t small;
        arena_init(&small, limit);
        rc_t rc = mpt_root(&again, pairs, n, &small);
        ck_assert(rc == RC_NOMEM || (rc == RC_OK && hash32_eq(&root, &again)));
        ck_assert_uint_eq(small.used, 0);
        failed += rc != RC_OK;
        arena_free(&small);
    }
    ck_assert_uint_gt(failed, 0);
}
END_TEST

START_TEST(list_roots_equal_tries_keyed_by_rlp_of_the_index)
{
    static const size_t sizes[] = { 0, 1, 2, 17, 127, 128, 129, 130, 255, 256, 257, 300 };
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t n = sizes[s];
        view_t *values = arena_calloc(&arena, n, sizeof *values);
        mpt_pair_t *pairs = arena_calloc(&arena, n, sizeof *pairs);
        trie_proof_t proof;
        hash32_t got, want;
        for (size_t i = 0; i < n; i++) {
            uint8_t *value = arena_alloc(&arena, 100), *key = arena_alloc(&arena, 3);
            wr_t w = wr_of(key, 3);
            memset(value, (int)(i + 1) & 0xff, 100);
            if (i == 0)
                wr_u8(&w, 0x80);
            else if (i < 128)
                wr_u8(&w, (uint8_t)i);
            else if (i < 256)
                wr_be(&w, 0x8100 | i, 2);
            else
                wr_be(&w, 0x820000 | i, 3);
            values[i] = view_of(value, 1 + i % 100);
            pairs[i] = (mpt_pair_t){ wr_view(&w), values[i] };
        }
        trie_prove(&proof, &want, pairs, n, view_str("q"), false, &arena);
        ck_assert_int_eq(mpt_list_root(&got, values, n, &arena), RC_OK);
        ck_assert_msg(hash32_eq(&got, &want), "%zu values", n);
    }
}
END_TEST

/* Source: ethereum/tests hex_encoded_securetrie_test "test1": five accounts under hashed addresses. */
static const struct {
    const char *addr, *account;
} accounts[] = {
    { "a94f5374fce5edbc8e2a8697c15331677e6ebf0b",
      "f848018405f446a7a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a0"
      "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
    { "095e7baea6a6c7c4c2dfeb977efac326af552d87",
      "f8440101a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a004bccc5d"
      "94f4d1f99aab44369a910179931772f2a5c001c3229f57831c102769" },
    { "d2571607e241ecf590ed94b12d87c94babe36db6",
      "f8440180a0ba4b47865c55a341a4a78759bb913cd15c3ee8eaf30a62fa8d1c8863113d84e8a0c5d24601"
      "86f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
    { "62c01474f089b07dae603491675dc5b5748f7049",
      "f8448080a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a0c5d24601"
      "86f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
    { "2adc25665018aa1fe0e6bc666dac8fc2697ff9ba",
      "f8478083019a59a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a0c5"
      "d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
};

/* A secure trie of these values; keys are addresses or slots. */
static void secure_pair(mpt_pair_t *pair, view_t key, view_t value)
{
    uint8_t *hashed = arena_alloc(&arena, sizeof(hash32_t));
    hash32_t h;
    keccak256(&h, key);
    memcpy(hashed, h.b, sizeof h.b);
    *pair = (mpt_pair_t){ view_of(hashed, sizeof h.b), value };
}

START_TEST(accounts_are_proven_in_a_known_state_and_absent_ones_are_empty)
{
    mpt_pair_t pairs[5];
    trie_proof_t proof;
    hash32_t root, want = hash_hex("730a444e08ab4b8dee147c9b232fc52d34a223d600031c1e9d25bfc985cbd797"), key;
    addr_t addr;
    mpt_account_t a;
    for (size_t i = 0; i < 5; i++)
        secure_pair(&pairs[i], bytes_hex(accounts[i].addr), bytes_hex(accounts[i].account));
    memcpy(addr.b, bytes_hex(accounts[0].addr).p, sizeof addr.b);
    keccak256(&key, view_of(addr.b, sizeof addr.b));
    trie_prove(&proof, &root, pairs, 5, view_of(key.b, 32), false, &arena);
    ck_assert(hash32_eq(&root, &want));
    ck_assert_int_eq(mpt_verify_account(&a, &root, &addr, proof.node, proof.count), RC_OK);
    ck_assert(a.exists && a.nonce == 1 && a.balance.w[0] == 0x5f446a7 && u256_fits_u64(&a.balance));
    ck_assert(hash32_eq(&a.storage_root, &EMPTY_TRIE_ROOT) && hash32_eq(&a.code_hash, &KECCAK_EMPTY));
    addr.b[0] ^= 1;
    a.nonce = 99;
    ck_assert_int_eq(mpt_verify_account(&a, &root, &addr, proof.node, 1), proof.count == 1 ? RC_OK : RC_REFUSED);
    keccak256(&key, view_of(addr.b, sizeof addr.b));
    trie_prove(&proof, &root, pairs, 5, view_of(key.b, 32), false, &arena);
    ck_assert_int_eq(mpt_verify_account(&a, &root, &addr, proof.node, proof.count), RC_OK);
    ck_assert(!a.exists && a.nonce == 0 && u256_is_zero(&a.balance));
    ck_assert(hash32_eq(&a.storage_root, &EMPTY_TRIE_ROOT) && hash32_eq(&a.code_hash, &KECCAK_EMPTY));
}
END_TEST

#define R32 "a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
#define C32 "a0c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"

START_TEST(accounts_of_any_other_form_are_refused)
{
    static const struct {
        const char *what, *hex;
        rc_t want;
    } row[] = {
        { "right", "f8440101" R32 C32, RC_OK },
        { "three fields", "e30101" R32, RC_MALFORMED },
        { "five fields", "f8450101" R32 C32 "80", RC_MALFORMED },
        { "nonce with a leading zero", "f8440001" R32 C32, RC_MALFORMED },
        { "nonce of 9 bytes", "f84d8901000000000000000001" R32 C32, RC_MALFORMED },
        { "balance with a leading zero", "f84601820001" R32 C32, RC_MALFORMED },
        { "nonce is a list", "f844c001" R32 C32, RC_MALFORMED },
        { "storage root of 31 bytes", "f84301019f56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b4" C32,
          RC_MALFORMED },
        { "no code hash", "e4010180" R32, RC_MALFORMED },
        { "code hash of 31 bytes", "f8430101" R32 "9fc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a4",
          RC_MALFORMED },
        { "code hash of 33 bytes",
          "f8450101" R32 "a1c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a47000", RC_MALFORMED },
        { "empty code hash", "e40101" R32 "80", RC_MALFORMED },
        { "code hash is a list", "e40101" R32 "c0", RC_MALFORMED },
        { "storage root of 33 bytes",
          "f8450101a156e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b42100" C32, RC_MALFORMED },
        { "balance of 33 bytes", "f86501a1010000000000000000000000000000000000000000000000000000000000000000" R32 C32,
          RC_MALFORMED },
        { "balance is a list", "f84401c0" R32 C32, RC_MALFORMED },
        { "trailing byte", "f8440101" R32 C32 "00", RC_MALFORMED },
        { "a string", "b8440101" R32 C32, RC_MALFORMED },
        { "truncated", "f844010101", RC_MALFORMED },
    };
    addr_t addr = { { 1, 2, 3 } };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        mpt_pair_t pair;
        trie_proof_t proof;
        hash32_t root;
        mpt_account_t a = { .nonce = 77 };
        secure_pair(&pair, view_of(addr.b, sizeof addr.b), bytes_hex(row[i].hex));
        trie_prove(&proof, &root, &pair, 1, pair.key, false, &arena);
        rc_t rc = mpt_verify_account(&a, &root, &addr, proof.node, proof.count);
        ck_assert_msg(rc == row[i].want, "%s: %s", row[i].what, rc_name(rc));
        ck_assert_uint_eq(a.nonce, rc ? 77 : 1);
    }
}
END_TEST

START_TEST(slots_hold_one_canonical_number)
{
    static const struct {
        const char *what, *hex;
        rc_t want;
    } row[] = {
        { "one byte", "07", RC_OK },
        { "32 bytes", "a0ff00000000000000000000000000000000000000000000000000000000000007", RC_OK },
        { "zero, as some development chains keep it", "80", RC_OK },
        { "a zero byte", "00", RC_MALFORMED },
        { "leading zero", "820007", RC_MALFORMED },
        { "33 bytes", "a1010000000000000000000000000000000000000000000000000000000000000007", RC_MALFORMED },
        { "a list", "c107", RC_MALFORMED },
        { "long form of one byte", "8107", RC_MALFORMED },
        { "trailing byte", "0700", RC_MALFORMED },
        { "truncated", "8207", RC_MALFORMED },
    };
    hash32_t slot = { { 9 } }, other = { { 10 } }, root;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        mpt_pair_t pair;
        trie_proof_t proof;
        u256_t x = u256_of(55);
        secure_pair(&pair, view_of(slot.b, 32), bytes_hex(row[i].hex));
        trie_prove(&proof, &root, &pair, 1, pair.key, false, &arena);
        rc_t rc = mpt_verify_slot(&x, &root, &slot, proof.node, proof.count);
        ck_assert_msg(rc == row[i].want, "%s: %s", row[i].what, rc_name(rc));
        ck_assert_uint_eq(x.w[0], rc ? 55 : strcmp(row[i].hex, "80") ? 7 : 0);
        ck_assert_int_eq(mpt_verify_slot(&x, &root, &other, proof.node, proof.count), RC_OK);
        ck_assert(u256_is_zero(&x)); /* the only leaf is of another key */
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "mpt", setup, teardown, proofs_in_a_known_trie_show_presence_and_absence,
        an_inline_child_may_be_listed_but_nothing_else_in_its_place, the_proof_of_one_key_says_nothing_false_of_another,
        every_flipped_byte_of_a_proof_is_refused, missing_extra_doubled_and_swapped_nodes_are_refused,
        one_empty_element_is_tolerated_wherever_it_stands, an_empty_proof_shows_absence_only_in_the_empty_trie,
        sizes_past_the_limits_are_refused_before_any_hashing, shapes_that_no_trie_has_are_refused_even_under_their_hash,
        a_root_that_is_a_string_is_refused, a_short_node_behind_a_hash_is_refused,
        a_long_node_inside_its_parent_is_refused, random_tries_have_the_same_root_and_every_proof_holds,
        roots_match_known_answers, roots_refuse_doubles_empty_values_and_long_keys,
        roots_of_the_deepest_keys_need_no_deep_stack, roots_report_a_lack_of_memory_and_leave_the_arena_as_it_was,
        list_roots_equal_tries_keyed_by_rlp_of_the_index,
        accounts_are_proven_in_a_known_state_and_absent_ones_are_empty, accounts_of_any_other_form_are_refused,
        slots_hold_one_canonical_number);
}
