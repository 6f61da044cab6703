/* block_vec.h - blocks as JSON-RPC gives them, with full transactions, as blocks that can be executed. */
#ifndef TESTS_BLOCK_VEC_H
#define TESTS_BLOCK_VEC_H

#include "lightclient/exec/block.h"
#include "tests/vectors/vec.h"

/* The block, its hash and every transaction's hash compared; all in the arena. Returns what is wrong, or NULL. */
const char *vec_block(ex_full_block_t *out, arena_t *a, json_t *block);

#endif
