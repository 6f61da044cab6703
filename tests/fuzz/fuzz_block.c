/* Blocks: what decodes, encoded anew from what was decoded, is the input, byte for byte, and no beginning of it
 * decodes. */
#include <stdlib.h>

#include "lightclient/exec/block.h"
#include "lightclient/rlp/rlp.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 8192u
#define PREFIXES_MAX 512u /* beginnings that are tried, so that long inputs stay cheap */

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* A typed transaction stands in the list as a string, a legacy one as the list that it is. */
static void put_transactions(wr_t *w, const ex_full_block_t *b)
{
    size_t began = w->n;
    for (size_t i = 0; i < b->transaction_count; i++)
        if (b->transactions[i].p[0] < 0x80)
            rlp_put_bytes(w, b->transactions[i]);
        else
            wr_bytes(w, b->transactions[i].p, b->transactions[i].n);
    rlp_wrap_list(w, began);
}

static void put_withdrawals(wr_t *w, const ex_full_block_t *b)
{
    size_t began = w->n;
    for (size_t i = 0; i < b->withdrawal_count; i++) {
        size_t row = w->n;
        rlp_put_u64(w, b->withdrawals[i].index);
        rlp_put_u64(w, b->withdrawals[i].validator);
        rlp_put_bytes(w, view_of(b->withdrawals[i].addr.b, sizeof(addr_t)));
        rlp_put_u64(w, b->withdrawals[i].amount);
        rlp_wrap_list(w, row);
    }
    rlp_wrap_list(w, began);
}

static void check(arena_t *a, const ex_full_block_t *b, view_t rlp)
{
    uint8_t buf[INPUT_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    ex_full_block_t again;
    hash32_t hash;
    ex_header_encode(&w, &b->header);
    put_transactions(&w, b);
    rlp_put_list_prefix(&w, 0); /* ommers */
    if (b->has_withdrawals)
        put_withdrawals(&w, b);
    rlp_wrap_list(&w, 0);
    require(!w.bad && view_eq(wr_view(&w), rlp));
    ex_header_hash(&hash, &b->header);
    require(hash32_eq(&hash, &b->hash) && b->rlp_len == rlp.n);
    for (size_t n = 0; n < rlp.n && n < PREFIXES_MAX; n++)
        require(ex_block_decode(&again, NULL, a, view_of(rlp.p, n)) != RC_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    ex_full_block_t b;
    err_t e = { 0 };
    arena_t a;
    if (len > INPUT_MAX)
        return 0;
    arena_init(&a, 4u << 20);
    rc_t rc = ex_block_decode(&b, &e, &a, view_of(data, len));
    require(e.rc == rc && !e.text[0] == (rc == RC_OK));
    if (rc == RC_OK)
        check(&a, &b, view_of(data, len));
    arena_free(&a);
    return 0;
}
