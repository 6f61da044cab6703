/* stock.h - bytes from which queries can be answered again, without asking anybody: trie nodes and codes by their hash,
 * headers and whole blocks by theirs, lists of receipts by their root. It answers a need, and notes what it answered
 * from, so that what nobody needed shows.
 *
 * Nothing in it is proven: whoever is answered from it checks that as an upstream's answer.
 *
 * Spec:   api-facts section 13; execution-apis debug_executionWitness (state, codes, headers)
 * Floor:  2, exec. Memory comes from the arena. No I/O, clock or thread.
 * Tests:  tests/unit/test_stock.c
 */
#ifndef EXEC_STOCK_H
#define EXEC_STOCK_H

#include "lightclient/exec/query.h"
#include "lightclient/mpt/known.h"

typedef enum {
    EX_STOCK_HEADER,
    EX_STOCK_NODE,
    EX_STOCK_CODE,
    EX_STOCK_BLOCK, /* whole: the RLP of [header, transactions, ommers, withdrawals] */
    EX_STOCK_RECEIPTS,
    EX_STOCK_KINDS
} ex_stock_kind_t;

#define EX_STOCK_ITEMS_MAX 200000u /* of one kind */

typedef struct {
    arena_t *arena;
    mpt_known_t nodes;
    map_t codes, headers, blocks, receipts; /* each by its hash or root */
    map_t numbers;                          /* the hash that a header or block of this number has */
} ex_stock_t;

/* Encodings of one block's receipts. */
typedef struct {
    const view_t *at;
    size_t count;
} ex_stock_receipts_t;

/* An empty one; seed: random, as keys come from outside. RC_NOMEM. */
NODISCARD rc_t ex_stock_init(ex_stock_t *s, arena_t *a, const uint64_t seed[2]);

/* Adds one of any kind but receipts; copied.
 * RC_MALFORMED: no header or block; RC_LIMIT: too long, too many; RC_REPLAY: it is there already; RC_REFUSED: another
 * block of that number is; RC_NOMEM. */
NODISCARD rc_t ex_stock_add(ex_stock_t *s, err_t *e, ex_stock_kind_t kind, view_t bytes);

/* Adds the receipts of a block; copied. RC_LIMIT, RC_REPLAY, RC_NOMEM. */
NODISCARD rc_t ex_stock_add_receipts(ex_stock_t *s, err_t *e, const view_t *list, size_t count);

/* Adds what an answer is made of that a query has taken. RC_NOMEM; RC_LIMIT: no room for more. */
NODISCARD rc_t ex_stock_take(ex_stock_t *s, const need_t *need, const answer_t *answer);

/* Answers a need; what it is answered from counts as used from then on.
 *   out    lists are in the arena a, bytes in the stock; written only on RC_OK
 *   lacks  on RC_NEED_DATA: of what kind there is too little
 * RC_NEED_DATA; RC_MALFORMED: a node on the way is none; RC_UNSUPPORTED: a need that no stock answers; RC_NOMEM. */
NODISCARD rc_t ex_stock_answer(ex_stock_t *s, answer_t *out, ex_stock_kind_t *lacks, arena_t *a, const need_t *need);

/* How many of a kind were not used. */
size_t ex_stock_unused(const ex_stock_t *s, ex_stock_kind_t kind);

/* Those of a kind that were used, each once: headers and blocks in order of their numbers, nodes and codes of their
 * bytes. The list is in the arena. RC_NOMEM. */
NODISCARD rc_t ex_stock_list(const ex_stock_t *s, view_t **out, size_t *count, arena_t *a, ex_stock_kind_t kind);

/* The same of receipts, in order of their roots. */
NODISCARD rc_t ex_stock_list_receipts(const ex_stock_t *s, ex_stock_receipts_t **out, size_t *count, arena_t *a);

#endif
