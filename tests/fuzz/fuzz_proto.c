/* A message has one form: what is read, written again, gives the same bytes. */
#include <stdlib.h>

#include "overlay/wire/proto.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *out = malloc(len + 16);
    wr_t w = wr_of(out, len + 16);
    rd_t r = rd_of(view_of(data, len));
    pb_field_t f;
    view_t message;
    size_t used = 0;
    while (pb_next(&r, &f))
        switch (f.type) {
        case PB_VARINT: pb_put_u64(&w, f.number, f.value); break;
        case PB_FIXED64: pb_put_fixed64(&w, f.number, f.value); break;
        case PB_BYTES: pb_put_bytes(&w, f.number, f.bytes); break;
        default: varint_put(&w, (uint64_t)f.number << 3 | f.type); wr_u32le(&w, (uint32_t)f.value);
        }
    if (rd_done(&r) && !view_eq(wr_view(&w), view_of(data, len)))
        abort();
    rc_t rc = pb_delimited(&message, &used, view_of(data, len), 1000);
    if (!rc && (used > len || message.n > 1000 || message.p + message.n != data + used))
        abort();
    free(out);
    return 0;
}
