/* Evidence files from outside. Properties: one that is refused leaves the result as it was, with a code and a sentence; one that
 * is read is written, read again and written alike; its pieces go into a stock, or are refused with a reason. */
#include <stdlib.h>
#include <string.h>

#include "rpc/api/grounds.h"
#include "tests/fuzz/fuzz.h"

static void check_refused(const grounds_t *g, const err_t *e)
{
    for (size_t i = 0; i < sizeof *g; i++)
        if (((const uint8_t *)g)[i] != 0x5a)
            abort();
    if (!e->rc || !*e->text || (!e->code && e->rc != RC_NOMEM))
        abort();
}

static void check_written(arena_t *a, const grounds_t *g)
{
    grounds_t again;
    view_t one, two;
    if (grounds_write(&one, a, g) || grounds_read(&again, NULL, a, one) || grounds_write(&two, a, &again) ||
        !view_eq(one, two))
        abort();
}

static void put(ex_stock_t *s, ex_stock_kind_t kind, grounds_list_t list)
{
    for (size_t i = 0; i < list.count; i++) {
        err_t e = { .rc = RC_OK };
        if (ex_stock_add(s, &e, kind, list.at[i]) && !*e.text)
            abort();
    }
}

static void check_stock(arena_t *a, const grounds_t *g)
{
    static const uint64_t seed[2] = { 1, 2 };
    ex_stock_t s;
    if (ex_stock_init(&s, a, seed))
        return;
    put(&s, EX_STOCK_HEADER, g->headers);
    put(&s, EX_STOCK_BLOCK, g->blocks);
    put(&s, EX_STOCK_NODE, g->nodes);
    put(&s, EX_STOCK_CODE, g->codes);
    for (size_t i = 0; i < g->receipt_count; i++) {
        err_t e = { .rc = RC_OK };
        if (ex_stock_add_receipts(&s, &e, g->receipts[i].at, g->receipts[i].count) && !*e.text)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    err_t e = { .rc = RC_OK };
    grounds_t g;
    arena_init(&a, 256u << 20);
    memset(&g, 0x5a, sizeof g);
    if (grounds_read(&g, &e, &a, view_of(data, len)))
        check_refused(&g, &e);
    else {
        check_written(&a, &g);
        check_stock(&a, &g);
    }
    arena_free(&a);
    return 0;
}
