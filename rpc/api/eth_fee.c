/* eth_fee.c - fee methods: from proven headers, transactions and receipts, by geth's rules. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/api/fee.h"
#include "rpc/api/past.h"

#define HISTORY_MAX 1024u /* blocks; a larger count is cut, as in geth */
#define REWARDED_MAX 128u /* blocks with percentiles, which take whole blocks and their receipts */
#define PERCENTILES_MAX 100u
#define BLOB_GAS 131072u      /* EIP-4844 */
#define SAMPLED_BLOCKS 20u    /* of eth_maxPriorityFeePerGas: */
#define SAMPLES 3u            /* lowest tips of each */
#define TIP_IGNORED_BELOW 2u  /* wei */
#define SAMPLE_PERCENTILE 60u /* of all of them */
#define TIP_MAX 500000000000u /* wei: 500 gwei */

/* One transaction's tip, and the gas that it used. */
typedef struct {
    u256_t tip;
    uint64_t gas;
    size_t place;
} paid_t;

static int by_tip(const void *a, const void *b)
{
    const paid_t *x = a, *y = b;
    const int order = u256_cmp(&x->tip, &y->tip);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* What the block's proposer gets of a unit of gas. */
static u256_t tip_of(const evm_tx_t *tx, const ex_header_t *h)
{
    const u256_t price = ex_gas_price(tx, &h->base_fee);
    return u256_lt(&price, &h->base_fee) ? u256_of(0) : u256_sub(&price, &h->base_fee);
}

/* ---- eth_feeHistory ---- */

typedef struct {
    double percentiles[PERCENTILES_MAX];
    size_t percentile_count;
    uint64_t first; /* block of the answer; the query begins one before, unless it is the first of all */
} history_t;

static void put_real(jw_t *w, double x)
{
    char text[64], draft[64];
    int digits = 1;
    while (digits < 17 && (snprintf(draft, sizeof draft, "%.*e", digits - 1, x), strtod(draft, NULL) != x))
        digits++;
    const char *e = strchr(draft, 'e');
    const int exponent = e ? atoi(e + 1) : 0, places = digits - 1 - exponent;
    snprintf(text, sizeof text, "%.*f", places > 0 && x != 0.0 ? places : 0, x);
    jw_raw(w, NULL, view_str(text));
}

/* The block's transactions with tips, by tip. NULL: none, or the call has failed. */
static paid_t *tips_of(api_call_t *c, arena_t *a, const ex_past_t *p)
{
    const size_t n = p->block.transaction_count;
    paid_t *all = arena_calloc(a, n, sizeof *all);
    ex_transaction_t t;
    if (!all || (p->has_receipts && p->receipt_count != n)) {
        api_fail(c, API_INTERNAL, all ? "the block has another number of receipts" : "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (ex_transaction_read(&t, NULL, a, p->block.transactions[i], c->world->chain->chain_id)) {
            api_fail(c, API_FAILED, "a transaction is of a type that this build does not know");
            return NULL;
        }
        all[i] = (paid_t){ .tip = tip_of(&t.tx, &p->block.header), .place = i };
        if (p->has_receipts)
            all[i].gas = p->receipts[i].cumulative_gas - (i ? p->receipts[i - 1].cumulative_gas : 0);
    }
    if (n)
        qsort(all, n, sizeof *all, by_tip);
    return n ? all : NULL;
}

static void put_reward(api_call_t *c, const history_t *f, const ex_past_t *p)
{
    arena_t scratch;
    const u256_t zero = u256_of(0);
    arena_init(&scratch, API_SCRATCH_MAX);
    const paid_t *paid = tips_of(c, &scratch, p);
    size_t at = 0;
    uint64_t sum = paid ? paid[0].gas : 0;
    jw_array(&c->out, NULL);
    for (size_t i = 0; i < f->percentile_count; i++) {
        const uint64_t threshold = (uint64_t)((double)p->block.header.gas_used * f->percentiles[i] / 100);
        while (paid && sum < threshold && at + 1 < p->block.transaction_count)
            sum += paid[++at].gas;
        jw_quantity256(&c->out, NULL, paid ? &paid[at].tip : &zero);
    }
    jw_end(&c->out);
    arena_free(&scratch);
}

/* The base fee of the block after. */
static u256_t next_base_fee(const api_call_t *c, const ex_header_t *h)
{
    const evm_fork_t fork = evm_chain_rules(c->world->chain, h->timestamp)->fork;
    if (h->tail)
        return ex_base_fee_after(&h->base_fee, h->gas_limit, h->gas_used);
    return u256_of(fork >= EVM_LONDON ? 1000000000u : 0);
}

static void put_base_fees(api_call_t *c, const ex_past_t *blocks, size_t count)
{
    jw_array(&c->out, "baseFeePerGas");
    for (size_t i = 0; i < count; i++)
        jw_quantity256(&c->out, NULL, &blocks[i].block.header.base_fee);
    const u256_t next = next_base_fee(c, &blocks[count - 1].block.header);
    jw_quantity256(&c->out, NULL, &next);
    jw_end(&c->out);
}

static u256_t blob_fee(const api_call_t *c, const ex_header_t *h, uint64_t excess)
{
    return h->tail < 5 ? u256_of(0) : evm_blob_base_fee(evm_chain_rules(c->world->chain, h->timestamp), excess);
}

static void put_blob_fees(api_call_t *c, const ex_past_t *blocks, size_t count)
{
    const ex_header_t *last = &blocks[count - 1].block.header;
    jw_array(&c->out, "baseFeePerBlobGas");
    for (size_t i = 0; i < count; i++) {
        const ex_header_t *h = &blocks[i].block.header;
        const u256_t fee = blob_fee(c, h, h->excess_blob_gas);
        jw_quantity256(&c->out, NULL, &fee);
    }
    const u256_t next =
        blob_fee(c, last, ex_excess_blob_gas_after(last, evm_chain_rules(c->world->chain, last->timestamp)));
    jw_quantity256(&c->out, NULL, &next);
    jw_end(&c->out);
}

static void put_ratios(api_call_t *c, const ex_past_t *blocks, size_t count)
{
    jw_array(&c->out, "gasUsedRatio");
    for (size_t i = 0; i < count; i++)
        put_real(&c->out, (double)blocks[i].block.header.gas_used / (double)blocks[i].block.header.gas_limit);
    jw_end(&c->out);
    jw_array(&c->out, "blobGasUsedRatio");
    for (size_t i = 0; i < count; i++) {
        const ex_header_t *h = &blocks[i].block.header;
        const uint64_t most = evm_chain_rules(c->world->chain, h->timestamp)->blob_max * BLOB_GAS;
        put_real(&c->out, most && h->tail >= 5 ? (double)h->blob_gas_used / (double)most : 0.0);
    }
    jw_end(&c->out);
}

static void write_history(api_call_t *c, const query_t *done)
{
    const ex_history_result_t *r = ex_history_result(done);
    const history_t *f = c->asked;
    jw_object(&c->out, NULL);
    jw_quantity(&c->out, "oldestBlock", f->first);
    if (f->percentile_count) {
        jw_array(&c->out, "reward");
        for (size_t i = 0; i < r->count && !c->error; i++)
            put_reward(c, f, &r->blocks[i]);
        jw_end(&c->out);
    }
    put_base_fees(c, r->blocks, r->count);
    put_blob_fees(c, r->blocks, r->count);
    put_ratios(c, r->blocks, r->count);
    jw_end(&c->out);
}

static bool read_percentiles(api_call_t *c, history_t *f, arena_t *a, const jo_t *arg)
{
    jo_t list, item;
    if (!jo_opt_list(arg, &list, NULL, 0, SIZE_MAX))
        return !jo_rc(arg);
    if (jo_size(&list) > PERCENTILES_MAX)
        api_fail(c, API_FAILED, "invalid reward percentile: over the query limit %u", PERCENTILES_MAX);
    while (!c->error && jo_next(&list, &item)) {
        const jo_kind_t kind = jo_kind(&item, NULL);
        if (kind != JO_INTEGER && kind != JO_REAL)
            jo_fail(&item, NULL, RC_MALFORMED, "must be a number");
        const view_t text = jo_as_written(&item, a, NULL);
        const double p = text.p ? strtod((const char *)text.p, NULL) : 0.0;
        const size_t i = f->percentile_count;
        if (!(p >= 0.0 && p <= 100.0))
            api_fail(c, API_FAILED, "invalid reward percentile: %f", p);
        else if (i && p <= f->percentiles[i - 1])
            api_fail(c, API_FAILED, "invalid reward percentile: #%zu:%f >= #%zu:%f", i - 1, f->percentiles[i - 1], i,
                     p);
        else
            f->percentiles[f->percentile_count++] = p;
    }
    return !c->error && !jo_rc(arg);
}

/* Nothing was asked for. */
static void write_nothing(api_call_t *c)
{
    jw_object(&c->out, NULL);
    jw_quantity(&c->out, "oldestBlock", 0);
    jw_null(&c->out, "gasUsedRatio");
    jw_end(&c->out);
}

static void ask_history(api_call_t *c, history_t *f, uint64_t count, uint64_t newest)
{
    const uint64_t most = f->percentile_count ? REWARDED_MAX : HISTORY_MAX, head = c->world->latest.env.number;
    ex_history_config_t past = { .to = newest, .wants = f->percentile_count ? EX_WANT_BODY | EX_WANT_RECEIPTS : 0 };
    if (newest > head) {
        api_fail(c, API_FAILED, "request beyond head block: requested %llu, head %llu", (unsigned long long)newest,
                 (unsigned long long)head);
        return;
    }
    count = count > most ? most : count;
    past.from = f->first = newest + 1 > count ? newest + 1 - count : 0;
    api_past(c, &past, write_history);
}

void api_eth_feeHistory(api_call_t *c, const jo_t *args)
{
    history_t *f = arena_calloc(c->arena, 1, sizeof *f);
    uint64_t newest = 0;
    const uint64_t count =
        jo_kind(&args[0], NULL) == JO_INTEGER ? jo_u64(&args[0], NULL, 0, UINT64_MAX) : jo_quantity(&args[0], NULL);
    if (!f)
        api_fail(c, API_INTERNAL, "out of memory");
    if (!f || !api_past_number(c, &newest, &args[1]) || !read_percentiles(c, f, c->arena, &args[2]) || jo_rc(&args[0]))
        return;
    c->asked = f;
    if (count)
        ask_history(c, f, count, newest);
    else
        write_nothing(c);
}

/* ---- eth_gasPrice, eth_maxPriorityFeePerGas ---- */

/* The lowest tips of a block that count: not too low, not of the proposer's own transactions. */
static size_t sample(api_call_t *c, u256_t out[SAMPLES], const ex_past_t *p)
{
    arena_t scratch;
    size_t n = 0;
    const u256_t least = u256_of(TIP_IGNORED_BELOW);
    arena_init(&scratch, API_SCRATCH_MAX);
    const paid_t *paid = tips_of(c, &scratch, p);
    for (size_t i = 0; paid && i < p->block.transaction_count && n < SAMPLES; i++) {
        ex_transaction_t t;
        if (u256_lt(&paid[i].tip, &least) ||
            ex_transaction_decode(&t, NULL, &scratch, p->block.transactions[paid[i].place],
                                  c->world->chain->chain_id) ||
            addr_eq(&t.tx.from, &p->block.header.coinbase))
            continue;
        out[n++] = paid[i].tip;
    }
    arena_free(&scratch);
    return n;
}

static int by_value(const void *a, const void *b)
{
    return u256_cmp(a, b);
}

u256_t api_tip(api_call_t *c, const query_t *done)
{
    const ex_history_result_t *r = ex_history_result(done);
    const u256_t most = u256_of(TIP_MAX);
    u256_t all[SAMPLED_BLOCKS * SAMPLES];
    size_t n = 0;
    for (size_t i = 0; i < r->count && i < SAMPLED_BLOCKS; i++)
        n += sample(c, all + n, &r->blocks[i]);
    if (!n)
        return u256_of(0);
    qsort(all, n, sizeof *all, by_value);
    const u256_t tip = all[(n - 1) * SAMPLE_PERCENTILE / 100];
    return u256_lt(&most, &tip) ? most : tip;
}

static void write_tip(api_call_t *c, const query_t *done)
{
    const u256_t tip = api_tip(c, done);
    jw_quantity256(&c->out, NULL, &tip);
}

static void write_price(api_call_t *c, const query_t *done)
{
    const u256_t tip = api_tip(c, done), price = u256_add(&tip, &c->world->latest.env.base_fee);
    jw_quantity256(&c->out, NULL, &price);
}

rc_t api_tip_query(query_t **out, err_t *e, api_call_t *c)
{
    const uint64_t head = c->world->latest.env.number;
    ex_history_config_t past = { .to = head, .wants = EX_WANT_BODY };
    past.from = head >= SAMPLED_BLOCKS ? head - SAMPLED_BLOCKS + 1 : 0;
    return api_past_query(out, e, c, &past);
}

static void ask_tips(api_call_t *c, api_write_fn write)
{
    query_t *q = NULL;
    err_t e;
    const rc_t rc = api_tip_query(&q, &e, c);
    api_ask(c, rc, &e, q, write);
}

void api_eth_maxPriorityFeePerGas(api_call_t *c, const jo_t *args)
{
    (void)args;
    ask_tips(c, write_tip);
}

void api_eth_gasPrice(api_call_t *c, const jo_t *args)
{
    (void)args;
    ask_tips(c, write_price);
}
