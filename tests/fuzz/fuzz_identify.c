/* What is read, written again, and read, says the same. */
#include <stdlib.h>

#include "overlay/wire/identify.h"
#include "overlay/wire/proto.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[IDENTIFY_MAX + 64];
    identify_t m, again;
    view_t message;
    size_t used;
    err_t e = { 0 };
    const hostkey_t of = { HOSTKEY_ED25519, 32, { 0 } };
    if (identify_read(&m, &e, view_of(data, len), &of)) {
        if (!e.text[0])
            abort();
        return 0;
    }
    wr_t w = wr_of(out, sizeof out);
    identify_write(&w, &m);
    if (w.bad || pb_delimited(&message, &used, wr_view(&w), IDENTIFY_MAX) || used != w.n ||
        identify_read(&again, &e, message, &of))
        abort();
    if (again.has_key != m.has_key || again.protocol_count != m.protocol_count || again.addr_count != m.addr_count ||
        !view_eq(again.agent_version, m.agent_version) || !view_eq(again.observed, m.observed) ||
        !view_eq(again.signed_record, m.signed_record) || !view_eq(again.protocol_version, m.protocol_version))
        abort();
    return 0;
}
