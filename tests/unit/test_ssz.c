/* SSZ Merkle trees: known roots, both ways to the same root, branches. */
#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "lightclient/ssz/ssz.h"
#include "tests/unit/unit.h"

static hash32_t h(const char *hex)
{
    hash32_t out;
    ck_assert_int_eq(hex_decode_exact(out.b, 32, hex, strlen(hex)), RC_OK);
    return out;
}

/* Source: the zero hashes of the deposit contract (consensus-specs solidity_deposit_contract), depths 0 to 3 and 5. */
static const struct {
    unsigned depth;
    const char *root;
} zeros[] = {
    { 0, "0000000000000000000000000000000000000000000000000000000000000000" },
    { 1, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b" },
    { 2, "db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71" },
    { 3, "c78009fdf07fc56a11f122370658a353aaa542ed63e44c4bc15ff4cd105ab33c" },
    { 5, "9efde052aa15429fae05bad4d0b1d7c64da64d03d7a1854a588c2cb8430c0d30" },
};

START_TEST(empty_trees_have_the_zero_roots)
{
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
        hash32_t want = h(zeros[i].root), got, chunk[1] = { { { 0 } } };
        ssz_merkleize(&got, chunk, 0, zeros[i].depth);
        ck_assert_msg(hash32_eq(&got, &want), "depth %u, no chunk", zeros[i].depth);
        ssz_merkleize(&got, chunk, 1, zeros[i].depth);
        ck_assert_msg(hash32_eq(&got, &want), "depth %u, one zero chunk", zeros[i].depth);
        ssz_bytes_root(&got, view_of(NULL, 0), zeros[i].depth);
        ck_assert_msg(hash32_eq(&got, &want), "depth %u, bytes", zeros[i].depth);
    }
}
END_TEST

START_TEST(streaming_and_in_place_trees_agree_for_every_count)
{
    uint8_t bytes[32 * 32];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
    for (unsigned depth = 0; depth <= 6; depth++)
        for (size_t n = 0; n <= sizeof bytes && n <= (size_t)32 << depth; n++) {
            hash32_t chunks[33] = { { { 0 } } }, a, b;
            memcpy(chunks, bytes, n);
            ssz_merkleize(&a, chunks, (n + 31) / 32, depth);
            ssz_bytes_root(&b, view_of(bytes, n), depth);
            ck_assert_msg(hash32_eq(&a, &b), "depth %u, %zu bytes", depth, n);
        }
}
END_TEST

/* Checkpoint(epoch=1, root=0x0101..01), and that with length 300 mixed in. Source: sha256sum over the 64 bytes. */
START_TEST(two_chunks_and_a_length_are_one_hash_each)
{
    hash32_t pair[2] = { ssz_u64_chunk(1) }, got;
    hash32_t root = h("243c601f11ad57c616958ae8c89305e4af021f755ea7f3c6713f20768651b570");
    hash32_t mixed = h("a16e48434cd203b7afc18adc758f0098f1a3dd77d52563ef01f375a70200e7e8");
    memset(pair[1].b, 1, 32);
    ssz_merkleize(&got, pair, 2, 1);
    ck_assert(hash32_eq(&got, &root));
    ssz_mix_in_length(&got, &got, 300);
    ck_assert(hash32_eq(&got, &mixed));
}
END_TEST

START_TEST(branch_is_checked_node_by_node)
{
    hash32_t leaf[8], tree[8], root;
    for (size_t i = 0; i < 8; i++)
        memset(leaf[i].b, (int)i + 1, 32);
    memcpy(tree, leaf, sizeof tree);
    ssz_merkleize(&root, tree, 8, 3);
    /* Leaf 5 is gindex 13; its branch is leaf 4, the pair of 6 and 7, and the half 0..3. */
    hash32_t branch[3] = { leaf[4] }, part[4];
    memcpy(part, leaf + 6, 2 * sizeof *part);
    ssz_merkleize(&branch[1], part, 2, 1);
    memcpy(part, leaf, 4 * sizeof *part);
    ssz_merkleize(&branch[2], part, 4, 2);
    ck_assert_int_eq(ssz_branch_verify(&root, &leaf[5], 13, branch, 3), RC_OK);
    ck_assert_int_eq(ssz_branch_verify(&root, &leaf[5], 12, branch, 3), RC_REFUSED);
    ck_assert_int_eq(ssz_branch_verify(&root, &leaf[5], 13, branch, 2), RC_MALFORMED);
    ck_assert_int_eq(ssz_branch_verify(&root, &leaf[5], 29, branch, 3), RC_MALFORMED);
    ck_assert_int_eq(ssz_branch_verify(&root, &leaf[5], 0, branch, 0), RC_MALFORMED);
    ck_assert_int_eq(ssz_branch_verify(&root, &root, 1, branch, 0), RC_OK);
    for (size_t bit = 0; bit < 8 * sizeof branch; bit++) {
        ((uint8_t *)branch)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(ssz_branch_verify(&root, &leaf[5], 13, branch, 3), RC_REFUSED);
        ((uint8_t *)branch)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("ssz", empty_trees_have_the_zero_roots, streaming_and_in_place_trees_agree_for_every_count,
                    two_chunks_and_a_length_are_one_hash_each, branch_is_checked_node_by_node);
}
