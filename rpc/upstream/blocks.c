#include "rpc/upstream/blocks.h"

#include "lightclient/rlp/rlp.h"
#include "rpc/upstream/decode.h"

#define TYPE_MAX 4u
#define FIXED_ROOM 1024u /* bytes of a transaction's fields of bounded length */
#define BLOBS_MAX 4096u
#define AUTHORIZATIONS_MAX 65536u
#define TOPICS_MAX 4u

/* ---- transactions ---- */

/* What has no bounded length in a transaction. */
typedef struct {
    view_t data;
    const evm_access_t *access;
    size_t access_count;
    jo_t blobs, authorizations;
    size_t blob_count, authorization_count;
} parts_t;

/* The fields of each type, in the order of their encoding; the signature follows. */
static const char *const layouts[TYPE_MAX + 1] = { "npgtvd", "cnpgtvdl", "cnPMgtvdl", "cnPMgtvdlbh", "cnPMgtvdla" };

static void put_quantity(wr_t *w, const jo_t *o, const char *key)
{
    const u256_t x = jo_quantity256(o, key);
    rlp_put_u256(w, &x);
}

static void put_to(wr_t *w, const jo_t *o)
{
    addr_t to;
    const bool has = jo_opt_hex(o, to.b, sizeof to.b, "to", HEX_0X);
    rlp_put_bytes(w, view_of(to.b, has ? sizeof to.b : 0));
}

static void put_access(wr_t *w, const parts_t *p)
{
    const size_t began = w->n;
    for (size_t i = 0; i < p->access_count; i++) {
        const size_t entry = w->n;
        rlp_put_bytes(w, view_of(p->access[i].addr.b, sizeof p->access[i].addr.b));
        const size_t keys = w->n;
        for (size_t k = 0; k < p->access[i].key_count; k++)
            rlp_put_bytes(w, view_of(p->access[i].keys[k].b, sizeof(hash32_t)));
        rlp_wrap_list(w, keys);
        rlp_wrap_list(w, entry);
    }
    rlp_wrap_list(w, began);
}

static void put_blobs(wr_t *w, parts_t *p)
{
    const size_t began = w->n;
    jo_t item;
    while (jo_next(&p->blobs, &item)) {
        hash32_t h = { { 0 } };
        jo_hex(&item, h.b, sizeof h.b, NULL, HEX_0X);
        rlp_put_bytes(w, view_of(h.b, sizeof h.b));
    }
    rlp_wrap_list(w, began);
}

static void put_authorizations(wr_t *w, parts_t *p)
{
    const size_t began = w->n;
    jo_t item;
    while (jo_next(&p->authorizations, &item)) {
        const size_t entry = w->n;
        addr_t addr = { { 0 } };
        put_quantity(w, &item, "chainId");
        jo_hex(&item, addr.b, sizeof addr.b, "address", HEX_0X);
        rlp_put_bytes(w, view_of(addr.b, sizeof addr.b));
        put_quantity(w, &item, "nonce");
        put_quantity(w, &item, jo_has(&item, "yParity") ? "yParity" : "v");
        put_quantity(w, &item, "r");
        put_quantity(w, &item, "s");
        rlp_wrap_list(w, entry);
        jo_rest(&item);
    }
    rlp_wrap_list(w, began);
}

static void put_field(wr_t *w, const jo_t *o, parts_t *p, char field)
{
    switch (field) {
    case 'n': put_quantity(w, o, "nonce"); break;
    case 'p': put_quantity(w, o, "gasPrice"); break;
    case 'P': put_quantity(w, o, "maxPriorityFeePerGas"); break;
    case 'M': put_quantity(w, o, "maxFeePerGas"); break;
    case 'g': put_quantity(w, o, "gas"); break;
    case 'v': put_quantity(w, o, "value"); break;
    case 'c': put_quantity(w, o, "chainId"); break;
    case 'b': put_quantity(w, o, "maxFeePerBlobGas"); break;
    case 't': put_to(w, o); break;
    case 'd': rlp_put_bytes(w, p->data); break;
    case 'l': put_access(w, p); break;
    case 'h': put_blobs(w, p); break;
    case 'a': put_authorizations(w, p); break;
    default: w->bad = true;
    }
}

/* Reads the parts that the type has; gives the bytes that the encoding takes at most. */
static size_t read_parts(parts_t *p, arena_t *a, const jo_t *o, unsigned type)
{
    *p = (parts_t){ .data = jo_bytes(o, a, "input", 0, EX_TRANSACTION_MAX, HEX_0X) };
    size_t room = FIXED_ROOM + p->data.n;
    if (type >= 1) {
        const jo_t list = jo_list(o, "accessList", 0, SIZE_MAX);
        if (jr_read_access_list(&p->access, &p->access_count, a, &list))
            return room;
        for (size_t i = 0; i < p->access_count; i++)
            room += 48 + 33 * p->access[i].key_count;
    }
    if (type == 3)
        p->blobs = jo_list(o, "blobVersionedHashes", 0, BLOBS_MAX);
    if (type == 4)
        p->authorizations = jo_list(o, "authorizationList", 0, AUTHORIZATIONS_MAX);
    room += type == 3 ? 33 * jo_size(&p->blobs) : 0;
    room += type == 4 ? 192 * jo_size(&p->authorizations) : 0;
    return room;
}

rc_t jr_read_transaction(view_t *out, arena_t *a, const jo_t *o)
{
    parts_t parts;
    uint64_t type = 0;
    jo_opt_quantity(o, &type, "type");
    if (type > TYPE_MAX)
        return jo_fail(o, "type", RC_MALFORMED, "is no type that this build knows");
    const size_t room = read_parts(&parts, a, o, (unsigned)type);
    wr_t w = wr_of(jo_rc(o) ? NULL : arena_alloc(a, room), room);
    if (!w.p)
        return jo_fail(o, NULL, RC_NOMEM, "out of memory");
    if (type)
        wr_u8(&w, (uint8_t)type);
    const size_t began = w.n;
    for (const char *f = layouts[type]; *f; f++)
        put_field(&w, o, &parts, *f);
    put_quantity(&w, o, type && jo_has(o, "yParity") ? "yParity" : "v");
    put_quantity(&w, o, "r");
    put_quantity(&w, o, "s");
    rlp_wrap_list(&w, began);
    jo_rest(o);
    *out = wr_view(&w);
    return w.bad ? jo_fail(o, NULL, RC_LIMIT, "is too long") : jo_rc(o);
}

/* ---- blocks ---- */

static void read_withdrawals(ex_full_block_t *b, arena_t *a, const jo_t *o)
{
    jo_t list, item;
    b->has_withdrawals = jo_opt_list(o, &list, "withdrawals", 0, JR_WITHDRAWALS_MAX);
    if (!b->has_withdrawals)
        return;
    ex_withdrawal_t *all = arena_calloc(a, jo_size(&list), sizeof *all);
    if (!all)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    b->withdrawals = all;
    b->withdrawal_count = jo_size(&list);
    while (all && jo_next(&list, &item)) {
        ex_withdrawal_t *x = &all[item.index];
        x->index = jo_quantity(&item, "index");
        x->validator = jo_quantity(&item, "validatorIndex");
        jo_hex(&item, x->addr.b, sizeof x->addr.b, "address", HEX_0X);
        x->amount = jo_quantity(&item, "amount");
        jo_rest(&item);
    }
}

rc_t jr_read_block(ex_full_block_t *out, arena_t *a, const jo_t *o)
{
    ex_full_block_t b = { .rlp_len = 0 };
    jo_t list = jo_list(o, "transactions", 0, JR_TRANSACTIONS_MAX), item;
    view_t *all = arena_calloc(a, jo_size(&list), sizeof *all);
    if (!all)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    b.transactions = all;
    b.transaction_count = jo_size(&list);
    while (all && jo_next(&list, &item))
        if (jr_read_transaction(&all[item.index], a, &item))
            break;
    read_withdrawals(&b, a, o);
    rc_t rc = jr_read_header(&b.header, o);
    if (!rc)
        *out = b;
    return rc;
}

/* ---- receipts ---- */

static void read_log(evm_log_t *log, arena_t *a, const jo_t *o)
{
    jo_t topics = jo_list(o, "topics", 0, TOPICS_MAX), item;
    jo_hex(o, log->addr.b, sizeof log->addr.b, "address", HEX_0X);
    log->topic_count = (uint8_t)jo_size(&topics);
    while (jo_next(&topics, &item))
        jo_hex(&item, log->topics[item.index].b, sizeof(hash32_t), NULL, HEX_0X);
    log->data = jo_bytes(o, a, "data", 0, EX_RECEIPT_MAX, HEX_0X);
    jo_rest(o);
}

static void read_receipt(view_t *out, arena_t *a, const jo_t *o)
{
    ex_receipt_t r = { .type = 0 };
    uint64_t type = 0, status = 0;
    jo_t logs = jo_list(o, "logs", 0, EX_RECEIPT_MAX / 64), item;
    evm_log_t *all = arena_calloc(a, jo_size(&logs), sizeof *all);
    r.logs = all;
    r.log_count = jo_size(&logs);
    jo_opt_quantity(o, &type, "type");
    if (type > TYPE_MAX)
        jo_fail(o, "type", RC_MALFORMED, "is no type that this build knows");
    r.type = (uint8_t)type;
    if (!jo_opt_quantity(o, &status, "status"))
        r.has_root = jo_hex(o, r.root.b, sizeof r.root.b, "root", HEX_0X);
    else if (status > 1)
        jo_fail(o, "status", RC_MALFORMED, "is neither 0 nor 1");
    r.success = status == 1;
    r.cumulative_gas = jo_quantity(o, "cumulativeGasUsed");
    jo_hex(o, r.bloom, sizeof r.bloom, "logsBloom", HEX_0X);
    while (all && jo_next(&logs, &item))
        read_log(&all[item.index], a, &item);
    jo_rest(o);
    if (!all || (!jo_rc(o) && ex_receipt_encode(out, a, &r)))
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
}

rc_t jr_read_receipts(const view_t **out, size_t *count, arena_t *a, const jo_t *o)
{
    jo_t list = jo_list(o, NULL, 0, JR_TRANSACTIONS_MAX), item;
    view_t *all = arena_calloc(a, jo_size(&list), sizeof *all);
    if (!all)
        return jo_fail(o, NULL, RC_NOMEM, "out of memory");
    *out = all;
    *count = jo_size(&list);
    while (jo_next(&list, &item))
        read_receipt(&all[item.index], a, &item);
    return jo_rc(o);
}
