#include "lightclient/exec/receipt.h"

#include "lightclient/evm/vm.h"
#include "lightclient/mpt/mpt.h"
#include "lightclient/rlp/rlp.h"

#define TYPE_MAX 4u
#define RECEIPT_FIELDS 4u
#define LOG_FIELDS 3u
#define LOG_OVERHEAD 256u /* bytes of a log's encoding beside its data, at most */
#define RECEIPT_OVERHEAD 512u
#define BLOB_GAS 131072u /* EIP-4844: gas of one blob */

/* ---- encoding ---- */

static void put_log(wr_t *w, const evm_log_t *log)
{
    size_t began = w->n;
    rlp_put_bytes(w, view_of(log->addr.b, sizeof log->addr.b));
    size_t topics = w->n;
    for (unsigned i = 0; i < log->topic_count; i++)
        rlp_put_bytes(w, view_of(log->topics[i].b, sizeof log->topics[i].b));
    rlp_wrap_list(w, topics);
    rlp_put_bytes(w, log->data);
    rlp_wrap_list(w, began);
}

rc_t ex_receipt_encode(view_t *out, arena_t *a, const ex_receipt_t *r)
{
    size_t room = RECEIPT_OVERHEAD;
    for (size_t i = 0; i < r->log_count; i++)
        room += LOG_OVERHEAD + r->logs[i].data.n;
    wr_t w = wr_of(arena_alloc(a, room), room);
    if (!w.p)
        return RC_NOMEM;
    if (r->type)
        wr_u8(&w, r->type);
    size_t began = w.n;
    if (r->has_root)
        rlp_put_bytes(&w, view_of(r->root.b, sizeof r->root.b));
    else
        rlp_put_u64(&w, r->success);
    rlp_put_u64(&w, r->cumulative_gas);
    rlp_put_bytes(&w, view_of(r->bloom, sizeof r->bloom));
    size_t logs = w.n;
    for (size_t i = 0; i < r->log_count; i++)
        put_log(&w, &r->logs[i]);
    rlp_wrap_list(&w, logs);
    rlp_wrap_list(&w, began);
    *out = wr_view(&w);
    return w.bad ? RC_BUG : RC_OK;
}

/* ---- decoding ---- */

static bool get_topics(evm_log_t *log, const rlp_item_t *list)
{
    view_t rest = list->payload;
    if (!list->is_list)
        return false;
    for (; rest.n && log->topic_count < 4; log->topic_count++) {
        rlp_item_t item;
        if (rlp_next(&item, &rest) || rlp_fixed(log->topics[log->topic_count].b, sizeof log->topics[0].b, &item))
            return false;
    }
    return rest.n == 0;
}

static bool get_log(evm_log_t *log, const rlp_item_t *item)
{
    rlp_item_t f[LOG_FIELDS];
    size_t n;
    if (!item->is_list || rlp_split(f, &n, LOG_FIELDS, item->payload) || n != LOG_FIELDS || f[2].is_list ||
        rlp_fixed(log->addr.b, sizeof log->addr.b, &f[0]))
        return false;
    log->data = f[2].payload;
    return get_topics(log, &f[1]);
}

static rc_t get_logs(ex_receipt_t *r, err_t *e, arena_t *a, const rlp_item_t *list)
{
    if (rlp_count(&r->log_count, list))
        return err_say(e, RC_MALFORMED, "logs are no list");
    evm_log_t *logs = arena_calloc(a, r->log_count, sizeof *logs);
    view_t rest = list->payload;
    if (!logs)
        return err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = 0; i < r->log_count; i++) {
        rlp_item_t item;
        if (rlp_next(&item, &rest) || !get_log(&logs[i], &item))
            return err_say(e, RC_MALFORMED, "a log does not parse");
    }
    r->logs = logs;
    return RC_OK;
}

/* Status 0 or 1, or a state root. */
static bool get_status(ex_receipt_t *r, const rlp_item_t *item)
{
    uint64_t status;
    r->has_root = !rlp_fixed(r->root.b, sizeof r->root.b, item);
    if (r->has_root)
        return true;
    if (rlp_u64(&status, item) || status > 1)
        return false;
    r->success = status == 1;
    return true;
}

rc_t ex_receipt_decode(ex_receipt_t *out, err_t *e, arena_t *a, view_t raw)
{
    ex_receipt_t r = { .type = 0 };
    rlp_item_t list, f[RECEIPT_FIELDS];
    size_t n;
    uint8_t bloom[EX_BLOOM_LEN] = { 0 };
    view_t body = raw;
    if (raw.n > EX_RECEIPT_MAX)
        return err_say(e, RC_LIMIT, "too long");
    if (raw.n && raw.p[0] < 0x80) {
        r.type = raw.p[0];
        body = view_of(raw.p + 1, raw.n - 1);
        if (r.type == 0 || r.type > TYPE_MAX)
            return err_say(e, RC_MALFORMED, "unknown receipt type");
    }
    if (rlp_decode(&list, body) || !list.is_list || rlp_split(f, &n, RECEIPT_FIELDS, list.payload) ||
        n != RECEIPT_FIELDS || !get_status(&r, &f[0]) || rlp_u64(&r.cumulative_gas, &f[1]) ||
        rlp_fixed(r.bloom, sizeof r.bloom, &f[2]))
        return err_say(e, RC_MALFORMED, "not one receipt");
    rc_t rc = get_logs(&r, e, a, &f[3]);
    if (rc)
        return rc;
    ex_bloom_add_logs(bloom, r.logs, r.log_count);
    if (memcmp(bloom, r.bloom, sizeof bloom) != 0)
        return err_say(e, RC_REFUSED, "the bloom is not that of the logs");
    *out = r;
    return RC_OK;
}

/* ---- of a block ---- */

rc_t ex_receipts_verify(const ex_receipt_t **out, err_t *e, arena_t *a, const ex_header_t *header, const view_t *raw,
                        size_t count)
{
    uint8_t bloom[EX_BLOOM_LEN] = { 0 };
    hash32_t root;
    for (size_t i = 0; i < count; i++)
        if (raw[i].n == 0)
            return err_say(e, RC_MALFORMED, "an empty receipt");
    ex_receipt_t *all = arena_calloc(a, count, sizeof *all);
    rc_t rc = all ? mpt_list_root(&root, raw, count, a) : RC_NOMEM;
    if (rc)
        return err_say(e, rc, "out of memory");
    if (!hash32_eq(&root, &header->receipts_root))
        return err_say(e, RC_REFUSED, "the receipts have another root than the header says");
    for (size_t i = 0; !rc && i < count; i++) {
        rc = ex_receipt_decode(&all[i], e, a, raw[i]);
        for (size_t k = 0; !rc && k < sizeof bloom; k++)
            bloom[k] |= all[i].bloom[k];
    }
    if (rc)
        return rc;
    if (memcmp(bloom, header->logs_bloom, sizeof bloom) != 0)
        return err_say(e, RC_REFUSED, "the receipts have another bloom than the header says");
    *out = all;
    return RC_OK;
}

u256_t ex_gas_price(const evm_tx_t *tx, const u256_t *base_fee)
{
    if (tx->type < 2)
        return tx->gas_price;
    const u256_t with_tip = u256_add(base_fee, &tx->max_priority_fee);
    const bool wraps = u256_lt(&with_tip, base_fee);
    return wraps || u256_lt(&tx->max_fee, &with_tip) ? tx->max_fee : with_tip;
}

void ex_receipt_derive(ex_outcome_of_t *out, const ex_receipt_t *receipts, size_t i, const evm_tx_t *tx,
                       const ex_header_t *header, const evm_rules_t *rules)
{
    *out = (ex_outcome_of_t){ .to_nobody = tx->create, .blob_gas_used = tx->blob_count * BLOB_GAS };
    out->gas_used = receipts[i].cumulative_gas - (i ? receipts[i - 1].cumulative_gas : 0);
    out->gas_price = ex_gas_price(tx, &header->base_fee);
    if (tx->create)
        vm_create_address(&out->contract, &tx->from, tx->nonce);
    for (size_t k = 0; k < i; k++)
        out->log_index += receipts[k].log_count;
    if (tx->type == 3)
        out->blob_gas_price = evm_blob_base_fee(rules, header->excess_blob_gas);
}
