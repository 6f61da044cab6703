/* proofs.h - proofs that were checked, kept by their nodes for whoever has to show or to rewrite these: eth_getProof,
 * the state root of eth_simulateV1. Those who only want values find them in the cache itself.
 *
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_prove.c, tests/unit/test_roundtrips.c
 */
#ifndef EXEC_PROOFS_H
#define EXEC_PROOFS_H

#include "lightclient/exec/cache.h"
#include "lightclient/exec/proof.h"

#define EX_PROOFS_SLOTS_MAX 64u /* slots of one proof that is kept */

/* Keeps a proof that ex_proof_verify has found to hold for these slots under that state root. cache NULL, memory short,
 * or more slots than EX_PROOFS_SLOTS_MAX: it is not kept. */
void ex_proofs_keep(ex_cache_t *cache, const hash32_t *state_root, const hash32_t *slots,
                    const ex_proof_answer_t *answer);

/* The same as an answer to be checked, when all of it is kept: ex_proof_verify holds for it. False: out is untouched.
 *   out  in the arena */
bool ex_proofs_recall(ex_proof_answer_t *out, arena_t *a, ex_cache_t *cache, const hash32_t *state_root,
                      const addr_t *addr, const hash32_t *slots, size_t slot_count);

#endif
