/* Blocks from their RLP form. */
#include "base/crypto/hash.h"
#include "lightclient/exec/block.h"
#include "lightclient/rlp/rlp.h"

#define BLOCK_FIELDS_MAX 4u
#define WITHDRAWAL_FIELDS 4u

static rc_t get_transactions(ex_full_block_t *b, err_t *e, arena_t *a, const rlp_item_t *list)
{
    if (rlp_count(&b->transaction_count, list))
        return err_say(e, RC_MALFORMED, "transactions are no list");
    view_t *out = arena_calloc(a, b->transaction_count, sizeof *out), rest = list->payload;
    if (!out)
        return err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = 0; i < b->transaction_count; i++) {
        rlp_item_t item;
        if (rlp_next(&item, &rest))
            return err_say(e, RC_MALFORMED, "transactions are no list");
        out[i] = item.is_list ? item.whole : item.payload;
        if (!item.is_list && (item.payload.n == 0 || item.payload.p[0] >= 0x80))
            return err_say(e, RC_MALFORMED, "transaction is no envelope");
    }
    b->transactions = out;
    return RC_OK;
}

static bool get_withdrawal(ex_withdrawal_t *out, const rlp_item_t *item)
{
    rlp_item_t f[WITHDRAWAL_FIELDS];
    size_t n;
    return item->is_list && !rlp_split(f, &n, WITHDRAWAL_FIELDS, item->payload) && n == WITHDRAWAL_FIELDS &&
           !rlp_u64(&out->index, &f[0]) && !rlp_u64(&out->validator, &f[1]) &&
           !rlp_fixed(out->addr.b, sizeof out->addr.b, &f[2]) && !rlp_u64(&out->amount, &f[3]);
}

static rc_t get_withdrawals(ex_full_block_t *b, err_t *e, arena_t *a, const rlp_item_t *list)
{
    if (rlp_count(&b->withdrawal_count, list))
        return err_say(e, RC_MALFORMED, "withdrawals do not parse");
    ex_withdrawal_t *out = arena_calloc(a, b->withdrawal_count, sizeof *out);
    view_t rest = list->payload;
    if (!out)
        return err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = 0; i < b->withdrawal_count; i++) {
        rlp_item_t item;
        if (rlp_next(&item, &rest) || !get_withdrawal(&out[i], &item))
            return err_say(e, RC_MALFORMED, "withdrawals do not parse");
    }
    b->withdrawals = out;
    b->has_withdrawals = true;
    return RC_OK;
}

rc_t ex_block_decode(ex_full_block_t *out, err_t *e, arena_t *a, view_t rlp)
{
    rlp_item_t list, f[BLOCK_FIELDS_MAX];
    size_t n;
    ex_full_block_t b = { .rlp_len = rlp.n };
    if (rlp.n > EX_BLOCK_RLP_MAX)
        return err_say(e, RC_LIMIT, "too long");
    if (rlp_decode(&list, rlp) || !list.is_list || rlp_split(f, &n, BLOCK_FIELDS_MAX, list.payload) || n < 3)
        return err_say(e, RC_MALFORMED, "not one RLP list of a block");
    if (!f[0].is_list || !f[2].is_list)
        return err_say(e, RC_MALFORMED, "header or ommers are no list");
    keccak256(&b.hash, f[0].whole);
    if (ex_header_verify(&b.header, &b.hash, f[0].whole))
        return err_say(e, RC_MALFORMED, "header does not parse");
    if (f[2].payload.n)
        return err_say(e, RC_REFUSED, "ommers");
    rc_t rc = get_transactions(&b, e, a, &f[1]);
    if (!rc && n > 3)
        rc = get_withdrawals(&b, e, a, &f[3]);
    if (!rc)
        *out = b;
    return rc;
}
