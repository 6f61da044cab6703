/* eth_fill.c - eth_fillTransaction: a transaction to be signed, from what is proven. */
#include "lightclient/exec/estimate.h"
#include "lightclient/exec/join.h"
#include "lightclient/exec/unsigned.h"
#include "rpc/api/callobject.h"
#include "rpc/api/fee.h"
#include "rpc/api/objects.h"
#include "rpc/api/past.h"

#define SCRATCH_MAX ((size_t)16 << 20)

/* What is not given is found by a query each, all side by side. */
typedef struct {
    ex_request_t request, unpriced; /* the second one is run when fees are still to be found */
    ex_call_config_t config;
    ex_estimate_t estimate;
    size_t nonce, tip, gas; /* which of the queries; NONE: it is given */
} fill_t;

enum { NONE = 3 };

/* The fees that geth gives: the suggested tip, and twice the head's base fee above it. */
static void fill_fees(ex_request_t *q, api_call_t *c, const u256_t *suggested)
{
    const evm_block_t *head = &c->world->latest.env;
    const u256_t *base = &head->base_fee;
    if (!q->has_tip)
        q->max_priority_fee = *suggested;
    if (!q->has_max_fee) {
        q->gas_price = u256_add(&q->max_priority_fee, base);
        q->gas_price = u256_add(&q->gas_price, base);
    }
    q->dynamic_fee = q->has_gas_price = true;
}

static void fill_blob_fee(ex_request_t *q, const api_world_t *w)
{
    const evm_block_t *head = &w->latest.env;
    if (!q->has_blobs || q->has_max_blob_fee)
        return;
    const u256_t fee = evm_blob_base_fee(evm_chain_rules(w->chain, head->timestamp), head->excess_blob_gas);
    q->max_blob_fee = u256_add(&fee, &fee);
}

/* The nonce of the next transaction, as eth_getTransactionCount at pending says it. */
static uint64_t next_nonce(api_call_t *c, const addr_t *from, const query_t *read)
{
    const api_world_t *w = c->world;
    const uint64_t proven = ex_read_result(read)->account.nonce;
    return w->sent_nonce ? w->sent_nonce(w->sent_ctx, from, proven, w->latest.env.number) : proven;
}

static void put_filled(api_call_t *c, const ex_request_t *q)
{
    const uint64_t chain_id = c->world->chain->chain_id;
    arena_t scratch;
    view_t raw;
    arena_init(&scratch, SCRATCH_MAX);
    if (ex_unsigned_encode(&raw, &scratch, q, chain_id, q->nonce, q->gas))
        api_fail(c, API_INTERNAL, "out of memory");
    else {
        jw_object(&c->out, NULL);
        jw_hex(&c->out, "raw", raw);
        api_put_unsigned(&c->out, "tx", &scratch, raw, chain_id);
        jw_end(&c->out);
    }
    arena_free(&scratch);
}

static void write_filled(api_call_t *c, const query_t *done)
{
    const fill_t *f = c->asked;
    const evm_result_t *r = &f->estimate.result;
    char halt[EVM_HALT_TEXT_MAX];
    ex_request_t q = f->request;
    if (f->gas != NONE && f->estimate.failed) {
        evm_halt_text(halt, r);
        if (r->status == EVM_REVERT)
            api_revert(c, r->output);
        else
            api_fail(c, API_FAILED, "%s", halt);
        return;
    }
    if (f->gas != NONE)
        q.gas = f->estimate.gas;
    if (f->nonce != NONE)
        q.nonce = next_nonce(c, &q.from, ex_join_at(done, f->nonce));
    if (f->tip != NONE) {
        const u256_t tip = api_tip(c, ex_join_at(done, f->tip));
        fill_fees(&q, c, &tip);
    }
    fill_blob_fee(&q, c->world);
    put_filled(c, &q);
}

static rc_t ask_gas(fill_t *f, query_t **out, err_t *e, const api_call_t *c)
{
    f->estimate = (ex_estimate_t){ .program = EX_ESTIMATE };
    f->unpriced = f->request;
    if (f->tip != NONE) {
        f->unpriced.has_gas_price = f->unpriced.dynamic_fee = false;
        f->unpriced.max_priority_fee = u256_of(0);
    }
    f->config = (ex_call_config_t){ .chain = c->world->chain,
                                    .cache = c->world->cache,
                                    .block = &c->world->latest,
                                    .request = &f->unpriced,
                                    .program = &f->estimate.program,
                                    .use_hint = true };
    return ex_call_new(out, e, &f->config);
}

/* Queries for all that is not given; the count of them. */
static rc_t ask_parts(fill_t *f, query_t **parts, size_t *n, err_t *e, api_call_t *c)
{
    const ex_request_t *q = &f->request;
    const ex_read_config_t read = { .block = &c->world->latest, .cache = c->world->cache, .addr = q->from };
    const bool fees = !(q->has_gas_price && !q->dynamic_fee) && !(q->has_tip && q->has_max_fee);
    rc_t rc = RC_OK;
    f->nonce = f->tip = f->gas = NONE;
    if (!q->has_nonce && !(rc = ex_read_new(&parts[*n], e, &read)))
        f->nonce = (*n)++;
    if (!rc && fees && !(rc = api_tip_query(&parts[*n], e, c)))
        f->tip = (*n)++;
    if (!rc && !q->has_gas && !(rc = ask_gas(f, &parts[*n], e, c)))
        f->gas = (*n)++;
    return rc;
}

void api_eth_fillTransaction(api_call_t *c, const jo_t *args)
{
    fill_t *f = arena_calloc(c->arena, 1, sizeof *f);
    query_t *parts[NONE], *q = NULL;
    size_t n = 0;
    err_t e;
    if (!f)
        api_fail(c, API_INTERNAL, "out of memory");
    if (!f || api_read_call(&f->request, c->arena, &args[0]))
        return;
    if (f->request.has_chain_id && f->request.chain_id != c->world->chain->chain_id) {
        api_fail(c, API_FAILED, "chainId does not match node's (have=%llu, want=%llu)",
                 (unsigned long long)f->request.chain_id, (unsigned long long)c->world->chain->chain_id);
        return;
    }
    rc_t rc = ask_parts(f, parts, &n, &e, c);
    if (!rc)
        rc = ex_join_new(&q, &e, parts, n);
    else
        while (n)
            query_free(parts[--n]);
    c->asked = f;
    api_ask(c, rc, &e, q, write_filled);
}
