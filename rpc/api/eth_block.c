/* eth_block.c - methods about the chain and its blocks. */
#include "lightclient/exec/head.h"
#include "rpc/api/past.h"
#include "rpc/upstream/changes.h"

void api_eth_chainId(api_call_t *c, const jo_t *args)
{
    (void)args;
    jw_quantity(&c->out, NULL, c->world->chain->chain_id);
}

void api_eth_blockNumber(api_call_t *c, const jo_t *args)
{
    (void)args;
    jw_quantity(&c->out, NULL, c->world->latest.env.number);
}

/* ---- whole blocks ---- */

static void write_any(api_call_t *c, const query_t *done, bool whole)
{
    arena_t scratch;
    api_block_t b;
    if (!api_past_result(c, &b, done) || !api_past_whole(c, &b))
        return;
    arena_init(&scratch, API_SCRATCH_MAX);
    api_put_block(&c->out, NULL, &scratch, &b, whole);
    arena_free(&scratch);
}

static void write_whole(api_call_t *c, const query_t *done)
{
    write_any(c, done, true);
}

static void write_hashes(api_call_t *c, const query_t *done)
{
    write_any(c, done, false);
}

void api_eth_getBlockByNumber(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = EX_WANT_BODY };
    const bool whole = jo_bool(&args[1], NULL);
    if (api_past_at_number(c, &past, &args[0]))
        api_past(c, &past, whole ? write_whole : write_hashes);
}

void api_eth_getBlockByHash(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = EX_WANT_BODY };
    const bool whole = jo_bool(&args[1], NULL);
    if (api_past_hash(c, &past, &args[0], EX_BY_HASH))
        api_past(c, &past, whole ? write_whole : write_hashes);
}

/* ---- headers ---- */

static void write_header(api_call_t *c, const query_t *done)
{
    api_block_t b;
    if (api_past_result(c, &b, done))
        api_put_header(&c->out, NULL, &b.block->header, &b.block->hash);
}

void api_eth_getHeaderByNumber(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = 0 };
    if (api_past_at_number(c, &past, &args[0]))
        api_past(c, &past, write_header);
}

void api_eth_getHeaderByHash(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = 0 };
    if (api_past_hash(c, &past, &args[0], EX_BY_HASH))
        api_past(c, &past, write_header);
}

/* ---- counts ---- */

static void write_count(api_call_t *c, const query_t *done)
{
    api_block_t b;
    if (api_past_result(c, &b, done))
        jw_quantity(&c->out, NULL, b.block->transaction_count);
}

void api_eth_getBlockTransactionCountByNumber(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = EX_WANT_BODY };
    if (api_past_at_number(c, &past, &args[0]))
        api_past(c, &past, write_count);
}

void api_eth_getBlockTransactionCountByHash(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = EX_WANT_BODY };
    if (api_past_hash(c, &past, &args[0], EX_BY_HASH))
        api_past(c, &past, write_count);
}

static void write_uncle_count(api_call_t *c, const query_t *done)
{
    api_block_t b;
    if (api_past_result(c, &b, done) && api_past_whole(c, &b))
        jw_quantity(&c->out, NULL, 0);
}

void api_eth_getUncleCountByBlockNumber(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = 0 };
    if (api_past_at_number(c, &past, &args[0]))
        api_past(c, &past, write_uncle_count);
}

void api_eth_getUncleCountByBlockHash(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = 0 };
    if (api_past_hash(c, &past, &args[0], EX_BY_HASH))
        api_past(c, &past, write_uncle_count);
}

/* ---- raw forms ---- */

static void write_raw_header(api_call_t *c, const query_t *done)
{
    uint8_t room[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(room, sizeof room);
    api_block_t b;
    if (!api_past_result(c, &b, done))
        return;
    ex_header_encode(&w, &b.block->header);
    jw_hex(&c->out, NULL, wr_view(&w));
}

void api_debug_getRawHeader(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = 0 };
    if (api_past_block(c, &past, &args[0]))
        api_past(c, &past, write_raw_header);
}

static void write_raw_block(api_call_t *c, const query_t *done)
{
    api_block_t b;
    if (!api_past_result(c, &b, done) || !api_past_whole(c, &b))
        return;
    const size_t room = ex_block_len(b.block);
    wr_t w = wr_of(arena_alloc(c->arena, room), room);
    if (!w.p) {
        api_fail(c, API_INTERNAL, "out of memory");
        return;
    }
    ex_block_encode(&w, b.block);
    jw_hex(&c->out, NULL, wr_view(&w));
}

void api_debug_getRawBlock(api_call_t *c, const jo_t *args)
{
    ex_history_config_t past = { .wants = EX_WANT_BODY };
    if (api_past_block(c, &past, &args[0]))
        api_past(c, &past, write_raw_block);
}

/* ---- block access lists ---- */

static void write_access_list(api_call_t *c, const query_t *done)
{
    const rc_t rc = jr_put_changes(&c->out, NULL, ex_head_changes(done));
    if (rc && !c->out.rc)
        c->out.rc = rc;
}

static void write_raw_access_list(api_call_t *c, const query_t *done)
{
    jw_hex(&c->out, NULL, ex_head_changes(done));
}

static void ask_access_list(api_call_t *c, const jo_t *arg, api_write_fn write)
{
    const ex_block_t *at = api_block(c, arg);
    query_t *q = NULL;
    err_t e;
    if (!at)
        return;
    if (evm_chain_rules(c->world->chain, at->env.timestamp)->fork < EVM_AMSTERDAM) {
        api_fail(c, API_NOT_FOUND, EX_HEAD_NO_LIST_TEXT);
        return;
    }
    const rc_t rc = ex_head_new(&q, &e, &at->block_hash, EX_HEAD_WITH_CHANGES);
    api_ask(c, rc, &e, q, write);
}

void api_eth_getBlockAccessList(api_call_t *c, const jo_t *args)
{
    ask_access_list(c, &args[0], write_access_list);
}

void api_debug_getRawBlockAccessList(api_call_t *c, const jo_t *args)
{
    ask_access_list(c, &args[0], write_raw_access_list);
}
