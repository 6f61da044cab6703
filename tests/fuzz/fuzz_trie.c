/* Writable tries: after any changes the root is that of a trie built anew from what is left, a snapshot keeps its root,
 * and the proof of any key verifies.
 *
 * Input: steps of [operation][key length][key]; every third operation removes the key, the others set it. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/mpt/trie.h"
#include "tests/fuzz/fuzz.h"

#define STEPS_MAX 200u
#define KEY_MAX 5u

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check(const mpt_trie_t *t, view_t key)
{
    mpt_pair_t pairs[STEPS_MAX];
    view_t nodes[MPT_TRIE_PROOF_MAX], value, at = mpt_trie_get(t, NULL, view_of(NULL, 0));
    hash32_t root, anew;
    size_t count = 0, n;
    if (at.p)
        pairs[count++] = (mpt_pair_t){ view_of(NULL, 0), at };
    for (at = view_of(NULL, 0); (at = mpt_trie_next(t, at)).p && count < STEPS_MAX;)
        pairs[count++] = (mpt_pair_t){ at, mpt_trie_get(t, NULL, at) };
    require(mpt_root(&anew, pairs, count, t->arena) == RC_OK);
    require(mpt_trie_root(&root, t) == RC_OK && hash32_eq(&root, &anew));
    require(mpt_trie_prove(nodes, &n, t, key) == RC_OK);
    require(mpt_verify(&value, &root, key, nodes, n) == RC_OK && view_eq(value, mpt_trie_get(t, NULL, key)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    rd_t r = rd_of(view_of(data, len));
    view_t key = { NULL, 0 };
    hash32_t was, now;
    arena_init(&a, 32u << 20);
    mpt_trie_t t = { .arena = &a }, snapshot = t;
    for (unsigned step = 0; r.n && step < STEPS_MAX; step++) {
        uint8_t op = rd_u8(&r), value[64];
        memset(value, op | 1, sizeof value);
        size_t n = rd_u8(&r) % (KEY_MAX + 1);
        key = rd_take(&r, n < r.n ? n : r.n);
        if (op % 3)
            require(mpt_trie_put(&t, key, view_of(value, 1u + op % 64u), NULL) == RC_OK);
        else
            require(mpt_trie_remove(&t, key) == RC_OK);
        if (step == STEPS_MAX / 20) {
            snapshot = t;
            require(mpt_trie_root(&was, &snapshot) == RC_OK);
        }
    }
    check(&t, key);
    if (snapshot.root)
        require(mpt_trie_root(&now, &snapshot) == RC_OK && hash32_eq(&was, &now));
    arena_free(&a);
    return 0;
}
