/* mpt.h - Merkle-Patricia tries: proof walk with the expected root going in, and roots built from key-value pairs.
 *
 * Spec:   ethereum/execution-specs trie; Yellow Paper appendix D; EIP-1186 proof format
 * Floor:  2, mpt. May include base/, rlp/. No I/O, clock or thread; no recursion on input.
 * Tests:  tests/unit/test_mpt.c, tests/fuzz/fuzz_mpt.c, vectors kinds trie, mpt-proofs
 */
#ifndef MPT_MPT_H
#define MPT_MPT_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"
#include "base/u256.h"

#define MPT_PROOF_NODES_MAX 65u /* 64 nibbles and the root */
#define MPT_PROOF_KEY_MAX 32u   /* bytes of a key that a proof is walked along */
#define MPT_NODE_LEN_MAX 65536u /* bytes of one node; a leaf of a transaction trie can be large */
#define MPT_KEY_MAX 256u        /* bytes of a key that a root is built from */

/* An account as the state trie holds it. */
typedef struct {
    bool exists; /* false: proven absent; the other fields then hold an empty account's values */
    uint64_t nonce;
    u256_t balance;
    hash32_t storage_root;
    hash32_t code_hash;
} mpt_account_t;

/* Walks the proof nodes (root first) from the expected root along key.
 *   value    on RC_OK: the proven value (borrowed from the nodes); p NULL and n 0 when the key is proven absent
 *   key      the trie key itself, at most MPT_PROOF_KEY_MAX bytes (already hashed where the trie is a secure one)
 *   nodes    every node must be used, in order. Two habits of providers are tolerated, as neither can change what is
 *            proven: ONE empty element, "0x" or 0x80, wherever it stands (vectors mpt-proofs: some append one to
 *            exclusion proofs, and one recorded answer has it before the leaf); and a node shorter than 32 bytes, which
 *            stands inside its parent, listed once more by itself.
 *   No node at all proves absence only under EMPTY_TRIE_ROOT.
 * RC_MALFORMED: a node does not parse or no trie has such a node; RC_LIMIT: too many or too large; RC_REFUSED: a hash
 * does not match, the proof ends early, or nodes are left over. value is written only on RC_OK. */
NODISCARD rc_t mpt_verify(view_t *value, const hash32_t *root, view_t key, const view_t *nodes, size_t count);

/* mpt_verify in the secure state trie for an address, and the account's fields decoded strictly (RC_MALFORMED). out is
 * written only on RC_OK. */
NODISCARD rc_t mpt_verify_account(mpt_account_t *out, const hash32_t *state_root, const addr_t *addr,
                                  const view_t *nodes, size_t count);

/* mpt_verify in an account's storage trie for a 32-byte slot key. Absent is zero, proven; so is a leaf that
 * holds zero, which Ethereum's tries never have and anvil's do. out is written only on RC_OK. */
NODISCARD rc_t mpt_verify_slot(u256_t *out, const hash32_t *storage_root, const hash32_t *slot, const view_t *nodes,
                               size_t count);

typedef struct {
    view_t key;   /* trie key bytes */
    view_t value; /* not empty */
} mpt_pair_t;

/* The root of the trie that holds exactly these pairs; order does not matter (the array is sorted in place).
 *   scratch  temporary memory; rolled back before return
 * RC_REFUSED: the same key twice, or an empty value; RC_LIMIT: a key longer than MPT_KEY_MAX; RC_NOMEM. */
NODISCARD rc_t mpt_root(hash32_t *out, mpt_pair_t *pairs, size_t count, arena_t *scratch);

/* mpt_root of a list keyed by RLP(index): transactions, receipts, withdrawals. */
NODISCARD rc_t mpt_list_root(hash32_t *out, const view_t *values, size_t count, arena_t *scratch);

#endif
