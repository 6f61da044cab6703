/* The first byte says which protocol. What is read, written again, and read, says the same; a voucher that opens is
 * none a byte shorter. */
#include <stdlib.h>

#include "overlay/wire/circuit.h"
#include "overlay/wire/proto.h"
#include "tests/fuzz/fuzz.h"

static bool same(const circuit_message_t *a, const circuit_message_t *b)
{
    if (a->type != b->type || a->status != b->status || !peerid_eq(&a->peer, &b->peer) ||
        a->limit.is_set != b->limit.is_set || a->limit.duration_s != b->limit.duration_s ||
        a->limit.bytes != b->limit.bytes || a->has_reservation != b->has_reservation || a->expires_s != b->expires_s ||
        a->addr_count != b->addr_count || !view_eq(a->voucher, b->voucher))
        return false;
    for (size_t i = 0; i < a->addr_count; i++)
        if (!view_eq(a->addrs[i], b->addrs[i]))
            return false;
    return true;
}

static void voucher(view_t v)
{
    static const uint8_t ids[2][38] = { { 0x00, 0x24, 0x08, 0x01, 0x12, 0x20, 0x1e, 0xd1, 0xe8, 0xfa, 0xe2, 0xc4, 0xa1,
                                          0x44, 0xb8, 0xbe, 0x8f, 0xd4, 0xb4, 0x7b, 0xf3, 0xd3, 0xb3, 0x4b, 0x87, 0x1c,
                                          0x3c, 0xac, 0xf6, 0x01, 0x0f, 0x0e, 0x42, 0xd4, 0x74, 0xfc, 0xe2, 0x7e },
                                        { 0x00, 0x24, 0x08, 0x01, 0x12, 0x20, 0xa7, 0x7f, 0x1d, 0x92, 0xfe, 0xdb, 0x59,
                                          0xdd, 0xda, 0xea, 0x5a, 0x1c, 0x4a, 0xbd, 0x1a, 0xc2, 0xfb, 0xde, 0x7d, 0x7b,
                                          0x87, 0x9e, 0xd3, 0x64, 0x50, 0x18, 0x09, 0x92, 0x3d, 0x7c, 0x11, 0xb9 } };
    peerid_t relay, peer;
    uint64_t expires;
    if (peerid_read(&relay, view_of(ids[0], sizeof ids[0])) || peerid_read(&peer, view_of(ids[1], sizeof ids[1])))
        abort();
    if (!circuit_voucher_open(&expires, v, &relay, &peer) &&
        !circuit_voucher_open(&expires, view_of(v.p, v.n - 1), &relay, &peer))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[2 * CIRCUIT_MESSAGE_MAX];
    circuit_message_t m, again;
    view_t message;
    size_t used;
    if (!len)
        return 0;
    const circuit_protocol_t protocol = data[0] & 1 ? CIRCUIT_STOP : CIRCUIT_HOP;
    if (circuit_read(&m, protocol, view_of(data + 1, len - 1))) {
        voucher(view_of(data + 1, len - 1));
        return 0;
    }
    wr_t w = wr_of(out, sizeof out);
    circuit_write(&w, protocol, &m);
    if (w.bad && len + 16 <= CIRCUIT_MESSAGE_MAX) /* fields that were left out are written as zeros */
        abort();
    if (w.bad)
        return 0;
    if (pb_delimited(&message, &used, wr_view(&w), CIRCUIT_MESSAGE_MAX) || used != w.n ||
        circuit_read(&again, protocol, message) || !same(&m, &again))
        abort();
    if (m.voucher.n)
        voucher(m.voucher);
    return 0;
}
