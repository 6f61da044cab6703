/* scan.h - answers of proofs and codes, or of receipts, in the form in which nearly all of them come, read in one pass
 * over the text: without a tree, hex decoded where it stands. The JSON tree reads all else, and is the scanner's test
 * oracle.
 *
 * Spec:   JSON-RPC 2.0; ethereum/execution-apis (eth_getProof, eth_getCode, eth_getBlockReceipts)
 * Floor:  3, rpc/upstream. No I/O, clock or thread.
 * Tests:  tests/unit/test_scan.c, tests/fuzz/fuzz_scan.c
 */
#ifndef RPC_UPSTREAM_SCAN_H
#define RPC_UPSTREAM_SCAN_H

#include "base/arena.h"
#include "rpc/upstream/answer.h"

/* Reads a body where each need is a proof or a code and has a result, with the members that the specification names and
 * no others, in any order, with spaces or without. Or one where each need is the receipts of a block: these and their
 * logs may have other members too, whose values are texts, true, false or null.
 *   out  one element for each need, RC_OK; undefined when false
 * True: jr_decode_tree would say the same; but receipts, which anybody can make long ones of, may have more values
 * than the tree takes, and keep no more memory than their encodings. False: it has to be asked; there may be a
 * fault, or just another form. */
bool jr_scan(jr_answer_t *out, arena_t *a, const need_t *const *needs, size_t count, view_t body);

#endif
