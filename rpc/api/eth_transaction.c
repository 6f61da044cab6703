/* eth_transaction.c - methods about single transactions of proven blocks. */
#include "base/crypto/hash.h"
#include "rpc/api/past.h"

static const uint64_t *index_of(api_call_t *c, const jo_t *arg)
{
    uint64_t *index = arena_calloc(c->arena, 1, sizeof *index);
    if (!index)
        api_fail(c, API_INTERNAL, "out of memory");
    else
        *index = jo_quantity(arg, NULL);
    return jo_rc(arg) ? NULL : index;
}

/* The transaction that was asked for, by its hash or by its place; false: null is written, or the call has failed. */
static bool result(api_call_t *c, api_block_t *b, size_t *index, const query_t *done)
{
    const uint64_t *asked = c->asked;
    if (!api_past_result(c, b, done))
        return false;
    *index = asked ? (size_t)*asked : ex_history_result(done)->tx_index;
    if (*index < b->block->transaction_count)
        return true;
    jw_null(&c->out, NULL);
    return false;
}

static void write_transaction(api_call_t *c, const query_t *done)
{
    arena_t scratch;
    api_block_t b;
    size_t index;
    if (!result(c, &b, &index, done))
        return;
    arena_init(&scratch, API_SCRATCH_MAX);
    api_put_transaction(&c->out, NULL, &scratch, &b, index);
    arena_free(&scratch);
}

static void write_raw(api_call_t *c, const query_t *done)
{
    api_block_t b;
    size_t index;
    if (result(c, &b, &index, done))
        jw_hex(&c->out, NULL, b.block->transactions[index]);
}

static void ask_hash(api_call_t *c, const jo_t *args, api_write_fn write)
{
    ex_history_config_t past = { .wants = EX_WANT_BODY };
    if (api_past_hash(c, &past, &args[0], EX_BY_TRANSACTION))
        api_past(c, &past, write);
}

static void ask_place(api_call_t *c, const jo_t *args, bool by_hash, api_write_fn write)
{
    ex_history_config_t past = { .wants = EX_WANT_BODY };
    c->asked = index_of(c, &args[1]);
    if (c->asked && (by_hash ? api_past_hash(c, &past, &args[0], EX_BY_HASH) : api_past_at_number(c, &past, &args[0])))
        api_past(c, &past, write);
}

void api_eth_getTransactionByHash(api_call_t *c, const jo_t *args)
{
    ask_hash(c, args, write_transaction);
}

void api_eth_getTransactionByBlockHashAndIndex(api_call_t *c, const jo_t *args)
{
    ask_place(c, args, true, write_transaction);
}

void api_eth_getTransactionByBlockNumberAndIndex(api_call_t *c, const jo_t *args)
{
    ask_place(c, args, false, write_transaction);
}

void api_eth_getRawTransactionByHash(api_call_t *c, const jo_t *args)
{
    ask_hash(c, args, write_raw);
}

void api_eth_getRawTransactionByBlockHashAndIndex(api_call_t *c, const jo_t *args)
{
    ask_place(c, args, true, write_raw);
}

void api_eth_getRawTransactionByBlockNumberAndIndex(api_call_t *c, const jo_t *args)
{
    ask_place(c, args, false, write_raw);
}

void api_debug_getRawTransaction(api_call_t *c, const jo_t *args)
{
    ask_hash(c, args, write_raw);
}
