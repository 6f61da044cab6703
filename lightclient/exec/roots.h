/* roots.h - the state root after changes to a state of which only proofs are known. What is missing of the tries is
 * asked for: proofs of what is changed, and of keys beside those that are removed. Internal to exec/.
 *
 * No proof shows a node by its place, but by a key below it; for a place that is not too deep a key is found by trying.
 *
 * Spec:   Yellow Paper section 4.1, appendix D; EIP-1186
 * Floor:  2, exec. May include base/, mpt/, evm/. Memory comes from the arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_simulate.c, vectors kind rpc-hive
 */
#ifndef EXEC_ROOTS_H
#define EXEC_ROOTS_H

#include "lightclient/evm/evm.h"
#include "lightclient/exec/query.h"
#include "lightclient/mpt/known.h"

#define EX_ROOTS_DEPTH_MAX 5u /* nibbles of the deepest place for which a key is looked for: some 2^20 hashes */
#define EX_ROOTS_GAPS_MAX 4096u
#define EX_ROOTS_HASHES_MAX (1u << 24) /* for all keys; the one of a place is not in as many with e^-16 */

/* A proof that is missing: of the account alone, or of one slot. */
typedef struct ex_gap {
    struct ex_gap *next;
    addr_t addr;
    bool has_slot;
    hash32_t slot;
} ex_gap_t;

typedef struct {
    mpt_known_t known;
    ex_gap_t *gaps; /* since ex_roots_clear */
    size_t gap_count;
    uint32_t hashes;            /* that were made for keys */
    bool (*expired)(void *ctx); /* whether the time is over, asked now and then while a key is looked for; or NULL */
    void *expired_ctx;
} ex_roots_t;

/* No node is known. RC_NOMEM. */
NODISCARD rc_t ex_roots_init(ex_roots_t *r, arena_t *a, const uint64_t seed[2]);

/* Changes the state root by what a block did.
 * RC_NEED_DATA: something is missing, see gaps; RC_REFUSED: it lies deeper than a key can be found, or
 * EX_ROOTS_HASHES_MAX are used up; RC_TIMEOUT: expired said so;
 * RC_LIMIT: more than EX_ROOTS_GAPS_MAX of them; RC_MALFORMED: a node
 * that a root leads to is none; RC_NOMEM. The root is changed only on RC_OK. */
NODISCARD rc_t ex_roots_apply(ex_roots_t *r, hash32_t *state_root, err_t *e, const evm_change_t *changes, size_t count);

/* Takes the nodes of a proof, whatever they prove. RC_NOMEM. */
NODISCARD rc_t ex_roots_learn(ex_roots_t *r, const ex_proof_answer_t *proof);

/* Forgets the gaps, whose memory stays. */
void ex_roots_clear(ex_roots_t *r);

#endif
