/* A record that opens is signed by the peer that it is of; a byte less is none. Its addresses are some that can be written. */
#include <stdlib.h>

#include "overlay/wire/record.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    record_t r, again;
    envelope_t x;
    peerid_t id;
    uint8_t bytes[MADDR_BYTES_MAX];
    if (record_open(&r, view_of(data, len)))
        return 0;
    if (envelope_open(&x, view_of(data, len), "libp2p-peer-record", view_of("\x03\x01", 2)))
        abort();
    peerid_of(&id, &x.key);
    if (!peerid_eq(&id, &r.id) || r.addr_count > RECORD_ADDRS_MAX || !record_open(&again, view_of(data, len - 1)))
        abort();
    for (size_t i = 0; i < r.addr_count; i++) {
        wr_t w = wr_of(bytes, sizeof bytes);
        maddr_write(&w, &r.addrs[i]);
        if (w.bad)
            abort();
    }
    return 0;
}
