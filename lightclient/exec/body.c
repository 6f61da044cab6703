/* Bodies of blocks: their roots, and the RLP form of a whole block. */
#include "lightclient/exec/block.h"
#include "lightclient/mpt/mpt.h"
#include "lightclient/rlp/rlp.h"

#define WITHDRAWAL_RLP_MAX 64u

static void put_withdrawal(wr_t *w, const ex_withdrawal_t *x)
{
    size_t began = w->n;
    rlp_put_u64(w, x->index);
    rlp_put_u64(w, x->validator);
    rlp_put_bytes(w, view_of(x->addr.b, sizeof x->addr.b));
    rlp_put_u64(w, x->amount);
    rlp_wrap_list(w, began);
}

rc_t ex_withdrawals_root(hash32_t *out, arena_t *scratch, const ex_full_block_t *b)
{
    arena_mark_t mark = arena_mark(scratch);
    view_t *rows = arena_calloc(scratch, b->withdrawal_count, sizeof *rows);
    uint8_t *room = arena_calloc(scratch, b->withdrawal_count, WITHDRAWAL_RLP_MAX);
    rc_t rc = RC_NOMEM;
    if (rows && room) {
        for (size_t i = 0; i < b->withdrawal_count; i++) {
            wr_t w = wr_of(room + i * WITHDRAWAL_RLP_MAX, WITHDRAWAL_RLP_MAX);
            put_withdrawal(&w, &b->withdrawals[i]);
            rows[i] = wr_view(&w);
        }
        rc = mpt_list_root(out, rows, b->withdrawal_count, scratch);
    }
    arena_rollback(scratch, mark);
    return rc;
}

rc_t ex_body_verify(err_t *e, arena_t *scratch, const ex_full_block_t *b)
{
    hash32_t root;
    for (size_t i = 0; i < b->transaction_count; i++)
        if (b->transactions[i].n == 0)
            return err_say(e, RC_REFUSED, "an empty transaction");
    rc_t rc = mpt_list_root(&root, b->transactions, b->transaction_count, scratch);
    if (rc)
        return err_say(e, rc, "out of memory");
    if (!hash32_eq(&root, &b->header.transactions_root))
        return err_say(e, RC_REFUSED, "another transactions root");
    if (!b->has_withdrawals)
        return b->header.tail < 2 ? RC_OK : err_say(e, RC_REFUSED, "withdrawals are missing");
    rc = ex_withdrawals_root(&root, scratch, b);
    if (rc)
        return err_say(e, rc, "out of memory");
    return hash32_eq(&root, &b->header.withdrawals_root) ? RC_OK : err_say(e, RC_REFUSED, "another withdrawals root");
}

/* A transaction as a block holds it: a list by itself, an envelope as a string. */
static void put_transaction(wr_t *w, view_t raw)
{
    if (raw.p[0] >= 0xc0)
        wr_bytes(w, raw.p, raw.n);
    else
        rlp_put_bytes(w, raw);
}

static size_t transaction_len(view_t raw)
{
    return raw.n + (raw.p[0] >= 0xc0 ? 0 : rlp_prefix_len(raw.n));
}

static size_t list_len(size_t payload)
{
    return rlp_prefix_len(payload) + payload;
}

static size_t transactions_len(const ex_full_block_t *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->transaction_count; i++)
        n += transaction_len(b->transactions[i]);
    return n;
}

static size_t withdrawals_len(const ex_full_block_t *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->withdrawal_count; i++) {
        uint8_t room[WITHDRAWAL_RLP_MAX];
        wr_t w = wr_of(room, sizeof room);
        put_withdrawal(&w, &b->withdrawals[i]);
        n += w.n;
    }
    return n;
}

/* Of all that stands in a block's list. */
static size_t payload_len(const ex_full_block_t *b)
{
    uint8_t room[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(room, sizeof room);
    ex_header_encode(&w, &b->header);
    return w.n + list_len(transactions_len(b)) + list_len(0) + (b->has_withdrawals ? list_len(withdrawals_len(b)) : 0);
}

size_t ex_block_len(const ex_full_block_t *b)
{
    return list_len(payload_len(b));
}

void ex_block_encode(wr_t *w, const ex_full_block_t *b)
{
    rlp_put_list_prefix(w, payload_len(b));
    ex_header_encode(w, &b->header);
    rlp_put_list_prefix(w, transactions_len(b));
    for (size_t i = 0; i < b->transaction_count; i++)
        put_transaction(w, b->transactions[i]);
    rlp_put_list_prefix(w, 0);
    if (!b->has_withdrawals)
        return;
    rlp_put_list_prefix(w, withdrawals_len(b));
    for (size_t i = 0; i < b->withdrawal_count; i++)
        put_withdrawal(w, &b->withdrawals[i]);
}
