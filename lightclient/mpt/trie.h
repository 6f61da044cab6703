/* trie.h - a trie that can be written: keys set and removed, the root and proofs taken at any time.
 *
 * Nodes are never changed once they are made: a change makes new ones along the key's path. So a copy of the struct
 * is a snapshot that later changes do not reach, and going back is assigning it. What no snapshot needs any more
 * stays in the arena until that is freed.
 *
 * Spec:   Yellow Paper appendix D. Secure tries: the caller hashes the keys
 * Floor:  2, mpt. May include base/, rlp/. No I/O, clock or thread; no recursion.
 * Tests:  tests/unit/test_trie.c, tests/fuzz/fuzz_trie.c, vectors kinds trie, state, blockchain
 */
#ifndef MPT_TRIE_H
#define MPT_TRIE_H

#include "lightclient/mpt/mpt.h"

typedef struct mpt_node mpt_node_t;

/* The empty trie: { .arena = a }. The arena owns the nodes and copies of keys and values. */
typedef struct {
    arena_t *arena;
    mpt_node_t *root; /* NULL: empty */
    size_t largest;   /* bytes of the longest value so far */
} mpt_trie_t;

/* What a proof needs room for: a node for each nibble and the root, an extension and a branch counting as two. */
#define MPT_TRIE_PROOF_MAX (2u * MPT_KEY_MAX + 2u)

/* Sets or replaces the value of a key.
 *   extra  whatever the caller keeps with the value (not part of the root); may be NULL; lives as long as the trie
 * RC_LIMIT: a key longer than MPT_KEY_MAX; RC_REFUSED: an empty value; RC_NOMEM. The trie is then unchanged. */
NODISCARD rc_t mpt_trie_put(mpt_trie_t *t, view_t key, view_t value, const void *extra);

/* Removes a key; RC_OK also when it is not there. RC_NOMEM: the trie is unchanged. */
NODISCARD rc_t mpt_trie_remove(mpt_trie_t *t, view_t key);

/* The value of a key; an empty view when it is not there. extra may be NULL. */
view_t mpt_trie_get(const mpt_trie_t *t, const void **extra, view_t key);

/* The next key above `key` in byte order, or (last) the next one below it; an empty view with p NULL when there is
 * none. Whether key itself is in the trie does not matter. */
view_t mpt_trie_next(const mpt_trie_t *t, view_t key);
view_t mpt_trie_previous(const mpt_trie_t *t, view_t key);

/* The root; EMPTY_TRIE_ROOT of the empty trie. Only nodes made since the last call are hashed; what
 * was hashed is noted in nodes that snapshots share, so one thread at a time. RC_NOMEM. */
NODISCARD rc_t mpt_trie_root(hash32_t *out, const mpt_trie_t *t);

/* The proof of a key, present or absent, as mpt_verify takes it: no node for the empty trie.
 *   nodes  room for MPT_TRIE_PROOF_MAX; bytes in the arena
 * RC_NOMEM. */
NODISCARD rc_t mpt_trie_prove(view_t *nodes, size_t *count, const mpt_trie_t *t, view_t key);

#endif
