/* scan_same.h - the scanner of answers beside its oracle, the JSON tree, as one function for tests. */
#ifndef TESTS_SCAN_SAME_H
#define TESTS_SCAN_SAME_H

#include "rpc/upstream/jsonrpc.h"
#include "rpc/upstream/scan.h"

#define SCAN_NEEDS_MAX 8u

static inline bool same_nodes(const ex_nodes_t *a, const ex_nodes_t *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = view_eq(a->nodes[i], b->nodes[i]);
    return same;
}

static inline bool same_proof(const ex_proof_answer_t *a, const ex_proof_answer_t *b)
{
    bool same = addr_eq(&a->address, &b->address) && a->nonce == b->nonce && u256_eq(&a->balance, &b->balance) &&
                hash32_eq(&a->code_hash, &b->code_hash) && hash32_eq(&a->storage_hash, &b->storage_hash) &&
                same_nodes(&a->account_proof, &b->account_proof) && a->slot_count == b->slot_count;
    for (size_t i = 0; same && i < a->slot_count; i++)
        same = u256_eq(&a->slots[i].key, &b->slots[i].key) && u256_eq(&a->slots[i].value, &b->slots[i].value) &&
               same_nodes(&a->slots[i].proof, &b->slots[i].proof);
    return same;
}

static inline bool same_receipts(const answer_t *a, const answer_t *b)
{
    bool same = a->receipt_count == b->receipt_count;
    for (size_t i = 0; same && i < a->receipt_count; i++)
        same = view_eq(a->receipts[i], b->receipts[i]);
    return same;
}

static inline bool same_answer(const answer_t *a, const answer_t *b)
{
    switch (a->kind) {
    case NEED_PROOF: return same_proof(&a->proof, &b->proof);
    case NEED_RECEIPTS: return !b->absent && same_receipts(a, b);
    default: return view_eq(a->code, b->code);
    }
}

/* Reads a body both ways, at most SCAN_NEEDS_MAX needs. *taken: by the scanner. False: it took what the tree does not
 * take, or as something else. */
static inline bool scan_same(bool *taken, const need_t *needs, size_t count, view_t body)
{
    static const cap_form_t form;
    const need_t *asked[SCAN_NEEDS_MAX];
    jr_answer_t one[SCAN_NEEDS_MAX], two[SCAN_NEEDS_MAX];
    arena_t a;
    arena_init(&a, (size_t)64 << 20);
    for (size_t i = 0; i < count; i++)
        asked[i] = &needs[i];
    *taken = jr_scan(one, &a, asked, count, body);
    bool same = !*taken || jr_decode_tree(two, NULL, &a, asked, count, &form, body) == RC_OK;
    for (size_t i = 0; *taken && same && i < count; i++)
        same = one[i].rc == RC_OK && two[i].rc == RC_OK && one[i].answer.kind == two[i].answer.kind &&
               same_answer(&one[i].answer, &two[i].answer);
    arena_free(&a);
    return same;
}

#endif
