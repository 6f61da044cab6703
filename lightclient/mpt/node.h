/* node.h - how nodes are written: a leaf, a branch with or without an extension above it, and how a parent names a
 * child.
 *
 * Spec:   Yellow Paper appendix D
 * Floor:  2, mpt; internal to this folder. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_mpt.c, tests/unit/test_trie.c
 */
#ifndef MPT_NODE_H
#define MPT_NODE_H

#include "base/bytes.h"

#define MPT_NODE_OVERHEAD 640u /* bytes of a branch without its value, or of a leaf without path and value, at most */

/* How a parent names a child: a hash as an RLP string, or the child's own short encoding. */
typedef struct {
    uint8_t n; /* bytes used; 0: no child */
    uint8_t b[33];
} mpt_ref_t;

/* The reference to a node. */
void mpt_refer(mpt_ref_t *out, view_t node);

/* Each writes one node from the writer's start. A path is nibbles from..to of key, which has at most MPT_KEY_MAX bytes;
 * the writer turns bad when it has no room. */
void mpt_put_leaf(wr_t *w, view_t key, size_t from, view_t value);
void mpt_put_extension(wr_t *w, view_t key, size_t from, size_t to, const mpt_ref_t *branch);

/* child: 16 references; value: of the key that ends at the branch, empty when none does. */
void mpt_put_branch(wr_t *w, const mpt_ref_t *child, view_t value);

#endif
