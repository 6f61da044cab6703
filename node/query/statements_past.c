/* statements_past.c - which block a statement is about: a head, one that is held, or one of the past that is proven to
 * be an ancestor; and what blocks of the past have in them: logs, receipts. */
#include "base/crypto/hash.h"
#include "lightclient/exec/history.h"
#include "lightclient/exec/then.h"
#include "node/query/statements_work.h"
#include "rpc/api/filter.h"
#include "rpc/api/objects.h"
#include "rpc/api/plain.h"

#define RECEIPT_MAX ((size_t)64 << 20) /* bytes for decoding one */

/* ---- which block ---- */

rc_t statements_not_now(err_t *e, const char *text)
{
    return err_code(e, err_say(e, RC_REFUSED, text), NOT_READY);
}

static rc_t unknown_block(err_t *e)
{
    return err_code(e, err_in(e, RC_REFUSED, "block", "is none that this node can prove"), UNKNOWN_BLOCK);
}

static bool is_named(const question_block_t *b, const held_head_t *h)
{
    return b->by_hash ? hash32_eq(&b->hash, &h->block.block_hash) : b->number == h->block.env.number;
}

/* A block that is not held has to be proven: as an ancestor of the finalized head when it can be one, and is final
 * then. */
static rc_t find_named(work_t *w, err_t *e, const question_block_t *b)
{
    held_t *held = w->owner->config.held;
    const known_t *k = &w->known;
    if (k->has_finalized && is_named(b, &k->finalized))
        w->head = k->finalized;
    else if (is_named(b, &k->latest))
        w->head = k->latest;
    else if (b->by_hash ? held_by_hash(held, &w->head, &k->latest.block, &b->hash)
                        : held_by_number(held, &w->head, &k->latest.block, b->number))
        return RC_OK;
    else if (!b->by_hash && b->number > k->latest.block.env.number)
        return unknown_block(e);
    else {
        w->state = PAST;
        w->head =
            k->has_finalized && (b->by_hash || b->number < k->finalized.block.env.number) ? k->finalized : k->latest;
    }
    return RC_OK;
}

/* The head of a question, and how it is named. A signature must not have expired before it is made. */
rc_t statements_find_head(work_t *w, err_t *e)
{
    const statements_config_t *k = &w->owner->config;
    question_block_t *b = &w->question.block;
    rc_t rc = RC_OK;
    if (!b->given)
        b->by = k->default_block;
    if (w->question.what.kind == STATEMENT_RPC) {
        w->head = w->known.latest; /* the block is the transaction's */
        w->anchor = w->head.block;
        return RC_OK;
    }
    if (b->by == SETUP_BY_BLOCK)
        rc = find_named(w, e, b);
    else if (b->by == SETUP_BY_LATEST)
        w->head = w->known.latest;
    else if (w->known.has_finalized)
        w->head = w->known.finalized; /* also "safe": nothing younger is known to be */
    else
        rc = statements_not_now(e, "no finalized header has been proven yet");
    if (!rc && w->state == HELD && w->question.gateway && w->head.block.env.number < w->question.min_number)
        rc = err_code(e, err_in(e, RC_REFUSED, "number", "the block is not below this one, and the newest is"),
                      NOT_READY);
    w->anchor = w->head.block;
    return rc;
}

/* ---- blocks of the past ---- */

static ex_history_config_t history_of(const work_t *w)
{
    const statements_config_t *k = &w->owner->config;
    return (ex_history_config_t){ .chain_id = k->chain->chain_id,
                                  .cache = k->cache,
                                  .head = &w->anchor,
                                  .final_number = w->known.finalized.block.env.number };
}

/* Proves the block that is asked about as an ancestor of the head. */
static rc_t ask_past(work_t *w, query_t **out, err_t *e)
{
    const question_block_t *b = &w->question.block;
    ex_history_config_t past = history_of(w);
    past.by = b->by_hash ? EX_BY_HASH : EX_BY_NUMBER;
    past.from = past.to = b->number;
    past.hash = b->hash;
    return ex_history_new(out, e, &past);
}

/* The head is the block at the end of a result, with what is known of it from the head on which it rests. */
static void take_block(work_t *w, const ex_history_result_t *r)
{
    const ex_full_block_t *b = &r->blocks[r->count - 1].block;
    ex_block_of_header(&w->head.block, &b->header, &b->hash, w->owner->config.chain->chain_id);
}

static rc_t ask_logs(work_t *w, query_t **out, err_t *e);

/* The block is there, or it is no ancestor of the finalized head. */
static rc_t after_past(void *mine, query_t **out, err_t *e, const query_t *done)
{
    work_t *w = mine;
    if (w->state == PROVEN)
        return RC_OK;
    const ex_history_result_t *r = ex_history_result(done);
    if (!r->count && w->head.finalized && w->question.block.by_hash) {
        w->head = w->known.latest;
        w->anchor = w->head.block;
        return ask_past(w, out, e);
    }
    if (!r->count)
        return unknown_block(e);
    take_block(w, r);
    w->state = PROVEN;
    return w->question.what.kind == STATEMENT_LOGS ? ask_logs(w, out, e) : statements_query(w, out, e);
}

static rc_t make_past(work_t *w, query_t **out, err_t *e)
{
    query_t *first = NULL;
    const rc_t rc = ask_past(w, &first, e);
    return rc ? rc : ex_then_new(out, e, first, after_past, w);
}

/* ---- logs ---- */

/* From the first block to the one that the question names, at the head that it rests on. */
static rc_t ask_logs(work_t *w, query_t **out, err_t *e)
{
    ex_history_config_t past = history_of(w);
    past.from = w->question.what.from_number;
    past.to = w->state == PAST ? w->question.block.number : w->head.block.env.number;
    if (past.from > past.to)
        return err_in(e, RC_MALFORMED, "fromBlock", "is above the last block, %llu", (unsigned long long)past.to);
    if (past.to - past.from >= EX_HISTORY_MAX)
        return err_code(e, err_in(e, RC_LIMIT, "fromBlock", "a range has at most %u blocks", EX_HISTORY_MAX),
                        EX_LOGS_LIMIT);
    w->logs = (ex_logs_t){ .filter = &w->question.filter };
    past.plan = ex_logs_plan;
    past.first = ex_logs_first;
    past.plan_ctx = &w->logs;
    if (past.to - past.from < 4 && !w->owner->config.replays) /* one round trip, at the price of bytes */
        past.wants = EX_WANT_BODY | EX_WANT_RECEIPTS;
    return ex_history_new(out, e, &past);
}

static rc_t take_result(work_t *w, err_t *e, jw_t *text)
{
    const view_t said = jw_done(text);
    rc_t rc = text->rc;
    if (!rc)
        rc = api_plain_text(&w->result, w->arena, said);
    return rc ? err_say(e, rc, rc == RC_LIMIT ? "the result is too long for a statement" : "out of memory") : RC_OK;
}

rc_t statements_take_logs(work_t *w, err_t *e, const query_t *done)
{
    const ex_history_result_t *r = ex_history_result(done);
    jw_t text = jw_of(w->arena, STATEMENT_TEXT_MAX);
    size_t count;
    jw_array(&text, NULL);
    if (!api_put_logs(&text, &count, r, &w->question.filter))
        return err_say(e, RC_BUG, "a block has more receipts than transactions");
    jw_end(&text);
    if (w->state == PAST)
        take_block(w, r);
    w->count = (uint32_t)count;
    return take_result(w, e, &text);
}

/* ---- receipts ---- */

static rc_t take_receipt(work_t *w, err_t *e, const ex_history_result_t *r)
{
    const ex_past_t *p = &r->blocks[0];
    const api_block_t b = {
        .chain = w->owner->config.chain, .block = &p->block, .has_body = true, .receipts = p->receipts
    };
    jw_t text = jw_of(w->arena, STATEMENT_TEXT_MAX);
    arena_t scratch;
    if (!p->has_body || !p->has_receipts || p->receipt_count != p->block.transaction_count)
        return err_say(e, RC_BUG, "the block has another number of receipts than of transactions");
    arena_init(&scratch, RECEIPT_MAX);
    api_put_receipt(&text, NULL, &scratch, &b, r->tx_index);
    arena_free(&scratch);
    return take_result(w, e, &text);
}

/* The receipt is there; then, when its block may be final, the block as an ancestor of the finalized head. */
static rc_t after_receipt(void *mine, query_t **out, err_t *e, const query_t *done)
{
    work_t *w = mine;
    const known_t *k = &w->known;
    const ex_history_result_t *r = ex_history_result(done);
    if (w->state == PROVEN) { /* it is one, or the block rests on the latest head */
        if (r->count) {
            w->head = k->finalized;
            take_block(w, r);
        }
        return RC_OK;
    }
    if (!r->count)
        return err_code(e, err_in(e, RC_REFUSED, "transaction", "is in no block that this node can prove"),
                        UNKNOWN_TRANSACTION);
    const rc_t rc = take_receipt(w, e, r);
    if (rc)
        return rc;
    take_block(w, r);
    w->state = PROVEN;
    if (!k->has_finalized || w->head.block.env.number > k->finalized.block.env.number)
        return RC_OK;
    w->anchor = k->finalized.block;
    ex_history_config_t past = history_of(w);
    past.by = EX_BY_HASH;
    past.hash = w->head.block.block_hash;
    return ex_history_new(out, e, &past);
}

static rc_t make_receipt(work_t *w, query_t **out, err_t *e)
{
    query_t *first = NULL;
    ex_history_config_t past = history_of(w);
    past.by = EX_BY_TRANSACTION;
    past.hash = w->question.tx_hash;
    past.wants = EX_WANT_BODY | EX_WANT_RECEIPTS;
    const rc_t rc = ex_history_new(&first, e, &past);
    return rc ? rc : ex_then_new(out, e, first, after_receipt, w);
}

/* ---- what is driven ---- */

bool statements_is_past(const work_t *w)
{
    return w->state == PAST || w->question.what.kind == STATEMENT_LOGS || w->question.what.kind == STATEMENT_RPC;
}

rc_t statements_past_query(work_t *w, query_t **out, err_t *e)
{
    if (w->question.what.kind == STATEMENT_RPC)
        return make_receipt(w, out, e);
    const bool by_hash = w->state == PAST && w->question.block.by_hash;
    return w->question.what.kind == STATEMENT_LOGS && !by_hash ? ask_logs(w, out, e) : make_past(w, out, e);
}
