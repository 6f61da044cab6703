/* Receipts: what decodes, encoded again, is the same bytes; no beginning of it decodes. */
#include <stdlib.h>

#include "lightclient/exec/receipt.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    ex_receipt_t r;
    view_t again;
    arena_t a;
    if (len > INPUT_MAX)
        return 0;
    arena_init(&a, 4u << 20);
    if (!ex_receipt_decode(&r, NULL, &a, view_of(data, len))) {
        if (ex_receipt_encode(&again, &a, &r) || !view_eq(again, view_of(data, len)))
            abort();
        for (size_t n = 0; n < len; n++)
            if (!ex_receipt_decode(&r, NULL, &a, view_of(data, n)))
                abort();
    }
    arena_free(&a);
    return 0;
}
