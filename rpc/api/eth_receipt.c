/* eth_receipt.c - methods about receipts: bound to their transactions by the same place in two tries. */
#include "rpc/api/past.h"

/* Both tries have as many values. */
static bool fits(api_call_t *c, const api_block_t *b, const query_t *done)
{
    if (b->receipts && ex_history_result(done)->blocks[0].receipt_count == b->block->transaction_count)
        return true;
    api_fail(c, API_INTERNAL, "the block has another number of receipts than of transactions");
    return false;
}

static void write_receipt(api_call_t *c, const query_t *done)
{
    arena_t scratch;
    api_block_t b;
    if (!api_past_result(c, &b, done) || !fits(c, &b, done))
        return;
    arena_init(&scratch, API_SCRATCH_MAX);
    api_put_receipt(&c->out, NULL, &scratch, &b, ex_history_result(done)->tx_index);
    arena_free(&scratch);
}

void api_eth_getTransactionReceipt(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = EX_WANT_BODY | EX_WANT_RECEIPTS };
    if (api_past_hash(c, &past, &args[0], EX_BY_TRANSACTION))
        api_past(c, &past, write_receipt);
}

static void write_receipts(api_call_t *c, const query_t *done)
{
    arena_t scratch;
    api_block_t b;
    if (!api_past_result(c, &b, done) || !fits(c, &b, done))
        return;
    arena_init(&scratch, API_SCRATCH_MAX);
    api_put_receipts(&c->out, NULL, &scratch, &b);
    arena_free(&scratch);
}

void api_eth_getBlockReceipts(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = EX_WANT_BODY | EX_WANT_RECEIPTS };
    if (api_past_block(c, &past, &args[0]))
        api_past(c, &past, write_receipts);
}

static void write_raw_receipts(api_call_t *c, const query_t *done)
{
    const ex_history_result_t *r = ex_history_result(done);
    api_block_t b;
    if (!api_past_result(c, &b, done))
        return;
    jw_array(&c->out, NULL);
    for (size_t i = 0; i < r->blocks[0].receipt_count; i++) {
        view_t raw;
        if (ex_receipt_encode(&raw, c->arena, &b.receipts[i])) {
            api_fail(c, API_INTERNAL, "out of memory");
            return;
        }
        jw_hex(&c->out, NULL, raw);
    }
    jw_end(&c->out);
}

void api_debug_getRawReceipts(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = EX_WANT_RECEIPTS };
    if (api_past_block(c, &past, &args[0]))
        api_past(c, &past, write_raw_receipts);
}
