/* trie: roots of tries after insertions, updates and deletions. */
#include <string.h>
#include <strings.h>

#include "base/crypto/hash.h"
#include "lightclient/mpt/mpt.h"
#include "tests/vectors/vec.h"

#define PAIRS_MAX 4096u

/* "0x..." is hex, anything else is itself. */
static view_t bytes_of(arena_t *a, const char *text)
{
    return text[0] == '0' && text[1] == 'x' ? vec_hex(a, text) : arena_dup(a, view_str(text));
}

/* Sets, replaces or (value NULL) removes one key. */
static bool put(mpt_pair_t *pairs, size_t *count, arena_t *a, const char *key_text, const char *value_text, bool secure)
{
    view_t key = bytes_of(a, key_text);
    if (secure) {
        hash32_t h;
        keccak256(&h, key);
        key = arena_dup(a, view_of(h.b, sizeof h.b));
    }
    size_t i = 0;
    while (i < *count && !view_eq(pairs[i].key, key))
        i++;
    if (i == PAIRS_MAX)
        return false;
    if (value_text && value_text[0]) {
        pairs[i] = (mpt_pair_t){ key, bytes_of(a, value_text) };
        *count += i == *count;
    } else if (i < *count) {
        pairs[i] = pairs[--*count];
    }
    return true;
}

static const char *check(const json_t *test, bool secure, arena_t *a)
{
    const json_t *in = json_object_get(test, "in");
    mpt_pair_t *pairs = arena_calloc(a, PAIRS_MAX, sizeof *pairs);
    size_t count = 0;
    hash32_t want, got;
    const char *key;
    json_t *value;
    if (!pairs || !in || !vec_hex_fixed(want.b, sizeof want.b, vec_str(test, "root")))
        return "cannot be read";
    json_object_foreach((json_t *)(uintptr_t)in, key, value) /* the macro is not const-clean */
        if (!put(pairs, &count, a, key, json_string_value(value), secure)) return "too many keys";
    for (size_t i = 0; i < json_array_size(in); i++) {
        const json_t *step = json_array_get(in, i);
        if (!put(pairs, &count, a, json_string_value(json_array_get(step, 0)),
                 json_string_value(json_array_get(step, 1)), secure))
            return "too many keys";
    }
    rc_t rc = mpt_root(&got, pairs, count, a);
    return rc ? rc_name(rc) : hash32_eq(&got, &want) ? NULL : "another root";
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
        json_object_foreach(tests, name, test)
        {
            arena_mark_t mark = arena_mark(&a);
            if (strstr(*files, "nextprev")) {
                vec_skip(v, name, "neighbour queries: nothing here needs them");
                continue;
            }
            const char *fault = check(test, strcasestr(*files, "securetrie") != NULL, &a);
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
