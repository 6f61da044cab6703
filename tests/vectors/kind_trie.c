/* trie: roots of tries after insertions, updates and deletions, by the writable trie and from the pairs that are left;
 * every key's proof; neighbours of keys. */
#include <string.h>
#include <strings.h>

#include "base/crypto/hash.h"
#include "lightclient/mpt/trie.h"
#include "tests/vectors/vec.h"

#define PAIRS_MAX 4096u

/* "0x..." is hex, anything else is itself. */
static view_t bytes_of(arena_t *a, const char *text)
{
    return text[0] == '0' && text[1] == 'x' ? vec_hex(a, text) : arena_dup(a, view_str(text));
}

/* Sets, replaces or (value NULL) removes one key. */
static rc_t put(mpt_trie_t *t, const char *key_text, const char *value_text, bool secure)
{
    hash32_t h;
    view_t key = bytes_of(t->arena, key_text);
    if (secure) {
        keccak256(&h, key);
        key = view_of(h.b, sizeof h.b);
    }
    if (value_text && value_text[0])
        return mpt_trie_put(t, key, bytes_of(t->arena, value_text), NULL);
    return mpt_trie_remove(t, key);
}

/* All pairs, in the order of their keys. */
static size_t list(mpt_pair_t *pairs, const mpt_trie_t *t)
{
    size_t n = 0;
    view_t key = view_of(NULL, 0);
    while (n < PAIRS_MAX && (key = mpt_trie_next(t, key)).p)
        pairs[n++] = (mpt_pair_t){ key, mpt_trie_get(t, NULL, key) };
    return n;
}

static const char *check_proofs(const mpt_trie_t *t, const hash32_t *root, const mpt_pair_t *pairs, size_t count)
{
    view_t nodes[MPT_TRIE_PROOF_MAX], value;
    size_t n;
    for (size_t i = 0; i < count; i++)
        if (pairs[i].key.n <= MPT_PROOF_KEY_MAX &&
            (mpt_trie_prove(nodes, &n, t, pairs[i].key) || mpt_verify(&value, root, pairs[i].key, nodes, n) ||
             !view_eq(value, pairs[i].value)))
            return "a proof does not verify";
    return NULL;
}

static const char *check(const json_t *test, bool secure, arena_t *a)
{
    const json_t *in = json_object_get(test, "in");
    mpt_pair_t *pairs = arena_calloc(a, PAIRS_MAX, sizeof *pairs);
    mpt_trie_t t = { .arena = a };
    hash32_t want, got;
    const char *key;
    json_t *value;
    rc_t rc = RC_OK;
    if (!pairs || !in || !vec_hex_fixed(want.b, sizeof want.b, vec_str(test, "root")))
        return "cannot be read";
    json_object_foreach ((json_t *)(uintptr_t)in, key, value) /* the macro is not const-clean */
        if (!rc)
            rc = put(&t, key, json_string_value(value), secure);
    for (size_t i = 0; !rc && i < json_array_size(in); i++) {
        const json_t *step = json_array_get(in, i);
        rc = put(&t, json_string_value(json_array_get(step, 0)), json_string_value(json_array_get(step, 1)), secure);
    }
    if (!rc)
        rc = mpt_trie_root(&got, &t);
    if (rc || !hash32_eq(&got, &want))
        return rc ? rc_name(rc) : "another root";
    size_t count = list(pairs, &t);
    const char *bad = check_proofs(&t, &want, pairs, count);
    if (bad)
        return bad;
    rc = mpt_root(&got, pairs, count, a);
    return rc ? rc_name(rc) : hash32_eq(&got, &want) ? NULL : "another root from the pairs";
}

/* Neighbours: each test is a key, the one before and the one after; empty when there is none. */
static const char *check_neighbours(const json_t *test, arena_t *a)
{
    const json_t *in = json_object_get(test, "in"), *tests = json_object_get(test, "tests");
    mpt_trie_t t = { .arena = a };
    for (size_t i = 0; i < json_array_size(in); i++)
        if (put(&t, json_string_value(json_array_get(in, i)), "x", false))
            return "cannot be built";
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *row = json_array_get(tests, i);
        view_t key = bytes_of(a, json_string_value(json_array_get(row, 0)));
        if (!view_eq(mpt_trie_previous(&t, key), bytes_of(a, json_string_value(json_array_get(row, 1)))) ||
            !view_eq(mpt_trie_next(&t, key), bytes_of(a, json_string_value(json_array_get(row, 2)))))
            return "another neighbour";
    }
    return json_array_size(tests) ? NULL : "no tests";
}

void vec_kind_trie(vec_t *v)
{
    arena_t a;
    arena_init(&a, 64u << 20);
    char **files = vec_walk(v, &a, "trie", ".json");
    for (; files && *files; files++) {
        json_t *tests = vec_json(v, "%s", *files);
        const char *name;
        json_t *test;
        if (!tests)
            vec_fail(v, *files, "does not parse");
        json_object_foreach (tests, name, test) {
            arena_mark_t mark = arena_mark(&a);
            const char *fault = strstr(*files, "nextprev") ? check_neighbours(test, &a)
                                                           : check(test, strcasestr(*files, "securetrie") != NULL, &a);
            if (fault)
                vec_fail(v, name, "%s: %s", *files, fault);
            else
                vec_pass(v);
            arena_rollback(&a, mark);
        }
        json_decref(tests);
    }
    arena_free(&a);
}
