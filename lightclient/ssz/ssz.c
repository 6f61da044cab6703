#include "lightclient/ssz/ssz.h"

#include <assert.h>

#include "base/crypto/hash.h"

static void hash_pair(hash32_t *out, const hash32_t *left, const hash32_t *right)
{
    uint8_t in[64];
    memcpy(in, left->b, 32);
    memcpy(in + 32, right->b, 32);
    sha256_64(out, in);
}

void ssz_merkleize(hash32_t *out, hash32_t *chunks, size_t count, unsigned depth)
{
    hash32_t zero = { { 0 } }; /* root of an empty subtree of the present level */
    assert(depth <= SSZ_DEPTH_MAX && count <= (size_t)1 << depth);
    bool full = count == (size_t)1 << depth;
    for (unsigned level = 0; level < depth; level++) {
        for (size_t i = 0; i < count / 2; i++)
            sha256_64(&chunks[i], (const uint8_t *)&chunks[2 * i]);
        if (count % 2)
            hash_pair(&chunks[count / 2], &chunks[count - 1], &zero);
        count = (count + 1) / 2;
        if (!full)
            hash_pair(&zero, &zero, &zero);
    }
    *out = count ? chunks[0] : zero;
}

void ssz_bytes_root(hash32_t *out, view_t bytes, unsigned depth)
{
    hash32_t left[SSZ_DEPTH_MAX + 1]; /* left[k]: a finished subtree of depth k that waits for its right neighbour */
    size_t count = bytes.n / 32 + (bytes.n % 32 != 0);
    assert(depth <= SSZ_DEPTH_MAX && count <= (size_t)1 << depth);
    for (size_t i = 0; i < count; i++) {
        hash32_t node = { { 0 } };
        unsigned level = 0;
        memcpy(node.b, bytes.p + 32 * i, bytes.n - 32 * i < 32 ? bytes.n - 32 * i : 32);
        for (size_t at = i; at % 2; at /= 2)
            hash_pair(&node, &left[level], &node), level++;
        left[level] = node;
    }
    /* Close the open subtrees from the right edge: bit k of count says that left[k] waits. */
    hash32_t zero = { { 0 } }, root = { { 0 } };
    bool any = false;
    for (unsigned level = 0; level <= depth; level++) {
        bool waits = count >> level & 1;
        if (level == depth) {
            if (waits)
                root = left[level];
            else if (!any)
                root = zero;
            break;
        }
        if (waits)
            hash_pair(&root, &left[level], any ? &root : &zero);
        else if (any)
            hash_pair(&root, &root, &zero);
        any = any || waits;
        hash_pair(&zero, &zero, &zero);
    }
    *out = root;
}

void ssz_mix_in_length(hash32_t *out, const hash32_t *root, uint64_t length)
{
    hash32_t chunk = ssz_u64_chunk(length);
    hash_pair(out, root, &chunk);
}

hash32_t ssz_u64_chunk(uint64_t x)
{
    hash32_t chunk = { { 0 } };
    store_u64le(chunk.b, x);
    return chunk;
}

rc_t ssz_branch_verify(const hash32_t *root, const hash32_t *leaf, uint64_t gindex, const hash32_t *branch,
                       size_t count)
{
    hash32_t node = *leaf;
    if (gindex == 0 || count != 63u - (unsigned)__builtin_clzll(gindex))
        return RC_MALFORMED;
    for (size_t i = 0; i < count; i++) {
        if (gindex >> i & 1)
            hash_pair(&node, &branch[i], &node);
        else
            hash_pair(&node, &node, &branch[i]);
    }
    return hash32_eq(&node, root) ? RC_OK : RC_REFUSED;
}
