/* past.h - for the functions of methods: which block is meant, and a query for it when it is one of the past.
 *
 *     void api_eth_getBlockReceipts(api_call_t *c, const jo_t *args)
 *     {
 *         ex_history_config_t past = { .wants = EX_WANT_BODY | EX_WANT_RECEIPTS };
 *         if (api_past_block(c, &past, &args[0]))
 *             api_past(c, &past, write_receipts);
 *     }
 *
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods.c, tests/unit/test_methods_state.c, vectors kinds rpc-hive, rpc-hive-derived
 */
#ifndef RPC_API_PAST_H
#define RPC_API_PAST_H

#include "lightclient/exec/history.h"
#include "rpc/api/methods.h"
#include "rpc/api/objects.h"

#define API_SCRATCH_MAX ((size_t)64 << 20) /* bytes for decoding while a result is written */

/* A block's number as geth takes it: a quantity of at most 63 bits. */
uint64_t api_number(const jo_t *o, const char *key);

/* The number that a tag or a quantity means; earliest is 0. False: the call has failed, or the parameter is a fault. */
bool api_past_number(api_call_t *c, uint64_t *out, const jo_t *arg);

/* Sets out's block from a tag, a quantity, a hash or an object of EIP-1898. False: nothing is to be asked: the call has
 * failed, or the parameter is a fault, or the block is beyond the head and the result is null. */
bool api_past_block(api_call_t *c, ex_history_config_t *out, const jo_t *arg);

/* The same where only tags and quantities are taken. */
bool api_past_at_number(api_call_t *c, ex_history_config_t *out, const jo_t *arg);

/* A hash, of a block or of a transaction. */
bool api_past_hash(api_call_t *c, ex_history_config_t *out, const jo_t *arg, ex_by_t by);

/* The verified block that a block parameter names (absent or null: latest): a tag, a number, a hash, or the object of
 * EIP-1898. NULL: the function has to return: the call has failed, or the parameter is a fault, or the block is one of
 * the past that has to be proven first, and the function will be called again. */
const ex_block_t *api_block(api_call_t *c, const jo_t *arg);

/* Makes the query; chain, cache and head are filled in. As ex_history_new. */
NODISCARD rc_t api_past_query(query_t **out, err_t *e, api_call_t *c, ex_history_config_t *config);

/* Has the query driven; chain, cache and head are filled in. */
void api_past(api_call_t *c, ex_history_config_t *config, api_write_fn write);

/* Whether the block is known whole: without ommers, which cannot be proven; else the call has failed. */
bool api_past_whole(api_call_t *c, const api_block_t *b);

/* The first block of a result for writing, or false, null being written: there is none. */
bool api_past_result(api_call_t *c, api_block_t *out, const query_t *done);

#endif
