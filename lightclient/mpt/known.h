/* known.h - tries of which only some nodes are known: keys read, set and removed, and the new root, as long as the
 * nodes along them are there. Many tries and many states of each share the nodes, which are found by their hashes: what
 * was once a root can be written again.
 *
 * A removal may need one node beside the key's path: a branch that is left with one child takes that child's path.
 *
 * Spec:   Yellow Paper appendix D; keys have 32 bytes, as in secure tries
 * Floor:  2, mpt. May include base/, rlp/. Memory comes from the arena. No I/O, clock or thread; no recursion.
 * Tests:  tests/unit/test_known.c, tests/fuzz/fuzz_known.c
 */
#ifndef MPT_KNOWN_H
#define MPT_KNOWN_H

#include "base/map.h"
#include "lightclient/mpt/mpt.h"

/* A node that is known. */
typedef struct {
    view_t bytes;
    bool used; /* the owner's: set and read by nobody here */
} mpt_known_node_t;

typedef struct {
    arena_t *arena;
    map_t nodes; /* mpt_known_node_t by hash */
} mpt_known_t;

/* Where a node is missing: the proof of any key that begins with these nibbles of prefix has it. */
typedef struct {
    hash32_t prefix;
    unsigned nibbles;
} mpt_gap_t;

/* No node is known. RC_NOMEM. */
NODISCARD rc_t mpt_known_init(mpt_known_t *k, arena_t *a, const uint64_t seed[2]);

/* Adds a node under its hash; copied. It counts only where a root leads to it, so that anybody may have sent it.
 * RC_NOMEM. */
NODISCARD rc_t mpt_known_add(mpt_known_t *k, view_t node);

/* The value of a key under a root; n 0: it is not there. Borrowed from the nodes.
 * RC_NEED_DATA: see gap; RC_MALFORMED: a node on the way is none; RC_NOMEM. Outputs are written only on RC_OK, gap only
 * on RC_NEED_DATA. */
NODISCARD rc_t mpt_known_get(view_t *value, mpt_gap_t *gap, mpt_known_t *k, const hash32_t *root, const hash32_t *key);

/* The nodes along a key, root first, as a proof has them: those that stand inside their parents are left out.
 *   out    MPT_PROOF_NODES_MAX of them, borrowed
 *   count  0 under the root of nothing
 * As above. */
NODISCARD rc_t mpt_known_prove(mpt_known_node_t **out, size_t *count, mpt_gap_t *gap, mpt_known_t *k,
                               const hash32_t *root, const hash32_t *key);

/* Sets the value of a key, or with n 0 removes it, and changes the root. As above. */
NODISCARD rc_t mpt_known_set(hash32_t *root, mpt_gap_t *gap, mpt_known_t *k, const hash32_t *key, view_t value);

#endif
