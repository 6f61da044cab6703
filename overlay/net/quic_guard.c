#include "overlay/net/quic_guard.h"

#define LONG_HEADER 0x80u
#define CID_MAX 20u
enum { INITIAL, ZERO_RTT, HANDSHAKE, RETRY };

/* QUIC's integers: the two highest bits tell the length. */
static uint64_t rd_quic(rd_t *r)
{
    uint8_t first = rd_u8(r);
    uint64_t x = first & 0x3fu;
    for (unsigned left = (1u << (first >> 6)) - 1; left; left--)
        x = x << 8 | rd_u8(r);
    return x;
}

static void skip(rd_t *r, uint64_t n)
{
    if (n > r->n)
        r->bad = true;
    else
        (void)rd_take(r, (size_t)n);
}

static void skip_cid(rd_t *r)
{
    uint8_t n = rd_u8(r);
    if (n > CID_MAX)
        r->bad = true;
    else
        skip(r, n);
}

/* Passes over one long-header packet. True: it has no length, and is the whole datagram. */
static bool skip_packet(rd_t *r)
{
    uint8_t first = rd_u8(r);
    uint32_t version = rd_u32be(r);
    unsigned type = first >> 4 & 3;
    skip_cid(r);
    skip_cid(r);
    if (version == 0 || (version == 1 && type == RETRY))
        return !r->bad;
    r->bad |= version != 1;
    if (type == INITIAL)
        skip(r, rd_quic(r)); /* the token */
    skip(r, rd_quic(r));
    return false;
}

size_t quic_guard_cut(view_t datagram)
{
    rd_t r = rd_of(datagram);
    while (r.n && *r.p & LONG_HEADER) {
        const bool first = r.n == datagram.n;
        const size_t before = datagram.n - r.n;
        if (skip_packet(&r))
            return first ? datagram.n : before;
        if (r.bad)
            return 0;
    }
    return datagram.n - r.n;
}
