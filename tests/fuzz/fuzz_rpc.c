/* Whole bodies of POST /rpc. Properties: every request is begun and finished, with queries that end in any way; the answer is
 * one JSON text, an object for a single call and a list for a batch, each element with either a result or an error, or
 * nothing at all, which only notifications get. */
#include <stdlib.h>

#include "rpc/api/rpc.h"
#include "tests/fuzz/fuzz.h"

static const evm_schedule_row_t row = { 0, { EVM_PRAGUE, 6, 9, 5007716, NULL } };
static const evm_chain_t CHAIN = { 1, &row, 1 };

static void check_element(const jo_t *o)
{
    if ((jo_kind(o, "result") == JO_ABSENT) == (jo_kind(o, "error") == JO_ABSENT) || jo_kind(o, "id") == JO_ABSENT)
        abort();
    (void)jo_text(o, "jsonrpc", 3, 3);
    if (jo_kind(o, "error") == JO_ABSENT)
        return;
    const jo_t error = jo_object(o, "error");
    if (!jo_i64(&error, "code", INT64_MIN, INT64_MAX) || !jo_text(&error, "message", 1, SIZE_MAX).n)
        abort();
}

static void check_answer(view_t body, size_t calls)
{
    jo_doc_t doc;
    jo_t o = jo_open(&doc, NULL, body, SIZE_MAX, JO_LENIENT), element;
    if (jo_kind(&o, NULL) == JO_LIST) {
        if (!jo_size(&o) || jo_size(&o) > calls)
            abort();
        while (jo_next(&o, &element))
            check_element(&element);
    } else
        check_element(&o);
    if (jo_rc(&o))
        abort();
    jo_close(&doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const rc_t ends[] = { RC_IO, RC_TIMEOUT, RC_REFUSED, RC_LIMIT, RC_NOMEM };
    api_world_t world = { .chain = &CHAIN, .latest.env = { .number = 1000, .chain_id = 1, .gas_limit = 30000000 } };
    api_rpc_t *r;
    arena_t a;
    view_t body;
    arena_init(&a, 256u << 20);
    if (len && data[0] & 1)
        world.not_ready = "syncing";
    if (len)
        (void)api_rpc_at_once(view_of(data + 1, len - 1)); /* it looks at what need not be JSON */
    if (len && api_rpc_begin(&r, &a, &world, view_of(data + 1, len - 1)) == RC_OK) {
        for (size_t i = 0; i < api_rpc_count(r); i++) {
            const err_t e = { .text = "no upstream" };
            const rc_t rc = ends[i % (sizeof ends / sizeof ends[0])];
            query_t *q = api_rpc_take(r, i);
            if (q && query_step(q, NULL) != RC_NEED_DATA && i % 2) {
                query_free(q); /* as when it could not be driven at all */
                q = NULL;
            }
            if (q || i % 2)
                api_rpc_end(r, i, rc, &e, q);
        }
        (void)api_rpc_more(r);
        const size_t calls = api_rpc_count(r);
        if (api_rpc_finish(r, &body))
            abort();
        if (body.n)
            check_answer(body, calls);
    }
    arena_free(&a);
    return 0;
}
