/* ssz.h - SSZ Merkle trees: chunks, mix-ins and branch checks (the expected root goes in).
 *
 * Spec:   consensus-specs ssz/simple-serialize.md, ssz/merkle-proofs.md
 * Floor:  2, ssz. May include base/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_ssz.c
 */
#ifndef SSZ_SSZ_H
#define SSZ_SSZ_H

#include "base/bytes.h"
#include "base/rc.h"

#define SSZ_DEPTH_MAX 40u

/* Root of count chunks padded with zero chunks to 2^depth leaves. chunks is scratch: it is overwritten.
 * count must not exceed 2^depth, depth not SSZ_DEPTH_MAX (asserted: it is the code's own constant). */
void ssz_merkleize(hash32_t *out, hash32_t *chunks, size_t count, unsigned depth);

/* hash_tree_root of a byte list or vector: bytes packed into chunks, padded to 2^depth; streaming, no buffer. */
void ssz_bytes_root(hash32_t *out, view_t bytes, unsigned depth);

/* mix_in_length. out may equal root. */
void ssz_mix_in_length(hash32_t *out, const hash32_t *root, uint64_t length);

/* The chunk of an unsigned integer. */
hash32_t ssz_u64_chunk(uint64_t x);

/* is_valid_merkle_branch for a generalized index: RC_OK when leaf sits at gindex under root.
 *   branch  floor(log2(gindex)) nodes, lowest first; count must be exactly that
 * RC_MALFORMED: wrong count; RC_REFUSED: another root. */
NODISCARD rc_t ssz_branch_verify(const hash32_t *root, const hash32_t *leaf, uint64_t gindex, const hash32_t *branch,
                                 size_t count);

#endif
