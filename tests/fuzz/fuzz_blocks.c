/* Blocks and receipts as JSON: 'b' and a block, or 'r' and a list of receipts. What is read gives bytes: a block that has
 * its length and decodes to as many transactions; receipts of which each decodes or has another bloom. */
#include <stdlib.h>

#include "rpc/upstream/blocks.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 65536u

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_block(arena_t *a, const ex_full_block_t *b)
{
    const size_t room = ex_block_len(b);
    wr_t w = wr_of(arena_alloc(a, room), room);
    ex_full_block_t again;
    hash32_t hash;
    ex_header_hash(&hash, &b->header);
    if (hash32_is_zero(&hash)) /* optional fields that no header has: it is nobody's block */
        return;
    require(w.p != NULL);
    ex_block_encode(&w, b);
    require(!w.bad && w.n == room);
    require(!ex_block_decode(&again, NULL, a, wr_view(&w)) && again.transaction_count == b->transaction_count &&
            again.withdrawal_count == b->withdrawal_count);
}

static void check_receipts(arena_t *a, const view_t *raw, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ex_receipt_t r;
        const rc_t rc = ex_receipt_decode(&r, NULL, a, raw[i]);
        require(rc == RC_OK || rc == RC_REFUSED);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    jo_doc_t doc;
    arena_t a;
    ex_full_block_t b;
    const view_t *raw;
    size_t count;
    if (len < 1 || len > INPUT_MAX)
        return 0;
    arena_init(&a, 64u << 20);
    const jo_t o = jo_open(&doc, NULL, view_of(data + 1, len - 1), INPUT_MAX, JO_STRICT);
    if (data[0] == 'b' && !jr_read_block(&b, &a, &o))
        check_block(&a, &b);
    else if (data[0] == 'r' && !jr_read_receipts(&raw, &count, &a, &o))
        check_receipts(&a, raw, count);
    jo_close(&doc);
    arena_free(&a);
    return 0;
}
