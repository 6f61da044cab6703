/* State and block overrides from outside. Properties: rows are in the order of their addresses, each once; one that is
 * refused says why; a block without overrides stays as it was. */
#include <stdlib.h>
#include <string.h>

#include "rpc/api/overrides.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    jo_doc_t doc;
    err_t e = { .rc = RC_OK };
    ex_overrides_t o = { .rows = NULL };
    evm_block_t env = { .number = 7 };
    arena_init(&a, 64u << 20);
    jo_t list = jo_open(&doc, &e, view_of(data, len), len, JO_LENIENT), state, block;
    if (jo_next(&list, &state))
        api_read_overrides(&o, &a, &state);
    if (jo_next(&list, &block) && !api_read_block_overrides(&env, &block) && env.number != 7)
        abort();
    for (size_t i = 1; i < o.count; i++)
        if (memcmp(o.rows[i - 1].addr.b, o.rows[i].addr.b, sizeof(addr_t)) >= 0)
            abort();
    if (jo_rc(&list) && (!e.rc || !*e.text))
        abort();
    jo_close(&doc);
    arena_free(&a);
    return 0;
}
