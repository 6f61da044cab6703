/* Tries of which some nodes are known: no nodes, however malformed, do harm; a key that was set is there, one that is
 * set back has its old value.
 *
 * Input: [count] nodes as [length, 2 bytes][bytes], the first one the root; then a key of 32 bytes. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/mpt/known.h"
#include "tests/fuzz/fuzz.h"

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void change(mpt_known_t *k, const hash32_t *before, const hash32_t *key, view_t was)
{
    static const uint8_t other[] = { 1, 2, 3 };
    hash32_t root = *before;
    mpt_gap_t gap;
    view_t value;
    if (mpt_known_set(&root, &gap, k, key, view_of(other, sizeof other)))
        return;
    require(!mpt_known_get(&value, &gap, k, &root, key) && view_eq(value, view_of(other, sizeof other)));
    const rc_t rc = mpt_known_set(&root, &gap, k, key, was);
    require(rc != RC_NOMEM && rc != RC_BUG);
    if (!rc)
        require(!mpt_known_get(&value, &gap, k, &root, key) && view_eq(value, was));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint64_t seed[2] = { 3, 4 };
    rd_t r = rd_of(view_of(data, len));
    mpt_known_t k;
    arena_t a;
    hash32_t root = EMPTY_TRIE_ROOT;
    mpt_gap_t gap;
    view_t value;
    arena_init(&a, 32u << 20);
    require(mpt_known_init(&k, &a, seed) == RC_OK);
    const unsigned count = rd_u8(&r) % 16u;
    for (unsigned i = 0; i < count; i++) {
        const size_t n = (size_t)rd_u8(&r) << 8 | rd_u8(&r);
        const view_t node = rd_take(&r, n < r.n ? n : r.n);
        require(mpt_known_add(&k, node) == RC_OK);
        if (!i)
            keccak256(&root, node);
    }
    const hash32_t key = rd_hash32(&r);
    const rc_t rc = mpt_known_get(&value, &gap, &k, &root, &key);
    require(rc != RC_NOMEM && rc != RC_BUG);
    if (rc == RC_NEED_DATA)
        require(gap.nibbles <= 64);
    if (!rc)
        change(&k, &root, &key, value);
    arena_free(&a);
    return 0;
}
