/* An order that reads is written again as the same bytes, and no order of the input's making is valid: nobody signed it. */
#include <stdlib.h>

#include "overlay/order.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[ORDER_MAX];
    static order_signed_t o;
    const order_rules_t rules = { .threshold = 0 };
    err_t e;
    if (order_read(&o, &e, view_of(data, len)))
        return 0;
    wr_t w = wr_of(again, sizeof again);
    order_write(&w, &o, true);
    if (w.bad || !view_eq(wr_view(&w), view_of(data, len)))
        abort();
    o.order.maker_count = 0; /* rules without a context: no point is checked */
    if (!order_judge(&e, &o, &rules))
        abort();
    return 0;
}
